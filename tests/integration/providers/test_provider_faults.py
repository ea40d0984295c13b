"""What a provider may do wrong, and what the caller gets to know of it."""

import asyncio
import time
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chatconnect.adapters.provider_http import Timeouts
from chatconnect.domain.errors import ChatConnectError, ProviderBusy, ProviderFailed
from chatconnect.ports.models import ChatModel, Delta, Finished, ModelEndpoint, TextDelta
from tests.integration.providers.conftest import IMPATIENT, KEY, Dialect, collect, refused, said
from tests.integration.providers.scripted import Act, ScriptedProvider, event
from tests.waiting import until


async def test_an_answer_is_its_pieces_as_they_come_and_then_one_end(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    beginning, rest = dialect.pieces("Four "), dialect.pieces("euros.")[-1:]
    provider.plays(Act((*beginning, first, *rest, second, *dialect.end())))

    heard: list[Delta] = []
    async for delta in said(model):
        heard.append(delta)
        (second if first.is_set() else first).set()

    assert heard == [TextDelta("Four "), TextDelta("euros."), Finished("stop", 25, 7, 20)]


async def test_what_comes_together_is_handed_on_together_a_fault_behind_it_too(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(Act((b"".join((*dialect.pieces("Four ", "euros", "."), dialect.overloaded())),)))

    answer = said(model)

    assert await anext(answer) == TextDelta("Four euros.")
    with pytest.raises(ProviderBusy):
        await anext(answer)


@pytest.mark.parametrize(
    ("provider_name", "theirs", "ours"),
    [
        ("openai", "length", "length"),
        ("openai", "content_filter", "filtered"),
        ("anthropic", "max_tokens", "length"),
        ("anthropic", "refusal", "filtered"),
    ],
)
async def test_the_reason_of_the_end_is_told_in_our_words(
    provider_name: str, theirs: str, ours: str, provider: ScriptedProvider
) -> None:
    dialect = Dialect(provider_name)
    registry = dialect.registry(provider.url)
    provider.plays(Act((*dialect.pieces("Four"), *dialect.end(theirs))))

    deltas = await collect(registry.at(ModelEndpoint(provider_name, "model-1")))
    await registry.aclose()

    assert isinstance(deltas[-1], Finished)
    assert deltas[-1].reason == ours


async def test_events_torn_apart_by_the_network_are_put_together(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    whole = b": keep-alive\n\n" + b"".join((*dialect.pieces("Fünf ", "€"), *dialect.end()))
    provider.plays(Act(tuple(whole[i : i + 7] for i in range(0, len(whole), 7))))

    deltas = await collect(model)

    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == "Fünf €"


async def test_a_server_that_counts_no_tokens_gets_an_estimate(provider: ScriptedProvider) -> None:
    dialect = Dialect("openai")
    registry = dialect.registry(provider.url)
    provider.plays(Act((*dialect.pieces("12345678", "9"), event("[DONE]"))))

    deltas = await collect(registry.at(ModelEndpoint("openai", "model-1")))
    await registry.aclose()

    assert deltas[-1] == Finished("stop", input_tokens=14, output_tokens=3, estimated=True)


def figures(told: object) -> dict[str, object]:
    return {"prompt_tokens": told, "completion_tokens": told, "prompt_tokens_details": {"cached_tokens": told}}


@pytest.mark.parametrize("usage", [*map(figures, (-1_000_000, 10**15, None, "7", 7.5, True)), [7], "7"])
async def test_figures_that_can_be_no_counts_are_estimated(provider: ScriptedProvider, usage: object) -> None:
    """A company's own server could give back what the company has used of its caps."""
    dialect = Dialect("openai")
    registry = dialect.registry(provider.url)
    provider.plays(Act((*dialect.pieces("12345678", "9"), event({"choices": [], "usage": usage}), event("[DONE]"))))

    deltas = await collect(registry.at(ModelEndpoint("openai", "model-1")))
    await registry.aclose()

    assert deltas[-1] == Finished("stop", input_tokens=14, output_tokens=3, estimated=True)


async def test_a_fault_before_the_answer_is_tried_again(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(refused(500), dialect.answer("Four"))

    deltas = await collect(model)

    assert deltas[0] == TextDelta("Four")
    assert len(provider.requests) == 2


async def test_a_lasting_fault_is_reported_after_a_few_tries(provider: ScriptedProvider, model: ChatModel) -> None:
    provider.plays(*[refused(500)] * 5)

    with pytest.raises(ProviderFailed) as caught:
        await collect(model)

    assert caught.value.code == "provider_failed"
    assert len(provider.requests) == 2


async def test_a_short_retry_after_is_waited_out(dialect: Dialect, provider: ScriptedProvider) -> None:
    registry = dialect.registry(provider.url, Timeouts(longest_wait=1.5))
    provider.plays(refused(429, retry_after=1), dialect.answer("Four"))
    start = time.monotonic()

    deltas = await collect(registry.at(ModelEndpoint(dialect.provider, "model-1")))
    await registry.aclose()

    assert deltas[0] == TextDelta("Four")
    assert time.monotonic() - start > 0.9


async def test_no_wait_is_longer_than_the_patience_for_a_first_byte(
    dialect: Dialect, provider: ScriptedProvider
) -> None:
    registry = dialect.registry(provider.url, Timeouts(first_byte=0.5, longest_wait=10))
    provider.plays(refused(429, retry_after=9))
    start = time.monotonic()

    with pytest.raises(ProviderFailed):
        await collect(registry.at(ModelEndpoint(dialect.provider, "model-1")))
    await registry.aclose()

    assert time.monotonic() - start < 8


async def test_a_long_retry_after_is_passed_on_at_once(provider: ScriptedProvider, model: ChatModel) -> None:
    provider.plays(refused(429, retry_after=17))

    with pytest.raises(ProviderBusy) as caught:
        await collect(model)

    assert caught.value.retry_after == 17
    assert len(provider.requests) == 1


async def test_no_provider_has_us_wait_for_more_than_a_day(provider: ScriptedProvider, model: ChatModel) -> None:
    provider.plays(refused(429, retry_after="1e300"))

    with pytest.raises(ProviderBusy) as caught:
        await collect(model)

    assert caught.value.retry_after == 86_400


async def test_a_stream_without_an_end_is_given_up(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.adapters.sse.MAX_STREAM", 10_000)
    provider.plays(Act((*dialect.pieces("Four"), *[b": still here\n\n"] * 1_000, *dialect.end())))

    with pytest.raises(ProviderFailed):
        await collect(model)


async def test_a_retry_after_may_be_a_date(provider: ScriptedProvider, model: ChatModel) -> None:
    provider.plays(refused(429, retry_after=format_datetime(datetime.now(UTC) + timedelta(seconds=300), usegmt=True)))

    with pytest.raises(ProviderBusy) as caught:
        await collect(model)

    assert caught.value.retry_after == pytest.approx(300, abs=20)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_told_apart_and_nothing_leaks(
    status: int, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(refused(status))

    with pytest.raises(ProviderFailed) as caught:
        await collect(model)

    assert caught.value.code == "provider_rejected"
    assert caught.value.__suppress_context__
    told = f"{caught.value} {caught.value.details}"
    assert not any(secret in told for secret in (KEY.reveal(), "private", "shipping"))


@pytest.mark.parametrize("fault", [event("{not json"), event("[]"), event({"choices": [7], "type": "message_delta"})])
async def test_a_malformed_chunk_ends_the_answer(
    fault: bytes, dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(Act((*dialect.pieces("Four"), fault, *dialect.end())))

    with pytest.raises(ProviderFailed):
        await collect(model)


@pytest.mark.parametrize("cut", [True, False])
async def test_a_cut_stream_is_never_taken_for_an_answer_nor_tried_again(
    cut: bool, dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(Act(dialect.pieces("Four"), cut=cut))
    answer = said(model)

    assert await anext(answer) == TextDelta("Four")
    with pytest.raises(ProviderFailed):
        await anext(answer)
    assert len(provider.requests) == 1


async def test_an_overload_in_the_middle_is_told_as_busy(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(Act((*dialect.pieces("Four"), dialect.overloaded())))

    with pytest.raises(ProviderBusy) as caught:
        await collect(model)

    assert "private" not in str(caught.value)


@pytest.mark.parametrize(("before", "after"), [(60.0, 0.0), (0.0, 60.0)])
async def test_silence_is_not_waited_for_longer_than_allowed(
    before: float, after: float, dialect: Dialect, provider: ScriptedProvider
) -> None:
    registry = dialect.registry(provider.url, IMPATIENT)
    provider.plays(Act((before, *dialect.pieces("Four"), after, *dialect.end())))
    start = time.monotonic()

    with pytest.raises(ProviderFailed):
        await collect(registry.at(ModelEndpoint(dialect.provider, "model-1")))

    assert time.monotonic() - start < 10
    await asyncio.wait_for(provider.client_left.wait(), 10)
    await registry.aclose()


async def test_a_provider_that_is_away_fails_soon(dialect: Dialect) -> None:
    registry = dialect.registry("http://127.0.0.1:9", IMPATIENT)
    start = time.monotonic()

    with pytest.raises(ProviderFailed):
        await collect(registry.at(ModelEndpoint(dialect.provider, "model-1")))

    assert time.monotonic() - start < 3


async def test_closing_the_answer_ends_the_call_at_once(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(Act((*dialect.pieces("Four"), 60.0)))

    async with aclosing(said(model)) as answer:
        first = await anext(answer)

    assert first == TextDelta("Four")
    await asyncio.wait_for(provider.client_left.wait(), 1)


async def test_a_cancelled_reader_ends_the_call_at_once(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(Act((60.0, *dialect.pieces("Four"))))
    reading = asyncio.create_task(collect(model))
    await until(lambda: provider.requests)

    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.wait_for(provider.client_left.wait(), 1)


async def test_a_connection_serves_one_answer_after_another(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(*[dialect.answer("Four")] * 3)

    for _ in range(3):
        await collect(model)

    assert provider.connections == 1


async def test_no_error_is_anything_but_ours(provider: ScriptedProvider, model: ChatModel) -> None:
    for status in (400, 404, 422, 503):
        provider.plays(refused(status), refused(status))
        with pytest.raises(ChatConnectError):
            await collect(model)
        provider._acts.clear()
