"""Which model answers: the assistant's own, or its fallback while that one fails."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from time import monotonic

from chatconnect.domain.assistant import AssistantConfig
from chatconnect.domain.errors import ChatConnectError, ProviderBusy, ProviderFailed
from chatconnect.ports.models import ChatModels, Delta, GenerationOptions, ModelEndpoint, Prompt, PromptRead

FAILURES_TO_OPEN = 5
OPEN_SECONDS = 15.0
MAX_BREAKERS = 1_000


class Breaker:
    """Keeps calls from an endpoint that does not work, so that not every visitor has to wait for it.

    Closed, it lets all pass. After some failures in a row it is open and lets none pass for a while. Then it is half
    open: one call passes, and its outcome closes or opens the breaker.
    """

    def __init__(self) -> None:
        self._failures = 0
        self._next_trial = 0.0

    def lets_pass(self) -> bool:
        """Say whether a call may be made now; a trial call is granted to the first who asks."""
        if self._failures < FAILURES_TO_OPEN:
            return True
        if monotonic() < self._next_trial:
            return False
        self._next_trial = monotonic() + OPEN_SECONDS  # nobody else until the trial's outcome
        return True

    def succeeded(self) -> None:
        """Take note that the endpoint works."""
        self._failures = 0

    def failed(self) -> None:
        """Take note that the endpoint did not work."""
        self._failures += 1
        self._next_trial = monotonic() + OPEN_SECONDS


class ModelChoice:
    """Chooses models, and remembers for each endpoint whether it works. One per process."""

    def __init__(self, models: ChatModels) -> None:
        self._models = models
        self._breakers: OrderedDict[ModelEndpoint, Breaker] = OrderedDict()

    def for_assistant(self, config: AssistantConfig) -> "ChosenModel":
        """Return the model for one answer; connects nothing yet."""
        return ChosenModel(self, endpoints(config))

    async def ask(self, endpoint: ModelEndpoint, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        """Yield what the endpoint says. Raises ProviderFailed at once while it is known not to work."""
        breaker, begun = self._breaker(endpoint), False
        if not breaker.lets_pass():
            raise ProviderFailed
        try:
            async with aclosing(self._models.at(endpoint).stream(prompt, options)) as deltas:
                async for delta in deltas:
                    if not begun:
                        begun = True
                        breaker.succeeded()
                    yield delta
        except ChatConnectError as error:
            if not begun:
                if error.code == ProviderFailed.code:
                    breaker.failed()
                else:
                    breaker.succeeded()  # busy, or not for this key: it answers, and at once
            raise

    def _breaker(self, endpoint: ModelEndpoint) -> Breaker:
        breaker = self._breakers.setdefault(endpoint, Breaker())
        self._breakers.move_to_end(endpoint)
        if len(self._breakers) > MAX_BREAKERS:
            self._breakers.popitem(last=False)
        return breaker


class ChosenModel:
    """The model of one answer. The first endpoint that says anything is kept for all its rounds."""

    def __init__(self, choice: ModelChoice, wanted: Sequence[ModelEndpoint]) -> None:
        self._choice, self._wanted = choice, tuple(wanted)

    @property
    def endpoint(self) -> ModelEndpoint:
        """The endpoint that answers, or the one that would be asked first."""
        return self._wanted[0]

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        """Yield what the first endpoint says that works. Raises what the last one of them raises."""
        for number, endpoint in enumerate(self._wanted, start=1):
            begun = False
            try:
                async with aclosing(self._choice.ask(endpoint, prompt, options)) as deltas:
                    async for delta in deltas:
                        if not begun and not isinstance(delta, PromptRead):
                            begun, self._wanted = True, (endpoint,)
                        yield delta
            except (ProviderBusy, ProviderFailed):
                if begun or number == len(self._wanted):
                    raise
            else:
                return


def endpoints(config: AssistantConfig) -> tuple[ModelEndpoint, ...]:
    """Return the endpoints that an assistant may use, the preferred first."""
    own = ModelEndpoint(config.provider, config.model, config.base_url, config.access_token)
    other = config.fallback
    if other is None:
        return (own,)
    if other.provider == config.provider:
        return own, ModelEndpoint(other.provider, other.model, config.base_url, config.access_token)
    return own, ModelEndpoint(other.provider, other.model)
