"""Checks the markers of an answer while it streams: each stands for a passage or is dropped."""

import re
from collections.abc import Iterator, Sequence

from chatconnect.domain.conversation import Citation, Message
from chatconnect.domain.knowledge import Passage

# A marker has at most 40 characters, so that what may become one is not held back for long; the spaces before it go
# with it when it is dropped.
_MARKER = re.compile(r"\[(?=[\d,\s]{1,40}\])(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_BEGINNING = re.compile(r"(?<! )(?: +| *\[[\d,\s]{0,40})\Z")
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*\s*")
_WORD = re.compile(r"\w+")
_MAX_QUOTE = 300
_NEARBY = 300


class CitationStream:
    """Takes the model's text piece by piece and gives it back with markers numbered 1, 2, 3 in order of appearance.

    Only text that may turn out to be a marker is held back. `passages` may grow meanwhile, at its end.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._markers: dict[int, int] = {}  # passage number -> marker
        self._held = ""
        self._written = ""
        self.citations: list[Citation] = []

    def feed(self, text: str) -> Iterator[str | Citation]:
        """Yield the text that is certain, and each citation just before the text with its first marker."""
        text = self._held + text
        unsure = _BEGINNING.search(text)
        certain = unsure.start() if unsure else len(text)
        self._held = text[certain:]
        yield from self._resolve(text[:certain])

    def end(self) -> Iterator[str | Citation]:
        """Yield what was held back: no marker came of it."""
        held, self._held = self._held, ""
        yield from self._resolve(held)

    def _resolve(self, text: str) -> Iterator[str | Citation]:
        position = 0
        for match in _MARKER.finditer(text):
            before = text[position : match.start()]
            self._written = (self._written + before)[-_NEARBY:]
            position = match.end()
            numbers = [int(number) for number in match[1].split(",")]
            known = [number for number in numbers if 1 <= number <= len(self._passages)]
            for number in known:
                if number not in self._markers:
                    yield self._cite(number)
            markers = "".join(f"[{self._markers[number]}]" for number in known)
            yield from _unless_empty(before + markers if markers else before.rstrip(" "))
        self._written = (self._written + text[position:])[-_NEARBY:]
        yield from _unless_empty(text[position:])

    def _cite(self, number: int) -> Citation:
        self._markers[number] = len(self._markers) + 1
        chunk = self._passages[number - 1].chunk
        begin, end = quote_span(chunk.text, self._written)
        citation = Citation(
            marker=self._markers[number],
            document_id=chunk.document_id,
            version_id=chunk.version_id,
            title=chunk.title,
            quote=chunk.text[begin:end],
            start=chunk.start + begin,
            end=chunk.start + end,
            page=chunk.page,
        )
        self.citations.append(citation)
        return citation


class Uncited:
    """Stands in for a CitationStream where text goes on as it is: in JSON, [1] is an array and no marker."""

    def __init__(self) -> None:
        self.citations: list[Citation] = []

    def feed(self, text: str) -> Iterator[str | Citation]:
        """Yield the text."""
        yield text

    def end(self) -> Iterator[str | Citation]:
        """Yield nothing: nothing is held back."""
        yield from ()


def without_markers(text: str) -> str:
    """Return an earlier answer's text without its markers, whose numbers mean nothing in the next prompt."""
    return re.sub(r" ?" + _MARKER.pattern, "", text)


def remembered(message: Message) -> str:
    """Return a message as it is repeated to a model: without markers, of which one that cites nothing has none."""
    return without_markers(message.text) if message.citations else message.text


def quote_span(text: str, claim: str) -> tuple[int, int]:
    """Return where in `text` the sentences stand that share most words with `claim`, at most 300 characters of them."""
    words = {word.casefold() for word in _WORD.findall(claim)}
    spans = [match.span() for match in _SENTENCE.finditer(text)] or [(0, len(text))]
    scores = [len(words & {word.casefold() for word in _WORD.findall(text[a:b])}) for a, b in spans]
    best = max(range(len(spans)), key=scores.__getitem__)
    begin, end = spans[best]
    for a, b in spans[best + 1 :]:
        if b - begin > _MAX_QUOTE or a != end:
            break
        end = b
    quote = text[begin : min(end, begin + _MAX_QUOTE)]
    begin += len(quote) - len(quote.lstrip())
    return begin, begin + len(quote.strip())


def _unless_empty(text: str) -> Iterator[str]:
    if text:
        yield text
