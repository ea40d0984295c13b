"""Answers that were given lately, in memory."""

from dataclasses import dataclass, field

from chatconnect.domain.given_answer import GivenAnswer
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.answer_cache import Asked


@dataclass
class StoredAnswers:
    """What was given by all tenants; nothing grows old. `asked` counts the look-ups."""

    kept: dict[tuple[TenantId, Asked], GivenAnswer] = field(default_factory=dict)
    asked: int = 0


class MemoryAnswerCache:
    """One tenant's answers."""

    def __init__(self, stored: StoredAnswers, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def find(self, asked: Asked) -> GivenAnswer | None:
        self._stored.asked += 1
        return self._stored.kept.get((self._tenant_id, asked))

    async def keep(self, asked: Asked, answer: GivenAnswer) -> None:
        self._stored.kept[self._tenant_id, asked] = answer
