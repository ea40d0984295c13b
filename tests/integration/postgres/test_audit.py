"""The audit log is written with each change, by the database, and says what it should and nothing else."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.assistants import PostgresAssistants
from chatconnect.adapters.postgres.audit import PostgresAuditLog, PostgresRefusedLogIns
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.operators import PostgresOperatedTenants
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.domain.audit import Actor, ActorKind, AuditEntry, AuditFilters, Origin
from chatconnect.domain.controls import Controls
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.secret import Secret
from chatconnect.ports.audit import acts, origin
from chatconnect.ports.tenants import NewTenant
from tests.factories import a_conversation, a_save, a_tenant, a_tool, a_turn, answered
from tests.fakes.encryption import ReversingEncryption

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


@pytest.fixture
async def acme(database: PostgresDatabase) -> NewTenant:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    return new


@pytest.fixture(autouse=True)
def no_origin() -> Iterator[None]:
    """Each test begins as a job does."""
    token = origin.set(None)
    yield
    origin.reset(token)


async def told(database: PostgresDatabase, tenant_id: TenantId, action: str) -> list[AuditEntry]:
    return list(await PostgresAuditLog(database, tenant_id).page(AuditFilters(action=action), before=None, limit=100))


async def all_told(database: PostgresDatabase, tenant_id: TenantId) -> list[str]:
    entries = await PostgresAuditLog(database, tenant_id).page(AuditFilters(), before=None, limit=1_000)
    return sorted(entry.action for entry in entries)


def fields(entry: AuditEntry) -> dict[str, tuple[object, object]]:
    return {change.field: (change.before, change.after) for change in entry.changes}


async def rows(connection: AsyncConnection, statement: str) -> Sequence[tuple[str]]:
    return await (await connection.execute(statement.encode())).fetchall()


# What is told


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
    assert fields(saved) == {
        "config.temperature": (config.temperature, 0.9),
        "number": (1, 2),
        "note": ("", "warmer"),
    }
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


# Who, from where, in which trace


async def test_a_line_says_who_from_which_network_and_in_which_trace(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    (key, _), tools = acme.secret_key, PostgresHttpTools(database, acme.tenant.id, encryption=ReversingEncryption())

    await tools.add(a_tool(acme.tenant.id, name="by-nobody"))
    origin.set(Origin("203.0.113.0/24", "trace-1"))
    acts(ActorKind.MEMBER, acme.account.id)
    await tools.add(a_tool(acme.tenant.id, name="by-ada"))
    acts(ActorKind.KEY, key.id)
    await tools.add(a_tool(acme.tenant.id, name="by-server"))

    by_server, by_ada, by_nobody = await told(database, acme.tenant.id, "tool")
    assert by_nobody.actor == Actor(ActorKind.SYSTEM)
    assert by_ada.actor == Actor(ActorKind.MEMBER, acme.account.id, acme.account.email)
    assert by_server.actor == Actor(ActorKind.KEY, key.id, key.name)
    assert (by_nobody.address, by_nobody.trace_id) == (None, None)
    assert (by_ada.address, by_ada.trace_id) == ("203.0.113.0/24", "trace-1")
    assert by_nobody.at < by_ada.at < by_server.at


async def test_an_operator_is_told_of_but_not_named(database: PostgresDatabase, acme: NewTenant) -> None:
    globex = a_tenant("Globex")
    await PostgresAccounts(database).open_tenant(globex)

    origin.set(Origin(None, "t"))
    acts(ActorKind.OPERATOR, globex.account.id)
    await PostgresOperatedTenants(database).set_suspended(acme.tenant.id, suspended=True)
    await PostgresOperatedTenants(database).set_suspended(acme.tenant.id, suspended=False)

    resumed, suspended, _ = await told(database, acme.tenant.id, "tenant")
    assert (suspended.action, resumed.action) == ("tenant.suspended", "tenant.resumed")
    assert suspended.actor == Actor(ActorKind.OPERATOR, globex.account.id)


async def test_what_concerns_a_person_is_told_to_each_of_their_tenants_and_to_no_other(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    globex, initech = a_tenant("Globex"), a_tenant("Initech")
    for new in (globex, initech):
        await PostgresAccounts(database).open_tenant(new)
    async with database.transaction(globex.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO members (tenant_id, id, account_id, role) VALUES (%s, %s, %s, 'agent')",
            [globex.tenant.id, new_id(), acme.account.id],
        )

    origin.set(Origin("203.0.113.0/24", "t"))
    await PostgresRefusedLogIns(database).note_refusal(acme.account.id)
    await PostgresRefusedLogIns(database).note_refusal(None)
    await PostgresAccounts(database).set_password(acme.account.id, Secret("new-hash"), keep=None)

    for new in (acme, globex):
        [refused] = await told(database, new.tenant.id, "session.refused")
        [changed] = await told(database, new.tenant.id, "account.changed")
        assert (refused.object_id, refused.actor) == (acme.account.id, Actor(ActorKind.ANONYMOUS))
        assert fields(changed) == {"password_hash": ("(hidden)", "(hidden)")}
        assert changed.actor == Actor(ActorKind.MEMBER, acme.account.id, acme.account.email)
    assert await told(database, initech.tenant.id, "session") == []
    assert await told(database, initech.tenant.id, "account") == []


# What cannot be done to it


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_log WHERE tenant_id = current_tenant()",
        "UPDATE audit_log SET details = '{}' WHERE tenant_id = current_tenant()",
        "TRUNCATE audit_log",
        "ALTER TABLE tools DISABLE TRIGGER audited",
        "SET LOCAL session_replication_role = replica",
        "DROP TRIGGER audited ON tools",
    ],
)
async def test_the_application_can_only_add(database: PostgresDatabase, acme: NewTenant, statement: str) -> None:
    before = await all_told(database, acme.tenant.id)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await database.run(acme.tenant.id, statement, {})

    assert await all_told(database, acme.tenant.id) == before


async def test_no_line_comes_into_another_tenants_log(database: PostgresDatabase, acme: NewTenant) -> None:
    globex = a_tenant("Globex")
    await PostgresAccounts(database).open_tenant(globex)
    before = await all_told(database, globex.tenant.id)

    await PostgresHttpTools(database, acme.tenant.id, encryption=ReversingEncryption()).add(a_tool(acme.tenant.id))

    assert await all_told(database, globex.tenant.id) == before
    assert len(await told(database, acme.tenant.id, "tool.created")) == 1


async def test_of_a_tenant_that_is_being_erased_nothing_is_told_any_more(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    async with database.transaction(acme.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO data_requests (tenant_id, id, kind, status, requested_at) "
            "VALUES (%s, %s, 'erase', 'open', now())",
            [acme.tenant.id, new_id()],
        )
    before = await all_told(database, acme.tenant.id)

    async with database.transaction(acme.tenant.id) as connection:
        await connection.execute("UPDATE tenants SET controls = %s", [Jsonb({"messages": ["x"]})])
        await connection.execute("DELETE FROM widgets WHERE tenant_id = %s", [acme.tenant.id])

    assert await all_told(database, acme.tenant.id) == before
