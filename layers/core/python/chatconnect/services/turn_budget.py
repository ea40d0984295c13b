"""What the model calls of a turn may take: each is set aside before it begins, and all are counted when it is over."""

import asyncio
import json
from dataclasses import dataclass, replace
from math import ceil

from chatconnect.domain.budget import Measure
from chatconnect.domain.conversation import Usage
from chatconnect.domain.pricing import Price
from chatconnect.ports.budgets import Amounts, Budgets, Reservation
from chatconnect.ports.models import Finished, GenerationOptions, Prompt
from chatconnect.services.metering import CountTokens, prompt_tokens, tools_tokens


@dataclass(slots=True)
class _Claim:
    """What one call may take at worst, or what it took once that is known."""

    tokens: int
    microusd: int


class TurnBudget:
    """One turn's part of its tenant's caps.

    `reservation` holds what was set aside for the answer's first call, and grows with each further call; calls that are
    over count with what they took. `extras` are the tokens of it that are meant for tools and the answer's form;
    `margin` is by how much the provider may count more tokens than we do.
    """

    def __init__(
        self,
        budgets: Budgets,
        reservation: Reservation,
        count_tokens: CountTokens,
        *,
        extras: int = 0,
        margin: float = 0.0,
    ) -> None:
        self.reservation, self.count_tokens, self.margin = reservation, count_tokens, margin
        self.beside = Usage()
        """What the calls beside the answer took."""
        self._budgets, self._extras = budgets, extras
        self._claims: list[_Claim] = []
        self._claiming = asyncio.Lock()

    def for_answer(self) -> "CallAllowance":
        """Return the allowance of the answer's own calls, of which the first is set aside already."""
        wanted = self.reservation.wanted
        tokens, output = wanted.prompt_tokens, self.reservation.max_tokens
        first = self._claimed(tokens, output, wanted.price)
        return CallAllowance(self, wanted.price, first=first, extras=self._extras)

    def for_side_call(self, price: Price | None) -> "CallAllowance":
        """Return the allowance of a call beside the answer, which is made whole or not at all."""
        return CallAllowance(self, price, whole=True)

    def add(self, usage: Usage) -> None:
        """Note what a call beside the answer took."""
        self.beside = self.beside.plus(usage)

    async def claim(
        self, tokens: int, output: int, price: Price | None, *, shortest: int, instead_of: _Claim | None = None
    ) -> tuple[_Claim, int]:
        """Set aside a further call of so many tokens; return the claim and its output tokens. Raises LimitReached."""
        async with self._claiming:
            if instead_of is not None:
                self._claims.remove(instead_of)
            further = replace(
                self.reservation.wanted, prompt_tokens=tokens, max_tokens=output, price=price, shortest=shortest
            )
            taken = {
                Measure.TOKENS: sum(claim.tokens for claim in self._claims),
                Measure.MONEY: sum(claim.microusd for claim in self._claims),
            }
            output = await self._budgets.extend(self.reservation, further, taken)
            return self._claimed(tokens, output, price), output

    async def settle_beside(self) -> None:
        """Count what the calls beside the answer took, where they have a reservation of their own."""
        if self._claims:
            await self._budgets.settle(self.reservation, amounts(self.reservation, self.beside))

    def _claimed(self, tokens: int, output: int, price: Price | None) -> _Claim:
        claim = _Claim(tokens + output, 0)
        if price:
            claim.microusd = price.of(input_tokens=tokens, output_tokens=output, cache_write_tokens=tokens)
        self._claims.append(claim)
        return claim


class CallAllowance:
    """What the calls of one model may take, one after the other.

    The `first` call is set aside already; it is measured only by its `extras`, so that nobody waits for the counting of
    passages. A prompt that repeats an earlier one is measured by the provider's own count of that. A call that is
    wanted `whole` is not cut to what is left.
    """

    def __init__(
        self,
        budget: TurnBudget,
        price: Price | None,
        *,
        first: _Claim | None = None,
        extras: int = 0,
        whole: bool = False,
    ) -> None:
        self._budget, self._price, self._whole = budget, price, whole
        self._first, self._extras = first, extras
        self._claim: _Claim | None = None
        self._last: tuple[Prompt, Finished] | None = None
        self._prompt: Prompt | None = None

    async def grant(self, prompt: Prompt, options: GenerationOptions) -> GenerationOptions:
        """Set aside what a call may take at worst, and return its options, cut to what is left. Raises LimitReached."""
        first, self._first, self._prompt = self._first, None, prompt
        if first is None:
            tokens = self._tokens(prompt, options)
        else:
            surplus = self._extra_tokens(prompt, options) - self._extras
            if surplus <= 0:
                self._claim = first
                return options
            tokens = self._budget.reservation.wanted.prompt_tokens + surplus
        shortest = options.max_tokens if self._whole else self._budget.reservation.wanted.shortest
        self._claim, output = await self._budget.claim(
            tokens, options.max_tokens, self._price, shortest=shortest, instead_of=first
        )
        if output == options.max_tokens:
            return options
        return replace(options, max_tokens=output, may_call_tools=False)

    def took(self, finished: Finished) -> None:
        """Let the last call count with what it took."""
        if self._claim is None or self._prompt is None:
            return
        self._last = self._prompt, finished
        self._claim.tokens = finished.input_tokens + finished.output_tokens
        if self._price:
            self._claim.microusd = self._price.of(
                input_tokens=finished.input_tokens,
                output_tokens=finished.output_tokens,
                cached_tokens=finished.cached_tokens,
                cache_write_tokens=finished.cache_write_tokens,
            )

    def _tokens(self, prompt: Prompt, options: GenerationOptions) -> int:
        """Return how many tokens a prompt has: by our count, and as much more as the provider counted, or may."""
        count = self._budget.count_tokens
        tokens, more = prompt_tokens(prompt, count) + _form_tokens(options, count), 1 + self._budget.margin
        if self._last is not None:
            before, finished = self._last
            more = max(1.0, finished.input_tokens / (prompt_tokens(before, count) + _form_tokens(options, count)))
        return ceil(tokens * more)

    def _extra_tokens(self, prompt: Prompt, options: GenerationOptions) -> int:
        return tools_tokens(prompt, self._budget.count_tokens) + _form_tokens(options, self._budget.count_tokens)


def amounts(reservation: Reservation, usage: Usage) -> Amounts:
    """Return what a reservation is settled with."""
    return {
        Measure.MESSAGES: reservation.wanted.messages,
        Measure.TOKENS: usage.input_tokens + usage.output_tokens,
        Measure.MONEY: usage.cost_microusd,
    }


def _form_tokens(options: GenerationOptions, count_tokens: CountTokens) -> int:
    schema = options.response_format.schema
    return 0 if schema is None else count_tokens(json.dumps(schema))
