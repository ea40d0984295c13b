"""What kind of file this is: by its content; the name only tells kinds of text apart."""

import codecs
import re
import zipfile
from enum import StrEnum
from io import BytesIO
from pathlib import PurePath

from chatconnect.adapters.parsers.encoding import has_bom, wide_without_bom
from chatconnect.domain.errors import DocumentRejected


class Kind(StrEnum):
    """The formats that can be read, by media type."""

    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    TEXT = "text/plain"
    MARKDOWN = "text/markdown"
    HTML = "text/html"
    CSV = "text/csv"


_BY_SUFFIX = {
    ".pdf": Kind.PDF,
    ".docx": Kind.DOCX,
    ".txt": Kind.TEXT,
    ".text": Kind.TEXT,
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".htm": Kind.HTML,
    ".html": Kind.HTML,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
}
# What zipfile raises for an archive that it cannot read; the second for one of a newer format and for a packing that it
# does not know.
BAD_ARCHIVE = (zipfile.BadZipFile, NotImplementedError)
_NAMES = {Kind.PDF: "PDF", Kind.DOCX: "Word (.docx)", Kind.HTML: "web page (HTML)", Kind.CSV: "CSV"}
_READABLE = "Please upload a PDF, Word (.docx), text, Markdown, HTML or CSV file."
_UNREADABLE = f"This kind of file cannot be read. {_READABLE}"

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
# Formats that are made of readable characters and are no text all the same.
_MARKED_UP = (b"{\\rtf", b"%!PS")
_CONTROL = bytes({*range(0x20)} - set(b"\t\n\v\f\r\b\x1b"))
_MAX_CONTROL_SHARE = 0.02
_SAMPLE = 64 * 1024
_START = 4096
_MARK_BYTES = codecs.BOM_UTF8 + codecs.BOM_UTF16  # of either order; no page begins with such a byte
_HTML = re.compile(rb"\s*(<\?xml[^>]*>\s*)?(<!--.{0,500}?-->\s*)?<(!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL)


def detect(data: bytes, filename: str) -> Kind:
    """Return the kind of the file.

    Raises DocumentRejected: empty, unsupported_type, type_mismatch (the name claims another kind), encrypted
    (a protected Office file) or damaged (a cut-off Office file).
    """
    if not data or data.isspace():
        raise DocumentRejected("empty", "The file is empty.")
    claimed = _BY_SUFFIX.get(PurePath(filename.strip().lower()).suffix)
    found = _found(data, claimed)
    if claimed in (None, found):
        return found
    if claimed in (Kind.PDF, Kind.DOCX) or found in (Kind.PDF, Kind.DOCX) or (claimed, found) == (Kind.CSV, Kind.HTML):
        raise _mismatch(claimed, found)
    return found


def _found(data: bytes, claimed: Kind | None) -> Kind:
    if data.startswith(b"%PDF-") or (claimed is Kind.PDF and b"%PDF-" in data[:1024]):
        return Kind.PDF
    if data.startswith(_ZIP):
        return _office_kind(data, claimed)
    if data.startswith(_OLE) and claimed is not Kind.PDF:
        raise _old_office(data)
    if data.startswith(_MARKED_UP) or not is_text(data):
        if claimed in (Kind.PDF, Kind.DOCX):
            raise _mismatch(claimed, None)
        raise DocumentRejected("unsupported_type", _UNREADABLE)
    if _HTML.match(data[:_START].replace(b"\0", b"").lstrip(_MARK_BYTES)):
        return Kind.HTML
    return Kind.TEXT if claimed in (None, Kind.PDF, Kind.DOCX) else claimed


def is_text(data: bytes) -> bool:
    """Say whether the bytes look like text in some encoding."""
    sample = data[:_SAMPLE]
    if has_bom(sample) or wide_without_bom(sample):
        return True
    return len(sample) - len(sample.translate(None, _CONTROL)) <= _MAX_CONTROL_SHARE * len(sample)


def _office_kind(data: bytes, claimed: Kind | None) -> Kind:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (*BAD_ARCHIVE, ValueError) as error:
        if claimed is Kind.DOCX:
            raise DocumentRejected(
                "damaged", "The Word file is damaged or was cut off. Please upload it again."
            ) from error
        raise DocumentRejected("unsupported_type", _UNREADABLE) from error
    if "[Content_Types].xml" in names and any(name.startswith("word/") for name in names):
        return Kind.DOCX
    if claimed in (Kind.PDF, Kind.DOCX):
        raise _mismatch(claimed, None)
    if any(name.startswith(("xl/", "ppt/")) for name in names):
        message = "Spreadsheets and presentations cannot be read. Please save it as CSV or PDF and upload that."
    else:
        message = f"Archives cannot be read. {_READABLE}"
    raise DocumentRejected("unsupported_type", message)


def _old_office(data: bytes) -> DocumentRejected:
    if _ENCRYPTED_PACKAGE in data:
        return DocumentRejected("encrypted", "The file is protected by a password. Please upload it without one.")
    return DocumentRejected(
        "unsupported_type", "This is a file of an old Office version (such as .doc). Please save it as .docx or PDF."
    )


def _mismatch(claimed: Kind, found: Kind | None) -> DocumentRejected:
    wanted = _NAMES.get(claimed, "text")
    actual = f"its content is {_NAMES.get(found, 'text')}" if found else "its content is something else"
    return DocumentRejected("type_mismatch", f"The file is named as {wanted}, but {actual}. Please check the file.")
