"""The model that is none: what it quotes, and how it says so."""

import json
from uuid import uuid4

import pytest

from chatconnect.adapters.offline import LABEL, NO_PASSAGES, OfflineChat
from chatconnect.domain.identifiers import DocumentId, VersionId
from chatconnect.domain.knowledge import Chunk, Passage
from chatconnect.domain.response_format import TEXT, FormatKind, ResponseFormat
from chatconnect.ports.models import Finished, GenerationOptions, Prompt, PromptMessage, TextDelta

SHIPPING = "Orders leave on the same day. Shipping costs 4.90 euros, e.g. to Bremen. We love parcels!"
RETURNS = "Returns\nYou may return any item within 30 days.\nThe refund reaches your account\nwithin a week."
CHINESE = "本店位于柏林。保修期为两年。我们周日休息。"


def passages(*texts: str) -> tuple[Passage, ...]:
    document, version = DocumentId(uuid4()), VersionId(uuid4())
    return tuple(
        Passage(Chunk(document, version, "Guide", position, text, 0, len(text)), score=1.0)
        for position, text in enumerate(texts)
    )


async def ask(
    question: str,
    *texts: str,
    model: OfflineChat | None = None,
    max_tokens: int = 500,
    form: ResponseFormat = TEXT,
) -> str:
    prompt = Prompt("", (PromptMessage("user", question),), passages(*texts))
    options = GenerationOptions(max_tokens, response_format=form)
    deltas = [delta async for delta in (model or OfflineChat()).stream(prompt, options)]
    assert isinstance(deltas[-1], Finished)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def test_the_fitting_sentence_is_quoted_word_for_word_with_its_marker() -> None:
    answer = await ask("How much is shipping?", RETURNS, SHIPPING)

    assert answer == f"{LABEL}\n\n“Shipping costs 4.90 euros, e.g. to Bremen.” [2]"


async def test_a_wrapped_line_is_one_sentence_and_a_heading_is_its_own() -> None:
    answer = await ask("When does the refund reach my account?", SHIPPING, RETURNS)

    assert "“The refund reaches your account\nwithin a week.” [2]" in answer


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("保修期有多长?", "保修期为两年。"),
        ("你们周日营业吗?", "我们周日休息。"),
        ("Where is the WARRANTY?", "The warranty is here."),
    ],
)
async def test_it_works_in_scripts_without_spaces_and_ignores_case(question: str, quote: str) -> None:
    answer = await ask(question, CHINESE, "The warranty is here. It rains.")

    assert f"“{quote}”" in answer


async def test_several_passages_may_answer_but_no_more_than_three() -> None:
    texts = [f"Delivery to country {name} takes {days} days." for days, name in enumerate("ABCDE", start=1)]

    answer = await ask("How long does delivery take?", *texts)

    assert [marker for marker in range(1, 6) if f"[{marker}]" in answer] == [1, 2, 3]


async def test_the_same_sentence_in_two_passages_is_quoted_once() -> None:
    answer = await ask("How much is shipping?", SHIPPING, SHIPPING)

    assert answer.count("Shipping costs") == 1


async def test_without_a_common_word_the_best_passage_speaks() -> None:
    answer = await ask("Wohin mit dem Karton?", RETURNS, SHIPPING)

    assert "“You may return any item within 30 days.” [1]" in answer


async def test_without_passages_it_says_so() -> None:
    assert await ask("How much is shipping?") == NO_PASSAGES


async def test_the_texts_are_the_deployments_to_choose() -> None:
    model = OfflineChat(label="Aus den Unterlagen:", no_passages="Nichts gefunden.")

    assert (await ask("Kosten?", "Es kostet nichts.", model=model)).startswith("Aus den Unterlagen:")
    assert await ask("Kosten?", model=model) == "Nichts gefunden."


async def test_further_quotes_are_left_out_when_the_answer_would_be_too_long() -> None:
    texts = [f"Delivery to country {name} takes some days." for name in "ABC"]

    answer = await ask("How long does delivery take?", *texts, max_tokens=30)

    assert answer.count("“") == 1


async def test_an_endless_line_is_shortened_to_words_that_stand_there() -> None:
    text = "shipping price list " * 200

    answer = await ask("shipping price?", text)

    quote = answer.split("“")[1].split("”")[0]
    assert len(quote) <= 400
    assert quote in text


@pytest.mark.parametrize("texts", [(SHIPPING,), ()])
async def test_asked_for_json_it_gives_its_answer_as_an_object_without_markers(texts: tuple[str, ...]) -> None:
    plain = await ask("How much is shipping?", *texts)

    answer = await ask("How much is shipping?", *texts, form=ResponseFormat(FormatKind.JSON))

    assert json.loads(answer) == {"answer": plain.removesuffix(" [1]")}
