"""No tenant can be left out of Redis's keys or Qdrant's conditions without one tenant's meeting another's things."""

from local.services import Qdrant, Redis
from tests.tenant_keys import look


async def test_a_tenant_that_is_left_out_of_keys_or_conditions_is_missed(redis: Redis, qdrant: Qdrant) -> None:
    found = await look(redis.url, qdrant.url)

    assert {name: each["survivors"] for name, each in found.items()} == {"redis": [], "qdrant": []}
    assert found["redis"]["kinds"] > 10
    assert found["qdrant"]["kinds"] > 3
