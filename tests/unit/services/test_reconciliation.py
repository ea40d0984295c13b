"""What the reconcile job finds and removes."""

from collections.abc import AsyncIterator

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import TenantId
from chatconnect.services.reconciliation import ReconciliationService
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
        chunks_of=knowledge.chunks_of,
        uploads=knowledge.uploads,
        epochs=knowledge.epochs,
    )


async def test_what_a_deletion_could_not_purge_is_purged_later() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()
    knowledge.point_faults["delete_version"] = Unavailable("the knowledge store")
    await knowledge.documents.delete(ACME, document.id)
    knowledge.point_faults.clear()

    purged = await reconciliation(knowledge).purge_all()
    again = await reconciliation(knowledge).purge_all()

    assert (purged, again) == (1, 0)
    assert not knowledge.uploads.objects


async def test_what_answers_is_left_alone() -> None:
    knowledge = Knowledge()
    await knowledge.known()
    files = dict(knowledge.uploads.objects)

    purged = await reconciliation(knowledge).purge_all()

    assert purged == 0
    assert knowledge.uploads.objects == files
