"""What a turn costs the database: how many statements, and that none of them reads a large table as a whole."""

from uuid import UUID

import pytest

from bench.seeds import seed
from local.configuration import DATABASE
from tests.integration.api.clients import Company, granted
from tests.stack import RunningStack
from tests.statement_log import logged, plan, scanned, scans, sought

QUESTION = "How do parcels get to Iceland?"
LARGE = {"conversations", "messages", "visitors", "usage_totals", "feedback"}
MOST_STATEMENTS = 4
CONVERSATIONS = 600
"""So many that to read them all is more work than to look one up."""


@pytest.fixture(scope="module")
async def crowded(company: Company, stack: RunningStack) -> Company:
    """The company with a year of conversations."""
    owner_url = stack.services.postgres.database_url(DATABASE)
    await seed(owner_url, [(UUID(company.tenant_id), UUID(company.assistant_id))], CONVERSATIONS)
    return company


async def test_a_turn_takes_at_most_four_statements(company: Company, stack: RunningStack) -> None:
    visitor = await company.visitor()
    conversation = (await visitor.ask(QUESTION))["conversation_id"]

    async with logged(stack.services.postgres) as opening:
        await visitor.ask(QUESTION)
    async with logged(stack.services.postgres) as following:
        await visitor.ask(QUESTION, conversation_id=conversation)

    for log in (opening, following):
        assert 0 < len(log.own) <= MOST_STATEMENTS, log.own


async def test_no_statement_on_the_way_of_a_turn_scans_a_large_table(crowded: Company, stack: RunningStack) -> None:
    company = crowded
    visitor, url = await company.visitor(), stack.settings["DATABASE_URL"]

    async with logged(stack.services.postgres) as log:
        conversation = (await visitor.ask(QUESTION))["conversation_id"]
        await visitor.ask(QUESTION, conversation_id=conversation)
        await company.server.ask(QUESTION)
        granted(await visitor.get(f"/v1/conversations/{conversation}"))
    texts = {ran.text for ran in log.own}
    plans = {text: await plan(url, UUID(company.tenant_id), text) for text in texts}

    assert len(texts) > MOST_STATEMENTS
    assert {text: tables for text, each in plans.items() if (tables := LARGE.intersection(scanned(each)))} == {}


async def test_conversations_and_their_newest_message_are_found_by_an_index(
    crowded: Company, stack: RunningStack
) -> None:
    visitor, url = await crowded.visitor(), stack.settings["DATABASE_URL"]
    conversation = (await visitor.ask(QUESTION))["conversation_id"]

    async with logged(stack.services.postgres) as listing:
        granted(await visitor.get("/v1/conversations"))
    async with logged(stack.services.postgres) as reading:
        granted(await visitor.get(f"/v1/conversations/{conversation}"))
    # The clock's jobs may ask for something at the same moment.
    listed = [await plan(url, UUID(crowded.tenant_id), ran.text) for ran in listing.own]
    read = [await plan(url, UUID(crowded.tenant_id), ran.text) for ran in reading.own]

    by_columns = [sought(scan) for each in listed for scan in scans(each, "conversations")]
    assert [columns >= {"visitor_id", "updated_at"} for columns in by_columns].count(True) == 1
    assert [scan.get("Scan Direction") for each in read for scan in scans(each, "messages")].count("Backward") == 1


async def test_a_scan_of_a_large_table_is_seen(crowded: Company, stack: RunningStack) -> None:
    statement = "SELECT id FROM messages WHERE length(text) > $1"

    shown = await plan(stack.settings["DATABASE_URL"], UUID(crowded.tenant_id), statement)

    assert list(scanned(shown)) == ["messages"]
