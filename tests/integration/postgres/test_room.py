"""What a plan has room for: documents, bytes of files, members. However many come at once, none is overshot."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from secrets import token_bytes

import pytest
from psycopg import AsyncConnection

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.members import PostgresMembers
from chatconnect.adapters.postgres.operators import PostgresOperatedTenants
from chatconnect.adapters.postgres.plans import PostgresPlans
from chatconnect.adapters.postgres.usage import PostgresUsageRecords
from chatconnect.domain.errors import Conflict, NotFound, Unauthenticated
from chatconnect.domain.identifiers import InvitationId, MemberId, TenantId, VersionId, new_id
from chatconnect.domain.invitation import Invitation
from chatconnect.domain.knowledge import Document, Version
from chatconnect.domain.tenant import StaffRole
from tests.contracts.people import HOUR, an_account, now
from tests.factories import a_document, a_tenant

ROOM_FOR = 10
SIZE = 100


@pytest.fixture
async def tenant_id(database: PostgresDatabase, owner_url: str) -> TenantId:
    """A new tenant on a plan of ten documents, 1,500 bytes and two members."""
    async with await AsyncConnection.connect(owner_url, autocommit=True) as owner:
        await owner.execute(
            "INSERT INTO plans (name, requests_per_minute, provider, model, allowed_models, documents, storage_bytes,"
            " members) VALUES ('tiny', 1, 'openai', 'x', '{x}', 10, 1500, 2) ON CONFLICT DO NOTHING"
        )
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    await PostgresOperatedTenants(database).set_plan(new.tenant.id, "tiny")
    return new.tenant.id


def a_file(tenant_id: TenantId, size: int = SIZE) -> Document:
    document = a_document(tenant_id)
    return replace(document, newest=replace(document.newest, size=size))


def the_next(version: Version, size: int = SIZE) -> Version:
    return replace(version, id=VersionId(new_id()), size=size)


async def codes(doing: Sequence[Awaitable[object]]) -> list[str]:
    """The codes of those that are refused."""
    outcomes = await asyncio.gather(*doing, return_exceptions=True)
    failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert all(isinstance(failure, Conflict) for failure in failed), failed
    return [failure.code for failure in failed if isinstance(failure, Conflict)]


async def test_fifty_at_once_never_overshoot_the_number_of_documents(
    database: PostgresDatabase, tenant_id: TenantId
) -> None:
    documents = PostgresDocuments(database, tenant_id)

    refused = await codes([documents.add(a_file(tenant_id)) for _ in range(50)])

    held = await PostgresUsageRecords(database, tenant_id).holdings()
    assert refused == ["too_many_documents"] * 40
    assert (held.documents, held.storage_bytes, held.members) == (ROOM_FOR, ROOM_FOR * SIZE, 1)


async def test_fifty_at_once_never_overshoot_the_storage_in_documents_and_versions(
    database: PostgresDatabase, tenant_id: TenantId
) -> None:
    documents, first = PostgresDocuments(database, tenant_id), a_file(tenant_id)
    await documents.add(first)
    versions = [the_next(first.newest, 280) for _ in range(25)]

    refused = await codes(
        [*(documents.add(a_file(tenant_id, 280)) for _ in range(25)), *map(documents.add_version, versions)]
    )

    held = await PostgresUsageRecords(database, tenant_id).holdings()
    assert refused == ["storage_full"] * 45
    assert held.storage_bytes == SIZE + 5 * 280


async def test_what_is_deleted_makes_room_at_once(database: PostgresDatabase, tenant_id: TenantId) -> None:
    documents, large = PostgresDocuments(database, tenant_id), a_file(tenant_id, 1_500)
    await documents.add(large)
    with pytest.raises(Conflict, match="1,500 bytes"):
        await documents.add(a_file(tenant_id, 1))

    await documents.delete_all([large.id])

    await documents.add(a_file(tenant_id, 1_500))


async def test_another_plan_makes_room_at_once(database: PostgresDatabase, tenant_id: TenantId) -> None:
    documents, large = PostgresDocuments(database, tenant_id), a_file(tenant_id, 1_501)
    with pytest.raises(Conflict) as caught:
        await documents.add(large)

    await PostgresOperatedTenants(database).set_plan(tenant_id, "paid")
    await documents.add(large)

    assert (caught.value.code, caught.value.details) == ("storage_full", {"storage_bytes": 1_500})


async def test_a_version_of_no_document_is_told_from_one_without_room(
    database: PostgresDatabase, tenant_id: TenantId
) -> None:
    with pytest.raises(NotFound):
        await PostgresDocuments(database, tenant_id).add_version(a_file(tenant_id).newest)


async def test_five_who_join_at_once_find_one_place_and_the_others_stay_invited(
    database: PostgresDatabase, tenant_id: TenantId
) -> None:
    members = PostgresMembers(database, tenant_id)
    [colleague] = await members.all()
    owner = colleague.member
    people = [(an_account(), token_bytes(32)) for _ in range(5)]
    for person, token in people:
        invitation = Invitation(
            InvitationId(new_id()), tenant_id, person.email, StaffRole.AGENT, owner.id, now(), now() + HOUR
        )
        await members.invite(invitation, token)

    outcomes = await asyncio.gather(
        *(members.accept(token, person, MemberId(new_id()), is_new=True) for person, token in people),
        return_exceptions=True,
    )

    refused = [outcome.code for outcome in outcomes if isinstance(outcome, Conflict)]
    assert refused == ["too_many_members"] * 4
    assert len(await members.all()) == 2
    assert len(await members.invitations()) == 4
    with pytest.raises(Unauthenticated):
        await members.accept(token_bytes(32), an_account(), MemberId(new_id()), is_new=True)


async def test_the_plans_are_offered_the_smallest_first(database: PostgresDatabase, tenant_id: TenantId) -> None:
    plans = await PostgresPlans(database).offered()

    assert [plan.name for plan in plans][:4] == ["tiny", "free", "paid", "enterprise"]
    free, paid = plans[1:3]
    assert (free.provider, free.model, free.requests_per_minute) == ("openai", "gpt-5.4-mini", 100)
    assert (paid.provider, paid.model, paid.requests_per_minute) == ("anthropic", "claude-sonnet-4-6", 1_000)
    assert free.models is not None
    assert "claude-sonnet-4-6" not in free.models
    assert all(plan.models and plan.model in plan.models for plan in plans)
