"""What the facts function is made of."""

from functools import cache

from functions.aws.clients import client
from functions.aws.live_bus import EventBridgeLive
from functions.aws.measures import LogMeasures
from functions.aws.objects import Objects, S3Playbooks
from functions.aws.raw_facts import S3RawFacts
from functions.aws.streams import StreamedTables
from functions.clock import real_clock
from functions.facts.flow import Live, RecordFacts
from functions.settings import Settings, read_settings, required


@cache
def record_facts() -> RecordFacts:
    """The flow of this process."""
    settings = read_settings()
    objects = Objects(client("s3"), required(settings.bucket, "BUCKET"))
    return RecordFacts(
        S3Playbooks(objects),
        S3RawFacts(objects),
        LogMeasures(required(settings.schedule_group, "SCHEDULE_GROUP")),
        _live(settings),
    )


def _live(settings: Settings) -> Live | None:
    """Only where the deployment has the bus. Streams tell real time, whatever the clock of customers says."""
    if not settings.live_bus:
        return None
    return Live(EventBridgeLive(client("events"), settings.live_bus), settings.account, real_clock)


@cache
def tables() -> StreamedTables:
    """The names of the tables whose streams it is given."""
    settings = read_settings()
    return StreamedTables(
        sends=required(settings.table_sends, "TABLE_SENDS"),
        events=required(settings.table_events, "TABLE_EVENTS"),
        customers=required(settings.table_customers, "TABLE_CUSTOMERS"),
    )
