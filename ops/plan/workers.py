"""Customers by the hundred thousand: in chunks, over several processes, counted together."""

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice

import msgspec

from ops.plan.course import Course, Terms, course_of
from ops.plan.lives import Person, forecast_of
from ops.plan.tallies import Tally

CHUNK = 500
AHEAD = 3
"""So many chunks a worker are handed out before one must have come back: memory stays bounded."""

Progress = Callable[[int], None]
"""Told how many more people are done."""

_people = msgspec.msgpack.Decoder(list[Person])
_terms = msgspec.msgpack.Decoder(list[Terms])
_courses: list[Course] = []
"""What this worker process was begun with."""


def forecast(
    people: Iterable[Person], terms: Sequence[Terms], workers: int, progress: Progress
) -> list[Tally]:
    """The counts of all people under each of the terms, whatever the number of processes."""
    tallies = [Tally() for _ in terms]
    counted = _spread(people, terms, workers) if workers > 1 else _here(people, terms)
    for size, parts in counted:
        for tally, part in zip(tallies, parts, strict=True):
            tally.add(part)
        progress(size)
    return tallies


def _chunks(people: Iterable[Person]) -> Iterator[list[Person]]:
    stream = iter(people)
    while chunk := list(islice(stream, CHUNK)):
        yield chunk


def _here(people: Iterable[Person], terms: Sequence[Terms]) -> Iterator[tuple[int, list[Tally]]]:
    courses = [course_of(one) for one in terms]
    for chunk in _chunks(people):
        yield len(chunk), _count(chunk, courses)


def _count(chunk: Iterable[Person], courses: Sequence[Course]) -> list[Tally]:
    tallies = [Tally() for _ in courses]
    for person in chunk:
        for course, tally in zip(courses, tallies, strict=True):
            forecast_of(person, course, tally)
    return tallies


def _spread(
    people: Iterable[Person], terms: Sequence[Terms], workers: int
) -> Iterator[tuple[int, list[Tally]]]:
    """Fresh processes, which share nothing with this one: the same on every system."""
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(msgspec.msgpack.encode(list(terms)),),
    ) as pool:
        running: dict[Future[list[Tally]], int] = {}
        for chunk in _chunks(people):
            running[pool.submit(_work, msgspec.msgpack.encode(chunk))] = len(chunk)
            while len(running) >= workers * AHEAD:
                yield from _finished(running)
        while running:
            yield from _finished(running)


def _finished(running: dict[Future[list[Tally]], int]) -> Iterator[tuple[int, list[Tally]]]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        yield running.pop(future), future.result()


def _begin(terms: bytes) -> None:
    _courses[:] = [course_of(one) for one in _terms.decode(terms)]


def _work(chunk: bytes) -> list[Tally]:
    return _count(_people.decode(chunk), _courses)
