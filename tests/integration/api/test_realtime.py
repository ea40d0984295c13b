"""What is heard over the WebSocket: how far documents are, by those alone whom it concerns."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from chatconnect.adapters.api_gateway import ApiGatewayConnections
from chatconnect.domain.errors import Unavailable
from local.services import free_port
from tests.aws import credentials
from tests.files import make_pdf
from tests.integration.api.clients import Company
from tests.integration.api.conftest import OpenCompany
from tests.sockets import Refused, connected
from tests.stack import RunningStack

TEXT = b"The bell of the harbour rings at six."
QUIET_SECONDS = 0.2


@pytest.fixture(scope="module")
def url(stack: RunningStack) -> str:
    return stack.api_url.replace("http", "ws", 1) + "/v1/realtime"


@pytest.fixture(scope="module")
async def listening(open_company: OpenCompany) -> Company:
    return await open_company("Listeners")


async def test_staff_hear_where_a_document_stands_as_soon_as_it_moves(listening: Company, url: str) -> None:
    async with connected(url, listening.access_token) as socket:
        document_id = await listening.upload("bell.txt", TEXT)
        heard = await socket.heard_until({"status": "ready"})

    shown = await listening.until_processed(document_id)
    assert [each["status"] for each in heard][:1] == ["processing"]
    assert {each["id"] for each in heard} == {document_id}
    assert heard[-1] == {
        "id": document_id,
        "version": 1,
        "status": "ready",
        "progress": {"done": 1, "total": 1, "unit": "chunks"},
        "failure": None,
    }
    assert shown["status"] == "ready"


async def test_a_document_that_cannot_be_read_is_said_to_have_failed_and_why(listening: Company, url: str) -> None:
    async with connected(url, listening.access_token) as socket:
        document_id = await listening.upload("broken.pdf", b"%PDF-1.7 and then nothing")
        heard = await socket.heard_until({"status": "failed"})

    shown = await listening.until_processed(document_id)
    assert heard[-1]["failure"] == shown["failure"]
    assert shown["failure"]["code"] == "damaged"


async def test_while_a_long_document_is_processed_its_counts_are_heard_every_two_seconds(
    listening: Company, url: str
) -> None:
    pages = ["\n".join(f"Line {line} of page {page} tells of the harbour." for line in range(30)) for page in range(60)]
    times: list[float] = []
    async with connected(url, listening.access_token) as socket:
        await listening.upload("long.pdf", make_pdf(pages))
        heard: list[dict[str, Any]] = []
        while not heard or heard[-1]["status"] != "ready":
            heard.append((await socket.hear(30))["document"])
            times.append(asyncio.get_running_loop().time())

    *pauses, longest = sorted(later - earlier for earlier, later in pairwise(times))
    assert pauses[-1] < 2.5
    assert longest < 10  # one pause may be the machine's
    counts = [each["progress"]["done"] for each in heard if each["progress"]["unit"] == "chunks"]
    assert counts == sorted(counts)
    assert len(set(counts)) > 2


async def test_nobody_of_another_company_and_no_visitor_hears_anything(
    listening: Company, open_company: OpenCompany, url: str
) -> None:
    other, visitor = await open_company("Strangers"), await listening.visitor()

    async with (
        connected(url, other.access_token) as strangers,
        connected(url, visitor.credential, origin=visitor.headers["Origin"]) as guest,
        connected(url, listening.access_token) as staff,
    ):
        await listening.upload("secret.txt", TEXT)
        await staff.heard_until({"status": "ready"})

        for socket in (strangers, guest):
            with pytest.raises(TimeoutError):
                await socket.hear(QUIET_SECONDS)
            assert await socket.say({"action": "ping"}) == {"action": "pong"}


@pytest.mark.parametrize("token", ["", "nobody"])
async def test_nobody_connects_without_a_good_token(url: str, token: str) -> None:
    with pytest.raises(Refused):
        async with connected(url, token):
            pass


async def test_a_secret_key_does_not_connect_because_it_would_stand_in_an_address(listening: Company, url: str) -> None:
    with pytest.raises(Refused):
        async with connected(url, listening.secret_key):
            pass


async def test_a_visitors_token_does_not_connect_from_another_website(listening: Company, url: str) -> None:
    visitor = await listening.visitor()

    with pytest.raises(Refused):
        async with connected(url, visitor.credential, origin="https://elsewhere.example"):
            pass


async def test_a_connection_is_renewed_with_a_token_of_the_same_company_only(
    listening: Company, open_company: OpenCompany, url: str
) -> None:
    other = await open_company("Others")

    async with connected(url, listening.access_token) as socket:
        renewed = await socket.say({"action": "renew", "token": listening.access_token})
        taken = await socket.say({"action": "renew", "token": other.access_token})
        bad = await socket.say({"action": "renew", "token": "nobody"})
        unknown = await socket.say("no JSON")
        await other.ingested("theirs.txt", TEXT)

        with pytest.raises(TimeoutError):
            await socket.hear(QUIET_SECONDS)

    assert renewed == {"action": "renewed", "expires_in": 900}
    assert [answer["error"]["code"] for answer in (taken, bad, unknown)] == [
        "connection_taken",
        "token_invalid",
        "unknown_action",
    ]


async def test_the_token_is_in_no_log(listening: Company, stack: RunningStack, url: str) -> None:
    async with connected(url, listening.access_token):
        pass
    with pytest.raises(Refused):
        async with connected(url, "a-token-that-is-none"):
            pass

    logs = [path.read_text(errors="replace") for path in logs_of(stack)]
    assert logs
    assert not any(listening.access_token in log or "a-token-that-is-none" in log for log in logs)


def logs_of(stack: RunningStack) -> list[Path]:
    return [service.log for service in (stack.api, stack.worker)]


async def test_a_connection_that_is_not_there_is_gone_and_a_server_that_is_not_is_unavailable(
    stack: RunningStack,
) -> None:
    with credentials():
        here = ApiGatewayConnections(stack.settings["REALTIME_CALLBACK_URL"])

        assert await here.send("nobody", "{}") is False
        with pytest.raises(Unavailable):
            await ApiGatewayConnections(f"http://127.0.0.1:{free_port()}").send("nobody", "{}")


async def test_ready_tells_how_old_the_oldest_message_is(http: httpx.AsyncClient) -> None:
    queues = (await http.get("/health/ready")).json()["queues"]

    for queue in queues.values():
        assert queue.keys() == {"waiting", "working", "oldest_seconds"}
    assert queues.keys() == {"uploads", "dead_letters", "turns"}
