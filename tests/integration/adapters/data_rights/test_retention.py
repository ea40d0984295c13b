"""What is older than its tenant keeps it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest

from chatconnect.adapters.postgres.data_requests import PostgresRetention
from chatconnect.adapters.postgres.records import PostgresRecords
from chatconnect.domain.data_rights import Retention
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.services.retention import RetentionService
from tests.integration.adapters.data_rights.companies import Company, Rights
from tests.integration.adapters.data_rights.rows import LEAD


@pytest.mark.parametrize("statement", ["SELECT remove_erased_tenant()", "SELECT prune_audit_log(1000)"])
async def test_the_application_removes_neither_a_tenant_nor_its_log_before_it_is_due(
    acme: Company, statement: str
) -> None:
    lines = await acme.count("audit_log")

    await acme.run(statement)

    assert (await acme.count("tenants"), await acme.count("audit_log")) == (1, lines)


async def test_what_is_older_than_its_tenant_keeps_it_goes(
    rights: Rights, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.services.retention.BATCH", 1)
    await acme.run("DELETE FROM blocked_visitors WHERE tenant_id = %(tenant)s")
    await acme.run(
        "INSERT INTO audit_log (tenant_id, id, actor_kind, action, target_kind, happened_at)"
        " SELECT %(tenant)s, gen_random_uuid(), 'system', 'old', 'tenant', now() - interval '31 days'"
        " FROM generate_series(1, 3)"
    )
    lines = await acme.count("audit_log")
    await acme.run(LEAD, visitor=new_id(), at=rights.clock())

    service = retention_of(rights, acme, globex)
    await service.set(acme.id, Retention(conversation_days=30, audit_days=30))
    rights.clock.advance(timedelta(days=29).total_seconds())
    kept = await service.apply_all()
    rights.clock.advance(timedelta(days=2).total_seconds())
    gone = await service.apply_all()

    assert kept == {"conversations": 0, "visitors": 0, "audit": 3, "failed": 0, "left": 0}
    assert gone == {"conversations": 2, "visitors": 2, "audit": 0, "failed": 0, "left": 0}
    assert [await acme.count(table) for table in ("messages", "visitors", "leads")] == [0, 0, 0]
    assert await acme.count("audit_log") >= lines - 3
    assert await globex.count("messages") == 4


async def test_a_conversation_that_somebody_writes_to_is_not_removed(rights: Rights, acme: Company) -> None:
    talk, answer = acme.turns[0].conversation, acme.turns[0].answer
    given = {"tenant": acme.id, "talk": talk.id, "visitor": talk.visitor_id, "parent": answer.id}

    async with rights.database.transaction(acme.id) as writing:
        await writing.execute(
            "INSERT INTO messages (tenant_id, id, conversation_id, visitor_id, parent_id, role, status, text,"
            " created_at) VALUES (%(tenant)s, gen_random_uuid(), %(talk)s, %(visitor)s, %(parent)s, 'user', 'complete',"
            " 'more', now())",
            given,
        )
        erased = await rights.records_of(acme.id).erase_older(rights.clock(), 10)

    assert erased["conversations"] == 1
    assert await acme.count("messages") == 3


async def test_a_tenant_whose_data_cannot_be_removed_keeps_no_other_from_its_turn(
    rights: Rights, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    records_of = rights.records_of

    def records(tenant_id: TenantId) -> PostgresRecords:
        if tenant_id == acme.id:
            raise ValueError
        return records_of(tenant_id)

    monkeypatch.setattr(rights, "records_of", records)
    service = retention_of(rights, acme, globex)
    await service.set(globex.id, Retention(conversation_days=30))
    rights.clock.advance(timedelta(days=31).total_seconds())

    figures = await service.apply_all()

    assert (figures["conversations"], figures["failed"]) == (2, 1)
    assert rights.faults == ["retention not applied"]


def retention_of(rights: Rights, *companies: Company) -> RetentionService:
    """The service, which knows of these companies alone."""

    class Directory:
        async def tenant_ids(self) -> AsyncIterator[TenantId]:
            for company in companies:
                yield company.id

    return RetentionService(
        directory=Directory(),
        retention_of=partial(PostgresRetention, rights.database),
        records_of=rights.records_of,
        epochs=rights.epochs,
        clock=rights.clock,
        on_fault=lambda what, fault: rights.faults.append(what),
    )
