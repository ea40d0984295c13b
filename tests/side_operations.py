"""What the tenants of side_by_side.py do with their conversations, their knowledge and what answers from it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chatconnect.domain.context import PromptContext
from chatconnect.domain.controls import Controls
from chatconnect.domain.conversation import Feedback, State
from chatconnect.domain.identifiers import (
    ConversationId,
    DocumentId,
    KnowledgeSourceId,
    McpServerId,
    MessageId,
    ToolId,
    VersionId,
    VisitorId,
)
from chatconnect.domain.identity import Identity
from chatconnect.domain.knowledge import Failure, Progress
from chatconnect.domain.metadata import DocumentFilters
from chatconnect.domain.visitor import Block
from chatconnect.ports.document_lists import Listing, Selection
from tests.factories import (
    NOON,
    a_knowledge_source,
    a_tool,
    an_mcp_server,
    answered,
    seconds,
)
from tests.side_things import THINGS, Operation, Stores, Things


async def begins(of: Stores, things: Things, number: int) -> object:
    return await of.conversations.begin(things.turn(number))


async def begins_further(of: Stores, things: Things, number: int) -> object:
    return await of.conversations.begin(things.further(number))


async def completes(of: Stores, things: Things, number: int) -> None:
    turn = answered(things.turn(number), f"{things.tenant_id} answers")
    await of.conversations.complete(replace(turn, context=PromptContext(f"{things.tenant_id}", "what")))


async def reads(of: Stores, things: Things, number: int) -> object:
    talk = ConversationId(things.id("talk", number))
    return await of.conversations.path(talk), await of.conversations.branches(talk)


async def looks_at_talk(of: Stores, things: Things, number: int) -> object:
    return await of.conversations.get(ConversationId(things.id("talk", number)))


async def looks_up(of: Stores, things: Things, number: int) -> object:
    ids = [MessageId(things.id(kind, each)) for each in range(number + 1) for kind in ("question", "answer")]
    talk = ConversationId(things.id("talk", number))
    return (
        await of.conversations.messages(ids),
        await of.conversations.find_message(ids[-1]),
        await of.conversations.siblings(talk, [None, ids[0]]),
        await of.conversations.find_context(ids[-1]),
    )


async def lists_talks(of: Stores, things: Things, number: int) -> object:
    visitor_id = VisitorId(things.id("visitor", number % 2)) if number else None
    return await of.conversations.list_newest(visitor_id=visitor_id)


async def rates(of: Stores, things: Things, number: int) -> None:
    await of.conversations.give_feedback(MessageId(things.id("answer", number)), Feedback("up"))


async def archives(of: Stores, things: Things, number: int) -> object:
    talk, states = ConversationId(things.id("talk", number)), (State.ACTIVE, State.ARCHIVED)
    if number % 2:
        return await of.conversations.move(talk, State.ARCHIVED, among=states[:1])
    await of.conversations.save_controls(talk, Controls(messages=(f"{things.tenant_id}",)))
    return None


async def gives_up_lost(of: Stores, things: Things, number: int) -> object:
    return await of.conversations.close_lost(seconds(number))


async def adds_document(of: Stores, things: Things, number: int) -> object:
    document = things.document(number)
    if things.is_first(of, "document", number):
        await of.documents.add(document)
    return await of.documents.get(document.id)


async def reads_documents(of: Stores, things: Things, number: int) -> object:
    document = things.document(number)
    page = await of.documents.page(Listing(limit=number + 1))
    return page, await of.documents.count(Selection()), await of.documents.versions(document.id)


async def changes_document(of: Stores, things: Things, number: int) -> None:
    document_id = DocumentId(things.id("document", number))
    await of.documents.change(document_id, title=f"{things.tenant_id}", metadata=None, at=seconds(number))


async def processes(of: Stores, things: Things, number: int) -> object:
    version_id = VersionId(things.id("version", number))
    begun = await of.documents.begin_processing(version_id, "1")
    await of.documents.set_progress(version_id, Progress(things.own, 1_000))
    return begun, await of.documents.stored_chunks(version_id, "model")


async def keeps_chunks(of: Stores, things: Things, number: int) -> object:
    chunk = things.chunk(number)
    more = [replace(chunk, position=position) for position in range(things.own % 5 + 1)]
    await of.documents.save_chunks(chunk.version_id, more)
    return await of.documents.chunks_of_version(chunk.version_id), await of.documents.chunks(chunk.document_id)


async def activates(of: Stores, things: Things, number: int) -> object:
    return await of.documents.activate(VersionId(things.id("version", number)))


async def fails(of: Stores, things: Things, number: int) -> None:
    version_id = VersionId(things.id("version", number))
    await of.documents.fail(version_id, Failure("unreadable", f"{things.tenant_id}"))


async def removes_document(of: Stores, things: Things, number: int) -> object:
    return await of.documents.delete_all([DocumentId(things.id("document", number))])


async def looks_over_versions(of: Stores, things: Things, number: int) -> object:
    every = [VersionId(things.id("version", each)) for each in range(number, THINGS)]
    stuck = await of.documents.stuck_versions(NOON + timedelta(days=10_000))
    return (
        await of.documents.active_titles(every),
        sorted(await of.documents.hidden_versions()),
        sorted(each.id for each in stuck),
        sorted(each.id for each in await of.documents.abandoned_versions()),
        sorted((each.version.id, each.chunks, each.answers) for each in await of.documents.holdings()),
        await of.documents.matching(DocumentFilters()),
    )


async def purges(of: Stores, things: Things, number: int) -> object:
    document_id, version_id = DocumentId(things.id("document", number)), VersionId(things.id("version", number))
    kept = {each.id for each in (await of.documents.page(Listing())).documents}
    if (id(of), "document", number) in things.added and document_id not in kept:
        await of.documents.purged(version_id)
    return await of.documents.active_among([version_id])


async def adds_tool(of: Stores, things: Things, number: int) -> None:
    tool = a_tool(things.tenant_id, id=things.id("tool", number), description=f"{things.tenant_id}", name=f"t{number}")
    kept = await of.tools.list_all()
    await (of.tools.save(tool) if any(each.id == tool.id for each in kept) else of.tools.add(tool))


async def reads_tools(of: Stores, things: Things, number: int) -> object:
    every = await of.tools.list_all(), await of.tools.enabled([f"t{number}"])
    return every, await of.tools.get(ToolId(things.id("tool", number)))


async def removes_tool(of: Stores, things: Things, number: int) -> None:
    await of.tools.delete(ToolId(things.id("tool", number)))


async def adds_source(of: Stores, things: Things, number: int) -> None:
    source = a_knowledge_source(things.tenant_id, id=things.id("source", number), name=f"{things.tenant_id} {number}")
    kept = await of.sources.list_all()
    await (of.sources.save(source) if any(each.id == source.id for each in kept) else of.sources.add(source))


async def reads_sources(of: Stores, things: Things, number: int) -> object:
    every = await of.sources.list_all()
    return every, await of.sources.get(KnowledgeSourceId(things.id("source", number)))


async def removes_source(of: Stores, things: Things, number: int) -> None:
    await of.sources.delete(KnowledgeSourceId(things.id("source", number)))


async def adds_server(of: Stores, things: Things, number: int) -> None:
    server = an_mcp_server(things.tenant_id, id=things.id("server", number), name=f"s{number}")
    server = replace(server, url=f"https://{things.tenant_id}.example.com/mcp", failure=f"{things.tenant_id}")
    kept = await of.servers.list_all()
    await (of.servers.save(server) if any(each.id == server.id for each in kept) else of.servers.add(server))
    await of.servers.save_listing(server)


async def reads_servers(of: Stores, things: Things, number: int) -> object:
    every = await of.servers.list_all(), await of.servers.enabled([f"s{number}"])
    return every, await of.servers.get(McpServerId(things.id("server", number)))


async def removes_server(of: Stores, things: Things, number: int) -> None:
    await of.servers.delete(McpServerId(things.id("server", number)))


async def recognises(of: Stores, things: Things, number: int) -> object:
    identity = Identity(f"user {number}", name=f"{things.tenant_id}")
    return await of.visitors.recognise(identity, VisitorId(things.id("user", number)), seconds(number))


async def blocks(of: Stores, things: Things, number: int) -> None:
    block = Block(f"{things.tenant_id}", seconds(number))
    await of.visitors.block(VisitorId(things.id("user", number)), block)


async def unblocks(of: Stores, things: Things, number: int) -> None:
    await of.visitors.unblock(VisitorId(things.id("user", number)))


async def reads_visitors(of: Stores, things: Things, number: int) -> object:
    visitor_id, at = VisitorId(things.id("user", number)), seconds(100)
    blocked = await of.visitors.list_blocked(at), await of.visitors.blocked(at)
    return blocked, await of.visitors.is_blocked(visitor_id, at), await of.visitors.find(visitor_id, at)


TALKS: Sequence[Operation] = (
    begins, begins, begins_further, completes, reads, looks_at_talk, looks_up, lists_talks, rates,
    archives, gives_up_lost,
)  # fmt: skip
DOCUMENTS: Sequence[Operation] = (
    adds_document, adds_document, reads_documents, changes_document, processes, keeps_chunks, activates, fails,
    removes_document, looks_over_versions, purges,
)  # fmt: skip
TOOLS: Sequence[Operation] = (
    adds_tool, reads_tools, removes_tool, adds_source, reads_sources, removes_source, adds_server, reads_servers,
    removes_server,
)  # fmt: skip
VISITORS: Sequence[Operation] = (recognises, blocks, unblocks, reads_visitors)
