"""What functions logged."""

from collections.abc import Iterator

from ops.target import Target

NAMES_OF_PEOPLE = ("customer-", "U0000")
"""How every customer's and every LINE user's id begins in this folder."""


def log_lines(target: Target) -> Iterator[str]:
    """Every line that any function of this deployment has logged, page by page."""
    logs = target.client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        yield from (event["message"] for page in pages for event in page["events"])
