"""HTML: the visible text in reading order, a section per heading."""

import re
from html.parser import HTMLParser

from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.sections import Outline, SectionWriter
from chatconnect.adapters.parsers.text import decoded
from chatconnect.domain.chunking import ParsedDocument

_UNSEEN = frozenset({
    "head", "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "embed", "canvas",
    "audio", "video", "select", "datalist", "dialog",
})  # fmt: skip
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li", "main", "nav",
    "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
# A start tag closes these when they are still open: their end tags may be left out.
_CLOSES = {
    "li": {"li"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
    "tr": {"tr", "td", "th"},
    "td": {"td", "th"},
    "th": {"td", "th"},
}
_MAX_DEPTH = 2_000
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_-]{2,40})", re.IGNORECASE)


def parse_html(data: bytes) -> ParsedDocument:
    """Return what a reader of the page sees. Raises DocumentRejected when that is nothing or too much."""
    writer = SectionWriter()
    reader = _Reader(Outline(writer))
    declared = _CHARSET.search(data[:4096])
    reader.feed(decoded(data, declared[1].decode("ascii") if declared else ""))
    reader.close()
    reader.finish()
    return writer.document(Kind.HTML)


class _Reader(HTMLParser):
    """Keeps the open elements and collects text until a block ends."""

    def __init__(self, outline: Outline) -> None:
        super().__init__(convert_charrefs=True)
        self._outline = outline
        self._open: list[str] = []
        self._unseen_from: int | None = None  # depth of the outermost hidden element
        self._preformatted = 0
        self._text: list[str] = []
        self._separator = "\n\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._imply_ends(tag)
        if tag in ("p", "div") and self._in_cell():
            self._add(" ")
        elif tag in _BLOCKS or tag in _HEADINGS:
            self._end_block()
        if tag in _VOID:
            if tag == "br":
                self._add("\n")
            return
        if len(self._open) < _MAX_DEPTH:
            self._open.append(tag)
            if self._unseen_from is None and (tag in _UNSEEN or _is_hidden(dict(attrs))):
                self._unseen_from = len(self._open)
        self._preformatted += tag == "pre"
        if tag == "li":
            self._separator = "\n"
            self._add("- ")
        elif tag == "tr":
            self._separator = "\n"
        elif tag in ("td", "th") and "".join(self._text).strip():
            self._add(" | ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID or tag in _BLOCKS:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        if tag in _HEADINGS:
            self._end_block(_HEADINGS[tag])
        elif tag in _BLOCKS and not (tag in ("p", "div") and self._in_cell()):
            self._end_block()
        self._close_until(tag)

    def handle_data(self, data: str) -> None:
        self._add(data if self._preformatted else _single_spaced(data))

    def finish(self) -> None:
        """Write what is left when the page ends."""
        self._end_block()
        self._outline.close()

    def _imply_ends(self, tag: str) -> None:
        if tag in _BLOCKS and self._open and self._open[-1] == "p":
            self._close_until("p")
        for inner in _CLOSES.get(tag, ()):
            nearest = self._open[-4:]
            if inner in nearest and not {"ul", "ol", "dl", "table"} & set(nearest[nearest.index(inner) :]):
                self._close_until(inner)

    def _close_until(self, tag: str) -> None:
        while self._open:
            closed = self._open.pop()
            self._preformatted = max(0, self._preformatted - (closed == "pre"))
            if self._unseen_from is not None and len(self._open) < self._unseen_from:
                self._unseen_from = None
            if closed == tag:
                return

    def _in_cell(self) -> bool:
        """Say whether a paragraph here is a part of a table's cell, which stays on its row's line."""
        return not {"td", "th"}.isdisjoint(self._open[-3:])

    def _add(self, text: str) -> None:
        if self._unseen_from is None:
            self._text.append(text)

    def _end_block(self, heading: int | None = None) -> None:
        text = "".join(self._text)
        if not self._preformatted:
            text = "\n".join(line.strip() for line in text.replace("  ", " ").split("\n"))
        self._text.clear()
        if not text.strip(" \n-|"):
            return
        if heading:
            self._outline.heading(heading, text.strip())
        else:
            self._outline.paragraph(text.strip("\n"), separator=self._separator)
        self._separator = "\n\n"


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or "display:none" in style
        or "visibility:hidden" in style
    )


def _single_spaced(text: str) -> str:
    """Reduce white space as a browser does, keeping one blank at either end."""
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    return (" " if text[0].isspace() else "") + words + (" " if text[-1].isspace() else "")
