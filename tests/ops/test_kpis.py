"""`musubi kpis`, and the page that is published of it."""

import json
from pathlib import Path

from click.testing import CliRunner

from functions.measure.kpi import PEOPLE, SENDING
from functions.measure.kpis import KPIS
from ops.kpi_page import GROUPS, SCOPES, UNITS, page
from ops.kpis import kpis

PUBLISHED = Path(__file__).parents[2] / "docs" / "kpis.md"


def test_the_published_page_is_what_the_definitions_say() -> None:
    """Where it is not: `musubi kpis --write docs/kpis.md`."""
    assert PUBLISHED.read_text(encoding="utf-8") == f"{page()}\n"


def test_every_word_of_a_definition_has_one_for_marketers() -> None:
    assert {kpi.unit for kpi in KPIS.values()} <= UNITS.keys()
    assert {kpi.group for kpi in KPIS.values()} <= GROUPS.keys()
    assert SENDING | PEOPLE | {"reason", "category"} == SCOPES.keys()


def test_every_kpi_stands_on_the_page_once_with_its_meaning() -> None:
    for kpi in KPIS.values():
        assert page().count(f"| {kpi.meaning} |") == 1


def test_scripts_read_definitions_as_json() -> None:
    told = json.loads(CliRunner().invoke(kpis, ["--format", "json"]).output)
    assert [one["id"] for one in told["kpis"]] == list(KPIS)
    assert told["tree"]["ltv"] == ["ltv_gross_profit", "ltv_coupon_cost", "ltv_message_cost"]
