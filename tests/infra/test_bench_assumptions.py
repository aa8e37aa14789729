"""What the benchmarks' bill takes for granted is what is deployed."""

from collections import Counter
from typing import Any

from infra.memory import MEMORY_MB
from ops.bench import lanes, memory_size, prices
from ops.bench.cold import CEILINGS, handlers
from ops.cost import standing
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


def test_every_function_has_the_memory_that_was_chosen_for_it(template: Template) -> None:
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Lambda::Function"]
    has = {one["Properties"]["Handler"].split(".")[1]: one["Properties"]["MemorySize"] for one in functions}
    assert has == dict(MEMORY_MB)
    assert set(has) == set(handlers()) == set(CEILINGS) == set(memory_size.WANTED)


def test_the_sender_takes_as_many_messages_at_once_as_the_bill_says(template: Template) -> None:
    sources = [
        one["Properties"]
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::Lambda::EventSourceMapping" and name.startswith("Send")
    ]
    assert {source["BatchSize"] for source in sources} == {lanes.BATCH}


def test_what_stands_there_anyway_is_billed_with_a_little_to_spare(template: Template) -> None:
    kinds = Counter(one["Type"] for one in template["Resources"].values())
    alarms = [one for one in template["Resources"].values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    measures = {
        one["Properties"]["MetricName"] for one in alarms if one["Properties"]["Namespace"] == "Musubi"
    }
    fed = [
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    for has, billed in (
        (kinds["AWS::CloudWatch::Alarm"], standing.ALARMS),
        (len(measures), standing.METRICS),
        (kinds["AWS::CloudWatch::Dashboard"], standing.DASHBOARDS),
        (kinds["AWS::SecretsManager::Secret"], standing.SECRETS),
        (kinds["AWS::KMS::Key"], standing.KEYS),
        (sum("StartingPosition" not in one for one in fed), standing.QUEUES),
        (sum("StartingPosition" in one for one in fed), standing.STREAMS),
    ):
        assert has <= billed <= has + 25


def test_facts_and_measuring_are_given_what_the_bill_says(template: Template) -> None:
    of = {one["Properties"].get("Handler"): one["Properties"] for one in template["Resources"].values()
          if one["Type"] == "AWS::Lambda::Function"}  # fmt: skip
    assert of["functions.measure.handler.handler"]["MemorySize"] == standing.MEASURE_MB
    streams = [one["Properties"] for one in template["Resources"].values()
               if one["Type"] == "AWS::Lambda::EventSourceMapping" and "StartingPosition" in one["Properties"]]  # fmt: skip
    assert {(one["BatchSize"], _given(one["MaximumBatchingWindowInSeconds"])) for one in streams} == {
        (standing.TOGETHER_MAX, standing.GATHERED_SECONDS)
    }


def _given(value: Any) -> int:
    """A number of the template; where the live bus decides, the one without it."""
    return int(value["Fn::If"][2] if isinstance(value, dict) else value)
