"""Our count of requests decides as the package `limits` does, at any times: both scripts, on a clock of ours.

Redis's own Lua runs both of them; what they take for Redis is a table that knows what they use of it.
"""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from itertools import accumulate
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_rates import RATE_SCRIPT
from chatconnect.adapters.redis_scripts import RedisScript
from local.services import Redis
from tests.waiting import until

WINDOW = 1_000

STORE = """
local now = 0
local function store()
  local values, ends = {}, {}
  local function get(key)
    if ends[key] and now >= ends[key] then values[key], ends[key] = nil, nil end
    return values[key]
  end
  local commands = {}
  function commands.time() return {math.floor(now / 1000), (now % 1000) * 1000} end
  function commands.get(key) return get(key) or false end
  function commands.exists(key) return get(key) and 1 or 0 end
  function commands.pttl(key) return get(key) and ends[key] - now or -2 end
  function commands.incrby(key, amount) values[key] = tostring(get(key) + amount) end
  function commands.set(key, value, _, milliseconds) values[key], ends[key] = tostring(value), now + milliseconds end
  function commands.rename(old, new)
    values[new], ends[new] = get(old), ends[old]
    values[old], ends[old] = nil, nil
  end
  function commands.hmget(key, ...)
    local found, kept = {}, get(key) or {}
    for place, name in ipairs({...}) do found[place] = kept[name] or false end
    return found
  end
  function commands.hset(key, ...)
    local kept, given = get(key) or {}, {...}
    for place = 1, #given, 2 do kept[given[place]] = tostring(given[place + 1]) end
    values[key] = kept
  end
  function commands.pexpire(key, milliseconds) ends[key] = now + milliseconds end
  return {call = function(name, ...) return commands[string.lower(name)](...) end}
end
"""
THEIRS = files("limits").joinpath("resources/redis/lua_scripts/acquire_sliding_window.lua").read_text()
OURS = RedisScript(RATE_SCRIPT, "check_rate.lua").text
BOTH = f"""{STORE}
local function theirs(redis, KEYS, ARGV)
{THEIRS}
end
local function ours(redis, KEYS, ARGV)
{OURS}
end
local limit, window, their_store, our_store, decisions = ARGV[1], ARGV[2], store(), store(), {{}}
for place = 3, #ARGV do
  now = tonumber(ARGV[place])
  local passed = theirs(their_store, {{'before', 'current'}}, {{limit, tostring(window / 1000), '1'}})
  decisions[#decisions + 1] = {{passed and 1 or 0, ours(our_store, {{'key'}}, {{limit, window}})}}
end
return decisions
"""

# Milliseconds from one request to the next: in a row, and after longer and shorter breaks.
gaps = st.lists(st.integers(0, 40) | st.integers(0, 700) | st.integers(900, 3_200), min_size=1, max_size=60)


def moments(gaps: Sequence[int]) -> list[int]:
    """The moments of requests with these gaps before them."""
    return [1_000_000 + passed for passed in accumulate(gaps)]


async def decided(redis: Redis, limit: int, times: Sequence[int]) -> list[tuple[bool, int]]:
    """For each request whether it passes in `limits`, and how many milliseconds it has to wait in ours."""
    database = RedisDatabase(redis.url)
    try:
        outcomes: Any = await database.client().eval(BOTH, 0, limit, WINDOW, *times)
    finally:
        await database.aclose()
    return [(bool(passed), wait) for passed, wait in outcomes]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 8), gaps=gaps)
def test_every_request_is_decided_as_by_the_package(redis: Redis, limit: int, gaps: list[int]) -> None:
    times = moments(gaps)

    decisions = asyncio.run(decided(redis, limit, times))

    assert [wait == 0 for _, wait in decisions] == [passed for passed, _ in decisions]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(2, 8), gaps=gaps, which=st.integers(0, 59))
def test_who_waits_as_long_as_told_passes_and_not_a_millisecond_before(
    redis: Redis, limit: int, gaps: list[int], which: int
) -> None:
    times = moments([*[0] * limit, 1_100, *gaps])
    waits = [wait for _, wait in asyncio.run(decided(redis, limit, times))]
    places = [place for place, wait in enumerate(waits) if wait > 0]
    if not places:
        return
    refused = places[which % len(places)]
    before, ready = times[: refused + 1], times[refused] + waits[refused]

    too_early = asyncio.run(decided(redis, limit, [*before, ready - 1]))
    in_time = asyncio.run(decided(redis, limit, [*before, ready]))

    assert (too_early[-1], in_time[-1]) == ((False, 1), (True, 0))


async def test_a_window_is_forgotten_when_it_no_longer_counts(redis_database: RedisDatabase) -> None:
    check = RedisScript(RATE_SCRIPT, "check_rate.lua")

    await check(redis_database, ["{acme}:rate:visitor"], [3, 500])

    async def is_forgotten() -> bool:
        return await redis_database.client().exists("{acme}:rate:visitor") == 0

    assert not await is_forgotten()
    await until(is_forgotten)
