"""Random lives of a few customers: what they do, what the CRM and LINE tell of it, twice, late and out of order."""

import datetime as dt
from collections.abc import Callable
from random import Random
from typing import Any

from functions.domain.context import Fact
from functions.domain.events import Event, check_event
from functions.domain.link_decisions import parting_of, undo_of
from functions.domain.preferences import RECEIVE_FROM, RECEIVE_TO
from functions.ports.messages import EventsReceived
from tests.simulation.operators import Operators
from tests.simulation.rules import AREA, SOURCE, WEATHER, WORDS
from tests.simulation.world import SimulatedWorld

CUSTOMERS = ("c1", "c2", "c3")
USERS = ("U1", "U2", "U3")
DEEDS_MAX = 30
ZONES = ("Asia/Tokyo", "America/New_York", "Europe/London")
PURPOSES = ("marketing", "marketing", "notification", "all", "line", "service", "coupons", "promotion")


class Lives:
    """The customers of one world. What was told once may be told again."""

    def __init__(self, world: SimulatedWorld) -> None:
        self.world = world
        self.random: Random = world.random
        self.operators = Operators(world)
        self._told: list[dict[str, Any]] = []
        self._cases: list[tuple[str, str]] = []
        self._deeds: list[Callable[[str, str], None]] = [
            *[self._purchase] * 8,
            *[self._leave_cart] * 3,
            self._withdraw,
            self._give_consent,
            self._complain,
            self._settle_complaint,
            self._link,
            self._unlink,
            self._block,
            self._unblock,
            self._import,
            self._cancel,
            self._cancel,
            self._visit,
            self._move,
            self._turn_the_weather,
            self._undo,
            self._undo,
            self._merge,
            self._part,
            self._write,
            self._write,
            self._choose_hours,
            *[self._leave] * (3 if world.book.breaker else 0),
        ]

    def begin(self) -> None:
        """Everybody is a friend at LINE; most are linked."""
        self.world.befriend(*USERS)
        for customer_id, user in zip(CUSTOMERS, USERS, strict=True):
            if self.random.random() < 0.9:
                self._tell(self._linked(customer_id, user))
            if self.random.random() < 0.4:
                self._hook("follow", user)

    def deed(self) -> None:
        """One thing that one of them does, and perhaps the operators, too."""
        self.operators.come_by()
        if self._told and self.world.faults.strikes("event_repeated"):
            self._send([self.random.choice(self._told)])
            return
        number = self.random.randrange(len(CUSTOMERS))
        user = USERS[number] if self.random.random() < 0.9 else self.random.choice(USERS)
        self.random.choice(self._deeds)(CUSTOMERS[number], user)

    def _when(self) -> dt.datetime:
        """Mostly now; the CRM may be days late, and its instants need not be unique."""
        world = self.world
        if world.faults.strikes("event_late"):
            return world.now - dt.timedelta(minutes=self.random.randint(0, 3000))
        return world.now.replace(microsecond=0)

    def _tell(self, *events: dict[str, Any]) -> None:
        self._told += events
        self._send(list(events))

    def _send(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            self.world.tell(f"EVENT {event['name']} of {event['customer_id']}: {event}")
        self.random.shuffle(events)
        answer = self.world.ingest(*events)
        self.world.faults.draws["event_refused"] += len(answer.body["rejected"])

    def _hook(self, kind: str, user: str, **more: Any) -> None:
        event = self.world.line_event(kind, user, **more)
        self.world.tell(f"WEBHOOK {kind} of {user}")
        for _ in range(2 if self.world.faults.strikes("event_repeated") else 1):
            self.world.webhook(event)

    def _purchase(self, customer_id: str, _user: str) -> None:
        status = "provisional" if self.random.random() < 0.1 else "confirmed"
        events = [self._of_the_shop(self.world.purchase(customer_id, at=self._when(), status=status))]
        if status == "provisional" and self.random.random() < 0.7:
            events.append({**events[0], "status": "confirmed"})
        self._tell(*events)

    def _leave_cart(self, customer_id: str, _user: str) -> None:
        self._tell(self._of_the_shop(self.world.event("cart_left", customer_id, at=self._when())))

    def _of_the_shop(self, event: dict[str, Any]) -> dict[str, Any]:
        """Most of what the shop tells it tells under its name."""
        return {**event, "source": SOURCE} if self.random.random() < 0.8 else event

    def _cancel(self, customer_id: str, _user: str) -> None:
        """An order is taken back, which may be one that was never heard of."""
        orders = [
            one["properties"]["order_id"]
            for one in self._told
            if one["name"] == "purchase" and one["customer_id"] == customer_id
        ]
        order = self.random.choice(orders) if orders else "order-unheard"
        self.world.faults.draws["correction"] += 1
        self._tell(self.world.event("order_cancelled", customer_id, at=self._when(), order_id=order))

    def _visit(self, customer_id: str, _user: str) -> None:
        """Of which not every dictionary knows."""
        self._tell(self.world.event("visited", customer_id, at=self._when()))

    def _move(self, customer_id: str, _user: str) -> None:
        zone = self.random.choice(ZONES)
        self.world.faults.draws["zone_changed"] += 1
        self._tell(self.world.event("profile_updated", customer_id, at=self._when(), zone=zone))

    def _turn_the_weather(self, _customer_id: str, _user: str) -> None:
        now = self.world.now
        until = self.random.choice((None, now + dt.timedelta(hours=self.random.randint(1, 30))))
        fact = Fact(self.random.choice(("rain", "sun")), now, until)
        self.world.tell(f"CONTEXT {WEATHER} of {AREA}: {fact.value} until {until}")
        self.world.faults.draws["context_changed"] += 1
        self.world.playbooks.put_context({WEATHER: {AREA: fact}})

    def _purpose(self) -> str:
        return self.random.choice(PURPOSES)

    def _withdraw(self, customer_id: str, _user: str) -> None:
        self._tell(
            self.world.event("consent_withdrawn", customer_id, at=self._when(), purpose=self._purpose())
        )

    def _give_consent(self, customer_id: str, _user: str) -> None:
        self._tell(self.world.event("consent_given", customer_id, at=self._when(), purpose=self._purpose()))

    def _complain(self, customer_id: str, _user: str) -> None:
        case = f"case-{len(self._cases)}"
        self._cases.append((customer_id, case))
        self._tell(self.world.event("complaint_opened", customer_id, at=self._when(), case_id=case))

    def _settle_complaint(self, _customer_id: str, _user: str) -> None:
        if self._cases:
            customer_id, case = self.random.choice(self._cases)
            self._tell(self.world.event("complaint_closed", customer_id, at=self._when(), case_id=case))

    def _link(self, customer_id: str, user: str) -> None:
        self._tell(self._linked(customer_id, user, at=self._when()))

    def _linked(self, customer_id: str, user: str, *, at: dt.datetime | None = None) -> dict[str, Any]:
        event = self.world.linked(customer_id, user, at=at)
        if self.random.random() < 0.5:
            event["properties"]["consent"] = ["marketing", "service"]
        return event

    def _unlink(self, customer_id: str, user: str) -> None:
        self._tell(self.world.event("line_unlinked", customer_id, at=self._when(), line_user_id=user))

    def _undo(self, _customer_id: str, user: str) -> None:
        """Somebody finds out that the two never were one, and says so, perhaps of a link that is another by now."""
        world = self.world
        link = world.identities.link_of(user)
        if link is None or not link.tied:
            return
        event = undo_of(link, "ann", "it was her mother", world.now)
        world.faults.draws["link_undone"] += 1
        world.witness.parted |= {link.customer_id, user}
        world.tell(f"UNDO of {user} and {event.customer_id}")
        world.import_history(EventsReceived(event.customer_id, [event]))

    def _merge(self, _customer_id: str, _user: str) -> None:
        """The CRM finds that its last customer is one of the others."""
        if any(event["name"] == "customers_merged" for event in self._told):
            return
        self.world.faults.draws["customers_merged"] += 1
        into = self.random.choice(CUSTOMERS[:-1])
        self._tell(self.world.event("customers_merged", CUSTOMERS[-1], at=self._when(), into=into))

    def _part(self, _customer_id: str, _user: str) -> None:
        """The CRM's last customer turns out to be somebody else after all."""
        world = self.world
        entry = world.identities.merge_of(CUSTOMERS[-1])
        if entry is None or entry.undone_by:
            return
        event = parting_of(entry, "ann", "two sisters", world.now)
        world.faults.draws["customers_parted"] += 1
        world.witness.parted |= {entry.customer_id, entry.into, *USERS}
        world.tell(f"PARTING of {entry.customer_id} and {entry.into}")
        world.import_history(EventsReceived(entry.customer_id, [event]))

    def _write(self, _customer_id: str, user: str) -> None:
        """A word in the chat that stops promotions, or lets them come again."""
        self.world.faults.draws["said_in_chat"] += 1
        word = self.random.choice((*WORDS.stop_words, *WORDS.stop_words, *WORDS.resume_words))
        self._hook("message", user, message={"type": "text", "id": "1", "text": word})

    def _choose_hours(self, customer_id: str, _user: str) -> None:
        """A window of the day in which promotions are welcome, or none."""
        self.world.faults.draws["hours_chosen"] += 1
        start, end = self.random.choice(
            (("09:00", "12:00"), ("18:00", "22:00"), ("22:00", "02:00"), (None, None))
        )
        hours: dict[str, Any] = {RECEIVE_FROM: start, RECEIVE_TO: end}
        self._tell(self.world.event("profile_updated", customer_id, at=self._when(), **hours))

    def _import(self, customer_id: str, _user: str) -> None:
        """Old purchases come as history, one of them young and one perhaps known already."""
        world = self.world
        raw = [world.purchase(customer_id, at=world.now - dt.timedelta(days=day)) for day in (9, 1)]
        raw += [one for one in self._told if one["customer_id"] == customer_id and one["name"] == "purchase"][
            -1:
        ]
        events = [check_event(one, world.book.events, world.now) for one in raw]
        world.faults.draws["history_imported"] += 1
        world.tell(f"HISTORY of {customer_id}: {raw}")
        known = [one for one in events if isinstance(one, Event)]
        world.import_history(EventsReceived(customer_id, known, history=True))

    def _block(self, _customer_id: str, user: str) -> None:
        self.world.line.block(user)
        self._hook("unfollow", user)

    def _leave(self, customer_id: str, user: str) -> None:
        """Whoever was sent something last has had enough of it."""
        last = self.world.witness.accepted[-1:]
        self._block(customer_id, last[0].user if last else user)

    def _unblock(self, _customer_id: str, user: str) -> None:
        self.world.line.friends.add(user)
        self._hook("follow", user)
