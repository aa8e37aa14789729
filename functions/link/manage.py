"""What one is tied to, and the end of it: always possible, by a form that works once."""

import datetime as dt
from dataclasses import dataclass

from functions.domain.linking_attempts import masked, unlink_event
from functions.link.answers import Answer, Request
from functions.link.completing import Completing
from functions.link.dialog import FRIEND_MAX
from functions.link.shop import Randomness
from functions.ports.messages import EventsReceived
from functions.ports.tokens import SingleUse

FORM_MAX = dt.timedelta(minutes=15)
JAPAN = dt.timezone(dt.timedelta(hours=9))


@dataclass(frozen=True, slots=True)
class Manage:
    """The ports of this part."""

    common: Completing
    once: SingleUse
    random: Randomness

    def show(self, request: Request) -> Answer:
        """GET /link/manage?f=friend: the tie, masked, and the button that ends it."""
        user = self.common.tokens.read("friend", request.query.get("f", ""), FRIEND_MAX)["u"]
        customer_id, linked_at = self._tied_to(user)
        if not customer_id:
            return self.common.page(200, "manage", request.lang, customer="", form="", since="")
        form = self.common.tokens.sign("unlink", {"u": user, "c": customer_id, "n": self.random.token(16)})
        return self.common.page(
            200, "manage", request.lang, customer=masked(customer_id), form=form, since=linked_at
        )

    def unlink(self, request: Request) -> Answer:
        """POST /link/unlink: the form says who and from whom; it ends that tie, and no later one."""
        form = self.common.tokens.read("unlink", request.field("t"), FORM_MAX)
        now = self.common.now()
        if not self.once.use("unlink", form["n"], now + FORM_MAX):
            return self.common.trouble(409, "used", request.lang)
        customer_id, _ = self._tied_to(form["u"])
        if customer_id == form["c"]:
            event = unlink_event(customer_id, form["u"], form["n"], now)
            self.common.inbox.put([EventsReceived(customer_id, [event])])
        return self.common.page(200, "unlinked", request.lang)

    def _tied_to(self, user: str) -> tuple[str, str]:
        """The customer and since which day in Japan; empty where there is none."""
        link = self.common.identities.link_of(user)
        if link is None or not link.tied:
            return "", ""
        return link.customer_id, f"{link.linked_at.astimezone(JAPAN):%Y-%m-%d}"
