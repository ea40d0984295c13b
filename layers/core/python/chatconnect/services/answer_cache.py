"""Giving an answer again to whom asks the same (B8), where an assistant allows it."""

from collections.abc import Callable, Sequence

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.conversation import Turn
from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.given_answer import GivenAnswer, given_answer, normalised
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.answer_cache import AnswerCacheOf, Asked
from chatconnect.ports.epochs import Epoch
from chatconnect.ports.knowledge import DocumentsOf
from chatconnect.services.placement import Place

OnLookup = Callable[[str, bool], None]


def asked(place: Place, question: str, controls: Sequence[str], epoch: Epoch | None) -> Asked | None:
    """Return what an answer is kept under; None when the place wants an answer of its own.

    That is: the assistant does not allow it, something was said before, or another answer to a question is wanted. None
    too without an epoch, and for knowledge elsewhere: nobody knows then what has changed.
    """
    assistant = place.assistant
    if epoch is None or not assistant.config.answer_cache or place.history or place.asked is not None:
        return None
    if assistant.config.retrieval.knowledge_source is not None:
        return None
    return Asked(
        assistant.id, assistant.version, epoch.configuration, epoch.knowledge, tuple(controls), normalised(question)
    )


class AnswerCacheService:
    """Finds answers that were given, and keeps those that may be given again.

    A change that Redis did not hear of leaves its epoch as it was. So an answer is given again only while all the
    passages that it was made from stand; new ones may be missing from it for an hour then. `on_lookup` hears "answer",
    and whether there was one.
    """

    def __init__(self, *, answers_of: AnswerCacheOf, documents_of: DocumentsOf, on_lookup: OnLookup) -> None:
        self._answers_of, self._documents_of, self._on_lookup = answers_of, documents_of, on_lookup

    async def find(self, tenant_id: TenantId, asked: Asked | None) -> GivenAnswer | None:
        """Return the answer that was given to the same question. Raises nothing; asks nobody without a question."""
        if asked is None:
            return None
        found = await self._answers_of(tenant_id).find(asked)
        if found is not None and not await self._stands(tenant_id, found):
            found = None
        self._on_lookup("answer", found is not None)
        return found

    async def keep(self, asked: Asked | None, turn: Turn, assistant: Assistant, *, called_tools: bool) -> None:
        """Keep the answer of an ended turn where it may be given again."""
        if asked is None:
            return
        answer = given_answer(turn, assistant.config, called_tools=called_tools)
        if answer is not None:
            await self._answers_of(turn.conversation.tenant_id).keep(asked, answer)

    async def _stands(self, tenant_id: TenantId, answer: GivenAnswer) -> bool:
        """Whether nothing that the answer was made from was replaced or deleted."""
        if not answer.versions:
            return True
        try:
            return answer.versions <= await self._documents_of(tenant_id).active_among(answer.versions)
        except ChatConnectError:
            return False
