"""Fixtures: a shop's MCP server. A module that uses `shop` says in its fixture `kind` which kinds of server that is."""

from collections.abc import Iterator

import pytest

from tests.mcp_server import RunningServer, mcp_server


@pytest.fixture
def shop(kind: RunningServer) -> Iterator[RunningServer]:
    """The module's server, as if nobody had asked it yet."""
    kind.requests.clear()
    kind.calls.clear()
    yield kind
    kind.hanging = False


@pytest.fixture
def old_shop() -> Iterator[RunningServer]:
    """A server of one's own that speaks the versions before 2026-07-28."""
    with mcp_server() as running:
        yield running
