"""What the gate and the log say of a message beside what LINE was asked."""

from collections.abc import Iterator

from functions.domain.gate import Gate
from tests.simulation.world import SimulatedWorld

NOT_LINES = ("render_error",)


def failures_are_definite(world: SimulatedWorld) -> Iterator[str]:
    """A message is recorded as failed only where LINE refused it and no attempt went unanswered."""
    for record in world.records():
        if record.status != "failed" or record.reason in NOT_LINES:
            continue
        attempts = world.witness.attempts.get(record.send_id, [])
        if not any(one.refused for one in attempts):
            yield f"recorded as failed ({record.reason}), never refused: {record.send_id[:8]} ({record.message})"
        if any(not one.answered for one in attempts):
            yield f"recorded as failed ({record.reason}), may have arrived: {record.send_id[:8]} ({record.message})"


def slots_are_counted(world: SimulatedWorld) -> Iterator[str]:
    """What was sent counts against the caps; what definitely was not has given its place back. After an undo what was counted
    counts for both, and the friend's place is not given back for what ends under the customer."""
    counted = {contact.send_id for gate in _gates(world) for contact in gate.contacts}
    for record in world.records():
        is_counted = record.send_id in counted
        if record.status == "sent" and not is_counted:
            yield f"sent, and not counted: {record.send_id[:8]} ({record.message})"
        if record.line_user_id in world.witness.parted:
            continue
        if record.status in ("failed", "suppressed") and is_counted:
            yield f"{record.status} ({record.reason}), and keeps its slot: {record.send_id[:8]} ({record.message})"


def _gates(world: SimulatedWorld) -> Iterator[Gate]:
    for customer_id in world.customers.gate_bodies:
        yield world.gate(customer_id)
