"""Fixtures of the services' tests."""

import pytest

from tests.unit.services.people import House


@pytest.fixture
async def house() -> House:
    """A house in which Acme lives."""
    house = House()
    await house.tenant("Acme")
    return house
