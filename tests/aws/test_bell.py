"""The bell rings at a topic: one message, with what was found and what to do."""

import datetime as dt
import json

import boto3
from moto import mock_aws

from functions.aws.alerts import SHOWN_MAX, SUBJECT_MAX, SnsBell
from functions.domain.alerts import Alert

AT = dt.datetime(2026, 5, 31, 19, tzinfo=dt.UTC)
REGION = "ap-northeast-1"


def found(number: int) -> Alert:
    return Alert("block_rate", dt.date(2026, 5, 31), "scenario", f"s{number}", 0.04, 0.02, 118, "limit", AT)


@mock_aws
def test_all_of_a_day_comes_in_one_message_however_many_there_are() -> None:
    sns, sqs = boto3.client("sns", REGION), boto3.client("sqs", REGION)
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="on-call")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    SnsBell(sns, topic, "x" * 200).ring([found(number) for number in range(SHOWN_MAX + 2)])
    (message,) = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    told = json.loads(message["Body"])
    assert len(told["Subject"]) == SUBJECT_MAX
    assert "scenario s0: 4 % of 118 messages were followed by a block" in told["Message"]
    assert "シナリオ「s0」" in told["Message"]
    assert "docs/operations.md#alert-block_rate" in told["Message"]
    assert "And 2 more: musubi alerts" in told["Message"]
