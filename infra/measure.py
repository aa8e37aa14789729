"""Measuring: once a day raw facts are merged into partitions, and what rests on them is worked out anew."""

import aws_cdk as cdk
from constructs import Construct

from infra.function import Function, Surroundings
from infra.memory import MEMORY_MB
from infra.objects import Objects
from infra.queues import Queues
from infra.worker import feed

# A day's facts, raw and merged, and the days that are looked back on.
STORAGE_GIB = 6
# Lambda takes no less than 2 for a queue. Should two measure at once, the one that is second to write begins anew.
CONCURRENCY_MAX = 2
WRITTEN = ("facts/v1/", "derived/", "measure/", "failures/", "alerts/v1/", "results/v1/")


def measure_function(scope: Construct, around: Surroundings, queues: Queues, objects: Objects) -> Function:
    """One message, one day or several: it re-enqueues itself when its time is nearly over."""
    function = Function(
        scope,
        "measure",
        around=around,
        memory_mb=MEMORY_MB["measure"],
        storage=cdk.Size.gibibytes(STORAGE_GIB),
        timeout=around.parameters.measure_timeout(),
        environment={
            "QUEUE_MEASURE_URL": queues.measure.queue.queue_url,
            "BUCKET": objects.bucket.bucket_name,
        },
    )
    function.may_send(queues.measure.queue)
    function.may_use_objects(
        objects.bucket,
        read=["playbooks/", "facts/", "derived/", "measure/", "models/", "alerts/v1/", "results/v1/"],
        # What it finds out of customers goes the way of every file, and of the account beside the other context facts.
        write=[*WRITTEN, "incoming/musubi-", "playbooks/context.json"],
        # No partition of facts is ever taken away.
        remove=["facts/raw/", "derived/", "measure/touched/", "results/v1/"],
    )
    feed(function, queues.measure.queue, batch=1, concurrency_max=CONCURRENCY_MAX)
    return function
