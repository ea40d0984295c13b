"""Plain text and Markdown, in whatever encoding they come."""

import codecs
import re
from contextlib import suppress

from chatconnect.adapters.parsers.detect import Kind, utf16_without_bom
from chatconnect.adapters.parsers.sections import Outline, SectionWriter
from chatconnect.domain.chunking import ParsedDocument

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Guessing looks at this many bytes; below the smaller number there is too little to guess from.
_SAMPLE = 64 * 1024
_TOO_SHORT = 64
_FALLBACK = "cp1252"
_HIGH_BYTES = bytes(range(0x80, 0x100))

_FENCE = re.compile(r" {0,3}(```|~~~)")
_HASH_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")


def parse_text(data: bytes) -> ParsedDocument:
    """Return the text as one section. Raises DocumentRejected when it is blank or too long."""
    writer = SectionWriter()
    writer.add(decoded(data))
    return writer.document(Kind.TEXT)


def parse_markdown(data: bytes) -> ParsedDocument:
    """Return a section per heading, with the Markdown kept as written. Raises DocumentRejected as above."""
    writer = SectionWriter()
    outline = Outline(writer)
    body: list[str] = []
    fence = ""

    def end_body() -> None:
        outline.paragraph("\n".join(body).strip("\n"))
        body.clear()

    for line in decoded(data).splitlines():
        mark = _FENCE.match(line)
        if mark and fence in ("", mark[1]):
            fence = "" if fence else mark[1]
        heading = None if fence else _HASH_HEADING.match(line)
        underline = None if fence or not _is_title(body) else _UNDERLINE.match(line)
        if heading:
            end_body()
            outline.heading(len(heading[1]), line.strip(), title=heading[2])
        elif underline:
            title = body.pop()
            end_body()
            outline.heading(1 if "=" in line else 2, title.strip())
        else:
            body.append(line)
    end_body()
    outline.close()
    return writer.document(Kind.MARKDOWN)


def decoded(data: bytes, declared: str = "") -> str:
    """Return the text of the bytes; a byte that fits no encoding becomes a replacement character.

    `declared` is the encoding that the file itself names; what the bytes prove goes before it.
    """
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, "replace")
    if wide := utf16_without_bom(data):
        return data.decode(wide, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        # One broken character in a long UTF-8 file (a cut end, a bad merge) does not make it another encoding.
        if _is_mostly_utf8(data, error.start):
            return data.decode("utf-8", "replace")
    with suppress(LookupError):
        return data.decode(declared or _guessed(data), "replace")
    return data.decode(_FALLBACK, "replace")


def _is_title(body: list[str]) -> bool:
    """Say whether the last line stands alone, so that a line of dashes under it makes it a heading."""
    return bool(body and body[-1].strip()) and (len(body) == 1 or not body[-2].strip())


def _is_mostly_utf8(data: bytes, first_error: int) -> bool:
    sample = data[max(0, first_error - _SAMPLE) : first_error + _SAMPLE]
    text = sample.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = len(sample) - len(sample.translate(None, _HIGH_BYTES))
    return right > 20 * wrong


def _guessed(data: bytes) -> str:
    if len(data) < _TOO_SHORT:
        return _FALLBACK
    from charset_normalizer import from_bytes

    matches = from_bytes(data[:_SAMPLE])
    best = matches.best()
    if best is None or any(match.encoding == _FALLBACK and match.chaos <= best.chaos for match in matches):
        return _FALLBACK  # among equals, by far the most frequent
    return best.encoding
