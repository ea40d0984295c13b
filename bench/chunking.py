"""A megabyte of text to chunks of exactly at most 500 tokens: the product, LangChain and LlamaIndex, in turns.

Targets: four times the speed of LangChain's recursive splitter that counts tokens, six times LlamaIndex's of sentences.
All count with one vocabulary, and the share of the text that each one's chunks hold is compared.
"""

import tempfile
from pathlib import Path
from typing import Any

from bench.splitting import compared
from bench.texts import prose
from chatconnect.adapters.parsers.text import parse_text
from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.chunking import split

_CHARACTERS = 1_000_000
_TARGETS = {"langchain_recursive": 4, "llamaindex_sentences": 6}


def main() -> dict[str, Any]:
    """Return the figures."""
    text = prose(_CHARACTERS)
    count = BpeTokenCounter("cl100k_base")

    def ours() -> list[str]:
        return [chunk.text for chunk in split(parse_text(path.read_bytes()), count)]

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "handbook.txt"
        path.write_text(text)
        figures = compared(path, ours, list(_TARGETS), text)
    for each in figures.values():
        each["mb_per_second"] = round(len(text) / 1_000_000 / each["seconds"], 2)
    return {"characters": len(text), "target": _TARGETS, **figures}
