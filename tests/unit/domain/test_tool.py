"""What a tool of a tenant's own may look like, and what its arguments have to."""

from dataclasses import replace
from typing import Any

import pytest

from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.secret import Secret
from tests.factories import a_tool

TOOL = a_tool(TenantId(new_id()))

WRONG: list[dict[str, Any]] = [
    {"name": ""},
    {"name": "has space"},
    {"name": "x" * 65},
    {"name": "search_knowledge"},
    {"description": " "},
    {"description": "x" * 1_001},
    {"method": "TRACE"},
    {"url": "ftp://example.com/{order}"},
    {"url": "https://"},
    {"url": "https://user:password@example.com/"},
    {"url": "https://example.com/#part"},
    {"url": "https://{order}.example.com/"},
    {"url": "https://example.com:{order}/"},
    {"url": "https://example.com/{unknown}"},
    {"url": "https://example.com/{order"},
    {"url": "https://example.com/a b"},
    {"headers": {"Host": Secret("internal")}},
    {"headers": {"bad name": Secret("x")}},
    {"headers": {"X-Key": Secret("a\r\nHost: evil")}},
    {"headers": {"X-Key": Secret("")}},
    {"headers": {"x-key": Secret("a"), "X-Key": Secret("b")}},
    {"parameters": {"type": "string"}},
]


@pytest.mark.parametrize("change", WRONG)
def test_what_could_not_be_called_or_should_not_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        replace(TOOL, **change)


def test_arguments_may_stand_in_path_and_query() -> None:
    tool = replace(TOOL, url="https://example.com/{order}?full={detail}&o={order}")

    assert tool.places == ("order", "detail", "order")
