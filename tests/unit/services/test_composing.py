"""What of a prompt comes again with the next question, so that a provider may keep it."""

from itertools import pairwise
from typing import Any

from chatconnect.domain.conversation import Message
from chatconnect.ports.models import Prompt
from tests.unit.services.conversing import World, a_question, a_world, told


async def prompts_of(world: World, questions: int) -> list[Prompt]:
    """The prompts of a conversation of so many questions."""
    chat, visitor = world.chat(), world.visitor()
    place: dict[str, Any] = {}
    for number in range(questions):
        heard = await told(chat, visitor, a_question(f"Question number {number}?", **place))
        place = {"conversation_id": last_answer(world).conversation_id}
        assert heard[-1][0] == "done"
    return world.model.prompts


def last_answer(world: World) -> Message:
    return world.answers()[-1]


async def test_instructions_and_history_come_first_and_what_a_question_alone_needs_comes_with_it() -> None:
    world = await a_world("Answer.")
    await world.knows("Question number one is about shipping.")

    prompts = await prompts_of(world, 3)

    assert len({prompt.instructions for prompt in prompts}) == 1
    for earlier, later in pairwise(prompts):
        asked = earlier.messages[-1]
        assert "about shipping" in asked.data
        assert "about shipping" not in later.instructions
        assert [message.data for message in later.messages[:-1]] == [""] * (len(later.messages) - 1)
        assert later.messages[: len(earlier.messages) - 1] == earlier.messages[:-1]
        assert later.messages[len(earlier.messages) - 1].text == asked.text


async def test_all_of_the_history_lasts_until_its_beginning_falls_out() -> None:
    world = await a_world("Answer.", history_messages=4)

    prompts = await prompts_of(world, 5)

    assert [(len(prompt.messages) - 1, prompt.lasting) for prompt in prompts] == [
        (0, 0),
        (2, 2),
        (4, 0),
        (4, 0),
        (4, 0),
    ]


async def test_nothing_is_to_be_kept_where_the_assistant_does_not_allow_it() -> None:
    world = await a_world("Answer.", prompt_cache=False)

    prompts = await prompts_of(world, 2)

    assert [prompt.lasting for prompt in prompts] == [None, None]


async def test_a_call_beside_an_answer_does_not_come_again() -> None:
    world = await a_world("Answer.", history_messages=2)

    await prompts_of(world, 4)

    assert world.side.prompts
    assert {prompt.lasting for prompt in world.side.prompts} == {None}
