"""How often a follow-up question finds its passage, with and without being written in full. Prints JSON.

Against the running product (`make dev`): a company of its own with the documents of tests/data/follow_ups.json, whose
assistant quotes, is asked each first question and then its follow-up. A follow-up hits when the one passage in its
prompt holds the expected sentence.
"""

import asyncio
import json
import secrets
import time
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "data" / "follow_ups.json"
_READY_SECONDS = 60


async def measured(http: httpx.AsyncClient) -> dict[str, Any]:
    """Return the share of hits without and with condensing, and how many follow-ups there were."""
    script = json.loads(SCRIPT.read_text("utf-8"))
    rates = {}
    for condense in ("off", "auto"):
        company = await _opened(http)  # one each: a new company may ask 60 questions a minute
        await _taught(http, company, script["documents"])
        await _configured(http, company, condense)
        hits = [await _hits(http, company, dialogue) for dialogue in script["dialogues"]]
        rates[condense] = sum(hits) / len(hits)
    return {"follow_ups": len(script["dialogues"]), "hit_rate": {"plain": rates["off"], "condensed": rates["auto"]}}


async def _opened(http: httpx.AsyncClient) -> dict[str, Any]:
    body = {"company": "Outdoor", "email": f"{secrets.token_hex(6)}@example.com", "password": secrets.token_hex(8)}
    opened = _good(await http.post("/v1/auth/register", json=body))
    return {**opened, "headers": {"Authorization": f"Bearer {opened['secret_key']}"}}


async def _taught(http: httpx.AsyncClient, company: dict[str, Any], documents: list[dict[str, str]]) -> None:
    for document in documents:
        content = document["text"].encode()
        wanted = {"filename": document["title"], "content_type": "text/plain", "size": len(content)}
        promised = _good(await http.post("/v1/documents", json=wanted, headers=company["headers"]))
        form = promised["upload"]
        async with httpx.AsyncClient(trust_env=False) as s3:
            sent = await s3.post(form["url"], data=form["fields"], files={"file": (document["title"], content)})
        sent.raise_for_status()
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        listed = _good(await http.get("/v1/documents", headers=company["headers"], params={"limit": 50}))["documents"]
        if sum(document["status"] == "ready" for document in listed) == len(documents):
            return
        await asyncio.sleep(0.2)
    raise TimeoutError("the documents are not ready")


async def _configured(http: httpx.AsyncClient, company: dict[str, Any], condense: str) -> None:
    path = f"/v1/assistants/{company['assistant_id']}"
    stored = _good(await http.get(path, headers=company["headers"]))
    wanted = stored | {"condense": condense, "provider": "offline", "retrieval": {"limit": 1, "threshold": 0.0}}
    _good(await http.put(path, headers=company["headers"], json=wanted))


async def _hits(http: httpx.AsyncClient, company: dict[str, Any], dialogue: dict[str, str]) -> bool:
    headers = company["headers"]
    first = _good(await http.post("/v1/chat", headers=headers, json={"message": dialogue["first"]}))
    follow_up = {"message": dialogue["follow_up"], "conversation_id": first["conversation_id"]}
    answer = _good(await http.post("/v1/chat", headers=headers, json=follow_up))
    prompt = _good(await http.get(f"/v1/messages/{answer['message_id']}/prompt", headers=headers))
    return dialogue["expected"] in prompt["messages"][0]["content"]


def _good(response: httpx.Response) -> Any:
    response.raise_for_status()
    return response.json()


async def main() -> None:
    """Measure at the address in .local/dev.json."""
    address = json.loads((ROOT / ".local" / "dev.json").read_text("utf-8"))["api_url"]
    async with httpx.AsyncClient(base_url=address, timeout=30, trust_env=False) as http:
        print(json.dumps(await measured(http), indent=2))


if __name__ == "__main__":
    asyncio.run(main())
