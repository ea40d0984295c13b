"""How many tokens a text is, where nobody tells: an estimate."""

from chatconnect.ports.models import Prompt

CHARACTERS_PER_TOKEN = 4


def estimated_tokens(text: str) -> int:
    """Return four characters per token, rounded up: near enough for English, low for other scripts."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def estimated_prompt_tokens(prompt: Prompt) -> int:
    """Return the estimate for all the text that a model is given."""
    said = sum(estimated_tokens(message.text) for message in prompt.messages)
    called = sum(estimated_tokens(call.arguments) for message in prompt.messages for call in message.calls)
    returned = sum(estimated_tokens(result.text) for message in prompt.messages for result in message.results)
    return estimated_tokens(prompt.system) + said + called + returned
