"""The product and its rivals over the same files, in turns: processor seconds, and what text is covered."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.environments import installed

LOCK = Path(__file__).with_name("requirements-splitters.txt")
ROUNDS = 6  # the first does not count


class Rivals:
    """The splitters in their own process."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._answer = process, folder / "chunks.json"

    def split(self, rival: str, path: Path) -> tuple[float, list[str]]:
        """Return the seconds that the rival took for the file, and its chunks."""
        assert self._process.stdin
        assert self._process.stdout
        request = {"rival": rival, "path": str(path), "answer": str(self._answer)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{rival} ended without an answer")
        return json.loads(line)["seconds"], json.loads(self._answer.read_text())


@contextmanager
def rivals(folder: Path) -> Iterator[Rivals]:
    """Start the rivals' process, and end it."""
    program = Path(__file__).with_name("rival_splitters.py")
    with subprocess.Popen(
        [str(installed("splitters", LOCK) / "bin" / "python"), str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": "", "NO_PROXY": "*", "HOME": str(folder)},
    ) as process:
        try:
            yield Rivals(process, folder)
        finally:
            process.kill()


def compared(
    files: Sequence[Path], ours: Callable[[Path], list[str]], names: Sequence[str], *, is_text: bool = False
) -> dict[str, Any]:
    """Let each take its turn with each file, in rounds; the first does not count, and no chunk comes twice.

    Returns for each its median seconds, and its chunks of the last file with the characters that they hold; a rival's
    `ratio` is how many times as long as the product it took, the median over the files. For files of text, says what
    share of the last one is covered.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ("product", *names)}
    chunks: dict[str, list[str]] = {}
    with rivals(files[0].parent) as others:
        for path in files:
            begin = time.process_time()
            chunks["product"] = ours(path)
            seconds["product"].append(time.process_time() - begin)
            for name in names:
                taken, chunks[name] = others.split(name, path)
                seconds[name].append(taken)
    figures: dict[str, Any] = {}
    for name, spent in seconds.items():
        ratios = [one / other for one, other in zip(spent[1:], seconds["product"][1:], strict=True)]
        figures[name] = {
            "seconds": round(median(spent[1:]), 3),
            "ratio": round(median(ratios), 2),
            **_held(chunks[name]),
        }
        if is_text:
            figures[name]["covered"] = covered(files[-1].read_text(), chunks[name])
    return figures


def covered(text: str, chunks: Sequence[str]) -> float:
    """Return the share of the text's characters, white space aside, that stand in some chunk."""
    done = total = place = 0
    for chunk in chunks:
        start = text.find(chunk, place)
        if start < 0:
            continue
        end = start + len(chunk)
        total += _visible(text[max(start, done) : end])
        done, place = max(done, end), start
    return round(total / _visible(text), 5)


def _held(chunks: Sequence[str]) -> dict[str, int]:
    return {"chunks": len(chunks), "characters": sum(map(_visible, chunks))}


def _visible(text: str) -> int:
    return sum(map(len, text.split()))
