"""A model that is none: it quotes the passages that fit the question best, word for word."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from math import log, sqrt

from chatconnect.adapters.token_estimate import estimated_prompt_tokens, estimated_tokens
from chatconnect.domain.citations import without_markers
from chatconnect.domain.knowledge import Passage
from chatconnect.ports.models import Delta, Finished, GenerationOptions, Prompt, TextDelta

LABEL = "No language model is connected, so here is what the documents say:"
NO_PASSAGES = "No language model is connected, and the documents do not hold an answer to this."
MAX_QUOTES = 3
MAX_QUOTE_CHARACTERS = 400
WORTH_QUOTING = 0.5  # of the best sentence's score

# After . ! ? with whitespace, after the full stops of Chinese and Japanese, and at line ends.
BOUNDARY = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])|\s*\n\s*")
WORD = re.compile(r"\w+")
FIELD = re.compile(r"[^\n:;.]{1,60}: ")
# Scripts written without spaces between words: Thai, kana, Han, Hangul (whose particles cling to the words).
UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]+")
STEM = 6
PIECE = re.compile(r"\S{1,24}\s*|\s+")


class OfflineChat:
    """Answers by quoting one to three sentences, each followed by its passage's marker: `[1]` is the first passage.

    Asked for JSON it gives {"answer": the same without markers}, whatever the schema.
    """

    def __init__(self, label: str = LABEL, no_passages: str = NO_PASSAGES) -> None:
        self._label, self._no_passages = label, no_passages

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        """Yield the label and the quotes, then one Finished whose token counts are estimates. Raises nothing."""
        text = self._answer(prompt, options.max_tokens)
        if options.response_format.is_json:
            text = json.dumps({"answer": without_markers(text)}, ensure_ascii=False)
        for piece in PIECE.findall(text):
            yield TextDelta(piece)
            await asyncio.sleep(0)  # others get their turn, and a cancellation its moment
        yield Finished("stop", estimated_prompt_tokens(prompt), estimated_tokens(text))

    def _answer(self, prompt: Prompt, max_tokens: int) -> str:
        if not prompt.passages:
            return prompt.refusal or self._no_passages
        question = next((message.text for message in reversed(prompt.messages) if message.role == "user"), "")
        text = self._label
        for count, sentence in enumerate(best_sentences(question, prompt.passages)):
            longer = f"{text}\n\n“{sentence.text}” [{sentence.marker}]"
            if count and estimated_tokens(longer) > max_tokens:
                break
            text = longer
        return text


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of a passage, exactly as it stands there; `marker` is the passage's number."""

    marker: int
    text: str


def best_sentences(question: str, passages: Sequence[Passage]) -> list[Sentence]:
    """Return at least one and at most MAX_QUOTES sentences, best first.

    A term weighs more the fewer sentences hold it. Where no sentence shares a term with the question, the search
    knew better than the words do: its best passage speaks, by its first full sentence.
    """
    sentences = list(_distinct_sentences(passages))
    if not sentences:
        return []
    terms_of = [frozenset(_terms(sentence.text)) for sentence in sentences]
    spread = Counter(term for terms in terms_of for term in terms)
    asked = frozenset(_terms(question))

    def score(terms: frozenset[str]) -> float:
        shared = sum(_weight(term) * log(1 + len(sentences) / spread[term]) for term in asked & terms)
        return shared / sqrt(8 + len(terms))  # a long sentence holds more words by chance

    scored = [(score(terms), sentence) for terms, sentence in zip(terms_of, sentences, strict=True)]
    scored.sort(key=lambda pair: pair[0], reverse=True)  # stable: the search's order decides between equals
    best = scored[0][0]
    if best == 0:
        return [next((sentence for sentence in sentences if len(_terms(sentence.text)) > 3), sentences[0])]
    return [sentence for value, sentence in scored[:MAX_QUOTES] if value >= WORTH_QUOTING * best]


def _weight(term: str) -> float:
    """Short words say little in most languages (on, de, und); a pair from an unspaced script counts in full."""
    return 1.0 if UNSPACED.match(term) or not term.isalpha() else min(1.0, len(term) / STEM)


def _distinct_sentences(passages: Sequence[Passage]) -> Iterator[Sentence]:
    seen: set[str] = set()
    for marker, passage in enumerate(passages, start=1):
        for text in _sentences(passage.chunk.text):
            if text not in seen:
                seen.add(text)
                yield Sentence(marker, text)


def _sentences(text: str) -> Iterator[str]:
    """Cut where a sentence or a line ends, unless the next word is lower case: an abbreviation or a wrapped line.

    A line that begins with a field's name ("price: 749") is a row of a table and stands for itself.
    """
    start = 0
    for boundary in BOUNDARY.finditer(text):
        row = "\n" in boundary.group() and FIELD.match(text, boundary.end())
        if text[boundary.end() : boundary.end() + 1].islower() and not row:
            continue
        if sentence := text[start : boundary.end()].strip():
            yield _shortened(sentence)
        start = boundary.end()
    if sentence := text[start:].strip():
        yield _shortened(sentence)


def _shortened(sentence: str) -> str:
    if len(sentence) <= MAX_QUOTE_CHARACTERS:
        return sentence
    cut = sentence[:MAX_QUOTE_CHARACTERS]
    return cut.rsplit(None, 1)[0] if " " in cut else cut


def _terms(text: str) -> list[str]:
    """Return what two texts can share: the beginnings of words, and pairs of characters where words have no spaces."""
    folded = text.casefold()
    terms = [word[:STEM] if word.isalpha() else word for word in WORD.findall(UNSPACED.sub(" ", folded))]
    for run in UNSPACED.findall(folded):
        terms += [run[i : i + 2] for i in range(max(1, len(run) - 1))]
    return terms
