"""Random damage to good files: `python -m tests.mutations SECONDS [SEED]` reads damaged files for so long.

Every file must end with a reason or as text that can be cut into chunks; one that does not is kept, and named.
"""

import asyncio
import random
import re
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from chatconnect.adapters.parsers.sandbox import SandboxedParser
from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.chunking import ParsedDocument, split
from chatconnect.domain.errors import DocumentRejected
from tests import files
from tests.hostile_files import PARSED

CODES = frozenset({
    "unsupported_type", "type_mismatch", "too_large", "encrypted", "damaged", "empty", "no_text", "too_complex",
    "parser_timeout", "parser_memory",
})  # fmt: skip
_CHUNK = 500
# Not for people: names of exceptions, paths, places in a program.
_INTERNAL = re.compile(r"Error\b|Exception|Traceback|/|\\x|line \d|None|0x")
_SENTENCE = re.compile(r"[A-Z].{10,160}\.")
_PARALLEL = 2


def good_files() -> dict[str, bytes]:
    """Return a good file of every format by its name, none longer than some kilobytes."""
    words = ["The warranty covers the frame for two years.", "Größe und Preis: 9,90 €.", "Call 0800 123 before noon."]
    table = "Name,Price,Stock\n" + "".join(f"Lamp {number},{number}.90,{number * 3}\n" for number in range(40))
    styles = files.heading_style("H1", "heading 1")
    body = files.paragraph("Terms", style="H1") + "".join(map(files.paragraph, words * 8))
    body += files.table([["Name", "Price"], ["Lamp", "9.90"]]) + files.paragraph("Item", in_list=True)
    page = "<!doctype html><html><body><h1>Terms</h1>" + "".join(f"<p>{word}</p>" for word in words * 8)
    page += "<table><tr><th>Name<th>Price<tr><td>Lamp<td>9.90</table><ul><li>One<li>Two</ul>"
    return {
        "a.pdf": files.make_pdf([words[0] + "\n" + words[2]] * 3),
        "b.pdf": files.make_placed_pdf(
            [[files.Placed("Terms", size=18), *files.lines_down(words[::2] * 9, y=640)]] * 2, outline=[("Terms", 0)]
        ),
        "a.docx": files.make_docx(body, styles=styles),
        "a.html": page.encode(),
        "a.md": ("# Terms\n\n" + "\n\n".join(words * 8) + "\n\n| a | b |\n|---|---|\n| 1 | 2 |\n").encode(),
        "a.csv": table.encode(),
        "a.txt": "\n\n".join(words * 10).encode(),
        "b.txt": "\n\n".join(words * 10).encode("utf-16"),
    }


def mutated(data: bytes, filename: str, chance: random.Random) -> bytes:
    """Return the file with one to four wounds; those of a Word file are at times inside its parts."""
    if filename.endswith(".docx") and chance.random() < 0.7:
        return _mutated_part(data, chance)
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(_WOUNDS)(data, chance)
    return data


def _mutated_part(data: bytes, chance: random.Random) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        wounded = chance.choice(old.namelist())
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, chance.choice(_WOUNDS)(content, chance) if name == wounded else content)
    return out.getvalue()


def _flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.randint(1, 30)):
        if changed:
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _truncated(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def _span(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.choice((1, 8, 100, 2_000)))


def _duplicated(data: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[start:end] * chance.choice((2, 3, 50, 1_000)) + data[end:]


def _spliced(data: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    place = chance.randint(0, len(data))
    return data[:place] + data[start:end] + data[place + (end - start) :]


def _removed(data: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] + data[end:]


def _poisoned(data: bytes, chance: random.Random) -> bytes:
    """Put in what parsers stumble over, or set a number to an absurd one."""
    numbers = list(re.finditer(rb"\d+", data))
    if numbers and chance.random() < 0.5:
        number = chance.choice(numbers)
        absurd = chance.choice((b"-1", b"0", b"4294967296", b"9" * 5_000, b"1e309"))
        return data[: number.start()] + absurd + data[number.end() :]
    place = chance.randint(0, len(data))
    poison = (b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"<!DOCTYPE x [", b"<![CDATA[", b'"', b"]]>", b"stream\n", b"%%EOF")
    return data[:place] + chance.choice(poison) * chance.choice((1, 100)) + data[place:]


_WOUNDS: list[Callable[[bytes, random.Random], bytes]] = [
    _flipped, _truncated, _duplicated, _spliced, _removed, _poisoned,
]  # fmt: skip


async def end_of(path: Path, filename: str, parser: SandboxedParser) -> str:
    """Return how reading ends, `PARSED` or a rejection's code. Raises AssertionError when it ends in no good way."""
    try:
        document = await parser.parse(path, filename)
    except DocumentRejected as error:
        rejected = error
    else:
        _check(document)
        return PARSED
    assert rejected.code in CODES, rejected.code
    assert _SENTENCE.fullmatch(rejected.message), rejected.message
    assert not _INTERNAL.search(rejected.message), rejected.message
    return rejected.code


def _check(document: ParsedDocument) -> None:
    """Check that what was parsed can be stored and cut into chunks."""
    assert document.text.strip()
    assert "\0" not in document.text
    document.text.encode()
    for section in document.sections:
        assert document.text[section.start : section.start + len(section.text)] == section.text
    for chunk in split(document, BpeTokenCounter(), size=_CHUNK):
        assert chunk.text == document.text[chunk.start : chunk.end]
        assert chunk.tokens <= _CHUNK


async def _run(seconds: float, seed: int, folder: Path) -> Counter[str]:
    """Read damaged files, two at a time, and return how often each format ended in which way."""
    good, ends, chance = list(good_files().items()), Counter[str](), random.Random(seed)
    until, parser = time.monotonic() + seconds, SandboxedParser()

    async def read_one(number: int) -> None:
        filename, data = chance.choice(good)
        path = folder / f"{seed}-{number}-{filename}"
        path.write_bytes(mutated(data, filename, chance))
        if not path.stat().st_size:
            return
        end = await end_of(path, filename, parser)
        ends[f"{filename.rpartition('.')[2]} {end}"] += 1
        path.unlink()  # one that ends in no good way stays

    number = 0
    while time.monotonic() < until:
        await asyncio.gather(*map(read_one, range(number, number + _PARALLEL)))
        number += _PARALLEL
    return ends


def main() -> None:
    """Run for as long as the command line says, and print what came of it."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    folder = Path(tempfile.mkdtemp(prefix="mutations-"))
    sys.stderr.write(f"seed {seed}, files in {folder}\n")
    ends = asyncio.run(_run(seconds, seed, folder))
    folder.rmdir()
    for what, count in sorted(ends.items()):
        sys.stdout.write(f"{count:7} {what}\n")
    sys.stdout.write(f"{ends.total():7} files, every one ended as it should\n")


if __name__ == "__main__":
    main()
