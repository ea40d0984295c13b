import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rs_bpe.bpe import openai

from chatconnect.adapters import tokens
from chatconnect.adapters.tokens import BpeTokenCounter


def test_tokens_are_counted_as_the_models_count_them() -> None:
    count = BpeTokenCounter()

    assert count("") == 0
    assert count("Hello, world!") == 4
    assert count("Hello, world! " * 100) == 401


def test_the_older_vocabulary_can_be_chosen() -> None:
    chinese = "价格是十欧元。每月付款。"

    assert BpeTokenCounter("cl100k_base")(chinese) > BpeTokenCounter("o200k_base")(chinese)


def test_a_lone_surrogate_is_counted_and_raises_nothing() -> None:
    assert BpeTokenCounter()("broken \ud83d text") == BpeTokenCounter()("broken ? text")


@pytest.mark.parametrize("character", ["a", " ", "\n", ".", "1", "汉", "😀", "\u0e01"])
def test_a_million_equal_characters_take_linear_time(character: str) -> None:
    count = BpeTokenCounter()
    before = time.process_time()

    assert count(character * 1_000_000) > 0

    assert time.process_time() - before < 5


class Characters:
    """A tokenizer to which every character is a token, and that keeps what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def encode_flat(self, text: str) -> bytes:
        self.texts.append(text)
        return text.encode("utf-32-le")


@pytest.fixture
def divided(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the tokenizer was given."""
    tokenizer = Characters()
    monkeypatch.setattr(tokens, "_tokenizer", lambda _: tokenizer)
    tokens._remembered.cache_clear()
    yield tokenizer.texts
    tokens._remembered.cache_clear()


def test_a_text_is_counted_once_unless_it_is_long_or_long_ago(divided: list[str]) -> None:
    count, instructions, document = BpeTokenCounter(), "Be kind, text 4711.", "long " * 10_000

    counts = [count(text) for text in (instructions, instructions, document, document)]

    assert counts == [19, 19, 50_000, 50_000]
    assert divided == [instructions, document, document]
    for number in range(3_000):
        count(f"other text 4711 {number}")
    count(instructions)
    assert divided.count(instructions) == 2


def test_a_text_that_was_forgotten_has_as_many_tokens_as_before() -> None:
    count = BpeTokenCounter()
    before = count("Your bicycle's warranty")

    count.forget()

    assert count("Your bicycle's warranty") == before == 4


@pytest.mark.parametrize("vocabulary", ["o200k_base", "cl100k_base"])
def test_what_looks_like_a_special_token_is_text(vocabulary: tokens.Vocabulary) -> None:
    names = list(tokens._tokenizer(vocabulary).special_tokens())

    counts = [BpeTokenCounter(vocabulary)(f"Say {name}!") for name in names]

    assert "<|endoftext|>" in names
    assert counts == [getattr(openai, vocabulary)().count(f"Say {name}!") for name in names]


SPOKEN = st.lists(
    st.sampled_from([
        "the", "Tür", "don't", "'s", "I'LL", "12", "3.5", "!", "/", '"', "汉字", "สวัสดี", "x\ny", "\t", ".\n\n", "\r",
        "\u00a0", "\u3000", "😀", "e\u0301", "ß", "²", "§7", "", "\n/a", "A",
    ])
)  # fmt: skip


@pytest.mark.parametrize("vocabulary", ["o200k_base", "cl100k_base"])
@given(words=SPOKEN | st.lists(st.text(max_size=5)), gap=st.sampled_from([" ", " ", "", "  "]))
@settings(max_examples=300)
def test_a_text_has_as_many_tokens_as_if_it_were_divided_at_once(
    vocabulary: tokens.Vocabulary, words: list[str], gap: str
) -> None:
    text = gap.join(words).encode("utf-8", "replace").decode()

    assert BpeTokenCounter(vocabulary)(text) == getattr(openai, vocabulary)().count(text)


def test_threads_share_one_counter() -> None:
    count = BpeTokenCounter()
    texts = [f"Sentence number {number} of a longer text." for number in range(2000)]
    expected = [count(text) for text in texts]

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: [count(text) for text in texts], range(8)))

    assert results == [expected] * 8
