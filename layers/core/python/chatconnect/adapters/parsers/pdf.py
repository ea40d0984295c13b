"""PDF: the text of every page, through PDFium."""

from contextlib import closing
from typing import Any

from chatconnect.adapters.parsers.detect import Kind
from chatconnect.adapters.parsers.sections import SectionWriter
from chatconnect.domain.chunking import ParsedDocument
from chatconnect.domain.errors import DocumentRejected

MAX_PAGES = 2_000
MAX_OBJECTS = 500_000
# The end mark belongs into the last kilobyte; some writers add a little after it.
_TAIL = 4096
_PASSWORD, _SECURITY = 4, 5  # PDFium's error codes
# What PDFium gives for the hyphen of a word that is divided at a line's end.
_DIVISION = str.maketrans({"\x02": "-", "\ufffe": "-"})


def parse_pdf(data: bytes) -> ParsedDocument:
    """Return one section per page that has text.

    Raises DocumentRejected: encrypted, damaged (also when the end is missing), no_text (a scan), too_complex.
    """
    _check(data)
    document = _opened(data)
    with closing(document):
        pages = len(document)
        if pages > MAX_PAGES:
            raise DocumentRejected(
                "too_complex", f"The PDF has {pages:,} pages; {MAX_PAGES:,} can be read. Please split it."
            )
        writer = SectionWriter()
        readable = 0
        for number in range(pages):
            text = _page_text(document, number)
            if text is not None:
                readable += 1
                writer.add(text, page=number + 1)
    if not readable:
        raise DocumentRejected("damaged", "No page of the PDF can be read. Please export it again.")
    if not writer.has_text:
        raise DocumentRejected(
            "no_text", "The PDF holds pictures of pages and no text. Please run text recognition (OCR) on it first."
        )
    return writer.document(Kind.PDF, pages)


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


def _page_text(document: Any, number: int) -> str | None:
    """Return the page's text in reading order, or None when the page is broken."""
    import pypdfium2

    try:
        page = document[number]
        with closing(page), closing(page.get_textpage()) as text_page:
            text: str = text_page.get_text_range()
    except pypdfium2.PdfiumError:
        return None
    return text.translate(_DIVISION)
