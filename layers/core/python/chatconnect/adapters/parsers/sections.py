"""Builds a parsed document piece by piece, with clean text, right offsets and a limit on its length."""

import re
from collections.abc import Sequence

from chatconnect.adapters.parsers.tables import grouped, has_header, row_line
from chatconnect.domain.chunking import ParsedDocument, Section
from chatconnect.domain.errors import DocumentRejected

# Twice what a plain text file of the largest size holds: tables grow when every row repeats its header names.
MAX_CHARACTERS = 20_000_000
MAX_SECTIONS = 100_000

_SEPARATOR = "\n\n"
_MAX_TITLE = 200
_LINE_ENDS = re.compile("[\r\x0b\x0c\x85\u2028\u2029]")
# Control characters, what only says where a word may or may not be divided, lone surrogates, byte order marks and the
# two code points that are no characters. Thai, Lao, Burmese and Khmer words may have blanks without width between them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u2060\ud800-\udfff\ufeff\ufffe\uffff]"
    "|(?<![\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff])\u200b"
)
# A blank at the end of a line, or two empty lines; that it begins with the newline makes the search quick.
_UNTIDY = re.compile(r"\n(?:(?<=[ \t]\n)|\n\n)")
_PLAIN = bytes((9, 10, *range(32, 127)))


def cleaned(text: str) -> str:
    """Return the text with line ends as newlines, without control characters or more than one empty line."""
    special = _without_plain(text)
    if _LINE_ENDS.search(special):
        text = _LINE_ENDS.sub("\n", text.replace("\r\n", "\n"))
    if "\u200b" in special or _UNWANTED.search(special):
        text = _UNWANTED.sub("", text)
    if _UNTIDY.search(text):
        text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
        while "\n\n\n" in text:
            text = text.replace("\n\n\n", "\n\n")
    return text.strip("\n \t")


def _without_plain(text: str) -> str:
    """Return the characters that are not simply visible ASCII, blanks, tabs and newlines: quickly, and often none."""
    return text.encode("utf-8", "surrogatepass").translate(None, _PLAIN).decode("utf-8", "surrogatepass")


class SectionWriter:
    """Takes sections in reading order; sections without visible text are left out."""

    def __init__(self) -> None:
        self._sections: list[Section] = []
        self._end = 0

    def add(self, text: str, *, page: int | None = None, headings: tuple[str, ...] = (), rows: bool = False) -> None:
        """Append a section, with `rows` one whose lines are a table's.

        Raises DocumentRejected (too_complex) when the whole grows too long.
        """
        text = cleaned(text)
        if not text or text.isspace():
            return
        start = self._end + len(_SEPARATOR) if self._sections else 0
        self._end = start + len(text)
        if self._end > MAX_CHARACTERS or len(self._sections) == MAX_SECTIONS:
            raise DocumentRejected(
                "too_complex", "The document holds too much text or too many headings. Please split it."
            )
        self._sections.append(Section(text, start, page, headings, rows))

    def document(self, media_type: str, pages: int | None = None) -> ParsedDocument:
        """Return what was written; raises DocumentRejected (empty) when that is nothing."""
        if not self._sections:
            raise DocumentRejected("empty", "The document holds no text.")
        text = _SEPARATOR.join(section.text for section in self._sections)
        return ParsedDocument(text, tuple(self._sections), media_type, pages)


class Outline:
    """Groups paragraphs under their headings and writes a section per heading, and per page where there are pages.

    A heading stands in the text of its section too. One that has only another heading under it opens no
    section of its own, so that no chunk is a bare title.
    """

    def __init__(self, writer: SectionWriter) -> None:
        self._writer = writer
        self._levels: list[tuple[int, str]] = []
        self._parts: list[str] = []
        self._has_body = False
        self._page: int | None = None

    def start_page(self, number: int) -> None:
        """Begin a page: what follows stands on it, still under the same headings."""
        self.close()
        self._page = number

    def heading(self, level: int, text: str, *, title: str = "") -> None:
        """Start what stands under a heading; level 1 is the highest, `title` the heading without its markup."""
        title = " ".join(cleaned(title or text).split())
        if not title:
            return
        if self._has_body:
            self.close()
        while self._levels and self._levels[-1][0] >= level:
            self._levels.pop()
        self._levels.append((level, title[:_MAX_TITLE]))
        self._append(text, "\n\n")

    def paragraph(self, text: str, *, separator: str = "\n\n") -> None:
        """Append a block; `separator` stands between it and the block before."""
        if not text or text.isspace():
            return
        self._append(text, separator)
        self._has_body = True

    def table(self, rows: Sequence[Sequence[str]], *, header: bool | None = None) -> None:
        """Write a table's rows, each with the names of its columns where the first row has them.

        `header` says whether it does, None that nobody knows. A heading without other text stands before the rows.
        """
        names: Sequence[str] = ()
        if header or (header is None and has_header(rows)):
            names, *rows = rows
        lines = [row_line(names, row) for row in rows] or [" | ".join(filter(None, names))]
        for group in grouped(lines):
            if self._has_body:
                self.close()
            self._append(group, "\n\n")
            self._close(rows=True)

    def close(self) -> None:
        """Write what is still open; call it once more at the end."""
        self._close(rows=False)

    def _close(self, *, rows: bool) -> None:
        headings = tuple(title for _, title in self._levels)
        self._writer.add("".join(self._parts), page=self._page, headings=headings, rows=rows)
        self._parts, self._has_body = [], False

    def _append(self, text: str, separator: str) -> None:
        if self._parts:
            self._parts.append(separator)
        self._parts.append(text)
