"""The REST API and the functions behind it."""

import json

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from infra.access_log import AccessLog
from infra.deployment import Deployment
from infra.environments import Environment
from infra.firewall import Firewall
from infra.function import BackendFunction, web_adapter
from infra.layers import Layers
from infra.nag import acknowledge
from infra.stacks.ingestion import IngestionStack
from infra.stacks.jobs import JobsStack
from infra.stacks.realtime import RealtimeStack
from infra.uploads import ARCHIVES_TOO

_LONGEST_ANSWER = Duration.minutes(5)
# What it takes to know who asks, to search and to ask a model.
_SECRETS = [
    "DATABASE_SECRET_ARN",
    "QDRANT_API_KEY_SECRET_ARN",
    "CHAT_TOKEN_SECRET_ARN",
    "SIGNING_SECRET_ARN",
    "PROVIDER_KEYS_SECRET_ARN",
]
_LOGGED = (
    "requestId", "requestTime", "httpMethod", "resourcePath", "status", "responseLatency", "responseLength",
    "identity.sourceIp", "xrayTraceId", "integrationErrorMessage",
)  # fmt: skip


class ApiStack(Stack):
    """Three functions: `chat` streams, `widget_config` is what every page view asks, `config` is all the rest."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        deployment: Deployment,
        ingestion: IngestionStack,
        jobs: JobsStack,
        realtime: RealtimeStack,
    ) -> None:
        environment = deployment.environment
        super().__init__(scope, id_, stack_name=environment.named("api"))
        self._deployment = deployment
        self._layers = Layers(self, "Layers", bundles=deployment.bundles)
        self.chat = self._chat(jobs)
        self.widget_config = self._widget_config()
        self.config = self._config(ingestion, jobs, realtime)
        self.api = self._api(environment)
        self._routes()
        if not environment.is_local:
            Firewall(self, "Firewall", environment=environment, stage=self.api.deployment_stage)
        CfnOutput(self, "ApiUrl", value=self.api.url)
        CfnOutput(self, "ApiId", value=self.api.rest_api_id)

    def _chat(self, jobs: JobsStack) -> BackendFunction:
        """Answers as a web server under AWS's adapter; on the emulator, which cannot stream, as a plain handler."""
        streams = not self._deployment.environment.is_local
        adapter_settings = {
            "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap",
            "AWS_LWA_INVOKE_MODE": "response_stream",
            "AWS_LWA_READINESS_CHECK_PATH": "/health",
            "AWS_LWA_SNAPSTART_BEFORE_CHECKPOINT_PATH": "/snapshot/before",
            "AWS_LWA_SNAPSTART_AFTER_RESTORE_PATH": "/snapshot/after",
            "PORT": "8080",
            "PYTHONPATH": "/var/task:/opt/python:/var/runtime",  # the adapter starts Python without Lambda's own paths
        }
        function = BackendFunction(
            self,
            "Chat",
            deployment=self._deployment,
            name="chat",
            layers=self._layers,
            dependencies=["core", "web", "models"],
            timeout=_LONGEST_ANSWER,
            handler="functions/chat/run.sh" if streams else "handler.handler",
            extra_layers=[web_adapter(self, "WebAdapter")] if streams else [],
            variables={"TURNS_QUEUE_URL": jobs.turns.queue.queue_url, **(adapter_settings if streams else {})},
            secrets=_SECRETS,
            snap_start=True,
            concurrency=self._deployment.environment.traffic.chat_concurrency,
        )
        jobs.turns.queue.grant_send_messages(function.function)
        function.may_use_tenant_key(self._deployment.data.tenant_key)
        return function

    def _widget_config(self) -> BackendFunction:
        function = BackendFunction(
            self,
            "WidgetConfig",
            deployment=self._deployment,
            name="widget_config",
            layers=self._layers,
            dependencies=["core", "web"],
            timeout=Duration.seconds(10),
            secrets=["DATABASE_SECRET_ARN", "CHAT_TOKEN_SECRET_ARN"],
            snap_start=True,
        )
        function.may_use_tenant_key(self._deployment.data.tenant_key)
        return function

    def _config(self, ingestion: IngestionStack, jobs: JobsStack, realtime: RealtimeStack) -> BackendFunction:
        uploads = ingestion.uploads
        function = BackendFunction(
            self,
            "Config",
            deployment=self._deployment,
            name="config",
            layers=self._layers,
            dependencies=["core", "web", "models"],
            timeout=Duration.seconds(29),
            variables={
                "UPLOADS_QUEUE_URL": uploads.queue.queue_url,
                "DEAD_LETTER_QUEUE_URL": uploads.parked.queue_url,
                "TURNS_QUEUE_URL": jobs.turns.queue.queue_url,
                "REALTIME_URL": realtime.url,
                "REALTIME_CALLBACK_URL": realtime.callback_url,
            },
            secrets=_SECRETS,
            snap_start=True,
        )
        function.may_use_uploads(ingestion.bucket, *ARCHIVES_TOO)
        uploads.queue.grant_send_messages(function.function)  # to process a document again
        for queue in (uploads.queue, uploads.parked, jobs.turns.queue):
            queue.grant(function.function, "sqs:GetQueueAttributes")
        function.allow(["cloudwatch:GetMetricStatistics"], "*")  # the queues' ages; a metric cannot be named
        function.may_use_tenant_key(self._deployment.data.tenant_key, seals=True)
        realtime.let_push(function)
        self._let_send_mail(function)
        return function

    def _let_send_mail(self, function: BackendFunction) -> None:
        """Allow mail from the one address, whether SES knows the address itself or its whole domain."""
        sender, dashboard_url = self._deployment.mail_sender, self._deployment.dashboard_url
        if dashboard_url:
            function.function.add_environment("DASHBOARD_URL", dashboard_url)
        if sender:
            function.function.add_environment("MAIL_SENDER", sender)
            for identity in (sender, sender.partition("@")[2]):
                function.allow(
                    ["ses:SendEmail"], self.format_arn(service="ses", resource="identity", resource_name=identity)
                )

    def _api(self, environment: Environment) -> apigateway.RestApi:
        """Regional: an edge endpoint cuts a stream that is silent for 30 s. Never compressed: that would buffer."""
        log = AccessLog(self, "AccessLog", environment=environment, api="rest")
        api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=environment.named("api"),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=environment.name,
                throttling_rate_limit=environment.traffic.rate,
                throttling_burst_limit=environment.traffic.burst,
                tracing_enabled=not environment.is_local,
                metrics_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                access_log_destination=apigateway.LogGroupLogDestination(log),
                access_log_format=apigateway.AccessLogFormat.custom(
                    json.dumps({name: f"$context.{name}" for name in _LOGGED})
                ),
            ),
        )
        acknowledge(
            api,
            {
                "AwsSolutions-APIG2": "The functions validate requests and answer with the product's own errors.",
                "AwsSolutions-APIG4": "The functions authenticate: keys, chat tokens and staff tokens are ours.",
                "AwsSolutions-COG4": "The functions authenticate: keys, chat tokens and staff tokens are ours.",
                **({"AwsSolutions-APIG3": "The emulator has no firewall."} if environment.is_local else {}),
            },
        )
        if not environment.is_local:
            _add_own_answers(api)
        return api

    def _routes(self) -> None:
        """OPTIONS goes to the functions too: which origins may call depends on the widget."""
        buffered = apigateway.LambdaIntegration
        streaming = (
            buffered(self.chat.invoked)
            if self._deployment.environment.is_local
            else apigateway.LambdaIntegration(
                self.chat.invoked,
                response_transfer_mode=apigateway.ResponseTransferMode.STREAM,
                timeout=_LONGEST_ANSWER,
            )
        )
        widget, rest = buffered(self.widget_config.invoked), buffered(self.config.invoked)
        for path, methods, integration in (
            ("/v1/chat", ("POST", "OPTIONS"), streaming),
            ("/v1/chat/stream", ("POST", "OPTIONS"), streaming),
            ("/v1/chat/stream/{message_id}", ("GET", "OPTIONS"), streaming),
            ("/v1/chat/{message_id}/cancel", ("POST", "OPTIONS"), streaming),
            ("/v1/widgets/{key}/config", ("GET", "OPTIONS"), widget),
            ("/v1/widgets/{key}/token", ("POST", "OPTIONS"), widget),
            ("/v1/widgets", ("ANY",), rest),
            ("/v1/widgets/{key}", ("ANY",), rest),
            ("/v1/widgets/{key}/{proxy+}", ("ANY",), rest),
            ("/", ("ANY",), rest),
            ("/{proxy+}", ("ANY",), rest),
        ):
            for method in methods:
                self.api.root.resource_for_path(path).add_method(method, integration)


def _add_own_answers(api: apigateway.RestApi) -> None:
    """Let what API Gateway and the firewall answer themselves look like our errors, and let every website read it.

    A browser hides an answer without these headers: a widget would not know that it is only to wait.
    """
    kinds = apigateway.ResponseType
    readable = {
        "Access-Control-Allow-Origin": "'*'",
        "Access-Control-Expose-Headers": "'Retry-After,X-Trace-Id'",
        "X-Trace-Id": "context.requestId",
    }
    for name, kind, status, code, headers in (
        ("Default4xx", kinds.DEFAULT_4_XX, None, "request_refused", {}),
        ("Default5xx", kinds.DEFAULT_5_XX, None, "unavailable", {"Retry-After": "'5'"}),
        ("Firewall", kinds.WAF_FILTERED, "403", "refused_by_firewall", {}),
        ("Throttled", kinds.THROTTLED, "429", "rate_limited", {"Retry-After": "'1'"}),
        ("TooLarge", kinds.REQUEST_TOO_LARGE, "413", "body_too_large", {}),
    ):
        error = f'{{"code": "{code}", "message": $context.error.messageString, "details": {{}}, '
        api.add_gateway_response(
            name,
            type=kind,
            status_code=status,
            response_headers={**readable, **headers},
            templates={"application/json": f'{{"error": {error}"trace_id": "$context.requestId"}}}}'},
        )
