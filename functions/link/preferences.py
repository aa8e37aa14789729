"""What somebody chooses for themselves: the page behind the link in a message, and its form, which works once."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from functions.domain.customers import Customer
from functions.domain.line_events import anonymous_id
from functions.domain.playbook import Preferences
from functions.domain.preferences import Choice, choice_of, events_of
from functions.domain.profiles import Profile
from functions.domain.quiet_hours import ChosenHours
from functions.link.answers import Answer, Request
from functions.link.completing import Completing
from functions.link.shop import Randomness
from functions.ports.customers import Customers
from functions.ports.identities import Identities
from functions.ports.messages import EventsReceived
from functions.ports.tokens import SingleUse

LINK_MAX = dt.timedelta(days=400)
"""A link in an old message still lets its reader stop what comes."""
FORM_MAX = dt.timedelta(hours=1)
HOURS = tuple(f"{hour:02}:00" for hour in range(24))
HOPS_MAX = 4


@dataclass(frozen=True, slots=True)
class PreferencesPage:
    """The ports of this part. Customers are only read."""

    common: Completing
    identities: Identities
    customers: Customers
    once: SingleUse
    random: Randomness

    def show(self, request: Request) -> Answer:
        """GET /link/preferences?p=token: what is chosen so far, as a form."""
        user = self.common.tokens.read("preferences", request.query.get("p", ""), LINK_MAX)["u"]
        offered = self._offered()
        choice = choice_of(self._customer(user).profile, offered.topics)
        return self._page(request, user, offered, choice, saved=False)

    def choose(self, request: Request) -> Answer:
        """POST /link/preferences: what changed becomes events of whoever the LINE user is now."""
        form = self.common.tokens.read("choice", request.field("t"), FORM_MAX)
        now, user, offered = self.common.now(), form["u"], self._offered()
        if not self.once.use("choice", form["n"], now + FORM_MAX):
            return self.common.trouble(409, "used", request.lang)
        customer = self._customer(user)
        before = choice_of(customer.profile, offered.topics)
        choice = _chosen(request, offered, before)
        link = self.identities.link_of(user)
        named = link.said_of if link is not None and link.tied else customer.customer_id
        events = events_of(choice, before, named, user, form["n"], now)
        if events:
            self.common.inbox.put([EventsReceived(named, events)])
        return self._page(request, user, offered, choice, saved=True)

    def _offered(self) -> Preferences:
        return self.common.playbooks.in_force().playbook.preferences

    def _customer(self, user: str) -> Customer:
        """Whoever the LINE user is now; somebody of whom nothing is known where nobody was ever heard of."""
        link = self.identities.link_of(user)
        customer_id = link.owner if link else anonymous_id(user)
        for _ in range(HOPS_MAX):
            customer = self.customers.load(customer_id)
            if customer is None or not customer.merged_into:
                break
            customer_id = customer.merged_into
        return customer or Customer(customer_id, profile=Profile())

    def _page(
        self, request: Request, user: str, offered: Preferences, choice: Choice, *, saved: bool
    ) -> Answer:
        form = self.common.tokens.sign("choice", {"u": user, "n": self.random.token(16)})
        return self.common.page(
            200, "preferences", request.lang, form=form, saved=saved, **_shown(offered, choice)
        )


def _shown(offered: Preferences, choice: Choice) -> dict[str, Any]:
    hours = choice.hours
    return {
        "topics": [(name, label, choice.topics[name]) for name, label in offered.topics.items()],
        "everything": choice.everything,
        "offers_hours": offered.hours,
        "hours": HOURS,
        "start": f"{hours.start:%H:%M}" if hours else "",
        "end": f"{hours.end:%H:%M}" if hours else "",
    }


def _chosen(request: Request, offered: Preferences, before: Choice) -> Choice:
    """What the form says, of what is offered; anything else in it is not looked at."""
    ticked = _known(request.form.get("topic", ()), offered.topics)
    return Choice(
        topics={name: name in ticked for name in offered.topics},
        everything=request.field("everything") == "on",
        hours=_hours(request) if offered.hours else before.hours,
    )


def _known(values: Iterable[str], names: Iterable[str]) -> set[str]:
    return {*values} & {*names}


def _hours(request: Request) -> ChosenHours | None:
    """A window of whole hours; none where one of its ends is no hour, or both are one."""
    start, end = request.field("start"), request.field("end")
    if start not in HOURS or end not in HOURS or start == end:
        return None
    return ChosenHours(dt.time.fromisoformat(start), dt.time.fromisoformat(end))
