"""What the nightly watch needs to be heard: the right to publish to the topic of alarms, and nothing else of it."""

from aws_cdk import aws_sns as sns

from infra.function import Function


def let_ring(function: Function, topic: sns.Topic) -> None:
    """Let a function publish to the topic, and tell it which that is."""
    function.allow(["sns:Publish"], [topic.topic_arn])
    function.tell("TOPIC_ALARMS_ARN", topic.topic_arn)
