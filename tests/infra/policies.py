"""IAM's answer to one question, from policy documents alone: for the conditions that the embedded engine does not know.

It knows `dynamodb:LeadingKeys` and `kms:ViaService` not at all; those two and `s3:prefix` are what our policies ask for.
"""

import fnmatch
import operator as operator_
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Statement = Mapping[str, Any]
# AWS tells of these under no resource, and none changes anything.
TOLD_ANYWHERE = {
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricStatistics",
    "lambda:ListEventSourceMappings",
    "scheduler:ListSchedules",
}


def is_told_anywhere(statement: Statement) -> bool:
    """Whether it lets be told what AWS tells under no resource, and nothing else."""
    return set(_listed(statement["Action"])) <= TOLD_ANYWHERE


def allows(statements: Iterable[Statement], action: str, resource: str, **context: Any) -> bool:
    """Whether any statement allows it. There is no Deny in our policies; `context` has underscores for `:` in its keys."""
    given = {name.replace("_", ":", 1): value for name, value in context.items()}
    return any(
        action in _listed(one["Action"])
        and any(fnmatch.fnmatchcase(resource, pattern) for pattern in _listed(one["Resource"]))
        and all(
            _holds(operator, key, _listed(patterns), given)
            for operator, keys in one.get("Condition", {}).items()
            for key, patterns in keys.items()
        )
        for one in statements
        if one["Effect"] == "Allow"
    )


def _holds(operator: str, key: str, patterns: list[str], given: Mapping[str, Any]) -> bool:
    """One condition: every value must match one pattern. Without a value, ForAllValues and …IfExists hold, others do not."""
    matches: dict[str, Callable[[str, str], bool]] = {
        "StringLike": fnmatch.fnmatchcase,
        "StringEquals": operator_.eq,
    }
    lenient = operator.startswith("ForAllValues:") or operator.endswith("IfExists")
    match = matches[operator.removeprefix("ForAllValues:").removesuffix("IfExists")]
    if key not in given:
        return lenient
    return all(any(match(value, pattern) for pattern in patterns) for value in _listed(given[key]))


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list | tuple) else [value]
