"""What the tenants of side_by_side.py have: their stores, and things by their numbers."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from chatconnect.domain.conversation import Turn
from chatconnect.domain.identifiers import (
    AccountId,
    AssistantId,
    MessageId,
    SessionId,
    TenantId,
    VersionId,
    VisitorId,
)
from chatconnect.domain.knowledge import Chunk, Document
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import Session
from chatconnect.domain.tenant import Account
from chatconnect.ports.accounts import Members, Sessions
from chatconnect.ports.assistants import Assistants
from chatconnect.ports.conversations import Conversations
from chatconnect.ports.keys import IdentitySecrets, Keys
from chatconnect.ports.knowledge import Documents
from chatconnect.ports.knowledge_sources import KnowledgeSources
from chatconnect.ports.mcp import McpServers
from chatconnect.ports.operators import OperatedTenants
from chatconnect.ports.tenants import Tenants
from chatconnect.ports.tools import HttpTools
from chatconnect.ports.visitors import Visitors
from chatconnect.ports.widgets import Leads, Widgets
from tests.factories import NOON, a_chunk, a_conversation, a_document, a_turn, seconds

THINGS = 5
LATER = NOON + timedelta(days=20_000)
"""Long after these tests."""


@dataclass(frozen=True)
class Stores:
    """What a tenant has its things in."""

    conversations: Conversations
    documents: Documents
    tools: HttpTools
    sources: KnowledgeSources
    servers: McpServers
    visitors: Visitors
    members: Members
    sessions: Sessions
    keys: Keys
    secrets: IdentitySecrets
    widgets: Widgets
    leads: Leads
    assistants: Assistants
    tenants: Tenants
    operated: OperatedTenants


@dataclass(frozen=True)
class Things:
    """A tenant's things by their number: their ids are those of every tenant, their texts its own."""

    tenant_id: TenantId
    assistant_id: AssistantId
    seed: UUID
    added: set[tuple[int, str, int]] = field(default_factory=set)

    @property
    def own(self) -> int:
        """A small number that hardly any other tenant has."""
        return self.tenant_id.int % 997

    def is_first(self, of: Stores, kind: str, number: int) -> bool:
        """Whether a thing has not yet been added to these stores."""
        place = (id(of), kind, number)
        is_first = place not in self.added
        self.added.add(place)
        return is_first

    def id(self, kind: str, number: int) -> UUID:
        return uuid5(self.seed, f"{kind} {number}")

    def hash(self, kind: str, number: int) -> bytes:
        """The hash of a token or key."""
        return hashlib.sha256(self.id(kind, number).bytes).digest()

    def person(self, number: int) -> Account:
        """Somebody who can log in, and may have a place at every tenant."""
        id_ = AccountId(self.id("person", number))
        return Account(id_, f"{id_}@example.com", Secret("$argon2id$hash"))

    def session(self, number: int) -> Session:
        """Where that person is logged in."""
        id_, person = SessionId(self.id("session", number)), self.person(number).id
        return Session(id_, person, self.tenant_id, "a browser", NOON, NOON, LATER)

    def turn(self, number: int) -> Turn:
        visitor_id = VisitorId(self.id("visitor", number % 2))
        kept = a_conversation(self.tenant_id, self.assistant_id, id=self.id("talk", number), visitor_id=visitor_id)
        turn = a_turn(kept, text=f"{self.tenant_id} asks", at=number, key=f"key {number}")
        question = replace(turn.question, id=MessageId(self.id("question", number)))
        answer = replace(turn.answer, id=MessageId(self.id("answer", number)), parent_id=question.id)
        return replace(turn, question=question, answer=answer)

    def further(self, number: int) -> Turn:
        """What follows the first answer of a conversation."""
        first = self.turn(number)
        turn = a_turn(first.conversation, after=first, text=f"{self.tenant_id} more", at=number + 2 + self.own / 1_000)
        question = replace(turn.question, id=MessageId(self.id("further question", number)))
        answer = replace(turn.answer, id=MessageId(self.id("further answer", number)), parent_id=question.id)
        return replace(turn, question=question, answer=answer)

    def document(self, number: int) -> Document:
        document = a_document(self.tenant_id, id=self.id("document", number), title=f"{self.tenant_id} {number}")
        version = replace(
            document.newest,
            id=VersionId(self.id("version", number)),
            document_id=document.id,
            created_at=seconds(number),
        )
        return replace(document, created_at=seconds(number), updated_at=seconds(number), newest=version)

    def chunk(self, number: int) -> Chunk:
        return a_chunk(self.document(number).newest, text=f"{self.tenant_id} knows")


Operation = Callable[[Any, Things, int], Awaitable[object]]
"""What a tenant does with its stores and one of its things."""
