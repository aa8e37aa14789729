"""What is worse never delays what is better, whatever the caps, and yields no longer than it must."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.arbitration import Upcoming, yields_until
from functions.domain.caps import counts
from functions.domain.claims import Allow, decide
from functions.domain.gate import Contact, Gate
from functions.domain.instants import Instant
from functions.domain.playbook import Cap
from functions.domain.sends import Intent
from functions.domain.verdicts import Ended, Wait
from tests.domain.strategies import DAY, HOUR, NOON, intent, linked_gate, minutes_from
from tests.domain.verdicts import CONTENT, DAY_SECONDS, KINDS, NIGHT, local, rules, situation

CAP = st.one_of(
    st.builds(
        Cap,
        st.sampled_from("abc"),
        st.lists(st.sampled_from(KINDS), min_size=1, unique=True),
        st.integers(1, 3),
        st.sampled_from([6 * 3_600, DAY_SECONDS, 7 * DAY_SECONDS]),
        st.sampled_from([0, DAY_SECONDS, 8 * DAY_SECONDS]),
        categories=st.sampled_from([[], [], ["coupon"]]),
    ),
    st.builds(
        Cap,
        st.sampled_from("abc"),
        st.lists(st.sampled_from(KINDS), min_size=1, unique=True),
        st.integers(1, 3),
        st.just(0),
        st.sampled_from([0, DAY_SECONDS, 8 * DAY_SECONDS]),
        st.sampled_from(["day", "week", "month"]),
    ),
)
UPCOMING = st.builds(
    Upcoming,
    minutes_from(NOON, 7),
    st.sampled_from(KINDS),
    st.integers(0, 9),
    st.sampled_from(["", "coupon"]),
    st.none() | st.sampled_from([0, DAY_SECONDS]),
)
CONTACTS = st.lists(
    st.builds(
        Contact,
        st.uuids().map(str),
        st.sampled_from(KINDS),
        minutes_from(NOON - 8 * DAY, 8),
        st.sampled_from(["", "coupon"]),
    ),
    max_size=5,
)


def lived(gate: Gate, wishes: list[Intent], caps: list[Cap]) -> dict[str, Instant]:
    """When each goes in the real gate, as it comes due and again whenever its hold is over."""
    went: dict[str, Instant] = {}
    due = sorted((one.made_at, number) for number, one in enumerate(wishes))
    while due:
        now, number = due.pop(0)
        one = wishes[number]
        # Those that are better see nothing ahead: what is to come of them is told to the worse one alone.
        decision = decide(one, gate, rules(caps=caps), situation(), CONTENT, now)
        gate = decision.gate
        match decision.verdict:
            case Allow():
                went[one.step] = now
            case Wait(until=until):
                due = sorted([*due, (until, number)])
            case Ended():
                pass
    return went


@settings(max_examples=300)
@given(st.lists(CAP, min_size=1, max_size=3), CONTACTS, st.lists(UPCOMING, max_size=4), st.data())
def test_what_goes_delays_nothing_better_that_was_foreseen(
    caps: list[Cap], contacts: list[Contact], upcoming: list[Upcoming], data: st.DataObject
) -> None:
    caps = [msgspec.structs.replace(cap, id=f"cap {number}") for number, cap in enumerate(caps)]
    worse = intent("worse", rank=10, kind=data.draw(st.sampled_from(KINDS)), category="coupon")
    gate, by = linked_gate(contacts=contacts), rules(caps=caps)
    allowed = decide(worse, gate, by, situation(upcoming=upcoming), CONTENT, NOON)
    if not isinstance(allowed.verdict, Allow):
        return
    better = [
        intent(
            f"better {number}",
            f"step {number}",
            one.at,
            expires=60 * DAY,
            rank=0,
            kind=one.kind,
            category=one.category,
            hold_seconds_max=one.hold_seconds_max,
        )
        for number, one in enumerate(upcoming)
    ]
    alone, among = lived(gate, better, caps), lived(allowed.gate, better, caps)
    shared = [cap for cap in caps if counts(cap, worse.kind, worse.category)]
    for one in better:
        if one.step in alone and any(counts(cap, one.kind, one.category) for cap in shared):
            assert among[one.step] <= alone[one.step]


@settings(max_examples=300)
@given(st.lists(CAP, min_size=1, max_size=3), CONTACTS, st.lists(UPCOMING, min_size=1, max_size=4))
def test_who_yields_may_go_at_the_instant_it_is_told(
    caps: list[Cap], contacts: list[Contact], upcoming: list[Upcoming]
) -> None:
    mine = Upcoming(NOON, "promotion", 10, "coupon")
    until = yields_until(mine, upcoming, contacts, caps, "Asia/Tokyo")
    if until is not None:
        assert until > NOON
        later = msgspec.structs.replace(mine, at=until)
        assert yields_until(later, upcoming, contacts, caps, "Asia/Tokyo") is None


def test_what_goes_only_because_another_kept_it_back_is_no_reason_to_yield() -> None:
    """Alone it would be dropped by the weekly cap; held for an hour first, it lives until the week is over."""
    hourly = Cap("hourly", ["promotion", "support"], 1, 3_600, 3_600)
    weekly = Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS)
    used = [Contact("s", "promotion", NOON - 7 * DAY + HOUR)]
    better = [Upcoming(NOON, "promotion", 1)]
    assert yields_until(Upcoming(NOON, "support", 9), better, used, [hourly, weekly], "Asia/Tokyo") is None


WEEK = [Cap("week", ["promotion"], 1, 0, 8 * DAY_SECONDS, "week")]


def test_a_calendar_week_is_yielded_and_the_next_one_is_not() -> None:
    friday, sunday, monday = local("2026-11-20T12:00"), local("2026-11-22T12:00"), local("2026-11-23T12:00")
    mine = Upcoming(friday, "promotion", 50)
    assert yields_until(mine, [Upcoming(sunday, "promotion", 1)], [], WEEK, "Asia/Tokyo") == local(
        "2026-11-23T00:00"
    )
    assert yields_until(mine, [Upcoming(monday, "promotion", 1)], [], WEEK, "Asia/Tokyo") is None


def test_what_another_cap_keeps_back_anyway_is_not_yielded_to() -> None:
    """The coupon of the month is used up: the better coupon will not go, whoever goes first."""
    monthly = Cap("coupons", ["promotion"], 1, 30 * DAY_SECONDS, categories=["coupon"])
    weekly = Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS)
    used = [Contact("s", "promotion", NOON - 10 * DAY, "coupon")]
    better = [Upcoming(NOON + DAY, "promotion", 1, "coupon")]
    mine = Upcoming(NOON, "promotion", 50, "news")
    assert yields_until(mine, better, used, [monthly, weekly], "Asia/Tokyo") is None
    assert yields_until(mine, better, [], [monthly, weekly], "Asia/Tokyo") == NOON + 8 * DAY


def test_a_better_one_that_is_due_in_the_night_takes_its_slot_in_the_morning() -> None:
    """Within the night it takes nothing of the day that ends."""
    daily = Cap("daily", ["promotion"], 1, 0, calendar="day")
    noon, night = local("2026-11-20T12:00"), local("2026-11-20T22:00")
    worse = intent(made_at=noon, rank=50)
    by, ahead = rules(caps=[daily], quiet_hours=NIGHT), situation(upcoming=[Upcoming(night, "promotion", 1)])
    assert isinstance(decide(worse, linked_gate(), by, ahead, CONTENT, noon).verdict, Allow)
    awake = rules(caps=[daily])
    assert decide(worse, linked_gate(), awake, ahead, CONTENT, noon).verdict == Ended(
        "suppressed", "outranked"
    )
    assert decide(worse, linked_gate(), awake, ahead, CONTENT, noon + HOUR).verdict == Ended(
        "suppressed", "outranked"
    )


def test_who_yields_waits_for_every_cap_of_its_own() -> None:
    caps = [
        Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS),
        Cap("coupons", ["promotion"], 1, 30 * DAY_SECONDS, categories=["coupon"]),
    ]
    mine, better = Upcoming(NOON, "promotion", 10, "coupon"), Upcoming(NOON + DAY, "promotion", 1, "coupon")
    assert yields_until(mine, [better], [], caps, "Asia/Tokyo") == NOON + 31 * DAY


def test_of_two_better_ones_of_one_instant_the_best_is_foreseen_first() -> None:
    caps = [Cap("weekly", ["promotion"], 1, 7 * DAY_SECONDS)]
    patient = Upcoming(NOON + DAY, "promotion", 2, hold_seconds_max=8 * DAY_SECONDS)
    best = Upcoming(NOON + DAY, "promotion", 1)
    mine = Upcoming(NOON, "promotion", 10)
    assert yields_until(mine, [patient, best], [], caps, "Asia/Tokyo") == NOON + 15 * DAY
