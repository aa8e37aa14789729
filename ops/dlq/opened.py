"""The flow of dead letters, opened on one deployment."""

import uuid

from functions.aws.dead_letters import SqsDeadLetters, dead_queues, tick_by
from functions.aws.redrives import S3Redrives, redrive_id
from functions.redrive.flow import Replay
from functions.redrive.foresight import Foresight
from ops.stores import Stores


def replay_of(stores: Stores) -> Replay:
    """What the redrive function runs, under the operator's own rights."""
    target, settings = stores.target, stores.settings
    # The engine is one server: there is no second one that a longer look would have to ask.
    wait_seconds = 0 if target.engine_url else 1
    tick = tick_by(target.client("lambda"), settings.function_tick)
    return Replay(
        letters=SqsDeadLetters(
            target.client("sqs"), dead_queues(settings.dead_queues), stores.objects, tick, wait_seconds
        ),
        redrives=S3Redrives(stores.objects),
        foresight=Foresight(
            stores.customers, stores.sends, stores.playbooks, stores.account_state, stores.now
        ),
        name=lambda at: redrive_id(at, uuid.uuid4().hex[:8]),
        now=stores.now,
    )
