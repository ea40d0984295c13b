"""Follow-ups, summaries and rebuilt prompts, from a question to what the model was given."""

from typing import Any

import pytest

from chatconnect.domain.errors import NotFound, ProviderFailed
from chatconnect.domain.identifiers import ConversationId, MessageId
from chatconnect.services.composing import PromptService
from tests.fakes.models import ScriptedModel
from tests.fakes.tenants import MemoryTenants
from tests.unit.services.conversing import World, a_question, a_world, told


async def talked(world: World, *questions: str) -> list[str]:
    """Ask one after the other in one conversation; return the ids of the answers."""
    chat, visitor, ids, place = world.chat(), world.visitor(), [], None
    for text in questions:
        [(_, start), *_] = await told(chat, visitor, a_question(text, conversation_id=place))
        world.clock.advance(1)
        place = ConversationId(next(iter(world.conversations.conversations))[1])
        ids.append(start["message_id"])
    return ids


def prompts(world: World) -> PromptService:
    return PromptService(
        conversations_of=world._conversations_of,
        tenants_of=lambda tenant_id: MemoryTenants(world.tenants, tenant_id),
    )


async def test_every_prompt_can_be_made_again_as_it_was() -> None:
    world = await a_world("It costs 49 euros [1].", history_messages=4)
    await world.knows("The pro plan costs 49 euros.")
    ids = await talked(world, *(f"Question number {n}?" for n in range(8)))
    given = list(world.model.prompts)

    rebuilt = [await prompts(world).rebuild(world.tenant_id, MessageId(answer.id)) for answer in world.answers()]

    assert len(ids) == len(given) == 8
    assert [(prompt.system, prompt.messages) for prompt, _ in rebuilt] == [(p.system, p.messages) for p in given]
    assert "What was said, in short." in given[-1].system
    assert "<summary>" not in given[1].system


async def test_a_question_has_no_prompt() -> None:
    world = await a_world("Hello.")
    await talked(world, "First?")
    question = world.answers()[0].parent_id
    assert question is not None

    with pytest.raises(NotFound):
        await prompts(world).rebuild(world.tenant_id, question)


async def test_a_summary_is_written_before_its_messages_are_gone_and_only_now_and_then() -> None:
    world = await a_world("Yes.", history_messages=8)

    await talked(world, *(f"Question number {n}?" for n in range(12)))

    assert 1 <= len(world.side.prompts) <= 5
    for prompt in world.model.prompts[4:]:
        said = "".join(message.text for message in prompt.messages)
        assert "Question number 0?" in said or "<summary>" in prompt.system


async def test_when_the_model_writes_no_summary_what_was_said_stands_in_for_it() -> None:
    world = await a_world("Yes.", history_messages=2)
    world.side = ScriptedModel(ProviderFailed())

    await talked(world, "My order is 4711.", "Where is it?", "Thank you.")

    assert "Visitor: My order is 4711." in world.model.prompts[-1].system
    assert world.faults == []


async def test_an_assistant_without_history_remembers_nothing() -> None:
    world = await a_world("Yes.", history_messages=0)

    await talked(world, "One?", "Two?", "Three?")

    assert world.side.prompts == []
    assert "<summary>" not in world.model.prompts[-1].system


async def test_a_follow_up_is_written_in_full_by_the_small_model() -> None:
    world = await a_world("Yes.", condense="auto")
    world.side = ScriptedModel("price of the pro plan")

    await talked(world, "What is in the pro plan?", "And how much?")

    [context] = [c for c in world.conversations.contexts.values() if c.history]
    assert context.query == "price of the pro plan"
    assert world.model.prompts[-1].messages[-1].text == "And how much?"
    assert world.answers()[-1].usage.input_tokens == 2 * world.answers()[0].usage.input_tokens


@pytest.mark.parametrize(
    ("changes", "question"),
    [
        ({"condense": "off"}, "And how much?"),
        ({"condense": "auto"}, "How long is the warranty on the frame?"),
    ],
)
async def test_no_model_is_asked_where_nothing_is_to_be_written_in_full(changes: dict[str, Any], question: str) -> None:
    world = await a_world("Yes.", **changes)

    await talked(world, "And what is in the pro plan?", question)

    assert world.side.prompts == []
    assert [context.query for context in world.conversations.contexts.values()][-1] == question


@pytest.mark.parametrize("script", [(ProviderFailed(),), (5.0,), ("x" * 500,), ("",)])
async def test_without_a_usable_query_the_words_of_the_last_question_help(script: tuple[Any, ...]) -> None:
    world = await a_world("Yes.", condense="auto")
    world.side, world.patience = ScriptedModel(*script), 0.05

    await talked(world, "What is in the pro plan?", "And how much?")

    queries = [context.query for context in world.conversations.contexts.values()]
    assert queries == ["What is in the pro plan?", "And how much? pro plan"]
    assert world.answers()[-1].status == "complete"
