"""DOCX: paragraphs, lists and tables in reading order, a section per heading.

Read as a stream of XML events: ten times faster than building a tree, in a fraction of the memory.
"""

import posixpath
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO
from xml.parsers import expat

from chatconnect.adapters.parsers.detect import BAD_ARCHIVE, Kind
from chatconnect.adapters.parsers.docx_body import BodyReader
from chatconnect.adapters.parsers.docx_styles import Attributes, Lists, Styles
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
            styles, lists = Styles(), Lists()
            _read_xml(archive, f"{folder}/styles.xml", styles.start)
            _read_xml(archive, f"{folder}/numbering.xml", lists.start)
            parts = (main, f"{folder}/footnotes.xml", f"{folder}/endnotes.xml")
            sizes = [archive.NameToInfo[part].file_size for part in parts if part in archive.NameToInfo]
            reading = Reading(on_read, sum(sizes))
            for part in parts:
                outline = Outline(writer)
                body = BodyReader(outline, styles, lists)
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
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
    went_on: Callable[[int], None] | None = None,
) -> None:
    """Feed the part to the handlers, block by block; a part that is not there is an empty one."""
    if part not in archive.NameToInfo:
        return
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            parser.Parse(block, False)
            if went_on:
                went_on(len(block))
    parser.Parse(b"", True)


def _refuse_doctype(*_: object) -> None:
    """No Word file declares entities; one that does is meant to expand them."""
    raise DocumentRejected("too_complex", "The Word file holds XML that Word does not write. Please save it again.")
