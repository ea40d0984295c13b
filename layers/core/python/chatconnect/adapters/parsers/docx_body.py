"""What the elements of WordprocessingML mean for the text."""

from chatconnect.adapters.parsers.sections import Outline

Attributes = dict[str, str]

# Text inside these is not shown: moved or deleted text, field codes, and the second version of a drawing.
_UNSEEN = frozenset({"w:moveFrom", "w:del", "w:instrText", "mc:Fallback"})
_CHARACTERS = {"w:tab": "\t", "w:br": "\n", "w:cr": "\n", "w:noBreakHyphen": "-"}
_OFF = frozenset({"0", "false", "off"})


class _Paragraph:
    """One paragraph while it is read; a text box puts another one inside."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.level: int | None = None
        self.in_list = False


class BodyReader:
    """Handlers for the XML events of a document part; writes headings, paragraphs and table rows."""

    def __init__(self, outline: Outline, heading_levels: dict[str, int]) -> None:
        self._outline = outline
        self._heading_levels = heading_levels
        self._paragraphs: list[_Paragraph] = []
        self._rows: list[list[list[str]]] = []  # per open table row: its cells, each a list of paragraphs
        self._unseen = 0
        self._in_text = self._in_run_properties = self._run_is_hidden = False
        self._after_line = False  # the block before was a list item or a row

    def start(self, tag: str, attributes: Attributes) -> None:
        """Take a start tag."""
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "w:p":
            self._paragraphs.append(_Paragraph())
        elif tag == "w:tr":
            self._rows.append([])
        elif tag == "w:tc" and self._rows:
            self._rows[-1].append([])
        elif tag == "w:t":
            self._in_text = True
        elif tag == "w:r":
            self._run_is_hidden = False
        elif tag == "w:rPr":
            self._in_run_properties = True
        elif tag == "w:vanish":
            self._run_is_hidden = attributes.get("w:val") not in _OFF
        elif self._paragraphs:
            self._start_in_paragraph(tag, attributes)

    def end(self, tag: str) -> None:
        """Take an end tag."""
        if tag == "w:t":
            self._in_text = False
        elif tag == "w:p":
            self._end_paragraph(self._paragraphs.pop())
        elif tag == "w:rPr":
            self._in_run_properties = False
        elif tag == "w:tr":
            self._end_row(self._rows.pop())
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
            paragraph.level = self._heading_levels.get(value)
        elif tag == "w:outlineLvl" and value.isdecimal():
            paragraph.level = int(value) + 1 if int(value) < 9 else None
        elif tag == "w:numId":
            paragraph.in_list = value != "0"
        elif tag in _CHARACTERS and (paragraph.parts or tag != "w:tab"):
            self._add(_CHARACTERS[tag])

    def _add(self, text: str) -> None:
        if not self._unseen and not self._run_is_hidden:
            self._paragraphs[-1].parts.append(text)

    def _end_paragraph(self, paragraph: _Paragraph) -> None:
        self._run_is_hidden = False
        text = "".join(paragraph.parts).strip()
        if not text:
            return
        if self._rows and self._rows[-1]:
            self._rows[-1][-1].append(" ".join(text.split()))
        elif paragraph.level and not self._rows:
            self._outline.heading(paragraph.level, text)
            self._after_line = False
        else:
            self._block(f"- {text}" if paragraph.in_list else text, is_line=paragraph.in_list)

    def _end_row(self, cells: list[list[str]]) -> None:
        row = " | ".join(" ".join(cell) for cell in cells)
        if not row.strip(" |"):
            return
        if self._rows and self._rows[-1]:  # a table inside a cell
            self._rows[-1][-1].append(row)
        else:
            self._block(row, is_line=True)

    def _block(self, text: str, *, is_line: bool) -> None:
        self._outline.paragraph(text, separator="\n" if is_line and self._after_line else "\n\n")
        self._after_line = is_line
