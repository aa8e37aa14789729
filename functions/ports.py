"""What the flows need of the world outside, and the errors it may answer with."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from functions.domain.account import Account, Block
from functions.domain.aggregation_units import Unit
from functions.domain.alerts import Alert
from functions.domain.approvals import Approval, Awaiting
from functions.domain.audits import AuditReport
from functions.domain.backfills import Backfill, ScanProgress
from functions.domain.bases import Base, Kept
from functions.domain.batches import Entry, Sealed
from functions.domain.breaker import Counts
from functions.domain.campaigns import Chunk, Run
from functions.domain.compiled import Compiled
from functions.domain.customers import Customer
from functions.domain.dead_letters import Letter
from functions.domain.erasure import Suppression
from functions.domain.events import Event
from functions.domain.facts import Fact
from functions.domain.gate import Gate
from functions.domain.instants import Instant
from functions.domain.lake import Table
from functions.domain.link_changes import Joining, LinkChange, MergeEntry
from functions.domain.linking_attempts import Attempt, Taken, Way
from functions.domain.links import Link
from functions.domain.live import Told
from functions.domain.money import Count, LineUsage
from functions.domain.phones import CustomerPhone, PhoneOwners
from functions.domain.playbook import Links
from functions.domain.redrives import Page, Redrive, Tally, Trail
from functions.domain.sends import Intent, Order, SendRecord
from functions.domain.undoing import Keepsake
from functions.domain.watermarks import LoadNote


class MusubiError(Exception):
    """The root of what the flows tell apart. Messages reach the log: they name no customer and no LINE user."""


class Rejected(MusubiError):
    """Definitely refused, and so it will be again: never retried."""


class AccountRefused(Rejected):
    """LINE refuses the whole account (401, 403): the message itself is not to blame."""


class OverQuota(AccountRefused):
    """LINE's messages of this month are used up (the monthly 429)."""


class Retryable(MusubiError):
    """Definitely not done; another try may do it."""


class Conflict(Retryable):
    """Somebody else changed the item first: load it again."""


class RateLimited(Retryable):
    """LINE's rate limit: try again a little later."""


class Unknown(MusubiError):
    """No answer, or none that tells: it may have happened. Never blindly repeated."""


class TokenInvalid(Rejected):
    """No token of ours for this purpose: changed, cut off, made for something else, or signed with a key that is gone."""


class TokenExpired(Rejected):
    """A token of ours that is too old."""


class Accepted(msgspec.Struct, frozen=True):
    """LINE took the message in (200, or 409 on a repeat): `request_id` is that of the accepted request."""

    request_id: str


class Line(Protocol):
    """The Messaging API."""

    def push(
        self, to: str, messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """Push 1–5 message objects. `unit`: what LINE counts them under. Raises Rejected, AccountRefused, RateLimited or
        Unknown."""

    def multicast(
        self, to: Sequence[str], messages: Sequence[Mapping[str, Any]], retry_key: str, unit: str = ""
    ) -> Accepted:
        """Send the same 1–5 message objects to up to 500 users; all of them or none. Raises as `push` does."""

    def link_menu(self, user: str, rich_menu_id: str) -> None:
        """Show one user this rich menu; any number of times. Raises as `push` does."""

    def unlink_menu(self, user: str) -> None:
        """Show one user the account's default again; any number of times. Raises as `push` does."""


_Answer = TypeVar("_Answer")


class Together(Protocol):
    """Carries out calls side by side."""

    def __call__(self, calls: Sequence[Callable[[], _Answer]]) -> list[_Answer | Exception]:
        """What each call answered, or raised; in the order of the calls."""


class Renderer(Protocol):
    """Templates and frozen values to message objects; the same input gives the same bytes."""

    def render(self, content: list[dict[str, Any]], values: dict[str, Any]) -> list[dict[str, Any]]:
        """Raises ValueError where a template cannot be filled."""


class Playbooks(Protocol):
    """Compiled playbooks, by version and in force."""

    def in_force(self) -> Compiled:
        """The playbook applied last with the context facts, seconds old at most. Raises Retryable where none was applied."""

    def version(self, version: str) -> Compiled:
        """One version, for good, with the context facts known. Raises Rejected where it does not exist."""


class PlaybooksNow(Playbooks, Protocol):
    """Playbooks for whoever has to know of a change at once."""

    def in_force_now(self) -> Compiled:
        """As `in_force`, read anew: whatever was applied before this call is seen."""


Written = Literal["written", "overtaken", "undone"]
"""What became of one conditional write of a batch: done; refused, for somebody else was first; not done, or not surely."""

Both = tuple[Gate | None, Customer | None]
"""The gate and the customer of one id, as far as they exist."""


class Customers(Protocol):
    """Customers and gates: read together, written each on condition of its version."""

    def load(self, customer_id: str) -> Customer | None:
        """The customer, read consistently."""

    def save(self, customer: Customer) -> Customer:
        """Write on condition that nobody wrote since it was read; Conflict otherwise. Returns it with its new version."""

    def load_gate(self, customer_id: str) -> Gate | None:
        """The gate, read consistently."""

    def save_gate(self, gate: Gate) -> Gate:
        """As `save`, for the gate."""

    def load_both(self, customer_id: str) -> Both:
        """Gate and customer in one consistent read."""

    def load_many(self, customer_ids: Collection[str]) -> dict[str, Both]:
        """Gate and customer of each id, read consistently and in as few requests as it takes."""

    def save_gates(self, gates: Sequence[Gate]) -> list[Written]:
        """Write each of these gates of different customers, all read before, on condition of its own version; what
        became of each."""


class Identities(Protocol):
    """The map from LINE users to customers."""

    def link_of(self, line_user_id: str) -> Link | None:
        """The link of a LINE user, read consistently."""

    def links_of(self, customer_id: str) -> list[Link]:
        """The links that name this customer, as owner (now, or last) or as claimant; read consistently."""

    def keepsake_of(self, line_user_id: str) -> Keepsake | None:
        """What was kept for an undo of the LINE user's last tie; None where there was none, or it is too long ago."""

    def is_rewarded(self, line_user_id: str, customer_id: str) -> bool:
        """Whether one of both has had the reward for linking; an empty id has not."""

    def save_tied(self, change: LinkChange) -> None:
        """Link, audit and (where given) both customers, both gates, keepsake and reward in one transaction; Conflict where
        any was changed. What somebody has to decide is listed, or no longer."""

    def merge_of(self, customer_id: str) -> MergeEntry | None:
        """What this customer became last, and whether that was taken back."""

    def keepsake_of_merge(self, customer_id: str) -> Keepsake | None:
        """What was kept for an undo of that; None where there was none, or it is too long ago."""

    def save_joined(self, joining: Joining) -> None:
        """Both customers and gates, the audit, and (where given) keepsake and reward in one transaction; Conflict where any was
        changed."""

    def phone_of(self, customer_id: str) -> CustomerPhone | None:
        """What is known of a customer's phone number."""

    def phone_owners(self, phone_hash: str) -> PhoneOwners:
        """The customers who have a number; nobody where it was never heard of."""

    def save_phone(self, phone: CustomerPhone, owners: Sequence[PhoneOwners]) -> None:
        """A customer's number with every index row that changes by it in one transaction; Conflict where any did."""


SecretKind = Literal["code", "nonce"]


class LinkAttempts(Protocol):
    """Attempts to link, each taken up by one LINE user, and found by secrets that nobody keeps."""

    def begin(self, attempt: Attempt) -> None:
        """Keep an attempt of a new id."""

    def name(self, attempt: Attempt, kind: SecretKind, secret: str) -> bool:
        """Let the attempt be found by a secret that has none yet; whether it had none."""

    def named(self, kind: SecretKind, secret: str) -> str | None:
        """The id of the attempt that a secret stands for."""

    def find(self, attempt_id: str) -> Attempt | None:
        """The attempt, read consistently."""

    def take(self, attempt_id: str, user: str, at: Instant, way: Way) -> Taken | None:
        """Take it up for a LINE user. Whoever was first gets the same again; everybody else, and who is late, None."""

    def lapsed(self, attempt_id: str) -> Attempt | None:
        """The attempt, where nobody has taken it up."""

    def may_try(self, user: str, event_id: str, at: Instant) -> bool:
        """Count a look at a code; False where a LINE user has had five within the hour. An event counts once."""


class LoginTokens(msgspec.Struct, frozen=True):
    """What LINE Login gives for a code."""

    access_token: str
    id_token: str


Purpose = Literal["ticket", "state", "friend", "preferences", "choice", "unlink", "inflow", "click", "return"]


class SignedTokens(Protocol):
    """What an address or a form may carry, and nobody but us can have said."""

    def sign(self, purpose: Purpose, payload: Mapping[str, Any]) -> str:
        """The payload as a token, as old as it is from now on."""

    def read(self, purpose: Purpose, token: str, max_age: dt.timedelta) -> dict[str, Any]:
        """What a token says. Raises TokenExpired, or TokenInvalid for anything that is no token for this purpose."""


class SingleUse(Protocol):
    """Names that are used up."""

    def use(self, purpose: str, name: str, until: Instant) -> bool:
        """Use up a name that nobody accepts after `until` anyway; True for the first only."""


class Events(Protocol):
    """Every event of every customer, for dedupe, for the card and for repair."""

    def put_new(self, event: Event) -> bool:
        """Keep the event unless its identity is known; whether it was new."""

    def put_all(self, customer_id: str, events: Sequence[Event]) -> None:
        """Keep these events of one customer; those already kept stay as they are, or are replaced by their equal."""

    def identities_of(self, customer_id: str) -> set[str]:
        """The identities of all events kept of a customer."""

    def all_of(self, customer_id: str) -> list[Event]:
        """All events kept of a customer, in the order in which they were kept."""

    def kept_of(self, customer_id: str) -> Kept:
        """The same events, with what older ones came to. The base is read last: whatever has gone since is in it."""

    def save_base(self, customer_id: str, base: Base) -> None:
        """Write the base on condition that it is still at its version, and raise that by one. Raises Conflict."""

    def remove(self, customer_id: str, identities: Sequence[str]) -> None:
        """Delete these rows; those that are gone already stay so."""

    def has(self, customer_id: str, identity: str) -> bool:
        """Whether an event with this identity is kept."""

    def keep_unattributed(self, event: Event) -> None:
        """Keep an event that LINE ties to nobody."""


class Sends(Protocol):
    """The send log."""

    def record_all(self, records: Sequence[SendRecord]) -> list[Written]:
        """Write each terminal state unless there is one; what became of each."""

    def find(self, customer_id: str, made_at: Instant, send_id: str) -> SendRecord | None:
        """The record of one intent, read consistently."""


class Reconciled(Protocol):
    """The send log, as a person may change it: the one way by which a record is ever overwritten."""

    def resolve(self, before: SendRecord, after: SendRecord) -> bool:
        """Write `after` on condition that the record is `before`, word for word, and unknown; whether it stands now."""


class Addresses(Protocol):
    """Addresses of our own for the reader of one message, the same in every attempt."""

    def of(self, intent: Intent, names: Collection[str]) -> dict[str, str]:
        """Name → address of a page."""

    def tracked(self, intent: Intent, links: Links, content: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A rendered message whose links lead by us. Raises ValueError where one cannot be signed."""


class AggregationUnits(Protocol):
    """The registers of the names under which LINE counts, one a month in Japan."""

    def take(self, unit: Unit, now: Instant) -> str:
        """The unit's name, taken for this month; empty where LINE would not count under it. The same in every attempt."""

    def of_month(self, month: str) -> list[Unit]:
        """All units of a month (2026-11)."""


class Timers(Protocol):
    """Due work, in buckets of a minute."""

    def arm(self, customer_id: str, due: Instant, now: Instant) -> None:
        """Wake this customer at `due`, or now if that is past."""

    def hold(self, order: Order, until: Instant, now: Instant) -> None:
        """Take this order up again at `until`."""

    def look_at_link(self, attempt_id: str, due: Instant, now: Instant) -> None:
        """Look at `due` whether this attempt to link was taken up."""

    def due_in(self, minute: Instant, now: Instant) -> Iterable["DueRow"]:
        """The rows of one minute's buckets that are due by `now`, read consistently."""

    def done(self, rows: Sequence["DueRow"]) -> None:
        """Take away rows that were enqueued when they were due."""

    def taken(self, row: "DueRow") -> None:
        """Take away a row that was enqueued before it was due, unless its order waits for the same instant again."""


class DueRow(msgspec.Struct, frozen=True):
    """A timer row: a customer to wake, what goes back into a send queue, or an attempt to link. `key` is the row's own."""

    key: tuple[str, str]
    due: Instant
    customer_id: str = ""
    order: Order | None = None
    link_attempt: str = ""

    @property
    def intent(self) -> Intent | None:
        """The order, where it is a single message."""
        return self.order if isinstance(self.order, Intent) else None


class Inbox(Protocol):
    """The queue in front of `decide`."""

    def put(self, messages: Sequence["InboxMessage"]) -> None:
        """Enqueue all. Raises Retryable, with what was enqueued left there, where some could not be."""


class SendQueue(Protocol):
    """The queues in front of `send`, one a lane."""

    def put(self, orders: Sequence[Order]) -> list[str]:
        """Enqueue; the send ids that were taken in. What the batch answers list as failed is tried again, bounded."""

    def put_later(self, order: Order, seconds: int) -> None:
        """Enqueue a copy that comes up after so many seconds (at most 900)."""


class Runs(Protocol):
    """The frozen lists of campaign runs. Whatever is frozen first stays; every later attempt reads that."""

    def find(self, campaign: str, occurrence: Instant) -> Run | None:
        """The run, where it was begun."""

    def freeze_run(self, run: Run) -> Run:
        """The run as it was begun first."""

    def chunk(self, run: Run, segment: int, number: int) -> Chunk | None:
        """A page frozen already."""

    def freeze_chunk(self, run: Run, segment: int, number: int, chunk: Chunk) -> Chunk:
        """The page as it was frozen first."""

    def is_enqueued(self, run: Run, segment: int, number: int) -> bool:
        """Whether this page is checkpointed."""

    def checkpoint(self, run: Run, segment: int, number: int) -> None:
        """Note that every intent of this page is in the send queue."""

    def finish(self, run: Run, targeted: int) -> None:
        """Note how many people the whole run is for."""

    def await_approval(self, run: Run, awaiting: Awaiting) -> None:
        """Note that the run waits; what was noted first stays."""

    def approval(self, run: Run) -> Approval | None:
        """What a second person said of the run, for good; None where nobody has."""


class Batches(Protocol):
    """Multicast batches: what was sealed first stays, and each place of a journal is taken once."""

    def sealed(self, batch: str) -> Sealed | None:
        """Members and content, where the batch is sealed."""

    def seal(self, batch: str, sealed: Sealed) -> Sealed:
        """Members and content as they were sealed first."""

    def journal(self, batch: str) -> list[Entry]:
        """What has happened to it, in order."""

    def enter(self, batch: str, place: int, entry: Entry) -> bool:
        """Take the next place (from 1) of the journal; whether nobody else had."""

    def refuse(self, batch: str, place: int) -> None:
        """Note that LINE definitely did not take the call of this place."""

    def accepted(self, batch: str) -> Accepted | None:
        """That LINE has taken the batch; None where nobody knows of it."""

    def accept(self, batch: str, accepted: Accepted) -> None:
        """Note that LINE has taken it."""


class Audience(Protocol):
    """All customers, page by page."""

    def page(self, segment: int, segments: int, start_key: str) -> tuple[list[Customer], str]:
        """The customers of one page of one scan segment, and the key of the next (empty at the end)."""


class Schedules(Protocol):
    """One one-off schedule a campaign, in UTC."""

    def put(self, campaign: str, occurrence: Instant) -> None:
        """Let `evaluate` run this campaign at this instant."""

    def remove(self, campaign: str) -> None:
        """Let it run no more."""

    def look_again(self, campaign: str, occurrence: Instant, at: Instant) -> None:
        """Let `evaluate` be given this run once more at this instant, beside whatever else is scheduled."""


class CampaignRun(msgspec.Struct, frozen=True):
    """An order to evaluate: run one occurrence of a campaign."""

    campaign: str
    occurrence: Instant


class BackfillSegment(msgspec.Struct, frozen=True):
    """An order to evaluate: go on with one scan segment of a back-fill."""

    backfill: str
    segment: int


class AuditPart(msgspec.Struct, frozen=True):
    """An order to evaluate: audit one part of all customers, under the name of an audit."""

    audit: str
    part: int


EvaluateOrder = CampaignRun | BackfillSegment | AuditPart


class LoadOrder(msgspec.Struct, frozen=True):
    """An order to load: go on with the load of one file."""

    load: str


class FileDropped(msgspec.Struct, frozen=True):
    """That a file came: its key, its version (its tag where the bucket keeps none) and its size in bytes."""

    key: str
    version: str
    size: int


class MeasureDay(msgspec.Struct, frozen=True, omit_defaults=True):
    """An order to measure: merge what has come in, then measure each day from `first` to `measure`, in order, or `measure`
    alone. None: the last day that is over, and those before it that were missed."""

    measure: dt.date | None = None
    first: dt.date | None = None


class BusEvents(msgspec.Struct, frozen=True):
    """Raw events that came by the EventBridge bus, in one of its own events, whose id is `bus_id`."""

    bus_id: str
    events: list[Any]


SECONDS_IN_HAND = 4.0
"""With less than this left an invocation begins no other page: enough to do one, and to hand over."""


class Continuation(Protocol):
    """The queue in front of `evaluate`."""

    def again(self, order: EvaluateOrder) -> None:
        """Go on with this in a new invocation."""


class Backfills(Protocol):
    """Back-fills and how far they have come."""

    def find(self, backfill_id: str) -> Backfill | None:
        """What was asked for; None where nothing was."""

    def progress(self, backfill_id: str, segment: int) -> ScanProgress:
        """How far one scan segment has come."""

    def checkpoint(self, backfill_id: str, segment: int, progress: ScanProgress) -> None:
        """Note how far one scan segment has come."""


class Audits(Protocol):
    """Reports of audits."""

    def report(self, audit_id: str, part: int) -> AuditReport | None:
        """The report as far as it is; None where the audit has not begun."""

    def keep(self, report: AuditReport) -> None:
        """Note the report as far as it is."""


class Measures(Protocol):
    """Numbers that alarms watch."""

    def count(self, name: str, number: int) -> None:
        """Say how many there are now."""


class AccountState(Protocol):
    """What holds for the whole account; seconds old."""

    def read(self) -> Account:
        """What is blocked, and when each source was last heard of."""

    def block(self, block: Block) -> None:
        """Send nothing of this scope and these kinds until then; of two with the same reason the longer stays."""

    def lift(self, block: Block) -> bool:
        """Take this block away, unless it was renewed to another end meanwhile; whether it was there."""

    def heard_from(self, source: str, at: Instant) -> None:
        """Note that events of this source were received; what is noted may be a minute older."""

    def note_load(self, source: str, note: LoadNote, rows_within: float | None) -> None:
        """Note that a file of this source was loaded, once however often (functions/domain/watermarks.py)."""


class Allowances(Protocol):
    """Counters of the messages that were reserved: one of each month, and one of each campaign run with a budget.

    A counter is named as in `functions/domain/money.py`; one that nobody has written yet stands at zero.
    """

    def count(self, counter: str) -> Count:
        """What a counter holds, read consistently."""

    def reserve(
        self, counter: str, units: int, used_max: int | None, told_at: Instant | None, now: Instant
    ) -> tuple[bool, Count]:
        """Add units, on condition that `used` then is at most `used_max` (None: whatever it is) and that LINE has said
        nothing since `told_at`, on which `used_max` rests. Whether that was done, and what the counter holds now."""

    def release(self, counter: str, units: int) -> None:
        """Take units off again, on condition that so many are counted. What cannot be taken off stays counted."""

    def begin_asking(self, counter: str, now: Instant, every: dt.timedelta) -> Count | None:
        """Take it on to ask LINE, where nobody has within `every`; what the counter holds. None: somebody else does."""

    def note(self, counter: str, usage: LineUsage, asked: Count, now: Instant) -> None:
        """Keep what LINE said, unless something newer is known. `asked`: what the counter held before LINE was asked."""

    def correct(self, counter: str, seen: Count, used: int) -> bool:
        """Set `used`, on condition that nobody reserved or gave back since `seen`; whether that was done."""


class LineQuota(Protocol):
    """What LINE tells of its monthly quota."""

    def usage(self) -> LineUsage:
        """The limit and the use of this month. Raises MusubiError where LINE does not tell."""


class Reactions(Protocol):
    """How people react to what was sent, counted by scope (`campaign:…`, `scenario:…`, `segment:…`) and by Japan's day."""

    def count_sent(self, scopes: Mapping[str, int], at: Instant) -> None:
        """So many messages of each scope were sent. A hint: it may be lost, and is counted once at most; never raises."""

    def count_block(self, event_id: str, sent: Mapping[str, Instant]) -> bool:
        """Somebody blocked the account after what was sent at these instants. An event counts once; whether it did now.
        Raises Conflict where others count all the time."""

    def counts(self, scopes: Iterable[str], days: Sequence[str]) -> dict[str, Counts]:
        """What is counted of each scope on these days (at most 20), read consistently."""

    def forgive(self, scope: str, days: Sequence[str], at: Instant) -> None:
        """Count from here on as if nothing had been sent or blocked on these days so far."""


class LineReceived(msgspec.Struct, frozen=True, tag="line"):
    """One raw event of a LINE webhook."""

    raw: Any
    received_at: Instant


class EventsReceived(msgspec.Struct, frozen=True, omit_defaults=True, tag="events"):
    """Checked CRM events of one customer. History is folded, and starts no journey."""

    customer_id: str
    events: list[Event]
    history: bool = False


class CustomerDue(msgspec.Struct, frozen=True, omit_defaults=True, tag="due"):
    """A customer whose timer has come up. It is at least `due` by now, whatever the worker's own clock says."""

    customer_id: str
    due: Instant | None = None


class CustomerRefresh(msgspec.Struct, frozen=True, omit_defaults=True, tag="refresh"):
    """A customer to look at under the playbook in force. `starts`: hashes of segments whose members count as having
    entered at `asked_at`."""

    customer_id: str
    asked_at: Instant
    starts: list[str] = []


class LinkAttemptDue(msgspec.Struct, frozen=True, tag="link_attempt"):
    """An attempt to link that is over by `due`: whoever began it is told where nobody has taken it up."""

    attempt_id: str
    due: Instant


InboxMessage = LineReceived | EventsReceived | CustomerDue | CustomerRefresh | LinkAttemptDue


class MissedMinute(msgspec.Struct, frozen=True):
    """A minute's schedule that EventBridge could not deliver."""

    scheduled_at: Instant


Payload = (
    Order | InboxMessage | EvaluateOrder | MissedMinute | LoadOrder | FileDropped | BusEvents | MeasureDay
)
"""What a dead letter may carry."""


class DeadLetters(Protocol):
    """The dead-letter queues, each by the name of what it serves."""

    def queues(self) -> list[str]:
        """Their names."""

    def receive(self, queue: str) -> list[Letter]:
        """At most ten letters with what is noted of their failure, hidden from others for minutes; empty at the end."""

    def read(self, letter: Letter) -> Payload | None:
        """What it carries; None where that cannot be read."""

    def release(self, letters: Sequence[Letter]) -> None:
        """Let others see these again, at once."""

    def put_back(self, letters: Sequence[Letter]) -> dict[str, str]:
        """Put letters of one queue back to where they died; the ids of those taken in, each with its new one."""

    def delete(self, letters: Sequence[Letter]) -> set[str]:
        """Take letters of one queue away for good; the ids of those that are gone."""


class Redrives(Protocol):
    """The audit of replays. What was written stays as it is."""

    def begin(self, redrive: Redrive) -> None:
        """Note what is asked for, before anything is done."""

    def write(self, redrive_id: str, page: int, stage: str, record: Page) -> None:
        """Note one stage (planned, put, deleted) of one page."""

    def finish(self, redrive_id: str, at: Instant, tally: Tally) -> None:
        """Note that nothing is left to do."""

    def trail(self, redrive_id: str) -> Trail | None:
        """What is on record; None where there is no such replay."""

    def begun(self, since: Instant) -> list[Trail]:
        """The replays begun since then, in order."""

    def unfinished(self, since: Instant) -> list[Trail]:
        """Those of them that were not finished."""


class Suppressions(Protocol):
    """The erased people: `customer#C1`, `line#U…`."""

    def find(self, identity: str) -> Suppression | None:
        """That this identity was erased, read consistently; None where it was not, or a new person has begun under it."""

    def lift(self, identity: str, suppression: Suppression, at: Instant) -> None:
        """Let a new person begin under this id."""


class MeasureContinuation(Protocol):
    """The queue in front of `measure`."""

    def again(self, order: MeasureDay) -> None:
        """Go on with this in a new invocation."""


class Lake(Protocol):
    """Objects by key, some of them large: facts, what is derived from them, and rows that wait to be merged."""

    def keys(self, prefix: str) -> list[str]:
        """The keys under a prefix, sorted."""

    def fetch(self, key: str, path: Path) -> bool:
        """Copy an object into a local file, whose directory is made; False, and no file, where there is none."""

    def fetch_tagged(self, key: str, path: Path) -> str | None:
        """As `fetch`; the tag that names this content of the object, or None where there is none."""

    def store(self, key: str, path: Path) -> None:
        """Write an object from a local file, whatever was there: whole or not at all."""

    def store_over(self, key: str, path: Path, tag: str | None) -> bool:
        """Write on condition that the object still has the content of this tag (None: that there is none); whether it was
        written."""

    def remove(self, keys: Collection[str]) -> None:
        """Take objects away; those that are gone already are no fault."""


class Bell(Protocol):
    """Where people hear of what is off."""

    def ring(self, alerts: Sequence[Alert]) -> None:
        """Tell of these alerts, all at once. Retryable where nobody could be told."""


class Unreadable(msgspec.Struct, frozen=True):
    """A write that no fact can be made of: what kind it was, and the name of the error. No id, for it goes to the log."""

    what: str
    why: str


class LiveBus(Protocol):
    """Where what happens is told as it happens."""

    def tell(self, told: Sequence[Told]) -> int:
        """Tell all; how many were refused for good. Raises Retryable where some were not taken in: all are told again."""


class RawFacts(Protocol):
    """Rows of facts that wait to be merged."""

    def drop(self, table: Table, rows: Sequence[Fact]) -> None:
        """Keep rows of one table; the same rows again change nothing."""
