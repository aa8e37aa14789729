"""What must hold of every deployment, read off the template that makes it."""

import datetime as dt
import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from functions.aws.dead_letters import dead_queues
from functions.aws.measures import LogMeasures
from functions.aws.measuring import decode_measure
from functions.aws.queues import decode_evaluation
from functions.click.flow import CLICKS_LOST
from functions.decide.late import EVENTS_TOO_OLD
from functions.decide.link_attempts import REFUSED as LINK_ATTEMPTS_REFUSED
from functions.decide.reactions import BREAKER_OPENED
from functions.domain.dead_letters import RECEIVES_MAX
from functions.domain.facts import TABLES as FACTS
from functions.domain.lake_schema import published_type
from functions.evaluate.approval import APPROVAL_AWAITED
from functions.evaluate.audit import REJECTED_FORGOTTEN
from functions.facts.flow import ENDED, LEFT_OUT, LIVE_LEFT_OUT
from functions.line import http, login
from functions.measure.results import KEPT_DAYS
from functions.measure.tables import TABLES as DERIVED
from functions.ports.messages import AuditPart, MeasureDay
from functions.send.allowance import MEASURES, QUOTA_USED
from functions.settings import read_settings
from functions.tick.sources import SOURCES_HELD
from infra.facts import FOLLOWING
from ops.engine.clients import Clients
from ops.local.up import Wishes, local_parameters
from ops.target import Target
from tests.infra.conftest import Template
from tests.simulation.throughput import Lanes

HOURLY = "cron(40 * * * ? *)"
WORK_QUEUES = {"inbox", "send", "bulk", "evaluate", "load", "bus", "measure"}
DAY_SECONDS = 86_400
CONCURRENCY_LEAST = 2
"""Lambda takes no less for a queue."""


def resources(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """Properties of the resources of a type by logical id."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def logical_id(reference: Any) -> str:
    """The resource that a Ref or a GetAtt names."""
    if "Ref" in reference:
        return str(reference["Ref"])
    return str(reference["Fn::GetAtt"][0])


def function_of(template: Template, mapping: Any) -> Any:
    """The function that a mapping feeds, through its alias."""
    (alias,) = re.findall(r'"Ref": "(\w+Live\w+)"', json.dumps(mapping["FunctionName"]))
    name = template["Resources"][alias]["Properties"]["FunctionName"]["Ref"]
    return template["Resources"][name]["Properties"]


def value_of(template: Template, setting: Any, parameters: dict[str, str] | None = None) -> float:
    """A number, or the parameter it is taken from."""
    if isinstance(setting, dict):
        name = setting["Ref"]
        return float((parameters or {}).get(name, template["Parameters"][name].get("Default")))
    return float(setting)


def redrives(template: Template) -> dict[str, str]:
    """Dead-letter queue by the queue it serves."""
    return {
        name: logical_id(queue["RedrivePolicy"]["deadLetterTargetArn"])
        for name, queue in resources(template, "AWS::SQS::Queue").items()
        if "RedrivePolicy" in queue
    }


def alarmed(template: Template, metric: str, dimension: str) -> set[str]:
    """Resources with an alarm on the metric that tells somebody."""
    return {
        logical_id(entry["Value"])
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
        for entry in alarm.get("Dimensions", [])
        if alarm.get("MetricName") == metric and alarm["AlarmActions"] and entry["Name"] == dimension
        # GetAtt QueueName of a queue, Ref of a function
    }


def test_every_handler_is_importable(template: Template) -> None:
    """A function whose handler string is wrong fails on its first event, and only there."""
    for function in resources(template, "AWS::Lambda::Function").values():
        module, _, name = function["Handler"].rpartition(".")
        assert callable(getattr(importlib.import_module(module), name)), function["Handler"]


def test_functions_run_on_arm_with_a_log_group_and_role_each(template: Template) -> None:
    functions = resources(template, "AWS::Lambda::Function").values()
    assert all(function["Architectures"] == ["arm64"] for function in functions)
    assert all(function["Runtime"] == "python3.13" for function in functions)
    assert len({logical_id(function["LoggingConfig"]["LogGroup"]) for function in functions}) == len(
        functions
    )
    assert len({logical_id(function["Role"]) for function in functions}) == len(functions)


def test_every_work_queue_has_dead_letters_kept_for_fourteen_days(template: Template) -> None:
    queues, served = resources(template, "AWS::SQS::Queue"), redrives(template)
    assert {name.removeprefix("Queues")[:-8].lower() for name in served} == WORK_QUEUES
    for name, dead in served.items():
        # On the last receive the workers note why.
        assert queues[name]["RedrivePolicy"]["maxReceiveCount"] == RECEIVES_MAX
        assert queues[dead]["MessageRetentionPeriod"] == 14 * DAY_SECONDS


def test_dead_letters_and_waiting_work_raise_alarms(template: Template) -> None:
    every, served = set(resources(template, "AWS::SQS::Queue")), redrives(template)
    assert alarmed(template, "ApproximateNumberOfMessagesVisible", "QueueName") == every - set(served)
    assert alarmed(template, "ApproximateAgeOfOldestMessage", "QueueName") == set(served)


def test_every_functions_errors_raise_an_alarm(template: Template) -> None:
    functions = set(resources(template, "AWS::Lambda::Function"))
    assert alarmed(template, "Errors", "FunctionName") == functions


def test_what_is_turned_away_raises_an_alarm_whoever_is_concerned(template: Template) -> None:
    assert alarmed(template, "WriteThrottleEvents", "TableName") == set(
        resources(template, "AWS::DynamoDB::Table")
    )
    alarms = resources(template, "AWS::CloudWatch::Alarm").values()
    (functions,) = [alarm for alarm in alarms if alarm.get("MetricName") == "Throttles"]
    assert functions["Namespace"] == "AWS/Lambda"
    assert functions["AlarmActions"]
    assert "Dimensions" not in functions  # concurrency is the AWS account's


def test_the_month_rings_at_four_fifths_and_everything_else_at_once(template: Template) -> None:
    alarms = resources(template, "AWS::CloudWatch::Alarm").values()
    ours = {alarm["MetricName"]: alarm["Threshold"] for alarm in alarms if alarm.get("Namespace") == "Musubi"}
    assert ours.pop(QUOTA_USED) == 80
    assert set(ours.values()) == {1}


def test_an_alarm_says_where_its_page_is(template: Template) -> None:
    for name, alarm in resources(template, "AWS::CloudWatch::Alarm").items():
        page = re.fullmatch(r".+\. Page: docs/operations\.md, (\w+)", alarm["AlarmDescription"])
        assert page is not None
        assert name.startswith(f"Alarms{page[1]}")


def test_the_dashboard_shows_every_alarm_function_queue_and_table(template: Template) -> None:
    (board,) = resources(template, "AWS::CloudWatch::Dashboard").values()
    shown = json.dumps(board["DashboardBody"])
    for kind in ("CloudWatch::Alarm", "Lambda::Function", "SQS::Queue", "DynamoDB::Table"):
        missing = {name for name in resources(template, f"AWS::{kind}") if f'"{name}"' not in shown}
        assert missing == set()
    assert all(name in shown for name in ENDED.values())


def test_the_runbook_says_of_every_alarm_what_to_do(template: Template) -> None:
    headings = "".join(
        line
        for line in Path("docs/operations.md").read_text("utf-8").splitlines()
        if line.startswith("### `")
    )
    told = set(re.findall(r"`(\w+)`", headings))
    named = {
        re.fullmatch(r"Alarms(\w+?)[0-9A-F]{8}", name)[1]  # type: ignore[index]
        for name in resources(template, "AWS::CloudWatch::Alarm")
    }
    assert named == told


def test_cloudwatch_may_publish_to_the_topic_that_alarms_go_to(template: Template) -> None:
    """The policy that refuses plain HTTP replaces the default one, which let alarms in."""
    (policy,) = resources(template, "AWS::SNS::TopicPolicy").values()
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert [s["Principal"] for s in allowed] == [{"Service": "cloudwatch.amazonaws.com"}]


def follows_stream(mapping: Any) -> bool:
    return "StreamArn" in json.dumps(mapping["EventSourceArn"])


def test_facts_follow_three_streams_from_their_beginning(template: Template) -> None:
    """What was written before the function was there is a fact too."""
    followed = [
        m for m in resources(template, "AWS::Lambda::EventSourceMapping").values() if follows_stream(m)
    ]
    assert {logical_id(m["EventSourceArn"])[:8] for m in followed} == {"TablesSe", "TablesEv", "TablesCu"}
    assert {m["StartingPosition"] for m in followed} == {"TRIM_HORIZON"}


def test_every_mapping_reports_failures_message_by_message(template: Template) -> None:
    mappings = resources(template, "AWS::Lambda::EventSourceMapping").values()
    assert {logical_id(m["EventSourceArn"]) for m in mappings if not follows_stream(m)} == set(
        redrives(template)
    )
    assert all(m["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for m in mappings)


@pytest.mark.parametrize("place", ["aws", "local"])
def test_a_message_stays_hidden_at_least_as_long_as_its_worker_may_run(
    template: Template, place: str
) -> None:
    given = dict(local_parameters(Wishes(), "http://127.0.0.1")) if place == "local" else {}
    queues = resources(template, "AWS::SQS::Queue")
    for mapping in resources(template, "AWS::Lambda::EventSourceMapping").values():
        if follows_stream(mapping):
            continue
        timeout = function_of(template, mapping)["Timeout"]
        hidden = queues[logical_id(mapping["EventSourceArn"])]["VisibilityTimeout"]
        assert value_of(template, hidden, given) >= value_of(template, timeout, given)


@pytest.mark.parametrize("place", ["aws", "local"])
def test_the_sender_is_told_the_concurrency_that_its_lanes_have(template: Template, place: str) -> None:
    """Each worker takes LINE's limit divided by what it is told: were there more workers, they would exceed it."""
    given = dict(local_parameters(Wishes(), "http://127.0.0.1")) if place == "local" else {}
    mapped = {
        logical_id(mapping["EventSourceArn"]): value_of(
            template, mapping["ScalingConfig"]["MaximumConcurrency"], given
        )
        for mapping in resources(template, "AWS::Lambda::EventSourceMapping").values()
        if "ScalingConfig" in mapping
    }
    (environment,) = (
        function["Environment"]["Variables"]
        for function in resources(template, "AWS::Lambda::Function").values()
        if function["Handler"] == "functions.send.handler.handler"
    )
    lanes = {"QUEUE_SEND_URL": "SEND_CONCURRENCY", "QUEUE_BULK_URL": "BULK_CONCURRENCY"}
    told = {
        logical_id(environment[url]): value_of(template, environment[concurrency], given)
        for url, concurrency in lanes.items()
    }
    assert {queue: most for queue, most in mapped.items() if queue in told} == told
    assert all(concurrency >= CONCURRENCY_LEAST for concurrency in told.values())


def test_the_model_of_the_lanes_is_of_what_is_deployed(template: Template) -> None:
    """What docs/performance.md says of campaigns is worked out for the template's defaults."""
    lanes, defaults = Lanes(), {name: value.get("Default") for name, value in template["Parameters"].items()}
    assert (lanes.send_workers, lanes.bulk_workers) == (
        defaults["SendConcurrency"],
        defaults["BulkConcurrency"],
    )
    assert (lanes.pushes_second, lanes.multicasts_second) == (
        defaults["LinePushPerSecond"],
        defaults["LineMulticastPerSecond"],
    )
    (memory,) = (
        function["MemorySize"]
        for function in resources(template, "AWS::Lambda::Function").values()
        if function["Handler"] == "functions.send.handler.handler"
    )
    assert lanes.memory_mb == memory


def test_nobody_else_calls_line_at_the_senders_rate(template: Template) -> None:
    """Only the function that keeps the pace is told LINE's rates."""
    paced = {
        function["Handler"]
        for function in resources(template, "AWS::Lambda::Function").values()
        if "LINE_PUSH_PER_SECOND" in function.get("Environment", {}).get("Variables", {})
    }
    assert paced == {"functions.send.handler.handler"}


def test_logs_do_not_pile_up(template: Template) -> None:
    groups = resources(template, "AWS::Logs::LogGroup").values()
    assert groups
    assert all(group["RetentionInDays"] <= 90 for group in groups)


TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
"""What every function may do to nothing in particular: X-Ray has no resource that it could be held against."""


def statements(template: Template) -> Iterator[dict[str, Any]]:
    """Every statement that a role of ours is granted, but for the traces'."""
    for policy in resources(template, "AWS::IAM::Policy").values():
        yield from (one for one in policy["PolicyDocument"]["Statement"] if not is_tracing(one))


def is_tracing(statement: dict[str, Any]) -> bool:
    """Whether it lets traces be told, and nothing else."""
    return set(as_list(statement["Action"])) == TRACES


def test_every_function_is_traced_and_writes_its_own_line_alone(template: Template) -> None:
    functions = resources(template, "AWS::Lambda::Function").values()
    assert len(functions) > 10
    for one in functions:
        assert one["TracingConfig"] == {"Mode": "Active"}
        assert one["LoggingConfig"]["LogFormat"] == "JSON"
        assert one["LoggingConfig"]["ApplicationLogLevel"] == "INFO"
        assert one["LoggingConfig"]["SystemLogLevel"] == "WARN"


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_role_is_granted_all_of_anything(template: Template) -> None:
    for statement in statements(template):
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        assert "*" not in as_list(statement["Resource"])


def test_no_managed_policy_widens_a_role(template: Template) -> None:
    roles = resources(template, "AWS::IAM::Role").values()
    assert not [role for role in roles if role.get("ManagedPolicyArns")]


def test_only_who_speaks_with_line_can_read_what_line_trusts(template: Template) -> None:
    readers = {
        name
        for name, policy in resources(template, "AWS::IAM::Policy").items()
        for statement in policy["PolicyDocument"]["Statement"]
        if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
        and "SecretsLine" in json.dumps(statement["Resource"])
    }
    assert {re.match(r"[A-Z][a-z]+", name)[0] for name in readers} == {  # type: ignore[index]
        "Decide",
        "Insight",
        "Link",
        "Send",
        "Webhook",
    }


def test_the_edge_of_the_crm_writes_the_accounts_row_and_no_customers_gate(template: Template) -> None:
    policies = resources(template, "AWS::IAM::Policy")
    (ingest,) = [policy for name, policy in policies.items() if name.startswith("Ingest")]
    granted = ingest["PolicyDocument"]["Statement"]
    (reads, writes) = sorted(
        (one for one in granted if "dynamodb:" in json.dumps(one["Action"])),
        key=lambda one: str(one["Action"]),
    )
    assert as_list(reads["Action"]) == ["dynamodb:GetItem"]
    assert as_list(reads["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]) == ["erased#*"]
    assert as_list(writes["Action"]) == ["dynamodb:UpdateItem"]
    (rows,) = as_list(writes["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"])
    assert rows["Fn::Join"][1][0] == "anon:#account#"


def test_the_end_of_a_login_has_time_for_its_three_questions(template: Template) -> None:
    (function,) = (
        function
        for function in resources(template, "AWS::Lambda::Function").values()
        if function["Handler"] == "functions.link.handler.handler"
    )
    assert 3 * (http.CONNECT_SECONDS + login.READ_SECONDS) < function["Timeout"] < 30


def test_the_pages_write_attempts_and_no_link(template: Template) -> None:
    """Who is who is decide's alone: the pages may keep attempts and use names up, in rows of those names."""
    on_identities = {
        action: statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
        for statement in policy_of(template, "Link")
        for action in as_list(statement["Action"])
        if action.startswith("dynamodb:") and "TablesIdentities" in json.dumps(statement["Resource"])
    }
    own = {"attempt#*", "code#*", "nonce#*", "once#*"}
    assert {action: set(rows) for action, rows in on_identities.items()} == {
        "dynamodb:GetItem": {*own, "line#*"},
        "dynamodb:PutItem": own,
        "dynamodb:UpdateItem": own,
    }


def test_no_right_on_tables_is_granted_that_no_adapter_uses(template: Template) -> None:
    """BatchWriteItem is `batch_write_item` or a paginator's name in functions/aws, PartiQLUpdate a statement there."""
    adapters = "".join(path.read_text(encoding="utf-8") for path in Path("functions/aws").glob("*.py"))
    granted = {action for statement in statements(template) for action in as_list(statement["Action"])}
    names = {action.removeprefix("dynamodb:") for action in granted if action.startswith("dynamodb:")}
    called = {name for name in names if re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower() in adapters}
    called |= {*FOLLOWING}  # Lambda itself follows a stream
    called |= {
        f"PartiQL{verb.capitalize()}" for verb in re.findall(r"f[\"'](INSERT|UPDATE|DELETE) ", adapters)
    }
    assert "PutItem" in names
    assert names - called == set()


def test_tables_are_restorable_encrypted_with_our_key_and_kept(template: Template) -> None:
    tables = resources(template, "AWS::DynamoDB::Table")
    assert len(tables) == 6
    for name, table in tables.items():
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        assert table["SSESpecification"]["SSEType"] == "KMS"
        assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["DeletionProtectionEnabled"] is True
        assert template["Resources"][name]["DeletionPolicy"] == "Retain"


def test_the_bucket_keeps_what_is_overwritten_or_deleted_and_stays_when_the_stack_goes(
    template: Template,
) -> None:
    [(name, bucket)] = resources(template, "AWS::S3::Bucket").items()
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert template["Resources"][name]["DeletionPolicy"] == "Retain"


def test_nothing_but_tls_is_let_in_on_aws(template: Template) -> None:
    """Each queue, the bucket and the topic refuse plain HTTP; one parameter lets the engine off."""
    kinds = ("AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy")
    every = [r for r in template["Resources"].values() if r["Type"] in kinds]
    # The engine asks a queue that S3 notifies for a policy: where the others are left out, it has one of its own.
    policies = [policy for policy in every if policy.get("Condition") != "PlainHttp"]
    assert template["Conditions"]["PlainHttp"] == {"Fn::Not": [{"Condition": "TlsOnly"}]}
    assert len(policies) == len(resources(template, "AWS::SQS::Queue")) + 2
    assert {policy.get("Condition") for policy in policies} == {"TlsOnly"}
    assert template["Parameters"]["EnforceTls"]["Default"] == "true"


def test_no_secret_stands_in_the_template(template: Template) -> None:
    held = resources(template, "AWS::SecretsManager::Secret").values()
    assert len(held) == 4
    assert all("SecretString" not in secret for secret in held)


def test_functions_are_told_nothing_that_nobody_reads(template: Template) -> None:
    """Every variable given to a function is one that functions/settings.py asks for."""
    asked: set[str] = set()

    class Asked(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            asked.add(key)
            return default

    read_settings(Asked())
    for function in resources(template, "AWS::Lambda::Function").values():
        given = {name for name in function["Environment"]["Variables"] if not name.startswith("POWERTOOLS_")}
        assert given <= asked


def test_the_command_finds_every_output_it_needs(template: Template) -> None:
    outputs = dict.fromkeys(template["Outputs"], "x")
    parameters = {name: str(p.get("Default", "")) for name, p in template["Parameters"].items()}
    settings = Target(outputs, parameters, Clients()).settings()
    assert settings.timer_shards == 4
    assert {
        f"Function{name}" for name in ("Webhook", "Ingest", "Decide", "Tick", "Evaluate", "Send", "Redrive")
    } <= set(outputs)


def policy_of(template: Template, function: str) -> list[dict[str, Any]]:
    """The statements of one function's role."""
    (found,) = [
        policy["PolicyDocument"]["Statement"]
        for name, policy in resources(template, "AWS::IAM::Policy").items()
        if name.startswith(f"{function}Function")
    ]
    return list(found)


def reached(statements: list[dict[str, Any]], action: str) -> set[str]:
    """The logical ids of what these statements let somebody do `action` to."""
    return {
        logical_id(resource)
        for statement in statements
        if action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def test_redrive_takes_from_every_dead_letter_queue_and_puts_into_every_work_queue(
    template: Template,
) -> None:
    """One that is added later is replayable from its first day; and a work queue is never read by it."""
    served, granted = redrives(template), policy_of(template, "Redrive")
    dead = set(resources(template, "AWS::SQS::Queue")) - set(served)
    for action in ("sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage"):
        assert reached(granted, action) == dead
    assert reached(granted, "sqs:SendMessage") == set(served)


def test_redrive_is_told_where_each_dead_letter_belongs(template: Template) -> None:
    (function,) = [
        function
        for function in resources(template, "AWS::Lambda::Function").values()
        if function["Handler"] == "functions.redrive.handler.handler"
    ]
    parts = function["Environment"]["Variables"]["DEAD_QUEUES"]["Fn::Join"][1]
    told = dead_queues("".join(part if isinstance(part, str) else logical_id(part) for part in parts))
    pairs = {queue.dead: queue.work for queue in told.values()}
    undelivered = pairs.pop(told["schedules"].dead)
    assert pairs == {dead: work for work, dead in redrives(template).items()}
    assert undelivered == told["evaluate"].work


def test_the_command_and_the_function_name_the_same_dead_letters(template: Template) -> None:
    outputs = {
        name: logical_id(output["Value"])
        for name, output in template["Outputs"].items()
        if "Url" in name and "Ref" in output["Value"]
    }
    pairs = Target(outputs, {}, Clients()).dead_queues()
    assert {pair["dead"] for pair in pairs.values()} == set(resources(template, "AWS::SQS::Queue")) - set(
        redrives(template)
    )
    assert all(
        pair["work"]
        == {v: k for k, v in redrives(template).items()}.get(pair["dead"], pairs["evaluate"]["work"])
        for pair in pairs.values()
    )


def test_redrive_writes_its_audit_and_nothing_else(template: Template) -> None:
    granted = policy_of(template, "Redrive")
    actions = {action for statement in granted for action in as_list(statement["Action"])}
    assert {action for action in actions if action.startswith("dynamodb:")} == {
        "dynamodb:GetItem",
        "dynamodb:BatchGetItem",
    }
    (write,) = [statement for statement in granted if "s3:PutObject" in as_list(statement["Action"])]
    assert as_list(write["Resource"])[0]["Fn::Join"][1][-1] == "/audits/redrive/*"
    assert "secretsmanager:GetSecretValue" not in actions


@pytest.mark.parametrize("function", ["Decide", "Evaluate", "Send"])
def test_every_worker_may_note_why_a_message_died(template: Template, function: str) -> None:
    written = [
        resource["Fn::Join"][1][-1]
        for statement in policy_of(template, function)
        if "s3:PutObject" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]
    assert "/failures/*" in written


def test_who_fetches_lines_figures_reads_the_names_of_units_and_no_customers_gate(template: Template) -> None:
    granted = policy_of(template, "Insight")
    (reads,) = [one for one in granted if "dynamodb:" in json.dumps(one["Action"])]
    assert as_list(reads["Action"]) == ["dynamodb:GetItem"]
    (rows,) = as_list(reads["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
    assert rows["Fn::Join"][1][0] == "anon:#units#"
    written = [
        resource["Fn::Join"][1][-1]
        for one in granted
        if "s3:PutObject" in as_list(one["Action"])
        for resource in as_list(one["Resource"])
    ]
    assert sorted(written) == ["/facts/raw/insight/*", "/insight/*"]


def test_what_a_schedule_cannot_deliver_is_retried_for_a_day_and_then_kept(template: Template) -> None:
    for schedule in resources(template, "AWS::Scheduler::Schedule").values():
        target = schedule["Target"]
        if schedule["ScheduleExpression"] == HOURLY:  # the next hour makes up for it
            continue
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == DAY_SECONDS
        assert logical_id(target["DeadLetterConfig"]["Arn"]) in resources(template, "AWS::SQS::Queue")


def test_the_minute_and_the_nightly_audit_carry_the_instant_they_were_meant_for(template: Template) -> None:
    inputs = {
        schedule["ScheduleExpression"]: json.loads(schedule["Target"]["Input"])
        for schedule in resources(template, "AWS::Scheduler::Schedule").values()
    }
    audit = inputs["cron(0 18 * * ? *)"]
    assert inputs["rate(1 minute)"] == {"scheduled_at": "<aws.scheduler.scheduled-time>"}
    said = json.dumps(audit).replace("<aws.scheduler.scheduled-time>", "2026-11-02T18:00:00Z")
    assert isinstance(decode_evaluation(said), AuditPart)


def test_what_measures_the_day_names_none_and_so_counts_whenever_it_arrives(template: Template) -> None:
    (body,) = (
        schedule["Target"]["Input"]
        for schedule in resources(template, "AWS::Scheduler::Schedule").values()
        if schedule["ScheduleExpression"] == "cron(0 19 * * ? *)"
    )
    assert decode_measure(body) == MeasureDay()


def test_who_measures_takes_no_fact_away_and_writes_no_playbook(template: Template) -> None:
    granted = policy_of(template, "Measure")

    def under(action: str) -> list[str]:
        return sorted(
            resource["Fn::Join"][1][-1]
            for one in granted
            if action in as_list(one["Action"])
            for resource in as_list(one["Resource"])
        )

    assert under("s3:DeleteObject") == ["/derived/*", "/facts/raw/*", "/measure/touched/*", "/results/v1/*"]
    assert under("s3:PutObject") == [
        "/alerts/v1/*",
        "/derived/*",
        "/facts/v1/*",
        "/failures/*",
        "/incoming/musubi-*",
        "/measure/*",
        "/playbooks/context.json*",
        "/results/v1/*",
    ]


def test_alerts_ring_at_the_topic_of_alarms_and_measure_alone_may_ring(template: Template) -> None:
    (topic,) = resources(template, "AWS::SNS::Topic")
    functions = resources(template, "AWS::Lambda::Function")
    told = {
        name: one["Properties"]["Environment"]["Variables"].get("TOPIC_ALARMS_ARN")
        if "Properties" in one
        else one["Environment"]["Variables"].get("TOPIC_ALARMS_ARN")
        for name, one in functions.items()
    }
    ringing = [name for name, arn in told.items() if arn == {"Ref": topic}]
    assert [name.startswith("Measure") for name in ringing] == [True]
    granted = [one for one in statements(template) if "sns:Publish" in as_list(one["Action"])]
    mine = [one for one in granted if "Principal" not in one]
    assert [one["Resource"] for one in mine] == [{"Ref": topic}]
    assert mine[0] in policy_of(template, "Measure")


def test_results_and_alerts_age_out(template: Template) -> None:
    (bucket,) = resources(template, "AWS::S3::Bucket").values()
    rules = {one["Id"]: one.get("ExpirationInDays") for one in bucket["LifecycleConfiguration"]["Rules"]}
    assert (rules["results"], rules["alerts"]) == (KEPT_DAYS, 400)


def test_what_functions_count_themselves_raises_an_alarm_under_the_dimensions_it_is_told_with(
    template: Template, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "evaluate")
    LogMeasures("stack").count("MembershipDifferences", 0)
    told = json.loads(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"][0]
    watched = {
        alarm["MetricName"]: {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]}
        for alarm in resources(template, "AWS::CloudWatch::Alarm").values()
        if alarm.get("Namespace") == told["Namespace"] and alarm["AlarmActions"]
    }
    assert {name: dimensions["service"] for name, dimensions in watched.items()} == {
        "MembershipDifferences": "evaluate",
        "MembershipsOverdue": "evaluate",
        APPROVAL_AWAITED: "evaluate",
        REJECTED_FORGOTTEN: "evaluate",
        BREAKER_OPENED: "decide",
        EVENTS_TOO_OLD: "decide",
        LINK_ATTEMPTS_REFUSED: "decide",
        SOURCES_HELD: "tick",
        CLICKS_LOST: "click",
        LEFT_OUT: "facts",
        LIVE_LEFT_OUT: "facts",
        ENDED["unknown"]: "facts",
        **dict.fromkeys([*MEASURES.values(), QUOTA_USED], "send"),
    }
    assert {*map(frozenset, watched.values())} == {frozenset(told["Dimensions"][0])}


def test_the_front_door_is_throttled_and_logged(template: Template) -> None:
    (stage,) = resources(template, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert logical_id(stage["AccessLogSettings"]["DestinationArn"]) in resources(
        template, "AWS::Logs::LogGroup"
    )
    routes = {route["RouteKey"] for route in resources(template, "AWS::ApiGatewayV2::Route").values()}
    assert routes == {
        "POST /webhook",
        "POST /events",
        "POST /links",
        "GET /link/{page+}",
        "POST /link/{page+}",
        "GET /c/{token}",
        "HEAD /c/{token}",
    }
    # A flood of made-up links has a throttle of its own, and keeps no webhook out.
    assert {key for key in stage["RouteSettings"] if "/c/" in key} == {"GET /c/{token}", "HEAD /c/{token}"}


def test_who_answers_clicks_may_read_one_secret_and_put_into_the_inbox_and_nothing_else(
    template: Template,
) -> None:
    """No table, no object: what a link needs stands in its address."""
    granted = {
        action: logical_id(statement["Resource"])
        for name, policy in resources(template, "AWS::IAM::Policy").items()
        if name.startswith("ClickFunction")
        for statement in policy["PolicyDocument"]["Statement"]
        if not is_tracing(statement)
        for action in as_list(statement["Action"])
    }
    assert set(granted) == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:SendMessage",
        "secretsmanager:GetSecretValue",
        "kms:Decrypt",
    }
    assert granted["sqs:SendMessage"].startswith("QueuesInbox")
    assert granted["secretsmanager:GetSecretValue"].startswith("SecretsLink")


def test_the_engine_gets_the_template_that_goes_to_aws(template: Template, local_template: Template) -> None:
    """Nothing but the bundle's digest may differ: what the tests prove holds for what is deployed."""
    assert without_assets(template) == without_assets(local_template)


def without_assets(template: Template) -> Any:
    """The template without digests of what is bundled; a version's name ends in one of its function."""
    named = re.sub(r"(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}\b", r"\1", json.dumps(template))
    return json.loads(re.sub(r"\b[0-9a-f]{64}\b", "asset", named))


def test_athena_has_every_table_of_the_lake_with_its_columns_where_its_files_are(template: Template) -> None:
    """The catalog is read off published schemas: what is written must be what it says."""
    found = resources(template, "AWS::Glue::Table")
    tables = {one["TableInput"]["Name"]: one["TableInput"] for one in found.values()}
    assert len(tables) == len(found)
    assert tables.keys() == {*FACTS, *DERIVED}
    for name, table in {**DERIVED, **FACTS}.items():
        stored = tables[name]["StorageDescriptor"]
        assert {column["Name"]: column["Type"] for column in stored["Columns"]} == {
            column: published_type(kind) for column, kind in table.types.items()
        }
        assert stored["Location"]["Fn::Join"][1][-1] == f"/{table.prefix}"
        place = tables[name]["Parameters"]["storage.location.template"]["Fn::Join"][1][-1]
        day = dt.date(2026, 11, 1)
        assert place.replace("${day}", day.isoformat()) + "part.parquet" == f"/{table.partition(day)}"
        assert tables[name]["PartitionKeys"] == [{"Name": "day", "Type": "date"}]
