"""Files for tests: good ones of each format, and the bad ones that people and attackers upload."""

import hashlib
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from io import BytesIO
from xml.sax.saxutils import escape

PASSWORD_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def make_pdf(pages: list[str], *, password: str | None = None) -> bytes:
    """Return a PDF with these texts (Latin-1, a line per line). With a password (also "") it is encrypted."""
    return _pdf([_text_stream(page) for page in pages], password=password)


def make_typeset_pdf(pages: list[str]) -> bytes:
    """Return a PDF of these texts as TeX writes them: words moved apart in place of blanks, some letters kerned."""
    return _pdf([_typeset_stream(page) for page in pages])


@dataclass(frozen=True)
class Placed:
    """A line of text at a place of a page, in points from its lower left corner."""

    text: str
    x: float = 60
    y: float = 700
    size: float = 10
    bold: bool = False


def make_placed_pdf(pages: list[list[Placed]], *, outline: list[tuple[str, int]] | None = None) -> bytes:
    """Return a PDF with these lines; `outline` names headings with their pages, from 0."""
    return _pdf([_placed_stream(page) for page in pages], outline=outline or [])


def make_spelt_pdf(lines: list[Placed], *, turned: bool = False) -> bytes:
    """Return a PDF of one page on which every letter is written by itself, as browsers print.

    With `turned` the text runs up the page. Letters beyond Latin-1 are shown by a sign that stands for them.
    """
    matrix = "0 1 -1 0" if turned else "1 0 0 1"
    shown = (
        f"BT /{'F2' if line.bold else 'F1'} {line.size} Tf {matrix} {line.x} {line.y} Tm "
        f"{' '.join(map(_letter, line.text))} ET\n"
        for line in lines
    )
    return _pdf(["".join(shown).encode("latin-1")])


def _letter(letter: str) -> str:
    if ord(letter) < 256:
        return f"({_escaped(letter)}) Tj"
    return f"/Span <</ActualText <feff{ord(letter):04x}>>> BDC (a) Tj EMC"


def lines_down(texts: list[str], *, x: float = 60, y: float = 700, size: float = 10, step: float = 12) -> list[Placed]:
    """Return lines one below the other."""
    return [Placed(text, x, y - step * index, size) for index, text in enumerate(texts)]


def make_scanned_pdf(pages: int = 1) -> bytes:
    """Return a PDF whose pages hold graphics and no text."""
    return _pdf([b"0.5 g 100 100 300 300 re f"] * pages)


def make_truncated_pdf() -> bytes:
    """Return the first two thirds of a PDF."""
    pdf = make_pdf(["Terms of delivery. " * 20] * 5)
    return pdf[: len(pdf) * 2 // 3]


def make_pdf_bomb(unpacked_megabytes: int = 600) -> bytes:
    """Return a PDF of a few kilobytes whose one page unpacks, twice compressed, to that many megabytes."""
    packer = zlib.compressobj(6)
    block = b" " * 1_000_000
    once = b"".join(packer.compress(block) for _ in range(unpacked_megabytes)) + packer.flush()
    stream = zlib.compress(once, 9)
    return _pdf([stream], filters="/Filter [/FlateDecode /FlateDecode]")


def make_docx(body: str | list[str], *, styles: str = "", extra: dict[str, str] | None = None) -> bytes:
    """Return a Word file; `body` is WordprocessingML or a list of plain paragraphs."""
    if isinstance(body, list):
        body = "".join(paragraph(text) for text in body)
    document = f'<?xml version="1.0"?><w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'
    return make_zip(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships><Relationship Id="r1" Type="{RELATIONSHIPS}/officeDocument" '
            'Target="word/document.xml"/></Relationships>',
            "word/document.xml": document,
            "word/styles.xml": f'<w:styles xmlns:w="{WORD}">{styles}</w:styles>',
            **(extra or {}),
        }
    )


def paragraph(text: str, *, style: str = "", in_list: bool = False) -> str:
    """Return one paragraph of WordprocessingML."""
    properties = f'<w:pStyle w:val="{style}"/>' if style else ""
    properties += '<w:numPr><w:numId w:val="1"/></w:numPr>' if in_list else ""
    return f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def table(rows: list[list[str]]) -> str:
    """Return a table of WordprocessingML."""
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def heading_style(style: str, name: str) -> str:
    """Return the definition of a paragraph style."""
    return f'<w:style w:type="paragraph" w:styleId="{style}"><w:name w:val="{name}"/></w:style>'


def make_docx_bomb(unpacked_megabytes: int = 90) -> bytes:
    """Return a Word file of some kilobytes whose text part unpacks to that many megabytes."""
    return make_docx(paragraph(" " * (unpacked_megabytes * 1_000_000)))


def make_entity_bomb() -> bytes:
    """Return a Word file whose XML defines entities that multiply ("billion laughs")."""
    entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    document = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "ha">{entities}]><d>&e9;</d>'
    return make_docx([], extra={"word/document.xml": document})


def make_old_word() -> bytes:
    """Return the start of a Word 97 file."""
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000) + "WordDocument".encode("utf-16-le") + bytes(500)


def make_encrypted_docx() -> bytes:
    """Return what Word writes for a document with a password: an OLE container."""
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000) + "EncryptedPackage".encode("utf-16-le") + bytes(500)


def make_zip(parts: dict[str, str]) -> bytes:
    """Return a zip archive with these text files."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _placed_stream(lines: list[Placed]) -> bytes:
    shown = (
        f"BT /{'F2' if line.bold else 'F1'} {line.size} Tf {line.x} {line.y} Td ({_escaped(line.text)}) Tj ET\n"
        for line in lines
    )
    return "".join(shown).encode("cp1252")


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _text_stream(text: str) -> bytes:
    shown = "".join(f"({_escaped(line)}) Tj T*\n" for line in text.split("\n"))
    return f"BT /F1 10 Tf 12 TL 40 800 Td\n{shown}ET".encode("latin-1")


def _typeset_stream(text: str) -> bytes:
    lines = (re.sub(r"(?<=[a-z][aeiou])(?=[vwy])", ")28(", _escaped(line)) for line in text.split("\n"))
    shown = "".join(f"[({line.replace(' ', ')-333(')})]TJ 0 -12 Td\n" for line in lines)
    return f"BT /F1 10 Tf 40 800 Td\n{shown}ET".encode("latin-1")


def _pdf(
    streams: list[bytes],
    *,
    filters: str = "",
    password: str | None = None,
    outline: list[tuple[str, int]] | None = None,
) -> bytes:
    count = len(streams)
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(count))
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    }
    key, trailer = _encryption(password)
    for index, stream in enumerate(streams):
        page = 4 + 2 * index
        objects[page] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {page + 1} 0 R "
            "/Resources << /Font << /F1 3 0 R /F2 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold "
            "/Encoding /WinAnsiEncoding >> >> >> >>"
        ).encode()
        if key:
            object_key = _md5(key + struct.pack("<I", page + 1)[:3] + b"\0\0")[:10]
            stream = _rc4(object_key, stream)
        objects[page + 1] = b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(stream), filters.encode(), stream)
    if outline:
        objects |= _outline_objects(outline, 4 + 2 * count)
        objects[1] = b"<< /Type /Catalog /Pages 2 0 R /Outlines %d 0 R >>" % (4 + 2 * count)
    return _assembled(objects, trailer)


def _outline_objects(outline: list[tuple[str, int]], root: int) -> dict[int, bytes]:
    last = root + len(outline)
    objects = {root: b"<< /Type /Outlines /First %d 0 R /Last %d 0 R /Count %d >>" % (root + 1, last, len(outline))}
    for number, (title, page) in enumerate(outline, start=root + 1):
        following = b"/Next %d 0 R" % (number + 1) if number < last else b""
        objects[number] = b"<< /Title (%s) /Parent %d 0 R /Dest [%d 0 R /Fit] %s >>" % (
            _escaped(title).encode("latin-1"), root, 4 + 2 * page, following,
        )  # fmt: skip
    return objects


def _assembled(objects: dict[int, bytes], trailer: bytes) -> bytes:
    out = BytesIO()
    out.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, content in objects.items():
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer))
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def _encryption(password: str | None) -> tuple[bytes, bytes]:
    """Return key and trailer entries of the standard 40-bit RC4 handler (PDF 1.4, algorithms 2 to 4)."""
    if password is None:
        return b"", b""
    padded = (password.encode("latin-1") + PASSWORD_PADDING)[:32]
    file_id = b"0123456789abcdef"
    owner = _rc4(_md5(PASSWORD_PADDING)[:5], padded)
    key = _md5(padded + owner + struct.pack("<i", -4) + file_id)[:5]
    user = _rc4(key, PASSWORD_PADDING)
    entries = (owner.hex(), user.hex(), file_id.hex(), file_id.hex())
    encrypt = "/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{}> /U <{}> >> /ID [<{}> <{}>]"
    return key, encrypt.format(*entries).encode()


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


def _rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)
