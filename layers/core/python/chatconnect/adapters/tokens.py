"""Token counts with a BPE vocabulary that comes inside the package, so that nothing is downloaded."""

from functools import cache
from typing import Any, Literal

Vocabulary = Literal["o200k_base", "cl100k_base"]


class BpeTokenCounter:
    """Counts tokens as OpenAI's models do; a good estimate for other models. Safe to share between threads.

    A call takes time linear in the text, whatever it holds. The first call loads the vocabulary (about 75 MB
    of memory).
    """

    def __init__(self, vocabulary: Vocabulary = "o200k_base") -> None:
        self._vocabulary = vocabulary

    def __call__(self, text: str) -> int:
        """Return how many tokens `text` has; lone surrogates count as question marks."""
        try:
            tokens: int = _tokenizer(self._vocabulary).count(text)
        except UnicodeEncodeError:
            return self(text.encode("utf-8", "replace").decode("utf-8"))
        return tokens


@cache
def _tokenizer(vocabulary: Vocabulary) -> Any:
    from rs_bpe.bpe import openai

    return getattr(openai, vocabulary)()
