"""Whatever goes wrong inside is kept for who goes on; only the end of the work itself gets through."""

import asyncio
from collections.abc import Generator

import pytest

from chatconnect.domain.errors import Caught, Invalid


def test_what_goes_wrong_inside_is_kept_and_told_and_the_rest_goes_on() -> None:
    told: list[Exception] = []
    fault = ZeroDivisionError()

    with Caught(told.append) as caught:
        raise fault

    assert caught.fault is fault
    assert told == [fault]


def test_where_nothing_goes_wrong_nothing_is_kept_or_told() -> None:
    told: list[Exception] = []

    with Caught(told.append) as caught:
        pass

    assert (caught.fault, told) == (None, [])


def test_our_own_errors_are_kept_as_they_are() -> None:
    with Caught() as caught:
        raise Invalid("too long", code="too_long")

    assert isinstance(caught.fault, Invalid)
    assert caught.fault.code == "too_long"


@pytest.mark.parametrize("end", [asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_the_end_of_the_work_itself_gets_through(end: type[BaseException]) -> None:
    caught = Caught()

    with pytest.raises(end), caught:
        raise end

    assert caught.fault is None


def test_a_generator_that_nobody_reads_on_is_ended() -> None:
    ended = []

    def numbers() -> Generator[int]:
        try:
            with Caught():
                yield 1
                yield 2
        finally:
            ended.append(True)

    reading = numbers()
    next(reading)
    reading.close()

    assert ended == [True]
