"""Database migrations as a step of the deployment: after the data stores, before any function changes."""

from aws_cdk import Duration, Stack, triggers
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.bundling import PROJECT
from infra.deployment import Deployment
from infra.function import BackendFunction
from infra.layers import Layers


class MigrationsStack(Stack):
    """Runs `functions.migrate` whenever the migrations, or the function, changed; a failure stops the deployment.

    It talks to the database itself, not to the proxy, as the administrator.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        deployment: Deployment,
        admin_secret: secretsmanager.ISecret,
        database_host: str | None,
    ) -> None:
        super().__init__(scope, id_, stack_name=deployment.environment.named("migrations"))
        timeout = Duration.minutes(14)
        self.migrate = BackendFunction(
            self,
            "Migrate",
            deployment=deployment,
            name="migrate",
            layers=Layers(self, "Layers", bundles=deployment.bundles),
            dependencies=["core", "migrations"],
            timeout=timeout,
            memory=512,
            variables={"DATABASE_ADMIN_SECRET_ARN": admin_secret.secret_arn}
            | ({"DATABASE_HOST": database_host} if database_host else {}),
            secrets=["DATABASE_SECRET_ARN"],
            extra_folders={"migrations": PROJECT / "layers" / "core" / "migrations"},
        )
        self.migrate.may_read(admin_secret)
        trigger = triggers.Trigger(self, "Run", handler=self.migrate.function, timeout=timeout)
        trigger.node.add_dependency(self.migrate)
