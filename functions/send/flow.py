"""send: the protocol. One read, one pure decision, one conditional write, one push, one record: of a whole batch at once.

Whatever happens at any point, a redelivery either finds the end recorded, or a claim to resume with the same retry
key, or nothing done at all.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeVar

from functions.domain.account import ACCOUNT_SCOPE, scopes_of_source
from functions.domain.aggregation_units import unit_of
from functions.domain.claims import Allow
from functions.domain.instants import Instant
from functions.domain.sends import BatchOrder, Intent, MenuOrder, Order, SendRecord, content_hash
from functions.domain.trace import Facts
from functions.domain.verdicts import Ended, Wait
from functions.ports.account import AccountState, Reactions
from functions.ports.campaigns import Runs
from functions.ports.customers import Customers
from functions.ports.line import AggregationUnits, Line
from functions.ports.playbooks import Playbooks
from functions.ports.queues import SendQueue
from functions.ports.sending import Addresses, Batches, Renderer, Sends, Together
from functions.ports.timers import Timers
from functions.send.allowance import Lease, Lending
from functions.send.claiming import Claimed, Claiming, Wanted
from functions.send.ending import Ending, Failures, Finished, Pushed
from functions.send.menus import ShowMenu
from functions.send.multicast import Multicast
from functions.send.pushing import Answer, answer_of
from functions.send.sealing import Sealing

logger = logging.getLogger(__name__)

Content = list[dict[str, Any]]


class Said(NamedTuple):
    """What a message says, and the unit that LINE counts it under (empty: none)."""

    content: Content
    unit: str


Claim = tuple[Intent, Allow, Facts]
"""What was claimed, and what the decision rested on."""
_Done = TypeVar("_Done")
_Kind = TypeVar("_Kind", Intent, MenuOrder, BatchOrder)


@dataclass(frozen=True, slots=True)
class Deliver:
    """The ports of this flow. `hold_in_queue_seconds_max`: shorter holds wait in the queue, longer ones as a timer."""

    customers: Customers
    sends: Sends
    timers: Timers
    send_queue: SendQueue
    playbooks: Playbooks
    line: Line
    renderer: Renderer
    addresses: Addresses
    account_state: AccountState
    hold_in_queue_seconds_max: int
    now: Callable[[], Instant]
    together: Together
    lending: Lending
    reactions: Reactions
    runs: Runs
    batches: Batches
    units: AggregationUnits
    account: str

    @property
    def claiming(self) -> Claiming:
        """Reading, deciding, claiming."""
        return Claiming(self.customers, self.sends, self.playbooks, self.account_state, self.now)

    @property
    def ending(self) -> Ending:
        """What follows."""
        return Ending(
            self.claiming,
            self.sends,
            self.timers,
            self.send_queue,
            self.account_state,
            self.hold_in_queue_seconds_max,
            self.now,
        )

    @property
    def multicast(self) -> Multicast:
        """Batches of people who are told the same."""
        claiming, ending = self.claiming, self.ending
        sealing = Sealing(
            self.batches,
            self.playbooks,
            self.renderer,
            self.send_queue,
            claiming,
            ending,
            self.lending,
            self._record_all,
            self.now,
        )
        return Multicast(
            self.account,
            self.runs,
            self.batches,
            self.playbooks,
            self.line,
            claiming,
            ending,
            sealing,
            self._unit_of,
            self._record_all,
            self.now,
        )

    def take_all(self, orders: Sequence[Order]) -> list[Exception | None]:
        """A batch of a send queue: each order brought to its end, or put where it comes up again.

        For each position what went wrong, so that it must be delivered again, or None. An order that is there twice is
        carried out once.
        """
        failures: Failures = {}
        # By send id: copies that a crash has made become one again. Of a menu's the one that was tried most.
        menus = {one.send_id: one for one in sorted(_only(MenuOrder, orders), key=lambda one: one.attempt)}
        intents = {one.send_id: one for one in _only(Intent, orders)}
        batches = {one.send_id: one for one in _only(BatchOrder, orders)}
        for menu in menus.values():
            _tried(failures, menu.send_id, partial(self._show, menu))
        failures |= self._deliver(list(intents.values()))
        calls = [partial(self.multicast.deliver, order) for order in batches.values()]
        answers = dict(zip(batches, self.together(calls), strict=True))
        failures |= {one: error for one, error in answers.items() if isinstance(error, Exception)}
        return [failures.get(order.send_id) for order in orders]

    def _show(self, order: MenuOrder) -> None:
        menus = ShowMenu(
            self.claiming.read_all,
            self.playbooks,
            self.line,
            self.account_state,
            self.ending.put_off,
            self.now,
        )
        menus.show(order)

    def _deliver(self, intents: Sequence[Intent]) -> Failures:
        if not intents:
            return {}
        failures: Failures = {}
        records: list[SendRecord | None] = []
        contents = self._contents(intents, records, failures)
        lease = self.lending.lease([intent for intent in intents if intent.send_id in contents], self.now())
        try:
            allowed = self._claim(intents, contents, lease, records, failures)
            self._push(allowed, contents, lease, records, failures)
            failures |= self._record_all([record for record in records if record])
        except Exception:
            lease.settle()
            raise
        lease.settle()
        return failures

    def _push(
        self,
        allowed: Sequence[Claim],
        contents: dict[str, Said],
        lease: Lease,
        records: list[SendRecord | None],
        failures: Failures,
    ) -> None:
        """Push all side by side; then what follows from each answer, one after the other."""
        calls = [
            partial(self._ask, intent, verdict, contents[intent.send_id]) for intent, verdict, _ in allowed
        ]
        for (intent, verdict, facts), answer in zip(allowed, self.together(calls), strict=True):
            if isinstance(answer, Exception):
                failures[intent.send_id] = answer
                continue
            finish = partial(self.ending.finish, Pushed(intent, verdict, facts, answer))
            finished = _tried(failures, intent.send_id, finish) or Finished()
            records.append(finished.record)
            if finished.freed:
                lease.give_back(intent)

    def _record_all(self, records: Sequence[SendRecord]) -> Failures:
        failures = self.ending.record_all(records)
        current = self.playbooks.in_force().playbook
        sent = Counter(
            scope
            for record in records
            if record.status == "sent"
            for scope in scopes_of_source(record.scenario, record.campaign, current)
            if scope != ACCOUNT_SCOPE
        )
        self.reactions.count_sent(sent, self.now())
        return failures

    def _contents(
        self, intents: Sequence[Intent], records: list[SendRecord | None], failures: Failures
    ) -> dict[str, Said]:
        """What each says, by send id. What cannot be rendered has failed."""
        contents: dict[str, Said] = {}
        for intent in intents:
            rendered = _tried(failures, intent.send_id, partial(self._rendered, intent))
            if isinstance(rendered, Said):
                contents[intent.send_id] = rendered
            else:
                records.append(rendered)
        return contents

    def _rendered(self, intent: Intent) -> Said | SendRecord:
        playbook = self.playbooks.version(intent.playbook).playbook
        message = playbook.messages[intent.message]
        try:
            own = self.addresses.of(intent, message.addresses) if message.addresses else {}
            content = self.renderer.render(message.content, {**intent.values, **own})
            if message.tracked:
                content = self.addresses.tracked(intent, playbook.links, content)
        except ValueError as error:
            # Neither the error's text nor its trace is logged: both may quote the customer's values.
            logger.error("message %s cannot be rendered (%s)", intent.message, type(error).__name__)  # noqa: TRY400
            return self.ending.close(intent, "", lambda _gate: Ended("failed", "render_error"), {})
        return Said(content, self._unit_of(intent))

    def _unit_of(self, intent: Intent) -> str:
        """What LINE counts a message under, taken before anything is claimed; the same in every attempt."""
        links = self.playbooks.version(intent.playbook).playbook.links
        return self.units.take(unit_of(intent), self.now()) if links.insight else ""

    def _claim(
        self,
        intents: Sequence[Intent],
        contents: dict[str, Said],
        lease: Lease,
        records: list[SendRecord | None],
        failures: Failures,
    ) -> list[Claim]:
        """Those that may be pushed, with their claims in the gates. The others end, or wait."""
        known = {intent.send_id: intent for intent in intents if intent.send_id in contents}
        wanted = [
            Wanted(intent, content_hash(contents[send_id].content)) for send_id, intent in known.items()
        ]
        allowed = []
        for send_id, result in self.claiming.claim_all(wanted, lease).items():
            intent = known[send_id]
            match result:
                case Exception():
                    failures[send_id] = result
                case Claimed(verdict=Allow() as verdict, facts=facts):
                    allowed.append((intent, verdict, facts))
                case Claimed(verdict=Wait(until=until, reason=reason)):
                    _tried(failures, send_id, partial(self.ending.hold, intent, until, reason))
                case Claimed(verdict=Ended() as ended, facts=facts):
                    records.append(self.ending.record(intent, ended, facts))
                case Claimed():
                    _tried(failures, send_id, partial(self._wait_for_another, intent))
        return allowed

    def _wait_for_another(self, intent: Intent) -> None:
        """A batch has claimed it. Until it has ended there, or was let go, somebody must remember it."""
        if not self.claiming.is_recorded(intent):
            self.ending.wait_for_another(intent)

    def _ask(self, intent: Intent, allowed: Allow, said: Said) -> Answer:
        """Push with the intent's own key."""
        call = partial(self.line.push, allowed.claim.to, said.content, intent.send_id, said.unit)
        return answer_of(call, unanswered=allowed.resumed)


def _only(kind: type[_Kind], orders: Sequence[Order]) -> list[_Kind]:
    return [order for order in orders if isinstance(order, kind)]


def _tried(failures: Failures, send_id: str, call: Callable[[], _Done]) -> _Done | None:
    """What the call answers. What it raises is this order's failure: it comes again, and the others go on."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 — whatever it is, only this order is concerned
        failures[send_id] = error
        return None
