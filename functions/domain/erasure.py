"""Erasure: by which ids a person is known, what is kept of them (a keyed hash), and how a mention of them is taken out."""

import hashlib
import hmac
import json
import re
from functools import cached_property, lru_cache
from typing import Any, Literal

import msgspec

from functions.domain.campaigns import Chunk, Recipient
from functions.domain.facts import person as pseudonym
from functions.domain.instants import Instant
from functions.domain.line_events import ANONYMOUS, anonymous_id, is_anonymous
from functions.domain.links import State
from functions.domain.sends import SendRecord, send_id_of
from functions.domain.stored import Carrying

ERASED = "erased"
"""What stands where an id of an erased person stood."""
CUSTOMER_FIELDS = frozenset(
    {"customer_id", "claimed_by", "merged_into", "first_id", "unit", "next_key", "customer"}
)
"""The names under which rows and objects hold customer ids. Elsewhere a text that is equal to one is no mention: a customer
id may be as short as an order's number."""

Stage = Literal["begun", "suppressed", "drained", "done"]


class Person(msgspec.Struct, frozen=True, dict=True):
    """Everything that a person is known by. `customer_ids` has the anonymous friends' too; `token` is random, and is
    destroyed with the last of the erasure, so that nobody can work out which alias was whose."""

    customer_ids: list[str]
    line_users: list[str]
    token: str

    @property
    def identities(self) -> list[str]:
        """What is suppressed: `customer#C1`, `line#U…`."""
        own = [identity_of(one) for one in self.customer_ids]
        return sorted({*own, *(f"line#{user}" for user in self.line_users)})

    @cached_property
    def ids(self) -> frozenset[str]:
        """Every id: the customers', the LINE users', and the pseudonyms that facts have for those."""
        anonymous = [anonymous_id(user) for user in self.line_users]
        pseudonyms = [pseudonym(name) for name in anonymous]
        bare = [name.removeprefix(ANONYMOUS) for name in pseudonyms]
        return frozenset({*self.customer_ids, *self.line_users, *anonymous, *pseudonyms, *bare})

    @cached_property
    def lines(self) -> re.Pattern[str]:
        """Finds the LINE users, anonymous or not, in any text: their ids are long enough to mean nobody else."""
        return _words(self.line_users, ANONYMOUS)

    @cached_property
    def words(self) -> re.Pattern[str]:
        """Finds every id where it stands alone in a text."""
        return _words([one for one in self.ids if not is_anonymous(one)], ANONYMOUS)

    @cached_property
    def texts(self) -> tuple[bytes, ...]:
        """The ids as JSON may write them, in UTF-8 or escaped, without quotes: what is not there mentions nobody."""
        ids = {one.removeprefix(ANONYMOUS) for one in self.ids}
        written = {json.dumps(one, ensure_ascii=plain)[1:-1] for one in ids for plain in (True, False)}
        return tuple(sorted(text.encode() for text in written | ids))

    def alias(self, line_user_id: str) -> str:
        """Who a frozen list and the send log say it was, from now on: the same in both, and nobody's."""
        digest = hmac.new(self.token.encode(), line_user_id.encode(), hashlib.sha256).hexdigest()
        return f"{ERASED}:{digest[:16]}"

    def may_be_in(self, body: bytes) -> bool:
        """Whether a look at the body's structure is worth it."""
        return any(text in body for text in self.texts)


def _words(ids: list[str], prefix: str) -> re.Pattern[str]:
    longest_first = sorted(ids, key=len, reverse=True)
    named = "|".join(map(re.escape, longest_first)) or r"(?!)"
    return re.compile(rf"(?<![\w-])(?:{re.escape(prefix)})?(?:{named})(?![\w-])")


def identity_of(customer_id: str) -> str:
    """Under which name a customer, or an anonymous friend, is suppressed."""
    if is_anonymous(customer_id):
        return f"line#{customer_id.removeprefix(ANONYMOUS)}"
    return f"customer#{customer_id}"


@lru_cache(maxsize=4096)
def hashed(key: str, identity: str) -> str:
    """All that is kept of an id: HMAC-SHA256 under the deployment's key, in hex. Any text has one, half a character too."""
    return hmac.new(key.encode(), identity.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


class StateChange(msgspec.Struct, frozen=True):
    """What is kept of a change of somebody whose ids are not: when, by whom (an operator, or `line`), how (the erasure's id, or
    the event's name), and the states before and after."""

    at: Instant
    by: str
    how: str
    before: State
    after: State


class Suppression(Carrying, msgspec.Struct, frozen=True, omit_defaults=True):
    """This identity was erased at `at`. `lifted_at`: the LINE user has followed again, and the playbook lets them in. `changes`:
    every erasure of this identity and every return, the oldest first."""

    erasure_id: str
    at: Instant
    lifted_at: Instant | None = None
    changes: list[StateChange] = []

    @property
    def state(self) -> State:
        """What the identity is as far as the suppression says."""
        return "anonymous" if self.lifted_at else "erased"


def suppressed(known: Suppression | None, erasure: "Erasure", before: State, at: Instant) -> Suppression:
    """The suppression by an erasure, which says what was before; the same where this erasure has been at it already."""
    if known is not None and known.erasure_id == erasure.erasure_id:
        return known
    change = StateChange(at, erasure.by, erasure.erasure_id, before, "erased")
    return Suppression(erasure.erasure_id, at, changes=[*(known.changes if known else []), change])


def lifted(known: Suppression, at: Instant) -> Suppression:
    """The suppression of a LINE user who has followed again: a new person begins, and nobody knows of the old one."""
    change = StateChange(at, "line", "line_follow", "erased", "anonymous")
    return msgspec.structs.replace(known, lifted_at=at, changes=[*known.changes, change])


class Erasure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One erasure under way. `counts`: what was removed or made anonymous, by place; `waits`: what keeps it from its end;
    `suppressed_wall`: when it was suppressed by the machine's clock, which workers' time-outs go by; `by`: who asked."""

    erasure_id: str
    at: Instant
    by: str
    why: str
    person: Person
    stage: Stage = "begun"
    suppressed_wall: float = 0.0
    empty_queues: list[str] = []
    counts: dict[str, int] = {}
    waits: list[str] = []

    def counted(self, more: dict[str, int]) -> "Erasure":
        """With so much more done."""
        places = sorted({*self.counts, *more})
        return msgspec.structs.replace(
            self, counts={place: self.counts.get(place, 0) + more.get(place, 0) for place in places}
        )


def scrubbed(
    value: Any, person: Person, *, everywhere: bool = False, prose: bool = False, field: str = ""
) -> Any:
    """The JSON value without the person: ids are replaced by `erased`, entries under an id are gone.

    LINE users are found wherever they stand. Customer ids are looked for in fields that hold them; `everywhere`: in any
    text that is equal to one; `prose`: wherever one stands alone in a text. The same value comes back where nobody is meant.
    """
    if isinstance(value, str):
        return _scrubbed_text(value, person, equal=everywhere or field in CUSTOMER_FIELDS, prose=prose)
    if isinstance(value, list):
        return [scrubbed(one, person, everywhere=everywhere, prose=prose, field=field) for one in value]
    if isinstance(value, dict):
        return {
            key: scrubbed(one, person, everywhere=everywhere, prose=prose, field=key)
            for key, one in value.items()
            if not (person.lines.search(key) or (everywhere and key in person.ids))
        }
    return value


def _scrubbed_text(text: str, person: Person, *, equal: bool, prose: bool) -> str:
    if equal and text in person.ids:
        return ERASED
    return (person.words if prose else person.lines).sub(ERASED, text)


def is_own_row(table: str, pk: str, sk: str, person: Person) -> bool:
    """Whether a row is about the person by its very key, and goes as a whole."""
    if table != "identities":
        return pk in person.ids
    return any(person.lines.search(key) or _after_mark(key) in person.customer_ids for key in (pk, sk))


def _after_mark(key: str) -> str:
    """The customer of `customer#C1` or `reward#customer#C1`; an audit row's key ends otherwise."""
    head, mark, rest = key.partition("customer#")
    return rest if mark and (not head or head.endswith("#")) else ""


def anonymous_record(record: SendRecord, person: Person, account: str) -> SendRecord | None:
    """What the accounts of a campaign keep of a message: that somebody was on its list, and how it ended. None where nobody
    counts it, for the accounts of a scenario are its customers'."""
    if not record.run:
        return None
    alias = person.alias(record.line_user_id)
    is_own = record.customer_id in person.ids
    return msgspec.structs.replace(
        record,
        send_id=send_id_of(account, record.run, "", record.campaign, alias, "1"),
        customer_id=alias if is_own else record.customer_id,
        line_user_id=alias,
        request_id="",
        holds=[],
        facts={},
        resolved=None,
    )


def anonymous_recipient(one: Recipient, person: Person) -> Recipient:
    """The same place on a frozen list, for the places are what batches go by; nobody's where the person was meant."""
    is_own = one.customer_id in person.ids
    if not is_own and one.line_user_id not in person.ids:
        return one
    alias = person.alias(one.line_user_id)
    return Recipient(alias, alias, {}) if is_own else Recipient(one.customer_id, alias, one.values)


def anonymous_chunk(chunk: Chunk, person: Person) -> Chunk:
    """The page without the person. Where the next page begins is kept only as a mark that there is one."""
    return Chunk(
        [anonymous_recipient(one, person) for one in chunk.recipients],
        ERASED if chunk.next_key in person.ids else chunk.next_key,
    )


FollowAgain = Literal["stay_out", "new_person"]


def lets_in(suppression: Suppression, name: str, occurred_at: Instant, follow_again: FollowAgain) -> bool:
    """Whether this event of an erased LINE user begins a new person: only a follow after the erasure, and only where the
    playbook says so. Whatever else LINE or the CRM still tell of an erased person is dropped."""
    return follow_again == "new_person" and name == "line_follow" and occurred_at > suppression.at
