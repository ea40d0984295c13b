"""Reading the audit log page by page and as files."""

import csv
import io
import json
from dataclasses import replace

import pytest

from chatconnect.domain.audit import Actor, ActorKind, AuditEntry, AuditFilters, FieldChange
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.ports.audit import AuditPlace
from chatconnect.services import audit
from chatconnect.services.audit import AuditService, ExportForm
from tests.factories import seconds
from tests.fakes.audit import MemoryAuditLog

ACME = TenantId(new_id())
ALL = AuditFilters()


def an_entry(second: int, name: str = "Shop") -> AuditEntry:
    actor = Actor(ActorKind.MEMBER, new_id(), "ada@acme.example")
    changes = [FieldChange("name", "Café", "=1+1"), FieldChange("secret", None, "(hidden)")]
    at = seconds(second)
    return AuditEntry(new_id(), at, actor, "tool.changed", "tool", new_id(), name, changes, "192.0.2.0/24", "abc")


def service_with(*entries: AuditEntry) -> tuple[AuditService, MemoryAuditLog]:
    log = MemoryAuditLog(list(entries))
    return AuditService(log_of=lambda _: log), log


async def test_pages_follow_each_other_until_the_end() -> None:
    entries = [an_entry(number) for number in range(5)]
    service, _ = service_with(*entries)

    pages, place = [], None
    while True:
        page = await service.page(ACME, ALL, place, 2)
        pages.append(list(page.entries))
        if (place := page.following) is None:
            break

    assert pages == [[entries[4], entries[3]], [entries[2], entries[1]], [entries[0]]]


async def test_a_last_page_that_is_full_has_none_after_it() -> None:
    service, _ = service_with(an_entry(1), an_entry(2))

    page = await service.page(ACME, ALL, None, 2)

    assert (len(page.entries), page.following) == (2, None)


async def test_a_file_of_json_lines_holds_everything_that_is_told() -> None:
    entry = an_entry(1)
    service, log = service_with(entry, an_entry(2))

    made = await service.export(ACME, ALL, None, ExportForm.JSONL)

    lines = [json.loads(line) for line in made.content.splitlines()]
    assert [line["time"] for line in lines] == [seconds(2).isoformat(), seconds(1).isoformat()]
    assert lines[1]["actor_name"] == "ada@acme.example"
    assert lines[1]["changes"]["name"] == {"before": "Café", "after": "=1+1"}
    assert (lines[1]["id"], lines[1]["network"]) == (str(entry.id), "192.0.2.0/24")
    assert (made.following, log.exports) == (None, ["jsonl"])


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\tx"])
async def test_no_cell_of_a_table_is_taken_for_a_formula(name: str) -> None:
    service, _ = service_with(an_entry(1, name))

    made = await service.export(ACME, ALL, None, ExportForm.CSV)

    head, row = csv.reader(io.StringIO(made.content))
    assert dict(zip(head, row, strict=True))["object_name"] == f"'{name}"


async def test_a_file_that_is_full_says_where_the_next_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "LARGEST_EXPORT", 1_500)
    entries = [replace(an_entry(number), trace_id=str(number)) for number in range(8)]
    service, _ = service_with(*entries)

    told, place, files = [], None, 0
    while True:
        made = await service.export(ACME, ALL, place, ExportForm.JSONL)
        files, place = files + 1, made.following
        told += [json.loads(line)["trace_id"] for line in made.content.splitlines()]
        assert len(made.content.encode()) <= 1_500
        if place is None:
            break

    assert files > 1
    assert told == [str(number) for number in range(7, -1, -1)]


async def test_a_file_has_the_lines_that_are_meant_only() -> None:
    wanted, other = an_entry(1, "Shop"), replace(an_entry(2, "Office"), action="key.revoked")
    service, _ = service_with(wanted, other)

    made = await service.export(ACME, AuditFilters(action="tool"), AuditPlace(seconds(9), new_id()), ExportForm.JSONL)

    assert [json.loads(line)["id"] for line in made.content.splitlines()] == [str(wanted.id)]
