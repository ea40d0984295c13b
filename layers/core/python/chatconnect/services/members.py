"""The people of a tenant: who they are, what they may, and inviting others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatconnect.domain.audit import ActorKind
from chatconnect.domain.errors import ChatConnectError, Conflict, Unauthenticated
from chatconnect.domain.identifiers import AccountId, InvitationId, MemberId, TenantId, new_id
from chatconnect.domain.invitation import (
    VALID_FOR,
    Colleague,
    Invitation,
    check_may_give,
    invitation_invalid,
    make_invitation_token,
    tenant_of_invitation,
)
from chatconnect.domain.keys import hash_of
from chatconnect.domain.password import checked_password, comparable
from chatconnect.domain.principals import Staff
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Account, Member, StaffRole, checked_email
from chatconnect.ports.accounts import Accounts, MembersOf
from chatconnect.ports.audit import acts
from chatconnect.ports.clock import Clock
from chatconnect.ports.credentials import PasswordHasher
from chatconnect.ports.mail import Mail, Mailer
from chatconnect.ports.tenants import TenantsOf
from chatconnect.services.attempts import INVITATIONS_OF_TENANT, INVITATIONS_TO_ADDRESS, Attempts, Client


@dataclass(frozen=True, slots=True)
class Offer:
    """What an invitation is to; `known` says whether its address has an account, whose password is then asked for."""

    company: str
    email: str
    role: StaffRole
    known: bool


class MemberService:
    """Manages members. Whoever acts does so up to their own role: admins leave owners alone."""

    def __init__(self, *, members_of: MembersOf) -> None:
        self._members_of = members_of

    async def all(self, tenant_id: TenantId) -> Sequence[Colleague]:
        """Return all members, owners first."""
        return await self._members_of(tenant_id).all()

    async def change_role(self, staff: Staff, member_id: MemberId, role: StaffRole) -> Colleague:
        """Give a member another role, which holds from their next request on.

        Raises NotFound, Forbidden (a role above one's own), Conflict with code "last_owner" or "member_changed".
        """
        members = self._members_of(staff.tenant_id)
        colleague = await members.get(member_id)
        check_may_give(staff.role, colleague.member.role)
        check_may_give(staff.role, role)
        if colleague.member.role is not role:
            await members.change_role(colleague.member, role)
        return replace(colleague, member=replace(colleague.member, role=role))

    async def remove(self, staff: Staff, member_id: MemberId) -> None:
        """Take a member's place away, at once; everybody may give up their own.

        Raises NotFound, Forbidden (a role above one's own), Conflict with code "last_owner" or "member_changed".
        """
        members = self._members_of(staff.tenant_id)
        if member_id != staff.member_id:
            staff.check_may(StaffRole.ADMIN)
        colleague = await members.get(member_id)
        if member_id != staff.member_id:
            check_may_give(staff.role, colleague.member.role)
        await members.remove(colleague.member)

    async def hand_over(self, staff: Staff, member_id: MemberId) -> None:
        """Make another member an owner in one's own stead, and oneself an admin.

        Raises NotFound, Forbidden (who is no owner), Conflict (oneself, another owner, or "member_changed").
        """
        staff.check_may(StaffRole.OWNER)
        members = self._members_of(staff.tenant_id)
        colleague = await members.get(member_id)
        if colleague.member.role is StaffRole.OWNER:
            raise Conflict("this member is an owner already", code="already_owner")
        owner = Member(staff.member_id, staff.tenant_id, staff.account_id, staff.role)
        await members.hand_over(owner, colleague.member)


class InvitationService:
    """Invites people and lets them in. `dashboard_url` is where the links in mails lead."""

    def __init__(
        self,
        *,
        members_of: MembersOf,
        accounts: Accounts,
        tenants_of: TenantsOf,
        passwords: PasswordHasher,
        mailer: Mailer,
        attempts: Attempts,
        dashboard_url: str,
        clock: Clock,
    ) -> None:
        self._members_of, self._accounts, self._tenants_of = members_of, accounts, tenants_of
        self._passwords, self._mailer, self._attempts = passwords, mailer, attempts
        self._dashboard_url, self._clock = dashboard_url, clock

    async def open_ones(self, tenant_id: TenantId) -> Sequence[Invitation]:
        """Return the invitations that were neither accepted nor revoked, newest first; some may have expired."""
        return await self._members_of(tenant_id).invitations()

    async def invite(self, staff: Staff, email: str, role: StaffRole) -> Invitation:
        """Invite an address to a role that is not above one's own, by mail.

        Raises Invalid, Forbidden, Conflict with code "already_member", "already_invited" or "too_many_members",
        LimitReached, Unavailable when the mail cannot be sent: then there is no invitation either.
        """
        address = checked_email(email)
        check_may_give(staff.role, role)
        await self._count(staff.tenant_id, address)
        now, token = self._clock(), make_invitation_token(staff.tenant_id)
        invitation = Invitation(
            InvitationId(new_id()), staff.tenant_id, address, role, staff.member_id, now, now + VALID_FOR
        )
        members = self._members_of(staff.tenant_id)
        await members.invite(invitation, hash_of(token))
        try:
            await self._send(invitation, token)
        except ChatConnectError:
            await members.revoke(invitation.id)
            raise
        return invitation

    async def send_again(self, staff: Staff, invitation_id: InvitationId) -> Invitation:
        """Send an invitation once more, for another seven days; the earlier mail's link ends.

        Raises what `invite` raises, NotFound, and Conflict with code "invitation_closed".
        """
        members = self._members_of(staff.tenant_id)
        invitation = await members.invitation(invitation_id)
        invitation.check_unanswered()
        check_may_give(staff.role, invitation.role)
        await self._count(staff.tenant_id, invitation.email)
        token = make_invitation_token(staff.tenant_id)
        renewed = replace(invitation, expires_at=self._clock() + VALID_FOR)
        await members.renew(renewed, hash_of(token))
        await self._send(renewed, token)
        return renewed

    async def revoke(self, staff: Staff, invitation_id: InvitationId) -> None:
        """End an invitation. Raises NotFound, Forbidden, Conflict with code "invitation_closed"."""
        members = self._members_of(staff.tenant_id)
        check_may_give(staff.role, (await members.invitation(invitation_id)).role)
        await members.revoke(invitation_id)

    async def look(self, token: Secret) -> Offer:
        """Return what an invitation is to. Raises Unauthenticated with code "invitation_invalid"."""
        invitation = await self._open_one(token)
        company = (await self._tenants_of(invitation.tenant_id).get()).name
        known = await self._accounts.find_by_email(invitation.email) is not None
        return Offer(company, invitation.email, invitation.role, known)

    async def accept(self, token: Secret, password: Secret, client: Client) -> Staff:
        """Take the place that one is invited to, with the password that one has, or with a new account; return it.

        Raises Unauthenticated with code "invitation_invalid", or "wrong_credentials" for an account's wrong password;
        Invalid with code "weak_password" for a new one's; LimitReached; Conflict with code "already_member" or
        "too_many_members" (the plan's).
        """
        invitation = await self._open_one(token)
        account = await self._accounts.find_by_email(invitation.email)
        if account is None:
            new_hash = await self._passwords.hash(checked_password(password))
            person = Account(AccountId(new_id()), invitation.email, new_hash)
        else:
            await self._check_password(account, password, client)
            person = account
        acts(ActorKind.MEMBER, person.id)
        member = await self._members_of(invitation.tenant_id).accept(
            hash_of(token), person, MemberId(new_id()), is_new=account is None
        )
        return Staff(member.tenant_id, member.account_id, member.id, member.role)

    async def _check_password(self, account: Account, password: Secret, client: Client) -> None:
        await self._attempts.try_password(client, account.email)
        right = await self._passwords.verify(comparable(password), account.password_hash)
        if not right or account.disabled_at is not None:
            raise Unauthenticated("the password is wrong", code="wrong_credentials")
        await self._attempts.passed(account.email)

    async def _open_one(self, token: Secret) -> Invitation:
        invitation = await self._members_of(tenant_of_invitation(token)).find_invitation(hash_of(token))
        if invitation is None or not invitation.is_open(self._clock()):
            raise invitation_invalid()
        return invitation

    async def _count(self, tenant_id: TenantId, address: str) -> None:
        await self._attempts.count(INVITATIONS_OF_TENANT, tenant_id)
        await self._attempts.count(INVITATIONS_TO_ADDRESS, address)

    async def _send(self, invitation: Invitation, token: Secret) -> None:
        company = (await self._tenants_of(invitation.tenant_id).get()).name
        text = (
            f"You are invited to work with the chat assistant of {company}, as {invitation.role}.\n"
            "This link lets you in, within seven days and once:\n\n"
            f"{self._dashboard_url}#invitation={token.reveal()}\n\n"
            "If you do not know the company, you need not do anything.\n"
        )
        await self._mailer.send(Mail(invitation.email, f"Your invitation to {company} at ChatConnect", text))
