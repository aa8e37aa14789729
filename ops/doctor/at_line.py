"""What LINE and the people of the account have to bring: secrets, token, webhook, quota, playbook."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from functions.aws.secrets import SecretField
from functions.line.bot import LineBot
from functions.line.channel import is_token
from functions.line.quota import LineMonthlyQuota
from functions.ports.errors import AccountRefused, Rejected, Retryable
from functions.tokens import KEY_CHARACTERS_MIN, KEYS_MAX
from ops.doctor.findings import Finding, mend, note, ok
from ops.doctor.visit import Visit

CHANNEL_SECRET: Final = re.compile(r"[0-9a-f]{32}")
TOKEN_CHARACTERS_MIN: Final = 40
NEARLY_ALL: Final = 0.8
PUT: Final = (
    "aws secretsmanager put-secret-value --secret-id {} --secret-string '…' (README, deploying to AWS)"
)


def secrets(visit: Visit) -> Iterator[Finding]:
    """Every secret is there and has the form that the functions read; no value is shown."""
    faults: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
        "SecretLine": _line_faults,
        "SecretIngest": lambda told: _key_faults("ingest_key", told.get("ingest_key"), KEYS_MAX),
        "SecretLink": lambda told: _key_faults("keys", told.get("keys"), KEYS_MAX),
        "SecretErasure": lambda told: _key_faults("erasure_key", told.get("erasure_key"), 1),
    }
    found = False
    for name, faults_of in faults.items():
        for fault in faults_of(_read(visit, name)):
            found = True
            yield mend("secrets", f"{name}: {fault}", PUT.format(visit.target.output(name)))
    if not found:
        yield ok("secrets", f"{len(faults)} are there and well-formed{_rotating(visit)}")


def _read(visit: Visit, name: str) -> dict[str, Any]:
    """The secret's fields; none where it is no JSON object, so that each is missing."""
    text = visit.client("secretsmanager").get_secret_value(SecretId=visit.target.output(name))["SecretString"]
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _line_faults(told: dict[str, Any]) -> Iterator[str]:
    """The channel secret may be two while LINE's is rotated: both are valid then."""
    secrets = _several(told.get("channel_secret"))
    if len(secrets) > KEYS_MAX or not all(CHANNEL_SECRET.fullmatch(str(one)) for one in secrets):
        yield "channel_secret is none of LINE's (32 hexadecimal digits): every webhook is refused"
    token = str(told.get("channel_access_token", ""))
    if len(token) < TOKEN_CHARACTERS_MIN:
        yield "channel_access_token is missing: nothing can be sent"
    elif not is_token(token):
        yield "channel_access_token holds a space, the end of a line or a sign that is not ASCII: nothing can be sent"


def _key_faults(field: str, value: Any, keys_max: int) -> Iterator[str]:
    keys = _several(value)
    if not 1 <= len(keys) <= keys_max:
        yield f"{field} holds {len(keys)} keys, and one to {keys_max} are read"
    if not all(isinstance(one, str) and len(one) >= KEY_CHARACTERS_MIN for one in keys):
        yield f"{field} needs keys of {KEY_CHARACTERS_MIN} characters or more"
    elif len(set(keys)) < len(keys):
        yield f"{field} holds the same key twice: the rotation has not begun"


def _several(value: Any) -> Sequence[Any]:
    """A field's keys: a text is one, a list is as many; an empty list holds none that is right."""
    return value if isinstance(value, list) and value else [value]


def _rotating(visit: Visit) -> str:
    fields = {"SecretLine": "channel_secret", "SecretIngest": "ingest_key", "SecretLink": "keys"}
    two = [name for name, field in fields.items() if len(_several(_read(visit, name).get(field))) == KEYS_MAX]
    return f"; two keys are valid in {', '.join(two)}" if two else ""


def _token(visit: Visit) -> SecretField:
    client, secret = visit.client("secretsmanager"), visit.target.output("SecretLine")
    return SecretField(client, secret, "channel_access_token", "")


def _bot(visit: Visit) -> LineBot:
    return LineBot(visit.target.parameter("LineApiUrl"), _token(visit))


def token(visit: Visit) -> Iterator[Finding]:
    """LINE takes the channel access token."""
    how = "issue a token in LINE's console (Messaging API) and put it into the secret SecretLine"
    try:
        bot = _bot(visit).info()
    except AccountRefused:
        yield mend("line token", "LINE refuses the channel access token", how)
    except (Rejected, Retryable) as error:
        yield mend(
            "line token", f"LINE could not be asked: {error}", "look at LINE's status page, and ask again"
        )
    else:
        yield ok("line token", f"it is {bot.name}'s ({bot.basic_id})")


def webhook(visit: Visit) -> Iterator[Finding]:
    """LINE posts webhooks, and posts them here."""
    here = visit.webhook_url
    try:
        found = _bot(visit).webhook()
    except (AccountRefused, Rejected, Retryable) as error:
        yield mend(
            "webhook",
            f"LINE does not tell its webhook address: {error}",
            "mend the token first, or ask again",
        )
        return
    if found is None or found.url != here:
        told = f"LINE posts to {found.url}" if found else "LINE has no webhook address"
        yield mend("webhook", told, f"paste {here} into LINE's console (Messaging API, Webhook URL)")
    elif not found.is_active:
        yield mend(
            "webhook", "the webhook is switched off at LINE", 'switch on "Use webhook" in LINE\'s console'
        )
    else:
        yield ok("webhook", f"LINE posts to {here}")


def quota(visit: Visit) -> Iterator[Finding]:
    """Messages are left this month."""
    try:
        usage = LineMonthlyQuota(visit.target.parameter("LineApiUrl"), _token(visit)).usage()
    except Retryable as error:
        yield mend("quota", str(error), "mend the token first, or ask again")
        return
    if usage.limit is None:
        yield ok("quota", f"{usage.used:,} messages this month, and LINE names no limit")
        return
    told, how = (
        f"{usage.used:,} of {usage.limit:,} messages are used",
        "buy more from LINE; musubi quota says who waits",
    )
    if usage.used >= usage.limit:
        yield mend("quota", told, how)
    elif usage.used >= NEARLY_ALL * usage.limit:
        yield note("quota", told, how)
    else:
        yield ok("quota", told)


def playbook(visit: Visit) -> Iterator[Finding]:
    """A playbook is in force."""
    try:
        found = visit.stores.playbooks.in_force()
    except (Rejected, Retryable) as error:
        yield mend("playbook", str(error), "musubi check DIR, then musubi apply DIR")
        return
    told = found.playbook
    yield ok(
        "playbook",
        f"version {found.version[:12]}: {len(told.scenarios)} scenarios, {len(told.campaigns)} campaigns",
    )
