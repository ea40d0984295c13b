"""Whoever writes a client finds every code of an error in the contract."""

import json
import re
from pathlib import Path

import httpx

from tests.integration.api.clients import granted

ROOT = Path(__file__).parents[3]
CODE = re.compile(r'(?:\bcode(?:: str)? ?= ?|ProviderFailed\()"([a-z_]+)"')
INSIDE = {"foreign_object", "sealed_value", "unknown_provider"}  # of events, and of what staff cannot bring about


async def test_every_code_of_an_error_is_in_the_contract(http: httpx.AsyncClient) -> None:
    contract = json.dumps(granted(await http.get("/openapi.json")))
    sources = [path for folder in ("layers/core/python", "functions") for path in (ROOT / folder).rglob("*.py")]

    codes = {code for path in sources for code in CODE.findall(path.read_text("utf-8"))}

    assert len(codes) > 100
    assert {code for code in codes - INSIDE if not re.search(rf"\b{code}\b", contract)} == set()
