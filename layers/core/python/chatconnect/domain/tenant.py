"""Tenants, their plans and their people."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    """What a tenant pays for. Rates per minute."""

    name: str
    requests_per_minute: int
    provider: str
    model: str


@dataclass(frozen=True, slots=True)
class Tenant:
    """A company."""

    id: TenantId
    name: str
    plan: str
    created_at: datetime


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
