"""The shop's lake, filled once, and its three reports."""

from collections.abc import Iterator

import pytest

from functions.measure.folder_lake import FolderLake
from ops.reports.content import PeriodKind, Report
from ops.reports.making import made
from ops.reports.monthly import Costs
from ops.reports.source import Source, opened_source
from tests.ops.reports import shop

COSTS = Costs(advertising=200_000.0, labour=350_000.0)


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FolderLake:
    return shop.fill(tmp_path_factory.mktemp("shop"), shop.facts())


@pytest.fixture(scope="session")
def source(lake: FolderLake) -> Iterator[Source]:
    with opened_source(lake, shop.around()) as found:
        yield found


@pytest.fixture(scope="session")
def reports(source: Source) -> dict[PeriodKind, Report]:
    kinds: tuple[PeriodKind, ...] = ("daily", "weekly", "monthly")
    return {kind: made(source, kind, None, COSTS if kind == "monthly" else Costs()) for kind in kinds}
