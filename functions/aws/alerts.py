"""The bell: one message to the topic of alarms for all that a day's watch has found."""

from collections.abc import Sequence
from typing import Any

from functions.domain.alerts import Alert

SUBJECT_MAX = 100
SHOWN_MAX = 40
"""SNS takes 256 KB; nobody reads more than this anyway, and `musubi alerts` has all of them."""


class SnsBell:
    """One topic; `client` is boto3's for SNS."""

    def __init__(self, client: Any, topic_arn: str, account: str) -> None:
        self._client = client
        self._topic_arn = topic_arn
        self._account = account

    def ring(self, alerts: Sequence[Alert]) -> None:
        """Tell whoever is subscribed."""
        days = sorted({one.day.isoformat() for one in alerts})
        subject = f"Musubi {self._account}: {len(alerts)} alert(s) of {', '.join(days)}"[:SUBJECT_MAX]
        more = len(alerts) - SHOWN_MAX
        told = [_told(one) for one in alerts[:SHOWN_MAX]]
        if more > 0:
            told.append(f"And {more} more: musubi alerts")
        self._client.publish(TopicArn=self._topic_arn, Subject=subject, Message="\n\n".join(told))


def _told(alert: Alert) -> str:
    return f"{alert.in_words('en')}\n{alert.in_words('ja')}\n  {alert.to_do('en')}\n  {alert.page}"
