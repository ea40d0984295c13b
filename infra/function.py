"""One folder of functions/ as a Lambda function."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import Duration, Size, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.deployment import Deployment
from infra.layers import Layers
from infra.nag import acknowledge, aws_policy, wildcard
from infra.uploads import UploadBucket

_FULL_CPU = 1_769  # MB of memory at which Lambda gives one whole vCPU


class BackendFunction(Construct):
    """The function `functions.<name>`: its package, layers, variables, log group and role.

    `secrets` names the variables (see DataServices.secrets) that it needs; it may read those and no others.
    With `snap_start`, `invoked` is an alias on a published version, restored from a snapshot; otherwise
    it is the function itself.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        deployment: Deployment,
        name: str,
        layers: Layers,
        dependencies: Sequence[str],
        timeout: Duration,
        handler: str = "handler.handler",
        variables: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        snap_start: bool = False,
        memory: int = _FULL_CPU,
        concurrency: int | None = None,
        scratch_space: Size | None = None,
        extra_folders: Mapping[str, Path] | None = None,
        extra_layers: Sequence[lambda_.ILayerVersion] = (),
    ) -> None:
        super().__init__(scope, id_)
        environment, data = deployment.environment, deployment.data
        self.name = name
        self._former_tenant_keys = data.former_tenant_keys
        package = deployment.bundles.function(name, extra_folders)
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"/aws/lambda/{environment.named(name)}",
            retention=environment.log_retention,
            removal_policy=environment.removal_policy,
        )
        granted = {variable: data.secrets[variable] for variable in secrets if variable in data.secrets}
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=environment.named(name),
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(str(package.path), asset_hash=package.hash),
            handler=handler if "/" in handler else f"functions.{name}.{handler}",
            layers=[*(layers.get(layer) for layer in ("domain", *dependencies)), *extra_layers],
            memory_size=memory,
            timeout=timeout,
            ephemeral_storage_size=scratch_space,
            reserved_concurrent_executions=concurrency,
            log_group=self.log_group,
            tracing=lambda_.Tracing.DISABLED if environment.is_local else lambda_.Tracing.ACTIVE,
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
            environment={
                **_common_variables(deployment, name),
                **data.variables,
                **{variable: secret.secret_arn for variable, secret in granted.items()},
                **(variables or {}),
            },
            vpc=data.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS) if data.vpc else None,
            security_groups=[data.security_group] if data.security_group else None,
        )
        for secret in granted.values():
            self.may_read(secret)
        self.invoked: lambda_.IFunction = self.function
        if snap_start:
            self.invoked = lambda_.Alias(self, "Live", alias_name="live", version=self.function.current_version)
        acknowledge(self.function, _REASONS)

    def may_read(self, secret: secretsmanager.ISecret) -> None:
        """Allow reading a secret, by the function's own policy.

        CDK's grant also writes into the secret's and its key's policies, which ties the data stack to this one.
        """
        self.allow(["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"], secret.secret_arn)
        if secret.encryption_key is not None:
            self.allow(["kms:Decrypt"], secret.encryption_key.key_arn)

    def may_use_uploads(self, uploads: UploadBucket, *actions: str) -> None:
        """Allow actions on every uploaded object, and name the bucket in UPLOADS_BUCKET.

        Without the right to list, S3 calls a missing object forbidden, and tells nobody of former versions.
        """
        self.function.add_environment("UPLOADS_BUCKET", uploads.name)
        self.allow(actions, uploads.objects)
        self.allow(["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"], uploads.arn)
        acknowledge(self.function, {wildcard(self, uploads.objects): "All objects of this one bucket are meant."})

    def may_use_tenant_key(self, key: kms.IKey | None, *, seals: bool = False) -> None:
        """Allow opening tenants' secrets, and sealing them if asked; without a key (emulator) nothing is to grant."""
        if key is not None:
            self.allow(["kms:Decrypt", *(["kms:GenerateDataKey"] if seals else [])], key.key_arn)
        for former in self._former_tenant_keys:  # until nothing is left that they sealed
            self.allow(["kms:Decrypt"], former.key_arn)

    def allow(self, actions: Sequence[str], resource: str) -> None:
        """Allow actions on one resource."""
        self.function.add_to_role_policy(iam.PolicyStatement(actions=list(actions), resources=[resource]))


def web_adapter(scope: Construct, id_: str) -> lambda_.ILayerVersion:
    """Return the AWS Lambda Web Adapter, published by AWS: it runs a web server as a function and streams."""
    region = Stack.of(scope).region
    arn = f"arn:aws:lambda:{region}:753240598075:layer:LambdaAdapterLayerArm64:30"
    return lambda_.LayerVersion.from_layer_version_arn(scope, id_, arn)


def _common_variables(deployment: Deployment, name: str) -> dict[str, str]:
    environment = deployment.environment
    variables = {
        "ENVIRONMENT": environment.name,
        "EMBEDDING_PROVIDER": environment.embedding_provider,
        "EMBEDDING_MODEL": environment.embedding_model,
        "EMBEDDING_DIMENSIONS": str(environment.embedding_dimensions),
        "POWERTOOLS_SERVICE_NAME": name,
        "POWERTOOLS_METRICS_NAMESPACE": "ChatConnect",
        "POWERTOOLS_LOG_LEVEL": environment.log_level,
    }
    if environment.rerank_url:
        variables |= {"RERANK_URL": environment.rerank_url, "RERANK_MODEL": environment.rerank_model}
    if deployment.public_api_url:
        variables["PUBLIC_API_URL"] = deployment.public_api_url
    return variables


_REASONS = {
    aws_policy("AWSLambdaBasicExecutionRole"): "It grants writing logs, nothing else.",
    aws_policy("AWSLambdaVPCAccessExecutionRole"): "It grants network interfaces, nothing else.",
    "@aws-cdk/aws-lambda:snapStartRequirePublish": "It is the alias on a published version that is invoked.",
    "AwsSolutions-IAM5[Resource::*]": "X-Ray and CloudWatch's metrics have no resource to name.",
    "AwsSolutions-L1": "Python 3.13 is what the wheels and the bytecode are built for.",
}
