"""A whole Musubi on the embedded engine, least privilege enforced, once a session."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from functions.measure.days import last_day_over
from ops.cli import musubi
from ops.local.clock import LocalClock
from ops.local.commands import after_deploy
from ops.local.down import bring_down
from ops.local.place import Place
from ops.local.up import Wishes, bring_up
from ops.stores import Stores
from ops.target import Target
from tests.e2e.logs import NAMES_OF_PEOPLE, log_lines
from tests.e2e.shop import Shop

LONGEST_FIRST = (
    "test_playbook_week",
    "test_upgrade",
    "test_restore",
    "test_faults",
    "test_fair_share",
    "test_restore",
    "test_erasure",
    "test_main_job",
    "test_storm",
    "test_several_accounts",
    "test_accounts",
    "test_people",
    "test_clicks",
    "test_facts",
    "test_approval",
    "test_stopping",
    "test_surveys",
)
"""Files that take half a minute or more: where one of two engines begins such a file last, the other waits for it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; within a file, and among the others, the order stays."""
    places = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


@dataclass(frozen=True, slots=True)
class Local:
    """A run that is up: the deployment, its virtual clock, and the record that scripts read."""

    place: Place
    target: Target
    clock: LocalClock

    @property
    def record(self) -> dict[str, Any]:
        """build/local.json as it stands."""
        return self.place.read_record()


TOKYO = "Asia/Tokyo"
MORNING_HOUR = 2
"""11:00 in Tokyo."""


def next_morning() -> dt.datetime:
    """Where virtual time begins: at night messages wait, and no test is to hang on the hour at which it runs."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    today = now.replace(hour=MORNING_HOUR, minute=0, second=0)
    return today if today > now else today + dt.timedelta(days=1)


@pytest.fixture(scope="session")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """The engine with AUTH=true, the LINE sandbox, and the ready-made shop playbook in force.

    Nights pass unmeasured, which takes seconds each and is what few tests look at (`nights`); at the end everything that all
    tests left behind is measured at once.
    """
    place = Place(tmp_path_factory.mktemp("local"))
    target = bring_up(Wishes(place=place, live_bus=True, at=next_morning()), after_deploy)
    local = Local(place, target, LocalClock(place, target, nightly=False))
    yield local
    measure_yesterday(local)
    told = [line for line in log_lines(target) if any(name in line for name in NAMES_OF_PEOPLE)]
    bring_down(place)
    assert told[:3] == [], "a log names somebody"


def measure_yesterday(local: Local) -> None:
    """Merge all facts that wait, and measure the last day that is over and whatever they touch. It must not fail."""
    yesterday = last_day_over(local.clock.now, TOKYO).isoformat()
    asked = ["measure", "--day", yesterday, "--local", str(local.place.record_path)]
    answer = CliRunner().invoke(musubi, asked, catch_exceptions=False)
    assert answer.output.splitlines()[-1:] == [f"Measured up to {yesterday}."], answer.output


@pytest.fixture(scope="module")
def nights(local: Local, shop: Shop) -> Iterator[None]:
    """Every night is measured, as on AWS: for modules that look at what nights bring."""
    measure_yesterday(local)
    shop.clock = LocalClock(local.place, local.target)
    yield
    shop.clock = local.clock


@pytest.fixture(scope="session")
def shop(local: Local) -> Shop:
    """The shop whose customers the tests act."""
    return Shop(local.record, local.clock, Stores(local.target))
