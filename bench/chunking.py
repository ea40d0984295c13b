"""A megabyte of text to chunks of exactly at most 500 tokens: the product, LangChain and LlamaIndex, in turns.

Targets: four times the speed of LangChain's recursive splitter that counts tokens, six times LlamaIndex's of sentences.
Each counts in the way that its own documentation shows, with the same vocabulary: LangChain through
`from_tiktoken_encoder`, LlamaIndex with tiktoken's `encode` (its default), both with tiktoken's own vocabulary, and the
product with its own counter. That counter remembers texts and words, so every round has a text of its own, and there
are texts of three kinds: a handbook of few different words, one of as many as a language has, and what programmers
write of programs, full of names and signs. `new_words` are those of a process that has met none of them yet. The share
of the text that each one's chunks hold is compared.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.splitting import ROUNDS, compared
from bench.texts import documentation, prose, varied
from chatconnect.adapters.parsers.text import parse_text
from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.chunking import split

_CHARACTERS = 1_000_000
_TARGETS = {"langchain_recursive": 4, "llamaindex_sentences": 6}


def main() -> dict[str, Any]:
    """Return the figures."""
    return {
        "characters": _CHARACTERS,
        "target": _TARGETS,
        "few_words": _measured(prose),
        "many_words": _measured(varied),
        "new_words": _measured(varied, is_new=True),
        "documentation": _measured(documentation),
    }


def _measured(text: Callable[[int, int], str], *, is_new: bool = False) -> dict[str, Any]:
    count = BpeTokenCounter("cl100k_base")

    def ours(path: Path) -> list[str]:
        if is_new:
            count.forget()
        return [chunk.text for chunk in split(parse_text(path.read_bytes()), count)]

    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / f"{seed}.txt" for seed in range(ROUNDS)]
        for seed, path in enumerate(files):
            path.write_text(text(_CHARACTERS, seed))
        figures = compared(files, ours, list(_TARGETS), is_text=True)
    for each in figures.values():
        each["mb_per_second"] = round(_CHARACTERS / 1_000_000 / each["seconds"], 2)
    return figures
