import time
from concurrent.futures import ThreadPoolExecutor

import pytest

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


class CountingTokenizer:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def count(self, text: str) -> int:
        self.texts.append(text)
        return len(text)


def test_a_text_is_counted_once_unless_it_is_long_or_long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = CountingTokenizer()
    monkeypatch.setattr("chatconnect.adapters.tokens._tokenizer", lambda _: tokenizer)
    count, instructions, document = BpeTokenCounter(), "Answer kindly, text 4711.", "long " * 10_000

    counts = [count(text) for text in (instructions, instructions, document, document)]

    assert counts == [25, 25, 50_000, 50_000]
    assert tokenizer.texts == [instructions, document, document]
    for number in range(3_000):
        count(f"other text 4711-{number}")
    count(instructions)
    assert tokenizer.texts.count(instructions) == 2


def test_threads_share_one_counter() -> None:
    count = BpeTokenCounter()
    texts = [f"Sentence number {number} of a longer text." for number in range(2000)]
    expected = [count(text) for text in texts]

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: [count(text) for text in texts], range(8)))

    assert results == [expected] * 8
