"""Archives that are written in pieces, by one process after the other."""

import json
from io import BytesIO
from zipfile import ZipFile

from chatconnect.services.archive_writer import ArchiveWriter

ENTRIES = {f"messages/{number:05}.jsonl": f'{{"text": "line {number}"}}\n'.encode() * 50 for number in range(1, 9)}


async def test_an_archive_holds_what_was_added() -> None:
    writer = ArchiveWriter()

    for name, content in ENTRIES.items():
        await writer.add(name, content)
    await writer.end()

    with ZipFile(BytesIO(writer.take())) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == ENTRIES


async def test_another_process_goes_on_behind_what_was_stored_and_the_bytes_are_the_same() -> None:
    whole, stored, state = ArchiveWriter(), b"", "[]"
    for name, content in ENTRIES.items():
        await whole.add(name, content)
        writer = ArchiveWriter(json.loads(state), len(stored))
        await writer.add(name, content)
        stored += writer.take()
        state = json.dumps(writer.entries())
    await whole.end()
    writer = ArchiveWriter(json.loads(state), len(stored))
    await writer.end()

    assert stored + writer.take() == whole.take()


async def test_what_was_not_stored_is_not_missed() -> None:
    writer = ArchiveWriter()
    await writer.add("a.jsonl", b"stored")
    stored, state = writer.take(), writer.entries()
    await writer.add("b.jsonl", b"lost with its process")

    again = ArchiveWriter(state, len(stored))
    await again.add("b.jsonl", b"done again")
    await again.end()

    with ZipFile(BytesIO(stored + again.take())) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "a.jsonl": b"stored",
            "b.jsonl": b"done again",
        }
