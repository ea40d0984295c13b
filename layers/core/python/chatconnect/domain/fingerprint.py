"""What remains of a message to recognise it by when it comes again: numbers, from which nobody can read it."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

from chatconnect.domain.text import UNSPACED

SHORT = 12
"""Characters: a shorter text ("yes", "thank you") is said again and again in any conversation."""

_SKETCH = 16
_MOST_WORDS = 400
_WORD = re.compile(r"\w+")
_STRETCHED = re.compile(r"(\D)\1+")
_UNSPACED_WORTH = 3  # one such character says about as much as three letters


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Numbers that stand for a text.

    `exact` is the whole text's, letter case, punctuation and stretched letters ("heeelp") aside; `figures` is that of
    the words with digits in it. `words` are the smallest 16 of its words' numbers, which are so short that many words
    share each.
    """

    exact: int
    figures: int
    words: tuple[int, ...]
    short: bool

    def resembles(self, other: "Fingerprint", similarity: float) -> bool:
        """Whether both texts are the same, or share so large a part of their words and all of their figures.

        "What does item 4711 cost?" and "What does item 4712 cost?" are two questions.
        """
        if self.exact == other.exact:
            return True
        if self.short or other.short or self.figures != other.figures:
            return False
        mine, theirs = set(self.words), set(other.words)
        both = sorted(mine | theirs)[:_SKETCH]
        return sum(word in mine and word in theirs for word in both) >= similarity * len(both)


def fingerprint(text: str, salt: bytes) -> Fingerprint:
    """Return the fingerprint of a `comparable` text. With another salt (1 to 64 bytes) it is another one."""
    words = _words(_STRETCHED.sub(r"\1", text))
    said = " ".join(words) or text
    seed = crc32(salt)
    numbers = sorted({crc32(word.encode(), seed) & 0xFFFF for word in words[:_MOST_WORDS]})
    figures = [word for word in words if any(map(str.isdigit, word))]
    length = len(said) + (_UNSPACED_WORTH - 1) * len(UNSPACED.findall(said))
    return Fingerprint(
        exact=number_of(said, salt),
        figures=number_of(" ".join(figures), salt) if figures else 0,
        words=tuple(numbers[:_SKETCH]),
        short=length < SHORT,
    )


def number_of(text: str, salt: bytes) -> int:
    """Return 48 bits that stand for a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=6, key=salt).digest())


def _words(text: str) -> list[str]:
    """Return the words; of a script that has no spaces between them, the pairs of characters."""
    words: list[str] = []
    for word in _WORD.findall(text):
        if len(word) > 2 and UNSPACED.search(word):
            words += [word[at : at + 2] for at in range(len(word) - 1)]
        else:
            words.append(word)
    return words
