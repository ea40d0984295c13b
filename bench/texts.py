"""Text that reads like a handbook: sentences, paragraphs and headings, always the same."""

import ast
import random
import sysconfig
from functools import cache
from itertools import accumulate
from pathlib import Path

_SUBJECTS = ("bicycle", "frame", "wheel", "brake", "warranty", "delivery", "invoice", "workshop", "battery", "helmet")
_VERBS = ("covers", "needs", "replaces", "includes", "follows", "repairs", "checks", "extends", "excludes", "supports")
_QUALITIES = ("new", "used", "electric", "damaged", "regular", "free", "annual", "original", "urgent", "certified")
_SYLLABLES = ("the", "of", "an", "in", "re", "con", "ter", "ment", "tion", "al", "er", "ing", "pro", "de", "li", "sta",
              "ver", "com", "per", "est", "um", "or", "ity", "ab", "no", "ry", "side", "ward", "man")  # fmt: skip
_VOCABULARY = 20_000  # different words in the text that is not so simple
_ENDINGS = ("within two weeks", "after the inspection", "for every rider", "at no cost", "with the receipt")


def prose(characters: int, seed: int = 7) -> str:
    """Return about that many characters, in paragraphs under headings."""
    chance = random.Random(seed)
    parts: list[str] = []
    written = number = 0
    while written < characters:
        number += 1
        paragraphs = [_paragraph(chance) for _ in range(chance.randint(3, 6))]
        part = f"Section {number}: {chance.choice(_SUBJECTS)}\n\n" + "\n\n".join(paragraphs) + "\n\n"
        parts.append(part)
        written += len(part)
    return "".join(parts)[:characters]


def varied(characters: int, seed: int = 7) -> str:
    """Return about that many characters in paragraphs, of made-up words of which few are frequent and most are rare.

    The words are always those of one language.
    """
    language, chance = random.Random(0), random.Random(seed)
    words = ["".join(language.choices(_SYLLABLES, k=language.randint(1, 4))) for _ in range(_VOCABULARY)]
    weights = list(accumulate(1 / rank for rank in range(2, _VOCABULARY + 2)))
    parts: list[str] = []
    written = 0
    while written < characters:
        sentences = []
        for _ in range(chance.randint(3, 9)):
            sentence = chance.choices(words, cum_weights=weights, k=chance.randint(8, 28))
            sentences.append(f"{sentence[0].capitalize()} {' '.join(sentence[1:])}{chance.choice('....?!')}")
        parts.append(" ".join(sentences) + "\n\n")
        written += len(parts[-1])
    return "".join(parts)[:characters]


def documentation(characters: int, seed: int = 7) -> str:
    """Return about that many characters of what Python's own library says of itself, in paragraphs of any order."""
    paragraphs = list(_paragraphs_of_the_library())
    random.Random(seed).shuffle(paragraphs)
    return "\n\n".join(paragraphs)[:characters]


@cache
def _paragraphs_of_the_library() -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if "site-packages" in path.parts or "test" in path.parts:
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except SyntaxError:  # some are there to be wrong
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                said = (ast.get_docstring(node) or "").split("\n\n")
                found |= dict.fromkeys(text for part in said if len(text := " ".join(part.split())) > 80)
    return tuple(found)


def question(chance: random.Random) -> str:
    """Return a visitor's question, hardly ever the same one twice."""
    return f"What happens when {_sentence(chance).lower().rstrip('.')}?"


def _paragraph(chance: random.Random) -> str:
    return " ".join(_sentence(chance) for _ in range(chance.randint(4, 9)))


def _sentence(chance: random.Random) -> str:
    words = [
        f"The {chance.choice(_QUALITIES)} {chance.choice(_SUBJECTS)} {chance.choice(_VERBS)}",
        f"the {chance.choice(_QUALITIES)} {chance.choice(_SUBJECTS)} number {chance.randint(1, 9999)}",
        f"{chance.choice(_ENDINGS)}.",
    ]
    return " ".join(words)
