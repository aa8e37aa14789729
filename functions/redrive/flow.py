"""redrive: dead letters, looked through and put back.

A letter is put back onto its queue first and deleted then: a crash between makes two of it, never none. Both are on
record before and after, so that the next replay only deletes what is back already; and where even that was cut off,
everything that is put back runs through the same gate, history or frozen page as any duplicate.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from functions.domain.dead_letters import CLEARED, STAYS, UNREADABLE, Filters, Letter, Seen
from functions.domain.instants import Instant
from functions.domain.redrives import Page, Planned, Redrive, Tally, Trail
from functions.ports.dead_letters import DeadLetters, Redrives
from functions.ports.errors import Rejected
from functions.redrive.foresight import Foresight, subject_of

LETTERS_MAX = 10_000
"""Of one look: more are told as left."""
SECONDS_IN_HAND = 10.0
"""With less than this left, an invocation takes no other ten letters."""
IDLE_RECEIVES_MAX = 3
"""Letters that were looked at come up again after minutes; so many times nothing but those is the end."""
REMEMBERED = dt.timedelta(days=15)
"""Dead letters are kept for 14 days: an older replay can have left nothing behind."""


class Survey(msgspec.Struct, frozen=True):
    """What was found. `complete`: nothing is left that was not looked at."""

    seen: list[Seen]
    complete: bool


class Report(msgspec.Struct, frozen=True):
    """What a replay, or this part of it, has done. `finished`: nothing is left for it to do."""

    redrive: Redrive
    tally: Tally
    finished: bool


OnBatch = Callable[[Tally], None]


@dataclass(slots=True)
class _Course:
    """One replay under way. `back`: ids of letters that some replay put back, so that they are only to be deleted;
    `made`: ids of the messages that it made, which may come back as dead letters before it ends; `owed`: ids of letters
    that it put back and that may not be deleted yet; `kept`: whether a letter stayed that should have gone."""

    redrive: Redrive
    page: int
    back: set[str]
    made: set[str]
    owed: set[str]
    left_of_limit: float
    tally: Tally
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """The ports of this flow. `name` gives the id of a replay that begins at an instant."""

    letters: DeadLetters
    redrives: Redrives
    foresight: Foresight
    name: Callable[[Instant], str]
    now: Callable[[], Instant]

    def survey(self, filters: Filters, time_left: Callable[[], float], *, foresee: bool = False) -> Survey:
        """Look through the letters that are meant; afterwards all are there for others again.

        With `foresee` each bears what a replay would do with it now, and no more are told than it would put back.
        """
        seen: list[Seen] = []
        held: dict[str, Letter] = {}
        back = self._back([]) if foresee else set()
        left = math.inf if filters.limit is None or not foresee else filters.limit
        try:
            for batch in self._batches(filters.queue, held, time_left):
                for letter in batch:
                    one = self._seen(letter, filters, back, foresee=foresee)
                    is_back = one is not None and one.prediction in (STAYS, CLEARED)
                    if one is not None and (left > 0 or is_back):
                        seen.append(one)
                        left -= 0 if is_back else 1
        finally:
            self.letters.release(list(held.values()))
        return Survey(seen, complete=not _is_cut_off(held, time_left))

    def _seen(self, letter: Letter, filters: Filters, back: set[str], *, foresee: bool) -> Seen | None:
        """The letter where it is meant."""
        payload = self.letters.read(letter)
        one = Seen(letter, subject_of(payload))
        if foresee and letter.message_id in back:
            return msgspec.structs.replace(one, prediction=CLEARED)
        if not filters.match(letter, one.subject):
            return None
        return msgspec.structs.replace(one, prediction=self.foresight.of(payload)) if foresee else one

    def begin(self, filters: Filters, by: str) -> Redrive:
        """Note a new replay; nothing is put back yet."""
        now = self.now()
        redrive = Redrive(self.name(now), now, by, filters)
        self.redrives.begin(redrive)
        return redrive

    def resumed(self, redrive_id: str) -> Redrive:
        """A replay that was interrupted. Rejected where there is none of that name, or nothing is left of it to do."""
        trail = self.redrives.trail(redrive_id)
        if trail is None:
            raise Rejected(f"there is no replay {redrive_id}")
        if trail.finished:
            raise Rejected(f"the replay {redrive_id} is finished")
        return trail.redrive

    def run(
        self, redrive: Redrive, time_left: Callable[[], float], on_batch: OnBatch = lambda _tally: None
    ) -> Report:
        """Put back what is meant, ten letters at a time; `on_batch` hears of each ten.

        Called again for the same replay, it goes on: what is back already is only deleted.
        """
        course = self._course(redrive)
        held: dict[str, Letter] = {}
        try:
            for batch in self._batches(redrive.filters.queue, held, time_left):
                for message_id in self._replay(course, batch):
                    del held[message_id]
                on_batch(course.tally)
                if course.left_of_limit <= 0 and not course.owed:
                    break
            cut_off = course.left_of_limit > 0 and _is_cut_off(held, time_left)
        finally:
            self.letters.release(list(held.values()))
        finished = not (cut_off or course.kept or course.tally.refused)
        if finished:
            self.redrives.finish(redrive.redrive_id, self.now(), course.tally)
        return Report(redrive, course.tally, finished)

    def _course(self, redrive: Redrive) -> _Course:
        own = self.redrives.trail(redrive.redrive_id) or Trail(redrive)
        limit = math.inf if redrive.filters.limit is None else redrive.filters.limit
        return _Course(
            redrive,
            page=own.pages,
            back=self._back([own]),
            made={new for new in own.put.values() if new},
            owed=own.put.keys() - own.deleted,
            left_of_limit=limit - len(own.put),
            tally=Tally(put_back=len(own.put)),
        )

    def _back(self, trails: list[Trail]) -> set[str]:
        """The letters that these replays, and all that were not finished, have put back."""
        trails = [*trails, *self.redrives.unfinished(self.now() - REMEMBERED)]
        return {old for trail in trails for old in trail.put}

    def _batches(
        self, queue: str, held: dict[str, Letter], time_left: Callable[[], float]
    ) -> Iterator[list[Letter]]:
        """Letters not met before, at most ten at a time. All that are received are added to `held`, by id."""
        met: set[str] = set()
        for name in self.letters.queues():
            idle = 0
            while queue in ("", name) and idle < IDLE_RECEIVES_MAX:
                if _is_cut_off(held, time_left):
                    return
                batch = self.letters.receive(name)
                if not batch:
                    break
                held.update((letter.message_id, letter) for letter in batch)
                new = [letter for letter in batch if letter.message_id not in met]
                met.update(letter.message_id for letter in new)
                idle = 0 if new else idle + 1
                if new:
                    yield new

    def _replay(self, course: _Course, batch: Sequence[Letter]) -> set[str]:
        """Put back what is meant of these, delete it, and note both; the ids of those that are gone."""
        chosen, unreadable = self._chosen(course, batch)
        course.tally = course.tally.plus(unreadable=unreadable)
        if not chosen and not any(letter.message_id in course.back for letter in batch):
            return set()
        course.page += 1
        self._note(course, "planned", planned=[_plan(one) for one in chosen])
        put = self.letters.put_back([one.letter for one in chosen]) if chosen else {}
        self._note(course, "put", put=put)
        course.made.update(new for new in put.values() if new)
        course.left_of_limit -= len(put)
        cleared = self._delete(course, put, batch)
        course.tally = course.tally.plus(
            put_back=len(put), refused=len(chosen) - len(put), cleared=len(cleared)
        )
        return cleared | put.keys() - course.owed

    def _delete(self, course: _Course, put: Mapping[str, str], batch: Sequence[Letter]) -> set[str]:
        """Delete what was put back, now or by an earlier attempt; the ids of the latter that are gone."""
        course.back |= put.keys()
        course.owed |= put.keys()
        doomed = [letter for letter in batch if letter.message_id in course.back]
        gone = self.letters.delete(doomed)
        self._note(course, "deleted", deleted=sorted(gone))
        course.owed -= gone
        course.kept = course.kept or len(gone) < len(doomed)
        return gone - put.keys()

    def _chosen(self, course: _Course, batch: Sequence[Letter]) -> tuple[list[Seen], int]:
        """The letters to put back, and how many more were meant but cannot be read."""
        met = course.back | course.made
        seen = [
            Seen(letter, subject_of(self.letters.read(letter)))
            for letter in batch
            if letter.message_id not in met
        ]
        meant = [one for one in seen if course.redrive.filters.match(one.letter, one.subject)]
        readable = [one for one in meant if one.subject is not UNREADABLE]
        room = int(max(0, min(course.left_of_limit, len(readable))))
        return readable[:room], len(meant) - len(readable)

    def _note(self, course: _Course, stage: str, **told: object) -> None:
        page = msgspec.structs.replace(Page(self.now()), **told)
        self.redrives.write(course.redrive.redrive_id, course.page, stage, page)


def _plan(one: Seen) -> Planned:
    return Planned(one.letter.message_id, one.letter.queue, one.subject.kind, one.letter.cause)


def _is_cut_off(held: Mapping[str, Letter], time_left: Callable[[], float]) -> bool:
    """Whether there may be more that were not looked at."""
    return len(held) >= LETTERS_MAX or time_left() <= SECONDS_IN_HAND
