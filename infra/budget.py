"""A deployment's budget, as a stack of its own: Budgets is a service of the whole AWS account and lives in us-east-1.

It counts what bears the deployment's tag `musubi:stack` (cost-allocation tags are switched on once, in Billing), and tells
its own topic. Nothing else depends on it: it can go and come without touching what sends.
"""

from typing import Final, cast

import aws_cdk as cdk
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

REGION: Final = "us-east-1"
TAG: Final = "musubi:stack"
"""What every stack of ours bears, with its name (infra/stack.py)."""
ALERTS: Final = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))
"""Percent of the month's budget at which somebody is told: spent, and where the month is heading."""
DESCRIPTION: Final = "Musubi: the budget of one deployment"


class BudgetStack(cdk.Stack):
    """One budget of so many dollars a month for the stack of that name."""

    def __init__(
        self, scope: Construct, construct_id: str, *, of: str, usd: int, aws_account: str | None = None
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            description=DESCRIPTION,
            env=cdk.Environment(account=aws_account, region=REGION),
            tags={TAG: of},
        )
        topic = self._topic(of)
        heard = budgets.CfnBudget.SubscriberProperty(address=topic.topic_arn, subscription_type="SNS")
        budget = budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=of,
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
                cost_filters={"TagKeyValue": [f"user:{TAG}${of}"]},
            ),
            notifications_with_subscribers=[_alert(kind, percent, heard) for kind, percent in ALERTS],
        )
        # Budgets tries the topic when it is given it: its policy has to stand before.
        budget.node.add_dependency(topic)
        cdk.CfnOutput(self, "TopicBudget", value=topic.topic_arn)

    def _topic(self, of: str) -> sns.Topic:
        topic = sns.Topic(self, "Topic", display_name=f"{of}: budget", enforce_ssl=True)
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[cast("iam.IPrincipal", iam.ServicePrincipal("budgets.amazonaws.com"))],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            )
        )
        return topic


def _alert(
    kind: str, percent: int, heard: budgets.CfnBudget.SubscriberProperty
) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
    return budgets.CfnBudget.NotificationWithSubscribersProperty(
        notification=budgets.CfnBudget.NotificationProperty(
            comparison_operator="GREATER_THAN",
            notification_type=kind,
            threshold=percent,
            threshold_type="PERCENTAGE",
        ),
        subscribers=[heard],
    )
