"""DOCX: paragraphs, lists and tables in reading order, a section per heading.

Read as a stream of XML events: ten times faster than building a tree, in a fraction of the memory.
"""

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache, partial
from io import BytesIO
from xml.parsers import expat

from chatconnect.adapters.parsers.detect import BAD_ARCHIVE, Kind
from chatconnect.adapters.parsers.docx_body import BodyReader
from chatconnect.adapters.parsers.docx_styles import Attributes, Lists, Notes, Styles
from chatconnect.adapters.parsers.reading import OnRead, Reading, unread
from chatconnect.adapters.parsers.sections import Outline, SectionWriter
from chatconnect.domain.chunking import ParsedDocument
from chatconnect.domain.errors import DocumentRejected

MAX_PARTS = 10_000
MAX_PART_BYTES = 100_000_000
MAX_RATIO = 200
# Below this size no ratio is suspicious: a few kilobytes of blanks compress better than any limit.
_SMALL = 1_000_000
_BLOCK = 64 * 1024
# By what they mean, the prefixes of names as Word writes them; other programs choose their own.
_PREFIXES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
}

Start = Callable[[str, Attributes], None]
End = Callable[[str], None]


def parse_docx(data: bytes, on_read: OnRead = unread) -> ParsedDocument:
    """Return the document's text, footnotes and endnotes last.

    Raises DocumentRejected: damaged, encrypted, too_complex (too many parts, a part that unpacks to too much,
    XML with its own entities), empty.
    """
    writer = SectionWriter()
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            _check(archive)
            main = _main_part(archive)
            folder = posixpath.dirname(main)
            styles, lists, notes = Styles(), Lists(), Notes()
            _read_xml(archive, f"{folder}/styles.xml", styles.start)
            _read_xml(archive, f"{folder}/numbering.xml", lists.start)
            parts = (main, f"{folder}/footnotes.xml", f"{folder}/endnotes.xml")
            sizes = [archive.NameToInfo[part].file_size for part in parts if part in archive.NameToInfo]
            reading = Reading(on_read, sum(sizes))
            for part in parts:
                outline = Outline(writer)
                body = BodyReader(outline, styles, lists, notes)
                _read_xml(archive, part, body.start, body.end, body.text, reading.went_on)
                outline.close()
    except (*BAD_ARCHIVE, zlib.error, expat.ExpatError, EOFError, KeyError) as error:
        raise DocumentRejected("damaged", "The Word file is damaged. Please save it again and upload it.") from error
    return writer.document(Kind.DOCX)


def _check(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise DocumentRejected("too_complex", "The Word file has too many parts. Please save it as PDF.")
    for part in parts:
        if part.flag_bits & 1:
            raise DocumentRejected("encrypted", "The file is protected by a password. Please upload it without one.")
        ratio = part.file_size / max(1, part.compress_size)
        if part.file_size > MAX_PART_BYTES or (part.file_size > _SMALL and ratio > MAX_RATIO):
            raise DocumentRejected("too_complex", "The Word file unpacks to far too much data. Please save it as PDF.")


def _main_part(archive: zipfile.ZipFile) -> str:
    """Return the name of the part that holds the text; Word does not always call it word/document.xml."""
    found = ["word/document.xml"]

    def start(tag: str, attributes: Attributes) -> None:
        if tag.endswith("Relationship") and attributes.get("Type", "").endswith("/officeDocument"):
            found[0] = attributes.get("Target", "").lstrip("/")

    _read_xml(archive, "_rels/.rels", start)
    archive.getinfo(found[0])
    return found[0]


def _read_xml(
    archive: zipfile.ZipFile,
    part: str,
    start: Start,
    end: End | None = None,
    text: Callable[[str], None] | None = None,
    went_on: Callable[[int], None] | None = None,
) -> None:
    """Feed the part to the handlers, block by block; a part that is not there is an empty one."""
    if part not in archive.NameToInfo:
        return
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = partial(_begin, parser, start, end)
    parser.CharacterDataHandler = text
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            parser.Parse(block, False)
            if went_on:
                went_on(len(block))
    parser.Parse(b"", True)


def _begin(parser: expat.XMLParserType, start: Start, end: End | None, tag: str, attributes: Attributes) -> None:
    """Take a part's first tag, which says what the prefixes mean, and let the handlers take the others."""
    ours = {
        name.removeprefix("xmlns").lstrip(":"): _PREFIXES[meaning]
        for name, meaning in attributes.items()
        if name.startswith("xmlns") and meaning in _PREFIXES
    }
    if any(theirs != our for theirs, our in ours.items()):
        start, end = _renaming(ours, start, end)
    parser.StartElementHandler, parser.EndElementHandler = start, end
    start(tag, attributes)


def _renaming(ours: Mapping[str, str], start: Start, end: End | None) -> tuple[Start, End | None]:
    """Return handlers that take the names of a program with prefixes of its own."""

    @cache
    def renamed(name: str) -> str:
        prefix, _, rest = name.rpartition(":")
        return f"{ours[prefix]}:{rest}" if prefix in ours else name

    def renaming_start(tag: str, attributes: Attributes) -> None:
        start(renamed(tag), {renamed(name) if ":" in name else name: value for name, value in attributes.items()})

    return renaming_start, (lambda tag: end(renamed(tag))) if end else None


def _refuse_doctype(*_: object) -> None:
    """No Word file declares entities; one that does is meant to expand them."""
    raise DocumentRejected("too_complex", "The Word file holds XML that Word does not write. Please save it again.")
