"""Whoever writes a client finds every code of an error in the contract."""

import json
import re
from pathlib import Path

from functions.chat.handler import app as chat
from functions.config.handler import app as config
from functions.widget_config.handler import app as widget_config
from local.openapi import merged_openapi

ROOT = Path(__file__).parents[3]
CODE = re.compile(r'(?:\bcode(?:: str)? ?= ?|ProviderFailed\()"([a-z_]+)"')
INSIDE = {"foreign_object", "sealed_value", "unknown_provider"}  # of events, and of what staff cannot bring about


def test_every_code_of_an_error_is_in_the_contract() -> None:
    contract = json.dumps(merged_openapi([chat, widget_config, config]))
    sources = [path for folder in ("layers/core/python", "functions") for path in (ROOT / folder).rglob("*.py")]

    codes = {code for path in sources for code in CODE.findall(path.read_text("utf-8"))}

    assert len(codes) > 100
    assert {code for code in codes - INSIDE if not re.search(rf"\b{code}\b", contract)} == set()
