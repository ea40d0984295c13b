"""How long the published configuration takes that every question needs: kept in the process, or read anew.

Warm is what a turn does: ask Redis for the tenant's epoch, then take tenant, plan and assistant from the process. Cold
is the same in a process that keeps nothing yet, over open connections: with the data key of the assistant's token
opened before, and with the key store asked for it, too. `http` is the whole of `GET /v1/assistants/{id}` on one
connection, which reads the database each time. `widget` and `widget_unchanged` are the whole of a
widget's `GET .../config` over one connection, once with its 304: what the server takes is less.
"""

import asyncio
import os
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import httpx

from bench.times import timed
from chatconnect.adapters.kms import KmsEnvelope
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.assembly import now
from chatconnect.domain.identifiers import AssistantId, TenantId
from chatconnect.observability import log_fault
from chatconnect.services.cached_tenants import CachedTenants
from tests.postgres import conninfo
from tests.stack import RunningStack, running_stack

WARM_TIMES, COLD_TIMES, KEY_TIMES, HTTP_TIMES = 2_000, 300, 100, 200
TARGET = {"warm_p50_ms": 3, "warm_p99_ms": 20, "cold_p99_ms": 50, "widget_p50_ms": 5}


def main() -> dict[str, Any]:
    """Return the figures: milliseconds at the median and the 99th percentile."""
    return asyncio.run(_measured())


async def _measured() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        async with running_stack(Path(folder)) as stack:
            os.environ |= stack.services.aws.client_environment
            headers = {"Authorization": f"Bearer {stack.secret_key}"}
            async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=30) as http:
                path = f"/v1/assistants/{stack.demo.assistant_id}"
                own = {"provider": "openai", "model": "gpt-5.4-mini", "access_token": "sk-of-the-benchmark"}
                (await http.put(path, json=(await http.get(path)).json() | own)).raise_for_status()
                over_http = await timed(HTTP_TIMES, partial(http.get, path))
                widget = await _widget(http, stack.demo.widget_key)
            return {"target": TARGET, **await _reads(stack), "http": over_http, **widget}


async def _widget(http: httpx.AsyncClient, key: str) -> dict[str, Any]:
    """Return the figures of a widget's configuration, warm, as a website asks for it."""
    [widget] = (await http.get("/v1/widgets")).raise_for_status().json()["widgets"]
    origin = {"Origin": f"https://{widget['allowed_domains'][0].removeprefix('*.')}"}
    read = partial(http.get, f"/v1/widgets/{key}/config", params={"locale": "de-AT"})
    first = (await read(headers=origin)).raise_for_status()
    known = origin | {"If-None-Match": first.headers["ETag"]}
    if (await read(headers=known)).status_code != httpx.codes.NOT_MODIFIED:
        raise RuntimeError("an unchanged configuration was sent again")
    return {
        "widget": await timed(HTTP_TIMES, partial(read, headers=origin)),
        "widget_unchanged": await timed(HTTP_TIMES, partial(read, headers=known)),
    }


async def _reads(stack: RunningStack) -> dict[str, Any]:
    database = PostgresDatabase(conninfo(stack.settings["DATABASE_URL"]))
    redis = RedisDatabase(stack.settings["REDIS_URL"])
    epochs = RedisEpochs(lambda: redis, on_fault=log_fault)
    tenant_id, assistant_id = TenantId(UUID(stack.demo.tenant_id)), AssistantId(UUID(stack.demo.assistant_id))

    def process(envelope: KmsEnvelope) -> CachedTenants:
        return CachedTenants(partial(PostgresTenants, database, encryption=envelope), clock=now)

    async def read(cached: CachedTenants) -> None:
        tenants = cached.at(tenant_id, await epochs.of(tenant_id))
        tenant, plan, assistant = await asyncio.gather(tenants.get(), tenants.plan(), tenants.assistant(assistant_id))
        if tenant.plan != plan.name or assistant.config.access_token is None:
            raise RuntimeError("this is not the configuration that was published")

    def new_envelope() -> KmsEnvelope:
        return KmsEnvelope(stack.settings["KMS_KEY_ID"])

    warm, envelope = process(new_envelope()), new_envelope()
    try:
        for _ in range(20):
            await asyncio.gather(read(warm), read(process(envelope)))
        return {
            "warm": await timed(WARM_TIMES, lambda: read(warm)),
            "cold": await timed(COLD_TIMES, lambda: read(process(envelope))),
            "cold_with_the_key_store": await timed(KEY_TIMES, lambda: read(process(new_envelope()))),
        }
    finally:
        await epochs.aclose()
        await redis.aclose()
        await database.aclose()
