"""The app: `cdk synth -c env=dev|staging|prod|local`.

Other context: `bundling=off` leaves the bundles empty (when only templates matter), `public_api_url` is the
API's address if it has a domain of its own, `database_secret_arn` and `database_admin_secret_arn` name an
existing Postgres, and `data_services` (JSON: variable -> value) is how `local` learns its data stores.
`tenant_key_generation` (1) is raised by one to seal tenants' secrets with a new master key.
`mail_sender` is the address that mail comes from (verified with SES), `dashboard_url` where the links in it lead when
the dashboard is not beside the API.
"""

import json

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks

from infra.bundling import Bundles, Target
from infra.deployment import DataServices, Deployment
from infra.environments import Environment, environment
from infra.stacks.api import ApiStack
from infra.stacks.data import DataStack
from infra.stacks.ingestion import IngestionStack
from infra.stacks.jobs import JobsStack
from infra.stacks.migrations import MigrationsStack
from infra.stacks.monitoring import MonitoringStack
from infra.stacks.realtime import RealtimeStack
from infra.stacks.web import WebStack


def build(app: App) -> App:
    """Add the stacks of the environment named in the context; raise ValueError for an unknown one."""
    chosen = environment(app.node.try_get_context("env") or "dev")
    bundles = Bundles(
        Target.host() if chosen.is_local else Target.aws(), build=app.node.try_get_context("bundling") != "off"
    )
    for name, value in (("application", "chatconnect"), ("environment", chosen.name)):
        Tags.of(app).add(name, value, exclude_resource_types=["AWS::RDS::DBProxyTargetGroup"])
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    data = _data_stack(app, chosen)
    deployment = Deployment(
        environment=chosen,
        data=data.services if data else DataServices(variables=_existing_data_services(app)),
        bundles=bundles,
        public_api_url=app.node.try_get_context("public_api_url"),
        mail_sender=app.node.try_get_context("mail_sender"),
        dashboard_url=app.node.try_get_context("dashboard_url"),
    )
    _application(app, deployment, data)
    return app


def _data_stack(app: App, chosen: Environment) -> DataStack | None:
    if chosen.network is None or chosen.database is None:
        return None
    return DataStack(
        app,
        "Data",
        environment=chosen,
        network=chosen.network,
        database=chosen.database,
        database_secret_arn=app.node.try_get_context("database_secret_arn"),
        database_admin_secret_arn=app.node.try_get_context("database_admin_secret_arn"),
        tenant_key_generation=int(app.node.try_get_context("tenant_key_generation") or 1),
    )


def _existing_data_services(app: App) -> dict[str, str]:
    given: dict[str, str] = json.loads(app.node.try_get_context("data_services") or "{}")
    return given


def _application(app: App, deployment: Deployment, data: DataStack | None) -> None:
    realtime = RealtimeStack(app, "Realtime", deployment=deployment)
    ingestion = IngestionStack(app, "Ingestion", deployment=deployment, realtime=realtime)
    jobs = JobsStack(app, "Jobs", deployment=deployment, ingestion=ingestion, realtime=realtime)
    api = ApiStack(app, "Api", deployment=deployment, ingestion=ingestion, jobs=jobs, realtime=realtime)
    others = []
    if data is not None:
        host = data.cluster.cluster_endpoint.hostname if data.cluster else None
        migrations = MigrationsStack(
            app, "Migrations", deployment=deployment, admin_secret=data.admin_secret, database_host=host
        )
        for stack in (realtime, ingestion, jobs, api):
            stack.add_stack_dependency(migrations)
        others.append(migrations.migrate)
        WebStack(app, "Web", environment=deployment.environment, bundles=deployment.bundles)
    MonitoringStack(
        app,
        "Monitoring",
        environment=deployment.environment,
        api=api,
        ingestion=ingestion,
        jobs=jobs,
        realtime=realtime,
        database=data.cluster if data else None,
        others=others,
    )


if __name__ == "__main__":
    build(App()).synth()
