"""Model providers through the product: whatever they do, a stream ends once and the turn is recorded."""

from dataclasses import dataclass

import pytest

from tests.integration.api.clients import Caller, Company, ended_once, refused, text_of
from tests.integration.api.conftest import OpenCompany
from tests.integration.providers import conftest as wire
from tests.integration.providers.scripted import Act, ScriptedProvider
from tests.stack import RunningStack

MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5"}
COSTS = {"openai": 7, "anthropic": 42}  # of 25 tokens in, 20 of them cached, and 7 out


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Initech")


@pytest.fixture(scope="module", params=["openai", "anthropic"])
def dialect(request: pytest.FixtureRequest) -> wire.Dialect:
    return wire.Dialect(request.param)


@pytest.fixture
async def asking(company: Company, dialect: wire.Dialect, provider: ScriptedProvider) -> Caller:
    """A visitor of a company whose assistant uses the scripted provider."""
    await uses(company, dialect.provider, provider.url)
    return await company.visitor()


provider = wire.provider


async def uses(company: Company, name: str, url: str) -> None:
    base_url = f"{url}/v1" if name == "openai" else url
    await company.uses(name, base_url, model=MODELS[name], access_token="token-of-initech")


async def test_an_answer_is_recorded_with_its_tokens_cost_and_latencies(
    asking: Caller, dialect: wire.Dialect, provider: ScriptedProvider
) -> None:
    provider.plays(Act((*dialect.pieces("Four ", "euros."), 0.4, *dialect.end())))

    events = await asking.stream("What does shipping cost?")

    usage = ended_once(events).data["usage"]
    assert text_of(events) == "Four euros."
    assert (usage["input_tokens"], usage["output_tokens"], usage["cached_tokens"]) == (25, 7, 20)
    assert usage["cost_microusd"] == COSTS[dialect.provider]
    assert 0 < usage["first_token_ms"] <= usage["total_ms"] - 200
    answer = (await asking.conversation(events[0].data["conversation_id"]))["messages"][-1]
    assert (answer["text"], answer["status"], answer["error_code"]) == ("Four euros.", "complete", None)
    assert answer["usage"] == usage
    assert answer["model"] == MODELS[dialect.provider]


@pytest.mark.parametrize(("theirs", "ours"), [("stop", "stop"), ("length", "length")])
async def test_the_reason_of_the_end_is_told(
    theirs: str, ours: str, asking: Caller, dialect: wire.Dialect, provider: ScriptedProvider
) -> None:
    reasons = {"anthropic": {"stop": "end_turn", "length": "max_tokens"}}.get(dialect.provider, {})
    provider.plays(Act((*dialect.pieces("Four"), *dialect.end(reasons.get(theirs, theirs)))))

    assert (await asking.ask("What does shipping cost?"))["finish_reason"] == ours


async def test_a_slow_first_token_is_waited_for_and_measured(
    asking: Caller, dialect: wire.Dialect, provider: ScriptedProvider
) -> None:
    *begun, token = (b": wait\n\n", *dialect.pieces("Late"))
    provider.plays(Act((*begun, 1.0, token, *dialect.end())))

    events = await asking.stream("What does shipping cost?")

    assert text_of(events) == "Late"
    assert ended_once(events).data["usage"]["first_token_ms"] >= 1000


@dataclass(frozen=True)
class Fault:
    acts: tuple[Act, ...]
    status: int
    code: str
    retryable: bool = True
    text: str = ""
    wait: int = 5


def fault(name: str, dialect: wire.Dialect) -> Fault:
    begun = dialect.pieces("Half")
    return {
        "busy": Fault((wire.refused(429, retry_after=30),), 429, "provider_busy", wait=30),
        "down": Fault((wire.refused(500), wire.refused(500)), 503, "provider_failed"),
        "refusing our key": Fault((wire.refused(401),), 503, "provider_rejected"),
        "malformed": Fault((Act((b"event: message\ndata: {private\n\n",)),), 503, "provider_failed"),
        "no stream at all": Fault((Act((b"<html>private</html>",)),), 503, "provider_failed"),
        "silent": Fault((Act(()),), 503, "provider_failed"),
        "cut": Fault((Act(begun, cut=True),), 503, "provider_failed", text="Half"),
        "ended early": Fault((Act(begun),), 503, "provider_failed", text="Half"),
        "overloaded within": Fault((Act((*begun, dialect.overloaded())),), 429, "provider_busy", text="Half"),
    }[name]


FAULTS = [
    "busy", "down", "refusing our key", "malformed", "no stream at all", "silent", "cut", "ended early",
    "overloaded within",
]  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_ends_the_stream_once_with_a_code_and_is_recorded(
    name: str, asking: Caller, dialect: wire.Dialect, provider: ScriptedProvider
) -> None:
    expected = fault(name, dialect)
    provider.plays(*expected.acts, *expected.acts)

    events = await asking.stream("What does shipping cost, in private?")
    whole = await asking.post("/v1/chat", {"message": "What does shipping cost, in private?"})

    end = ended_once(events)
    assert set(end.data) == {"code", "detail", "retryable", "retry_after"}
    assert (end.name, end.data["code"], end.data["retryable"]) == ("error", expected.code, expected.retryable)
    assert (end.data["retry_after"] or 5) == int(whole.headers["retry-after"]) == expected.wait
    assert text_of(events) == expected.text
    error = refused(whole, expected.status, expected.code)
    assert not any(secret in f"{end.data} {error}" for secret in ("private", "token-of-initech", provider.url))
    answer = (await asking.conversation(events[0].data["conversation_id"]))["messages"][-1]
    assert answer["status"] == ("partial" if expected.text else "failed")
    assert (answer["text"], answer["error_code"], answer["finish_reason"]) == (expected.text, expected.code, "error")
    assert answer["usage"]["total_ms"] >= 0
    assert answer["completed_at"] is not None


async def test_after_a_fault_the_conversation_goes_on(
    asking: Caller, dialect: wire.Dialect, provider: ScriptedProvider
) -> None:
    provider.plays(wire.refused(429, retry_after=30), dialect.answer("Four euros."))

    events = await asking.stream("first")
    answer = await asking.ask("second", conversation_id=events[0].data["conversation_id"])

    assert answer["text"] == "Four euros."
    roles = [message["role"] for message in provider.requests[-1].body["messages"]]
    assert roles.count("assistant") == 0


@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_the_providers_own_protocols_are_spoken(name: str, company: Company, stack: RunningStack) -> None:
    await stack.providers.reset()
    await stack.providers.script({"match": {"userMessage": "shipping"}, "response": {"content": "Four euros."}})
    await uses(company, name, stack.providers.url)

    events = await company.server.stream("What does shipping cost?")
    await stack.providers.fail_next(401)
    refusal = await company.server.post("/v1/chat", {"message": "What does shipping cost?"})

    assert (text_of(events), ended_once(events).name) == ("Four euros.", "done")
    refused(refusal, 503, "provider_rejected")


async def test_an_assistant_without_a_key_says_so(company: Company) -> None:
    await company.uses("offline")
    await company.uses("openai")

    events = await company.server.stream("What does shipping cost?")

    assert ended_once(events).data["code"] == "provider_not_configured"
    refused(await company.server.post("/v1/chat", {"message": "m"}), 503, "provider_not_configured")
