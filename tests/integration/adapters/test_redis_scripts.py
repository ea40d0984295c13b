"""Scripts in Redis, whatever they are for."""

from dataclasses import replace
from importlib.resources import files
from typing import Any
from uuid import UUID

from redis.crc import key_slot

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_abuse import RedisWatch
from chatconnect.adapters.redis_rates import RedisRateLimits
from chatconnect.adapters.redis_wire import Command
from chatconnect.domain.abuse import hold, sighting_of
from chatconnect.domain.budget import Measure, Whose
from chatconnect.domain.identifiers import VisitorId, new_id
from chatconnect.ports.traffic import Rate
from local.services import Redis
from tests.fakes.visitors import MemoryVisitors, StoredVisitors
from tests.integration.adapters.budgets import TOKENS, acme, company_on, wanted

__all__ = ["acme"]


async def test_all_keys_of_every_script_lie_in_one_slot(redis: Redis) -> None:
    database = RecordingDatabase(redis.url)
    acme, asked_by = company_on(database), dict[Whose, UUID]()
    asked_by |= {whose: new_id() for whose in Whose if whose is not Whose.TENANT}
    caps = [replace(TOKENS, whose=whose) for whose in Whose]
    held = await acme.budgets.reserve(acme.id, caps, replace(wanted(), asked_by=asked_by), Rate("key:1", 5))
    await acme.budgets.extend(held, held.wanted, {Measure.TOKENS: 1})
    await acme.settles(held, tokens=10)
    await RedisRateLimits(database).check(acme.id, Rate("visitor:1", 5))

    watch = RedisWatch(
        lambda: database, lambda _: MemoryVisitors(StoredVisitors(), acme.id), on_fault=lambda what, _: None
    )
    visitor_id = VisitorId(new_id())
    await watch.notice(acme.id, visitor_id, sighting_of("Hello?", visitor_id, agent=None, request=None))
    await watch.hold(acme.id, visitor_id, hold())

    scripts = [command for command in database.asked if command[0] in ("EVAL", "EVALSHA")]
    [*keys] = await database.ask(*(("COMMAND", "GETKEYS", *command) for command in scripts))

    texts = {command[1] for command in scripts if command[0] == "EVALSHA"}
    assert (
        len(texts) == len([each for each in files("chatconnect.adapters").iterdir() if each.name.endswith(".lua")]) - 1
    )
    assert all(len({key_slot(key) for key in each}) == 1 for each in keys)
    assert all(each[0].startswith(f"{{{acme.id}}}:".encode()) for each in keys)
    await database.aclose()


class RecordingDatabase(RedisDatabase):
    """Remembers what it was asked."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[Command] = []

    async def ask(self, *commands: Command) -> list[Any]:
        self.asked += commands
        return await super().ask(*commands)
