"""What PDFium says about the characters of a PDF's pages: their text, places and fonts."""

import ctypes
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from math import pi
from operator import neg
from typing import Any, NamedTuple

_UNIT_BYTES = ctypes.sizeof(ctypes.c_ushort)
_EDGES = 4
_FONT_NAME_BYTES = 96
_AT_ONCE = 256  # characters

# The numbers of two of the C library's settings, and what they are set to.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_BYTES, _LARGE_BYTES = 16 << 20, 4 << 20


class Boxes(NamedTuple):
    """The edges of the spaces that characters take, in points from the page's lower left corner."""

    lefts: list[float]
    tops: list[float]
    rights: list[float]
    bottoms: list[float]

    def turned(self) -> "Boxes":
        """Return the boxes on the page turned by a quarter to the left."""
        return Boxes(list(map(neg, self.tops)), self.rights, list(map(neg, self.bottoms)), self.lefts)


class CharacterReader:
    """Reads a document's pages, one at a time."""

    def __init__(self, document: Any) -> None:
        import pypdfium2.raw as raw

        self._document, self._raw, self._calls = document, raw, _Calls(raw)
        _keep_freed_memory()

    @contextmanager
    def page(self, number: int) -> "Iterator[PageCharacters | None]":
        """Open a page; None when it is broken."""
        raw = self._raw
        page = raw.FPDF_LoadPage(self._document, number)
        text_page = raw.FPDFText_LoadPage(page) if page else None
        try:
            yield PageCharacters(raw, text_page, self._calls) if text_page else None
        finally:
            if text_page:
                raw.FPDFText_ClosePage(text_page)
            if page:
                raw.FPDF_ClosePage(page)


def _keep_freed_memory() -> None:
    """Have the C library keep what a page needed for the next one.

    It gives it back to the system otherwise and asks for it anew, which takes a quarter of the time of all reading.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


class _Calls:
    """Asks about characters of a page, many in a row.

    To check a call's arguments takes longer than the call, so these are not checked: a function is given objects of
    ctypes, and numbers where it takes a C int. Nor is the interpreter's lock handed on for so short a time.
    """

    def __init__(self, raw: Any) -> None:
        self.box = _unchecked(raw.FPDFText_GetLooseCharBox)
        self._font = _unchecked(raw.FPDFText_GetFontInfo)
        self._name_bytes, self._flags = ctypes.c_ulong(_FONT_NAME_BYTES), ctypes.byref(ctypes.c_int())
        self._boxes, self._box_places = _places(ctypes.c_float, _EDGES)
        self._names, self._name_places = _places(ctypes.c_char, _FONT_NAME_BYTES)

    def boxes(self, page: Any, numbers: Sequence[int]) -> Boxes:
        edges: list[float] = []
        for start in range(0, len(numbers), _AT_ONCE):
            some = numbers[start : start + _AT_ONCE]
            _run(map(self.box, repeat(page), some, self._box_places))
            edges += self._boxes[: len(some) * _EDGES]
        return Boxes(edges[::_EDGES], edges[1::_EDGES], edges[2::_EDGES], edges[3::_EDGES])

    def fonts(self, page: Any, numbers: Sequence[int]) -> list[bytes]:
        fonts: list[bytes] = []
        for start in range(0, len(numbers), _AT_ONCE):
            fonts += self._some_fonts(page, numbers[start : start + _AT_ONCE])
        return fonts

    def _some_fonts(self, page: Any, numbers: Sequence[int]) -> list[bytes]:
        count, size = len(numbers), _FONT_NAME_BYTES
        ctypes.memset(self._names, 0, count * size)  # for a name that is too long nothing is written
        _run(map(self._font, repeat(page), numbers, self._name_places, repeat(self._name_bytes), repeat(self._flags)))
        names = ctypes.string_at(self._names, count * size)
        if names == names[:size] * count:  # most pages have one font
            return [_name(names[:size])] * count
        return [_name(names[start : start + size]) for start in range(0, len(names), size)]


def _unchecked(function: Any) -> Any:
    return ctypes.PYFUNCTYPE(None)(ctypes.cast(function, ctypes.c_void_p).value or 0)


def _places(kind: Any, each: int) -> tuple[Any, list[Any]]:
    """Return room for the answers about so many characters, each of so many elements, and where each is put."""
    room, size = (kind * (_AT_ONCE * each))(), each * ctypes.sizeof(kind)
    return room, [ctypes.byref(room, number * size) for number in range(_AT_ONCE)]


def _run(calls: Iterable[None]) -> None:
    deque(calls, maxlen=0)


def _name(written: bytes) -> bytes:
    return written.partition(b"\0")[0]


class PageCharacters:
    """A page's text, and what is known of the characters of it; these have numbers of their own."""

    def __init__(self, raw: Any, page: Any, calls: _Calls) -> None:
        self._raw, self._page, self._calls = raw, page, calls
        count = max(0, raw.FPDFText_CountChars(page))
        buffer = bytearray(_UNIT_BYTES * (count + 1))  # a ctypes array of each length would be a class of its own
        written = raw.FPDFText_GetText(page, 0, count, ctypes.byref(ctypes.c_ushort.from_buffer(buffer)))
        self.text = buffer[: _UNIT_BYTES * max(0, written - 1)].decode("utf-16-le", "ignore")
        self._is_aligned = count == len(self.text)
        self._box = raw.FS_RECTF()
        self._box_place = ctypes.byref(self._box)
        self._turns = 0

    def numbers(self, positions: Sequence[int]) -> Sequence[int]:
        """Return the numbers of the characters at these positions of the text."""
        if self._is_aligned:
            return positions
        number = self._raw.FPDFText_GetCharIndexFromTextIndex
        return [max(0, number(self._page, position)) for position in positions]

    def stand_upright(self, numbers: Sequence[int]) -> None:
        """From here on give places on the page turned so that most of these characters stand upright."""
        angles = [self._raw.FPDFText_GetCharAngle(self._page, number) for number in numbers]
        quarters = [round(angle / (pi / 2)) % 4 for angle in angles if angle >= 0]
        self._turns = max(set(quarters), key=quarters.count, default=0)

    def boxes(self, numbers: Sequence[int]) -> Boxes:
        """Return the spaces that the characters take."""
        boxes = self._calls.boxes(self._page, numbers)
        for _ in range(self._turns):
            boxes = boxes.turned()
        return boxes

    def edges(self, position: int) -> tuple[float, float]:
        """Return the left and the right edge of the space that the character at this position of the text takes."""
        number = position if self._is_aligned else self.numbers((position,))[0]
        if self._turns:
            boxes = self.boxes((number,))
            return boxes.lefts[0], boxes.rights[0]
        self._calls.box(self._page, number, self._box_place)
        return self._box.left, self._box.right

    def fonts(self, numbers: Sequence[int]) -> list[bytes]:
        """Return the names of the characters' fonts; b"" for one without a name, or with a very long one."""
        return self._calls.fonts(self._page, numbers)

    def size(self, number: int) -> float:
        """Return the height of the character's font, to half a point."""
        matrix = self._raw.FS_MATRIX()
        self._raw.FPDFText_GetMatrix(self._page, number, matrix)
        scale = (matrix.b**2 + matrix.d**2) ** 0.5
        size: float = round(2 * scale * self._raw.FPDFText_GetFontSize(self._page, number)) / 2
        return size

    def weight(self, number: int) -> int:
        """Return how bold the character's font says to be: 400 is usual, 700 bold."""
        weight: int = self._raw.FPDFText_GetFontWeight(self._page, number)
        return weight
