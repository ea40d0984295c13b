"""Checks the markers of an answer while it streams: each stands for a passage or is dropped."""

import re
from collections.abc import Iterator, Sequence

from chatconnect.domain.conversation import Citation, Message
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.terms import telling, terms

# A marker has at most 40 characters, so that what may become one is not held back for long; the spaces before it go
# with it when it is dropped.
_MARKER = re.compile(r"\[(?=[\d,\s]{1,40}\])(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_CODE = r"(?<!`)(?P<ticks>`{1,2})(?!`)[^`\n]{1,300}(?P=ticks)(?!`)"
_CODE_BEGUN = r"(?<!`)(?:`{1,2}(?!`)[^`\n]{0,300}`{0,2}|`+)"
_TOKEN = re.compile(rf"{_MARKER.pattern}|{_CODE}|\n")
_BEGINNING = re.compile(rf"(?:(?<! )(?: +| *\[[\d,\s]{{0,40}})|{_CODE_BEGUN})\Z")
_SPECIAL = re.compile(r"[\[`\n]| \Z")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})[^`]*")
_FENCE_LINE = 120  # characters of a line that are looked at: it begins or ends a block of code, or is neither
_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？]*\s*")
_MAX_QUOTE = 300
_NEARBY = 300


class CitationStream:
    """Takes the model's text piece by piece and gives it back with markers numbered 1, 2, 3 in order of appearance.

    Only text that may turn out to be a marker, or code, is held back. In code `[1]` is no marker, and stays as it is.
    `passages` may grow meanwhile, at its end.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._markers: dict[int, int] = {}  # passage number -> marker
        self._held = ""
        self._written = ""
        self._line = ""  # the beginning of the line that we are in
        self._fence = ""  # the marks that began the block of code that we are in
        self.citations: list[Citation] = []

    def feed(self, text: str) -> Iterator[str | Citation]:
        """Yield the text that is certain, and each citation just before the text with its first marker."""
        if not (self._held or _SPECIAL.search(text)):  # as most pieces are
            yield from self._resolve(text, ())
            return
        text = self._held + text
        tokens = list(_TOKEN.finditer(text))
        code = next((token for token in reversed(tokens) if token["ticks"]), None)
        if code and code.end() == len(text):
            unsure: re.Match[str] | None = code  # a further tick would make it something else
        else:
            unsure = _BEGINNING.search(text, code.end() if code else 0)
        certain = unsure.start() if unsure else len(text)
        self._held = text[certain:]
        yield from self._resolve(text[:certain], [token for token in tokens if token.end() <= certain])
        if self._fence:
            yield from self.end()

    def end(self) -> Iterator[str | Citation]:
        """Yield what was held back: no marker came of it."""
        held, self._held = self._held, ""
        yield from self._resolve(held, list(_TOKEN.finditer(held)))

    def _resolve(self, text: str, tokens: Sequence[re.Match[str]]) -> Iterator[str | Citation]:
        position = line = 0
        for match in tokens:
            if match[0] == "\n":
                self._end_line(text[line : match.start()])
                line = match.end()
                continue
            if self._fence or match["ticks"]:
                continue
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
        self._line = (self._line + text[line:])[:_FENCE_LINE]
        self._written = (self._written + text[position:])[-_NEARBY:]
        yield from _unless_empty(text[position:])

    def _end_line(self, rest: str) -> None:
        """See whether the line that is complete now begins a block of code, or ends the one that we are in."""
        line, self._line = (self._line + rest)[:_FENCE_LINE], ""
        if self._fence:
            marks = line.strip()
            if marks.startswith(self._fence) and not marks.strip(self._fence[0]):
                self._fence = ""
        elif found := _FENCE.fullmatch(line):
            self._fence = found[1]

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
    stream = CitationStream(())
    return "".join(str(piece) for piece in (*stream.feed(text), *stream.end()))


def remembered(message: Message) -> str:
    """Return a message as it is repeated to a model: without markers, of which one that cites nothing has none.

    One that is nothing but markers keeps them: providers refuse a message without a word.
    """
    bare = without_markers(message.text) if message.citations else ""
    return bare if bare.strip() else message.text


def quote_span(text: str, claim: str) -> tuple[int, int]:
    """Return where in `text` the sentences stand that share most words with `claim`, at most 300 characters of them.

    Its last sentence counts first, and what comes before it where that leaves the choice.
    """
    statement, before = _words(claim[_last_sentence(claim) :]), _words(claim)
    spans = [match.span() for match in _SENTENCE.finditer(text)] or [(0, len(text))]
    words = [frozenset(terms(text[a:b])) for a, b in spans]
    best = max(range(len(spans)), key=lambda at: (len(statement & words[at]), len(before & words[at])))
    begin, end = spans[best]
    for a, b in spans[best + 1 :]:
        if b - begin > _MAX_QUOTE or a != end:
            break
        end = b
    quote = text[begin : min(end, begin + _MAX_QUOTE)]
    begin += len(quote) - len(quote.lstrip())
    return begin, begin + len(quote.strip())


def _words(text: str) -> frozenset[str]:
    found = frozenset(terms(text))
    return telling(found) or found


def _last_sentence(text: str) -> int:
    """Return where the last sentence begins."""
    start = 0
    for match in _SENTENCE.finditer(text):
        start = match.start()
    return start


def _unless_empty(text: str) -> Iterator[str]:
    if text:
        yield text
