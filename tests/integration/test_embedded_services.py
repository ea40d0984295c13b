"""The embedded services: how they start, stop, fail, and go when their parent goes."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import httpx
import psutil
import psycopg
import pytest
import redis.asyncio
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI, InternalServerError, RateLimitError

from local.services import (
    Aws,
    PortTaken,
    Postgres,
    Providers,
    Qdrant,
    Redis,
    StartFailed,
    free_port,
    node,
    running,
)

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024


@pytest.fixture(scope="module")
async def providers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Providers]:
    await asyncio.to_thread(node.install)
    async with Providers(tmp_path_factory.mktemp("providers"), free_port()) as providers:
        yield providers


async def test_all_services_together_stay_below_a_gibibyte(tmp_path: Path) -> None:
    await asyncio.to_thread(node.install)
    services = [
        Postgres(tmp_path / "postgres", free_port()),
        Redis(tmp_path / "redis", free_port()),
        Qdrant(tmp_path / "qdrant", free_port()),
        Aws(tmp_path / "aws", free_port()),
        Providers(tmp_path / "providers", free_port()),
    ]
    came_up = []

    async with running(*services, started=lambda service, _seconds: came_up.append(service.name)):
        assert sorted(came_up) == sorted(service.name for service in services)
        assert all(service.is_running() for service in services)
        assert sum(service.rss() for service in services) < 1024 * MIB

    assert not any(service.is_running() for service in services)


async def test_services_listen_on_this_machines_own_address_only(tmp_path: Path) -> None:
    services = [
        Postgres(tmp_path / "postgres", free_port()),
        Redis(tmp_path / "redis", free_port()),
        Qdrant(tmp_path / "qdrant", free_port()),
        Aws(tmp_path / "aws", free_port()),
    ]

    before = {child.pid for child in psutil.Process().children(recursive=True)}
    async with running(*services):
        ours = {child.pid for child in psutil.Process().children(recursive=True)} - before
        listening = {
            (connection.laddr.ip, connection.laddr.port)
            for connection in psutil.net_connections("inet")
            if connection.laddr and connection.status == psutil.CONN_LISTEN and connection.pid in ours
        }

    assert listening == {("127.0.0.1", service.port) for service in services}


def test_whoever_asks_for_a_free_port_gets_one_of_their_own() -> None:
    assert len({free_port() for _ in range(1_000)}) == 1_000


async def test_a_taken_port_is_named_with_the_variable_that_moves_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(PortTaken, match=f"port {port} for redis is taken; set REDIS_PORT"):
            await Redis(tmp_path / "redis", port).start()

    assert not (tmp_path / "redis").exists()


async def test_a_service_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    (tmp_path / "collections").write_text("this is no directory")

    with pytest.raises(StartFailed, match=r"(?s)qdrant ended with status.*FileExistsError"):
        await Qdrant(tmp_path, free_port()).start()


async def test_when_one_service_fails_the_others_are_stopped(tmp_path: Path) -> None:
    redis_ = Redis(tmp_path / "redis", free_port())
    with socket.create_server(("127.0.0.1", 0)) as other:
        postgres = Postgres(tmp_path / "postgres", other.getsockname()[1])

        with pytest.raises(PortTaken):
            async with running(redis_, postgres):
                pass

    assert not redis_.is_running()


async def test_no_service_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = """
        import asyncio, os, sys
        from pathlib import Path
        from local.services import Aws, Postgres, Qdrant, Redis, free_port, running

        async def main() -> None:
            kinds = (Aws, Postgres, Qdrant, Redis)
            async with running(*(kind(Path(sys.argv[1]) / kind.name, free_port()) for kind in kinds)):
                print("up", flush=True)
                await asyncio.Event().wait()

        asyncio.run(main())
    """
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(program), str(tmp_path)), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"up\n"
    children = psutil.Process(parent.pid).children(recursive=True)
    assert len(children) >= 4

    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    _, alive = await asyncio.to_thread(psutil.wait_procs, children, timeout=15)
    assert alive == []


async def test_postgres_keeps_its_data_and_lets_ordinary_roles_in(tmp_path: Path) -> None:
    async with Postgres(tmp_path, free_port(), durable=False) as postgres:
        url = await postgres.create_database("shop")
        async with await psycopg.AsyncConnection.connect(url) as connection:
            await connection.execute("CREATE ROLE app LOGIN")
            await connection.execute("CREATE TABLE note (text text)")
            await connection.execute("GRANT SELECT ON note TO app")
            await connection.execute("INSERT INTO note VALUES ('Grüße')")

        await postgres.kill()
        await postgres.start()

        async with await psycopg.AsyncConnection.connect(postgres.database_url("shop", user="app")) as connection:
            rows = await connection.execute("SELECT text, upper('ä'), current_user FROM note")
            assert await rows.fetchone() == ("Grüße", "Ä", "app")
            version = await connection.execute("SHOW server_version_num")
            assert (await version.fetchone() or [""])[0].startswith("18")


async def test_postgres_copies_a_template_and_drops_what_is_in_use(tmp_path: Path) -> None:
    async with Postgres(tmp_path, free_port(), durable=False) as postgres:
        async with await psycopg.AsyncConnection.connect(await postgres.create_database("template")) as connection:
            await connection.execute("CREATE TABLE note (text text)")

        copy = await postgres.create_database("copy", template="template")

        connection = await psycopg.AsyncConnection.connect(copy)
        assert (await (await connection.execute("SELECT count(*) FROM note")).fetchone()) == (0,)
        assert await postgres.has_database("copy")
        await postgres.drop_database("copy")
        assert not await postgres.has_database("copy")
        await connection.close()


async def test_redis_is_empty_after_a_restart(tmp_path: Path) -> None:
    async with Redis(tmp_path, free_port()) as server:
        async with redis.asyncio.from_url(server.url) as client:
            await client.set("greeting", "hello")
            assert await client.get("greeting") == b"hello"

        await server.restart()

        async with redis.asyncio.from_url(server.url) as client:
            assert await client.get("greeting") is None


async def test_aws_keeps_buckets_objects_and_queues_when_it_is_restarted(tmp_path: Path) -> None:
    async with Aws(tmp_path, free_port()) as aws:
        await asyncio.to_thread(lambda: boto(aws, "s3").create_bucket(Bucket="docs"))
        await asyncio.to_thread(lambda: boto(aws, "s3").put_object(Bucket="docs", Key="a b.txt", Body=b"hello"))
        queue = await asyncio.to_thread(lambda: boto(aws, "sqs").create_queue(QueueName="uploads")["QueueUrl"])

        await aws.restart()

        found = await asyncio.to_thread(lambda: boto(aws, "s3").get_object(Bucket="docs", Key="a b.txt")["Body"].read())
        assert found == b"hello"
        assert await asyncio.to_thread(lambda: boto(aws, "sqs").list_queues()["QueueUrls"]) == [queue]


async def test_aws_runs_python_functions_and_ends_them_with_itself(tmp_path: Path) -> None:
    async with Aws(tmp_path, free_port()) as aws:
        source = "import os\ndef handler(event, context):\n    return {'pid': os.getpid(), 'got': event['n']}\n"
        answer = await asyncio.to_thread(call_function, aws, source, {"n": 7})
        assert answer["got"] == 7
        worker = psutil.Process(answer["pid"])

        await aws.kill()

        _, alive = await asyncio.to_thread(psutil.wait_procs, [worker], timeout=15)
        assert alive == []


def boto(aws: Aws, service: Any) -> Any:
    settings = aws.client_environment
    return boto3.client(
        service,
        endpoint_url=aws.url,
        region_name=settings["AWS_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )


def call_function(aws: Aws, source: str, event: dict[str, Any]) -> Any:
    package = BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", source)
    client = boto(aws, "lambda")
    client.create_function(
        FunctionName="echo",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/any",
        Handler="index.handler",
        Code={"ZipFile": package.getvalue()},
    )
    return json.load(client.invoke(FunctionName="echo", Payload=json.dumps(event))["Payload"])


async def test_openai_and_anthropic_clients_get_what_is_scripted(providers: Providers) -> None:
    await providers.reset()
    await providers.script({"match": {"userMessage": "opening"}, "response": {"content": "From nine to five."}})
    question: Any = [{"role": "user", "content": "When are you opening?"}]

    async with AsyncOpenAI(base_url=providers.openai_url, api_key="any") as openai:
        said = await openai.chat.completions.create(model="gpt-5-mini", messages=question)
        embedded = await openai.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
        flagged = await openai.moderations.create(input="well [flag:violence] then")
        harmless = await openai.moderations.create(input="good morning")
    async with (
        AsyncAnthropic(base_url=providers.url, api_key="any") as anthropic,
        anthropic.messages.stream(model="claude-sonnet-5", max_tokens=99, messages=question) as stream,
    ):
        streamed = "".join([text async for text in stream.text_stream])

    assert said.choices[0].message.content == streamed == "From nine to five."
    assert len(embedded.data) == 2
    assert flagged.results[0].categories.violence
    assert not flagged.results[0].categories.hate
    assert not harmless.results[0].flagged
    assert [request["path"] for request in await providers.requests()] == [
        *("/v1/chat/completions", "/v1/embeddings", "/v1/moderations", "/v1/moderations", "/v1/messages"),
    ]


async def test_providers_fail_and_recover_as_told(providers: Providers) -> None:
    await providers.reset()
    await providers.script({"match": {"userMessage": "hi"}, "response": {"content": "hello"}})
    question: Any = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "hi"}]}

    async with AsyncOpenAI(base_url=providers.openai_url, api_key="any", max_retries=0) as openai:
        await providers.fail_next(503)
        with pytest.raises(InternalServerError):
            await openai.chat.completions.create(**question)
        assert (await openai.chat.completions.create(**question)).choices[0].message.content == "hello"

        await providers.disturb(rateLimitRate=1)
        with pytest.raises(RateLimitError) as limited:
            await openai.chat.completions.create(**question)
        assert int(limited.value.response.headers["retry-after"]) > 0

        await providers.disturb(latencyMs=300)
        started = time.monotonic()
        await openai.chat.completions.create(**question)
        assert time.monotonic() - started > 0.3


async def test_a_stream_is_cut_where_the_script_says(providers: Providers) -> None:
    await providers.reset()
    await providers.script(
        {
            "match": {"userMessage": "story"},
            "response": {"content": "once upon a time there was a king"},
            "chunkSize": 5,
            "truncateAfterChunks": 3,
            "streamingProfile": {"ttft": 100, "tps": 200},
        }
    )
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "a story"}]}

    lines: list[str] = []

    async def read_all() -> None:
        async with (
            httpx.AsyncClient(base_url=providers.openai_url, timeout=30) as http,
            http.stream("POST", "/chat/completions", json=body) as response,
        ):
            async for line in response.aiter_lines():
                lines.extend([line] if line else [])

    with pytest.raises(httpx.RemoteProtocolError):
        await read_all()

    assert 1 <= len(lines) <= 3
    assert not any("[DONE]" in line for line in lines)
