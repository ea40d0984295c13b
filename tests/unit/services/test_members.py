"""Who may do what with members and invitations."""

import pytest

from chatconnect.domain.identifiers import MemberId, new_id
from chatconnect.domain.principals import Staff
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StaffRole
from chatconnect.ports.tenants import NewTenant
from chatconnect.services.attempts import INVITATIONS_TO_ADDRESS
from tests.unit.services.people import DASHBOARD, HERE, NEW_PASSWORD, PASSWORD, House, staff_of
from tests.unit.services.refusals import refusal

OWNER, ADMIN, AGENT, VIEWER = StaffRole
EVE = "eve@example.com"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
async def acme(house: House) -> NewTenant:
    return await house.tenant("Acme")


async def acting(house: House, acme: NewTenant, role: StaffRole) -> Staff:
    """Somebody of the role; the owner is the first one."""
    return staff_of(acme) if role is OWNER else await house.member(acme.tenant.id, role)


# Members


@pytest.mark.parametrize("own", StaffRole)
@pytest.mark.parametrize("was", StaffRole)
@pytest.mark.parametrize("role", StaffRole)
async def test_owners_and_admins_change_roles_up_to_their_own(
    house: House, acme: NewTenant, own: StaffRole, was: StaffRole, role: StaffRole
) -> None:
    actor, target = await acting(house, acme, own), await house.member(acme.tenant.id, was)
    allowed = own is OWNER or (own is ADMIN and OWNER not in (was, role))

    attempt = house.members.change_role(actor, target.member_id, role)

    if allowed:
        assert (await attempt).member.role is role
    else:
        assert await refusal(attempt) == "role_required"
    [now] = [each for each in await house.colleagues(acme.tenant.id) if each.member.id == target.member_id]
    assert now.member.role is (role if allowed else was)


@pytest.mark.parametrize("own", StaffRole)
@pytest.mark.parametrize("was", StaffRole)
async def test_owners_and_admins_remove_others_up_to_their_own_role_and_everybody_themselves(
    house: House, acme: NewTenant, own: StaffRole, was: StaffRole
) -> None:
    actor, target = await house.member(acme.tenant.id, own), await house.member(acme.tenant.id, was)
    allowed = own is OWNER or (own is ADMIN and was is not OWNER)

    if allowed:
        await house.members.remove(actor, target.member_id)
    else:
        assert await refusal(house.members.remove(actor, target.member_id)) == "role_required"
    await house.members.remove(actor, actor.member_id)

    left = {each.member.id for each in await house.colleagues(acme.tenant.id)}
    assert (target.member_id in left, actor.member_id in left) == (not allowed, False)


async def test_the_last_owner_stays_one(house: House, acme: NewTenant) -> None:
    ada = staff_of(acme)

    assert await refusal(house.members.remove(ada, ada.member_id)) == "last_owner"
    assert await refusal(house.members.change_role(ada, ada.member_id, ADMIN)) == "last_owner"
    assert (await house.members.change_role(ada, ada.member_id, OWNER)).member.role is OWNER


async def test_an_owner_hands_the_company_over(house: House, acme: NewTenant) -> None:
    ada, eve = staff_of(acme), await house.member(acme.tenant.id, VIEWER)

    assert await refusal(house.members.hand_over(eve, ada.member_id)) == "role_required"
    await house.members.hand_over(ada, eve.member_id)

    roles = {each.member.id: each.member.role for each in await house.colleagues(acme.tenant.id)}
    assert roles == {ada.member_id: ADMIN, eve.member_id: OWNER}
    assert await refusal(house.members.hand_over(ada, eve.member_id)) == "already_owner"


async def test_nobody_reaches_another_companys_members(house: House, acme: NewTenant) -> None:
    gil = staff_of(await house.tenant("Globex"))
    eve = await house.member(acme.tenant.id, VIEWER)

    for attempt in (
        house.members.change_role(gil, eve.member_id, ADMIN),
        house.members.remove(gil, eve.member_id),
        house.members.hand_over(gil, eve.member_id),
        house.members.remove(gil, MemberId(new_id())),
    ):
        assert await refusal(attempt) == "not_found"


# Invitations


@pytest.mark.parametrize("own", StaffRole)
@pytest.mark.parametrize("role", StaffRole)
async def test_owners_and_admins_invite_up_to_their_own_role(
    house: House, acme: NewTenant, own: StaffRole, role: StaffRole
) -> None:
    actor = await acting(house, acme, own)

    attempt = house.invitations.invite(actor, " EVE@example.com", role)

    if own is OWNER or (own is ADMIN and role is not OWNER):
        assert ((await attempt).email, [mail.to for mail in house.mail.sent]) == (EVE, [EVE])
    else:
        assert await refusal(attempt) == "role_required"
        assert house.mail.sent == []


async def test_somebody_new_accepts_with_a_password_of_their_own(house: House, acme: NewTenant) -> None:
    invitation = await house.invitations.invite(staff_of(acme), EVE, AGENT)
    token = Secret(house.mail.token("invitation"))
    assert f"{DASHBOARD}#invitation={token.reveal()}" in house.mail.sent[0].text

    offer = await house.invitations.look(token)
    assert (offer.company, offer.email, offer.role, offer.known) == ("Acme", EVE, AGENT, False)
    assert await refusal(house.invitations.accept(token, Secret("too short"), HERE)) == "weak_password"
    staff = await house.invitations.accept(token, NEW_PASSWORD, HERE)

    assert (staff.tenant_id, staff.role) == (acme.tenant.id, AGENT)
    assert (await house.sessions.log_in(EVE, NEW_PASSWORD, HERE)).staff == staff
    assert await refusal(house.invitations.accept(token, NEW_PASSWORD, HERE)) == "invitation_invalid"
    assert await refusal(house.invitations.send_again(staff_of(acme), invitation.id)) == "invitation_closed"


async def test_somebody_known_accepts_with_the_password_they_have(house: House, acme: NewTenant) -> None:
    globex = await house.tenant("Globex")
    await house.invitations.invite(staff_of(acme), globex.account.email, ADMIN)
    token = Secret(house.mail.token("invitation"))

    assert (await house.invitations.look(token)).known
    assert await refusal(house.invitations.accept(token, NEW_PASSWORD, HERE)) == "wrong_credentials"
    staff = await house.invitations.accept(token, PASSWORD, HERE)

    assert (staff.account_id, staff.tenant_id) == (globex.account.id, acme.tenant.id)
    assert len(await house.store.memberships(globex.account.id)) == 2


async def test_a_disabled_person_accepts_nothing(house: House, acme: NewTenant) -> None:
    globex = await house.tenant("Globex")
    await house.invitations.invite(staff_of(acme), globex.account.email, ADMIN)
    await house.store.set_disabled(globex.account.id, disabled=True)

    accepting = house.invitations.accept(Secret(house.mail.token("invitation")), PASSWORD, HERE)

    assert await refusal(accepting) == "wrong_credentials"


async def test_an_invitation_sent_again_ends_the_earlier_link_and_lasts_another_week(
    house: House, acme: NewTenant
) -> None:
    invitation = await house.invitations.invite(staff_of(acme), EVE, AGENT)
    first = Secret(house.mail.token("invitation"))
    house.clock.advance(8 * 24 * 3_600)
    assert await refusal(house.invitations.look(first)) == "invitation_invalid"

    await house.invitations.send_again(staff_of(acme), invitation.id)

    assert await refusal(house.invitations.look(first)) == "invitation_invalid"
    assert (await house.invitations.look(Secret(house.mail.token("invitation")))).email == EVE


async def test_a_revoked_invitation_and_that_of_somebody_who_left_are_over(house: House, acme: NewTenant) -> None:
    admin = await house.member(acme.tenant.id, ADMIN)
    revoked = await house.invitations.invite(staff_of(acme), EVE, AGENT)
    first = Secret(house.mail.token("invitation"))
    await house.invitations.invite(admin, "mallory@example.com", ADMIN)
    second = Secret(house.mail.token("invitation"))

    await house.invitations.revoke(admin, revoked.id)
    await house.members.remove(staff_of(acme), admin.member_id)

    for token in (first, second):
        assert await refusal(house.invitations.accept(token, NEW_PASSWORD, HERE)) == "invitation_invalid"
    assert await house.invitations.open_ones(acme.tenant.id) == []


async def test_an_admin_leaves_invitations_of_owners_alone(house: House, acme: NewTenant) -> None:
    admin = await house.member(acme.tenant.id, ADMIN)
    invitation = await house.invitations.invite(staff_of(acme), EVE, OWNER)

    assert await refusal(house.invitations.revoke(admin, invitation.id)) == "role_required"
    assert await refusal(house.invitations.send_again(admin, invitation.id)) == "role_required"


@pytest.mark.parametrize("token", ["", "inv_", "inv_!!!", "inv_" + "A" * 64, "rt_" + "A" * 64, "inv_é"])
async def test_what_is_no_invitation_opens_nothing(house: House, acme: NewTenant, token: str) -> None:
    assert await refusal(house.invitations.look(Secret(token))) == "invitation_invalid"
    assert await refusal(house.invitations.accept(Secret(token), NEW_PASSWORD, HERE)) == "invitation_invalid"


async def test_without_a_mail_there_is_no_invitation(house: House, acme: NewTenant) -> None:
    house.mail.away = True

    assert await refusal(house.invitations.invite(staff_of(acme), EVE, AGENT)) == "unavailable"
    assert await house.invitations.open_ones(acme.tenant.id) == []
    house.mail.away = False
    assert (await house.invitations.invite(staff_of(acme), EVE, AGENT)).email == EVE


async def test_nobody_is_buried_in_invitations(house: House, acme: NewTenant) -> None:
    invitation = await house.invitations.invite(staff_of(acme), EVE, AGENT)
    for _ in range(INVITATIONS_TO_ADDRESS.times - 1):
        await house.invitations.send_again(staff_of(acme), invitation.id)

    assert await refusal(house.invitations.send_again(staff_of(acme), invitation.id)) == "too_many_attempts"
    assert len(house.mail.sent) == INVITATIONS_TO_ADDRESS.times
