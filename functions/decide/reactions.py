"""The part of decide that watches how people react: whoever leaves after a message may open the breaker of its source.

To do it twice does no harm: an event counts once, and the rate is looked at each time, so that a crash between counting
and opening loses nothing.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from functions.domain.breaker import day_of, days_until, opened, sent_before, still_counting
from functions.domain.events import Event
from functions.domain.gate import Gate
from functions.domain.instants import Instant
from functions.domain.playbook import Breaker
from functions.ports.account import AccountState, Measures, Reactions
from functions.ports.customers import Customers
from functions.ports.playbooks import Playbooks

BREAKER_OPENED = "BreakerOpened"


@dataclass(frozen=True, slots=True)
class WatchReactions:
    """The ports of this part."""

    customers: Customers
    playbooks: Playbooks
    reactions: Reactions
    account_state: AccountState
    measures: Measures
    now: Callable[[], Instant]

    def watch(self, customer_id: str, events: Sequence[Event]) -> None:
        """Events whose facts are in the customer's gate already."""
        left = [event for event in events if event.name == "line_unfollow"]
        rule = self.playbooks.in_force().playbook.breaker if left else None
        gate = self.customers.load_gate(customer_id) if rule else None
        if rule is None or gate is None:
            return
        for event in left:
            user = str(event.properties.get("line_user_id", ""))
            if _made_them_leave(gate, user, event):
                playbook = self.playbooks.in_force().playbook
                self._left(event.event_id, sent_before(gate, user, event.occurred_at, rule, playbook), rule)

    def _left(self, event_id: str, sent: Mapping[str, Instant], rule: Breaker) -> None:
        if not sent:
            return
        now, days = self.now(), sorted({day_of(at) for at in sent.values()})
        counting = still_counting(sent, self.reactions.counts(sent, days))
        if not counting:
            return
        self.reactions.count_block(event_id, counting)
        self._open(counting, rule, now)

    def _open(self, scopes: Mapping[str, Instant], rule: Breaker, now: Instant) -> None:
        days = days_until(now, dt.timedelta(seconds=rule.window_seconds))
        found = self.reactions.counts(scopes, days)
        known = self.account_state.read().blocks
        open_already = {block.scope for block in known if block.reason == "breaker_open"}
        for scope, counts in found.items():
            block = opened(scope, counts, rule, now)
            if block is not None and scope not in open_already:
                self.measures.count(BREAKER_OPENED, 1)  # first: told twice is better than never
                self.account_state.block(block)


def _made_them_leave(gate: Gate, user: str, event: Event) -> bool:
    """Whether this very event is why the gate knows the user as gone."""
    friend = gate.friends.get(user)
    return friend is not None and not friend.value and friend.event_id == event.event_id
