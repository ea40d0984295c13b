"""Markdown: a section per heading, as written, but for tables, whose rows get the names of their columns."""

import re
from collections.abc import Sequence

from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.encoding import decoded
from chatconnect.adapters.parsers.reading import OnRead, Reading, unread
from chatconnect.adapters.parsers.sections import Outline, SectionWriter, cleaned
from chatconnect.domain.chunking import ParsedDocument

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)$")
_HASH_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+([^ \t].*)")
_COMMENT = re.compile(r" {0,3}<!--")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_TABLE_RULE = re.compile(r" {0,3}\|?(?:[ \t]*:?-+:?[ \t]*\|)+(?:[ \t]*:?-+:?)?[ \t]*$")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
# What stands between such lines at the very top is about the file; of it only the title is text.
_FRONT_MATTER = {"---": ("---", "..."), "+++": ("+++",)}
_MAX_FRONT_MATTER = 200
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_MARKED = re.compile(r"(?<![\w\\])(\*{1,3}|_{1,3}|`{1,2}|~~)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_ANCHOR = re.compile(r"[ \t]*\{#[\w-]+\}$")
_LONGEST_TITLE = 400
_MOST_MARKS = 3  # one inside the other
_TITLE = re.compile(r"title\s*[:=]\s*[\"']?(.*?)[\"']?\s*$", re.IGNORECASE)


def parse_markdown(data: bytes, on_read: OnRead = unread) -> ParsedDocument:
    """Return the document's sections. Raises DocumentRejected when it is blank or too long."""
    writer = SectionWriter()
    lines = cleaned(decoded(data)).split("\n")
    _Reader(Outline(writer), Reading(on_read, len(lines))).read(lines)
    return writer.document(Kind.MARKDOWN)


class _Reader:
    """Collects lines until a heading or a table ends them."""

    def __init__(self, outline: Outline, reading: Reading) -> None:
        self._outline, self._reading = outline, reading
        self._body: list[str] = []
        self._has_comments = True
        self._fence = ""  # the mark that the open block of code began with

    def read(self, lines: Sequence[str]) -> None:
        """Read the whole document."""
        index = self._front_matter(lines)
        while index < len(lines):
            index = self._take(lines, index)
        self._end_body()
        self._outline.close()

    def _front_matter(self, lines: Sequence[str]) -> int:
        """Return where the text begins."""
        ends = _FRONT_MATTER.get(lines[0].rstrip())
        end = (
            next((index for index in range(1, min(len(lines), _MAX_FRONT_MATTER)) if lines[index].rstrip() in ends), 0)
            if ends
            else 0
        )
        for line in lines[1:end]:
            if title := _TITLE.match(line):
                self._outline.heading(1, title[1])
        return end + 1 if end else 0

    def _take(self, lines: Sequence[str], index: int) -> int:
        """Take the line, or the table that begins with it, and return the next one's index."""
        line = lines[index]
        self._reading.reached(index)
        if self._fence or _FENCE.match(line):
            self._take_code(line)
        elif (end := self._comment_end(lines, index)) is not None:
            return end
        elif heading := _HASH_HEADING.match(line):
            self._end_body()
            self._outline.heading(len(heading[1]), line.strip(), title=_without_marks(_without_hashes(heading[2])))
        elif index + 1 < len(lines) and _begins_table(line, lines[index + 1]):
            return self._take_table(lines, index)
        elif self._has_title() and _UNDERLINE.match(line):
            title = self._body.pop()
            self._end_body()
            self._outline.heading(1 if "=" in line else 2, title.strip(), title=_without_marks(title))
        else:
            self._body.append(line)
        return index + 1

    def _comment_end(self, lines: Sequence[str], index: int) -> int | None:
        """Return the line behind a comment that begins here, which nobody sees; None where none does."""
        if not self._has_comments or not _COMMENT.match(lines[index]):
            return None
        end = next((number for number in range(index, len(lines)) if "-->" in lines[number]), None)
        self._has_comments = end is not None  # else there is no end to any that follows, either
        return None if end is None else end + 1

    def _take_code(self, line: str) -> None:
        mark = _FENCE.match(line)
        if not self._fence and mark and not (mark[1][0] == "`" and "`" in mark[2]):
            self._fence = mark[1]
        elif mark and mark[1].startswith(self._fence) and not mark[2].strip():
            self._fence = ""
        self._body.append(line)

    def _take_table(self, lines: Sequence[str], index: int) -> int:
        self._end_body()
        rows = [_cells(lines[index])]
        index += 2
        while index < len(lines) and "|" in lines[index] and not _HASH_HEADING.match(lines[index]):
            rows.append(_cells(lines[index]))
            index += 1
            self._reading.reached(index)
        self._outline.table(rows, header=True)
        return index

    def _has_title(self) -> bool:
        """Say whether the last line stands alone, so that a line of dashes under it makes it a heading."""
        body = self._body
        return bool(body and body[-1].strip()) and (len(body) == 1 or not body[-2].strip())

    def _end_body(self) -> None:
        self._outline.paragraph("\n".join(self._body).strip("\n"))
        self._body.clear()


def _without_hashes(title: str) -> str:
    """Return a heading's text without the hashes that may close it."""
    title = title.rstrip()
    open_title = title.rstrip("#")
    return open_title.rstrip() if open_title != title and open_title[-1:] in (" ", "\t") else title


def _without_marks(title: str) -> str:
    """Return a heading's text without links, emphasis, code marks and the name of its anchor."""
    title = _LINK.sub(r"\1", _ANCHOR.sub("", " ".join(title.split())[:_LONGEST_TITLE]))
    for _ in range(_MOST_MARKS):
        title, found = _MARKED.subn(r"\2", title)
        if not found:
            break
    return title


def _begins_table(line: str, following: str) -> bool:
    rule = "|" in line and _TABLE_RULE.match(following)
    return bool(rule) and len(_cells(line)) == len(_cells(following))


def _cells(line: str) -> list[str]:
    line = line.strip().removeprefix("|")
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return [" ".join(cell.replace("\\|", "|").split()) for cell in _CELL_BORDER.split(line)]
