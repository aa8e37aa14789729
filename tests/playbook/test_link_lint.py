"""playbook.yaml's links: where tracked links may lead, and which messages are every reader's own."""

from pathlib import Path

import pytest

from functions.domain import playbook as pb
from functions.domain.tracked_links import FoundLink
from functions.playbook import load_playbook
from functions.playbook.link_lint import longest
from tests.playbook.test_lint import Folder

ON = "links: {track: true, expires: 14d, to: [https://shop.example]}\n"
BUTTON = """kind: support
{more}content:
  - type: template
    altText: 使い方
    template:
      type: buttons
      text: 使い方
      actions:
        - {{type: uri, label: 見る, uri: "{uri}"}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    text = (folder.path / "playbook.yaml").read_text(encoding="utf-8")
    (folder.path / "playbook.yaml").write_text(text + ON, encoding="utf-8")
    return folder


def said(folder: Folder, uri: str, more: str = "") -> pb.Message:
    folder.write("messages/guide.yaml", BUTTON.format(uri=uri, more=more))
    assert folder.faults == []
    return load_playbook(folder.path).messages["guide"]


def test_links_are_compiled_and_a_message_with_one_is_every_readers_own(folder: Folder) -> None:
    message = said(folder, "https://shop.example/guide")
    assert message.tracked
    assert message.is_personal
    assert load_playbook(folder.path).links == pb.Links(True, 14 * 86_400, ["https://shop.example"])


def test_a_message_may_say_that_it_is_not_tracked(folder: Folder) -> None:
    assert not said(folder, "https://shop.example/guide", "track: false\n").is_personal
    assert not said(folder, "https://elsewhere.example/guide", "track: false\n").is_personal


def test_a_message_without_a_web_link_is_nobodys_own(folder: Folder) -> None:
    assert not said(folder, "tel:0312345678").tracked


def test_a_link_outside_the_origins_is_a_fault_where_it_stands(folder: Folder) -> None:
    folder.write("messages/guide.yaml", BUTTON.format(uri="https://elsewhere.example/x", more=""))
    (fault,) = folder.faults
    assert fault.startswith("messages/guide.yaml:9: tracked links lead to the origins under links")
    assert "https://elsewhere.example/x" in fault
    assert "track: false" in fault


@pytest.mark.parametrize(
    ("links", "told"),
    [
        ("{track: true}", "tracked links lead to named origins alone"),
        ("{track: true, to: [https://shop.example/x]}", "is no origin"),
        ("{track: true, to: [http://shop.example]}", "is no origin"),
        ("{track: true, to: [https://shop.example], expires: 400d}", "for 365 at most"),
        ("{track: true, to: [https://shop.example], expires: 1h}", "a day at least"),
    ],
)
def test_what_links_need_is_said(folder: Folder, links: str, told: str) -> None:
    folder.change("playbook.yaml", ON, f"links: {links}\n")
    assert len(folder.faults) == 1
    assert told in folder.faults[0]


def test_a_link_too_long_to_be_tracked_is_doubted(folder: Folder) -> None:
    uri = f"https://shop.example/{'x' * 500}"
    assert (
        longest(FoundLink((), uri))
        > 1_000
        > longest(FoundLink((), "https://shop.example/" + "x" * 60, "あ" * 40))
    )
    folder.write("messages/guide.yaml", BUTTON.format(uri=uri, more=""))
    assert any("would not be counted" in warning for warning in folder.warnings)
