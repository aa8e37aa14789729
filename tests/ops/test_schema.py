"""`musubi schema`: one schema on standard output, or all of them in a folder."""

import json
from pathlib import Path

from click.testing import CliRunner

from functions.playbook.schemas import SCHEMAS, schema_of
from ops.schema import schema


def test_one_schema_is_printed() -> None:
    result = CliRunner().invoke(schema, ["message"])
    assert (result.exit_code, json.loads(result.stdout)) == (0, schema_of("message"))


def test_all_schemas_are_written_into_a_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(schema, ["--write", str(tmp_path / "new" / "schema")])
    assert result.exit_code == 0
    written = {path.name: json.loads(path.read_bytes()) for path in (tmp_path / "new" / "schema").iterdir()}
    assert written == {f"{name}.schema.json": schema_of(name) for name in SCHEMAS}
