"""What an operator is told about the parts."""

import asyncio

import pytest

from chatconnect.domain.errors import Unavailable
from chatconnect.ports.health import Check, QueueState
from chatconnect.services.health import HealthService


async def well() -> None:
    pass


async def away() -> None:
    raise Unavailable("it")


async def broken() -> None:
    raise OSError


async def hanging() -> None:
    await asyncio.sleep(60)


class Waiting:
    async def state(self) -> QueueState:
        return QueueState(3, 1)


class Gone:
    async def state(self) -> QueueState:
        raise Unavailable("the queue")


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ({"postgres": well, "redis": well}, "ok"),
        ({"postgres": well, "redis": away}, "degraded"),
        ({"postgres": away, "redis": well}, "unavailable"),
        ({"postgres": broken, "redis": away}, "unavailable"),
        ({"postgres": hanging, "redis": well}, "unavailable"),
    ],
)
async def test_the_whole_is_as_well_as_its_parts_allow(
    checks: dict[str, Check], status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.services.health._PATIENCE_SECONDS", 0.05)

    async with asyncio.timeout(30):
        seen = await HealthService(checks=checks, queues={}).look()

    assert seen.status == status
    assert {name: part.ok for name, part in seen.parts.items()} == {n: check is well for n, check in checks.items()}


async def test_queues_are_shown_and_one_that_is_away_is_unknown() -> None:
    seen = await HealthService(checks={}, queues={"uploads": Waiting(), "turns": Gone()}).look()

    assert seen.queues == {"uploads": QueueState(3, 1), "turns": None}


async def test_queues_are_looked_at_while_a_part_still_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatconnect.services.health._PATIENCE_SECONDS", 60)
    seen = asyncio.Event()

    class Seen(Waiting):
        async def state(self) -> QueueState:
            seen.set()
            return await super().state()

    async def slow() -> None:
        await seen.wait()

    async with asyncio.timeout(30):
        assert (await HealthService(checks={"postgres": slow}, queues={"uploads": Seen()}).look()).status == "ok"
