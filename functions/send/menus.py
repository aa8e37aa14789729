"""The part of send that shows people their rich menus. To do it twice does no harm, so it is done until it is answered."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from functions.domain.instants import Instant, next_multiple
from functions.domain.menus import is_wanted
from functions.domain.sends import MenuOrder
from functions.ports.account import AccountState
from functions.ports.customers import Both
from functions.ports.errors import AccountRefused, RateLimited, Rejected, Unknown
from functions.ports.line import Line
from functions.ports.playbooks import Playbooks

logger = logging.getLogger(__name__)

ATTEMPTS_MAX = 210
"""A little more than eight days of them: as long as a message may wait."""
DELAY_SECONDS_MIN = 2
DELAY_SECONDS_MAX = 3600


@dataclass(frozen=True, slots=True)
class ShowMenu:
    """The ports of this part. `read` gives gate and customer of each id, of whoever the customer was merged into;
    `put_off(order, until, now)` lets an order come up again."""

    read: Callable[[Sequence[str]], dict[str, Both]]
    playbooks: Playbooks
    line: Line
    account_state: AccountState
    put_off: Callable[[MenuOrder, Instant, Instant], None]
    now: Callable[[], Instant]

    def show(self, order: MenuOrder) -> None:
        """Carry out one order, put it where it will come up again, or drop it where it is void or refused."""
        gate, customer = self.read([order.customer_id])[order.customer_id]
        if gate is None or customer is None or not is_wanted(order, customer, gate):
            return
        if self.account_state.read().is_stopped(self.now()):  # a quota is of messages, and menus are none
            self._later(order, "stopped", counts=False)
            return
        try:
            self._call(order)
        except (Unknown, RateLimited, AccountRefused) as obstacle:
            self._later(order, str(obstacle))
        except Rejected as refusal:
            logger.error("LINE refuses the rich menu %r (%s)", order.menu, refusal)  # noqa: TRY400

    def _call(self, order: MenuOrder) -> None:
        """The menus of the playbook in force count: what it no longer has is not there to be shown."""
        if not order.menu:
            self.line.unlink_menu(order.line_user_id)
            return
        rich_menu_id = self.playbooks.in_force().playbook.rich_menus.get(order.menu)
        if rich_menu_id is None:
            raise Rejected("the playbook in force has no such menu")
        self.line.link_menu(order.line_user_id, rich_menu_id)

    def _later(self, order: MenuOrder, reason: str, *, counts: bool = True) -> None:
        """Let it come up again. `counts`: it was tried; what waits for a stop to be lifted is not given up."""
        if order.attempt >= ATTEMPTS_MAX and counts:
            logger.error("the rich menu %r is given up (%s)", order.menu, reason)
            return
        attempt = order.attempt + 1 if counts else min(order.attempt + 1, ATTEMPTS_MAX - 1)
        again = msgspec.structs.replace(order, attempt=attempt)
        delay = min(DELAY_SECONDS_MAX, DELAY_SECONDS_MIN ** min(order.attempt, 12))
        now = self.now()
        # However many copies a crash or the queue has made of it, they come up together, and become one again.
        self.put_off(again, next_multiple(now, dt.timedelta(seconds=delay)), now)
