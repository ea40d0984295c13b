"""Random operations of several tenants over a few shared connections, with things of equal ids: see side_by_side.py."""

import os

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chatconnect.adapters.postgres.database import PostgresDatabase
from tests.side_by_side import Crossed, open_sides, run
from tests.side_operations import adds_tool, reads_tools
from tests.side_things import THINGS

OPERATIONS = int(os.environ.get("ISOLATION_OPERATIONS", "10000"))
STEPS = 500
"""Of one script; most call a store more than once."""


def scripts(count: int) -> list[bytes]:
    """So many scripts, all made up before the first is run."""
    made: list[bytes] = []

    @settings(max_examples=count, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(script=st.binary(min_size=3 * STEPS, max_size=3 * STEPS))
    def keep(script: bytes) -> None:
        made.append(script)

    keep()
    return made


async def test_no_tenant_ever_meets_anothers_things(database: PostgresDatabase) -> None:
    done = 0

    for script in scripts(OPERATIONS // STEPS):
        done += await run(await open_sides(database), script)
        if done >= OPERATIONS:
            break

    assert done >= OPERATIONS


async def test_what_another_tenant_did_in_ones_place_is_seen(database: PostgresDatabase) -> None:
    one, other = await open_sides(database, tenants=2)
    await other.does(adds_tool, THINGS - 1)

    one.memory.tools.__dict__.update(other.memory.tools.__dict__)

    with pytest.raises(Crossed):
        await one.does(reads_tools, THINGS - 1)
