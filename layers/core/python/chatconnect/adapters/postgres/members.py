"""One tenant's members and invitations in Postgres."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection

from chatconnect.adapters.postgres import member_statements as sql
from chatconnect.adapters.postgres.accounts import INSERT_ACCOUNT, INSERT_MEMBER, account_parameters
from chatconnect.adapters.postgres.database import PostgresDatabase, violated
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AccountId, InvitationId, MemberId, TenantId
from chatconnect.domain.invitation import Colleague, Invitation, invitation_closed, invitation_invalid, last_owner
from chatconnect.domain.tenant import Account, Member, StaffRole


class PostgresMembers:
    """One tenant's members and invitations. Whoever changes them waits for whoever does so already."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def all(self) -> Sequence[Colleague]:
        """Return all members, owners first, then by the time they joined."""
        rows = await self._database.fetch(self._tenant_id, ColleagueRow, sql.SELECT_MEMBERS, {})
        return [row.to_colleague(self._tenant_id) for row in rows]

    async def get(self, member_id: MemberId) -> Colleague:
        """Return one member. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, ColleagueRow, sql.SELECT_MEMBER, {"id": member_id})
        if row is None:
            raise NotFound("member", member_id)
        return row.to_colleague(self._tenant_id)

    async def change_role(self, member: Member, role: StaffRole) -> None:
        """Give a member another role; the open invitations they sent are revoked.

        Raises NotFound, Conflict with code "last_owner", or "member_changed" when the role is not `member.role` any
        more.
        """
        async with self._changing() as connection:
            await self._check_owner_stays(connection, member, role)
            await self._execute(connection, sql.REVOKE_SENT_BY, {"id": member.id})
            await self._change(connection, sql.UPDATE_ROLE, member, {"role": role})

    async def remove(self, member: Member) -> None:
        """Take a member's place away; the open invitations they sent are revoked. Raises what `change_role` raises."""
        async with self._changing() as connection:
            await self._check_owner_stays(connection, member, None)
            await self._execute(connection, sql.REVOKE_SENT_BY, {"id": member.id})
            await self._change(connection, sql.DELETE_MEMBER, member, {})

    async def hand_over(self, owner: Member, to: Member) -> None:
        """Make `to` an owner and `owner` an admin, both or neither. Raises NotFound, Conflict ("member_changed")."""
        async with self._changing() as connection:
            await self._change(connection, sql.UPDATE_ROLE, to, {"role": StaffRole.OWNER})
            await self._change(connection, sql.UPDATE_ROLE, owner, {"role": StaffRole.ADMIN})

    async def invitations(self) -> Sequence[Invitation]:
        """Return the invitations that were neither accepted nor revoked, newest first."""
        rows = await self._database.fetch(self._tenant_id, InvitationRow, sql.SELECT_INVITATIONS, {})
        return [row.to_invitation(self._tenant_id) for row in rows]

    async def invitation(self, invitation_id: InvitationId) -> Invitation:
        """Return one invitation. Raises NotFound."""
        found = await self._find_invitation(sql.SELECT_INVITATION, {"id": invitation_id})
        if found is None:
            raise NotFound("invitation", invitation_id)
        return found

    async def invite(self, invitation: Invitation, token_hash: bytes) -> None:
        """Store a new invitation; an expired one to the same address is revoked.

        Raises Conflict with code "already_member", "already_invited" or "too_many_members".
        """
        async with self._changing() as connection:
            await self._check_room(connection)
            parameters = {**_parameters(invitation), "hash": token_hash}
            if await self._first(connection, sql.SELECT_MEMBER_BY_EMAIL, parameters):
                raise _already_member()
            await self._execute(connection, sql.REVOKE_EXPIRED, parameters)
            if await self._first(connection, sql.SELECT_OPEN_BY_EMAIL, parameters):
                raise Conflict("this address is invited already; send the invitation again", code="already_invited")
            await self._execute(connection, sql.INSERT_INVITATION, parameters)

    async def renew(self, invitation: Invitation, token_hash: bytes) -> None:
        """Give an invitation a new token and its new end. Raises Conflict with code "invitation_closed"."""
        parameters = {"id": invitation.id, "hash": token_hash, "expires_at": invitation.expires_at}
        if not await self._database.run(self._tenant_id, sql.RENEW_INVITATION, parameters):
            raise invitation_closed()

    async def revoke(self, invitation_id: InvitationId) -> None:
        """End an invitation. Raises NotFound, Conflict with code "invitation_closed"."""
        if not await self._database.run(self._tenant_id, sql.REVOKE_INVITATION, {"id": invitation_id}):
            await self.invitation(invitation_id)
            raise invitation_closed()

    async def find_invitation(self, token_hash: bytes) -> Invitation | None:
        """Return the invitation with this token, open or not."""
        return await self._find_invitation(sql.SELECT_INVITATION_BY_TOKEN, {"hash": token_hash})

    async def accept(self, token_hash: bytes, account: Account, member_id: MemberId, *, is_new: bool) -> Member:
        """Give the account the place that it is invited to, and store the account when it is new; all or nothing.

        Raises Unauthenticated ("invitation_invalid") when the invitation is not open any more, Conflict
        ("already_member", "email_taken", "too_many_members").
        """
        try:
            async with self._changing() as connection:
                accepted = await self._first(connection, sql.ACCEPT_INVITATION, {"hash": token_hash})
                if accepted is None:
                    raise invitation_invalid()
                await self._check_room(connection)
                role, at = accepted
                if is_new:
                    await connection.execute(INSERT_ACCOUNT, account_parameters(account, at))
                member = Member(member_id, self._tenant_id, account.id, StaffRole(role))
                place = {"id": member.id, "account": account.id, "role": member.role, "created_at": at}
                await self._execute(connection, INSERT_MEMBER, place)
        except psycopg.errors.UniqueViolation as error:
            if violated(error) == "accounts_email_key":
                raise Conflict("there is an account with this e-mail address", code="email_taken") from error
            raise _already_member() from error
        return member

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.transaction(self._tenant_id) as connection:
            await self._execute(connection, sql.LOCK_PEOPLE, {})
            yield connection

    async def _check_room(self, connection: AsyncConnection) -> None:
        full = await self._first(connection, sql.SELECT_FULL, {})
        if full is not None:
            raise Conflict(
                f"the plan allows {full[0]:,} members", code="too_many_members", details={"members": full[0]}
            )

    async def _check_owner_stays(self, connection: AsyncConnection, member: Member, role: StaffRole | None) -> None:
        if member.role is not StaffRole.OWNER or role is StaffRole.OWNER:
            return
        if not await self._first(connection, sql.SELECT_OTHER_OWNER, {"id": member.id}):
            raise last_owner()

    async def _change(
        self, connection: AsyncConnection, statement: str, member: Member, parameters: Mapping[str, object]
    ) -> None:
        """Change a member who is still what they were thought to be. Raises NotFound, Conflict."""
        known = {"id": member.id, "was": member.role, **parameters}
        if await self._execute(connection, statement, known):
            return
        if await self._first(connection, sql.SELECT_MEMBER, known) is None:
            raise NotFound("member", member.id)
        raise Conflict("somebody has just changed this member; please look again", code="member_changed")

    async def _execute(self, connection: AsyncConnection, statement: str, parameters: Mapping[str, object]) -> int:
        """Run a statement of this tenant and return how many rows it touched."""
        cursor = await connection.execute(statement.encode(), {"tenant": self._tenant_id, **parameters})
        return cursor.rowcount

    async def _first(
        self, connection: AsyncConnection, statement: str, parameters: Mapping[str, object]
    ) -> tuple[Any, ...] | None:
        cursor = await connection.execute(statement.encode(), {"tenant": self._tenant_id, **parameters})
        return await cursor.fetchone()

    async def _find_invitation(self, statement: str, parameters: Mapping[str, object]) -> Invitation | None:
        row = await self._database.fetch_one(self._tenant_id, InvitationRow, statement, parameters)
        return row.to_invitation(self._tenant_id) if row else None


@dataclass(frozen=True, slots=True)
class ColleagueRow:
    """A row of members with the account's address."""

    id: UUID
    account_id: UUID
    role: str
    created_at: datetime
    email: str

    def to_colleague(self, tenant_id: TenantId) -> Colleague:
        """Return the value."""
        member = Member(MemberId(self.id), tenant_id, AccountId(self.account_id), StaffRole(self.role))
        return Colleague(member, self.email, self.created_at)


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """A row of invitations, without the hash."""

    id: UUID
    email: str
    role: str
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None

    def to_invitation(self, tenant_id: TenantId) -> Invitation:
        """Return the entity."""
        return Invitation(
            InvitationId(self.id),
            tenant_id,
            self.email,
            StaffRole(self.role),
            MemberId(self.invited_by) if self.invited_by else None,
            self.created_at,
            self.expires_at,
            self.accepted_at,
            self.revoked_at,
        )


def _parameters(invitation: Invitation) -> dict[str, object]:
    return {
        "id": invitation.id,
        "email": invitation.email,
        "role": invitation.role,
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    }


def _already_member() -> Conflict:
    return Conflict("somebody with this address is a member already", code="already_member")
