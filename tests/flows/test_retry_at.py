"""When silence is asked again: ever later, within bounds, and for all copies of a message at the same instants."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from functions.send.ending import RETRY_DELAY_MAX, RETRY_DELAY_MIN, retry_at

SINCE = dt.datetime(2026, 11, 2, 3, 0, 0, 123_456, tzinfo=dt.UTC)
DAY_SECONDS = 86_400.0
A_DAYS_INSTANTS = 4 + 24
"""2, 4, 8, 16, 32 and 64 minutes, then each hour."""

ages = st.floats(min_value=0, max_value=DAY_SECONDS).map(lambda seconds: dt.timedelta(seconds=seconds))


@given(ages)
def test_it_is_asked_again_later_and_within_an_hour_and_the_first_steps(age: dt.timedelta) -> None:
    now = SINCE + age
    assert now < retry_at(SINCE, now) <= now + max(RETRY_DELAY_MIN, RETRY_DELAY_MAX)


@given(ages)
def test_it_waits_no_longer_than_it_has_waited_already(age: dt.timedelta) -> None:
    assert retry_at(SINCE, SINCE + age) <= SINCE + max(2 * age, RETRY_DELAY_MIN)


def test_the_copies_of_a_message_that_come_at_any_second_of_a_day_come_up_at_a_few_instants() -> None:
    instants = {retry_at(SINCE, SINCE + dt.timedelta(seconds=second)) for second in range(int(DAY_SECONDS))}
    minutes = sorted((instant - SINCE) // dt.timedelta(minutes=1) for instant in instants)
    assert minutes[:8] == [2, 4, 8, 16, 32, 64, 120, 180]
    assert len(minutes) <= A_DAYS_INSTANTS + 2
