"""The data stores: network, Postgres, cache, keys and secrets. Not part of `local`."""

import json
from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra.deployment import DataServices
from infra.environments import Database, Environment, Network
from infra.nag import acknowledge

APP_LOGIN = "chatconnect_functions"  # migrations make it a member of chatconnect_app


class DataStack(Stack):
    """Everything that keeps state, except the upload bucket.

    With `database_secret_arn` an existing Postgres is used instead of Aurora: a secret with host, port,
    dbname, username and password of the app role, and `database_admin_secret_arn` the same for migrations.
    `tenant_key_generation` counts the master keys of tenants' secrets: the last seals, all of them open.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        network: Network,
        database: Database,
        database_secret_arn: str | None = None,
        database_admin_secret_arn: str | None = None,
        tenant_key_generation: int = 1,
    ) -> None:
        super().__init__(scope, id_, stack_name=environment.named("data"))
        self._environment = environment
        self.vpc = self._network(network)
        self.functions_group = ec2.SecurityGroup(
            self, "Functions", vpc=self.vpc, description="Lambda functions of ChatConnect"
        )
        self.storage_key = self._key("StorageKey", "Encrypts the data stores and secrets")
        *self.former_tenant_keys, self.tenant_key = self._tenant_keys(tenant_key_generation)
        self.cluster: rds.DatabaseCluster | None = None
        variables: dict[str, str] = {}
        if database_secret_arn:
            app_secret = self._existing_secret("AppSecret", database_secret_arn)
            self.admin_secret = self._existing_secret("AdminSecret", database_admin_secret_arn or database_secret_arn)
        else:
            self.cluster = self._postgres(database)
            self.admin_secret = _present(self.cluster.secret)
            app_secret = self._app_secret(self.cluster)
            variables["DATABASE_HOST"] = self._database_host(database, self.cluster, app_secret)
            variables["DATABASE_BEHIND_PROXY"] = str(database.proxy).lower()
        self.services = DataServices(
            variables={**variables, **self._addresses()},
            secrets={"DATABASE_SECRET_ARN": app_secret, **self._application_secrets()},
            tenant_key=self.tenant_key,
            former_tenant_keys=self.former_tenant_keys,
            vpc=self.vpc,
            security_group=self.functions_group,
        )

    def _network(self, network: Network) -> ec2.Vpc:
        vpc = ec2.Vpc(
            self,
            "Network",
            max_azs=network.availability_zones,
            nat_gateways=network.nat_gateways,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="functions", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
                ec2.SubnetConfiguration(name="data", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            ],
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
        )
        flow_log = logs.LogGroup(
            self, "FlowLog", retention=self._environment.log_retention, removal_policy=RemovalPolicy.DESTROY
        )
        vpc.add_flow_log("Rejected", destination=ec2.FlowLogDestination.to_cloud_watch_logs(flow_log),
                         traffic_type=ec2.FlowLogTrafficType.REJECT)  # fmt: skip
        if network.interface_endpoints:
            for service in ("SECRETS_MANAGER", "KMS", "SQS"):
                endpoint = vpc.add_interface_endpoint(
                    service.title().replace("_", ""), service=getattr(ec2.InterfaceVpcEndpointAwsService, service)
                )
                acknowledge(endpoint, {"AwsSolutions-EC23": "It is open to the network's own addresses only."})
        return vpc

    def _tenant_keys(self, generation: int) -> list[kms.Key]:
        ids = ["TenantKey", *(f"TenantKey{number}" for number in range(2, generation + 1))]
        return [self._key(id_, "Encrypts the data keys of tenants' access tokens") for id_ in ids]

    def _key(self, id_: str, description: str) -> kms.Key:
        return kms.Key(
            self,
            id_,
            description=f"ChatConnect {self._environment.name}: {description}",
            enable_key_rotation=True,
            removal_policy=self._environment.removal_policy,
        )

    def _postgres(self, database: Database) -> rds.DatabaseCluster:
        protected = self._environment.keep_data
        cluster = rds.DatabaseCluster(
            self,
            "Postgres",
            engine=rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_17_5),
            credentials=rds.Credentials.from_generated_secret("chatconnect_admin", encryption_key=self.storage_key),
            default_database_name="chatconnect",
            writer=rds.ClusterInstance.serverless_v2("Writer", enable_performance_insights=protected),
            readers=[
                rds.ClusterInstance.serverless_v2(
                    f"Reader{number}", scale_with_writer=True, enable_performance_insights=protected
                )
                for number in range(1, database.readers + 1)
            ],
            serverless_v2_min_capacity=database.min_capacity,
            serverless_v2_max_capacity=database.max_capacity,
            serverless_v2_auto_pause_duration=Duration.minutes(10) if database.min_capacity == 0 else None,
            vpc=self.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            storage_encrypted=True,
            storage_encryption_key=self.storage_key,
            parameters={"rds.force_ssl": "1"},
            iam_authentication=True,
            backup=rds.BackupProps(retention=database.backup_retention),
            cloudwatch_logs_exports=["postgresql"],
            deletion_protection=protected,
            removal_policy=RemovalPolicy.SNAPSHOT if protected else RemovalPolicy.DESTROY,
        )
        cluster.connections.allow_default_port_from(self.functions_group)
        acknowledge(
            cluster,
            {
                "AwsSolutions-RDS10": "Deletion protection is off in dev, whose data is disposable.",
                "AwsSolutions-RDS11": "A port that hides is no protection; only the functions' group can connect.",
                "AwsSolutions-SMG4": "The administrator's password is used by migrations only.",
            },
        )
        return cluster

    def _app_secret(self, cluster: rds.DatabaseCluster) -> secretsmanager.ISecret:
        """The login that functions use; migrations create it with this password."""
        secret = secretsmanager.Secret(
            self,
            "AppSecret",
            description="Postgres login of the functions",
            encryption_key=self.storage_key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"username": APP_LOGIN}),
                generate_string_key="password",
                password_length=40,
                exclude_punctuation=True,
            ),
            removal_policy=self._environment.removal_policy,
        )
        acknowledge(secret, {"AwsSolutions-SMG4": "Replaced by hand; the next deployment's migrations apply it."})
        return secret.attach(cluster)

    def _database_host(
        self, database: Database, cluster: rds.DatabaseCluster, app_secret: secretsmanager.ISecret
    ) -> str:
        if not database.proxy:
            return cluster.cluster_endpoint.hostname
        proxy = cluster.add_proxy(
            "Proxy", secrets=[app_secret], vpc=self.vpc, require_tls=True, security_groups=[self._proxy_group(cluster)]
        )
        acknowledge(proxy, {"AwsSolutions-IAM5": "The wildcard is in the actions of CDK's grant on one key."})
        return proxy.endpoint

    def _proxy_group(self, cluster: rds.DatabaseCluster) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(self, "ProxyGroup", vpc=self.vpc, description="RDS Proxy of ChatConnect")
        group.add_ingress_rule(self.functions_group, ec2.Port.tcp(5432), "Functions to the proxy")
        cluster.connections.allow_default_port_from(group, "Proxy to the database")
        return group

    def _addresses(self) -> dict[str, str]:
        cache = self._cache()
        return {
            "REDIS_URL": f"rediss://{cache.attr_endpoint_address}:{cache.attr_endpoint_port}",
            "QDRANT_URL": ssm.StringParameter.value_for_string_parameter(
                self, f"/chatconnect/{self._environment.name}/qdrant-url"
            ),
            "KMS_KEY_ID": self.tenant_key.key_id,
        }

    def _cache(self) -> elasticache.CfnServerlessCache:
        group = ec2.SecurityGroup(
            self, "CacheGroup", vpc=self.vpc, description="Cache of ChatConnect", allow_all_outbound=False
        )
        group.add_ingress_rule(self.functions_group, ec2.Port.tcp_range(6379, 6380), "Functions to the cache")
        return elasticache.CfnServerlessCache(
            self,
            "Cache",
            serverless_cache_name=self._environment.named("cache"),
            engine="valkey",
            major_engine_version="8",
            kms_key_id=self.storage_key.key_arn,
            security_group_ids=[group.security_group_id],
            subnet_ids=self.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids,
        )

    def _application_secrets(self) -> Mapping[str, secretsmanager.ISecret]:
        """Signing keys are generated; the keys of outside services are filled in by the operator."""
        return {
            "CHAT_TOKEN_SECRET_ARN": self._secret("ChatTokenSecret", "Signs visitors' chat tokens"),
            "SIGNING_SECRET_ARN": self._secret("SigningSecret", "Signs staff access tokens"),
            "QDRANT_API_KEY_SECRET_ARN": self._secret("QdrantApiKey", "API key of Qdrant Cloud: put it here"),
            "PROVIDER_KEYS_SECRET_ARN": self._secret(
                "ProviderKeys", 'API keys of the platform\'s own model providers: put {"openai": ..., "anthropic": ...}'
            ),
        }

    def _secret(self, id_: str, description: str) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            id_,
            description=description,
            encryption_key=self.storage_key,
            generate_secret_string=secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
            removal_policy=self._environment.removal_policy,
        )
        acknowledge(secret, {"AwsSolutions-SMG4": "Replaced by the operator; sessions end or a vendor issues it."})
        return secret

    def _existing_secret(self, id_: str, arn: str) -> secretsmanager.ISecret:
        return secretsmanager.Secret.from_secret_complete_arn(self, id_, arn)


def _present(secret: secretsmanager.ISecret | None) -> secretsmanager.ISecret:
    if secret is None:
        raise ValueError("the database was given no generated credentials")
    return secret
