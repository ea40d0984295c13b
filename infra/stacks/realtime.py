"""The WebSocket API: hand-over to a person, and progress of ingestion."""

import json
from typing import cast

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_iam as iam
from aws_cdk.aws_apigatewayv2_integrations import WebSocketLambdaIntegration
from constructs import Construct

from infra.access_log import AccessLog, AccessLogPermission
from infra.deployment import Deployment
from infra.environments import Environment
from infra.function import BackendFunction
from infra.layers import Layers
from infra.nag import acknowledge, wildcard

_LOGGED = ("requestId", "requestTime", "eventType", "routeKey", "status", "connectionId", "identity.sourceIp")


class RealtimeStack(Stack):
    """Every WebSocket route goes to `functions.realtime`; other functions push through `callback_url`."""

    def __init__(self, scope: Construct, id_: str, *, deployment: Deployment) -> None:
        environment = deployment.environment
        super().__init__(scope, id_, stack_name=environment.named("realtime"))
        self.function = BackendFunction(
            self,
            "Realtime",
            deployment=deployment,
            name="realtime",
            layers=Layers(self, "Layers", bundles=deployment.bundles),
            dependencies=["core", "web"],
            timeout=Duration.seconds(29),
            secrets=["DATABASE_SECRET_ARN", "CHAT_TOKEN_SECRET_ARN", "SIGNING_SECRET_ARN"],
        )
        self.api = apigatewayv2.WebSocketApi(
            self,
            "Api",
            api_name=environment.named("realtime"),
            connect_route_options=self._route("Connect"),
            disconnect_route_options=self._route("Disconnect"),
            default_route_options=self._route("Default"),
        )
        self.stage = self._stage(environment)
        emulator = deployment.data.variables.get("AWS_ENDPOINT_URL")
        emulated = f"{emulator}/_aws/execute-api/{self.api.api_id}/{environment.name}" if emulator else ""
        self.callback_url = emulated or self.stage.callback_url
        self.url = emulated.replace("http", "ws", 1) or self.stage.url
        self.function.function.add_environment("REALTIME_CALLBACK_URL", self.callback_url)
        self._push = self._push_policy()
        self.let_push(self.function)
        acknowledge(
            self.api, {"AwsSolutions-APIG4": "The function checks the token of $connect: it depends on the widget."}
        )
        CfnOutput(self, "RealtimeUrl", value=self.stage.url)
        CfnOutput(self, "RealtimeApiId", value=self.api.api_id)

    def let_push(self, function: BackendFunction) -> None:
        """Allow a function to send to open connections of this API."""
        if function.function.role is not None:
            function.function.role.add_managed_policy(self._push)

    def _push_policy(self) -> iam.ManagedPolicy:
        connections = self.format_arn(
            service="execute-api",
            resource=self.api.api_id,
            resource_name=f"{self.stage.stage_name}/POST/@connections/*",
        )
        policy = iam.ManagedPolicy(
            self,
            "Push",
            description="Send to open connections",
            statements=[iam.PolicyStatement(actions=["execute-api:ManageConnections"], resources=[connections])],
        )
        acknowledge(policy, {wildcard(self, connections): "Connections come and go; all of this API are meant."})
        return policy

    def _route(self, name: str) -> apigatewayv2.WebSocketRouteOptions:
        return apigatewayv2.WebSocketRouteOptions(
            integration=WebSocketLambdaIntegration(f"{name}Handler", self.function.invoked)
        )

    def _stage(self, environment: Environment) -> apigatewayv2.WebSocketStage:
        stage = apigatewayv2.WebSocketStage(
            self,
            "Stage",
            web_socket_api=self.api,
            stage_name=environment.name,
            auto_deploy=True,
            detailed_metrics_enabled=True,
            throttle=apigatewayv2.ThrottleSettings(
                rate_limit=environment.traffic.rate, burst_limit=environment.traffic.burst
            ),
        )
        log = AccessLog(self, "AccessLog", environment=environment, api="realtime")
        resource = cast("apigatewayv2.CfnStage", stage.node.default_child)
        resource.access_log_settings = apigatewayv2.CfnStage.AccessLogSettingsProperty(
            destination_arn=log.log_group_arn,
            format=json.dumps({name: f"$context.{name}" for name in _LOGGED}),
        )
        stage.node.add_dependency(AccessLogPermission(self, "AccessLogPermission"))
        return stage
