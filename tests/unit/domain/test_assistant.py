"""An assistant's configuration refuses what cannot work and never changes in place."""

from dataclasses import replace
from typing import Any

import pytest

from chatconnect.domain.assistant import AssistantConfig, Fallback, Retrieval
from chatconnect.domain.errors import Invalid
from chatconnect.domain.secret import Secret

CONFIG = AssistantConfig(name="Ada", provider="openai", model="gpt-5-mini", access_token=Secret("sk-12345678"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""), ("name", "  "), ("name", "n" * 101), ("name", "a\0b"),
        ("model", ""), ("model", "m" * 101),
        ("provider", ""), ("provider", "OpenAI"),
        ("system_prompt", ""), ("system_prompt", "p" * 20_001), ("system_prompt", "a\0b"),
        ("refusal", ""), ("refusal", "r" * 1_001),
        ("temperature", -0.1), ("temperature", 2.01), ("temperature", float("nan")),
        ("max_tokens", 0), ("max_tokens", 32_001),
        ("tool_rounds", 0), ("tool_rounds", 11), ("tools", ("orders", "orders")),
        ("tools", tuple(f"t{n}" for n in range(21))),
        ("history_messages", -1), ("history_messages", 201),
        ("base_url", ""), ("base_url", "example.com"), ("base_url", "file:///etc/passwd"), ("base_url", "https://"),
        ("base_url", "https://user:word@example.com"), ("base_url", "https://example.com/v1?key=1"),
        ("base_url", "https://example.com/v1#here"), ("base_url", "https://[::1"),
        ("base_url", "https://example.com:port"), ("base_url", "https://exa\nmple.com"), ("base_url", "http://é.de"),
        ("base_url", f"https://example.com/{'x' * 2_000}"),
        ("access_token", Secret("short")), ("access_token", Secret("t" * 501)), ("access_token", Secret("with space")),
        ("access_token", Secret("line\nbreak1")), ("access_token", Secret("schlüssel")),
    ],
)  # fmt: skip
def test_a_value_out_of_bounds_is_refused_by_its_field(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        replace(CONFIG, **{field: value})

    assert refused.value.details["field"] == field


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "n" * 100), ("system_prompt", "p" * 20_000), ("temperature", 0.0), ("temperature", 2.0),
        ("max_tokens", 1), ("max_tokens", 32_000), ("history_messages", 0), ("history_messages", 200),
        ("base_url", "http://127.0.0.1:8080/v1"), ("base_url", None), ("access_token", Secret("t" * 500)),
        ("control_messages", ("Answer in JSON.",)), ("tool_rounds", 1), ("tool_rounds", 10),
        ("tools", ("search_knowledge", "orders")), ("fallback", Fallback("anthropic", "claude-haiku-4-5")),
    ],
)  # fmt: skip
def test_a_value_at_its_bound_is_taken(field: str, value: Any) -> None:
    assert getattr(replace(CONFIG, **{field: value}), field) == value


@pytest.mark.parametrize(("provider", "model"), [("unknown", "m"), ("openai", ""), ("openai", "m" * 101)])
def test_a_fallback_that_is_no_model_is_refused(provider: str, model: str) -> None:
    with pytest.raises(Invalid):
        Fallback(provider, model)


def test_a_control_message_is_refused_by_its_place() -> None:
    with pytest.raises(Invalid) as refused:
        replace(CONFIG, control_messages=("fine", ""))

    assert refused.value.details["field"] == "control_messages.1"


@pytest.mark.parametrize("settings", [{"limit": 0}, {"limit": 21}, {"threshold": -0.1}, {"threshold": 1.1}])
def test_retrieval_settings_out_of_bounds_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Retrieval(**settings)


def test_the_access_token_stays_with_another_model_of_the_same_provider_and_address() -> None:
    assert CONFIG.with_model("openai", "gpt-5-nano").access_token == CONFIG.access_token


@pytest.mark.parametrize(
    ("provider", "base_url"), [("anthropic", None), ("openai", "https://elsewhere.example"), ("offline", None)]
)
def test_the_access_token_is_never_sent_to_another_provider_or_address(provider: str, base_url: str | None) -> None:
    changed = CONFIG.with_model(provider, "model", base_url=base_url)

    assert changed.access_token is None
    assert (changed.provider, changed.base_url) == (provider, base_url)


def test_every_change_is_a_checked_copy() -> None:
    changed = (
        CONFIG.with_temperature(1.5)
        .with_system_prompt("Be brief.")
        .with_access_token(None)
        .with_retrieval(Retrieval(limit=3))
    )

    assert (changed.temperature, changed.system_prompt, changed.retrieval.limit) == (1.5, "Be brief.", 3)
    assert changed.access_token is None
    assert CONFIG.temperature == 0.2
    with pytest.raises(Invalid):
        CONFIG.with_temperature(3)
    with pytest.raises(Invalid):
        CONFIG.with_system_prompt(" ")
