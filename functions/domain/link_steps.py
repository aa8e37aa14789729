"""What one more word on a link changes.

A word changes a link in steps. Each step is one transaction; the next one is found by asking again (`next_step`), so that
whoever takes up the work of a crashed worker goes on from wherever that one came to.
"""

from collections.abc import Sequence

import msgspec

from functions.domain.events import Event
from functions.domain.links import Link, is_decision, is_undo, method_of, without_claim
from functions.domain.playbook import Linking


class Step(msgspec.Struct, frozen=True):
    """One change of a link: what it is then, and the event that says so, which another one may stand for."""

    after: Link
    cause: Event


def link_after(before: Link | None, event: Event, linking: Linking | None = None) -> Link | None:
    """The link after all steps that follow from one event on it alone; None where it changes nothing."""
    after = before
    for _ in range(_STEPS_MAX):
        step = next_step(after, event, linking or Linking())
        if step is None:
            break
        after = step.after
    return None if after is before else after


_STEPS_MAX = 4


def next_step(
    before: Link | None, event: Event, linking: Linking, others: Sequence[Link] = ()
) -> Step | None:
    """The next change that follows from `line_linked` or `line_unlinked`; None where nothing does (any more).

    `others`: the links of the same customer's other LINE users. Older news, or what is known already, changes nothing.
    """
    if before is not None and before.status == "unlinked" and before.claimed_by:
        return _step(before, _claim_of(before), linking, others)
    return _step(before, event, linking, others)


def _step(before: Link | None, event: Event, linking: Linking, others: Sequence[Link]) -> Step | None:
    if before is not None and (_is_older_news(before, event) or _is_outdated(before, event)):
        return None
    if event.name == "line_unlinked":
        after = _unlinked(before, event)
        return Step(after, event) if after else None
    if before is not None and before.tied and before.customer_id != event.customer_id:
        return _claimed(before, event, linking)
    waits = linking.several_line_users == "review" and any(other.tied for other in others)
    if waits and not is_decision(event) and not (before and before.tied):
        return Step(_waiting(before, event), event)
    return Step(_linked(before, event), event)


def _is_older_news(before: Link, event: Event) -> bool:
    """What one customer's unlink says is no news to another customer's link; a claim is held against the last claim."""
    others = before.customer_id != event.customer_id
    if others and before.claimed_at is not None:
        return (event.occurred_at, event.event_id) <= (before.claimed_at, before.claim_id)
    if others and not before.tied:
        return False
    return (event.occurred_at, event.event_id) <= (before.changed_at, before.event_id)


def _is_outdated(before: Link, event: Event) -> bool:
    """Whether somebody decided on a link that has changed since they looked at it, other than by the decision itself."""
    seen = event.properties.get("seen_version")
    if not is_decision(event) or seen is None or before.version == seen:
        return False
    return before.event_id != _moved(event)


def _moved(event: Event) -> str:
    """The id of the end of a tie that makes way for another one."""
    return f"{event.event_id}~moved"


def _linked(before: Link | None, event: Event) -> Link:
    if before is not None and before.tied:
        return _said_again(before, event)
    return Link(
        line_user_id=str(event.properties["line_user_id"]),
        customer_id=event.customer_id,
        method=method_of(event),
        status="linked",
        linked_at=event.occurred_at,
        changed_at=event.occurred_at,
        event_id=event.event_id,
        came_by=event.told_of,
        version=before.version if before else 0,
    )


def _said_again(before: Link, event: Event) -> Link:
    """The owner says it again: that settles a claim that is older. Who decided did not link anybody anew."""
    said = event.occurred_at, event.event_id
    again = msgspec.structs.replace(
        before,
        method=before.method if is_decision(event) else method_of(event),
        changed_at=event.occurred_at,
        event_id=event.event_id,
    )
    if before.claimed_at is not None and (before.claimed_at, before.claim_id) > said:
        return again
    return msgspec.structs.replace(without_claim(again), status="linked")


def _claimed(before: Link, event: Event, linking: Linking) -> Step:
    """Somebody else says that the LINE user is theirs. To move it, the tie is ended first, at that very instant."""
    if is_decision(event) or linking.conflict == "move":
        end = msgspec.structs.replace(
            event,
            name="line_unlinked",
            customer_id=before.customer_id,
            event_id=_moved(event),
        )
        return Step(_free(msgspec.structs.replace(before, status="unlinked"), end), end)
    if linking.conflict == "keep":
        return Step(_refused(before, event), event)
    return Step(_with_claim(before, event), event)


def _waiting(before: Link | None, event: Event) -> Link:
    """A claim on a LINE user that is nobody's, which a person has to allow."""
    nobodys = Link(
        line_user_id=str(event.properties["line_user_id"]),
        customer_id="",
        method="",
        status="conflict",
        linked_at=event.occurred_at,
        changed_at=event.occurred_at,
        event_id=event.event_id,
        version=before.version if before else 0,
    )
    return _with_claim(nobodys, event)


def _with_claim(link: Link, event: Event) -> Link:
    return msgspec.structs.replace(
        link,
        status="conflict",
        claimed_by=event.customer_id,
        claim_method=method_of(event),
        claim_id=event.event_id,
        claimed_at=event.occurred_at,
        claim_rewards=bool(event.properties.get("reward")),
    )


def _claim_of(link: Link) -> Event:
    """What the claimant said, as news of the moment at which the owner let go."""
    at = max(link.claimed_at or link.changed_at, link.changed_at)
    return Event(
        event_id=f"{link.claim_id}~free",
        customer_id=link.claimed_by,
        name="line_linked",
        occurred_at=at,
        properties={
            "line_user_id": link.line_user_id,
            "method": link.claim_method,
            "reward": link.claim_rewards,
        },
    )


def _unlinked(before: Link | None, event: Event) -> Link | None:
    """An unlink that overtakes its link is kept, so that the link, which is older, finds it."""
    user, at = str(event.properties["line_user_id"]), event.occurred_at
    if before is None:
        return Link(user, event.customer_id, method_of(event), "unlinked", at, at, event.event_id)
    if before.claimed_by == event.customer_id:
        if before.tied:
            return msgspec.structs.replace(_refused(before, event), status="linked")
        nobodys = msgspec.structs.replace(
            before, customer_id=event.customer_id, came_by=event.told_of, status="unlinked"
        )
        return _free(nobodys, event)
    if not before.tied or before.customer_id != event.customer_id:
        return None
    ended = msgspec.structs.replace(before, status="unlinked", changed_at=at, event_id=event.event_id)
    return without_claim(ended) if is_undo(event) else ended


def _refused(link: Link, event: Event) -> Link:
    """A claim came to nothing: told again it is no news."""
    return msgspec.structs.replace(without_claim(link), claimed_at=event.occurred_at, claim_id=event.event_id)


def _free(link: Link, event: Event) -> Link:
    return msgspec.structs.replace(without_claim(link), changed_at=event.occurred_at, event_id=event.event_id)


def replacing(newest: Link, other: Link) -> Event:
    """What a customer's newest LINE user says of an earlier one where only the newest stays linked."""
    return Event(
        event_id=f"{newest.event_id}~newest",
        customer_id=other.customer_id,
        name="line_unlinked",
        occurred_at=newest.changed_at,
        properties={"line_user_id": other.line_user_id, "method": "newest"},
    )
