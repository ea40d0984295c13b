"""What the elements of WordprocessingML mean for the text."""

import re
from collections.abc import Sized
from dataclasses import dataclass, field

from chatconnect.adapters.parsers.docx_styles import OFF, Attributes, ListPlace, Lists, Notes, Styles, whole_number
from chatconnect.adapters.parsers.sections import Outline
from chatconnect.adapters.parsers.tables import MAX_COLUMNS, row_line
from chatconnect.domain.errors import DocumentRejected

# Tables inside cells, and text boxes inside paragraphs: nobody nests so many by hand.
MAX_DEPTH = 100

# Text inside these is not shown: moved or deleted text, field codes, and the second version of a drawing; or it stands
# above other text and says how that is read.
_UNSEEN = frozenset({"w:moveFrom", "w:del", "w:instrText", "mc:Fallback", "w:rt"})
_TEXTS, _RUNS = frozenset({"w:t", "m:t"}), frozenset({"w:r", "m:r"})  # of words and of formulas
_CHARACTERS = {"w:tab": "\t", "w:br": "\n", "w:cr": "\n", "w:noBreakHyphen": "-"}
_NOTE_MARKS = frozenset({"w:footnoteReference", "w:endnoteReference", "w:footnoteRef", "w:endnoteRef"})
_NO_LIST = "0"
_AFTER_MARK = re.compile(r"^(\[\w+\])[ \t]+")  # Word sets one of its own behind a note's number


class _Paragraph:
    """One paragraph while it is read; a text box puts another one inside."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.level: int | None = None
        self.place: ListPlace | None = None
        self.depth = 0


@dataclass
class _Table:
    """One table while it is read; a cell may hold another one."""

    rows: list[list[list[str]]] = field(default_factory=list)  # rows of cells of paragraphs
    has_header: bool | None = None
    merged: bool = False  # the open cell is the lower part of the one above
    span: int = 1  # how many columns the open cell takes


class BodyReader:
    """Handlers for the XML events of a document part; writes headings, paragraphs, list items and tables."""

    def __init__(self, outline: Outline, styles: Styles, lists: Lists, notes: Notes) -> None:
        self._outline, self._styles, self._lists, self._notes = outline, styles, lists, notes
        self._paragraphs: list[_Paragraph] = []
        self._tables: list[_Table] = []
        self._unseen = 0
        self._in_text = self._run_is_hidden = False
        self._after_item = False  # the block before was a list item

    def start(self, tag: str, attributes: Attributes) -> None:
        """Take a start tag."""
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "w:p":
            self._check_depth(self._paragraphs)
            self._paragraphs.append(_Paragraph())
        elif tag in _TEXTS:
            self._in_text = True
        elif tag in _RUNS:
            self._run_is_hidden = False
        elif tag == "w:vanish":
            self._run_is_hidden = attributes.get("w:val") not in OFF
        elif tag == "w:tbl":
            self._check_depth(self._tables)
            self._tables.append(_Table())
        elif self._paragraphs:
            self._start_in_paragraph(tag, attributes)
        elif self._tables:
            self._start_in_table(tag, attributes)
        else:
            self._notes.mark(tag, attributes)

    def end(self, tag: str) -> None:
        """Take an end tag."""
        if tag in _TEXTS:
            self._in_text = False
        elif tag == "w:p":
            self._end_paragraph(self._paragraphs.pop())
        elif tag == "w:tc" and self._tables:
            self._end_cell(self._tables[-1])
        elif tag == "w:tbl":
            self._end_table(self._tables.pop())
        elif tag in _UNSEEN:
            self._unseen -= 1

    def text(self, data: str) -> None:
        """Take character data."""
        if self._in_text and self._paragraphs:
            self._add(data)

    def _start_in_paragraph(self, tag: str, attributes: Attributes) -> None:
        paragraph = self._paragraphs[-1]
        value = attributes.get("w:val", "")
        if tag == "w:pStyle":
            paragraph.level, paragraph.place = self._styles.level(value), self._styles.lists.get(value)
        elif tag == "w:outlineLvl" and (number := whole_number(value)) is not None:
            paragraph.level = number + 2 if number < 9 else None
        elif tag == "w:ilvl" and (number := whole_number(value)) is not None:
            paragraph.depth = min(number, 8)
        elif tag == "w:numId":
            paragraph.place = ListPlace(value)
        elif tag in _NOTE_MARKS:
            self._add(self._notes.mark(tag, attributes))
        elif tag in _CHARACTERS and (paragraph.parts or tag != "w:tab"):
            self._add(_CHARACTERS[tag])

    def _start_in_table(self, tag: str, attributes: Attributes) -> None:
        table = self._tables[-1]
        if tag == "w:tr":
            table.rows.append([])
        elif not table.rows:
            return
        elif tag == "w:tc":
            table.rows[-1].append([])
            table.merged, table.span = False, 1
        elif tag == "w:tblHeader" and len(table.rows) == 1:
            table.has_header = attributes.get("w:val") not in OFF
        elif tag == "w:vMerge":
            table.merged = attributes.get("w:val") != "restart"
        elif tag == "w:gridSpan" and (span := whole_number(attributes.get("w:val", ""))) is not None:
            table.span = min(span, MAX_COLUMNS)

    @staticmethod
    def _check_depth(open_ones: Sized) -> None:
        if len(open_ones) >= MAX_DEPTH:
            raise DocumentRejected("too_complex", "The Word file is nested too deeply. Please save it as PDF.")

    def _add(self, text: str) -> None:
        if not self._unseen and not self._run_is_hidden:
            self._paragraphs[-1].parts.append(text)

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        self._run_is_hidden = False
        text = _AFTER_MARK.sub(r"\1 ", "".join(paragraph.parts).strip(), count=1)
        if not text:
            return
        place = paragraph.place
        if place and place.list_id != _NO_LIST and not paragraph.level:
            text = f"{self._lists.marker(place._replace(depth=paragraph.depth))} {text}"
        else:
            place = None
        if self._tables and self._tables[-1].rows and self._tables[-1].rows[-1]:
            self._tables[-1].rows[-1][-1].append(" ".join(text.split()))
        elif paragraph.level:
            self._outline.heading(paragraph.level, text)
            self._after_item = False
        else:
            self._block(text, is_item=place is not None)

    def _end_cell(self, table: _Table) -> None:
        """Give the lower part of a merged cell the text of the upper one, so that its row can be read alone."""
        if not table.rows or not table.rows[-1]:
            return
        row, above = table.rows[-1], table.rows[-2] if len(table.rows) > 1 else []
        if table.merged and not row[-1] and len(row) <= len(above):
            row[-1] = above[len(row) - 1]
        row.extend([] for _ in range(min(table.span, MAX_COLUMNS - len(row)) - 1))

    def _end_table(self, table: _Table) -> None:
        self._after_item = False
        rows = [[" ".join(cell) for cell in row] for row in table.rows if any(row)]
        if self._tables and self._tables[-1].rows and self._tables[-1].rows[-1]:  # a table inside a cell
            self._tables[-1].rows[-1][-1] += [row_line((), row) for row in rows]
        elif max(map(len, rows), default=0) > 1:
            self._outline.table(rows, header=table.has_header)
        else:  # a frame around text
            for block in (block for row in table.rows for cell in row for block in cell):
                self._block(block, is_item=False)

    def _block(self, text: str, *, is_item: bool) -> None:
        self._outline.paragraph(text, separator="\n" if is_item and self._after_item else "\n\n")
        self._after_item = is_item
