"""The audit log is written with each change, by the database, and says what it should and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from psycopg import AsyncConnection

from chatconnect.adapters.postgres.assistants import PostgresAssistants
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.domain.controls import Controls
from chatconnect.domain.secret import Secret
from chatconnect.ports.tenants import NewTenant
from tests.factories import a_conversation, a_save, a_tool, a_turn, answered
from tests.fakes.encryption import ReversingEncryption
from tests.integration.postgres.audit_lines import acme, all_told, fields, no_origin, told

__all__ = ["acme", "no_origin"]

# Tables of tenants whose changes are told to nobody, and why.
NOT_TOLD = {
    "abuse_signals": "seen, not changed by anybody",
    "audit_log": "the log itself",
    "chunks": "made of documents",
    "conversation_summaries": "made of conversations",
    "daily_analytics": "made of conversations",
    "feedback": "said by visitors",
    "handovers": "part of conversations",
    "ingestion_events": "a log of its own",
    "knowledge_indexes": "made of documents",
    "messages": "said by visitors and models",
    "question_topics": "made of conversations",
    "test_questions": "content of test sets",
    "test_results": "made of test sets",
    "test_runs": "made of test sets",
    "test_sets": "for trials only",
    "unanswered_questions": "made of conversations",
    "usage_totals": "counted",
    "visitors": "said by visitors",
    "webhook_deliveries": "a log of its own",
    "widget_versions": "each is a change of widgets, which is told of",
}


async def rows(connection: AsyncConnection, statement: str) -> Sequence[tuple[str]]:
    return await (await connection.execute(statement.encode())).fetchall()


async def test_every_table_of_tenants_is_told_of_or_known_not_to_be(owner_url: str) -> None:
    """A new table needs a CALL audit_changes(...) in its migration, or a reason above."""
    async with await AsyncConnection.connect(owner_url) as owner:
        tables = await rows(
            owner,
            "SELECT DISTINCT table_name FROM information_schema.columns JOIN pg_tables ON tablename = table_name "
            "WHERE table_schema = 'public' AND column_name = 'tenant_id'",
        )
        audited = await rows(owner, "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'audited'")

    told_of = {name for (name,) in audited} - {"tenants", "accounts", "sessions", "password_resets"}
    assert {name for (name,) in tables} - told_of == set(NOT_TOLD)
    assert len(audited) == len(told_of) + 4


async def test_opening_a_tenant_is_told_with_all_it_starts_with(database: PostgresDatabase, acme: NewTenant) -> None:
    actions = await all_told(database, acme.tenant.id)

    assert actions == [
        "assistant.created", "assistant.saved", "key.created", "key.created", "member.created", "tenant.created",
        "widget.created",
    ]  # fmt: skip


async def test_a_change_is_told_field_by_field_before_and_after(database: PostgresDatabase, acme: NewTenant) -> None:
    config = acme.assistant.config
    assistants = PostgresAssistants(database, acme.tenant.id, encryption=ReversingEncryption())

    await assistants.save(acme.assistant.id, a_save(replace(config, temperature=0.9), note="warmer"), publish=True)

    saved, _ = await told(database, acme.tenant.id, "assistant.saved")
    [published] = await told(database, acme.tenant.id, "assistant.published")
    assert fields(saved) == {"config.temperature": (config.temperature, 0.9), "number": (1, 2), "note": ("", "warmer")}
    assert fields(published) == {"published_version": (1, 2)}
    assert (saved.object_kind, saved.object_id) == ("assistant", acme.assistant.id)


async def test_secrets_are_hidden_long_texts_cut_and_addresses_lose_what_may_be_a_key(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    tools = PostgresHttpTools(database, acme.tenant.id, encryption=ReversingEncryption())
    tool = a_tool(
        acme.tenant.id,
        description="long " * 100,
        url="https://shop.example.com/orders?key=hush",
        headers={"authorization": Secret("hush")},
    )

    await tools.add(tool)
    await tools.delete(tool.id)

    [created], [deleted] = (
        await told(database, acme.tenant.id, "tool.created"),
        await told(database, acme.tenant.id, "tool.deleted"),
    )
    for entry, place in ((created, 1), (deleted, 0)):
        shown = {name: pair[place] for name, pair in fields(entry).items()}
        assert shown["secret"] == "(hidden)"
        assert shown["description"] == "long " * 40 + "…"
        assert shown["endpoint"] == "https://shop.example.com/orders?…"
        assert "hush" not in str(entry)
        assert b"hush".hex() not in str(entry)
        assert "hush"[::-1] not in str(entry)


async def test_what_was_written_of_visitors_is_not_told_only_that_it_changed(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    conversations = PostgresConversations(database, acme.tenant.id)
    turn = a_turn(a_conversation(acme.tenant.id, acme.assistant.id), text="hush")
    await conversations.begin(turn)
    await conversations.complete(answered(turn, "hush, too"))

    await conversations.save_controls(turn.conversation.id, Controls(("hush, hush",)))

    [entry] = await told(database, acme.tenant.id, "conversation")
    assert entry.action == "conversation.instructed"
    assert fields(entry) == {"controls.messages": ("(hidden)", "(hidden)")}
    assert "hush" not in str(entry)


async def test_bookkeeping_is_not_told(database: PostgresDatabase, acme: NewTenant) -> None:
    before = await all_told(database, acme.tenant.id)

    async with database.transaction(acme.tenant.id) as connection:
        await connection.execute("UPDATE tenants SET knowledge_version = 7 WHERE id = %s", [acme.tenant.id])
        await connection.execute("UPDATE api_keys SET last_used_at = now() WHERE tenant_id = %s", [acme.tenant.id])
        await connection.execute("UPDATE widgets SET updated_at = now() WHERE tenant_id = %s", [acme.tenant.id])

    assert await all_told(database, acme.tenant.id) == before


async def test_a_change_and_its_line_are_stored_together_or_not_at_all(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    async def change_and_fail() -> None:
        async with database.transaction(acme.tenant.id) as connection:
            await connection.execute("UPDATE tenants SET name = 'Other' WHERE id = %s", [acme.tenant.id])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change_and_fail()

    assert await told(database, acme.tenant.id, "tenant.changed") == []


async def test_an_address_loses_its_user_too(owner_url: str) -> None:
    statement = "SELECT audit_shown('url', to_jsonb(%s::text), '[]')"
    async with await AsyncConnection.connect(owner_url) as owner:
        for stored, shown in (
            ("https://ada:hush@example.com/a#hush", "https://example.com/a?…"),
            (f"https://example.com/{'a' * 300}?key=hush", f"https://example.com/{'a' * 180}…"),
            ("mail ada@example.com: why?", "mail ada@example.com: why?"),
        ):
            row = await (await owner.execute(statement, [stored])).fetchone()
            assert row == (shown,)
