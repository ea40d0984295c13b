"""A visitor's pass in the chat: it ends with the key that it was given for."""

from dataclasses import replace

import pytest

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.principals import Visitor
from chatconnect.domain.secret import Secret
from chatconnect.ports.epochs import Area
from chatconnect.services.chat_tokens import ChatTokens
from tests.fakes.credentials import NumberedTokens
from tests.fakes.keys import MemoryKeys
from tests.unit.services.conversing import World, a_question, a_world, text_of, told
from tests.unit.services.refusals import refusal


@pytest.fixture
async def world() -> World:
    return await a_world("Hello.")


@pytest.fixture
def visitor(world: World) -> Visitor:
    return replace(world.visitor(), key_id=world.new.widget_key[0].id)


async def revoke_key(world: World) -> None:
    key, _ = world.new.widget_key
    await MemoryKeys(world.tenants, world.tenant_id).revoke(key.id, world.clock())
    world.epochs.begin(world.tenant_id, Area.CONFIGURATION)


async def test_a_pass_says_all_that_is_needed_of_a_visitor(visitor: Visitor) -> None:
    tokens = ChatTokens(NumberedTokens())
    identified = replace(visitor, external_id="user-1")
    of_before = replace(visitor, key_id=None)

    read = [await tokens.read(Secret(await tokens.give(each))) for each in (visitor, identified, of_before)]

    assert read == [visitor, identified, of_before]


async def test_with_an_ended_key_nothing_is_asked_read_on_or_stopped(world: World, visitor: Visitor) -> None:
    chat = world.chat()
    assert text_of(await told(chat, visitor, a_question())) == "Hello."
    answer_id = world.answers()[0].id

    await revoke_key(world)

    for attempt in (
        chat.ask(visitor, a_question()),
        chat.resume(visitor, answer_id, 0),
        chat.cancel(visitor, answer_id),
    ):
        assert await refusal(attempt, Unauthenticated) == "key_revoked"
    assert len(world.answers()) == 1


async def test_the_key_is_read_once_while_nothing_changes(world: World, visitor: Visitor) -> None:
    chat = world.chat()

    for _ in range(3):
        await told(chat, visitor, a_question())

    assert world.tenants.key_reads == 1
