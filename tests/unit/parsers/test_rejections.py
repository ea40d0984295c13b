"""Files that cannot become knowledge: each gets a stable code, and the next file is read as ever."""

import asyncio
import time
from pathlib import Path

import pytest

from chatconnect.adapters.parsers.sandbox import MEBIBYTE, SandboxedParser
from chatconnect.domain.errors import DocumentRejected
from tests import files
from tests.unit.parsers.conftest import Read

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4


async def rejection(read: Read, data: bytes, filename: str, parser: SandboxedParser | None = None) -> DocumentRejected:
    with pytest.raises(DocumentRejected) as caught:
        await read(data, filename, parser)
    assert caught.value.message.endswith(".")
    return caught.value


@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (b"", "a.txt", "empty"),
        (b" \r\n\t ", "a.pdf", "empty"),
        (b"\xef\xbb\xbf\n", "a.csv", "empty"),
        (b"<html><body><script>x</script></body></html>", "a.html", "empty"),
        (files.make_docx([]), "a.docx", "empty"),
        (files.make_scanned_pdf(3), "a.pdf", "no_text"),
        (PNG, "a.png", "unsupported_type"),
        (PNG, "a.txt", "unsupported_type"),
        (b"{\\rtf1 Hello}", "a.rtf", "unsupported_type"),
        (files.make_old_word(), "a.doc", "unsupported_type"),
        (files.make_zip({"photo.txt": "x"}), "a.zip", "unsupported_type"),
        (files.make_zip({"[Content_Types].xml": "", "xl/workbook.xml": ""}), "a.xlsx", "unsupported_type"),
        (b"just text", "a.pdf", "type_mismatch"),
        (PNG, "a.pdf", "type_mismatch"),
        (files.make_docx(["x"]), "a.pdf", "type_mismatch"),
        (files.make_old_word(), "a.pdf", "type_mismatch"),
        (files.make_pdf(["x"]), "a.docx", "type_mismatch"),
        (files.make_pdf(["x"]), "a.txt", "type_mismatch"),
        (files.make_zip({"photo.txt": "x"}), "a.docx", "type_mismatch"),
        (b"<!DOCTYPE html><html>Log in first</html>", "a.csv", "type_mismatch"),
        (files.make_pdf(["x"], password="secret"), "a.pdf", "encrypted"),
        (files.make_encrypted_docx(), "a.docx", "encrypted"),
        (files.make_truncated_pdf(), "a.pdf", "damaged"),
        (b"%PDF-1.7\nnothing of a PDF follows\nstartxref\n0\n%%EOF", "a.pdf", "damaged"),
        (files.make_docx(["text"] * 300)[:-200], "a.docx", "damaged"),
        (files.make_docx("<w:p>never closed"), "a.docx", "damaged"),
        (files.make_scanned_pdf(2001), "a.pdf", "too_complex"),
        (files.make_entity_bomb(), "a.docx", "too_complex"),
        (b"a\n" * 500_002, "a.csv", "too_complex"),
        (b"n" * 100_000 + b",b\n" + b"1,2\n" * 1000, "a.csv", "too_complex"),
        (b"# A\n\nb\n" * 100_001, "a.md", "too_complex"),
        (b'a,b\n1,"never closed\n' + b"x" * 1_100_000, "a.csv", "too_complex"),
    ],
)
async def test_a_bad_file_is_rejected_with_its_code(read: Read, data: bytes, filename: str, code: str) -> None:
    assert (await rejection(read, data, filename)).code == code


async def test_an_old_word_file_is_told_what_to_do(read: Read) -> None:
    assert "save it as .docx" in (await rejection(read, files.make_old_word(), "letter.doc")).message


async def test_eleven_megabytes_are_too_large(read: Read) -> None:
    rejected = await rejection(read, b"x" * 11 * MEBIBYTE, "a.txt")

    assert rejected.code == "too_large"
    assert "10 MB" in rejected.message


async def test_ten_megabytes_are_not(read: Read) -> None:
    data = b"A line of text.\n" * (10 * MEBIBYTE // 16)

    document = await read(data, "a.txt")

    assert len(document.text) == len(data) - 1


async def test_a_zip_bomb_is_refused_before_it_unpacks(read: Read) -> None:
    rejected = await rejection(read, files.make_docx_bomb(), "a.docx", SandboxedParser(memory_bytes=64 * MEBIBYTE))

    assert rejected.code == "too_complex"


async def test_a_pdf_bomb_hits_the_memory_limit(read: Read) -> None:
    rejected = await rejection(read, files.make_pdf_bomb(), "a.pdf")

    assert rejected.code == "parser_memory"


async def test_text_that_needs_more_memory_than_there_is_is_refused(read: Read) -> None:
    data = b"A line of text.\n" * 600_000

    rejected = await rejection(read, data, "a.txt", SandboxedParser(memory_bytes=40 * MEBIBYTE))

    assert rejected.code == "parser_memory"


async def test_a_file_that_takes_too_long_is_given_up(read: Read) -> None:
    data = files.make_pdf(["A line of text\n" * 60] * 1500)
    before = time.monotonic()

    rejected = await rejection(read, data, "a.pdf", SandboxedParser(timeout_seconds=0.2))

    assert rejected.code == "parser_timeout"
    assert time.monotonic() - before < 5


async def test_html_made_to_be_slow_ends_with_the_time_limit(read: Read) -> None:
    data = b"<html>" + b"<i>" * 3_000 + b"</u></b>" * 1_000_000

    rejected = await rejection(read, data, "a.html", SandboxedParser(timeout_seconds=1))

    assert rejected.code == "parser_timeout"


async def test_bad_files_do_not_harm_good_ones_beside_them(tmp_path: Path) -> None:
    parser = SandboxedParser()
    good, bomb, broken = tmp_path / "good", tmp_path / "bomb", tmp_path / "broken"
    good.write_bytes(files.make_pdf(["All is well"]))
    bomb.write_bytes(files.make_pdf_bomb())
    broken.write_bytes(files.make_truncated_pdf())

    async def outcome(path: Path) -> str:
        try:
            return (await parser.parse(path, "a.pdf")).text
        except DocumentRejected as rejected:
            return rejected.code

    outcomes = await asyncio.gather(*map(outcome, (bomb, good, broken, good)))

    assert outcomes == ["parser_memory", "All is well", "damaged", "All is well"]
