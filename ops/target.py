"""Which deployment a command speaks to: the engine of this machine, or a stack on AWS."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError

from functions.settings import LINE_MULTICAST_PER_SECOND, LINE_PUSH_PER_SECOND, Settings
from ops.engine.clients import Clients
from ops.engine.deploy import describe
from ops.engine.errors import DeployError, LocalError
from ops.engine.server import REGION

# infra/app.py names the stack so; importing it here would start the CDK.
STACK_NAME = "Musubi"
DEAD_URL = re.compile(r"Dead[A-Z][a-z]+Url")


@dataclass(frozen=True, slots=True)
class Target:
    """One deployment: its outputs (infra/outputs.py) and parameters (infra/parameters.py) by name."""

    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    clients: Clients

    @property
    def engine_url(self) -> str | None:
        """The engine's address; None for AWS."""
        return self.clients.endpoint_url

    def client(self, service: str) -> Any:
        """The boto3 client of `service` for this deployment, made once."""
        return self.clients.client(service)

    def output(self, name: str) -> str:
        """One output of the stack. LocalError where the deployment is older than this command."""
        try:
            return self.outputs[name]
        except KeyError:
            raise LocalError(f"The deployment has no output {name}: deploy this version first.") from None

    def parameter(self, name: str) -> str:
        """One parameter of the stack. LocalError where the deployment is older than this command."""
        try:
            return self.parameters[name]
        except KeyError:
            raise LocalError(f"The deployment has no parameter {name}: deploy this version first.") from None

    def dead_queues(self) -> dict[str, dict[str, str]]:
        """Every dead-letter queue by the name of what it serves, with the queue that its letters belong to.

        What EventBridge could not deliver belongs to the evaluate queue, but for the minutes, which tick does itself.
        """
        dead = {name[4:-3]: url for name, url in self.outputs.items() if DEAD_URL.fullmatch(name)}
        works = {name: self.output(f"Queue{'Evaluate' if name == 'Schedules' else name}Url") for name in dead}
        return {name.lower(): {"dead": url, "work": works[name]} for name, url in dead.items()}

    def settings(self) -> Settings:
        """What a function that used everything would be told."""
        of, given = self.output, self.parameter
        return Settings(
            account=given("Account"),
            table_identities=of("TableIdentities"),
            table_customers=of("TableCustomers"),
            table_gates=of("TableGates"),
            table_sends=of("TableSends"),
            table_events=of("TableEvents"),
            table_timers=of("TableTimers"),
            queue_inbox_url=of("QueueInboxUrl"),
            queue_send_url=of("QueueSendUrl"),
            queue_bulk_url=of("QueueBulkUrl"),
            queue_evaluate_url=of("QueueEvaluateUrl"),
            queue_load_url=of("QueueLoadUrl"),
            queue_measure_url=of("QueueMeasureUrl"),
            bucket=of("Bucket"),
            secret_line=of("SecretLine"),
            secret_ingest=of("SecretIngest"),
            secret_erasure=of("SecretErasure"),
            secret_link=of("SecretLink"),
            line_api_url=given("LineApiUrl"),
            line_login_url=given("LineLoginUrl"),
            line_access_url=given("LineAccessUrl"),
            line_friend_url=given("LineFriendUrl"),
            liff_url=given("LiffUrl"),
            liff_sdk_url=given("LiffSdkUrl"),
            link_url=of("LinkUrl").removesuffix("/link").replace("{api}", of("ApiId")),
            schedule_group=of("ScheduleGroup"),
            schedule_role_arn=of("ScheduleRoleArn"),
            queue_evaluate_arn=of("QueueEvaluateArn"),
            schedules_dead_arn=of("DeadSchedulesArn"),
            dead_queues=json.dumps(self.dead_queues()),
            function_tick=of("FunctionTick"),
            topic_alarms_arn="",
            live_bus=self.outputs.get("LiveBusName", ""),
            schedules_state=given("SchedulesState"),
            clock_file=given("ClockFile"),
            timer_shards=int(given("TimerShards")),
            hold_in_queue_seconds_max=int(given("HoldInQueueSecondsMax")),
            line_timeout_seconds=5.0,
            push_per_second=LINE_PUSH_PER_SECOND,
            multicast_per_second=LINE_MULTICAST_PER_SECOND,
        )


def local_target(state: Path) -> Target:
    """The deployment that `musubi local up` recorded in `state`. LocalError where there is none."""
    try:
        recorded = json.loads(state.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LocalError("Nothing is up on this machine: run `musubi local up` first.") from None
    clients = Clients(recorded["engine_url"], REGION)
    return Target(recorded["stack_outputs"], recorded["stack_parameters"], clients)


def aws_target(stack: str = STACK_NAME, region: str | None = None) -> Target:
    """The deployment of that name on AWS, under the caller's own credentials. LocalError where there is none."""
    clients = Clients(None, region)
    try:
        deployed = describe(clients.client("cloudformation"), stack)
    except DeployError as error:
        raise LocalError(f"{error} (region {clients.client('cloudformation').meta.region_name})") from error
    except BotoCoreError as error:
        raise LocalError(
            f"AWS cannot be asked about {stack}: {error} Set the region and credentials, as in AWS_REGION and AWS_PROFILE."
        ) from error
    return Target(deployed.outputs, deployed.parameters, clients)
