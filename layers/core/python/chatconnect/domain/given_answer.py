"""Answers that were given and may be given again, to whom asks the same."""

import unicodedata
from dataclasses import dataclass

from chatconnect.domain.assistant import AssistantConfig
from chatconnect.domain.conversation import Citation, MessageStatus, Turn
from chatconnect.domain.identifiers import VersionId


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """An answer with its citations. `versions` are those of all the passages that its model was shown."""

    text: str
    citations: tuple[Citation, ...] = ()
    versions: frozenset[VersionId] = frozenset()


def normalised(question: str) -> str:
    """Return a question as it is compared: one form of each character, no letter case, single spaces."""
    folded = unicodedata.normalize("NFKC", question).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())  # folding may leave characters in another form


def given_answer(turn: Turn, config: AssistantConfig, *, called_tools: bool) -> GivenAnswer | None:
    """Return the answer of an ended turn, or None when it is not to be given again.

    Only a whole answer of the assistant's own model is, to a question that nothing was said before: not what was
    refused, cut or filtered, not what a fallback said, and nothing that a tool had part in, which may say something
    else by now.
    """
    answer = turn.answer
    whole = answer.status is MessageStatus.COMPLETE and answer.finish_reason == "stop" and answer.text.strip()
    own = (answer.provider, answer.model) == (config.provider, config.model)
    if not whole or not own or called_tools or answer.usage.from_cache or turn.context is None or turn.context.history:
        return None
    versions = frozenset(chunk.version_id for chunk in turn.context.passages)
    return GivenAnswer(answer.text, answer.citations, versions)
