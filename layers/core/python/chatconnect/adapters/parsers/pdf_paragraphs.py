"""From the lines of a PDF to paragraphs, words that were divided whole again."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from chatconnect.adapters.parsers.pdf_lines import Line, line_distance

# Where the next line starts a block of its own.
_BULLET = re.compile(r"[•‣◦▪▫●○■□–—*·∙➢✓-]\s|\(?(\d{1,3}|[A-Za-z])[.)]\s")
_PARAGRAPH_GAP = 1.4
_MIN_JOINED, _MIN_JOINED_WIDE = 30, 14
_RAGGED = 6  # by so many characters wrapped lines differ anyway
# Scripts that are written without blanks between words.
_WIDE = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")

_HYPHENS = ("-", "‐", "\xad")
_DIVIDED_END = re.compile(r"([^\W\d_]+)[-‐\xad]$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


class Words:
    """The words of a document, which tell whether a hyphen at a line's end belongs to the word."""

    def __init__(self, pages: Sequence[Sequence[Line]]) -> None:
        self._pages = pages
        self._known: frozenset[str] | None = None

    def joined(self, left: str, right: str) -> str:
        """Return the word whose halves these are, without the hyphen unless the word has one."""
        if not right[:1].islower():
            return f"{left}-{right}"
        known = self._known = self._known or frozenset(self._words())
        whole = (left + right).casefold()
        if whole not in known and (f"{left}-{right}".casefold() in known or right.casefold() in known):
            return f"{left}-{right}"
        return left + right

    def _words(self) -> Iterator[str]:
        for page in self._pages:
            divided = False
            for line in page:
                words = _WORD.findall(line.text.casefold())
                yield from words[divided:]
                divided = line.text.endswith(_HYPHENS)


def paragraphs(lines: Sequence[Line], words: Words) -> str:
    """Return the text of lines without headings: wrapped lines joined, a blank line between paragraphs."""
    if not lines:
        return ""
    usual = line_distance(lines)
    edge = max(line.right for line in lines)
    parts = [lines[0].text]
    for line, following in pairwise(lines):
        whole = _undivided(parts[-1], following.text, words) if line.text[-1] in _HYPHENS else None
        if whole is None:
            parts += _between(line, following, usual, edge), following.text
        else:
            parts[-1] = whole
    return "".join(parts).replace("\xad", "")


def _undivided(before: str, text: str, words: Words) -> str | None:
    """Return two lines as one when a word is divided between them."""
    left, right = _DIVIDED_END.search(before), _FIRST_WORD.match(text)
    if not left or not right:
        return None
    return before[: left.start()] + words.joined(left[1], right[0]) + text[right.end() :]


def _between(line: Line, following: Line, usual: float, edge: float) -> str:
    """Return what stands between two lines: nothing or a blank when the second goes on with the first's paragraph."""
    text, next_text, size, down = line.text, following.text, line.size, line.bottom - following.bottom
    if not -0.5 * size < down < _PARAGRAPH_GAP * max(usual, size):
        return "\n\n" if down > 0 else "\n"
    if down <= 0.5 * size:
        return " "  # the same row
    left = following.left
    character, is_indented = (following.right - left) / len(next_text), left - line.left > size
    if not _is_wrapped(text, next_text, (line.column or edge) - line.right, character, is_indented):
        return "\n"
    return "" if _is_wide(text[-1]) and _is_wide(next_text[0]) else " "


def _is_wrapped(text: str, following: str, space: float, character: float, is_indented: bool) -> bool:
    """Say whether a line ended because the next word did not fit into the space behind it."""
    wide = not following.isascii() and _is_wide(following[0])
    least = 2 if wide else _RAGGED + 1
    if not (space < least * character or (not wide and space < _first_word(following) * character)):
        return False
    if len(text) < (_MIN_JOINED_WIDE if wide else _MIN_JOINED) or _is_item(following):
        return False
    if is_indented and not _is_item(text):
        return False  # the first line of a paragraph is indented
    return not text[-1].isdigit() or following[0].islower()  # after a number, more likely the rows of a table


def _first_word(text: str) -> int:
    """Return how many characters the first word takes, with a blank before it."""
    return 1 + len(text.split(maxsplit=1)[0])


def _is_item(text: str) -> bool:
    """Say whether a line begins an item of a list; most begin with a word, which is quickly seen."""
    return not text[:2].isalpha() and bool(_BULLET.match(text))


def _is_wide(character: str) -> bool:
    return not character.isascii() and bool(_WIDE.match(character))
