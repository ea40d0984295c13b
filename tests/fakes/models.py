"""A language model that plays a script, and an embedder that counts letters."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from math import sqrt

from chatconnect.ports.models import (
    Delta,
    Finished,
    GenerationOptions,
    ModelEndpoint,
    Prompt,
    PromptRead,
    TextDelta,
    ToolCall,
)

Step = str | float | Exception | asyncio.Event | ToolCall | PromptRead


FINISHED = Finished("stop", 1_000, 100, 200)


class ScriptedModel:
    """Plays its script at each call: a text is a piece, a number a pause in seconds, an event is waited for.

    An exception is raised. `end` None leaves the last delta out.
    """

    def __init__(self, *script: Step, end: Finished | None = FINISHED) -> None:
        self.script, self.end = script, end
        self.prompts: list[Prompt] = []
        self.options: list[GenerationOptions] = []
        self.closed = 0

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        self.prompts.append(prompt)
        self.options.append(options)
        try:
            for step in self.script:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, str):
                    yield TextDelta(step)
                elif isinstance(step, ToolCall | PromptRead):
                    yield step
                elif isinstance(step, asyncio.Event):
                    await step.wait()
                else:
                    await asyncio.sleep(step)
            if self.end is not None:
                yield self.end
        finally:
            self.closed += 1


class OneModel:
    """Gives the same model for every endpoint, and remembers which were asked for."""

    def __init__(self, model: ScriptedModel) -> None:
        self.model = model
        self.endpoints: list[ModelEndpoint] = []

    def at(self, endpoint: ModelEndpoint) -> ScriptedModel:
        self.endpoints.append(endpoint)
        return self.model


class LetterEmbedder:
    """How often each letter occurs, as a vector: texts of like letters lie close together."""

    name = "letters"
    dimensions = 26

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [_unit([text.lower().count(chr(97 + n)) for n in range(26)]) for text in texts]


class CountingEmbedder(LetterEmbedder):
    """Remembers every text it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += texts
        return await super().embed(texts)


def words(text: str) -> int:
    """As many tokens as words."""
    return len(text.split())


def _unit(counts: list[int]) -> list[float]:
    length = sqrt(sum(count * count for count in counts))
    return [count / length if length else 0.0 for count in counts]
