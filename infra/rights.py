"""What each command of `musubi` asks AWS for: as measured, action by action, on the places of one deployment.

tests/ops/test_rights.py and tests/e2e/test_people.py run the commands and hold what they ask for to this; infra/people.py
makes policies of it. No CDK here: ops/refused.py reads this too, when AWS has refused.
"""

from collections.abc import Iterator
from typing import NamedTuple

TABLES = ("customers", "events", "gates", "identities", "sends", "timers")
QUEUES = ("bulk", "bus", "evaluate", "inbox", "load", "measure", "send")
DEAD = (*QUEUES, "schedules")
# Rows of the gates that are no person's: the account's own, and its counters.
ACCOUNT_ROWS = "gates/anon:#"
LINE_ROWS = "identities/line#"
AS_THEY_WERE = "as-they-were"
"""Tables that point-in-time recovery has made beside ours: `<table>-at-<instant>`."""
ANYWHERE = "*"
"""Of what AWS tells under no resource: the schedules of all groups, alarms, metrics, mappings."""


class Right(NamedTuple):
    """`action` on `place`: a table (`gates`), rows of it by the beginning of their key (`gates/anon:#`), a queue (`send`), its
    dead letters (`dead/send`), objects by prefix (`runs/`, all: ``), a secret, or what the action has only one of."""

    action: str
    place: str


Rights = frozenset[Right]


def may(actions: str, *places: str) -> Rights:
    """Each action of `dynamodb:GetItem,Query` on each place."""
    service, _, names = actions.partition(":")
    return frozenset(Right(f"{service}:{name}", place) for name in names.split(",") for place in places)


def reads(*prefixes: str) -> Rights:
    """Objects under these prefixes, and which there are: without the list S3 answers 403, not 404, for what is not there."""
    return may("s3:GetObject,ListBucket", *prefixes)


def writes(*prefixes: str) -> Rights:
    """Objects under these prefixes."""
    return may("s3:PutObject", *prefixes)


def puts(*queues: str) -> Rights:
    """Messages into these queues."""
    return may("sqs:SendMessage", *queues)


def _dead(actions: str) -> Rights:
    return may(actions, *(f"dead/{name}" for name in DEAD))


EVERYBODY = may("cloudformation:DescribeStacks", "stack")
"""How a command finds its deployment. Who they are, AWS tells everybody."""

_book = reads("playbooks/")
_context = reads("playbooks/context.json")
_account = may("dynamodb:GetItem", ACCOUNT_ROWS)
_person = may("dynamodb:GetItem", "customers", LINE_ROWS)
_erasure_key = may("secretsmanager:GetSecretValue", "erasure")
_runs = reads("runs/")
_rejected = reads("rejected/")
_looking_at_letters = _dead("sqs:ReceiveMessage,ChangeMessageVisibility") | reads("failures/")
_card = _person | _book | may("dynamodb:GetItem", "gates") | may("dynamodb:Query", "identities", "sends")
_links = may("dynamodb:GetItem", "customers") | may("dynamodb:GetItem,Query", "identities")
_deciding = _links | may("dynamodb:Query", "events") | writes("audits/links/") | puts("inbox")
_source = reads("inflow/") | writes("inflow/", "audits/inflow/")
_tagging = _person | writes("audits/tags/") | puts("inbox")
_applying = (
    _book
    | writes("playbooks/", "backfills/")
    | reads("backfills/")
    | puts("evaluate")
    | may("scheduler:CreateSchedule,UpdateSchedule,DeleteSchedule", "schedules")
    | may("scheduler:ListSchedules", ANYWHERE)
    | may("iam:PassRole", "schedules")
)
_stopping = _account | _book | may("dynamodb:UpdateItem", ACCOUNT_ROWS) | writes("audits/blocks/")
_sends = (
    may("dynamodb:DescribeTable,BatchGetItem", "sends")
    | may("dynamodb:Scan", "customers", "sends", "timers")
    | _runs
    | _book
)
_unknown = may("dynamodb:Scan,Query", "sends") | may("dynamodb:BatchGetItem", "gates")
_plan = (
    _account
    | _book
    | may("dynamodb:Scan", "customers", "events", "timers")
    | may("dynamodb:BatchGetItem", "gates")
)
# A person is looked for everywhere, and taken out of every row, letter and version of an object.
_erasing = (
    may("dynamodb:Scan,GetItem,Query,PutItem,DeleteItem", *TABLES)
    | may("dynamodb:BatchGetItem", "customers", "gates")
    | _dead("sqs:ReceiveMessage,ChangeMessageVisibility,DeleteMessage,SendMessage")
    | may("sqs:GetQueueAttributes", *QUEUES)
    | may(
        "s3:GetObject,GetObjectVersion,PutObject,DeleteObject,DeleteObjectVersion,ListBucket,ListBucketVersions",
        "",
    )
    | may("cloudwatch:GetMetricStatistics", ANYWHERE)
    | _erasure_key
)
# Every row is read, and put back where it lacks; of whoever was erased nothing stays. What AWS makes of the tables as they
# were is made, read and taken away; it asks for these rights on it (RestoreTableToPointInTime).
_restoring = (
    _account
    | _book
    | may("dynamodb:Scan,GetItem,PutItem,DeleteItem,PartiQLInsert", *TABLES)
    | may("dynamodb:UpdateItem", "gates")
    | may("dynamodb:BatchGetItem", "sends")
    | may("dynamodb:DescribeContinuousBackups,RestoreTableToPointInTime", *TABLES)
    | may(
        "dynamodb:RestoreTableToPointInTime,DescribeTable,DeleteTable,Scan,Query,GetItem,PutItem,UpdateItem,DeleteItem,"
        "BatchWriteItem",
        AS_THEY_WERE,
    )
    | reads("backups/", "erasures/", "facts/", "runs/", "batches/")
    | may("s3:DeleteObject", "runs/")
    | writes("audits/backups/", "audits/recount/")
    | puts("inbox", "evaluate")
    | may("sqs:GetQueueAttributes", "inbox")
    | may("cloudwatch:GetMetricStatistics", ANYWHERE)
    | _erasure_key
)
_doctor = (
    may("dynamodb:DescribeTable", *TABLES)
    | may("sqs:GetQueueAttributes", *QUEUES)
    | _dead("sqs:GetQueueAttributes")
    | may("lambda:GetFunctionConfiguration", "functions")
    | may("lambda:ListEventSourceMappings", ANYWHERE)
    | may("cloudwatch:DescribeAlarms", ANYWHERE)
    | may("cloudformation:DescribeStacks,ListStackResources", "stack")
    | may("sns:ListSubscriptionsByTopic", "topic")
    | may("ssm:GetParameter", "bootstrap")
    | reads("playbooks/")
)

_nothing: Rights = frozenset()
NEEDS: dict[str, Rights] = {
    "accounts": _nothing,
    "alerts": reads("alerts/"),
    "apply": _applying,
    "approvals": _book | _runs,
    "approve": _book | _runs | writes("runs/", "audits/approvals/") | puts("evaluate"),
    # It says how many rejected events are forgotten, and reads none of them.
    "audit": may("dynamodb:Scan", "customers")
    | may("s3:ListBucket", "rejected/")
    | _book
    | reads("audits/asked-")
    | writes("audits/asked-"),
    "backups create": may("dynamodb:Scan", *TABLES) | writes("backups/", "audits/backups/"),
    "backups list": reads("backups/"),
    "backups restore": _restoring,
    "blocks": _account,
    "check": _nothing,
    "cost": _nothing,
    "context import": _context | writes("playbooks/context.json"),
    "context list": _context,
    "context remove": _context | writes("playbooks/context.json"),
    "context set": _context | writes("playbooks/context.json"),
    "customer": _card,
    "dlq list": _looking_at_letters,
    "dlq replay": _looking_at_letters
    | _dead("sqs:DeleteMessage")
    | puts(*QUEUES)
    | may("dynamodb:BatchGetItem", "customers", "gates")
    | may("dynamodb:GetItem", "sends", ACCOUNT_ROWS)
    | reads("audits/redrive/", "playbooks/")
    | writes("audits/redrive/")
    | may("lambda:InvokeFunction", "tick"),
    "dlq replays": reads("audits/redrive/"),
    # What the secrets hold it reads where it may, and says where it may not.
    "doctor": _doctor,
    "erase": _erasing,
    "evaluate": _nothing,
    "explain": _person
    | may("dynamodb:GetItem", "gates")
    | may("dynamodb:Query", "events", "sends")
    | may("dynamodb:Scan", "timers")
    | _runs
    | _book,
    "explain --all": may("dynamodb:GetItem", "gates")
    | may("dynamodb:Query", "events")
    | may("dynamodb:Scan", "customers", "sends", "timers")
    | _runs
    | _book,
    "export": _card
    | may("dynamodb:BatchGetItem", "customers", "gates")
    | may("dynamodb:Query", "events")
    | may("dynamodb:Scan", "identities", "timers")
    | _runs
    | _rejected
    | writes("audits/exports/")
    | _erasure_key,
    "import": _book | reads("loads/") | writes("loads/") | puts("inbox"),
    "init": _nothing,
    "kpis": _nothing,
    "links list": may("dynamodb:Query", "identities") | may("dynamodb:Scan", "customers", "identities"),
    "links review": _deciding,
    "links show": _links | _erasure_key,
    "links source close": _source,
    # Whoever may read the key could sign any link.
    "links source create": _source | may("secretsmanager:GetSecretValue", "link"),
    "links source list": reads("inflow/"),
    "links undo": _deciding,
    "local clock": _nothing,
    "local down": _nothing,
    "local up": _nothing,
    "measure": _book
    | reads("measure/last-day")
    | puts("measure")
    | may("sqs:GetQueueAttributes", "measure", "dead/measure"),
    "models fit": _book | reads("derived/", "facts/", "models/") | writes("models/"),
    "models judge": _nothing,
    "models show": _book | reads("models/"),
    "plan": _plan,
    "quota": _account | _book | may("s3:ListBucket", "runs/"),
    "quota --recount": _account
    | _book
    | may("s3:ListBucket", "runs/")
    | may("dynamodb:Scan", "gates", "sends")
    | may("dynamodb:UpdateItem", ACCOUNT_ROWS)
    | writes("audits/recount/"),
    "rejects discard": _rejected | writes("rejected/", "audits/rejects/"),
    "rejects fix": _book | _rejected | writes("rejected/", "audits/rejects/"),
    "rejects list": _rejected,
    "rejects replay": _book | _rejected | writes("rejected/", "audits/rejects/") | puts("inbox"),
    "report": _book | reads("alerts/", "derived/", "facts/") | _dead("sqs:GetQueueAttributes"),
    "resume": _stopping | may("dynamodb:Scan,DeleteItem", "timers") | puts("send", "bulk"),
    "schema": _nothing,
    "sends": _sends,
    "sources": _account | _book,
    "sources --accept": _account | _book | may("dynamodb:UpdateItem", ACCOUNT_ROWS),
    "stop": _stopping,
    "tag add": _tagging,
    "tag list": _person | may("dynamodb:Query", "events"),
    "tag remove": _tagging,
    "unknown list": _unknown,
    "unknown resolve": _unknown
    | may("dynamodb:GetItem,PutItem", "gates")
    | may("dynamodb:GetItem,UpdateItem", "sends")
    | writes("audits/unknown/"),
    "versions": _book,
}
"""Command → its rights. An option that asks for more stands as a command of its own: `quota --recount`."""


def command_of(words: list[str]) -> str | None:
    """The entry of NEEDS that a command line means: `rejects list --code x` → `rejects list`."""
    given = set(words)
    named = [one for one in NEEDS if _begins(one, words) and given.issuperset(one.split())]
    return max(named, key=len, default=None)


def _begins(command: str, words: list[str]) -> bool:
    path = [word for word in command.split() if not word.startswith("--")]
    return words[: len(path)] == path


def covers(granted: Right, asked: Right) -> bool:
    """Whether one right holds what is asked: the same action, on that place or a wider one (`gates` is wider than
    `gates/anon:#`; of objects and rows a prefix is wider than what begins with it)."""
    if granted.action != asked.action:
        return False
    if granted.action.startswith("s3:"):
        return asked.place.startswith(granted.place)
    table, _, rows = granted.place.partition("/")
    if granted.action.startswith("dynamodb:") and asked.place.partition("/")[0] == table:
        return asked.place.partition("/")[2].startswith(rows)
    return granted.place == asked.place


def lacking(granted: Rights, asked: Rights) -> Iterator[Right]:
    """What is asked and not granted."""
    return (one for one in sorted(asked) if not any(covers(right, one) for right in granted))
