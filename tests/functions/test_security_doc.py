"""docs/security.md: each defence that it tells of is held by a test that is there."""

import re
from pathlib import Path


def test_every_test_that_the_threat_table_names_exists() -> None:
    told = Path("docs/security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", told))
    written = "".join(path.read_text(encoding="utf-8") for path in Path("tests").rglob("test_*.py"))
    assert len(named) > 30
    assert [name for name in sorted(named) if f"def {name}(" not in written] == []
    assert [path for path in re.findall(r"`(tests/[\w/]+\.py)`", told) if not Path(path).exists()] == []
