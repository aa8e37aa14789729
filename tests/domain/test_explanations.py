"""Conditions explained, and trees written as text again."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.domain.context import EMPTY
from functions.domain.events import BUILT_IN, EventType, PropertyType
from functions.domain.explanations import Clause, View, explained, reasons, verbs_of
from functions.domain.profiles import Profile, fold_all
from functions.domain.segments import Tree, compile_predicate, evaluation, names_of, parse, values
from functions.domain.segments.tree import subtrees
from functions.domain.segments.values import reader
from functions.domain.segments.writing import source_of
from tests.domain.strategies import DAY, DICTIONARY, NOON, event, event_sets

WORDS = {
    **BUILT_IN,
    "purchase": EventType(
        "an order was paid",
        alias="orders",
        properties={
            "amount": PropertyType("number", sum=True),
            "category": PropertyType("string", index=True),
            "product_id": PropertyType("string", index=True),
            "rank": PropertyType("string", attribute=True),
            "birthday": PropertyType("date", attribute=True),
        },
        verb="bought",
        keep_days=400,
    ),
    "cart_left": EventType("a cart was left", alias="carts", keep_days=400),
}
NAMES = names_of(WORDS, ["vip", "quiet"])
VERBS = verbs_of(WORDS)
INDEXED = ["category", "product_id"]
VIEW = View(
    lambda tree, profile, now: compile_predicate(tree)(profile, now),
    lambda tree, profile, now: reader(tree, EMPTY)(profile, now),
)


def clause_of(source: str, profile: Profile) -> Clause:
    return explained(parse(source, NAMES), profile, NOON, VIEW)


def bought(times: int) -> Profile:
    events = [event(event_id=f"e{n}", at=NOON - (n + 1) * DAY, category="hair") for n in range(times)]
    return fold_all(events, DICTIONARY)


def test_a_clause_tells_its_truth_and_the_value_it_rests_on() -> None:
    clause = clause_of("orders.count == 1", bought(3))
    assert (clause.holds, clause.values) == (False, {"orders.count": 3})
    assert clause.told == "orders.count == 1 is false: orders.count = 3"


def test_of_a_false_and_only_the_false_parts_are_reasons() -> None:
    clause = clause_of('orders.count >= 1 and days_since(orders.last_at) > 30 and "fan" in tags', bought(2))
    assert reasons(clause) == [
        "days_since(orders.last_at) > 30 is false: days_since(orders.last_at) = 1, orders.last_at = 2026-11-19T03:00:00Z",
        '"fan" in tags is false: tags = []',
    ]


def test_of_a_false_or_all_parts_are_reasons() -> None:
    assert len(reasons(clause_of("orders.count > 5 or orders.amount > 10", bought(1)))) == 2


def test_a_false_not_is_explained_by_what_holds() -> None:
    told = reasons(clause_of("not (orders.count == 2 or carts.count > 0)", bought(2)))
    assert told == ["orders.count == 2 is true: orders.count = 2"]


def test_what_nobody_ever_said_is_missing() -> None:
    assert clause_of("age >= 20", Profile()).told == "age >= 20 is false: age = missing"


def test_an_indexed_value_shows_what_is_known_of_the_event() -> None:
    clause = clause_of('"skincare" in orders.category', bought(2))
    assert clause.values == {"orders.count": 2, "orders.last_at": "2026-11-19T03:00:00Z"}


def test_a_node_that_nobody_knows_yet_is_written_and_left_open() -> None:
    clause = explained(["novel", ["count", "orders"], "x", 3], bought(1), NOON, VIEW)
    assert clause.holds is None
    assert clause.source == 'novel(orders.count, "x", 3)'
    assert clause.values == {"orders.count": 1}


@given(event_sets(), st.data())
def test_a_clause_holds_exactly_where_its_condition_does(events: list[object], data: st.DataObject) -> None:
    tree = data.draw(conditions(with_segments=False))
    profile = fold_all(events, DICTIONARY)  # type: ignore[arg-type]
    clause = explained(tree, profile, NOON, VIEW)
    assert clause.holds == compile_predicate(tree)(profile, NOON)
    assert reasons(clause)


# ---- every kind of node that can be written, written

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
numbers = st.one_of(st.integers(-1000, 1000), st.sampled_from([0.5, -1.25, 1e-7, 10**15]))
signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
moments = st.tuples(st.sampled_from(["first_at", "last_at"]), st.sampled_from(["orders", "carts"])).map(list)
times = st.one_of(moments, st.just(["instant", ["attribute", "due"]]))
counted = st.one_of(
    st.sampled_from(["orders", "carts"]).map(lambda alias: ["count", alias]),
    st.just(["sum", "orders", "amount"]),
    st.just(["attribute", "age"]),
    numbers.map(lambda number: ["const", number]),
)
ages = times.map(lambda time: ["days_since", time])


def compared(left: st.SearchStrategy[Tree], right: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return st.tuples(st.just("cmp"), signs, left, right).map(list)


windows = st.one_of(
    st.integers(1, 400).map(lambda days: days * 86_400),
    st.integers(1, 9_600).map(lambda hours: hours * 3_600),
)
counted_lately = st.one_of(
    windows.map(lambda seconds: ["count_in", "orders", seconds]),
    windows.map(lambda seconds: ["sum_in", "orders", "amount", seconds]),
)
elapsed = st.one_of(
    st.tuples(st.sampled_from(["days_since", "hours_since", "minutes_since"]), times).map(list),
    texts.map(lambda text: ["days_since", ["last_with", "orders", INDEXED, text]]),
    st.tuples(
        st.sampled_from(["days_until", "days_until_anniversary"]),
        st.sampled_from(["birthday", "expires_on"]).map(lambda name: ["date", ["attribute", name]]),
    ).map(list),
)
keys = st.one_of(texts.map(lambda text: ["const", text]), st.just(["attribute", "area"]))
facts = st.tuples(st.just("context"), st.sampled_from(["weather", "busy"]), keys).map(list)
LEAVES: list[st.SearchStrategy[Tree]] = [
    compared(counted, counted),
    compared(ages, counted),
    compared(counted, ages),
    compared(moments, times),
    compared(st.just(["attribute", "rank"]), texts.map(lambda text: ["const", text])),
    st.tuples(st.just("cmp"), st.sampled_from(["==", "!="]), st.just(["attribute", "adult"]), st.booleans().map(lambda yes: ["const", yes])).map(list),
    compared(counted_lately, counted),
    compared(elapsed, counted),
    compared(facts, st.one_of(numbers, texts).map(lambda value: ["const", value])),
    texts.map(lambda tag: ["tagged", tag]),
    texts.map(lambda text: ["had", "orders", INDEXED, text]),
    st.tuples(texts, windows).map(lambda pair: ["had_in", "orders", INDEXED, *pair]),
    windows.map(lambda seconds: ["unfollowed", "carts", "orders", seconds]),
    st.sampled_from([["linked"], ["blocked"], ["month_of", ["date", ["attribute", "birthday"]]]]),
    texts.map(lambda purpose: ["consented", purpose]),
    texts.map(lambda text: ["indexed", "orders", "category", text]),
    st.booleans().map(lambda answer: ["const", answer]),
]  # fmt: skip


def conditions(*, with_segments: bool = True) -> st.SearchStrategy[Tree]:
    named = [st.sampled_from(["vip", "quiet"]).map(lambda name: ["segment", name])] if with_segments else []
    return st.recursive(st.one_of([*LEAVES, *named]), _joined, max_leaves=8)


def _joined(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    several = st.lists(inner, min_size=2, max_size=3)
    return st.one_of(
        inner.map(lambda tree: ["not", tree]),
        several.map(lambda parts: ["and", *parts]),
        several.map(lambda parts: ["or", *parts]),
    )


@given(conditions())
def test_a_tree_written_as_text_reads_as_the_same_tree(tree: Tree) -> None:
    assert parse(source_of(tree, VERBS), NAMES) == tree


def test_every_kind_of_node_of_the_language_is_written_here() -> None:
    """What the readings of a tree know, by their own text, is drawn above."""
    known = set(
        re.findall(
            r'case \["([a-z_]+)"', Path(evaluation.__file__).read_text() + Path(values.__file__).read_text()
        )
    )
    written: set[str] = set()

    @given(conditions())
    @settings(
        max_examples=1500, database=None, derandomize=True
    )  # rare nodes too, and the same ones each time
    def draw(tree: Tree) -> None:
        written.update(node[0] for node in subtrees(tree))

    draw()
    assert known - written == set()
