"""The composition: which construct gets what. What each one is, its own module says."""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.alarms import FAILED, Alarms
from infra.alerts import let_ring
from infra.api import Api
from infra.budget import TAG
from infra.bus import Bus
from infra.catalog import Catalog, database_name
from infra.click import click_function
from infra.dashboard import Dashboard
from infra.decide import decide_function
from infra.deployments import Deployment
from infra.encryption import Encryption
from infra.evaluate import evaluate_function
from infra.facts import facts_function
from infra.function import Function, Surroundings
from infra.ingest import ingest_function
from infra.insight import insight_function
from infra.link import link_function
from infra.live import LiveBus
from infra.load import load_function, notify_of_files
from infra.measure import measure_function
from infra.objects import Objects
from infra.outputs import write_outputs
from infra.parameters import Parameters
from infra.people import People, Places
from infra.queues import Queues
from infra.redrive import redrive_function
from infra.release import Release
from infra.schedules import Schedules
from infra.secrets import Secrets
from infra.send import send_function
from infra.tables import Tables
from infra.tick import tick_function
from infra.webhook import webhook_function

DESCRIPTION = "Musubi: LINE × CRM lifecycle messaging"


class MusubiStack(cdk.Stack):
    """One LINE account's deployment, alone or as deployments.yaml has it; nothing in it names another's."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: lambda_.Code,
        files_code: lambda_.Code,
        measure_code: lambda_.Code,
        deployment: Deployment | None = None,
    ) -> None:
        super().__init__(scope, construct_id, description=DESCRIPTION, **_placed(construct_id, deployment))
        self.parameters = Parameters(self)
        if deployment:
            self.parameters.settle(self, deployment.parameters)
        key = Encryption(self, "Encryption").as_key()
        self.around = Surroundings(code=code, parameters=self.parameters, key=key)
        self.around_files = Surroundings(code=files_code, parameters=self.parameters, key=key)
        self.around_measure = Surroundings(code=measure_code, parameters=self.parameters, key=key)
        self._keep(key)
        self.schedules = Schedules(self, "Schedules", queues=self.queues, parameters=self.parameters)
        self.functions = self._functions()
        self._open_doors(deployment)
        self._let_time_pass()
        self._watch(deployment)
        self._let_people_in(key, is_settled=deployment is not None)
        write_outputs(
            self,
            tables=self.tables,
            queues=self.queues,
            objects=self.objects,
            secrets=self.secrets,
            schedules=self.schedules,
            api=self.api,
            functions=self.functions,
            bus=self.bus,
            live=self.live,
            people=self.people,
        )

    def _keep(self, key: kms.IKey) -> None:
        """What outlives every release."""
        self.tables = Tables(self, "Tables", key=key)
        self.queues = Queues(self, "Queues", parameters=self.parameters)
        self.objects = Objects(self, "Objects", key=key, parameters=self.parameters)
        notify_of_files(self.objects, self.queues)
        self.secrets = Secrets(self, "Secrets", key=key)

    def _open_doors(self, deployment: Deployment | None) -> None:
        """By which others tell us something, and are told."""
        self.api = Api(
            self,
            "Api",
            webhook=self.functions["webhook"],
            ingest=self.functions["ingest"],
            link=self.functions["link"],
            click=self.functions["click"],
            send=self.functions["send"],
            decide=self.functions["decide"],
            parameters=self.parameters,
        )
        self.bus = Bus(self, "Bus", queues=self.queues)
        if deployment and deployment.company_bus:
            self.bus.listen_to(deployment.company_bus, deployment.account)
        self.live = LiveBus(self, "LiveResults", parameters=self.parameters)
        self.live.be_told_by(self.functions["facts"])

    def _let_time_pass(self) -> None:
        self.schedules.tick_every_minute(self.functions["tick"])
        self.schedules.audit_every_day()
        self.schedules.insight_every_hour(self.functions["insight"])
        self.schedules.measure_every_day()

    def _watch(self, deployment: Deployment | None) -> None:
        """What says that something is amiss, and takes a release back by it."""
        self.alarms = Alarms(
            self,
            "Alarms",
            queues=self.queues,
            tables=self.tables,
            functions=self.functions,
            parameters=self.parameters,
            account=deployment.name if deployment else "",
        )
        let_ring(self.functions["measure"], self.alarms.topic)
        Release(
            self,
            "Release",
            functions=self.functions,
            alarms=self.alarms.by_name,
            watched=FAILED,
            parameters=self.parameters,
        )
        Dashboard(
            self,
            "Dashboard",
            alarms=self.alarms,
            queues=self.queues,
            tables=self.tables,
            functions=self.functions,
            api=self.api.api,
        )

    def _let_people_in(self, key: kms.IKey, *, is_settled: bool) -> None:
        """Whoever works with it, each with the rights of their work, and the tables that analysts read."""
        database = database_name(self, self.parameters.account, settled=is_settled)
        self.people = People(
            self,
            "People",
            places=Places(
                tables=self.tables,
                queues=self.queues,
                objects=self.objects,
                secrets=self.secrets,
                schedules=self.schedules,
                catalog=Catalog(self, "Catalog", objects=self.objects, key=key, name=database),
                key=key,
                functions=self.functions,
                topic_arn=self.alarms.topic.topic_arn,
            ),
        )

    def _functions(self) -> Mapping[str, Function]:
        around, tables, queues = self.around, self.tables, self.queues
        secrets, objects = self.secrets, self.objects
        tick = tick_function(self, around, tables, queues, objects)
        return {
            "webhook": webhook_function(self, around, queues, secrets),
            "ingest": ingest_function(self, around, tables, queues, secrets, objects),
            "decide": decide_function(self, around, tables, queues, secrets, objects),
            "tick": tick,
            "evaluate": evaluate_function(self, around, tables, queues, objects, self.schedules),
            "send": send_function(self, around, tables, queues, secrets, objects),
            "link": link_function(self, around, tables, queues, secrets, objects),
            "insight": insight_function(self, around, tables, secrets, objects),
            "click": click_function(self, around, queues, secrets),
            "load": load_function(self, self.around_files, tables, queues, secrets, objects),
            "measure": measure_function(self, self.around_measure, queues, objects),
            "facts": facts_function(self, around, tables, objects),
            "redrive": redrive_function(self, around, tables, queues, objects, tick),
        }


def _placed(name: str, deployment: Deployment | None) -> dict[str, Any]:
    """Where a stack goes, and what everything in it is tagged with, so that bills and people can tell accounts apart."""
    if deployment is None:
        return {"tags": {TAG: name}}
    return {
        "env": cdk.Environment(account=deployment.aws_account, region=deployment.region),
        "tags": {
            TAG: name,
            "musubi:environment": deployment.environment,
            "musubi:account": deployment.account,
            "musubi:provider": deployment.provider,
            "musubi:channel": deployment.channel,
        },
    }
