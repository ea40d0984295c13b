"""Hostile files: whatever a file does, it ends with a reason or as text, and in time."""

import random
import time
from pathlib import Path

import pytest

from chatconnect.adapters.parsers.sandbox import SandboxedParser
from tests.hostile_files import Hostile, corpus
from tests.mutations import end_of, good_files, mutated

SECONDS = 10
CORPUS = corpus()
MUTATIONS = 6  # of each good file; `make fuzz-files` tries thousands


@pytest.fixture
def parser() -> SandboxedParser:
    return SandboxedParser(timeout_seconds=SECONDS)


def test_there_are_at_least_forty_hostile_files() -> None:
    assert len({hostile.name for hostile in CORPUS}) == len(CORPUS) >= 40


@pytest.mark.parametrize("hostile", CORPUS, ids=lambda hostile: hostile.name)
async def test_a_hostile_file_ends_as_it_should_and_in_time(
    tmp_path: Path, parser: SandboxedParser, hostile: Hostile
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(hostile.make())
    begin = time.monotonic()

    end = await end_of(path, hostile.filename, parser)

    assert end in hostile.ends
    assert time.monotonic() - begin < 3 * SECONDS


@pytest.mark.parametrize("filename", good_files())
async def test_a_good_file_with_random_damage_ends_well(tmp_path: Path, parser: SandboxedParser, filename: str) -> None:
    chance, path = random.Random(f"seven {filename}"), tmp_path / "upload"

    for _ in range(MUTATIONS):
        path.write_bytes(mutated(good_files()[filename], filename, chance))

        await end_of(path, filename, parser)  # raises for an end that no file may have


@pytest.mark.parametrize("filename", good_files())
async def test_the_good_files_are_good(tmp_path: Path, parser: SandboxedParser, filename: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(good_files()[filename])

    assert await end_of(path, filename, parser) == "parsed"


async def test_a_crash_says_nothing_of_the_document(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "a sentence that must not be logged"
    (tmp_path / "charset_normalizer.py").write_text(f"raise ValueError({secret!r})")
    path = tmp_path / "upload"
    path.write_bytes("Покупатель может вернуть товар".encode("cp1251"))
    monkeypatch.syspath_prepend(str(tmp_path))

    end = await end_of(path, "a.txt", SandboxedParser())

    logged = capfd.readouterr().err
    assert (end, secret in logged, "parser fault: ValueError" in logged) == ("damaged", False, True)
