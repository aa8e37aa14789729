"""The tables and objects of one deployment, as the command line reads them: the functions' own adapters."""

from dataclasses import dataclass
from functools import cached_property

from functions.aws.account import DynamoAccountState
from functions.aws.allowances import DynamoAllowances
from functions.aws.audience import DynamoAudience
from functions.aws.context_facts import S3Context
from functions.aws.erasing import DynamoSuppressions
from functions.aws.history import DynamoEvents
from functions.aws.identities import DynamoIdentities
from functions.aws.inflow_sources import S3InflowSources
from functions.aws.items import DynamoCustomers
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.queues import Queue, SqsContinuation, SqsInbox, SqsSendQueue
from functions.aws.reactions import DynamoReactions
from functions.aws.scans import S3Backfills
from functions.aws.schedules import CampaignSchedules
from functions.aws.secrets import SecretField
from functions.aws.send_log import DynamoSends
from functions.aws.send_reports import SendReports
from functions.aws.timers import DynamoTimers
from functions.clock import Clock, clock_of
from functions.settings import Settings
from ops.target import Target


@dataclass(frozen=True)
class Stores:
    """One deployment, opened."""

    target: Target

    @cached_property
    def settings(self) -> Settings:
        """The names in this deployment."""
        return self.target.settings()

    @cached_property
    def now(self) -> Clock:
        """The deployment's clock: virtual on this machine, real on AWS."""
        return clock_of(self.settings.clock_file)

    @cached_property
    def customers(self) -> DynamoCustomers:
        """Customers and gates."""
        settings = self.settings
        return DynamoCustomers(self.target.client("dynamodb"), settings.table_customers, settings.table_gates)

    @cached_property
    def audience(self) -> DynamoAudience:
        """All customers, page by page."""
        return DynamoAudience(self.target.client("dynamodb"), self.settings.table_customers)

    @cached_property
    def identities(self) -> DynamoIdentities:
        """The identity map."""
        names = self.settings
        return DynamoIdentities(
            self.target.client("dynamodb"), names.table_identities, names.table_customers, names.table_gates
        )

    @cached_property
    def suppressions(self) -> DynamoSuppressions:
        """Who was erased."""
        key = SecretField(self.target.client("secretsmanager"), self.settings.secret_erasure, "erasure_key")
        return DynamoSuppressions(self.target.client("dynamodb"), self.settings.table_identities, key)

    @cached_property
    def sends(self) -> DynamoSends:
        """The send log."""
        return DynamoSends(self.target.client("dynamodb"), self.settings.table_sends)

    @cached_property
    def reports(self) -> SendReports:
        """The send log, for reports."""
        return SendReports(self.target.client("dynamodb"), self.settings.table_sends)

    @cached_property
    def events(self) -> DynamoEvents:
        """The event history."""
        return DynamoEvents(self.target.client("dynamodb"), self.settings.table_events)

    @cached_property
    def account_state(self) -> DynamoAccountState:
        """What holds for the whole account."""
        names = self.settings
        return DynamoAccountState(self.target.client("dynamodb"), names.table_gates, names.account)

    @cached_property
    def reactions(self) -> DynamoReactions:
        """How people react to what was sent."""
        names = self.settings
        return DynamoReactions(self.target.client("dynamodb"), names.table_gates, names.account)

    @cached_property
    def timers(self) -> DynamoTimers:
        """What is due, and what waits."""
        names = self.settings
        return DynamoTimers(self.target.client("dynamodb"), names.table_timers, names.timer_shards)

    @cached_property
    def send_queue(self) -> SqsSendQueue:
        """The queues in front of send."""
        sqs, names = self.target.client("sqs"), self.settings
        return SqsSendQueue(Queue(sqs, names.queue_send_url), Queue(sqs, names.queue_bulk_url))

    @cached_property
    def allowances(self) -> DynamoAllowances:
        """The counters of reserved messages."""
        names = self.settings
        return DynamoAllowances(self.target.client("dynamodb"), names.table_gates, names.account)

    @cached_property
    def objects(self) -> Objects:
        """The bucket."""
        return Objects(self.target.client("s3"), self.settings.bucket)

    @cached_property
    def playbooks(self) -> S3Playbooks:
        """The playbooks applied to this deployment."""
        return S3Playbooks(self.objects)

    @cached_property
    def context(self) -> S3Context:
        """The context facts of this deployment."""
        return S3Context(self.objects)

    @cached_property
    def inflow_sources(self) -> S3InflowSources:
        """The sources that friends come by."""
        return S3InflowSources(self.objects)

    @cached_property
    def backfills(self) -> S3Backfills:
        """Back-fills and how far they have come."""
        return S3Backfills(self.objects)

    @cached_property
    def evaluation(self) -> SqsContinuation:
        """The queue in front of evaluate."""
        return SqsContinuation(Queue(self.target.client("sqs"), self.settings.queue_evaluate_url))

    @cached_property
    def inbox(self) -> SqsInbox:
        """The queue in front of decide."""
        return SqsInbox(Queue(self.target.client("sqs"), self.settings.queue_inbox_url))

    @cached_property
    def schedules(self) -> CampaignSchedules:
        """The campaigns' schedules."""
        names = self.settings
        return CampaignSchedules(
            self.target.client("scheduler"),
            names.schedule_group,
            names.queue_evaluate_arn,
            names.schedules_dead_arn,
            names.schedule_role_arn,
            names.schedules_state,
        )
