"""What every store of members and invitations does."""

import asyncio
from dataclasses import replace
from secrets import token_bytes

import pytest

from chatconnect.domain.errors import Conflict, NotFound, Unauthenticated
from chatconnect.domain.identifiers import MemberId, new_id
from chatconnect.domain.tenant import Member, StaffRole
from tests.contracts.people import HOUR, Stores, an_account, an_invitation, stores

__all__ = ["stores"]


async def test_members_are_those_of_one_tenant_owners_first(stores: Stores) -> None:
    new, other = await stores.opened(), await stores.opened()
    agent = await stores.joined(new)

    colleagues = await stores.members_of(new.tenant.id).all()

    assert [colleague.member for colleague in colleagues] == [new.owner, agent]
    assert colleagues[0].email == new.account.email
    with pytest.raises(NotFound):
        await stores.members_of(other.tenant.id).get(agent.id)


async def test_of_two_owners_who_remove_each_other_one_stays(stores: Stores) -> None:
    new = await stores.opened()
    second = await stores.joined(new, StaffRole.OWNER)
    members = stores.members_of(new.tenant.id)

    outcomes = await asyncio.gather(
        members.remove(second), members.change_role(new.owner, StaffRole.VIEWER), return_exceptions=True
    )

    [refused] = [each for each in outcomes if each is not None]
    assert isinstance(refused, Conflict)
    assert refused.code == "last_owner"
    assert StaffRole.OWNER in {colleague.member.role for colleague in await members.all()}


async def test_a_member_who_was_changed_meanwhile_is_not_changed_again(stores: Stores) -> None:
    new = await stores.opened()
    agent = await stores.joined(new)
    members = stores.members_of(new.tenant.id)
    await members.change_role(agent, StaffRole.OWNER)

    with pytest.raises(Conflict) as refused:
        await members.remove(agent)

    assert refused.value.code == "member_changed"
    assert (await members.get(agent.id)).member.role is StaffRole.OWNER


async def test_ownership_is_handed_over_whole_or_not_at_all(stores: Stores) -> None:
    new = await stores.opened()
    agent, members = await stores.joined(new), stores.members_of(new.tenant.id)

    with pytest.raises(Conflict):
        await members.hand_over(replace(new.owner, role=StaffRole.ADMIN), agent)
    assert (await members.get(agent.id)).member.role is StaffRole.AGENT

    await members.hand_over(new.owner, agent)
    assert (await members.get(agent.id)).member.role is StaffRole.OWNER
    assert (await members.get(new.owner.id)).member.role is StaffRole.ADMIN


# Invitations


async def test_an_invitation_is_accepted_once_however_many_come_at_once(stores: Stores) -> None:
    new, token = await stores.opened(), token_bytes(32)
    members = stores.members_of(new.tenant.id)
    await members.invite(an_invitation(new, "eve@example.com", role=StaffRole.ADMIN), token)
    accounts = [an_account() for _ in range(4)]

    outcomes = await asyncio.gather(
        *(members.accept(token, each, MemberId(new_id()), is_new=True) for each in accounts), return_exceptions=True
    )

    joined = [each for each in outcomes if isinstance(each, Member)]
    assert [each.role for each in joined] == [StaffRole.ADMIN]
    assert [each.code for each in outcomes if isinstance(each, Unauthenticated)] == ["invitation_invalid"] * 3
    assert len(await members.all()) == 2
    assert await members.invitations() == []


async def test_an_address_is_invited_once_at_a_time(stores: Stores) -> None:
    new = await stores.opened()
    members = stores.members_of(new.tenant.id)
    first = an_invitation(new)
    await members.invite(first, token_bytes(32))

    with pytest.raises(Conflict) as refused:
        await members.invite(an_invitation(new), token_bytes(32))
    assert refused.value.code == "already_invited"
    with pytest.raises(Conflict) as refused:
        await members.invite(an_invitation(new, new.account.email), token_bytes(32))
    assert refused.value.code == "already_member"
    later = replace(an_invitation(new), created_at=first.expires_at, expires_at=first.expires_at + HOUR)
    await members.invite(later, token_bytes(32))
    assert await members.invitations() == [later]


async def test_a_renewed_invitation_has_a_new_token_and_a_revoked_one_none(stores: Stores) -> None:
    new, old_token, new_token = await stores.opened(), token_bytes(32), token_bytes(32)
    members = stores.members_of(new.tenant.id)
    invitation = an_invitation(new)
    await members.invite(invitation, old_token)

    renewed = replace(invitation, expires_at=invitation.expires_at + HOUR)
    await members.renew(renewed, new_token)

    assert await members.find_invitation(old_token) is None
    assert await members.find_invitation(new_token) == renewed
    await members.revoke(invitation.id)
    for attempt in (members.revoke(invitation.id), members.renew(renewed, old_token)):
        with pytest.raises(Conflict) as refused:
            await attempt
        assert refused.value.code == "invitation_closed"
    with pytest.raises(Unauthenticated):
        await members.accept(new_token, an_account(), MemberId(new_id()), is_new=True)


async def test_an_invitation_is_of_one_tenant(stores: Stores) -> None:
    new, other, token = await stores.opened(), await stores.opened(), token_bytes(32)
    invitation = an_invitation(new)
    await stores.members_of(new.tenant.id).invite(invitation, token)

    elsewhere = stores.members_of(other.tenant.id)

    assert await elsewhere.find_invitation(token) is None
    assert await elsewhere.invitations() == []
    with pytest.raises(NotFound):
        await elsewhere.revoke(invitation.id)
    with pytest.raises(Unauthenticated):
        await elsewhere.accept(token, an_account(), MemberId(new_id()), is_new=True)


async def test_whoever_leaves_or_is_demoted_takes_their_open_invitations_along(stores: Stores) -> None:
    new = await stores.opened()
    members = stores.members_of(new.tenant.id)
    for change in (None, StaffRole.VIEWER):
        admin = await stores.joined(new, StaffRole.ADMIN)
        sent, kept = replace(an_invitation(new, f"{admin.id}@example.com"), invited_by=admin.id), an_invitation(new)
        await members.invite(sent, token_bytes(32))
        await members.invite(kept, token_bytes(32))

        await (members.remove(admin) if change is None else members.change_role(admin, change))

        assert [each.id for each in await members.invitations()] == [kept.id]
        assert (await members.invitation(sent.id)).revoked_at is not None
        await members.revoke(kept.id)


async def test_an_existing_account_joins_but_not_twice(stores: Stores) -> None:
    new, other = await stores.opened(), await stores.opened()
    members, token = stores.members_of(new.tenant.id), token_bytes(32)
    await members.invite(an_invitation(new, "somebody@example.com"), token)

    with pytest.raises(Conflict) as refused:
        await members.accept(token, new.account, MemberId(new_id()), is_new=False)
    assert refused.value.code == "already_member"
    again = replace(an_account(), email=other.account.email)
    with pytest.raises(Conflict) as refused:
        await members.accept(token, again, MemberId(new_id()), is_new=True)
    assert refused.value.code == "email_taken"

    joined = await members.accept(token, other.account, MemberId(new_id()), is_new=False)
    places = await stores.accounts.memberships(other.account.id)
    assert [each.tenant_id for each in places] == [other.tenant.id, new.tenant.id]
    assert joined in places
