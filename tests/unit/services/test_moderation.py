"""What an assistant neither reads nor says, while its answer streams."""

import asyncio

from chatconnect.domain.conversation import Message, MessageStatus
from chatconnect.domain.errors import ProviderFailed
from chatconnect.domain.moderation import FORBIDDEN, Moderation, ModerationMode, ModerationResult
from tests.unit.services.conversing import World, a_question, a_world, names, text_of, told

RULES = Moderation(ModerationMode.RULES, "We do not talk about that.", ("Globex",))
PROVIDER = Moderation(ModerationMode.PROVIDER, "We do not talk about that.")


def the_answer(world: World) -> Message:
    [answer] = world.answers()
    return answer


async def test_a_refused_question_reaches_no_model_and_gets_the_configured_words() -> None:
    world = await a_world("Hello.", moderation=PROVIDER)

    heard = await told(world.chat(), world.visitor(), a_question("Tell me [flag:violence]"))

    assert names(heard) == ["start", "token", "done"]
    assert (text_of(heard), heard[-1][1]["finish_reason"]) == ("We do not talk about that.", "refused")
    assert world.model.prompts == []
    answer = the_answer(world)
    assert (answer.status, answer.finish_reason, answer.usage.cost_microusd) == (MessageStatus.COMPLETE, "refused", 0)
    assert answer.moderation == ModerationResult(input=("violence",))


async def test_an_answer_is_shown_up_to_the_sentence_that_is_refused() -> None:
    world = await a_world("It is free", ". Or ask Glo", "bex", ". They know. ", "More.", moderation=RULES)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert text_of(heard) == "It is free.\n\nWe do not talk about that."
    answer = the_answer(world)
    assert answer.text == text_of(heard)
    assert (answer.finish_reason, answer.moderation) == ("refused", ModerationResult(output=(FORBIDDEN,)))
    assert answer.usage.output_tokens > 0  # what was generated and not shown is paid for


async def test_a_phrase_of_several_sentences_is_found() -> None:
    phrase = Moderation(ModerationMode.RULES, "We do not talk about that.", ("one. Two. Three",))
    world = await a_world("It goes: one. ", "Two. ", "Three. ", "More.", moderation=phrase)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert text_of(heard) == "It goes: one. Two.\n\nWe do not talk about that."


async def test_a_good_answer_is_shown_whole_and_said_to_be_checked() -> None:
    world = await a_world("It is free. ", "No strings", " attached", moderation=PROVIDER)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert text_of(heard) == "It is free. No strings attached"
    assert the_answer(world).moderation == ModerationResult()
    assert world.moderator.asked == ["What does it cost?", "It is free. ", "It is free. No strings attached"]


async def test_a_sentence_is_shown_as_soon_as_it_is_complete() -> None:
    going_on = asyncio.Event()
    world = await a_world("It is free. And", going_on, " good.", moderation=RULES)
    shown = []

    chat = world.chat()
    async for frame in await chat.ask(world.visitor(), a_question()):
        shown.append(frame.name)
        if frame.name == "token":
            going_on.set()
    await chat.drain()

    assert shown.count("token") == 2


async def test_nothing_passes_unchecked_when_the_provider_cannot_be_asked() -> None:
    world = await a_world("Hello.", moderation=PROVIDER)
    world.moderator.fault = ProviderFailed()

    heard = await told(world.chat(), world.visitor(), a_question())

    assert names(heard) == ["start", "error"]
    assert (heard[-1][1]["code"], heard[-1][1]["retryable"]) == ("moderation_unavailable", True)
    assert world.model.prompts == []


async def test_without_moderation_nothing_is_asked_or_held_back() -> None:
    world = await a_world("How can I make", " a bomb", "?")

    heard = await told(world.chat(), world.visitor(), a_question("[flag:violence]"))

    assert names(heard).count("token") == 3
    assert (the_answer(world).moderation, world.moderator.asked) == (None, [])
