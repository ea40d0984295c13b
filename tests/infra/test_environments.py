"""What holds for every environment, and how they differ."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from aws_cdk import App

from infra.environments import Database, environment
from infra.stacks.data import DataStack
from tests.infra.conftest import Assembly

ENVIRONMENTS = ("dev", "staging", "prod", "local")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_environment_passes_the_security_rules(assembly: Callable[[str], Assembly], name: str) -> None:
    assert assembly(name).findings == []


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_no_secret_value_is_in_a_template(assembly: Callable[[str], Assembly], name: str) -> None:
    text = json.dumps(assembly(name).templates)

    assert "resolve:secretsmanager" not in re.sub(r'"MasterUserPassword": \{[^}]*\}', "", text)
    assert not re.search(r"(?i)(sk-[a-z0-9]{20}|AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY)", text)


def test_functions_are_told_where_secrets_are_and_not_what_they_are(prod: Assembly) -> None:
    for function in prod.functions():
        variables = function.properties["Environment"]["Variables"]
        named = {name for name in variables if re.search("SECRET|PASSWORD|TOKEN|KEY", name)} - {"KMS_KEY_ID"}

        assert {name for name in named if not name.endswith("_ARN")} == set(), function.id


def test_a_function_may_read_only_the_secrets_that_it_is_told_of(prod: Assembly) -> None:
    widget_config = prod.one("AWS::Lambda::Function", FunctionName="chatconnect-prod-widget_config")
    told = {n for n in widget_config.properties["Environment"]["Variables"] if n.endswith("_SECRET_ARN")}

    policies = [p for p in prod.all("AWS::IAM::Policy", stack="Api") if p.id.startswith("WidgetConfig")]
    readable = [
        s for p in policies for s in p.properties["PolicyDocument"]["Statement"]
        if "secretsmanager:GetSecretValue" in s["Action"]
    ]  # fmt: skip

    assert told == {"DATABASE_SECRET_ARN", "CHAT_TOKEN_SECRET_ARN"}
    assert [len(statement["Resource"]) for statement in readable] == [len(told)]


@pytest.mark.parametrize(
    ("stack", "function", "actions"),
    [
        ("Api", "Chat", {"kms:Decrypt"}),
        ("Api", "WidgetConfig", {"kms:Decrypt"}),
        ("Api", "Config", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("Jobs", "Jobs", {"kms:Decrypt", "kms:GenerateDataKey"}),
        ("Ingestion", "Documents", set()),
        ("Realtime", "Realtime", set()),
    ],
)
def test_tenants_secrets_are_opened_by_few_functions_and_sealed_by_fewer(
    prod: Assembly, stack: str, function: str, actions: set[str]
) -> None:
    granted = [
        statement["Action"]
        for policy in prod.all("AWS::IAM::Policy", stack=stack) if policy.id.startswith(function)
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "TenantKey" in json.dumps(statement["Resource"])
    ]  # fmt: skip

    assert {action for given in granted for action in ([given] if isinstance(given, str) else given)} == actions


def test_prod_keeps_its_database_awake_behind_a_proxy(prod: Assembly) -> None:
    cluster = prod.one("AWS::RDS::DBCluster").properties

    assert cluster["ServerlessV2ScalingConfiguration"]["MinCapacity"] >= 0.5
    assert cluster["StorageEncrypted"] is True
    assert cluster["DeletionProtection"] is True
    assert prod.one("AWS::RDS::DBProxy").properties["RequireTLS"] is True


def test_dev_lets_its_database_sleep(assembly: Callable[[str], Assembly]) -> None:
    dev = assembly("dev")

    assert dev.one("AWS::RDS::DBCluster").properties["ServerlessV2ScalingConfiguration"]["MinCapacity"] == 0
    assert dev.all("AWS::RDS::DBProxy") == []


def test_a_proxy_on_a_database_that_sleeps_is_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        Database(min_capacity=0, max_capacity=2, proxy=True)


def test_an_unknown_environment_is_named_in_the_error() -> None:
    with pytest.raises(ValueError, match="'production'"):
        environment("production")


def test_prod_keeps_its_data_when_a_stack_is_deleted(prod: Assembly) -> None:
    for type_ in ("AWS::S3::Bucket", "AWS::KMS::Key", "AWS::SecretsManager::Secret"):
        for resource in prod.all(type_, stack="Data") + prod.all(type_, stack="Ingestion"):
            if "PostgresSecret" not in resource.id:  # goes with its cluster
                assert resource.definition["DeletionPolicy"] == "Retain", resource.id
    assert prod.one("AWS::RDS::DBCluster").definition["DeletionPolicy"] == "Snapshot"


def test_migrations_run_before_any_function_changes(prod: Assembly) -> None:
    trigger = prod.one("Custom::Trigger").properties

    assert trigger["InvocationType"] == "RequestResponse"
    assert trigger["ExecuteOnHandlerChange"] is True


def test_local_has_the_application_and_none_of_the_data_stores(local: Assembly) -> None:
    assert set(local.templates) == {"Realtime", "Ingestion", "Jobs", "Api", "Monitoring"}
    assert local.all("AWS::WAFv2::WebACL") == []
    assert all("VpcConfig" not in function.properties for function in local.functions())


def test_the_bundled_embedding_model_is_refused_where_it_does_not_fit() -> None:
    dev = environment("dev")

    with pytest.raises(ValueError, match="does not fit into Lambda"):
        replace(dev, embedding_provider="local")


def test_a_second_master_key_seals_and_the_first_goes_on_opening() -> None:
    staging = environment("staging")
    assert staging.network is not None
    assert staging.database is not None

    stack = DataStack(
        App(), "Data", environment=staging, network=staging.network, database=staging.database, tenant_key_generation=2
    )

    assert stack.services.variables["KMS_KEY_ID"] == stack.tenant_key.key_id
    assert [key.node.id for key in stack.services.former_tenant_keys] == ["TenantKey"]
    assert stack.tenant_key.node.id == "TenantKey2"
