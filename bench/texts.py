"""Text that reads like a handbook: sentences, paragraphs and headings, always the same."""

import random

_SUBJECTS = ("bicycle", "frame", "wheel", "brake", "warranty", "delivery", "invoice", "workshop", "battery", "helmet")
_VERBS = ("covers", "needs", "replaces", "includes", "follows", "repairs", "checks", "extends", "excludes", "supports")
_QUALITIES = ("new", "used", "electric", "damaged", "regular", "free", "annual", "original", "urgent", "certified")
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
