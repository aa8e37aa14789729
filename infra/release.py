"""How new code becomes live: a tenth of the calls for five minutes, then all of them; or none where an alarm rings.

A function's alias moves from one published version to the next. On AWS CodeDeploy moves it, for all functions side by side,
and CloudFormation waits: one that is rolled back takes the whole update with it, so that versions are never mixed for long.
The embedded engine knows no CodeDeploy: there the parameter GradualRelease is off, and an alias moves at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.function import Function
from infra.parameters import Parameters

CONFIG = "CodeDeployDefault.LambdaCanary10Percent5Minutes"
ROLLED_BACK_ON = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]


class Release(Construct):
    """A CodeDeploy application with a deployment group a function, each watching its function's errors and `watched`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, Function],
        alarms: Mapping[str, cloudwatch.Alarm],
        watched: str,
        parameters: Parameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._condition = parameters.gradually
        for function in functions.values():
            _tell_configuration(function)
        self._application = codedeploy.CfnApplication(self, "Application", compute_platform="Lambda")
        self._application.cfn_options.condition = self._condition
        ringing = {name: [alarms[f"{name.capitalize()}Errors"], alarms[watched]] for name in functions}
        role = self._role(functions, dict.fromkeys(alarm for every in ringing.values() for alarm in every))
        for name, function in functions.items():
            self._move(function, self._group(name, role, ringing[name]))

    def _group(
        self, name: str, role: iam.Role, ringing: list[cloudwatch.Alarm]
    ) -> codedeploy.CfnDeploymentGroup:
        of = codedeploy.CfnDeploymentGroup
        group = of(
            self,
            name.capitalize(),
            application_name=self._application.ref,
            service_role_arn=role.role_arn,
            deployment_config_name=CONFIG,
            deployment_style=of.DeploymentStyleProperty(
                deployment_type="BLUE_GREEN", deployment_option="WITH_TRAFFIC_CONTROL"
            ),
            alarm_configuration=of.AlarmConfigurationProperty(
                enabled=True, alarms=[of.AlarmProperty(name=one.alarm_name) for one in ringing]
            ),
            auto_rollback_configuration=of.AutoRollbackConfigurationProperty(
                enabled=True, events=ROLLED_BACK_ON
            ),
        )
        group.cfn_options.condition = self._condition
        # Without its policy the role may not move an alias back.
        group.node.add_dependency(role)
        return group

    def _move(self, function: Function, group: codedeploy.CfnDeploymentGroup) -> None:
        by = {"ApplicationName": self._application.ref, "DeploymentGroupName": group.ref}
        alias = cast("cdk.CfnResource", function.live.node.default_child)
        nothing = {"Ref": "AWS::NoValue"}
        policy = {"Fn::If": [self._condition.logical_id, {"CodeDeployLambdaAliasUpdate": by}, nothing]}
        alias.add_override("UpdatePolicy", policy)

    def _role(self, functions: Mapping[str, Function], alarms: Iterable[cloudwatch.Alarm]) -> iam.Role:
        """What CodeDeploy's own policy for Lambda grants on everything, on these functions alone."""
        role = iam.Role(
            self,
            "Role",
            assumed_by=cast("iam.IPrincipal", iam.ServicePrincipal("codedeploy.amazonaws.com")),
        )
        moved = [
            arn for one in functions.values() for arn in (one.resource.function_arn, one.live.function_arn)
        ]
        moving = ["lambda:UpdateAlias", "lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig"]
        role.add_to_policy(iam.PolicyStatement(actions=moving, resources=moved))
        watched = [one.alarm_arn for one in alarms]
        role.add_to_policy(iam.PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=watched))
        return role


def _tell_configuration(function: Function) -> None:
    """Name, in the version's description, the parameters that its function is configured by.

    CloudFormation publishes a version where the template's words change. A parameter that is given another value changes the
    function but no word of the template: the alias would go on with the version before. Named here, it changes the version
    too; and only what the function uses may be named, for a version of a function that has not changed is refused. An account's
    id never changes.
    """
    stack = cdk.Stack.of(function)
    given = [one.node.id for one in stack.node.children if isinstance(one, cdk.CfnParameter)]
    given.remove("Account")
    used = set(_referred_to(stack.resolve(function.configured_by), _conditions_of(stack)))
    if names := [name for name in given if name in used]:
        function.version.description = cdk.Fn.join(" ", [cdk.Fn.ref(name) for name in names])


def _conditions_of(stack: cdk.Stack) -> dict[str, Any]:
    conditions = (one for one in stack.node.children if isinstance(one, cdk.CfnCondition))
    return {one.node.id: stack.resolve(one.expression) for one in conditions}


def _referred_to(template: Any, conditions: Mapping[str, Any]) -> Iterator[str]:
    """The logical ids that a piece of template refers to, itself or through its conditions."""
    if isinstance(template, list):
        for part in template:
            yield from _referred_to(part, conditions)
    elif isinstance(template, dict):
        for word, argument in template.items():
            if word == "Ref":
                yield argument
            elif word == "Fn::If":
                yield from _referred_to(conditions[argument[0]], conditions)
            yield from _referred_to(argument, conditions)
