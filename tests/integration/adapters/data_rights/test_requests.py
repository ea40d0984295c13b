"""Who asks for exports and erasures, once each, and gets receipts."""

import pytest

from chatconnect.domain.data_rights import LEASE, DataRequest, RequestStatus
from chatconnect.domain.errors import Conflict, Forbidden, NotFound
from chatconnect.domain.principals import Staff
from chatconnect.domain.tenant import StaffRole
from tests.integration.adapters.data_rights.companies import Company, Rights


async def test_a_receipt_is_known_again_and_a_changed_one_is_not(rights: Rights, acme: Company) -> None:
    request = await rights.service.erase_visitor(acme.owner, acme.visitors[0])
    stored = await rights.service.get(acme.owner, request.id)
    assert stored.receipt is not None
    assert stored.signature is not None

    changed = {**stored.receipt, "visitor_id": str(acme.visitors[1])}

    assert await rights.service.is_good(stored.receipt, stored.signature)
    assert not await rights.service.is_good(changed, stored.signature)
    assert not await rights.service.is_good(stored.receipt, "é" * 64)


async def test_two_runs_never_have_the_same_request(rights: Rights, acme: Company) -> None:
    await rights.service.export_tenant(acme.owner)
    requests, now = rights.requests_of(acme.id), rights.clock()

    first, second = await requests.claim(now, now + LEASE), await requests.claim(now, now + LEASE)

    assert (first is None, second) == (False, None)
    assert first is not None
    with pytest.raises(Conflict):
        await requests.save(first, now)


async def test_a_second_request_of_the_same_kind_is_the_first(rights: Rights, acme: Company) -> None:
    first = await rights.service.export_tenant(acme.owner)

    second = await rights.service.export_tenant(acme.owner)

    assert second.id == first.id


async def test_only_owners_ask_for_the_whole_company(rights: Rights, acme: Company) -> None:
    admin = Staff(acme.id, acme.owner.account_id, acme.owner.member_id, StaffRole.ADMIN)
    request = await rights.service.export_tenant(acme.owner)

    for refused in (rights.service.export_tenant(admin), rights.service.erase_tenant(admin, "Acme")):
        with pytest.raises(Forbidden):
            await refused
    with pytest.raises(NotFound):
        await rights.service.get(admin, request.id)
    assert await rights.service.newest(admin) == []
    assert [each.id for each in await rights.service.newest(acme.owner)] == [request.id]


async def test_a_request_that_fails_in_an_unknown_way_keeps_nobody_else_waiting(
    rights: Rights, acme: Company, globex: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = [await rights.service.export_tenant(company.owner) for company in (acme, globex)]
    advance = rights.exports.advance

    async def advanced(request: DataRequest, ends_at: float) -> DataRequest:
        if request.id == broken.id:
            raise ValueError
        return await advance(request, ends_at)

    monkeypatch.setattr(rights.exports, "advance", advanced)
    figures = await rights.service.run_due()

    assert figures["failed"] == 1
    assert rights.faults == ["export put off: ValueError"]
    assert (await rights.service.get(globex.owner, fine.id)).status is RequestStatus.DONE
