"""Several tenants who do the same things with things of the same ids, each beside a memory of its own.

The ids are the tenants' own and may be equal: whatever a store answers to one tenant has to be what its memory answers,
in which there is nothing of anybody else. So a statement that forgets the tenant shows, for the others' rows have
every id, name and place that it asks for, and their tenants' own texts.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.knowledge_sources import PostgresKnowledgeSources
from chatconnect.adapters.postgres.mcp_servers import PostgresMcpServers
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.domain.conversation import Branch, Message, Turn
from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.identifiers import (
    AssistantId,
    new_id,
)
from chatconnect.domain.knowledge import Document
from chatconnect.ports.conversations import Path
from chatconnect.ports.document_lists import DocumentPage
from tests.factories import (
    NOON,
    a_tenant,
)
from tests.fakes.conversations import MemoryConversations, StoredConversations
from tests.fakes.documents import MemoryDocuments
from tests.fakes.encryption import ReversingEncryption
from tests.fakes.knowledge_sources import MemoryKnowledgeSources
from tests.fakes.mcp import MemoryMcpServers
from tests.fakes.tools import MemoryHttpTools
from tests.fakes.visitors import MemoryVisitors, StoredVisitors
from tests.side_operations import OPERATIONS, THINGS, Operation, Stores, Things

TENANTS = 4


class Crossed(AssertionError):
    """A store answered otherwise than the tenant's own memory."""


@dataclass
class Calls:
    """How often a tenant's stores were called."""

    count: int = 0

    def counted(self, store: Any) -> Any:
        """The store, whose calls are counted."""
        return _Counted(store, self)


class _Counted:
    def __init__(self, store: Any, calls: Calls) -> None:
        self._store, self._calls = store, calls

    def __getattr__(self, name: str) -> Any:
        self._calls.count += 1
        return getattr(self._store, name)


@dataclass(frozen=True)
class Side:
    """A tenant's stores in the shared database, and its memory."""

    things: Things
    stored: Stores
    memory: Stores
    calls: Calls

    async def does(self, operation: Operation, number: int) -> None:
        """Do it in both, and compare. Raises Crossed."""
        found = await _outcome(operation, self.stored, self.things, number)
        expected = await _outcome(operation, self.memory, self.things, number)
        if found != expected:
            raise Crossed(f"{operation.__name__} {number} of {self.things.tenant_id}: {found}\ninstead of {expected}")


async def open_sides(database: PostgresDatabase, tenants: int = TENANTS) -> list[Side]:
    """Open tenants whose assistants, and whatever they do next, have the same ids."""
    assistant_id, seed = AssistantId(new_id()), new_id()
    return [await _open_side(database, assistant_id, seed) for _ in range(tenants)]


async def run(sides: Sequence[Side], script: bytes, operations: Sequence[Operation] = OPERATIONS) -> int:
    """Let each tenant do its part of a script, all at the same time; return how often their stores were called.

    Three bytes are an operation: whose, what, and with which thing. Raises Crossed, or what the database raises.
    """
    steps: list[list[tuple[Operation, int]]] = [[] for _ in sides]
    for whose, what, which in zip(*[iter(script)] * 3, strict=False):
        steps[whose % len(sides)].append((operations[what % len(operations)], which % THINGS))

    async def work(side: Side, own: Sequence[tuple[Operation, int]]) -> None:
        for operation, number in own:
            await side.does(operation, number)

    before = sum(side.calls.count for side in sides)
    works = [asyncio.create_task(work(side, own)) for side, own in zip(sides, steps, strict=True)]
    try:
        await asyncio.gather(*works)
    finally:
        for each in works:
            each.cancel()
        await asyncio.gather(*works, return_exceptions=True)
    return sum(side.calls.count for side in sides) - before


async def _open_side(database: PostgresDatabase, assistant_id: AssistantId, seed: UUID) -> Side:
    new = a_tenant()
    assistant = replace(new.assistant, id=assistant_id)
    new = replace(new, assistant=assistant, widget=replace(new.widget, assistant_id=assistant_id))
    await PostgresAccounts(database).open_tenant(new)
    tenant_id, sealing, calls = new.tenant.id, ReversingEncryption(), Calls()
    stored = Stores(
        calls.counted(PostgresConversations(database, tenant_id)),
        calls.counted(PostgresDocuments(database, tenant_id)),
        calls.counted(PostgresHttpTools(database, tenant_id, encryption=sealing)),
        calls.counted(PostgresKnowledgeSources(database, tenant_id, encryption=sealing)),
        calls.counted(PostgresMcpServers(database, tenant_id, encryption=sealing)),
        calls.counted(PostgresVisitors(database, tenant_id)),
    )
    memory = Stores(
        MemoryConversations(StoredConversations(), tenant_id),
        MemoryDocuments({}, tenant_id),
        MemoryHttpTools({}, tenant_id),
        MemoryKnowledgeSources({}, tenant_id),
        MemoryMcpServers({}, tenant_id),
        MemoryVisitors(StoredVisitors(), tenant_id),
    )
    return Side(Things(tenant_id, assistant_id, seed), stored, memory, calls)


async def _outcome(operation: Operation, of: Stores, things: Things, number: int) -> object:
    """What came of it: a value, or the kind and code of a refusal."""
    try:
        return _comparable(await operation(of, things, number))
    except ChatConnectError as error:
        return type(error).__name__, error.code


def _comparable(value: object) -> object:
    """The value, with every sequence in one form, and without the times at which the database itself looks."""
    if isinstance(value, list | tuple):
        return [_comparable(each) for each in value]
    if isinstance(value, DocumentPage):
        return _comparable(value.documents), value.following
    if isinstance(value, Document):
        return replace(value, updated_at=value.created_at)
    if isinstance(value, Message) and value.error_code == "answer_interrupted":
        return replace(value, completed_at=None)
    if isinstance(value, Path):
        return value.conversation, _comparable(value.messages)
    if isinstance(value, Turn):
        return value.conversation, _comparable([value.question, value.answer])
    if isinstance(value, Branch):
        return replace(value, changed_at=NOON)
    return value
