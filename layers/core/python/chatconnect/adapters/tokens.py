"""Token counts with a BPE vocabulary that comes inside the package, so that nothing is downloaded."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Literal

_REMEMBERED = 2_048
_LONGEST_REMEMBERED = 8_000  # characters: so all of them together are a few megabytes
_WORDS = 50_000
_LONGEST_WORD = 32  # characters: so all of them together are some megabytes

Vocabulary = Literal["o200k_base", "cl100k_base"]


class BpeTokenCounter:
    """Counts tokens as OpenAI's models do; a good estimate for other models. Safe to share between threads.

    A call takes time linear in the text, whatever it holds; of texts that were counted lately, such as an assistant's
    instructions, none at all. The first call loads the vocabulary (about 75 MB of memory).
    """

    def __init__(self, vocabulary: Vocabulary = "o200k_base") -> None:
        self._vocabulary = vocabulary

    def __call__(self, text: str) -> int:
        """Return how many tokens `text` has; lone surrogates count as question marks."""
        if len(text) > _LONGEST_REMEMBERED:
            return _counted(self._vocabulary, text)
        return _remembered(self._vocabulary, text)


def _counted(vocabulary: Vocabulary, text: str) -> int:
    try:
        return _words(vocabulary).total(text)
    except UnicodeEncodeError:
        return _counted(vocabulary, text.encode("utf-8", "replace").decode("utf-8"))


_remembered = lru_cache(_REMEMBERED)(_counted)


def forget_words() -> None:
    """Forget what was counted: to measure how long it takes anew."""
    _remembered.cache_clear()
    _words.cache_clear()


class _Words(dict[str, int]):
    """The words met lately, each with the number of tokens that it has together with the blank before it.

    Both vocabularies begin a new token at the last blank before a visible character, so a text's tokens are those of
    its words; to look a word up is several times as fast as to divide it.
    """

    def __init__(self, count: Callable[[str], int]) -> None:
        super().__init__()
        self._count = count

    def total(self, text: str) -> int:
        """Return how many tokens the text has."""
        if "  " in text:
            return self._count(text)
        words = iter(text.split(" "))
        first = next(words)
        try:
            return sum(map(self.__getitem__, words), self._count(first) if first else 0)
        except _NotBetweenWords:
            return self._count(text)

    def __missing__(self, word: str) -> int:
        if not word or word[0].isspace():
            raise _NotBetweenWords
        tokens = self._count(f" {word}")
        if len(word) <= _LONGEST_WORD:
            if len(self) >= _WORDS:
                self.clear()
            self[word] = tokens
        return tokens


class _NotBetweenWords(Exception):
    """A blank stands before other white space or at an end of the text."""


@cache
def _words(vocabulary: Vocabulary) -> _Words:
    return _Words(_tokenizer(vocabulary))


@cache
def _tokenizer(vocabulary: Vocabulary) -> Callable[[str], int]:
    from rs_bpe.bpe import openai

    count: Callable[[str], int] = getattr(openai, vocabulary)().count
    return count
