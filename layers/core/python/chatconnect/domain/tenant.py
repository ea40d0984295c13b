"""Tenants, their plans and their people."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from chatconnect.domain.budget import Cap, Measure, Period, lowest
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import AccountId, MemberId, TenantId
from chatconnect.domain.secret import Secret

_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s.\x00-\x1f\x7f]+(\.[^@\s.\x00-\x1f\x7f]+)+")
PASSWORD_LENGTH = (10, 200)


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


@dataclass(frozen=True, slots=True)
class Plan:
    """What a tenant pays for. None means unlimited; money in millionths of a US dollar.

    `own_caps` are what the tenant has set itself, below what it pays for.
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
    """A company. `controls` are what it tells the models of all its assistants."""

    id: TenantId
    name: str
    plan: str
    created_at: datetime
    controls: TenantControls = field(default_factory=TenantControls)


@dataclass(frozen=True, slots=True)
class Account:
    """A person who can log in; may be a member of several tenants. `password_hash` in argon2's own format."""

    id: AccountId
    email: str
    password_hash: Secret


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
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise Invalid("this is not an e-mail address", code="invalid_email", details={"field": "email"})
    return email


def checked_password(secret: Secret) -> Secret:
    """Return the password when it is long enough. Raises Invalid with code "weak_password"."""
    shortest, longest = PASSWORD_LENGTH
    if not shortest <= len(secret.reveal()) <= longest:
        raise Invalid(
            f"a password has {shortest} to {longest} characters", code="weak_password", details={"field": "password"}
        )
    return secret
