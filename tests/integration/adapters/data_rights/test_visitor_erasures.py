"""Visitors who are erased everywhere."""

import json
from datetime import timedelta

import pytest

from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.domain.data_rights import LEASE, RequestStatus
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import VisitorId, new_id
from chatconnect.ports.data_rights import Whose
from tests.factories import a_conversation, a_turn, answered
from tests.integration.adapters.data_rights.companies import Company, Rights, away, begun, keys_of, totals_of
from tests.integration.adapters.data_rights.rows import LEAD


async def test_an_erased_visitor_is_nowhere_any_more_and_the_receipt_proves_it(
    rights: Rights, acme: Company, globex: Company
) -> None:
    visitor_id, other = acme.visitors
    before = await totals_of(acme, "tenant")
    exported = await rights.service.export_visitor(acme.owner, visitor_id)
    turn = acme.turns[0]
    theirs = (f"seen:{visitor_id}", f"hold:{visitor_id}", f"rate:visitor:{visitor_id}", f"cancel:{turn.question.id}")
    await acme.keeps(*theirs, f"seen:{other}", "given:1:digest", f"listeners:visitor:{other}")
    await rights.redis.ask(("HSET", f"{{{acme.id}}}:blocked", str(visitor_id), "0", str(other), "0"))
    await globex.keeps("given:1:digest")

    request = await rights.service.erase_visitor(acme.owner, visitor_id)

    assert request.status is RequestStatus.DONE
    assert request.receipt is not None
    stores = request.receipt["stores"]
    assert {name: figures["left"] for name, figures in stores.items()} == {
        "postgres": 0, "qdrant": 0, "redis": 0, "s3": 0,
    }  # fmt: skip
    assert stores["postgres"]["erased"] == stores["postgres"]["found"] >= 12
    assert stores["s3"]["erased"] == 1
    assert request.receipt["rows"]["messages"] == 2
    assert "first of Acme" not in json.dumps(request.receipt)
    left = await rights.records_of(acme.id).exported_tables(Whose())
    for table in left:
        page = await rights.records_of(acme.id).page(table, Whose(), after=None, limit=1_000)
        if table != "audit_log":
            assert [line for line in page.lines if str(visitor_id) in line or "first of Acme" in line] == [], table
    keys = await keys_of(rights, acme)
    assert [key for key in keys if str(visitor_id) in key or str(turn.question.id) in key or "given" in key] == []
    assert f"seen:{other}" in keys
    assert await keys_of(rights, globex) == {"given:1:digest"}
    assert (await rights.service.get(acme.owner, exported.id)).status is RequestStatus.EXPIRED
    assert await totals_of(acme, "tenant") == before
    assert await acme.count("messages") == 2
    assert await globex.count("messages") == 4
    with pytest.raises(NotFound):
        await rights.service.export_visitor(acme.owner, visitor_id)


async def test_whoever_turned_out_to_be_the_visitor_goes_with_them(rights: Rights, acme: Company) -> None:
    first, second = acme.visitors
    await acme.run(
        "UPDATE visitors SET merged_into = %(first)s WHERE tenant_id = %(tenant)s AND id = %(second)s",
        first=first,
        second=second,
    )

    request = await rights.service.erase_visitor(acme.owner, second)

    assert request.receipt is not None
    assert (request.visitor_id, request.receipt["stores"]["postgres"]["left"]) == (first, 0)
    assert (await acme.count("visitors"), await acme.count("messages")) == (0, 0)


async def test_a_visitor_who_only_left_their_address_is_exported_and_erased(rights: Rights, acme: Company) -> None:
    visitor_id = VisitorId(new_id())
    await acme.run(LEAD, visitor=visitor_id, at=rights.clock())

    exported = await rights.service.export_visitor(acme.owner, visitor_id)
    erased = await rights.service.erase_visitor(acme.owner, visitor_id)

    assert exported.receipt is not None
    assert exported.receipt["rows"] == {"leads": 1}
    assert erased.receipt is not None
    assert erased.receipt["rows"] == {"leads": 1}
    assert await acme.count("leads") == 2


async def test_an_erasure_that_was_interrupted_is_ended_by_the_job(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor_id = acme.visitors[0]
    for number in range(5):
        await acme.has(f"question {number}", visitor_id=visitor_id)
    monkeypatch.setattr("chatconnect.services.erasing.BATCH", 2)
    with monkeypatch.context() as patched:
        patched.setattr(rights.redis, "ask", away)
        interrupted = await rights.service.erase_visitor(acme.owner, visitor_id)
    assert interrupted.status is RequestStatus.OPEN
    assert await rights.service.run_due() == {"done": 0, "left": 0, "failed": 0}

    rights.clock.advance(LEASE.total_seconds())
    figures = await rights.service.run_due()

    done = await rights.service.get(acme.owner, interrupted.id)
    assert figures == {"done": 1, "left": 0, "failed": 0}
    assert rights.faults == ["erase put off: Unavailable"]
    assert done.receipt is not None
    assert done.receipt["rows"]["messages"] == 12
    assert done.receipt["stores"]["postgres"]["left"] == 0
    assert await acme.count("messages") == 2


async def test_what_comes_late_for_an_erased_visitor_is_found_and_goes_too(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.services.erasing._PAUSES", 1)
    visitor_id = acme.visitors[0]
    conversation = a_conversation(acme.id, acme.new.assistant.id, visitor_id=visitor_id)
    late = answered(a_turn(conversation, text="still being answered"))
    conversations = PostgresConversations(rights.database, acme.id)
    await conversations.begin(begun(late))
    request = await rights.service.erase_visitor(acme.owner, visitor_id)
    assert await rights.redis.ask(("EXISTS", f"{{{acme.id}}}:cancel:{late.answer.id}")) == [0]

    await conversations.complete(late)
    assert await acme.count("messages") == 4
    rights.clock.advance(timedelta(minutes=10).total_seconds())
    await rights.service.run_due()

    looked = await rights.service.get(acme.owner, request.id)
    assert await acme.count("messages") == 2
    assert looked.receipt is not None
    assert looked.receipt["rows"]["messages"] == 6
    assert await rights.service.is_good(looked.receipt, looked.signature or "")
    assert looked.next_at is not None


async def test_a_visitor_who_comes_back_after_the_erasure_keeps_what_is_new(rights: Rights, acme: Company) -> None:
    visitor_id = acme.visitors[0]
    await rights.service.erase_visitor(acme.owner, visitor_id)
    await acme.run(
        "INSERT INTO visitors (tenant_id, id, first_seen_at, last_seen_at) VALUES (%(tenant)s, %(id)s, now(), now())",
        "INSERT INTO conversations (tenant_id, id, assistant_id, visitor_id, created_at, updated_at)"
        " SELECT tenant_id, gen_random_uuid(), id, %(id)s, now(), now() FROM assistants WHERE tenant_id = %(tenant)s",
        id=visitor_id,
    )

    for days in (1, 5, 20):
        rights.clock.advance(timedelta(days=days).total_seconds())
        await rights.service.run_due()

    assert (await acme.count("visitors"), await acme.count("conversations")) == (2, 2)
