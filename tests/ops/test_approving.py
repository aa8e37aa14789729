"""`musubi approvals` and `musubi approve`: what is shown, whose word counts, and what it lets go."""

import datetime as dt
import json
from collections.abc import Iterator

import msgspec
import pytest

from functions.aws.objects import S3Runs
from functions.aws.queues import decode_evaluation
from functions.domain.approvals import Awaiting
from functions.domain.playbook import Message, Price
from functions.ports.messages import CampaignRun
from ops.callers import caller_of
from ops.engine.clients import Clients
from ops.errors import UserError
from ops.stores import Stores
from ops.target import Target
from ops.versions import Version, keep
from tests.fakes.playbooks import campaign, playbook
from tests.fakes.world import World, jst
from tests.ops.stopped import commanded, messages, run, trail

AT = jst(11, 4, 19)
RUN = "winter@2026-11-04T10:00:00Z"
PEOPLE = 3
NEWS = Message(
    "promotion",
    "h",
    [{"type": "text", "text": "{{ nickname }}さん、冬の新作です"}],
    fallbacks={"nickname": "お客さま"},
)
BOOK = msgspec.structs.replace(
    playbook(campaigns={"winter": campaign("news", once=AT)}, messages={"news": NEWS}),
    approval_above=0,
    price=Price(yen_each=3),
)


@pytest.fixture
def world() -> World:
    """The run is frozen, and waits."""
    world = World(BOOK)
    for number in range(PEOPLE):
        world.customer_with_line(f"c{number}", f"U{number}")
        world.ingest(world.event("profile_updated", f"c{number}", nickname="花子"))
    world.advance(to=AT)
    return world


@pytest.fixture
def stores(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stores]:
    with commanded(world, monkeypatch, "approving") as stores:
        found = world.runs.find("winter", AT)
        assert found is not None
        awaiting = world.runs.awaiting(found)
        assert awaiting is not None
        S3Runs(stores.objects).await_approval(found, awaiting)
        keep(stores.objects, [Version(BOOK.version, "test", AT, by="arn:aws:iam::1:user/taro")])
        yield stores


def waiting(stores: Stores, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    code, out, _ = run(capsys, "approvals", "--format", "json")
    assert code == 0
    found: list[dict[str, object]] = json.loads(out)
    return found


def ordered(stores: Stores) -> list[object]:
    return [decode_evaluation(body) for body in messages(stores, stores.settings.queue_evaluate_url)]


def hash_of(stores: Stores, capsys: pytest.CaptureFixture[str]) -> str:
    (one,) = waiting(stores, capsys)
    return str(one["hash"])


def test_what_waits_is_shown_with_its_text_size_and_cost_and_nobodys_name(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    (one,) = waiting(stores, capsys)
    assert (one["run"], one["targeted"], one["yen"], one["expires"]) == (
        RUN,
        PEOPLE,
        9,
        "2026-11-06T10:00:00Z",
    )
    assert one["says"] == ["お客さまさん、冬の新作です"]
    _, out, _ = run(capsys, "approvals")
    assert "winter" in out
    assert "花子" not in out


def test_an_approval_is_kept_and_lets_the_run_go(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    hash_ = hash_of(stores, capsys)
    code, out, _ = run(capsys, "approve", RUN, "--hash", hash_[:16], "--why", "looks right")
    assert code == 0
    assert f"{RUN} goes to 3 people." in out
    found = S3Runs(stores.objects).find("winter", AT)
    assert found is not None
    word = S3Runs(stores.objects).approval(found)
    assert word is not None
    assert (word.decision, word.hash, word.at, word.why) == ("approved", hash_, world.now, "looks right")
    assert ordered(stores) == [CampaignRun("winter", AT)]
    (entry,) = trail(stores, "approvals")
    assert (entry["did"], entry["run"], entry["hash"], entry["by"]) == ("approved", RUN, hash_, word.by)
    assert waiting(stores, capsys) == []


def test_an_approval_said_again_lets_the_run_go_again(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    """A crash may have come between the word and the order; the flow does nothing twice."""
    assert [run(capsys, "approve", RUN)[0] for _ in range(2)] == [0, 0]
    assert len(ordered(stores)) == 2


def test_a_rejection_is_kept_and_nobody_approves_after_it(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "approve", RUN, "--reject", "--why", "typo")
    assert code == 0
    assert "the messages to 3 people end as stopped" in out
    code, _, err = run(capsys, "approve", RUN)
    assert code == 2
    assert f"rejected {RUN} at 2026-11-04T10:00:00Z; that stays." in err
    assert len(ordered(stores)) == 1


def test_whoever_applied_the_playbook_may_reject_and_not_approve(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    me = caller_of(stores.target)
    keep(
        stores.objects,
        [Version(BOOK.version, "test", AT, by=me), Version(BOOK.version, "test", AT, by="taro")],
    )
    code, _, err = run(capsys, "approve", RUN)
    assert (code, ordered(stores)) == (2, [])
    assert f"{me} applied this playbook; somebody else must approve what it sends." in err
    assert trail(stores, "approvals") == []
    assert run(capsys, "approve", RUN, "--reject")[0] == 0


def test_where_nobody_is_known_to_have_applied_it_nobody_can_be_the_second(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(stores.objects, [Version(BOOK.version, "test", AT)])
    code, _, err = run(capsys, "approve", RUN)
    assert code == 2
    assert "apply it once more, then approve" in err


def test_another_hash_than_what_is_frozen_is_refused(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "approve", RUN, "--hash", "beef")
    assert (code, ordered(stores)) == (2, [])
    assert "not beef; nothing was decided." in err


def test_a_list_that_was_changed_in_the_bucket_is_refused(
    stores: Stores, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"runs/winter/{RUN.partition('@')[2]}"
    awaiting = Awaiting(PEOPLE, "c" * 64, AT)
    stores.objects.write(f"{prefix}/awaiting.json", msgspec.json.encode(awaiting))
    code, _, err = run(capsys, "approve", RUN)
    assert (code, ordered(stores)) == (2, [])
    assert "nothing was decided" in err


def test_what_has_expired_is_neither_listed_nor_approved(
    stores: Stores, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.now = AT + dt.timedelta(days=2)
    assert waiting(stores, capsys) == []
    assert run(capsys, "approvals")[1] == "Nothing waits for approval.\n"
    code, _, err = run(capsys, "approve", RUN)
    assert code == 2
    assert f"{RUN} is over: its messages expired at 2026-11-06T10:00:00Z." in err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("winter", "'winter' is no run; write it like weekly@2026-11-27T03:00:00Z."),
        ("winter@2026-11-05T10:00:00Z", "does not wait for approval; 'musubi approvals' lists what does."),
        ("spring@2026-11-04T10:00:00Z", "does not wait for approval"),
    ],
)
def test_a_run_that_does_not_wait_is_a_mistake(
    stores: Stores, capsys: pytest.CaptureFixture[str], name: str, told: str
) -> None:
    code, out, err = run(capsys, "approve", name)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err


def test_a_name_is_chosen_on_this_machine_alone(stores: Stores, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "approve", RUN, "--as", "hana")
    assert code == 2
    assert "On AWS nobody chooses a name" in err
    local = Target({}, {}, Clients("http://127.0.0.1:1"))
    assert caller_of(local, "hana") == "hana"
    with pytest.raises(UserError):
        caller_of(stores.target, "hana")
