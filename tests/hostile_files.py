"""Files made to break whoever reads them, generated anew each time; each with the ends that are right for it."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tests import files

PARSED = "parsed"  # the file holds text, and what of it can be read is read
SLOW = frozenset({PARSED, "too_complex", "parser_timeout", "parser_memory"})


@dataclass(frozen=True)
class Hostile:
    """A file, the name it comes under, and the ends that are right: codes of rejections, or `PARSED`."""

    name: str
    filename: str
    make: Callable[[], bytes]
    ends: frozenset[str]


def corpus() -> list[Hostile]:
    """Return every hostile file; nothing is made before `make` is called."""
    return [*_bombs(), *_word_files(), *_pdfs(), *_tables(), *_texts(), *_pages(), *_disguised()]


def _file(name: str, filename: str, make: Callable[[], bytes], *ends: str) -> Hostile:
    return Hostile(name, filename, make, frozenset(ends))


def _bombs() -> list[Hostile]:
    return [
        _file("a zip bomb as Word", "a.docx", files.make_docx_bomb, "too_complex"),
        _file("a billion laughs", "a.docx", files.make_entity_bomb, "too_complex"),
        _file("entities that grow by squares", "a.docx", _quadratic_entities, "too_complex"),
        _file("a stream that unpacks to 600 MB", "a.pdf", files.make_pdf_bomb, "parser_memory"),
        _file("a stream packed forty times", "a.pdf", _packed_forty_times, "parser_memory", "damaged", "no_text"),
        _file("a zip whose parts claim little", "a.docx", _lying_sizes, "damaged", "too_complex"),
        _file("a zip with parts on top of each other", "a.docx", _overlapping_parts, "damaged", "too_complex"),
        _file("sixty thousand zip parts", "a.docx", _many_parts, "too_complex"),
        _file("a picture of a billion pixels", "a.pdf", _huge_picture, "no_text", "parser_memory"),
    ]


def _word_files() -> list[Hostile]:
    outside = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    remote = '<!DOCTYPE d SYSTEM "http://127.0.0.1:9/x.dtd">'
    climbing = {"../../../../tmp/evil.txt": "x", "/etc/cron.d/evil": "x", "word\\..\\..\\evil": "x"}
    return [
        _file("an entity that reads a file", "a.docx", lambda: _word(outside, "&x;"), "too_complex"),
        _file("a DTD on the network", "a.docx", lambda: _word(remote, "hello"), "too_complex"),
        _file("parts that climb out", "a.docx", lambda: files.make_docx(["Hello"], extra=climbing), PARSED),
        _file("a main part outside", "a.docx", _main_part_outside, "damaged"),
        _file("XML 200,000 deep", "a.docx", lambda: _word("", "<w:x>" * 200_000 + "</w:x>" * 200_000), "empty"),
        _file("tables 30,000 deep", "a.docx", _nested_tables, "too_complex"),
        _file("paragraphs 100,000 deep", "a.docx", _nested_paragraphs, "too_complex"),
        _file("numbers of 10,000 digits", "a.docx", _huge_numbers, PARSED),
        _file(
            "broken UTF-8 in XML", "a.docx", lambda: _zip({**_WORD, "word/document.xml": b"<d>\xff\xfe</d>"}), "damaged"
        ),
        _file("a Word file with a password", "a.docx", files.make_encrypted_docx, "encrypted"),
        _file("a zip part with a password", "a.docx", _encrypted_part, "encrypted"),
        _file("a style based on itself", "a.docx", _circular_styles, PARSED),
        _file("a Word file cut in half", "a.docx", lambda: _half(files.make_docx(["text"] * 900)), "damaged"),
        _file("two parts of one name", "a.docx", _twice_the_same_part, PARSED, "empty", "damaged"),
    ]


def _pdfs() -> list[Hostile]:
    return [
        _file("a PDF with a password", "a.pdf", lambda: files.make_pdf(["x"], password="secret"), "encrypted"),
        _file("a PDF cut off", "a.pdf", files.make_truncated_pdf, "damaged"),
        _file("a PDF of nothing", "a.pdf", lambda: b"%PDF-1.7\n%%EOF", "damaged"),
        _file("a million objects", "a.pdf", _many_objects, "too_complex"),
        _file("5,000 pages", "a.pdf", lambda: files.make_scanned_pdf(5_000), "too_complex"),
        _file("a page count of two billion", "a.pdf", _lying_page_count, "too_complex", "damaged", "no_text", PARSED),
        _file("pages that hold themselves", "a.pdf", _circular_pages, "damaged", "no_text"),
        _file("an array 300,000 deep", "a.pdf", _nested_array, "damaged", "no_text", PARSED),
        _file("an outline without end", "a.pdf", _circular_outline, PARSED),
        _file("a table of objects that leads to itself", "a.pdf", _circular_reference_table, "damaged", PARSED),
        _file("a font that is no font", "a.pdf", _broken_font, PARSED, "damaged", "no_text"),
        _file(
            "a PDF of zero bytes after its start",
            "a.pdf",
            lambda: b"%PDF-1.4\n" + bytes(2_000_000) + b"%%EOF",
            "damaged",
        ),
    ]


def _tables() -> list[Hostile]:
    million = b",".join(b"c%d" % number for number in range(1_000_000))
    return [
        _file("a million columns", "a.csv", lambda: million + b"\n" + b"1," * 999_999 + b"1\n", *SLOW),
        _file("one giant cell", "a.csv", lambda: b'a,b\n1,"' + b"x" * 5_000_000 + b'"\n', "too_complex"),
        _file("a quotation mark never closed", "a.csv", lambda: b'a,b\n1,"' + b"x,y\n" * 1_000_000, "too_complex"),
        _file("a row more than can be", "a.csv", lambda: b"a,b\n" + b"1,2\n" * 700_000, "too_complex"),
        _file("separators alone", "a.csv", lambda: b"," * 3_000_000, "empty", *SLOW),
        _file(
            "names that every row repeats", "a.csv", lambda: b"n" * 50_000 + b",b\n" + b"1,2\n" * 50_000, "too_complex"
        ),
        _file("a formula", "a.csv", lambda: b'a,b\n=cmd|\'/C calc\'!A0,"=HYPERLINK(""http://x"")"\n', PARSED),
        _file("quotation marks alone", "a.csv", lambda: b'"' * 2_000_001, "empty", *SLOW),
    ]


def _texts() -> list[Hostile]:
    mixed = "Größe ".encode() * 50 + "Größe ".encode("latin-1") * 50 + "Größe".encode("utf-16-le") * 50
    surrogates = b"A line.\n" + b"\xed\xa0\x80\xed\xbf\xbf" * 2_000 + b"\nAnother line.\n"
    return [
        _file("one line of 8 MB", "a.txt", lambda: b"x" * 8_000_000, PARSED),
        _file("one word of 3 MB without a Latin letter", "a.txt", lambda: "汉".encode() * 1_000_000, PARSED),
        _file("NUL bytes between letters", "a.txt", lambda: b"A sentence of words. " * 200 + b"\0" * 40, PARSED),
        _file("NUL bytes alone", "a.txt", lambda: bytes(100_000), "unsupported_type", "empty"),
        _file("three encodings in one file", "a.txt", lambda: mixed, PARSED, "unsupported_type"),
        _file("surrogates in UTF-8", "a.txt", lambda: surrogates, PARSED),
        _file("half a surrogate pair in UTF-16", "a.txt", lambda: b"\xff\xfeA\x00\x00\xd8B\x00", PARSED),
        _file("UTF-16 of an odd length", "a.txt", lambda: "\ufeffHello there".encode("utf-16-le") + b"x", PARSED),
        _file("a name from right to left", "invoice\u202efdp.txt", lambda: b"Good text.", PARSED),
        _file(
            "marks from right to left in the text",
            "a.txt",
            lambda: "\u202e\u2066\u2067abc\u202c ".encode() * 9_000,
            PARSED,
        ),
        _file("a million accents on one letter", "a.txt", lambda: b"e" + "\u0301".encode() * 1_000_000, PARSED),
        _file("a million empty lines", "a.txt", lambda: b"a" + b"\n" * 1_000_000 + b"b", PARSED),
        _file("blanks before the end of a line", "a.txt", lambda: (b" " * 2_000_000 + b"x\n") * 2, PARSED),
        _file("nothing", "a.txt", lambda: b"", "empty"),
        _file("white space", "a.txt", lambda: b" \r\n\t" * 1_000_000, "empty"),
        _file("full stops", "a.txt", lambda: b"." * 3_000_000, PARSED),
    ]


def _pages() -> list[Hostile]:
    deep = b"<html><body>" + b"<div>" * 300_000 + b"Hello" + b"</div>" * 300_000
    xhtml = (
        b'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">'
        b"]><html><body>&b;&f;</body></html>"
    )
    return [
        _file("elements 300,000 deep", "a.html", lambda: deep, PARSED, *SLOW),
        _file("tables 20,000 deep", "a.html", lambda: b"<html>" + b"<table><tr><td>x" * 20_000, *SLOW),
        _file("an entity in a page", "a.html", lambda: xhtml, PARSED),
        _file("a cell over a billion columns", "a.html", _wide_cells, PARSED),
        _file("comments never closed", "a.html", lambda: b"<html><body>Hi" + b"<!--" * 500_000, *SLOW),
        _file("tags never closed", "a.html", lambda: b"<html><body>Hi" + b"<a " * 500_000, *SLOW),
        _file(
            "ends without beginnings",
            "a.html",
            lambda: b"<html><body>" + b"</ul></li></table>" * 200_000 + b"Hi",
            *SLOW,
        ),
        _file("an attribute of 5 MB", "a.html", lambda: b'<html><p title="' + b"x" * 5_000_000 + b'">Hi', *SLOW),
        _file(
            "characters that are none", "a.html", lambda: b"<html><p>Hi &#xD800; &#0; &#99999999999999999999;", PARSED
        ),
        _file("quotations 50,000 deep", "a.md", lambda: b">" * 50_000 + b" Hello\n", PARSED),
        _file("brackets 500,000 deep", "a.md", lambda: b"[" * 500_000 + b"x" + b"](" * 500_000, PARSED),
        _file("a fence never closed", "a.md", lambda: b"```\n" + b"code\n" * 300_000, PARSED),
        _file(
            "a table of pipes",
            "a.md",
            lambda: b"|" * 200_000 + b"\n" + b"|-" * 200_000 + b"|\n" + b"|" * 200_000,
            "empty",
            *SLOW,
        ),
        _file("headings alone", "a.md", lambda: b"# x\n" * 300_000, *SLOW),
    ]


def _disguised() -> list[Hostile]:
    word = files.make_docx(["Hello"])
    return [
        _file("a PDF that is a zip too", "a.pdf", lambda: files.make_pdf(["Hello"]) + word, PARSED, "damaged"),
        _file(
            "a zip that is a page too",
            "a.html",
            lambda: b"<html><p>Hello</p></html>" + word,
            PARSED,
            "unsupported_type",
        ),
        _file("a zip that is called PDF", "a.pdf", lambda: word, "type_mismatch"),
        _file("a PDF that is called Word", "a.docx", lambda: files.make_pdf(["x"]), "type_mismatch"),
        _file("a program called text", "a.txt", lambda: b"\x7fELF" + bytes(range(256)) * 40, "unsupported_type"),
        _file("a program called PDF", "a.pdf", lambda: b"MZ" + bytes(range(256)) * 40, "type_mismatch"),
        _file("a zip inside a zip", "a.docx", lambda: _zip({**_WORD, "word/document.xml": word}), "damaged"),
        _file("an old Word file", "a.docx", files.make_old_word, "type_mismatch", "unsupported_type"),
    ]


_WORD: dict[str, bytes] = {"[Content_Types].xml": b"<Types/>", "word/styles.xml": b"<w:styles/>"}


def _word(prologue: str, body: str) -> bytes:
    """Return a Word file that is not packed, so that no ratio gives it away."""
    document = f'<?xml version="1.0"?>{prologue}<d>{body}</d>'.encode()
    return _zip({**_WORD, "word/document.xml": document}, zipfile.ZIP_STORED)


def _zip(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _quadratic_entities() -> bytes:
    return _word(f'<!DOCTYPE d [<!ENTITY a "{"a" * 50_000}">]>', "&a;" * 50_000)


def _packed_forty_times() -> bytes:
    stream = b" " * 100_000_000
    for _ in range(40):
        stream = zlib.compress(stream, 9)
    return one_page(b"<< /Length %d /Filter [%s] >>" % (len(stream), b"/FlateDecode " * 40), stream)


def _lying_sizes() -> bytes:
    """Set the unpacked size of every part to 100 bytes, in both places where a zip says it."""
    data = bytearray(files.make_docx(files.paragraph(" " * 20_000_000)))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset : place + offset + 4] = struct.pack("<I", 100)
            place = data.find(mark, place + 4)
    return bytes(data)


def _overlapping_parts() -> bytes:
    """Let every part begin where the first one does."""
    data = bytearray(files.make_docx(["Hello"]))
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 42 : place + 46] = bytes(4)
        place = data.find(b"PK\x01\x02", place + 4)
    return bytes(data)


def _many_parts() -> bytes:
    return _zip({**_WORD, "word/document.xml": b"<d/>", **{f"word/{number}": b"" for number in range(60_000)}})


def _main_part_outside() -> bytes:
    target = f'<r><Relationship Type="{files.RELATIONSHIPS}/officeDocument" Target="../../../etc/passwd"/></r>'
    return files.make_docx(["Hello"], extra={"_rels/.rels": target})


def _nested_tables() -> bytes:
    begin, end = "<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"
    return _word("", begin * 30_000 + "<w:p><w:r><w:t>Hello</w:t></w:r></w:p>" * 20 + end * 30_000)


def _nested_paragraphs() -> bytes:
    return _word("", "<w:p><w:r><w:t>a</w:t></w:r>" * 100_000 + "</w:p>" * 100_000)


def _huge_numbers() -> bytes:
    huge = "9" * 10_000
    inner = (
        f'<w:p><w:pPr><w:outlineLvl w:val="{huge}"/><w:ilvl w:val="{huge}"/></w:pPr><w:r><w:t>Hello</w:t></w:r></w:p>'
    )
    return files.make_docx(f'<w:tbl><w:tr><w:tc><w:gridSpan w:val="{huge}"/>{inner}</w:tc></w:tr></w:tbl>{inner}')


def _encrypted_part() -> bytes:
    """Set the flag of a password on every part."""
    data = bytearray(files.make_docx(["Hello"]))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(mark)
        while place >= 0:
            data[place + offset] |= 1
            place = data.find(mark, place + 4)
    return bytes(data)


def _circular_styles() -> bytes:
    styles = "".join(
        f'<w:style w:styleId="{one}"><w:basedOn w:val="{other}"/></w:style>' for one, other in ("ab", "ba", "cc")
    )
    return files.make_docx("".join(files.paragraph("Hello", style=style) for style in "abc"), styles=styles)


def _twice_the_same_part() -> bytes:
    """Rename one part to another one's name, so that the zip has two of it."""
    return files.make_docx(["Hello"], extra={"word/documens.xml": "<d/>"}).replace(b"documens.xml", b"document.xml")


def pdf_of(objects: list[bytes]) -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is its catalogue."""
    out, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table, len(objects) + 1, len(out),
    )  # fmt: skip


_CATALOGUE = b"<< /Type /Catalog /Pages 2 0 R >>"
_TREE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
_HELLO = b"<< /Length 38 >>\nstream\nBT /F1 12 Tf 50 700 Td (Hello) Tj ET    \nendstream"


def one_page(
    header: bytes = b"", stream: bytes = b"", *, page: bytes = b"", tree: bytes = _TREE, more: tuple[bytes, ...] = ()
) -> bytes:
    """Return a PDF of one page that says Hello, or whose content is this stream; `page` is added to the page."""
    content = header + b"\nstream\n" + stream + b"\nendstream" if header else _HELLO
    font = b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    entry = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << %s >> %s >>"
    return pdf_of([_CATALOGUE, tree, entry % (font, page), content, *more])


def _huge_picture() -> bytes:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(300)) + packer.flush()
    header = b"<< /Length 12 >>"
    picture = (
        b"<< /Type /XObject /Subtype /Image /Width 32000 /Height 32000 /BitsPerComponent 8 /ColorSpace /DeviceRGB "
        b"/Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed)
    )
    return one_page(header, b"/Im0 Do     ", page=b"/XObject << /Im0 5 0 R >>", more=(picture,))


def _many_objects() -> bytes:
    return files.make_pdf(["Hello"]).replace(b"xref\n", b"9 0 obj\nendobj\n" * 600_000 + b"xref\n", 1)


def _lying_page_count() -> bytes:
    return one_page(tree=b"<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>")


def _circular_pages() -> bytes:
    return pdf_of([_CATALOGUE, b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Parent 2 0 R /Count 2 >>"])


def _nested_array() -> bytes:
    return one_page(page=b"/Deep " + b"[" * 300_000 + b"]" * 300_000)


def _circular_outline() -> bytes:
    pdf = files.make_placed_pdf([[files.Placed("Hello")]], outline=[("One", 0), ("Two", 0)])
    return pdf.replace(b"/Next 8 0 R", b"/Next 7 0 R")


def _circular_reference_table() -> bytes:
    pdf = files.make_pdf(["Hello"])
    start = pdf.rindex(b"startxref\n") + len(b"startxref\n")
    table = pdf[start:].split()[0]
    return pdf.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %s" % table)


def _broken_font() -> bytes:
    font = b"/Resources << /Font << /F1 << /Type /Font /Subtype /TrueType /FontDescriptor 5 0 R >> >> >>"
    descriptor = b"<< /Type /FontDescriptor /FontName /X /Flags 4 /FontFile2 6 0 R >>"
    program = b"<< /Length 4000 >>\nstream\n" + bytes(range(250)) * 16 + b"\nendstream"
    return one_page(page=font, more=(descriptor, program))


def _wide_cells() -> bytes:
    return b"<html><table>" + b'<tr><td colspan=999999999 rowspan=999999999>x<td colspan="-1">y' * 2_000
