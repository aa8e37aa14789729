"""What the benchmarks' bill takes for granted is what is deployed."""

from ops.bench import lanes, prices
from tests.infra.conftest import Template


def test_the_lanes_have_as_many_workers_as_the_bill_says(template: Template) -> None:
    defaults = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    assert int(defaults["SendConcurrency"]) == lanes.PROMPT_WORKERS
    assert int(defaults["BulkConcurrency"]) == lanes.BULK_WORKERS
    assert int(defaults["LinePushPerSecond"]) == lanes.PUSHES_SECOND


def test_the_sender_and_decide_have_the_memory_that_the_bill_says(template: Template) -> None:
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    memory = {one["Properties"].get("Handler", ""): one["Properties"].get("MemorySize") for one in functions}
    assert memory["functions.send.handler.handler"] == prices.MEMORY_MB
    assert memory["functions.decide.handler.handler"] == prices.MEMORY_MB


def test_the_sender_takes_as_many_messages_at_once_as_the_bill_says(template: Template) -> None:
    sources = [
        one["Properties"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::Lambda::EventSourceMapping" and name.startswith("Send")
    ]
    assert {source["BatchSize"] for source in sources} == {lanes.BATCH}
