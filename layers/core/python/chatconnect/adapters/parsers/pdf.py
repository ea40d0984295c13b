"""PDF: the text of every page through PDFium, with headings, without running titles, words whole again."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.pdf_characters import CharacterReader
from chatconnect.adapters.parsers.pdf_layout import Bookmark, Heading, find_headings, without_running_lines
from chatconnect.adapters.parsers.pdf_lines import Line, page_lines
from chatconnect.adapters.parsers.pdf_paragraphs import Words, paragraphs
from chatconnect.adapters.parsers.reading import OnRead, unread
from chatconnect.adapters.parsers.sections import Outline, SectionWriter
from chatconnect.domain.chunking import ParsedDocument
from chatconnect.domain.errors import DocumentRejected

MAX_PAGES = 2_000
MAX_OBJECTS = 500_000
MAX_BOOKMARKS = 5_000
MAX_LINES = 400_000
# The end mark belongs into the last kilobyte; some writers add a little after it.
_TAIL = 4096
_PASSWORD, _SECURITY = 4, 5  # PDFium's error codes
# A font that does not say which characters its shapes are gives such ones instead.
_UNKNOWN_SHARE = 0.5
_OCR = "Please run text recognition (OCR) on it first."


def parse_pdf(data: bytes, on_pages: OnRead = unread) -> ParsedDocument:
    """Return the text of each page, a section per page and heading; `on_pages` is told of every page.

    Raises DocumentRejected: encrypted, damaged (also when the end is missing), no_text (a scan), too_complex.
    """
    _check(data)
    document = _opened(data)
    with closing(document):
        count = len(document)
        if count > MAX_PAGES:
            raise DocumentRejected(
                "too_complex", f"The PDF has {count:,} pages; {MAX_PAGES:,} can be read. Please split it."
            )
        pages = _pages(document, count, on_pages)
        bookmarks = list(_bookmarks(document))
    _check_characters(pages)
    return _written(without_running_lines(pages, bookmarks), bookmarks)


def _written(pages: list[list[Line]], bookmarks: list[Bookmark]) -> ParsedDocument:
    writer = SectionWriter()
    outline = Outline(writer)
    words = Words(pages)
    for number, (lines, headings) in enumerate(zip(pages, find_headings(pages, bookmarks), strict=True), start=1):
        outline.start_page(number)
        _write_page(outline, lines, headings, words)
    outline.close()
    return writer.document(Kind.PDF, len(pages))


def _write_page(outline: Outline, lines: Sequence[Line], headings: list[Heading], words: Words) -> None:
    done = 0
    for heading in headings:
        outline.paragraph(paragraphs(lines[done : heading.first], words))
        outline.heading(heading.level, paragraphs(lines[heading.first : heading.end], words), title=heading.title)
        done = heading.end
    outline.paragraph(paragraphs(lines[done:], words))


def _check(data: bytes) -> None:
    """Refuse, before PDFium sees it, what is cut off or has far too many objects."""
    tail = data[-_TAIL:]
    if b"%%EOF" not in tail and b"startxref" not in tail:
        raise DocumentRejected("damaged", "The end of the PDF is missing; it was cut off. Please upload it again.")
    if data.count(b" obj") > MAX_OBJECTS:
        raise DocumentRejected("too_complex", "The PDF has too many parts. Please print it to a new PDF.")


def _opened(data: bytes) -> Any:
    import pypdfium2

    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (_PASSWORD, _SECURITY):
            message = "The PDF is protected by a password. Please upload it without one."
            raise DocumentRejected("encrypted", message) from error
        raise DocumentRejected("damaged", "The PDF is damaged and cannot be opened. Please export it again.") from error


def _pages(document: Any, count: int, on_pages: OnRead) -> list[list[Line]]:
    """Return the lines of every page; a broken page among good ones has none."""
    pages: list[list[Line]] = []
    total = readable = 0
    reader = CharacterReader(document)
    for number in range(count):
        on_pages(number, count)
        with reader.page(number) as page:
            readable += page is not None
            pages.append(page_lines(page) if page else [])
        total += len(pages[-1])
        if total > MAX_LINES:
            raise DocumentRejected("too_complex", "The PDF holds too much text. Please split it.")
    if not readable:
        raise DocumentRejected("damaged", "No page of the PDF can be read. Please export it again.")
    if not total:
        raise DocumentRejected("no_text", f"The PDF holds pictures of pages and no text. {_OCR}")
    return pages


def _check_characters(pages: list[list[Line]]) -> None:
    text = "".join(line.text for page in pages for line in page if not line.text.isascii())
    if not text:
        return
    unknown = sum(text.count(character) for character in "\ufffd\uffff")
    unknown += sum("\ue000" <= character <= "\uf8ff" for character in text)
    total = sum(len(line.text) for page in pages for line in page)
    if unknown > _UNKNOWN_SHARE * total:
        raise DocumentRejected("no_text", f"The PDF does not say which letters its fonts show. {_OCR}")


def _bookmarks(document: Any) -> Iterator[Bookmark]:
    """Yield the outline's entries that lead to a page; a broken outline has none."""
    import pypdfium2

    try:
        for mark in islice(document.get_toc(), MAX_BOOKMARKS):
            destination = mark.get_dest()
            page = destination.get_index() if destination else None
            if page is not None:
                yield Bookmark(page, mark.level + 1, mark.get_title())
    except (pypdfium2.PdfiumError, UnicodeError):
        return
