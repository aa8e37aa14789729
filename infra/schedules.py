"""EventBridge Scheduler: the minute, the hour, the nightly audit and measuring, and the group that campaigns are scheduled
in at run time."""

import json
from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.function import Function
from infra.parameters import Parameters
from infra.queues import Queues

# A minute that could not be delivered is still worth ticking a day later: its timers are due all the same.
RETRY_AGE_SECONDS_MAX = 86_400
HOUR_SECONDS = 3_600


class Schedules(Construct):
    """The group and the role under which a campaign's schedule may wake the evaluate queue."""

    def __init__(
        self, scope: Construct, construct_id: str, *, queues: Queues, parameters: Parameters
    ) -> None:
        super().__init__(scope, construct_id)
        self._queues = queues
        self._parameters = parameters
        self.group_name = cdk.Aws.STACK_NAME
        self._group = scheduler.CfnScheduleGroup(self, "Group", name=self.group_name)
        self.campaign_role = self._role("CampaignRole")
        self.campaign_role.add_to_policy(
            _statement(
                ["sqs:SendMessage"], [queues.evaluate.queue.queue_arn, queues.schedules_dead.queue_arn]
            )
        )

    def tick_every_minute(self, function: Function) -> scheduler.CfnSchedule:
        """rate(1 minute), which carries the minute it was meant for, however late it arrives."""
        role = self._role("TickRole")
        role.add_to_policy(_statement(["lambda:InvokeFunction"], [function.live.function_arn]))
        role.add_to_policy(_statement(["sqs:SendMessage"], [self._queues.schedules_dead.queue_arn]))
        schedule = scheduler.CfnSchedule(
            self,
            "Tick",
            group_name=self.group_name,
            schedule_expression="rate(1 minute)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state=self._parameters.schedules_state.value_as_string,
            target=self._tick_target(function, role),
        )
        schedule.node.add_dependency(self._group, role)
        return schedule

    def audit_every_day(self) -> scheduler.CfnSchedule:
        """A part of all customers each night, when little else is going on; a night that was missed is made up for."""
        schedule = scheduler.CfnSchedule(
            self,
            "Audit",
            group_name=self.group_name,
            schedule_expression="cron(0 18 * * ? *)",  # 03:00 in Tokyo
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state=self._parameters.schedules_state.value_as_string,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self._queues.evaluate.queue.queue_arn,
                role_arn=self.campaign_role.role_arn,
                input=json.dumps({"audit_at": "<aws.scheduler.scheduled-time>"}),
                retry_policy=_retry_policy(),
                dead_letter_config=self._dead_letters(),
            ),
        )
        schedule.node.add_dependency(self._group, self.campaign_role)
        return schedule

    def insight_every_hour(self, function: Function) -> scheduler.CfnSchedule:
        """LINE tells so many figures an hour; an hour that is missed is made up for in the next."""
        role = self._role("InsightRole")
        role.add_to_policy(_statement(["lambda:InvokeFunction"], [function.live.function_arn]))
        schedule = scheduler.CfnSchedule(
            self,
            "Insight",
            group_name=self.group_name,
            schedule_expression="cron(40 * * * ? *)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state=self._parameters.schedules_state.value_as_string,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=function.live.function_arn,
                role_arn=role.role_arn,
                input=json.dumps({"scheduled_at": "<aws.scheduler.scheduled-time>"}),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=HOUR_SECONDS, maximum_retry_attempts=2
                ),
            ),
        )
        schedule.node.add_dependency(self._group, role)
        return schedule

    def measure_every_day(self) -> scheduler.CfnSchedule:
        """Once yesterday is over in Tokyo, and what came late with the night's files is in."""
        role, pair = self._role("MeasureRole"), self._queues.measure
        role.add_to_policy(_statement(["sqs:SendMessage"], [pair.queue.queue_arn, pair.dead.queue_arn]))
        schedule = scheduler.CfnSchedule(
            self,
            "Measure",
            group_name=self.group_name,
            schedule_expression="cron(0 19 * * ? *)",  # 04:00 in Tokyo
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            state=self._parameters.schedules_state.value_as_string,
            target=scheduler.CfnSchedule.TargetProperty(
                arn=pair.queue.queue_arn,
                role_arn=role.role_arn,
                # No day: it is the last that is over, and those that were missed before it, whenever this arrives.
                input=json.dumps({"measure": None}),
                retry_policy=_retry_policy(),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=pair.dead.queue_arn),
            ),
        )
        schedule.node.add_dependency(self._group, role)
        return schedule

    def allow_arming(self, function: Function) -> None:
        """Let `function` make and move schedules of this group that run under the campaign role."""
        arming = ["CreateSchedule", "UpdateSchedule", "GetSchedule", "DeleteSchedule"]
        function.allow([f"scheduler:{action}" for action in arming], [self.campaigns_arn])
        function.acknowledge_star(
            self.campaigns_arn, "one schedule a campaign, named when its playbook is applied"
        )
        to_scheduler = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
        function.allow(["iam:PassRole"], [self.campaign_role.role_arn], to_scheduler)

    @property
    def campaigns_arn(self) -> str:
        """Every schedule of the group."""
        return self._arn("schedule", "/*")

    def _tick_target(self, function: Function, role: iam.Role) -> scheduler.CfnSchedule.TargetProperty:
        return scheduler.CfnSchedule.TargetProperty(
            arn=function.live.function_arn,
            role_arn=role.role_arn,
            input=json.dumps({"scheduled_at": "<aws.scheduler.scheduled-time>"}),
            retry_policy=_retry_policy(),
            dead_letter_config=self._dead_letters(),
        )

    def _dead_letters(self) -> scheduler.CfnSchedule.DeadLetterConfigProperty:
        return scheduler.CfnSchedule.DeadLetterConfigProperty(arn=self._queues.schedules_dead.queue_arn)

    def _role(self, name: str) -> iam.Role:
        """A role for Scheduler, and for this account's group alone."""
        principal = iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={
                "StringEquals": {
                    "aws:SourceAccount": cdk.Aws.ACCOUNT_ID,
                    "aws:SourceArn": self._arn("schedule-group"),
                }
            },
        )
        return iam.Role(self, name, assumed_by=cast("iam.IPrincipal", principal))

    def _arn(self, kind: str, rest: str = "") -> str:
        place = f"{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}"
        return f"arn:{cdk.Aws.PARTITION}:scheduler:{place}:{kind}/{self.group_name}{rest}"


def _retry_policy() -> scheduler.CfnSchedule.RetryPolicyProperty:
    return scheduler.CfnSchedule.RetryPolicyProperty(
        maximum_event_age_in_seconds=RETRY_AGE_SECONDS_MAX, maximum_retry_attempts=185
    )


def _statement(actions: list[str], resources: list[str]) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=resources)
