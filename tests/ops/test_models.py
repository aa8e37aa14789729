"""`musubi models fit` and `show` over a copy of a lake."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

from functions.measure.folder_lake import FolderLake
from functions.measure.tables import CUSTOMERS
from functions.measure.workspace import opened
from ops.errors import UserError
from ops.models.command import models
from ops.models.datasets import CDNOW_CUT, cdnow


def measured(root: Path, people: int) -> None:
    """A lake with the snapshot of the first people of CDNOW's tenth."""
    known = [[day for day in own if day <= CDNOW_CUT] for own in cdnow().days[:people]]
    with opened(FolderLake(root)) as workspace:
        given = pa.table({"customer_id": [f"c{number}" for number in range(len(known))], "days": known})
        workspace.connection.register("given", given)
        others = [column for column in CUSTOMERS.names if column not in ("customer_id", "days", "orders")]
        nulls = ", ".join(f"NULL AS {column}" for column in others)
        workspace.publish(CUSTOMERS, CDNOW_CUT, f"SELECT *, len(days) AS orders, {nulls} FROM given")


def run(*arguments: str) -> str:
    found = CliRunner().invoke(models, arguments, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def test_a_fitted_model_is_kept_in_the_lake_and_shown(tmp_path: Path) -> None:
    measured(tmp_path, 2_357)
    told = run("fit", "--from", str(tmp_path))
    assert "r 0.243, alpha 4.414, a 0.793, b 2.426" in told
    (kept,) = (tmp_path / "models" / "v1" / f"day={CDNOW_CUT}").iterdir()
    assert f"Model {kept.stem}, fitted on 2,357 customers up to 1997-09-30." in told
    assert run("show", "--from", str(tmp_path)) == told
    shown = json.loads(run("show", "--from", str(tmp_path), "--format", "json"))
    assert shown["bgnbd"]["alpha"] == pytest.approx(4.414, abs=0.001)
    assert run("fit", "--from", str(tmp_path)) == told


def test_too_few_customers_are_said_to_be_too_few(tmp_path: Path) -> None:
    measured(tmp_path, 20)
    assert "scores are ranks alone" in run("fit", "--from", str(tmp_path))


@pytest.mark.parametrize(
    ("command", "says"), [("fit", "No day is measured yet"), ("show", "No model is fitted yet")]
)
def test_an_empty_lake_says_what_to_do_first(command: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=says):
        CliRunner().invoke(models, [command, "--from", str(tmp_path)], catch_exceptions=False)
