"""The only reader of the environment: what a function is told when it is deployed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

LINE_PUSH_PER_SECOND = 2_000.0
LINE_MULTICAST_PER_SECOND = 200.0
"""LINE's limits a channel (its Messaging API reference, rate limits)."""


class SettingsError(RuntimeError):
    """A setting that the function cannot run without is missing or malformed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Names and addresses of one deployment; secrets are named here, never held.

    `push_per_second`, `multicast_per_second`: this worker's share of LINE's rates.
    """

    account: str
    table_identities: str
    table_customers: str
    table_gates: str
    table_sends: str
    table_events: str
    table_timers: str
    queue_inbox_url: str
    queue_send_url: str
    queue_bulk_url: str
    queue_evaluate_url: str
    queue_load_url: str
    queue_measure_url: str
    bucket: str
    secret_line: str
    secret_ingest: str
    secret_erasure: str
    secret_link: str
    line_api_url: str
    line_login_url: str
    line_access_url: str
    line_friend_url: str
    liff_url: str
    liff_sdk_url: str
    link_url: str
    schedule_group: str
    schedule_role_arn: str
    queue_evaluate_arn: str
    schedules_dead_arn: str
    dead_queues: str
    function_tick: str
    topic_alarms_arn: str
    live_bus: str
    schedules_state: str
    clock_file: str
    timer_shards: int
    hold_in_queue_seconds_max: int
    line_timeout_seconds: float
    push_per_second: float
    multicast_per_second: float


def _text(environment: Mapping[str, str], name: str, default: str = "") -> str:
    return environment.get(name, "").strip() or default


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = _text(environment, name)
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"{name} must be a number, but is {text!r}.") from None


def required(value: str, name: str) -> str:
    """The value itself; SettingsError where the deployment left it out."""
    if not value:
        raise SettingsError(f"{name} is not set: the deployment of this function is incomplete.")
    return value


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. A function is given only what it uses; the rest stays empty."""
    env = os.environ if environment is None else environment
    return Settings(
        account=_text(env, "MUSUBI_ACCOUNT", "main"),
        table_identities=_text(env, "TABLE_IDENTITIES"),
        table_customers=_text(env, "TABLE_CUSTOMERS"),
        table_gates=_text(env, "TABLE_GATES"),
        table_sends=_text(env, "TABLE_SENDS"),
        table_events=_text(env, "TABLE_EVENTS"),
        table_timers=_text(env, "TABLE_TIMERS"),
        queue_inbox_url=_text(env, "QUEUE_INBOX_URL"),
        queue_send_url=_text(env, "QUEUE_SEND_URL"),
        queue_bulk_url=_text(env, "QUEUE_BULK_URL"),
        queue_evaluate_url=_text(env, "QUEUE_EVALUATE_URL"),
        queue_load_url=_text(env, "QUEUE_LOAD_URL"),
        queue_measure_url=_text(env, "QUEUE_MEASURE_URL"),
        bucket=_text(env, "BUCKET"),
        secret_line=_text(env, "SECRET_LINE"),
        secret_ingest=_text(env, "SECRET_INGEST"),
        secret_erasure=_text(env, "SECRET_ERASURE"),
        secret_link=_text(env, "SECRET_LINK"),
        line_api_url=_text(env, "LINE_API_URL", "https://api.line.me"),
        line_login_url=_text(env, "LINE_LOGIN_URL", "https://api.line.me"),
        line_access_url=_text(env, "LINE_ACCESS_URL", "https://access.line.me"),
        line_friend_url=_text(env, "LINE_FRIEND_URL", "https://line.me/R/ti/p"),
        liff_url=_text(env, "LIFF_URL", "https://liff.line.me"),
        liff_sdk_url=_text(env, "LIFF_SDK_URL", "https://static.line-scdn.net/liff/edge/2/sdk.js"),
        # One machine knows its engine's address before it knows the API's id.
        link_url=_text(env, "LINK_URL").replace("{api}", _text(env, "API_ID")).rstrip("/"),
        schedule_group=_text(env, "SCHEDULE_GROUP"),
        schedule_role_arn=_text(env, "SCHEDULE_ROLE_ARN"),
        queue_evaluate_arn=_text(env, "QUEUE_EVALUATE_ARN"),
        schedules_dead_arn=_text(env, "SCHEDULES_DEAD_ARN"),
        dead_queues=_text(env, "DEAD_QUEUES"),
        function_tick=_text(env, "FUNCTION_TICK"),
        topic_alarms_arn=_text(env, "TOPIC_ALARMS_ARN"),
        live_bus=_text(env, "LIVE_BUS"),
        schedules_state=_text(env, "SCHEDULES_STATE", "ENABLED"),
        clock_file=_text(env, "CLOCK_FILE"),
        timer_shards=int(_number(env, "TIMER_SHARDS", 4)),
        hold_in_queue_seconds_max=int(_number(env, "HOLD_IN_QUEUE_SECONDS_MAX", 60)),
        line_timeout_seconds=_number(env, "LINE_TIMEOUT_SECONDS", 5.0),
        push_per_second=_number(env, "LINE_PUSH_PER_SECOND", LINE_PUSH_PER_SECOND) / _workers(env),
        multicast_per_second=_number(env, "LINE_MULTICAST_PER_SECOND", LINE_MULTICAST_PER_SECOND)
        / _workers(env),
    )


def _workers(environment: Mapping[str, str]) -> float:
    """How many senders may work at once: each gets its share of LINE's rates."""
    return _number(environment, "SEND_CONCURRENCY", 1) + _number(environment, "BULK_CONCURRENCY", 0)
