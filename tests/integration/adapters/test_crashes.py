"""A process may be killed before and after every step of ingestion, replacement, deletion and purge.

Postgres and the Qdrant engine are real, the bucket is a fake. At every step somebody asks: the answer is always one
whole version. Then the work comes again, the reconcile job runs, and all is as if there had been no crash.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import cast

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import DocumentId
from local.services import Qdrant
from tests.factories import a_tenant
from tests.fakes.models import LetterEmbedder
from tests.integration.adapters.crashing import Answer, Killed, Process, World

OLD = (
    "Walruses pay ninety as their tariff.",
    "In winter the northern quay has no tariff at all.",
    "Tariff: see OLD-44.",
)
NEW = ("The harbour master sets every tariff by hand.", "NEW-99 names the tariff of seals and of their young.")
NOTHING: tuple[str, ...] = ()
UNREADABLE = ("!",)


@pytest.fixture
async def world(database: PostgresDatabase, qdrant: Qdrant) -> AsyncIterator[World]:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    vectors = QdrantDatabase(qdrant.url, collection="crashes-26", dimensions=LetterEmbedder.dimensions)
    yield World(new.tenant.id, database, vectors)
    await vectors.aclose()


async def first_upload(world: World, process: Process) -> None:
    await world.deliver(process)


async def replacement(world: World, process: Process) -> None:
    await world.deliver(process)


async def unreadable_replacement(world: World, process: Process) -> None:
    await world.deliver(process)


async def deletion(world: World, process: Process) -> None:
    with suppress(NotFound):  # the caller tries again, without knowing that it was done
        await world.documents(process).delete(world.tenant_id, cast("DocumentId", world.document_id))


async def reprocessing(world: World, process: Process) -> None:
    await world.documents(process).reprocess(world.tenant_id, cast("DocumentId", world.document_id))
    await world.deliver(process)


Work = Callable[[World, Process], Awaitable[None]]

READING = (
    "documents.begin_processing", "epochs.changed", "documents.get", "documents.chunk_settings", "uploads.size_of",
    "uploads.fetch", "documents.stored_chunks", "documents.set_progress",
)  # fmt: skip
STORING = ("chunks.save", "documents.save_chunks")
PUBLISHING = ("documents.activate", "documents.replaced_versions")
PURGING = ("chunks.delete_version", "uploads.delete", "documents.purged")
WORK: dict[Work, tuple[tuple[str, ...], Answer, Answer | None, Answer]] = {
    # what is done: its steps, what answers before, what is uploaded, what answers at last
    first_upload: ((*READING, *STORING, *PUBLISHING), NOTHING, NEW, NEW),
    replacement: ((*READING, *STORING, *PUBLISHING, *PURGING), OLD, NEW, NEW),
    unreadable_replacement: ((*READING[:6], "documents.fail", "chunks.delete_version"), OLD, UNREADABLE, OLD),
    deletion: (("documents.delete_all", "epochs.changed", *PURGING), OLD, None, NOTHING),
    reprocessing: (
        ("documents.add_version", "uploads.exists", "uploads.copy", *READING, *STORING, *PUBLISHING, *PURGING),
        OLD, None, OLD,
    ),
}  # fmt: skip
DECISIVE = frozenset({"documents.activate", "documents.delete_all"})
KILLS = [(work, step, side) for work, (steps, *_) in WORK.items() for step in steps for side in ("before", "after")]


async def prepared(world: World, work: Work) -> Answer:
    """Bring the world to where the work begins; return what will answer at last."""
    _, before, sent, after = WORK[work]
    if before:
        await world.upload(before)
        await world.deliver(Process(world.quiet))
    if sent:
        await world.upload(sent)
    world.allowed = (before, after) if before != after else (before,)
    return after


@pytest.mark.parametrize(("work", "step", "side"), KILLS)
async def test_after_a_kill_all_is_as_if_there_had_been_none(world: World, work: Work, step: str, side: str) -> None:
    last = await prepared(world, work)
    world.decisive = (
        DECISIVE if WORK[work][1] else frozenset()
    )  # that nothing is found may be known for a moment longer
    await world.look()

    with pytest.raises(Killed):
        await work(world, Process(world.look, (step, side)))
    await world.look()
    await work(world, Process(world.look))
    await world.deliver(Process(world.look))
    await world.reconciled()

    assert await world.answer() == tuple(sorted(last))
    await world.nothing_is_left_over()


@pytest.mark.parametrize(("work", "step", "side"), KILLS)
async def test_the_job_alone_makes_an_end_of_what_nobody_tries_again(
    world: World, work: Work, step: str, side: str
) -> None:
    await prepared(world, work)

    with pytest.raises(Killed):
        await work(world, Process(world.look, (step, side)))
    await world.reconciled()
    await world.deliver(Process(world.look))  # what the job has announced again
    await world.reconciled()

    await world.look()
    await world.nothing_is_left_over()


@pytest.mark.parametrize("work", list(WORK))
async def test_the_table_names_every_step(world: World, work: Work) -> None:
    await prepared(world, work)
    process = Process(world.quiet)

    await work(world, process)

    assert set(process.steps) - {"documents.add_embedded", "chunks.delete_version"} <= set(WORK[work][0]) | {
        "documents.get",
        "documents.drop_chunks",
        "documents.later_upload",
    }
    assert set(WORK[work][0]) <= set(process.steps)


async def test_whoever_asks_while_versions_follow_each_other_gets_one_of_them_whole(world: World) -> None:
    await prepared(world, replacement)
    whole, asked, over = {tuple(sorted(OLD)), tuple(sorted(NEW))}, 0, False

    async def ask() -> None:
        nonlocal asked
        while not over:
            assert await world.answer() in whole
            asked += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ask())
        for number in range(10):
            await world.upload(NEW if number % 2 else OLD)
            await world.deliver(Process(world.quiet))
        over = True

    assert asked > 20
    await world.reconciled()
    await world.nothing_is_left_over()
