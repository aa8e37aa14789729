"""Whether there are facts to measure: read out of the streams, and merged by nobody yet."""

import time
from typing import TYPE_CHECKING, Any

from ops.engine.errors import StalledError
from ops.target import Target

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

POLL_SECONDS = 0.02
STALL_SECONDS = 120.0
BEHIND = " records behind"


class WaitingFacts:
    """The raw facts of one deployment, on the embedded engine."""

    def __init__(self, target: Target, stall_seconds: float = STALL_SECONDS) -> None:
        self._lambda: Any = target.client("lambda")
        self._s3: S3Client = target.client("s3")
        self._bucket = target.output("Bucket")
        self._function = target.outputs.get("FunctionFacts")
        self._stall_seconds = stall_seconds
        self.queue = target.output("QueueMeasureUrl").rpartition("/")[2]

    def waiting(self) -> bool:
        """Whether any fact waits to be merged, once all that was written has become one."""
        self.settle()
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix="facts/raw/", MaxKeys=1)
        return bool(found.get("KeyCount"))

    def settle(self) -> None:
        """Return once the streams are read to their ends. StalledError where one does not move."""
        seen, deadline = -1, 0.0
        while behind := self._behind():
            if behind != seen:
                seen, deadline = behind, time.monotonic() + self._stall_seconds
            elif time.monotonic() > deadline:
                raise StalledError(
                    f"{behind} records have not become facts for {self._stall_seconds:.0f} s: see the engine's log."
                )
            time.sleep(POLL_SECONDS)

    def _behind(self) -> int:
        if self._function is None:
            return 0
        found = self._lambda.list_event_source_mappings(FunctionName=self._function)["EventSourceMappings"]
        told = (mapping.get("LastProcessingResult", "") for mapping in found)
        return sum(int(text.removesuffix(BEHIND)) for text in told if text.endswith(BEHIND))
