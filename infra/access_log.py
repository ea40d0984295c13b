"""Access logs of the two APIs."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.environments import Environment
from infra.nag import acknowledge, aws_policy


class AccessLog(logs.LogGroup):
    """One line per request or connection; never a body or a token."""

    def __init__(self, scope: Construct, id_: str, *, environment: Environment, api: str) -> None:
        super().__init__(
            scope,
            id_,
            log_group_name=f"/chatconnect/{environment.name}/{api}-access",
            retention=environment.log_retention,
            removal_policy=environment.removal_policy,
        )


class AccessLogPermission(Construct):
    """Lets API Gateway write logs. The setting belongs to the account and region, so it outlives its stack."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        policy = "AmazonAPIGatewayPushToCloudWatchLogs"
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(f"service-role/{policy}")],
        )
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        role.apply_removal_policy(RemovalPolicy.RETAIN)
        account.apply_removal_policy(RemovalPolicy.RETAIN)
        acknowledge(role, {aws_policy(policy): "AWS's own policy for exactly this purpose."})
