"""HTML: the visible text in reading order, a section per heading."""

import re
from html.parser import HTMLParser

from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.encoding import decoded
from chatconnect.adapters.parsers.reading import OnRead, Reading, unread
from chatconnect.adapters.parsers.sections import Outline, SectionWriter
from chatconnect.adapters.parsers.tables import Grid, joined_names, row_line
from chatconnect.domain.chunking import ParsedDocument

_UNSEEN = frozenset({
    "head", "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "embed", "canvas",
    "audio", "video", "select", "datalist", "dialog", "nav", "rt", "rp",
})  # fmt: skip
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr",
})  # fmt: skip
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li", "main",
    "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
# A start tag closes these when they are still open: their end tags may be left out.
_CLOSES = {
    "li": frozenset({"li"}),
    "dt": frozenset({"dt", "dd"}),
    "dd": frozenset({"dt", "dd"}),
    "tr": frozenset({"tr", "td", "th"}),
    "td": frozenset({"td", "th"}),
    "th": frozenset({"td", "th"}),
    "rb": frozenset({"rt", "rp"}),
    "rt": frozenset({"rt", "rp"}),
    "rp": frozenset({"rt", "rp"}),
}
# But not beyond these, nor farther out than so many elements.
_HOLDERS = frozenset({"ul", "ol", "dl", "table"})
_NEAR = 4
_MAX_DEPTH = 2_000
_CHARSET = re.compile(
    rb"(?:<meta[^>]{0,200}charset|<\?xml[^>]{0,200}encoding)\s*=\s*[\"']?([A-Za-z0-9_:-]{2,40})", re.IGNORECASE
)
# Ends what was left open, and is not seen where nothing was: else the parser seeks the end of each from its start.
_END = "<template><template>]]><template>-->"
_MAX_SPAN = 1_000
_MAX_INDENT = 9


def parse_html(data: bytes, on_read: OnRead = unread) -> ParsedDocument:
    """Return what a reader of the page sees. Raises DocumentRejected when that is nothing or too much."""
    writer = SectionWriter()
    declared = _CHARSET.search(data[:4096])
    text = decoded(data, declared[1].decode("ascii") if declared else "")
    reader = _Reader(Outline(writer), Reading(on_read, len(text)))
    reader.feed(text + _END)
    reader.close()
    reader.finish()
    return writer.document(Kind.HTML)


class _Table:
    """A table while it is read; one that holds headings or other tables only arranges the page, and is dissolved."""

    def __init__(self) -> None:
        self.grid = Grid()
        self.is_layout = self.in_cell = False
        self.headers: list[bool] = []  # by row, whether its cells are header cells
        self.begins = True  # as long as all rows are such
        self.spans = (1, 1)


class _Reader(HTMLParser):
    """Keeps the open elements and collects text until a block or a cell ends."""

    def __init__(self, outline: Outline, reading: Reading) -> None:
        super().__init__(convert_charrefs=True)
        self._outline, self._reading = outline, reading
        self._open: list[str] = []
        self._unseen_from: int | None = None  # depth of the outermost hidden element
        self._preformatted = 0
        self._text: list[str] = []
        self._separator = "\n\n"
        self._tables: list[_Table] = []
        self._lists: list[int | None] = []  # the last number of each open list, None for bullets
        self._marker = ""

    def updatepos(self, i: int, j: int) -> int:
        """Take the next place in the text, of which the base class counts the lines, that nobody asks for."""
        if i < j:
            self._reading.reached(j)
        return j

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._imply_ends(tag)
        if tag == "table" or tag in _HEADINGS:
            self._dissolve()
        if tag in _BLOCKS or tag in _HEADINGS:
            self._end_block()
        if tag in _VOID:
            if tag == "br":
                self._add("\n")
            return
        if len(self._open) >= _MAX_DEPTH:
            return
        attributes = dict(attrs)
        self._open.append(tag)
        if self._unseen_from is None and (tag in _UNSEEN or _is_hidden(attributes)):
            self._unseen_from = len(self._open)
        self._preformatted += tag == "pre"
        self._start_structure(tag, attributes)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID or tag in _BLOCKS:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        if tag in _HEADINGS:
            self._end_block(_HEADINGS[tag])
        elif tag in _BLOCKS:
            self._end_block()
        self._close_until(tag)

    def handle_data(self, data: str) -> None:
        self._add(data if self._preformatted else _single_spaced(data))

    def finish(self) -> None:
        """Write what is left when the page ends."""
        self._end_block()
        while self._open:
            self._close_until(self._open[-1])
        self._outline.close()

    def _imply_ends(self, tag: str) -> None:
        if tag in _BLOCKS and self._open and self._open[-1] == "p":
            self._close_until("p")
        closed = _CLOSES.get(tag, frozenset())
        for inner in self._open[: -_NEAR - 1 : -1]:
            if inner in _HOLDERS:
                return
            if inner in closed:
                self._close_until(inner)

    def _close_until(self, tag: str) -> None:
        while self._open:
            closed = self._open.pop()
            self._preformatted = max(0, self._preformatted - (closed == "pre"))
            if closed in ("ul", "ol"):
                self._lists.pop()
            elif closed == "li":
                self._end_block()
                self._marker = ""
            elif closed in ("td", "th") and self._tables:
                self._end_cell(self._tables[-1])
            elif closed == "table":
                self._end_table(self._tables.pop())
            if self._unseen_from is not None and len(self._open) < self._unseen_from:
                self._unseen_from = None
            if closed == tag:
                return

    def _start_structure(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag in ("ul", "ol"):
            self._lists.append(None if tag == "ul" else _number(attributes.get("start"), 1) - 1)
        elif tag == "li":
            self._start_item()
        elif tag == "table":
            self._tables.append(_Table())
        elif tag in ("tr", "td", "th") and self._tables:
            self._start_in_table(self._tables[-1], tag, attributes)

    def _start_item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if number is not None:
            number = self._lists[-1] = number + 1
        indent = "  " * min(_MAX_INDENT, max(0, len(self._lists) - 1))
        if not self._in_cell():
            self._marker = f"{indent}- " if number is None else f"{indent}{number}. "
            self._separator = "\n"

    def _start_in_table(self, table: _Table, tag: str, attributes: dict[str, str | None]) -> None:
        if table.is_layout:
            self._end_block()
        elif tag == "tr":
            table.grid.start_row()
            table.headers.append(True)
        else:
            self._end_block()  # what stands between cells
            table.in_cell = True
            if not table.headers:
                table.headers.append(True)
            if tag == "td" and "thead" not in self._open[-3:]:
                table.headers[-1] = table.begins = False
            columns, rows = (_number(attributes.get(name), 1) for name in ("colspan", "rowspan"))
            table.spans = (columns, rows)

    def _end_cell(self, table: _Table) -> None:
        if not table.in_cell:
            self._end_block()
            return
        columns, rows = table.spans
        text = " ".join("".join(self._text).split())
        table.grid.add(text, columns=columns, rows=rows, repeated=table.begins)
        self._text.clear()
        table.in_cell = False

    def _end_table(self, table: _Table) -> None:
        rows = [row for row in table.grid.rows if any(row)]
        if table.is_layout or not rows:
            return
        headers = [is_header for row, is_header in zip(table.grid.rows, table.headers, strict=False) if any(row)]
        while len(rows) > 1 and headers[0] and len(rows[0]) > 1 and len(set(rows[0])) == 1:  # a title across the table
            self._outline.paragraph(rows.pop(0)[0])
            headers.pop(0)
        named = headers.index(False) if False in headers else min(1, len(rows))
        if max(map(len, rows)) > 1:
            self._outline.table(
                [joined_names(rows[:named]), *rows[named:]] if named else rows, header=bool(named) or None
            )
        else:
            self._write_rows(rows)

    def _dissolve(self) -> None:
        """Go on as if the table that the text stands in were none."""
        if not self._in_cell():
            return
        table = self._tables[-1]
        table.is_layout, table.in_cell = True, False
        text, self._text = self._text, []
        self._write_rows(table.grid.rows)
        self._text = text
        self._end_block()

    def _write_rows(self, rows: list[list[str]]) -> None:
        for row in rows:
            self._outline.paragraph(row_line((), row))

    def _begun_heading(self) -> int | None:
        """Return the level of an open heading whose text a block ends; what follows in it is text."""
        for index in range(len(self._open) - 1, max(-1, len(self._open) - _NEAR - 1), -1):
            if level := _HEADINGS.get(self._open[index]):
                self._open[index] = "div"
                return level
        return None

    def _in_cell(self) -> bool:
        """Say whether what comes now is a part of a table's cell, which stays on its row's line."""
        return bool(self._tables) and self._tables[-1].in_cell

    def _add(self, text: str) -> None:
        if self._unseen_from is None:
            self._text.append(text)

    def _end_block(self, heading: int | None = None) -> None:
        if self._in_cell():
            self._add(" ")
            return
        text = "".join(self._text)
        if not self._preformatted:
            text = "\n".join(line.strip() for line in text.replace("  ", " ").split("\n"))
        self._text.clear()
        if not text.strip(" \n"):
            return
        if level := heading or self._begun_heading():
            self._outline.heading(level, text.strip())
        else:
            self._outline.paragraph(self._marker + text.strip("\n"), separator=self._separator)
        self._separator, self._marker = "\n\n", ""


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role") == "navigation"
        or "display:none" in style
        or "visibility:hidden" in style
    )


def _number(text: str | None, default: int) -> int:
    """Return the attribute's number from 1 to `_MAX_SPAN`."""
    digits = (text or "").strip()[:6]
    return max(1, min(_MAX_SPAN, int(digits))) if digits.isascii() and digits.isdigit() else default


def _single_spaced(text: str) -> str:
    """Reduce white space as a browser does, keeping one blank at either end."""
    words = " ".join(text.split())
    if not words:
        return " " if text else ""
    return (" " if text[0].isspace() else "") + words + (" " if text[-1].isspace() else "")
