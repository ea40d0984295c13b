"""What every stack is given: the environment, the data stores and the bundles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager

from infra.bundling import Bundles
from infra.environments import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class DataServices:
    """The data stores as functions see them.

    `variables` are the same for every function. `secrets` are keyed by the variable that carries their
    ARN; a function gets, and may read, only those that it asks for. On the emulator all is in `variables`.
    """

    variables: Mapping[str, str]
    secrets: Mapping[str, secretsmanager.ISecret] = field(default_factory=dict)
    tenant_key: kms.IKey | None = None
    former_tenant_keys: Sequence[kms.IKey] = ()
    vpc: ec2.IVpc | None = None
    security_group: ec2.ISecurityGroup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One environment being synthesised."""

    environment: Environment
    data: DataServices
    bundles: Bundles
    public_api_url: str | None = None
    """The address that visitors use, when it is known before the API exists (a custom domain)."""
    mail_sender: str | None = None
    """The address that mail comes from, verified with SES; without one no mail is sent."""
    dashboard_url: str | None = None
    """Where the dashboard is, for the links in mails, when it is not `dashboard/` beside the API."""
