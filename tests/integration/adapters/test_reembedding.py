"""A deployment changes its embedding model while people ask, upload, replace and delete.

Postgres and the Qdrant engine are real. There is a process of the old settings and one of the new: vectors of the two
models have different lengths, so that a search that mixed them would fail.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.embedding import IndexState
from chatconnect.domain.errors import ProviderBusy
from chatconnect.domain.identifiers import TenantId
from chatconnect.services.reembedding import GRACE
from local.services import Qdrant
from tests.integration.adapters.moving import NEW, OLD, Deployment, Process

PAGES = [f"Page {number} tells of harbour {number}." for number in range(140)]
# Each of them is a chunk: two do not fit into one.
LONG = [page + " quay" * 300 for page in PAGES]


@pytest.fixture
async def deployment(database: PostgresDatabase, qdrant: Qdrant) -> AsyncIterator[Deployment]:
    made = Deployment(database, qdrant.url)
    yield made
    await made.aclose()


@pytest.fixture
async def old(deployment: Deployment) -> Process:
    """A process of the settings before the change."""
    return deployment.process(OLD)


@pytest.fixture
async def new(deployment: Deployment) -> Process:
    """A process of the settings that want the new model."""
    return deployment.process(NEW)


@pytest.fixture
async def acme(deployment: Deployment) -> TenantId:
    return await deployment.open_tenant()


async def cleaned(process: Process) -> dict[str, int]:
    """What the job does once a former index has been kept for long enough."""
    process.deployment.later += GRACE
    return await process.job.run()


@asynccontextmanager
async def asking(question: Callable[[], Awaitable[None]]) -> AsyncIterator[list[None]]:
    """Ask all the time what is done inside."""
    asked: list[None] = []
    over = asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            await question()
            asked.append(None)
            await asyncio.sleep(0.01)

    async with asyncio.TaskGroup() as group:
        group.create_task(ask())
        try:
            yield asked
        finally:
            over.set()


async def test_whoever_asks_during_the_change_always_finds_the_right_passage(
    deployment: Deployment, old: Process, new: Process, acme: TenantId
) -> None:
    lighthouse = "The lighthouse is painted in red and white."
    await old.add(acme, lighthouse)
    renewed = await old.add(acme, "The ferry leaves at seven.")
    deleted = await old.add(acme, "The old pier is closed.")
    for page in PAGES[:12]:
        await old.add(acme, page)
    ferry = {"The ferry leaves at seven."}  # what may be found just now

    async def question() -> None:
        for process in (old, new):
            before = set(ferry)
            assert (await process.found(acme, "lighthouse painted"))[0] == lighthouse
            assert (await process.found(acme, "ferry leaves"))[0] in before | ferry

    async def renew(process: Process, text: str) -> None:
        ferry.add(text)
        await process.add(acme, text, renews=renewed.id)
        ferry.intersection_update({text})

    async with asking(question) as asked:
        figures = await new.job.start()
        assert (figures["moving"], figures["waiting"]) == (1, 0)
        deployment.embedders[NEW].before = failing_after(deployment, 4)
        assert (await new.job.run())["moving"] == 1
        deployment.embedders[NEW].before = lambda _: None
        await renew(old, "The ferry leaves at nine, from the other quay.")
        await new.documents.delete(acme, deleted.id)
        added = await new.add(acme, "Oysters are sold on Fridays.")
        assert (await new.found(acme, "oysters"))[0] == "Oysters are sold on Fridays."
        assert (await new.job.run())["switched"] == 1
        await renew(old, "The ferry leaves at ten.")
        assert len(asked) > 5

    figures = await cleaned(new)

    assert figures["dropped"] == 1
    assert await new.collections() == {NEW}
    state = await moved(deployment, acme)
    assert (state.active, state.next, state.former) == (NEW, None, ())
    for process in (old, new):
        assert (await process.found(acme, "oysters"))[0] == "Oysters are sold on Fridays."
        assert (await process.found(acme, "ferry leaves"))[0] == "The ferry leaves at ten."
        assert "The old pier is closed." not in await process.found(acme, "old pier")
    holdings = await deployment.documents_of(acme).holdings()
    expected = {holding.version.id: set(range(holding.chunks)) for holding in holdings if holding.answers}
    assert await new.positions(acme, NEW) == expected
    assert added.active_version_id in expected


async def moved(deployment: Deployment, tenant_id: TenantId) -> IndexState:
    state = await deployment.state(tenant_id)
    assert state is not None
    return state


async def test_a_run_that_is_killed_is_gone_on_with_and_embeds_nothing_again(
    deployment: Deployment, old: Process, new: Process, acme: TenantId
) -> None:
    await old.add(acme, *LONG)
    embedder = deployment.embedders[NEW]
    await new.job.start()
    killed = asyncio.Event()

    def before(_: Sequence[str]) -> None:
        if len(embedder.texts) > len(LONG) / 2:
            killed.set()

    embedder.before = before
    run = asyncio.create_task(new.job.run())
    await killed.wait()
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)
    stored = sum(map(len, (await new.positions(acme, NEW)).values()))
    state = await moved(deployment, acme)
    asked = len(embedder.texts)

    figures = await deployment.process(NEW).job.run()

    assert 0 < stored < len(LONG)
    assert (state.active, state.next, state.progress.total) == (OLD, NEW, len(LONG))
    assert (figures["embedded"], figures["switched"]) == (len(LONG) - stored, 1)
    assert embedder.texts[asked:] == LONG[stored:]
    assert await new.found(acme, "harbour 150") != []


async def test_a_document_that_was_read_for_the_old_index_is_read_again_for_the_new_one(
    deployment: Deployment, old: Process, new: Process, acme: TenantId
) -> None:
    first = await old.add(acme, "The tariff is ninety.")
    renewal = await old.upload(acme, "The tariff is a hundred.", renews=first.id)
    switch: list[asyncio.Task[dict[str, int]]] = []
    await new.job.start()
    embedded = asyncio.Event()

    async def slow(texts: Sequence[str]) -> list[list[float]]:
        vectors = await type(embedder).embed(embedder, texts)
        embedded.set()
        await asyncio.gather(*switch)
        return vectors

    embedder = deployment.embedders[OLD]
    switch.append(asyncio.create_task(new.job.run()))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(embedder, "embed", slow)  # it ends when the tenant has been moved
        outcome = await old.read(renewal)
    between = await new.found(acme, "tariff")
    again = await deployment.process(OLD).add(acme, "Unrelated.")  # takes up what waits, too

    assert embedded.is_set()
    assert switch[0].result()["switched"] == 1
    assert outcome == "continued"
    assert between == ["The tariff is ninety."]
    for process in (old, new):
        assert (await process.found(acme, "tariff"))[0] == "The tariff is a hundred."
    active = (await new.documents.get(acme, first.id)).active_version_id
    assert set(await new.positions(acme, NEW)) == {active, again.active_version_id}


async def test_a_move_that_is_aborted_leaves_what_answers_and_no_trace(
    deployment: Deployment, old: Process, new: Process, acme: TenantId
) -> None:
    for page in PAGES[:20]:
        await old.add(acme, page)
    await new.job.start()
    deployment.embedders[NEW].before = failing_after(deployment, 8)
    await new.job.run()
    assert await new.positions(acme, NEW) != {}

    figures = await new.job.abort()
    after = await new.job.run()

    assert (figures["moving"], figures["waiting"], after["embedded"]) == (0, 1, 0)
    assert (await new.found(acme, "harbour 15"))[0] == PAGES[15]
    await cleaned(old)
    assert await old.collections() == {OLD}


def failing_after(deployment: Deployment, texts: int) -> Callable[[Sequence[str]], None]:
    def before(_: Sequence[str]) -> None:
        if len(deployment.embedders[NEW].texts) > texts:
            raise ProviderBusy(retry_after=1)

    return before


async def test_a_tenant_that_was_moved_is_rolled_back_without_embedding_what_did_not_change(
    deployment: Deployment, old: Process, new: Process, acme: TenantId
) -> None:
    for page in PAGES[:5]:
        await old.add(acme, page)
    await new.job.start()
    await new.job.run()
    await new.add(acme, "Since then there is a sauna.")
    before = len(deployment.embedders[OLD].texts)

    for _ in range(2):  # to say it twice changes nothing
        await new.job.roll_back()
    figures = await new.job.run()

    assert (figures["embedded"], figures["switched"]) == (1, 1)
    assert deployment.embedders[OLD].texts[before:] == ["Since then there is a sauna."]
    assert (await moved(deployment, acme)).active == OLD
    assert (await new.found(acme, "sauna"))[0] == "Since then there is a sauna."
    assert (await old.found(acme, "harbour 3"))[0] == PAGES[3]


async def test_what_is_deleted_during_a_move_is_gone_from_both_indexes(
    deployment: Deployment, old: Process, new: Process, acme: TenantId
) -> None:
    kept, gone = await old.add(acme, PAGES[0]), await old.add(acme, PAGES[1])
    await new.job.start()
    await new.job.run()
    await new.job.roll_back()

    await old.documents.delete(acme, gone.id)

    for model in (OLD, NEW):
        assert set(await old.positions(acme, model)) == {kept.active_version_id}


async def test_a_version_replaced_while_it_is_embedded_leaves_no_points(
    deployment: Deployment, old: Process, new: Process, acme: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await old.add(acme, *LONG[:5])
    await new.job.start()
    chunks = await new.stores.chunks(NEW, acme)
    await chunks.positions()
    replaced: list[object] = []
    embed = deployment.embedders[NEW].embed

    async def replacing(texts: Sequence[str]) -> list[list[float]]:
        if not replaced:
            replaced.append(await old.add(acme, "A short page.", renews=document.id))
        return await embed(texts)

    monkeypatch.setattr(deployment.embedders[NEW], "embed", replacing)  # the version goes under its hands
    figures = await new.job.run()

    assert figures["switched"] == 1
    active = (await new.documents.get(acme, document.id)).active_version_id
    assert await new.positions(acme, NEW) == {active: {0}}
    assert await new.found(acme, "page") == ["A short page."]


async def test_a_tenant_whose_move_fails_leaves_the_others_alone(
    deployment: Deployment, old: Process, new: Process, acme: TenantId
) -> None:
    globex = await deployment.open_tenant()
    await old.add(acme, "Acme's anchors.")
    await old.add(globex, "Globex's globes.")

    def before(texts: Sequence[str]) -> None:
        if "Acme's anchors." in texts:
            raise ProviderBusy(retry_after=1)

    deployment.embedders[NEW].before = before
    await new.job.start()
    figures = await new.job.run()

    assert {name: figures[name] for name in ("failed", "switched", "moving", "done", "total")} == {
        "failed": 1, "switched": 1, "moving": 1, "done": 0, "total": 1,
    }  # fmt: skip
    assert len(deployment.faults) == 1
    assert ((await moved(deployment, acme)).active, (await moved(deployment, globex)).active) == (OLD, NEW)
    assert await new.found(acme, "anchors") == ["Acme's anchors."]
    assert await new.found(globex, "globes") == ["Globex's globes."]
    # A collection that still answers for somebody stays, for that tenant alone.
    assert (await cleaned(new))["dropped"] == 0
    assert await old.positions(globex, OLD) == {}
    assert await old.found(acme, "anchors") == ["Acme's anchors."]


async def test_until_somebody_starts_it_other_settings_change_nothing(
    deployment: Deployment, old: Process, new: Process, acme: TenantId
) -> None:
    await old.add(acme, "The first tide comes at six.")
    await new.add(acme, "The second tide comes at eighteen.")
    fresh = await deployment.open_tenant()
    await new.add(fresh, "A tenant of later days.")

    figures = await new.job.run()

    assert (figures["embedded"], figures["waiting"]) == (0, 1)
    assert ((await moved(deployment, acme)).active, (await moved(deployment, fresh)).active) == (OLD, NEW)
    for process in (old, new):
        assert len(await process.found(acme, "tide")) == 2
        assert await process.found(fresh, "tenant") == ["A tenant of later days."]


async def test_a_process_goes_on_whose_collection_another_one_has_dropped(
    deployment: Deployment, old: Process, new: Process, acme: TenantId
) -> None:
    await old.add(acme, PAGES[0])
    await new.job.start()
    await new.job.run()
    await cleaned(new)
    assert await new.collections() == {NEW}

    await old.job.start()
    first = await old.job.run()
    second = await old.job.run()

    assert first["switched"] + second["switched"] == 1
    assert (await old.found(acme, "harbour"))[0] == PAGES[0]
    assert (await moved(deployment, acme)).active == OLD


async def test_which_index_answers_is_read_once_within_an_epoch(
    deployment: Deployment, old: Process, acme: TenantId, monkeypatch: pytest.MonkeyPatch
) -> None:
    await old.add(acme, PAGES[0])
    await old.found(acme, "harbour")
    reads: list[object] = []
    find = old.indexes._state

    async def counted(tenant_id: TenantId) -> IndexState:
        reads.append(tenant_id)
        return await find(tenant_id)

    monkeypatch.setattr(old.indexes, "_state", counted)
    for query in ("harbour", "quay", "page", "quay"):
        await old.found(acme, query)

    assert reads == []
