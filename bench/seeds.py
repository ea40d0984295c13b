"""A database full of conversations, written with COPY."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg import AsyncConnection

from bench.texts import prose, question
from chatconnect.domain.identifiers import new_id

MESSAGES_EACH, CONVERSATIONS_EACH = 10, 4  # of a conversation, of a visitor
_DAYS, _TEXTS = 365, 4_000
_COPY = {
    "visitors": "tenant_id, id, first_seen_at, last_seen_at",
    "conversations": "tenant_id, id, assistant_id, visitor_id, created_at, updated_at",
    "messages": "tenant_id, id, conversation_id, visitor_id, parent_id, role, status, text, created_at, completed_at",
    "usage_totals": "tenant_id, subject, subject_id, period, starts_on, answers, input_tokens",
}


@dataclass(frozen=True, slots=True)
class Seeded:
    """A conversation that was written, and its visitor."""

    conversation_id: UUID
    visitor_id: UUID


async def seed(owner_url: str, tenants: Sequence[tuple[UUID, UUID]], conversations: int) -> list[Seeded]:
    """Write so many conversations for each of the tenants in turn; return those of the first.

    Tenants are ids with the id of an assistant; one that comes twice gets twice as many. The database's owner does it
    with its triggers off: the rows are known to fit together.
    """
    chance, started = random.Random(7), datetime.now(UTC) - timedelta(days=_DAYS)
    answers = [text for text in prose(_TEXTS * 250).split("\n\n") if len(text) > 80]
    rows = _Rows(chance, answers, started)
    own = []
    for number in range(conversations):
        tenant_id, assistant_id = tenants[number // CONVERSATIONS_EACH % len(tenants)]
        at = started + timedelta(days=_DAYS * number / conversations)
        seeded = rows.add(tenant_id, assistant_id, at, new_visitor=number % CONVERSATIONS_EACH == 0)
        if tenant_id == tenants[0][0]:
            own.append(seeded)
    async with await AsyncConnection.connect(owner_url) as connection:
        await connection.execute("SET session_replication_role = replica")
        for table, columns in _COPY.items():
            async with connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for block in _blocks(rows.lines[table]):
                    await copy.write(block)
        await connection.execute("SET session_replication_role = origin")
    async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE")
    return own


class _Rows:
    """The lines of each table's COPY."""

    def __init__(self, chance: random.Random, answers: Sequence[str], started: datetime) -> None:
        self._chance, self._answers, self._started = chance, answers, started
        self._questions = [question(chance) for _ in range(_TEXTS)]
        self._visitor = new_id()
        self.lines: dict[str, list[str]] = {table: [] for table in _COPY}

    def add(self, tenant: UUID, assistant: UUID, at: datetime, *, new_visitor: bool) -> Seeded:
        """Write a conversation, of the visitor before or of a new one."""
        if new_visitor:
            self._visitor = new_id()
            self.lines["visitors"].append(f"{tenant}\t{self._visitor}\t{at}\t{at}\n")
        visitor, conversation = self._visitor, new_id()
        end = at + timedelta(minutes=MESSAGES_EACH)
        self.lines["conversations"].append(f"{tenant}\t{conversation}\t{assistant}\t{visitor}\t{at}\t{end}\n")
        parent = r"\N"
        for number in range(MESSAGES_EACH):
            message, when = new_id(), at + timedelta(minutes=number)
            role, texts = ("assistant", self._answers) if number % 2 else ("user", self._questions)
            self.lines["messages"].append(
                f"{tenant}\t{message}\t{conversation}\t{visitor}\t{parent}\t{role}\tcomplete\t"
                f"{self._chance.choice(texts)}\t{when}\t{when}\n"
            )
            parent = str(message)
        for period, starts_on in (("day", at.date()), ("month", at.date().replace(day=1))):
            totals = f"{period}\t{starts_on}\t{MESSAGES_EACH // 2}\t4000\n"
            self.lines["usage_totals"].append(f"{tenant}\tconversation\t{conversation}\t{totals}")
            if new_visitor:
                self.lines["usage_totals"].append(f"{tenant}\tvisitor\t{visitor}\t{totals}")
        return Seeded(conversation, visitor)


def _blocks(lines: Sequence[str], size: int = 5_000) -> Iterator[bytes]:
    for start in range(0, len(lines), size):
        yield "".join(lines[start : start + size]).encode()
