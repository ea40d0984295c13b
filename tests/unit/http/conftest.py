"""A browser or program that asks the application of the test's own module."""

from collections.abc import AsyncIterator

import httpx
import pytest


@pytest.fixture
async def client(request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(request.module.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://acme.example") as opened:
        yield opened
