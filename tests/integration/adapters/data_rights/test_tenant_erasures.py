"""Tenants who are erased everywhere."""

import pytest

from chatconnect.adapters import aws
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.operators import PostgresOperatedTenants
from chatconnect.adapters.postgres.record_tables import RecordTables
from chatconnect.domain.data_rights import LEASE, SETTLING, WAITING_PERIOD, RequestStatus
from chatconnect.domain.errors import Conflict, Invalid, NotFound
from tests.integration.adapters.data_rights.companies import (
    BUCKET,
    MODEL,
    Company,
    Rights,
    away,
    fill,
    keys_of,
    rows_by_table,
    slowed,
)


async def test_a_tenants_erasure_waits_and_can_be_called_off(rights: Rights, acme: Company) -> None:
    with pytest.raises(Invalid) as mistyped:
        await rights.service.erase_tenant(acme.owner, "Acmee")
    request = await rights.service.erase_tenant(acme.owner, " Acme ")
    rights.clock.advance(WAITING_PERIOD.total_seconds() - 1)
    await rights.service.run_due()

    cancelled = await rights.service.cancel(acme.owner, request.id)
    rights.clock.advance(2)
    await rights.service.run_due()

    assert (mistyped.value.code, request.status) == ("name_mismatch", RequestStatus.WAITING)
    assert cancelled.status is RequestStatus.CANCELLED
    assert await acme.count("messages") == 4
    with pytest.raises(Conflict):
        await rights.service.cancel(acme.owner, request.id)


async def test_an_erased_tenant_is_in_no_table_no_store_and_no_bucket(
    rights: Rights, acme: Company, globex: Company, owner_url: str
) -> None:
    await fill(acme)
    await fill(globex)
    others = await rows_by_table(owner_url, globex.id)
    assert len([table for table, rows in (await rows_by_table(owner_url, acme.id)).items() if rows]) >= 39
    await rights.service.export_visitor(acme.owner, acme.visitors[0])
    await acme.keeps("budget", f"seen:{acme.visitors[0]}", "given:1:digest")
    request = await rights.service.erase_tenant(acme.owner, "Acme")
    rights.clock.advance(WAITING_PERIOD.total_seconds())

    await rights.service.run_due()
    closed = await PostgresOperatedTenants(rights.database).get(acme.id)
    rights.clock.advance(SETTLING.total_seconds())
    figures = await rights.service.run_due()

    assert closed.suspended_at is not None
    assert figures == {"done": 1, "left": 0, "failed": 0}
    assert {table: rows for table, rows in (await rows_by_table(owner_url, acme.id)).items() if rows} == {
        "data_requests": 1
    }
    assert await rows_by_table(owner_url, globex.id) == others
    with pytest.raises(NotFound):
        await PostgresOperatedTenants(rights.database).get(acme.id)
    assert await PostgresAccounts(rights.database).find_by_email(acme.new.account.email) is None
    assert await PostgresAccounts(rights.database).find_by_email(globex.new.account.email) is not None
    assert await keys_of(rights, acme) == set()
    assert len(await (await rights.stores.chunks(MODEL, globex.id)).positions()) == 1
    assert await (await rights.stores.chunks(MODEL, acme.id)).positions() == {}
    [receipt] = await rights.service.of_tenant(acme.id)
    assert receipt.id == request.id
    assert receipt.receipt is not None
    assert {store: figures["left"] for store, figures in receipt.receipt["stores"].items()} == {
        "postgres": 0, "qdrant": 0, "redis": 0, "s3": 0,
    }  # fmt: skip
    assert receipt.receipt["stores"]["qdrant"] == {"found": 1, "erased": 1, "left": 0}
    assert receipt.receipt["stores"]["s3"] == {"found": 2, "erased": 2, "left": 0}
    versions = aws.client("s3").list_object_versions(Bucket=BUCKET)["Versions"]
    assert [version["Key"] for version in versions if str(acme.id) in version["Key"]] == []
    assert len([version for version in versions if str(globex.id) in version["Key"]]) == 2


@pytest.mark.parametrize(("part", "call"), [("uploads", "delete"), ("traces", "erase")])
async def test_the_receipt_has_what_was_removed_before_a_store_was_away(
    rights: Rights, acme: Company, part: str, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(acme)
    await acme.keeps("budget")
    request = await rights.service.erase_tenant(acme.owner, "Acme")
    rights.clock.advance(WAITING_PERIOD.total_seconds())
    await rights.service.run_due()
    rights.clock.advance(SETTLING.total_seconds())
    with monkeypatch.context() as patched:
        patched.setattr(getattr(rights, part), call, away)
        interrupted = await rights.service.run_due()

    rights.clock.advance(LEASE.total_seconds())
    figures = await rights.service.run_due()

    done = (await rights.service.of_tenant(acme.id))[0]
    assert (interrupted["failed"], figures["done"], done.id) == (1, 1, request.id)
    assert done.receipt is not None
    stores = done.receipt["stores"]
    assert [stores[name] for name in ("qdrant", "s3")] == [{"found": 1, "erased": 1, "left": 0}] * 2
    assert stores["redis"]["erased"] == stores["redis"]["found"] >= 1


async def test_a_run_has_the_request_for_itself_however_long_the_files_take(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.services.erasing.BATCH", 2)
    for number in range(6):
        await aws.call("s3", "put_object", Bucket=BUCKET, Key=f"{acme.id}/{number}", Body=b"a file")
    request = await rights.service.erase_tenant(acme.owner, "Acme")
    rights.clock.advance(WAITING_PERIOD.total_seconds())
    await rights.service.run_due()
    rights.clock.advance(SETTLING.total_seconds())
    slow, taken = slowed(rights, rights.uploads.delete, request, LEASE / 3)
    monkeypatch.setattr(rights.uploads, "delete", slow)
    figures = await rights.service.run_due()

    assert taken == [None] * 6
    assert figures == {"done": 1, "left": 0, "failed": 0}


async def test_whatever_table_a_tenant_has_rows_in_can_be_emptied(rights: Rights, acme: Company) -> None:
    tables = await RecordTables(rights.database).all(acme.id)

    # The first two go with what they are versions of; for the others there are functions.
    assert {table.name for table in tables if not table.deletable} == {
        "assistant_versions",
        "widget_versions",
        "audit_log",
        "tenants",
    }
    assert {table.name for table in tables if table.of_people} >= {"visitors", "messages", "abuse_signals", "feedback"}


async def test_a_tenants_erasure_goes_on_after_every_interruption(
    rights: Rights, acme: Company, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatconnect.services.erasing.BATCH", 3)
    await fill(acme)
    request = await rights.service.erase_tenant(acme.owner, "Acme")
    rights.clock.advance(WAITING_PERIOD.total_seconds())
    requests = rights.requests_of(acme.id)

    for _ in range(200):
        rights.clock.advance(LEASE.total_seconds())
        claimed = await requests.claim(rights.clock(), rights.clock() + LEASE, request.id)
        if claimed is None:
            break
        done = await rights.erasures.advance(claimed, ends_at=0.0 if (await requests.get(request.id)).progress else 1e9)
        if done.status is RequestStatus.DONE:
            break

    finished = await requests.get(request.id)
    assert finished.receipt is not None
    assert finished.receipt["stores"]["postgres"]["erased"] == finished.receipt["stores"]["postgres"]["found"]
    assert sum((await rows_by_table(owner_url, acme.id)).values()) == 1
