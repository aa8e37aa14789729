"""EventBridge Scheduler: one one-off schedule a campaign, in UTC; the local rules are worked out before."""

import hashlib
from typing import TYPE_CHECKING, Any

from functions.aws.queues import evaluation_body
from functions.domain.instants import Instant
from functions.ports.messages import CampaignRun

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient

RETRIES_MAX = 185
EVENT_AGE_SECONDS_MAX = 86_400


class CampaignSchedules:
    """The schedules of one deployment's group. `state` is DISABLED where another clock fires them."""

    def __init__(
        self,
        client: "EventBridgeSchedulerClient",
        group: str,
        queue_arn: str,
        dead_arn: str,
        role_arn: str,
        state: str,
    ) -> None:
        self._client = client
        self._group = group
        self._queue_arn = queue_arn
        self._dead_arn = dead_arn
        self._role_arn = role_arn
        self._state = state

    def put(self, campaign: str, occurrence: Instant) -> None:
        """Let `evaluate` run this campaign at this instant, whatever was set before."""
        self._put(name_of(campaign), CampaignRun(campaign, occurrence), occurrence)

    def look_again(self, campaign: str, occurrence: Instant, at: Instant) -> None:
        """Give the run to `evaluate` once more at this instant; the schedule is gone when it has fired."""
        order = CampaignRun(campaign, occurrence)
        digest = hashlib.sha256(evaluation_body(order).encode()).hexdigest()[:32]
        self._put(f"again-{digest}", order, at, ActionAfterCompletion="DELETE")

    def _put(self, name: str, order: CampaignRun, at: Instant, **more: str) -> None:
        arguments: dict[str, Any] = {
            **more,
            "Name": name,
            "GroupName": self._group,
            "ScheduleExpression": f"at({at:%Y-%m-%dT%H:%M:%S})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": self._state,
            "Target": {
                "Arn": self._queue_arn,
                "RoleArn": self._role_arn,
                "Input": evaluation_body(order),
                "DeadLetterConfig": {"Arn": self._dead_arn},
                "RetryPolicy": {
                    "MaximumRetryAttempts": RETRIES_MAX,
                    "MaximumEventAgeInSeconds": EVENT_AGE_SECONDS_MAX,
                },
            },
        }
        try:
            self._client.update_schedule(**arguments)
        except self._client.exceptions.ResourceNotFoundException:
            self._create(arguments)

    def _create(self, arguments: dict[str, Any]) -> None:
        try:
            self._client.create_schedule(**arguments)
        except self._client.exceptions.ConflictException:
            self._client.update_schedule(**arguments)  # another worker created it between the two calls

    def remove(self, campaign: str) -> None:
        """Let it run no more; one that is not there is no error."""
        try:
            self._client.delete_schedule(Name=name_of(campaign), GroupName=self._group)
        except self._client.exceptions.ResourceNotFoundException:
            return

    def campaigns(self) -> set[str]:
        """The campaigns that have a schedule."""
        pages = self._client.get_paginator("list_schedules").paginate(
            GroupName=self._group, NamePrefix=PREFIX
        )
        return {item["Name"].removeprefix(PREFIX) for page in pages for item in page["Schedules"]}


PREFIX = "campaign-"


def name_of(campaign: str) -> str:
    """The schedule's name."""
    return f"{PREFIX}{campaign}"
