"""What every store of visitors and of who is blocked does."""

import pytest

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import VisitorId, new_id
from chatconnect.domain.visitor import Block, KnownVisitor
from tests.contracts.visiting import HOUR, Company, acme, globex, open_company
from tests.factories import NOON, seconds

__all__ = ["acme", "globex", "open_company"]


async def test_a_blocked_visitor_is_shown_with_who_blocked_them_and_why(acme: Company) -> None:
    visitor_id = await acme.visitor()
    block = Block("Insults", seconds(5), acme.new.owner.id, seconds(HOUR))

    await acme.visitors.block(visitor_id, block)

    visitor = await acme.visitors.get(visitor_id, seconds(6))
    assert visitor == KnownVisitor(visitor_id, NOON, NOON, block=block)
    assert await acme.visitors.is_blocked(visitor_id, seconds(6))
    assert await acme.visitors.blocked(seconds(6)) == {visitor_id: seconds(HOUR)}


async def test_a_second_block_takes_the_place_of_the_first(acme: Company) -> None:
    visitor_id = await acme.visitor()
    await acme.visitors.block(visitor_id, Block("Insults", seconds(5), acme.new.owner.id, seconds(10)))

    await acme.visitors.block(visitor_id, Block("Threats", seconds(6)))

    assert (await acme.visitors.get(visitor_id, seconds(60))).block == Block("Threats", seconds(6))
    assert await acme.visitors.blocked(seconds(60)) == {visitor_id: None}


async def test_a_block_whose_time_is_over_is_none(acme: Company) -> None:
    visitor_id = await acme.visitor()

    await acme.visitors.block(visitor_id, Block("Insults", seconds(5), until=seconds(10)))

    assert (await acme.visitors.get(visitor_id, seconds(10))).block is None
    assert not await acme.visitors.is_blocked(visitor_id, seconds(10))
    assert await acme.visitors.blocked(seconds(10)) == {}
    assert await acme.visitors.list_blocked(seconds(10)) == []


async def test_an_unblocked_visitor_is_free_and_cannot_be_unblocked_again(acme: Company) -> None:
    visitor_id = await acme.visitor()
    await acme.visitors.block(visitor_id, Block("Insults", seconds(5)))

    await acme.visitors.unblock(visitor_id)

    assert (await acme.visitors.get(visitor_id, seconds(6))).block is None
    with pytest.raises(NotFound):
        await acme.visitors.unblock(visitor_id)


async def test_who_is_blocked_is_listed_page_by_page_the_last_first(acme: Company) -> None:
    blocked = [await acme.visitor() for _ in range(3)]
    await acme.visitor()
    for number, visitor_id in enumerate(blocked):
        await acme.visitors.block(visitor_id, Block("", seconds(number)))

    first = await acme.visitors.list_blocked(seconds(9), limit=2)
    assert first[-1].block is not None
    second = await acme.visitors.list_blocked(seconds(9), limit=2, before=first[-1].block.blocked_at)

    assert [visitor.id for visitor in (*first, *second)] == blocked[::-1]


async def test_a_visitor_who_never_wrote_does_not_exist_and_is_not_blocked(acme: Company) -> None:
    nobody = VisitorId(new_id())

    for missing in (acme.visitors.get(nobody, NOON), acme.visitors.block(nobody, Block("", NOON))):
        with pytest.raises(NotFound):
            await missing
    assert not await acme.visitors.is_blocked(nobody, NOON)


async def test_another_tenants_visitor_does_not_exist(acme: Company, globex: Company) -> None:
    theirs = await globex.visitor()
    await globex.visitors.block(theirs, Block("Insults", NOON))

    for missing in (
        acme.visitors.get(theirs, NOON), acme.visitors.block(theirs, Block("", NOON)), acme.visitors.unblock(theirs)
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await missing
    assert not await acme.visitors.is_blocked(theirs, NOON)
    assert (await acme.visitors.blocked(NOON), await acme.visitors.list_blocked(NOON)) == ({}, [])
    assert await globex.visitors.is_blocked(theirs, NOON)
