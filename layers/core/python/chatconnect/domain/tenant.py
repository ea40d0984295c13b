"""Tenants, their plans and their people."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from chatconnect.domain.budget import Cap, Measure, Period, lowest
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.errors import Forbidden, Invalid
from chatconnect.domain.identifiers import AccountId, MemberId, TenantId
from chatconnect.domain.releases import undated
from chatconnect.domain.secret import Secret
from chatconnect.domain.text import EMAIL

OWN_HOSTS = ("openai.com", "anthropic.com")
"""Whoever asks there asks the provider, whatever was configured as an address of one's own."""


class StaffRole(StrEnum):
    """What a member may do; each role may all that the next may."""

    OWNER = "owner"
    ADMIN = "admin"
    AGENT = "agent"
    VIEWER = "viewer"

    def covers(self, needed: "StaffRole") -> bool:
        """Whether this role may do what `needed` may."""
        order = list(StaffRole)
        return order.index(self) <= order.index(needed)

    def check_covers(self, needed: "StaffRole") -> None:
        """Raise Forbidden with code "role_required" when this role may not do what `needed` may."""
        if not self.covers(needed):
            raise Forbidden(f"this needs the role {needed}", code="role_required", details={"role": needed.value})


class Feature(StrEnum):
    """What a plan may include or not."""

    TOOLS = "tools"
    MCP = "mcp"
    HANDOVER = "handover"
    WEBHOOKS = "webhooks"
    ANALYTICS = "analytics"
    BRANDING = "branding"


@dataclass(frozen=True, slots=True)
class StandardModels:
    """What a deployment lets every plan use: some names, and models of its own.

    `servers` are the providers in whose place it asks servers of its own: what they serve under names that are not
    `priced` is no provider's.
    """

    names: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()
    priced: frozenset[str] = frozenset()

    def include(self, provider: str, model: str) -> bool:
        """Whether a model is among them."""
        return model in self.names or (provider in self.servers and undated(model) not in self.priced)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a tenant pays for. None means unlimited; money in millionths of a US dollar; `price` is for people.

    `models` are those that may be asked at the providers, by whichever key, beside the `standard` ones; `provider` and
    `model` the one that answers in place of others. `requests_per_minute` are those of each visitor and each key;
    `storage_bytes` what the files of documents may take together. `own_caps` are what the tenant has set itself, below
    what it pays for. `suspended`: it gets nothing for now.
    """

    name: str
    requests_per_minute: int
    provider: str
    model: str
    messages_per_minute: int | None = None
    messages_per_hour: int | None = None
    messages_per_day: int | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    microusd_per_day: int | None = None
    microusd_per_month: int | None = None
    own_caps: tuple[Cap, ...] = ()
    suspended: bool = False
    models: frozenset[str] | None = None
    features: frozenset[Feature] = frozenset(Feature)
    documents: int | None = None
    storage_bytes: int | None = None
    members: int | None = None
    price: str = ""
    standard: StandardModels = StandardModels()

    def allows_model(self, provider: str, model: str, base_url: str | None = None) -> bool:
        """Whether a model may be asked.

        At an address of its own a tenant asks its own models, under names of its own. A dated release
        ("gpt-4o-mini-2024-07-18") is its model.
        """
        if self.models is None or provider == "offline" or (base_url is not None and not is_of_a_provider(base_url)):
            return True
        return model in self.models or undated(model) in self.models or self.standard.include(provider, model)

    def check_model(self, provider: str, model: str, base_url: str | None = None) -> None:
        """Raise Forbidden with code "model_not_in_plan" for a model that may not be asked."""
        if not self.allows_model(provider, model, base_url):
            raise Forbidden(
                f"the plan {self.name} does not include the model {model}",
                code="model_not_in_plan",
                details={"plan": self.name, "models": sorted(self.models or ())},
            )

    def check_feature(self, feature: Feature) -> None:
        """Raise Forbidden with code "feature_not_in_plan"."""
        if feature not in self.features:
            raise Forbidden(
                f"the plan {self.name} does not include {feature}",
                code="feature_not_in_plan",
                details={"plan": self.name, "feature": feature.value},
            )

    def check_active(self) -> None:
        """Raise Forbidden with code "tenant_suspended" when the platform's operator has suspended the tenant."""
        if self.suspended:
            raise tenant_suspended()

    @property
    def caps(self) -> tuple[Cap, ...]:
        """What its tenant may use up, by measure, the shortest period first: the lowest of the plan's and its own."""
        return lowest((*self.limits, *self.own_caps))

    @property
    def limits(self) -> tuple[Cap, ...]:
        """What the plan itself allows."""
        limits = (
            (Measure.MESSAGES, Period.MINUTE, self.messages_per_minute),
            (Measure.MESSAGES, Period.HOUR, self.messages_per_hour),
            (Measure.MESSAGES, Period.DAY, self.messages_per_day),
            (Measure.TOKENS, Period.DAY, self.tokens_per_day),
            (Measure.TOKENS, Period.MONTH, self.tokens_per_month),
            (Measure.MONEY, Period.DAY, self.microusd_per_day),
            (Measure.MONEY, Period.MONTH, self.microusd_per_month),
        )
        return tuple(Cap(measure, period, hard) for measure, period, hard in limits if hard is not None)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A company. `controls` are what it tells the models of all its assistants, `websites` its widgets' domains."""

    id: TenantId
    name: str
    plan: str
    created_at: datetime
    controls: TenantControls = field(default_factory=TenantControls)
    suspended_at: datetime | None = None
    websites: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can log in; may be a member of several tenants. `password_hash` in argon2's own format.

    Operators run the platform. Who is disabled is let in nowhere.
    """

    id: AccountId
    email: str
    password_hash: Secret
    is_operator: bool = False
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person's place in one tenant."""

    id: MemberId
    tenant_id: TenantId
    account_id: AccountId
    role: StaffRole


def checked_email(text: str) -> str:
    """Return the address in the form it is compared in. Raises Invalid with code "invalid_email"."""
    email = text.strip().lower()
    if len(email) > 254 or not EMAIL.fullmatch(email):
        raise Invalid("this is not an e-mail address", code="invalid_email", details={"field": "email"})
    return email


def is_of_a_provider(base_url: str) -> bool:
    """Whether an address is one of the providers' own."""
    host = (urlsplit(base_url).hostname or "").rstrip(".").lower()
    return any(host == own or host.endswith(f".{own}") for own in OWN_HOSTS)


def tenant_suspended() -> Forbidden:
    """Return the refusal of everybody who comes to a suspended tenant."""
    return Forbidden("this company's account is suspended", code="tenant_suspended")
