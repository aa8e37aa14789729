"""Intents: the notes of their holds, and steps that one late look made together."""

import msgspec

from functions.domain.sends import HOLDS_KEPT, HoldNote, held, record_of, with_overtaken
from tests.domain.strategies import DAY, HOUR, NOON, intent


def test_a_hold_is_noted_with_its_reason_and_stands_in_the_record() -> None:
    waiting = held(intent(), "quiet_hours", NOON + HOUR, NOON)
    assert waiting.holds == [HoldNote(NOON, "quiet_hours", NOON + HOUR)]
    assert record_of(waiting, "sent", "", NOON + HOUR).holds == waiting.holds
    assert msgspec.structs.replace(waiting, holds=[]) == intent()


def test_holds_for_the_same_reason_one_after_the_other_are_one() -> None:
    once = held(intent(), "stale_data", NOON + HOUR, NOON)
    again = held(once, "stale_data", NOON + 2 * HOUR, NOON + HOUR)
    assert again.holds == [HoldNote(NOON, "stale_data", NOON + 2 * HOUR)]
    other = held(again, "quiet_hours", NOON + 9 * HOUR, NOON + 2 * HOUR)
    assert held(other, "stale_data", NOON + DAY, NOON + 9 * HOUR).holds[1:] == [
        HoldNote(NOON + 2 * HOUR, "quiet_hours", NOON + 9 * HOUR),
        HoldNote(NOON + 9 * HOUR, "stale_data", NOON + DAY),
    ]


def test_the_last_holds_are_kept() -> None:
    waiting = intent()
    for number in range(20):
        waiting = held(waiting, f"reason {number}", NOON + HOUR, NOON)
    assert [note.reason for note in waiting.holds] == [
        f"reason {20 - HOLDS_KEPT + n}" for n in range(HOLDS_KEPT)
    ]


def overtaken(*intents: object) -> list[bool]:
    return [one.overtaken for one in with_overtaken(intents)]  # type: ignore[arg-type]


def test_of_steps_that_one_look_made_the_one_due_last_takes_the_place_of_the_others() -> None:
    late = [intent(step=str(n), due_at=NOON - n * HOUR) for n in (3, 1, 2)]
    assert overtaken(*late) == [True, False, True]


def test_steps_due_at_one_instant_belong_together() -> None:
    assert overtaken(intent(step="one", due_at=NOON), intent(step="two", due_at=NOON)) == [False, False]


def test_steps_of_other_looks_passages_and_campaigns_overtake_nothing() -> None:
    earlier = intent(step="one", due_at=NOON - HOUR)
    for other in (
        intent(step="two", made_at=NOON + HOUR, due_at=NOON),
        intent("another", "two", due_at=NOON),
        intent(step="two", occurrence="2", due_at=NOON),
        intent(step="two"),
    ):
        assert overtaken(earlier, other) == [False, False]
