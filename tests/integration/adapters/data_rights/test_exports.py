"""Archives of a visitor's and of a tenant's data."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from chatconnect.adapters.postgres.data_requests import PostgresDataRequests
from chatconnect.domain.data_rights import ARCHIVE_KEPT, LEASE, DataRequest, RequestStatus
from chatconnect.domain.errors import NotFound, Unavailable
from chatconnect.services import exporting
from tests.integration.adapters.data_rights.companies import Company, Rights, fill, slowed
from tests.integration.adapters.data_rights.rows import PLANTED


async def test_a_visitors_archive_has_all_of_theirs_and_nothing_of_others(
    rights: Rights, acme: Company, globex: Company
) -> None:
    request = await rights.service.export_visitor(acme.owner, acme.visitors[0])

    assert request.status is RequestStatus.DONE
    entries = await rights.archive(request)
    tables = {name.partition("/")[0] for name in entries}
    assert tables >= {"abuse_signals", "blocked_visitors", "conversations", "conversation_summaries", "feedback",
                      "handovers", "messages", "usage_totals", "visitors"}  # fmt: skip
    everything = "\n".join(entries.values())
    assert "answer to the first of Acme" in everything
    assert "feedback on answer to the first of Acme" in everything
    assert "the second of Acme" not in everything
    assert "Globex" not in everything
    assert str(acme.visitors[1]) not in everything
    message = json.loads(entries["messages/00001.jsonl"].splitlines()[0])
    assert {"text", "role", "citations", "cost_microusd", "timings", "context", "moderation"} <= set(message)
    assert json.loads(entries["manifest.json"])["rows"]["messages"] == 2
    assert "exports/" in (await rights.service.link(request) or "")


async def test_a_tenants_archive_has_files_and_settings_but_no_secret(
    rights: Rights, acme: Company, globex: Company
) -> None:
    await fill(acme)
    request = await rights.service.export_tenant(acme.owner)
    assert request.status is RequestStatus.OPEN

    await rights.service.run_due()

    entries = await rights.archive(await rights.service.get(acme.owner, request.id))
    everything = "\n".join(entries.values())
    assert [content for name, content in entries.items() if name.startswith("documents/") and "jsonl" not in name] == [
        "the file of Acme"
    ]
    assert "the second of Acme" in everything
    assert acme.new.account.email in entries["members/00001.jsonl"]
    assert {"assistants", "widgets", "tools", "retention_settings", "usage_totals"} <= {
        n.split("/")[0] for n in entries
    }
    for secret in (PLANTED, PLANTED[::-1], PLANTED.encode().hex(), PLANTED[::-1].encode().hex(), "Globex"):
        assert secret not in everything
    hidden = ("key_hash", "token_hash", '"secret":', "secret_key", "access_token", "password_hash")
    settings = "\n".join(content for name, content in entries.items() if not name.startswith("audit_log/"))
    assert [name for name in hidden if name in settings] == []


async def test_an_export_goes_on_behind_the_last_part_that_was_stored(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PART_BYTES", 1)
    monkeypatch.setattr(exporting, "ROWS", 1)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    request = await rights.service.export_tenant(acme.owner)
    requests, runs = rights.requests_of(acme.id), 0

    while (claimed := await requests.claim(rights.clock(), rights.clock() + LEASE)) is not None:
        runs += 1
        if runs == 5:  # a run that is killed: another may have the request when its lease is over
            rights.clock.advance(LEASE.total_seconds())
            continue
        claimed = await rights.exports.advance(claimed, ends_at=0.0)
        if claimed.status is RequestStatus.DONE:
            break

    done = await requests.get(request.id)
    entries = await rights.archive(done)
    assert runs > 20
    lines = [line for name, content in entries.items() if name.startswith("messages/") for line in content.splitlines()]
    assert sorted(json.loads(line)["id"] for line in lines) == sorted(
        str(message.id) for turn in acme.turns for message in (turn.question, turn.answer)
    )
    assert done.receipt is not None
    assert done.receipt["rows"]["messages"] == 4


async def test_an_export_that_is_interrupted_wherever_it_stores_something_has_every_row_once(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PART_BYTES", 1)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    await fill(acme)
    request = await rights.service.export_tenant(acme.owner)
    reached, save = set[str](), PostgresDataRequests.save

    async def saved(self: PostgresDataRequests, request: DataRequest, held_until: datetime | None) -> None:
        place = f"{request.status} {request.progress.get('step')}"
        if place not in reached:
            reached.add(place)
            raise Unavailable("the database")
        await save(self, request, held_until)

    monkeypatch.setattr(PostgresDataRequests, "save", saved)
    for _ in range(200):
        await rights.service.run_due()
        if (await rights.requests_of(acme.id).get(request.id)).status is RequestStatus.DONE:
            break
        rights.clock.advance(LEASE.total_seconds())

    done = await rights.requests_of(acme.id).get(request.id)
    entries = await rights.archive(done)
    lines = [f"{name.partition('/')[0]} {line}" for name, text in entries.items() for line in text.splitlines()]
    rows = [line for line in lines if line.partition(" ")[0] in json.loads(entries["manifest.json"])["rows"]]
    assert len(reached) > 20
    assert "done None" in reached
    assert len(rows) == len(set(rows))
    assert done.receipt is not None
    assert done.receipt["rows"]["messages"] == 4
    assert done.receipt["rows"]["originals"] == 1


async def test_the_files_of_an_archive_are_fetched_side_by_side_and_those_that_never_came_are_passed_over(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = await acme.promises(12)
    fetch, under_way, most = rights.uploads.fetch, set[str](), 0

    async def watched(key: str, to: Path) -> None:
        nonlocal most
        under_way.add(key)
        most = max(most, len(under_way))
        try:
            if key.endswith(names[3]):
                raise NotFound("object", key)
            await fetch(key, to)
        finally:
            under_way.discard(key)

    monkeypatch.setattr(rights.uploads, "fetch", watched)
    request = await rights.service.export_tenant(acme.owner)
    await rights.service.run_due()

    entries = await rights.archive(await rights.service.get(acme.owner, request.id))
    files = {name.rpartition("-")[2] for name in entries if name.startswith("documents/") and "jsonl" not in name}
    assert files == {*names} - {names[3]}
    assert all(entries[name] == "a file" for name in entries if name.endswith(".txt"))
    assert most > 1


async def test_a_run_has_the_export_for_itself_however_long_a_part_takes(
    rights: Rights, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "_FILES", 2)
    await acme.promises(8)
    request = await rights.service.export_tenant(acme.owner)
    slow, taken = slowed(rights, rights.uploads.fetch, request, LEASE / 6)
    monkeypatch.setattr(rights.uploads, "fetch", slow)
    figures = await rights.service.run_due()

    assert taken == [None] * 8
    assert figures == {"done": 1, "left": 0, "failed": 0}


async def test_an_archive_goes_when_its_time_is_over(rights: Rights, acme: Company) -> None:
    request = await rights.service.export_visitor(acme.owner, acme.visitors[0])
    rights.clock.advance(ARCHIVE_KEPT.total_seconds())

    await rights.service.run_due()

    expired = await rights.service.get(acme.owner, request.id)
    assert expired.status is RequestStatus.EXPIRED
    assert [key async for key in rights.archives.keys(acme.id)] == []
    assert await rights.service.link(expired) is None
