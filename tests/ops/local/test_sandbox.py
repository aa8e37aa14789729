"""The LINE sandbox in a process of its own."""

from pathlib import Path

from ops.engine.processes import end_groups
from ops.local.place import Place
from ops.local.sandbox import Credentials, start_sandbox, wait_for_url


def test_a_token_that_begins_with_a_dash_is_no_option(tmp_path: Path) -> None:
    """Tokens are drawn; one in 64 begins so."""
    place = Place(tmp_path)
    place.make()
    place.clock_file.write_text("2026-11-02T00:00:00Z", encoding="ascii")
    pid = start_sandbox(place, Credentials("-s", "-t", "-l"))
    try:
        assert wait_for_url(place, pid).startswith("http://")
    finally:
        end_groups([pid], str(place.run_dir))
