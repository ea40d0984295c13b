"""What the reconcile job finds and removes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chatconnect.domain.errors import ChatConnectError, ProviderBusy, ProviderFailed, Unavailable
from chatconnect.domain.identifiers import VersionId, new_id
from chatconnect.services.reconciliation import PATIENCE
from tests.fakes.models import CountingEmbedder
from tests.unit.services.knowing import ACME, GLOBEX, Knowledge

# A page of 300 words is a chunk: two do not fit into one.
LONG = "\n\n".join("word " * 300 + str(number) for number in range(100))


async def test_what_a_deletion_could_not_purge_is_purged_later() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()
    knowledge.point_faults["delete_version"] = Unavailable("the knowledge store")
    await knowledge.documents.delete(ACME, document.id)
    knowledge.point_faults.clear()

    first = await knowledge.reconciliation.reconcile_all()
    again = await knowledge.reconciliation.reconcile_all()

    assert (first["purged"], again["purged"]) == (1, 0)
    assert not knowledge.uploads.objects


async def test_what_answers_is_left_alone() -> None:
    knowledge = Knowledge()
    await knowledge.known()
    files = dict(knowledge.uploads.objects)

    figures = await knowledge.reconciliation.reconcile_all()

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

    first = await knowledge.reconciliation.reconcile_all()
    again = await knowledge.reconciliation.reconcile_all()

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

    figures = await knowledge.reconciliation.reconcile_all()

    assert (figures["points"], figures["files"], figures["indexed"]) == (1, 2, 0)
    assert knowledge.points.of(version) == []
    assert knowledge.uploads.objects == kept


async def test_a_file_of_which_nobody_heard_is_announced_again_and_one_that_never_came_fails() -> None:
    knowledge = Knowledge()
    unheard, absent = await knowledge.uploaded(), await knowledge.uploaded()
    del knowledge.uploads.objects[absent.newest.object_key]
    assert not any((await knowledge.reconciliation.reconcile_all()).values())

    knowledge.clock.now += PATIENCE + timedelta(seconds=1)
    figures = await knowledge.reconciliation.reconcile_all()

    assert (figures["resumed"], figures["failed"]) == (1, 1)
    failure = (await knowledge.documents.get(ACME, absent.id)).newest.failure
    assert failure is not None
    assert failure.code == "missing"
    assert [(told["id"], told["status"]) for told in knowledge.publisher.documents] == [(str(absent.id), "failed")]
    assert (await knowledge.ingested(unheard)).outcome == "ready"


async def test_only_the_points_that_were_lost_are_embedded_again() -> None:
    embedder = CountingEmbedder()
    knowledge = Knowledge(embedder=embedder)
    document = await knowledge.known(LONG)
    points, version_id = dict(knowledge.points.points), document.newest.id
    for position in (0, 70):
        del knowledge.points.points[ACME, version_id, position]
    embedder.texts.clear()

    figures = await knowledge.reconciliation.reconcile_all()

    assert figures["indexed"] == 1
    assert embedder.texts == [points[ACME, version_id, position][0].text for position in (0, 70)]
    assert knowledge.points.points == points


@pytest.mark.parametrize("fault", [ProviderFailed(), ProviderBusy()])
async def test_a_tenant_whose_points_cannot_be_made_again_keeps_no_other_from_being_repaired(
    fault: ChatConnectError,
) -> None:
    knowledge = Knowledge()
    broken, deleted = await knowledge.known(tenant_id=GLOBEX), await knowledge.known()
    stray = f"{GLOBEX}/{broken.id}/{VersionId(new_id())}/late.txt"
    knowledge.uploads.objects[stray] = b"late"
    await knowledge.chunks_of(GLOBEX).delete_all()
    knowledge.embedder_faults["embed"] = fault
    knowledge.point_faults["delete_version"] = Unavailable("the knowledge store")
    await knowledge.documents.delete(ACME, deleted.id)
    knowledge.point_faults.clear()

    with pytest.raises(type(fault)):
        await knowledge.reconciliation.reconcile_all()

    assert list(knowledge.uploads.objects) == [broken.newest.object_key]
    assert knowledge.points.points == {}
