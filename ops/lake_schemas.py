"""`python -m ops.lake_schemas`: write the published schemas of the lake's tables and of what is told live anew, after a
column was added."""

from collections.abc import Mapping
from pathlib import Path

from functions.domain.facts import TABLES as FACTS
from functions.domain.facts import VERSION
from functions.domain.lake_schema import schema_text
from functions.domain.live import live_schema_text
from functions.measure.tables import TABLES as DERIVED

DERIVED_VERSION = 1
DOCS = Path(__file__).resolve().parent.parent / "docs"


def schemas() -> Mapping[str, str]:
    """File name → its text."""
    return {
        "facts.schema.json": schema_text(FACTS.values(), VERSION),
        "derived.schema.json": schema_text(DERIVED.values(), DERIVED_VERSION),
        "live.schema.json": live_schema_text(),
    }


def main() -> None:
    """Write them."""
    for name, text in schemas().items():
        (DOCS / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
