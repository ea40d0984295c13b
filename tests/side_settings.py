"""What the tenants of side_by_side.py do with their people, keys, assistants and widgets."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.identifiers import (
    AssistantId,
    IdentitySecretId,
    InvitationId,
    KeyId,
    LeadId,
    MemberId,
    SessionId,
    TenantId,
    VisitorId,
    WidgetId,
)
from chatconnect.domain.identity import IdentitySecret
from chatconnect.domain.invitation import Invitation
from chatconnect.domain.keys import ApiKey, KeyKind
from chatconnect.domain.lead import Lead
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StaffRole
from chatconnect.domain.widget import Widget, WidgetConfig
from tests.factories import NOON, a_key, a_save, seconds
from tests.side_things import LATER, THINGS, Operation, Stores, Things


async def invites(of: Stores, things: Things, number: int) -> None:
    ends = seconds(10 + things.own) if number % 2 else LATER
    await _invite(of, things, number, Invitation(*_offer(things, number, "invitation"), None, NOON, ends))


async def invites_again(of: Stores, things: Things, number: int) -> None:
    offer = _offer(things, number, "second invitation")
    await _invite(of, things, number + THINGS, Invitation(*offer, None, seconds(100_000), LATER))


def _offer(things: Things, number: int, kind: str) -> tuple[InvitationId, TenantId, str, StaffRole]:
    role = StaffRole.ADMIN if things.own % 2 else StaffRole.AGENT
    return InvitationId(things.id(kind, number)), things.tenant_id, things.person(number).email, role


async def _invite(of: Stores, things: Things, number: int, invitation: Invitation) -> None:
    everyone = await of.members.all()
    if things.is_first(of, "invitation", number):
        by = everyone[(number + things.own) % len(everyone)].member.id
        await of.members.invite(replace(invitation, invited_by=by), things.hash("invitation", number))


async def renews_invitation(of: Stores, things: Things, number: int) -> None:
    kept = await of.members.invitation(InvitationId(things.id("invitation", number)))
    ends = LATER + timedelta(seconds=things.own)
    await of.members.renew(replace(kept, expires_at=ends), things.hash("invitation", number))


async def revokes_invitation(of: Stores, things: Things, number: int) -> None:
    await of.members.revoke(InvitationId(things.id("invitation", number)))


async def accepts(of: Stores, things: Things, number: int) -> object:
    token, member_id = things.hash("invitation", number), MemberId(things.id("member", number))
    return await of.members.accept(token, things.person(number), member_id, is_new=False)


async def changes_role(of: Stores, things: Things, number: int) -> None:
    everyone = await of.members.all()
    member = everyone[number % len(everyone)].member
    await of.members.change_role(member, StaffRole.VIEWER if things.own % 3 else StaffRole.AGENT)


async def removes_member(of: Stores, things: Things, number: int) -> None:
    await of.members.remove((await of.members.get(MemberId(things.id("member", number)))).member)


async def hands_over(of: Stores, things: Things, number: int) -> None:
    owner, *others = [each.member for each in await of.members.all()]
    if others:
        await of.members.hand_over(owner, others[(number + things.own) % len(others)])


async def reads_members(of: Stores, things: Things, number: int) -> object:
    everyone = [(each.member, each.email) for each in await of.members.all()]
    return everyone, list(map(_told, await of.members.invitations()))


async def looks_at_member(of: Stores, things: Things, number: int) -> object:
    return (await of.members.get(MemberId(things.id("member", number)))).member


async def looks_at_invitation(of: Stores, things: Things, number: int) -> object:
    found = await of.members.find_invitation(things.hash("invitation", number))
    return found and _told(found), _told(await of.members.invitation(InvitationId(things.id("invitation", number))))


def _told(invitation: Invitation) -> object:
    """What every store tells of it: not when, and not who sent it, whom Postgres forgets with their place."""
    closed = invitation.accepted_at is not None, invitation.revoked_at is not None
    return invitation.id, invitation.email, invitation.role, invitation.expires_at, *closed


async def looks_at_standing(of: Stores, things: Things, number: int) -> object:
    person = things.person(number).id
    return await of.sessions.standing(things.tenant_id, person, SessionId(things.id("session", number)))


def _key(things: Things, kind: str, number: int) -> tuple[ApiKey, bytes]:
    key, _ = a_key(things.tenant_id, KeyKind.SECRET, id=KeyId(things.id(kind, number)), name=f"{things.tenant_id}")
    return replace(key, created_at=seconds(number)), things.hash(kind, number)


async def adds_key(of: Stores, things: Things, number: int) -> None:
    key, key_hash = _key(things, "key", number)
    if things.is_first(of, "key", number):
        named = [each.id for each in await of.widgets.all() if each.id == things.id("widget", number)]
        await of.keys.add(replace(key, widget_id=named[0] if named else None), key_hash)


async def replaces_key(of: Stores, things: Things, number: int) -> object:
    successor, ends_at = _key(things, "successor", number), seconds(1_000 + things.own)
    return things.is_first(of, "successor", number) and await of.keys.replace(
        KeyId(things.id("key", number)), *successor, ends_at=ends_at
    )


async def revokes_key(of: Stores, things: Things, number: int) -> None:
    await of.keys.revoke(KeyId(things.id("key", number)), seconds(things.own))


async def uses_key(of: Stores, things: Things, number: int) -> None:
    key = await of.keys.get(KeyId(things.id("key", number)))
    await of.keys.note_use(key.id, seconds(things.own))


async def reads_keys(of: Stores, things: Things, number: int) -> object:
    return await of.keys.all(), await of.keys.find(things.hash("key", number))


async def looks_at_key(of: Stores, things: Things, number: int) -> object:
    return await of.keys.get(KeyId(things.id("key", number)))


async def adds_secret(of: Stores, things: Things, number: int) -> None:
    if things.is_first(of, "secret", number):
        at, id_ = seconds(1_000 * number), IdentitySecretId(things.id("secret", number))
        secret = IdentitySecret(id_, things.tenant_id, "a hint", Secret(f"{things.tenant_id}"), at)
        await of.secrets.add(secret, others_end_at=at + timedelta(seconds=500 + things.own))


async def removes_secret(of: Stores, things: Things, number: int) -> None:
    await of.secrets.delete(IdentitySecretId(things.id("secret", number)))


async def reads_secrets(of: Stores, things: Things, number: int) -> object:
    return await of.secrets.usable(seconds(1_000 * number))


async def adds_widget(of: Stores, things: Things, number: int) -> None:
    widget_id = WidgetId(things.id("widget", number))
    if all(each.id != widget_id for each in await of.widgets.all()):
        shown = things.id("assistant", number) if (number + things.own) % 2 else things.assistant_id
        config = WidgetConfig(allowed_domains=(f"{things.tenant_id}.example.com",))
        widget = Widget(widget_id, things.tenant_id, AssistantId(shown), f"{things.tenant_id}", config, seconds(number))
        await of.widgets.add(widget, things.person(number).id)


async def saves_widget(of: Stores, things: Things, number: int) -> object:
    kept = await of.widgets.get(WidgetId(things.id("widget", number)))
    changed = replace(kept, name=f"{kept.version} of {things.tenant_id}", updated_at=seconds(things.own))
    return await of.widgets.save(changed, things.person(number).id)


async def removes_widget(of: Stores, things: Things, number: int) -> None:
    await of.widgets.delete(WidgetId(things.id("widget", number)), seconds(things.own))


async def reads_widgets(of: Stores, things: Things, number: int) -> object:
    key, _ = _key(things, "key", number)
    shown = await of.widgets.of_key(replace(key, assistant_id=things.assistant_id))
    every = await of.widgets.all(), await of.widgets.versions(WidgetId(things.id("widget", number)), limit=3)
    return shown, every, await of.widgets.of_key(key)


async def looks_at_widget(of: Stores, things: Things, number: int) -> object:
    return await of.widgets.get(WidgetId(things.id("widget", number)))


async def keeps_lead(of: Stores, things: Things, number: int) -> None:
    of_widget, visitor = WidgetId(things.id("widget", number)), VisitorId(things.id("user", number))
    id_, fields = LeadId(things.id("lead", number)), {"name": f"{things.tenant_id}"}
    await of.leads.save(Lead(id_, things.tenant_id, of_widget, visitor, fields, None, seconds(number)))


async def removes_lead(of: Stores, things: Things, number: int) -> None:
    await of.leads.delete(LeadId(things.id("lead", number)))


async def reads_leads(of: Stores, things: Things, number: int) -> object:
    return await of.leads.page(limit=THINGS, visitor_id=VisitorId(things.id("user", number)) if number else None)


def _config(things: Things) -> AssistantConfig:
    return AssistantConfig(f"{things.tenant_id}", "openai", "gpt", access_token=Secret(f"token-{things.tenant_id}"))


async def adds_assistant(of: Stores, things: Things, number: int) -> None:
    id_, at = AssistantId(things.id("assistant", number)), seconds(number)
    if all(each.assistant.id != id_ for each in await of.assistants.list_all()):
        assistant = Assistant(id_, things.tenant_id, _config(things), 1, False, at, at)
        await of.assistants.add(assistant, author_id=things.person(number).id, note=f"{things.tenant_id}")


async def saves_assistant(of: Stores, things: Things, number: int) -> object:
    version = a_save(_config(things), note=f"{things.tenant_id}", created_at=seconds(things.own))
    return await of.assistants.save(AssistantId(things.id("assistant", number)), version, publish=things.own % 2 == 0)


async def publishes(of: Stores, things: Things, number: int) -> object:
    id_ = AssistantId(things.id("assistant", number))
    newest = (await of.assistants.get(id_)).latest_version
    return await of.assistants.publish(id_, newest, at=seconds(things.own))


async def saves_default(of: Stores, things: Things, number: int) -> None:
    await of.assistants.set_default(AssistantId(things.id("assistant", (number + things.own) % THINGS)))


async def retires(of: Stores, things: Things, number: int) -> None:
    await of.assistants.archive(AssistantId(things.id("assistant", number)), seconds(things.own))


async def brings_back(of: Stores, things: Things, number: int) -> None:
    await of.assistants.unarchive(AssistantId(things.id("assistant", number)))


async def removes_assistant(of: Stores, things: Things, number: int) -> None:
    await of.assistants.delete(AssistantId(things.id("assistant", number)))


async def reads_assistants(of: Stores, things: Things, number: int) -> object:
    answering = await of.tenants.assistants(), await of.tenants.default_assistant()
    saves = await of.assistants.saves(AssistantId(things.id("assistant", number)), before=None, limit=3)
    return await of.assistants.list_all(), answering, saves


async def looks_at_assistant(of: Stores, things: Things, number: int) -> object:
    id_ = AssistantId(things.id("assistant", number))
    return await of.assistants.get(id_), await of.assistants.version(id_, 1), await of.tenants.assistant(id_, 1)


async def looks_at_answering(of: Stores, things: Things, number: int) -> object:
    id_ = AssistantId(things.id("assistant", number))
    return await of.tenants.assistant(id_), await of.tenants.newest(id_)


async def controls(of: Stores, things: Things, number: int) -> None:
    await of.tenants.save_controls(TenantControls((f"{number} of {things.tenant_id}",)))


async def saves_plan(of: Stores, things: Things, number: int) -> None:
    plan = ("free", "paid")[(number + things.own) % 2]
    await of.operated.set_plan(things.tenant_id, plan)
    await of.operated.set_suspended(things.tenant_id, suspended=plan == "free")


async def reads_tenant(of: Stores, things: Things, number: int) -> object:
    tenant, plan = await of.tenants.get(), await of.tenants.plan()
    return replace(tenant, suspended_at=None), tenant.suspended_at is None, plan.name, plan.suspended


PEOPLE: Sequence[Operation] = (
    invites, accepts, invites_again, renews_invitation, revokes_invitation, changes_role, removes_member, hands_over,
    saves_plan, reads_members, looks_at_member, looks_at_invitation, looks_at_standing, reads_tenant,
)  # fmt: skip
KEYS: Sequence[Operation] = (
    adds_key, replaces_key, revokes_key, uses_key, reads_keys, looks_at_key, adds_secret, removes_secret, reads_secrets,
)  # fmt: skip
ASSISTANTS: Sequence[Operation] = (
    adds_assistant, adds_widget, adds_key, reads_keys, saves_assistant, publishes, saves_default, retires, brings_back,
    removes_assistant, reads_assistants, looks_at_assistant, looks_at_answering, saves_widget, removes_widget,
    reads_widgets, looks_at_widget, keeps_lead, removes_lead, reads_leads, controls, reads_tenant,
)  # fmt: skip
