"""Several tenants who do the same things with things of the same ids, each beside a memory of its own.

The ids are the tenants' own and may be equal: whatever a store answers to one tenant has to be what its memory answers,
in which there is nothing of anybody else. So a statement that forgets the tenant shows, for the others' rows have
every id, name and place that it asks for, and their tenants' own texts.
"""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar
from uuid import UUID, uuid5

from chatconnect.adapters.postgres.accounts import INSERT_ACCOUNT, PostgresAccounts, account_parameters
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.sessions import PostgresSessions
from chatconnect.domain.conversation import Branch, Message, Turn
from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.identifiers import AssistantId, KeyId, MemberId, WidgetId, new_id
from chatconnect.domain.keys import ApiKey
from chatconnect.domain.knowledge import Document
from chatconnect.ports.conversations import Path
from chatconnect.ports.document_lists import DocumentPage
from chatconnect.ports.tenants import NewTenant
from tests.factories import NOON, a_tenant
from tests.fakes.people import MemorySessions
from tests.fakes.tenants import MemoryAccounts, StoredTenants
from tests.side_operations import DOCUMENTS, TALKS, TOOLS, VISITORS
from tests.side_settings import ASSISTANTS, KEYS, PEOPLE
from tests.side_stores import memory_stores, stored_stores
from tests.side_things import LATER, THINGS, Operation, Stores, Things

TENANTS = 4
remembering: ContextVar[bool] = ContextVar("remembering", default=False)
"""Whether it is a tenant's memory that is asked, which may be a database, too."""
OPERATIONS: Sequence[Operation] = (*TALKS, *DOCUMENTS, *TOOLS, *VISITORS, *PEOPLE, *KEYS, *ASSISTANTS)

SomeStores = TypeVar("SomeStores", bound=Stores)


class Crossed(AssertionError):
    """A store answered otherwise than the tenant's own memory."""


@dataclass
class Calls:
    """How often a tenant's stores were called."""

    count: int = 0

    def counted(self, stores: SomeStores) -> SomeStores:
        """The stores, whose calls are counted."""
        return replace(stores, **{each.name: _Counted(getattr(stores, each.name), self) for each in fields(stores)})


class _Counted:
    def __init__(self, store: Any, calls: Calls) -> None:
        self._store, self._calls = store, calls

    def __getattr__(self, name: str) -> Any:
        self._calls.count += 1
        return getattr(self._store, name)

    async def __call__(self, *arguments: Any) -> Any:
        self._calls.count += 1
        return await self._store(*arguments)


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
        token = remembering.set(True)
        expected = await _outcome(operation, self.memory, self.things, number)
        remembering.reset(token)
        if found != expected:
            raise Crossed(f"{operation.__name__} {number} of {self.things.tenant_id}: {found}\ninstead of {expected}")


async def open_sides(
    database: PostgresDatabase, tenants: int = TENANTS, *, alone: PostgresDatabase | None = None
) -> list[Side]:
    """Open tenants whose assistants, and whatever they do next, have the same ids.

    `alone`: another database, in which each tenant has its memory, in place of the fakes.
    """
    seed = new_id()
    opened = [_new_tenant(seed) for _ in range(tenants)]
    for each in (database, alone) if alone else (database,):
        for new in opened:
            await PostgresAccounts(each).open_tenant(new)
        await _log_in(each, _things(opened[0], seed))
    sides = []
    for new in opened:
        tenant_id, calls = new.tenant.id, Calls()
        memory = stored_stores(alone, tenant_id) if alone else await _memory(new, seed)
        sides.append(Side(_things(new, seed), calls.counted(stored_stores(database, tenant_id)), memory, calls))
    return sides


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


def _things(new: NewTenant, seed: UUID) -> Things:
    return Things(new.tenant.id, new.assistant.id, seed)


def _new_tenant(seed: UUID) -> NewTenant:
    """A tenant that has the ids of all the others, but for its own and its owner's."""
    new, id_ = a_tenant(), uuid5(seed, "first")
    assistant = replace(new.assistant, id=AssistantId(id_))
    return replace(
        new,
        tenant=replace(new.tenant, name=f"{new.tenant.id}"),
        owner=replace(new.owner, id=MemberId(id_)),
        assistant=assistant,
        widget=replace(new.widget, id=WidgetId(id_), assistant_id=assistant.id),
        widget_key=_same(new.widget_key, seed),
        secret_key=_same(new.secret_key, seed),
    )


def _same(key: tuple[ApiKey, bytes], seed: UUID) -> tuple[ApiKey, bytes]:
    id_ = uuid5(seed, key[0].kind.value)
    return replace(key[0], id=KeyId(id_)), id_.bytes * 2


async def _log_in(database: PostgresDatabase, things: Things) -> None:
    """Store the people who have a place at several tenants, and a session of each."""
    async with database.shared_transaction() as connection:
        for number in range(THINGS):
            await connection.execute(INSERT_ACCOUNT, account_parameters(things.person(number), NOON))
    for number in range(THINGS):
        await PostgresSessions(database).begin(things.session(number), things.hash("session", number), LATER)


async def _memory(new: NewTenant, seed: UUID) -> Stores:
    stored, things = StoredTenants(), _things(new, seed)
    await MemoryAccounts(stored).open_tenant(new)
    sessions = MemorySessions(stored)
    for number in range(THINGS):
        person = things.person(number)
        stored.accounts[person.email] = person
        await sessions.begin(things.session(number), things.hash("session", number), LATER)
    return memory_stores(stored, sessions, new.tenant.id)


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
