"""What the reconcile job finds and removes."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import TenantId, VersionId, new_id
from chatconnect.services.reconciliation import PATIENCE, ReconciliationService
from tests.unit.services.knowing import ACME, GLOBEX, Knowledge


class Both:
    """The two tenants there are."""

    async def tenant_ids(self) -> AsyncIterator[TenantId]:
        for tenant_id in (ACME, GLOBEX):
            yield tenant_id


def reconciliation(knowledge: Knowledge) -> ReconciliationService:
    return ReconciliationService(
        directory=Both(),
        documents_of=knowledge.documents_of,
        indexes=knowledge.indexes,
        uploads=knowledge.uploads,
        epochs=knowledge.epochs,
        clock=knowledge.clock,
    )


async def test_what_a_deletion_could_not_purge_is_purged_later() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()
    knowledge.point_faults["delete_version"] = Unavailable("the knowledge store")
    await knowledge.documents.delete(ACME, document.id)
    knowledge.point_faults.clear()

    first = await reconciliation(knowledge).reconcile_all()
    again = await reconciliation(knowledge).reconcile_all()

    assert (first["purged"], again["purged"]) == (1, 0)
    assert not knowledge.uploads.objects


async def test_what_answers_is_left_alone() -> None:
    knowledge = Knowledge()
    await knowledge.known()
    files = dict(knowledge.uploads.objects)

    figures = await reconciliation(knowledge).reconcile_all()

    assert not any(figures.values())
    assert knowledge.uploads.objects == files


async def test_lost_points_are_made_again_and_surplus_ones_go() -> None:
    knowledge = Knowledge()
    document, other = await knowledge.known(), await knowledge.known("The depot closes at nine.")
    points = dict(knowledge.points.points)
    for place in [place for place in points if place[1] == document.newest.id]:
        del knowledge.points.points[place]
    [(chunk, vector)] = [point for place, point in points.items() if place[1] == other.newest.id]
    await knowledge.chunks_of(ACME).save([replace(chunk, position=7)], [vector])

    first = await reconciliation(knowledge).reconcile_all()
    again = await reconciliation(knowledge).reconcile_all()

    assert (first["indexed"], again["indexed"]) == (2, 0)
    assert knowledge.points.points == points


async def test_points_and_files_of_nothing_go() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()
    version = VersionId(new_id())
    [chunk, *_] = knowledge.points.of(document.newest.id)
    await knowledge.chunks_of(ACME).save([replace(chunk, version_id=version)], [[1.0] * 26])
    kept = dict(knowledge.uploads.objects)
    knowledge.uploads.objects[f"{ACME}/{document.id}/{version}/late.txt"] = b"late"
    knowledge.uploads.objects[f"{ACME}/stray.txt"] = b"stray"

    figures = await reconciliation(knowledge).reconcile_all()

    assert (figures["points"], figures["files"], figures["indexed"]) == (1, 2, 0)
    assert knowledge.points.of(version) == []
    assert knowledge.uploads.objects == kept


async def test_a_file_of_which_nobody_heard_is_announced_again_and_one_that_never_came_fails() -> None:
    knowledge = Knowledge()
    unheard, absent = await knowledge.uploaded(), await knowledge.uploaded()
    del knowledge.uploads.objects[absent.newest.object_key]
    assert not any((await reconciliation(knowledge).reconcile_all()).values())

    knowledge.clock.now += PATIENCE + timedelta(seconds=1)
    figures = await reconciliation(knowledge).reconcile_all()

    assert (figures["resumed"], figures["failed"]) == (1, 1)
    failure = (await knowledge.documents.get(ACME, absent.id)).newest.failure
    assert failure is not None
    assert failure.code == "missing"
    assert (await knowledge.ingested(unheard)).outcome == "ready"
