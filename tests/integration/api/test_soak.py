"""A short soak: a fifth of the provider's calls fail, visitors come and go, and the books are right all the same."""

from pathlib import Path

from bench.faults import Fault
from bench.soak import Plan, soaked
from bench.visits import Manner
from local.services import free_port, running
from local.services.api import Api
from tests.stack import RunningStack

SILENCE = 2.0


async def test_while_the_provider_fails_every_stream_ends_once_and_the_books_are_right(
    stack: RunningStack, tmp_path: Path
) -> None:
    limits = {"PROVIDER_FIRST_BYTE_SECONDS": str(SILENCE), "PROVIDER_SILENCE_SECONDS": str(SILENCE)}
    impatient = Api(tmp_path / "api", free_port(), {**stack.settings, **limits})

    async with running(impatient):
        report = await soaked(stack, impatient.url, Plan(1, visitors=15, questions=4, silence=SILENCE), tmp_path)

    assert report["violations"] == []
    assert report["failing_share"] == 0.2
    assert report["faults"].keys() == set(Fault)
    assert report["manners"].keys() == set(Manner)
    assert report["streams"] > report["questions"] == 60
