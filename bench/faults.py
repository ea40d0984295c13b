"""A provider that fails by a plan. A seed fixes the plan, so whoever asks knows what each question will meet.

A question says its number ("Question 17: ..."), and number and seed decide what goes wrong, after how many tokens, and
whether a second try meets it too. Run as `python -m bench.faults --port N --seed S`.
"""

import argparse
import asyncio
import random
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import uvloop

from bench.provider import Connection, ScriptedProvider, serve

TOKENS = 24
GAP_SECONDS = 0.02
TRIES = 2  # as often as a provider's own client sends a request that was refused
_NUMBER = re.compile(r"Question (\d+):")
_LONGEST_STALL = 3600.0
_SHORT_WAIT, _LONG_WAIT = 0.2, 30.0  # the first is waited out, the second passed on to the caller


class Fault(StrEnum):
    """What a provider may do wrong."""

    NONE = "none"
    SERVER_ERROR = "server_error"
    BUSY = "busy"
    CUT = "cut"
    STALL = "stall"
    MALFORMED = "malformed"
    REFUSED = "refused"


_FAULTS = [each for each in Fault if each is not Fault.NONE]
_BLOCK = 5 * len(_FAULTS)  # one in five fails


@dataclass(frozen=True, slots=True)
class Script:
    """What one question meets: `tokens` come before the fault, and `tries` of the requests for it meet it.

    `retry_after` is in seconds. A refused connection is nothing that a provider plays: whoever asks has to send the
    question to where nobody listens.
    """

    fault: Fault
    tokens: int = 0
    tries: int = TRIES
    retry_after: float = 0.0

    @property
    def asked(self) -> int:
        """How often the provider will have been asked when nobody cancels."""
        if self.fault is Fault.REFUSED:
            return 0
        retried = self.fault is Fault.SERVER_ERROR or (self.fault is Fault.BUSY and self.retry_after < _LONG_WAIT)
        return TRIES if retried else 1

    @property
    def error(self) -> str | None:
        """The code that the answer ends with, None for one that succeeds."""
        if self.fault is Fault.NONE or self.tries < self.asked:
            return None
        return "provider_busy" if self.fault is Fault.BUSY else "provider_failed"

    @property
    def text(self) -> int:
        """How many tokens the answer has when nobody cancels."""
        return self.tokens if self.error else TOKENS


def script(seed: int, number: int) -> Script:
    """Return what a question meets: of every thirty questions six fail, each in another way."""
    block, place = divmod(number, _BLOCK)
    faults = [Fault.NONE] * (_BLOCK - len(_FAULTS)) + _FAULTS
    random.Random(f"{seed}:block:{block}").shuffle(faults)
    fault, chance = faults[place], random.Random(f"{seed}:{number}")
    match fault:
        case Fault.NONE | Fault.REFUSED:
            return Script(fault)
        case Fault.SERVER_ERROR:
            return Script(fault, tries=chance.randint(1, TRIES))
        case Fault.BUSY:
            return chance.choice(
                [Script(fault, retry_after=_LONG_WAIT), Script(fault, tries=1, retry_after=_SHORT_WAIT)]
            )
    return Script(fault, tokens=chance.choice([0, 1, chance.randint(2, TOKENS - 1)]))


def number_of(question: str) -> int:
    """Return the number that a question says."""
    found = _NUMBER.search(question)
    if found is None:
        raise ValueError("a question without a number")
    return int(found[1])


def token(number: int, position: int) -> str:
    """Return one token of the answer to a question: no other answer has it."""
    return f" {number}.{position}"


class FaultyConnection(Connection):
    """A connection to the provider that fails; all of them count together how often each question was asked."""

    def __init__(self, seed: int, tries: Counter[int]) -> None:
        super().__init__()
        self._seed, self._tries = seed, tries

    def about(self, _path: bytes) -> bytes:
        """Return how often each question was asked."""
        return orjson.dumps(self._tries, option=orjson.OPT_NON_STR_KEYS)

    async def answer(self, request: Any) -> None:
        """Answer, or fail."""
        number = number_of(request["messages"][-1]["content"])
        self._tries[number] += 1
        met = script(self._seed, number)
        if self._tries[number] > met.tries:
            met = Script(Fault.NONE)
        match met.fault:
            case Fault.SERVER_ERROR:
                self.refuse(b"500 Failed")
            case Fault.BUSY:
                self.refuse(b"429 Busy", b"Retry-After: %g\r\n" % met.retry_after)
            case Fault.NONE:
                await self._say(number, TOKENS)
                self.end(TOKENS, cached=100)
            case _:
                await self._say(number, met.tokens)
                await self._break(met.fault)

    async def _say(self, number: int, tokens: int) -> None:
        self.begin()
        for position in range(tokens):
            await asyncio.sleep(GAP_SECONDS)
            self.say(token(number, position).encode())

    async def _break(self, fault: Fault) -> None:
        match fault:
            case Fault.CUT:
                await asyncio.sleep(GAP_SECONDS)  # what was said is to arrive
                self.cut()
            case Fault.STALL:
                await asyncio.sleep(_LONGEST_STALL)
            case _:
                self.event(b'{"choices":[{"index":0,"delta":{"conte')


class FaultyProvider(ScriptedProvider):
    """The provider as a child process."""

    name, variable = "faulty-provider", "FAULTY_PROVIDER_PORT"

    def __init__(self, data_dir: Path, port: int, seed: int) -> None:
        super().__init__(data_dir, port)
        self._seed = seed

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        return [sys.executable, "-m", "bench.faults", "--port", str(self.port), "--seed", str(self._seed)]


def main() -> None:
    """Run the provider."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    uvloop.run(serve(arguments.port, partial(FaultyConnection, arguments.seed, Counter())))


if __name__ == "__main__":
    main()
