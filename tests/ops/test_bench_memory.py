"""The rule by which functions get their memory."""

import msgspec
import pytest

from ops.bench import cold, memory_size
from ops.bench.cold import Found, Start
from ops.bench.memory_size import cheapest, options, rows

CLICK = Start(boto3_ms=90, import_ms=40, wiring_ms=70, first_ms=5, warm_ms=1.0, peak_mb=50,
              first_calls={"sqs": 1, "secrets": 1}, warm_calls={"sqs": 1})  # fmt: skip


def given(function: str, start: Start) -> int:
    best = cheapest(options(function, start))
    return best.size_mb if best else 0


def test_processor_time_stretches_with_the_share_of_a_core_and_waits_do_not() -> None:
    by_size = {one.size_mb: one for one in options("click", CLICK)}
    assert by_size[1_769].warm_ms == pytest.approx(1 + 10)
    assert by_size[128].warm_ms == pytest.approx(1 * 1_769 / 128 + 10)
    assert by_size[1_769].cold_seconds == pytest.approx((205 + 25) / 1_000)


def test_the_cheapest_size_that_keeps_the_bounds_is_given() -> None:
    """Where somebody waits, that is a larger one than where nobody does."""
    assert given("click", CLICK) == 1_024
    assert given("insight", CLICK) == 128


def test_what_does_not_fit_is_not_given() -> None:
    more = memory_size.SIZES[1] / memory_size.PEAK_FACTOR
    assert given("insight", msgspec.structs.replace(CLICK, peak_mb=more)) == 512
    assert given("insight", msgspec.structs.replace(CLICK, peak_mb=5_000)) == 0


def test_pushes_wait_for_line_at_the_same_time() -> None:
    ten = Start(warm_ms=10, first_ms=10, peak_mb=100, warm_calls={"line": 10})
    assert options("send", ten)[-1].warm_ms == pytest.approx(10 + 100)


def test_a_function_that_no_longer_keeps_its_bounds_breaks_the_benchmark() -> None:
    slow = Start(boto3_ms=90, import_ms=900, first_ms=5, warm_ms=1.0, peak_mb=50)
    [kept] = rows(Found({"click": CLICK}, {}))
    [broken] = rows(Found({"click": slow}, {}))
    assert kept.ok
    assert not broken.ok


def test_an_import_over_its_ceiling_breaks_the_benchmark_on_any_machine() -> None:
    """Twice as slow a machine has the same ratio."""
    webhook = Start(boto3_ms=90, import_ms=30, modules=100, peak_mb=50, packages=["boto3"])
    slower = Start(boto3_ms=180, import_ms=59, modules=100, peak_mb=50, packages=["boto3"])
    heavier = Start(boto3_ms=90, import_ms=59, modules=100, peak_mb=50, packages=["boto3", "pydantic"])
    assert all(one.ok for one in cold.rows(Found({"webhook": webhook}, {})))
    assert all(one.ok for one in cold.rows(Found({"webhook": slower}, {})))
    assert [one.name for one in cold.rows(Found({"webhook": heavier}, {})) if not one.ok] == [
        "import of webhook, CPU by that of boto3",
        "webhook imports of line-bot-sdk or pydantic",
    ]
