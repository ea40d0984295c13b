"""What the tenants of side_by_side.py do with what is kept about them; their memory of it is in another database."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chatconnect.domain.abuse import Signal, SignalKind
from chatconnect.domain.audit import Actor, ActorKind, AuditFilters, Origin
from chatconnect.domain.budget import Cap, Measure, Period
from chatconnect.domain.budget import Whose as Capped
from chatconnect.domain.data_rights import DataRequest, RequestKind, RequestStatus, Retention
from chatconnect.domain.embedding import EmbeddingModel
from chatconnect.domain.identifiers import DataRequestId, VersionId, VisitorId
from chatconnect.domain.identity import Identity
from chatconnect.domain.knowledge import Progress
from chatconnect.ports.abuse import Occasion
from chatconnect.ports.audit import origin
from chatconnect.ports.data_rights import Whose
from chatconnect.ports.usage import Subject
from tests.factories import NOON, seconds
from tests.fakes.encryption import ReversingEncryption
from tests.side_stores import StoredStores
from tests.side_things import LATER, THINGS, Operation, Things

MODELS = [EmbeddingModel("local", name, 3) for name in ("small", "large", "other")]
INSERT_WEBHOOK = """
INSERT INTO webhooks (tenant_id, id, direction, secret, secret_key)
VALUES (%(tenant)s, %(id)s, 'incoming', %(secret)s, 'reversing')
"""


def _visitor(things: Things, number: int) -> VisitorId:
    return VisitorId(things.id("user", number))


async def adds_signal(of: StoredStores, things: Things, number: int) -> None:
    signal = Signal(SignalKind.PROBING, 1 + things.own, (f"{things.tenant_id}",))
    await of.signals.record(_visitor(things, number), [signal], Occasion(seconds(number)))


async def reads_signals(of: StoredStores, things: Things, number: int) -> object:
    return [replace(each, id=0) for each in await of.signals.list_newest()]


async def adds_index(of: StoredStores, things: Things, number: int) -> object:
    return await of.indexes.claim(MODELS[things.own % 3])


async def begins_index(of: StoredStores, things: Things, number: int) -> object:
    return await of.indexes.begin(MODELS[(number + things.own) % 3])


async def begins_other_index(of: StoredStores, things: Things, number: int) -> object:
    return await of.indexes.abandon(NOON), await of.indexes.begin(MODELS[(number + things.own + 1) % 3])


async def fills_index(of: StoredStores, things: Things, number: int) -> None:
    await of.indexes.set_progress(MODELS[number % 3], Progress(things.own, 1_000))


async def switches_index(of: StoredStores, things: Things, number: int) -> object:
    complete = [VersionId(things.id("version", each)) for each in range(number + 1)]
    return await of.indexes.switch(MODELS[number % 3], complete, seconds(things.own))


async def abandons_index(of: StoredStores, things: Things, number: int) -> object:
    return await of.indexes.abandon(seconds(things.own))


async def forgets_index(of: StoredStores, things: Things, number: int) -> None:
    await of.indexes.forget(MODELS[number % 3])


async def reads_index(of: StoredStores, things: Things, number: int) -> object:
    return await of.indexes.find()


async def saves_caps(of: StoredStores, things: Things, number: int) -> None:
    measures = (Measure.TOKENS, Measure.MESSAGES, Measure.MONEY)
    await of.usage.save_caps([Cap(measures[(number + things.own) % 3], Period.DAY, 1 + things.own)])


async def reads_usage(of: StoredStores, things: Things, number: int) -> object:
    visitor, day = things.id("visitor", number % 2), NOON.date()
    return (
        await of.usage.totals(Subject.VISITOR, visitor, Period.DAY, since=day, until=day),
        sorted((await of.spent(things.tenant_id, NOON, (Capped.VISITOR, visitor))).items()),
        await of.usage.holdings(),
        (await of.tenants.plan()).own_caps,
    )


async def adds_audit_line(of: StoredStores, things: Things, number: int) -> None:
    token = origin.set(Origin(None, "trace", Actor(ActorKind.KEY, things.id("key", number))))
    try:
        await of.audit.note_export(f"{things.tenant_id}")
    finally:
        origin.reset(token)


async def reads_audit(of: StoredStores, things: Things, number: int) -> object:
    lines = await of.audit.page(AuditFilters(actor_kind=ActorKind.KEY), before=None, limit=100)
    return sorted(f"{each.action} {each.actor} {each.changes}" for each in lines)


def _request(things: Things, kind: RequestKind, number: int) -> DataRequest:
    id_, visitor = DataRequestId(things.id(kind.value, number)), _visitor(things, number) if number else None
    status, at = RequestStatus.OPEN if number else RequestStatus.WAITING, seconds(number)
    due = at if number else seconds(5_000)  # what waits can be called off
    return DataRequest(id_, things.tenant_id, kind, visitor, None, at, status, next_at=due)


async def adds_export(of: StoredStores, things: Things, number: int) -> object:
    is_first = things.is_first(of, "export", number)
    return is_first and await of.requests.add(replace(_request(things, RequestKind.EXPORT, number), next_at=LATER))


async def adds_erasure(of: StoredStores, things: Things, number: int) -> object:
    request = _request(things, RequestKind.ERASE, number)
    return things.is_first(of, "erasure", number) and await of.requests.add(request)


async def asks_again(of: StoredStores, things: Things, number: int) -> object:
    again = DataRequestId(things.id("again", number))
    if not things.is_first(of, "again", number):
        return None
    return await of.requests.add(replace(_request(things, RequestKind.ERASE, number), id=again))


async def finishes_request(of: StoredStores, things: Things, number: int) -> object:
    held = LATER + timedelta(seconds=number)
    only = DataRequestId(things.id("erase", number)) if things.own % 2 else None
    request = await of.requests.claim(seconds(100), held, only)
    if request is not None and number % 2:
        done = replace(request, status=RequestStatus.DONE, receipt={}, signature=f"{things.tenant_id}", next_at=None)
        await of.requests.save(done, request.next_at)
    return request


async def saves_request(of: StoredStores, things: Things, number: int) -> None:
    request = await of.requests.get(DataRequestId(things.id("export", number)))
    await of.requests.save(replace(request, progress={"by": f"{things.tenant_id}"}), request.next_at)


async def calls_off(of: StoredStores, things: Things, number: int) -> object:
    return await of.requests.cancel(DataRequestId(things.id("erase", 0)), seconds(things.own))


async def voids(of: StoredStores, things: Things, number: int) -> None:
    await of.requests.void(DataRequestId(things.id("export", number)))


async def reads_requests(of: StoredStores, things: Things, number: int) -> object:
    every = [_visitor(things, each) for each in range(THINGS)]
    newest = await of.requests.newest(tenant_wide=True, limit=20, before=None)
    return newest, await of.requests.exports_with(every, LATER)


async def looks_at_request(of: StoredStores, things: Things, number: int) -> object:
    request = await of.requests.get(DataRequestId(things.id("erase", number)))
    return request, await of.requests.newest(tenant_wide=True, limit=20, before=request.id)


async def saves_retention(of: StoredStores, things: Things, number: int) -> None:
    await of.retention.save(Retention(things.own + 1, number + 1))


async def reads_retention(of: StoredStores, things: Things, number: int) -> object:
    return await of.retention.get()


async def adds_webhook(of: StoredStores, things: Things, number: int) -> None:
    if things.is_first(of, "webhook", number):
        secret = await ReversingEncryption().encrypt(things.tenant_id, b"secret")
        given = {"id": things.id("webhook", number), "secret": secret}
        await of.database.run(things.tenant_id, INSERT_WEBHOOK, given)


async def seals_anew(of: StoredStores, things: Things, number: int) -> None:
    for value in (await of.sealed.older("new", skip=0, limit=100))[number : number + 2]:
        opened = await ReversingEncryption().decrypt(things.tenant_id, value.sealed)
        sealed = await ReversingEncryption("new").encrypt(things.tenant_id, opened)
        await of.sealed.replace(value, sealed, "new")


async def reads_sealed(of: StoredStores, things: Things, number: int) -> object:
    return await of.sealed.count_older("new"), await of.sealed.older("new", skip=0, limit=100)


async def reads_records(of: StoredStores, things: Things, number: int) -> object:
    whose = Whose((_visitor(things, number), VisitorId(things.id("visitor", number % 2)))) if number else Whose()
    lines: dict[str, list[bool]] = {}
    for table in await of.records.exported_tables(whose):
        page = await of.records.page(table, whose, after=None, limit=1_000)
        lines[table] = [f"{things.tenant_id}" in json.loads(line).values() for line in page.lines]
    return (
        lines,
        await of.records.count(whose),
        sorted(await of.records.unfinished(whose)),
        sorted(await of.records.recent_ids(whose, NOON)),
        await of.records.originals(None, 100),
    )


async def looks_at_people(of: StoredStores, things: Things, number: int) -> object:
    return await of.records.people(_visitor(things, number))


async def recognises_former(of: StoredStores, things: Things, number: int) -> object:
    known = await of.visitors.find(_visitor(things, number), NOON)
    if known is None or known.is_anonymous:  # whom they turn out to be would have a new id
        return None
    claimed = VisitorId(things.id("visitor", number % 2))
    return await of.visitors.recognise(Identity(f"user {number}"), claimed, seconds(number))


async def erases_old(of: StoredStores, things: Things, number: int) -> object:
    return await of.records.erase_older(seconds(2 * number), 100)


async def erases_visitor(of: StoredStores, things: Things, number: int) -> object:
    request = await of.requests.get(DataRequestId(things.id("erase", number)))
    before = None if number % 2 else seconds(number)
    visitors = (_visitor(things, number), VisitorId(things.id("visitor", number % 2)))[: 1 if number % 2 else 2]
    # The conversations go first, then what is the visitors' own.
    return [await of.records.erase_some(Whose(visitors, before), request, 100) for _ in range(2)]


async def erases_rows(of: StoredStores, things: Things, number: int) -> object:
    request = await of.requests.get(DataRequestId(things.id("erase", 0)))
    return None if number > things.own % 3 else await of.records.erase_some(Whose(), request, 1_000)


SIGNALS: Sequence[Operation] = (adds_signal, reads_signals)
INDEXES: Sequence[Operation] = (
    adds_index, begins_index, begins_other_index, fills_index, switches_index, abandons_index, forgets_index,
    reads_index,
)  # fmt: skip
USAGE: Sequence[Operation] = (saves_caps, reads_usage)
AUDIT: Sequence[Operation] = (adds_audit_line, reads_audit)
REQUESTS: Sequence[Operation] = (
    adds_export, adds_erasure, asks_again, finishes_request, saves_request, calls_off, voids, reads_requests,
    looks_at_request, saves_retention, reads_retention,
)  # fmt: skip
SEALED: Sequence[Operation] = (adds_webhook, seals_anew, reads_sealed)
RECORDS: Sequence[Operation] = (
    reads_records, looks_at_people, recognises_former, erases_old, erases_visitor, erases_rows,
)  # fmt: skip
