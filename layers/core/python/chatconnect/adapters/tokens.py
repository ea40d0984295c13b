"""Token counts with a BPE vocabulary that comes inside the package, so that nothing is downloaded."""

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from splintr import AnyTokenizer

_REMEMBERED = 2_048
_LONGEST_REMEMBERED = 8_000  # characters: so all of them together are a few megabytes
_SPECIAL = "<|"  # so the names of all special tokens begin
_TOKEN_BYTES = 4

Vocabulary = Literal["o200k_base", "cl100k_base"]


class BpeTokenCounter:
    """Counts tokens as OpenAI's models do; a good estimate for other models. Safe to share between threads.

    A call takes time linear in the text, whatever it holds; of texts that were counted lately, such as an assistant's
    instructions, none at all. The first call loads the vocabulary (about 45 MB of memory).
    """

    def __init__(self, vocabulary: Vocabulary = "o200k_base") -> None:
        self._vocabulary = vocabulary

    def __call__(self, text: str) -> int:
        """Return how many tokens `text` has; lone surrogates count as question marks."""
        if len(text) > _LONGEST_REMEMBERED:
            return _counted(self._vocabulary, text)
        return _remembered(self._vocabulary, text)

    def forget(self) -> None:
        """Forget all texts and words that were counted: to measure how long it takes anew."""
        _remembered.cache_clear()
        _tokenizer(self._vocabulary).clear_cache()


def _counted(vocabulary: Vocabulary, text: str) -> int:
    tokenizer = _tokenizer(vocabulary)
    try:
        # What looks like a special token is none: it stands in the text. Where nothing does, no number has to be made
        # of each token.
        if _SPECIAL in text:
            return len(tokenizer.encode_ordinary(text))
        return len(tokenizer.encode_flat(text)) // _TOKEN_BYTES
    except UnicodeEncodeError:
        return _counted(vocabulary, text.encode("utf-8", "replace").decode("utf-8"))


_remembered = lru_cache(_REMEMBERED)(_counted)


@cache
def _tokenizer(vocabulary: Vocabulary) -> "AnyTokenizer":
    from splintr import Tokenizer

    return Tokenizer.from_pretrained(vocabulary)
