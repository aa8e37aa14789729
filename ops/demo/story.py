"""What happens in the demo besides the purchases: who follows, links, blocks, comes back, complains. Seeded.

The purchases are the data set's; everything else is made up here, and says so in the report.
"""

import datetime as dt
import hashlib
import random
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from functions.domain.events import Event

SEED = 20170703
REGULARS = 300
FRIENDS_WITHOUT_PURCHASE = 40
LINKED_REGULARS = 0.7
CONSENTING = 0.85
NEWCOMERS_FOLLOWING = 0.8
NEWCOMERS_LINKING = 0.85
BLOCKING = 0.06
COMING_BACK = 0.5
INQUIRING = 0.08
WITHDRAWING = 0.03
LEAVING_A_CART = 0.12
RETURNING = 0.03
RETURNS = 3
ANSWERING = 0.6
CANCELLING = 0.06
USING_A_COUPON = 0.1
TAPPING = 0.3
TAPS = 2
SILENT_DAYS = 180
"""Since the last purchase: then the win-back begins, and asks why."""
REASONS = ("forgot", "busy", "price")


class Happening(msgspec.Struct, frozen=True):
    """One thing on the demo's time line: something a friend does in LINE, or an event the CRM tells."""

    at: dt.datetime
    kind: Literal["follow", "block", "unblock", "message", "tap", "crm"]
    line_user_id: str = ""
    event: Event | None = None


class Story(msgspec.Struct, frozen=True):
    """The whole demo: `history` is imported, `live` happens. `friends` are friends of the account from before."""

    start: dt.datetime
    end: dt.datetime
    history: list[Event]
    live: list[Happening]
    friends: list[str]
    customers: int


def line_user_of(customer_id: str) -> str:
    """A well-formed LINE user id for a customer."""
    return "U" + hashlib.sha256(customer_id.encode()).hexdigest()[:32]


def tell(purchases: Iterable[Event], start: dt.datetime, days: int) -> Story:
    """The story of some regulars and of every household that buys for the first time while the demo runs."""
    dice = random.Random(SEED)  # noqa: S311
    end = start + dt.timedelta(days=days)
    by_customer: dict[str, list[Event]] = {}
    for purchase in purchases:
        if purchase.occurred_at < end:
            by_customer.setdefault(purchase.customer_id, []).append(purchase)
    old = sorted(customer for customer, mine in by_customer.items() if mine[0].occurred_at < start)
    regulars = dice.sample(old, min(REGULARS, len(old)))
    newcomers = sorted(customer for customer, mine in by_customer.items() if mine[0].occurred_at >= start)
    bought = [purchase for customer in (*regulars, *newcomers) for purchase in by_customer[customer]]
    linked = [customer for customer in regulars if dice.random() < LINKED_REGULARS]
    history = [purchase for purchase in bought if purchase.occurred_at < start]
    history += [_linked(customer, start - dt.timedelta(hours=1), "crm_import", dice) for customer in linked]
    live = [Happening(p.occurred_at, "crm", event=p) for p in bought if p.occurred_at >= start]
    for customer in newcomers:
        live += _newcomer(customer, by_customer[customer][0].occurred_at, end, dice)
    for customer in linked:
        live += _regular(customer, start, end, dice)
        live += _shopper(customer, by_customer[customer], start, end, dice)
    live += _friends(start, end, dice)
    live += _amended([p for p in bought if p.occurred_at >= start], end)
    live += _tapping(linked + newcomers, start, end)
    live = sorted((item for item in live if item.at < end), key=lambda item: (item.at, item.kind))
    friends = [line_user_of(customer) for customer in linked]
    return Story(
        start, end, history, live, friends, len(regulars) + len(newcomers) + FRIENDS_WITHOUT_PURCHASE
    )


def _crm(customer: str, name: str, at: dt.datetime, **properties: Any) -> Event:
    event_id = f"{name}-{customer}-{at:%Y%m%d%H%M%S}"
    return Event(event_id, customer, name, at, source="crm", properties=properties)


def _linked(customer: str, at: dt.datetime, method: str, dice: random.Random) -> Event:
    consent = ["marketing"] if dice.random() < CONSENTING else []
    return _crm(
        customer, "line_linked", at, line_user_id=line_user_of(customer), method=method, consent=consent
    )


def _newcomer(
    customer: str, first: dt.datetime, end: dt.datetime, dice: random.Random
) -> Iterator[Happening]:
    """Somebody who buys for the first time: most add the account around then, most of those link soon after."""
    if dice.random() >= NEWCOMERS_FOLLOWING:
        return
    followed = first + dt.timedelta(hours=dice.uniform(-30, 20))
    user = line_user_of(customer)
    yield Happening(followed, "follow", user)
    if dice.random() < NEWCOMERS_LINKING:
        at = max(followed, first) + dt.timedelta(minutes=dice.uniform(5, 900))
        yield Happening(at, "crm", event=_linked(customer, at, "account_link", dice))
    yield from _leaving(user, followed, end, dice)


def _regular(customer: str, start: dt.datetime, end: dt.datetime, dice: random.Random) -> Iterator[Happening]:
    """A customer of old: now and then one asks, wants money back, withdraws consent or blocks."""
    if dice.random() < INQUIRING:
        opened = _between(start, end, dice)
        name = dice.choice([("inquiry_opened", "inquiry_closed"), ("refund_started", "refund_finished")])
        closed = opened + dt.timedelta(days=dice.uniform(1, 9))
        yield Happening(opened, "crm", event=_crm(customer, name[0], opened, case_id="c1"))
        yield Happening(closed, "crm", event=_crm(customer, name[1], closed, case_id="c1"))
    if dice.random() < WITHDRAWING:
        at = _between(start, end, dice)
        yield Happening(
            at, "crm", event=_crm(customer, "consent_withdrawn", at, purpose="marketing", version="1")
        )
    yield from _leaving(line_user_of(customer), start, end, dice)


def _shopper(
    customer: str, bought: list[Event], start: dt.datetime, end: dt.datetime, dice: random.Random
) -> Iterator[Happening]:
    """Some leave a cart, a few send back what they bought, and who was silent for long may say why."""
    if dice.random() < LEAVING_A_CART:
        at = _between(start, end, dice)
        yield Happening(at, "crm", event=_crm(customer, "cart_left", at, cart_id=f"cart-{customer}"))
    if dice.random() < RETURNING:
        for order in bought[-RETURNS:]:
            at = _between(max(start, order.occurred_at), end, dice)
            told = {name: order.properties[name] for name in ("order_id", "amount")}
            yield Happening(at, "crm", event=_crm(customer, "item_returned", at, **told))
    yield from _answer(customer, [event.occurred_at for event in bought], start, end, dice)


def _amended(bought: Iterable[Event], end: dt.datetime) -> Iterator[Happening]:
    """Some orders are cancelled, and with some a coupon is used. Diced apart, as the taps are, so that everything else
    stays what it was."""
    dice = random.Random(SEED + 1)  # noqa: S311
    for order in bought:
        customer, at = order.customer_id, order.occurred_at
        if dice.random() < CANCELLING:
            later = _between(at, min(end, at + dt.timedelta(days=5)), dice)
            told = {"order_id": order.properties["order_id"]}
            yield Happening(later, "crm", event=_crm(customer, "order_cancelled", later, **told))
        if dice.random() < USING_A_COUPON:
            used = at + dt.timedelta(minutes=dice.uniform(-5, 5))
            told = {"coupon_id": f"coupon-{order.properties['order_id']}", "amount": dice.randrange(50, 300)}
            yield Happening(used, "crm", event=_crm(customer, "coupon_used", used, **told))


def _tapping(linked: Iterable[str], start: dt.datetime, end: dt.datetime) -> Iterator[Happening]:
    """Now and then somebody taps the link of what came last."""
    dice = random.Random(SEED + 2)  # noqa: S311
    for customer in linked:
        if dice.random() < TAPPING:
            for _ in range(TAPS):
                yield Happening(_between(start, end, dice), "tap", line_user_of(customer))


def _answer(
    customer: str, bought: list[dt.datetime], start: dt.datetime, end: dt.datetime, dice: random.Random
) -> Iterator[Happening]:
    asked = max(moment for moment in bought if moment < start) + dt.timedelta(days=SILENT_DAYS + 1)
    silent = start < asked < end and not any(start <= moment < asked for moment in bought)
    if silent and dice.random() < ANSWERING:
        at = asked + dt.timedelta(hours=dice.uniform(13, 60))
        told = {"survey": "comeback", "reason": dice.choice(REASONS)}
        yield Happening(at, "crm", event=_crm(customer, "survey_answered", at, **told))


def _leaving(user: str, since: dt.datetime, end: dt.datetime, dice: random.Random) -> Iterator[Happening]:
    if dice.random() >= BLOCKING:
        return
    left = _between(since, end, dice)
    yield Happening(left, "block", user)
    if dice.random() < COMING_BACK:
        yield Happening(left + dt.timedelta(days=dice.uniform(1, 8)), "unblock", user)


def _friends(start: dt.datetime, end: dt.datetime, dice: random.Random) -> Iterator[Happening]:
    """Friends who never buy, and sometimes write."""
    for number in range(FRIENDS_WITHOUT_PURCHASE):
        user = line_user_of(f"friend-{number}")
        followed = _between(start, end - dt.timedelta(days=3), dice)
        yield Happening(followed, "follow", user)
        yield Happening(followed + dt.timedelta(hours=dice.uniform(1, 50)), "message", user)
        yield from _leaving(user, followed, end, dice)


def _between(start: dt.datetime, end: dt.datetime, dice: random.Random) -> dt.datetime:
    return start + (end - start) * dice.random()
