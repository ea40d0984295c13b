"""Which models a deployment lets every plan use."""

import pytest

from chatconnect import assembly
from chatconnect.settings import Settings


def test_the_models_that_new_assistants_start_with_belong_to_every_plan() -> None:
    standard = assembly.standard_models(
        Settings(openai_model="gpt-9", anthropic_model="claude-mini", openai_base_url=None)
    )

    assert standard.include("openai", "gpt-9")
    assert standard.include("anthropic", "claude-mini")
    assert not standard.include("openai", "gpt-5")


@pytest.mark.parametrize(
    ("address", "included"),
    [(None, False), ("https://api.openai.com/v1", False), ("http://127.0.0.1:4010/v1", True)],
)
def test_a_server_in_a_providers_place_has_models_of_its_own(address: str | None, included: bool) -> None:
    standard = assembly.standard_models(Settings(openai_base_url=address, anthropic_base_url=None))

    assert standard.include("openai", "our-llama") is included
    assert not standard.include("openai", "gpt-4o")
    assert not standard.include("anthropic", "our-llama")
