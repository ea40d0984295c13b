"""What tenants do side by side in Redis: see tenant_keys.py."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from chatconnect.adapters.redis import RedisDatabase, RedisJournal
from chatconnect.adapters.redis_abuse import RedisWatch
from chatconnect.adapters.redis_answers import RedisAnswerCache
from chatconnect.adapters.redis_budgets import RedisBudgets
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.redis_listeners import RedisListeners
from chatconnect.adapters.redis_queries import RedisQueryCache
from chatconnect.adapters.redis_rates import RedisRateLimits
from chatconnect.adapters.redis_traces import RedisTraces
from chatconnect.adapters.redis_vectors import RedisVectorCache
from chatconnect.domain.abuse import Hold, Sighting
from chatconnect.domain.budget import Cap, Measure, Period, Whose
from chatconnect.domain.events import Frame
from chatconnect.domain.given_answer import GivenAnswer
from chatconnect.domain.identifiers import AssistantId, MessageId, TenantId, VisitorId
from chatconnect.domain.visitor import Block
from chatconnect.ports.answer_cache import Asked
from chatconnect.ports.budgets import Wanted
from chatconnect.ports.epochs import Area, Epoch
from chatconnect.ports.query_cache import Query, Remembered
from chatconnect.ports.realtime import Audience
from chatconnect.ports.traffic import Rate
from tests.factories import NOON
from tests.fakes.visitors import MemoryVisitors, StoredVisitors

QUERY = Query("what does it cost?", "minilm", "epoch", None, 5, 0.25)
CAPS = [Cap(Measure.TOKENS, Period.DAY, 1_000, whose=whose) for whose in (Whose.TENANT, Whose.VISITOR)]


async def _nothing_spent(
    tenant_id: TenantId, at: datetime, of: tuple[Whose, UUID] | None = None
) -> Mapping[tuple[Measure, Period], int]:
    return {}


def _at_fault(what: str, fault: BaseException) -> None:
    raise AssertionError(what) from fault


@dataclass
class Caches:
    """What one tenant has in Redis: its ids are those of the other tenant."""

    database: RedisDatabase
    tenant_id: TenantId
    number: int
    seed: UUID
    visitors: StoredVisitors = field(default_factory=StoredVisitors)
    epoch: Epoch | None = None

    async def aclose(self) -> None:
        await self.database.aclose()

    def id(self, kind: str) -> UUID:
        return uuid5(self.seed, kind)

    @property
    def visitor(self) -> VisitorId:
        return VisitorId(self.id("visitor"))

    @property
    def watch(self) -> RedisWatch:
        visitors = MemoryVisitors(self.visitors, self.tenant_id)
        return RedisWatch(lambda: self.database, lambda _: visitors, on_fault=_at_fault)

    @property
    def epochs(self) -> RedisEpochs:
        return RedisEpochs(lambda: self.database, on_fault=_at_fault)

    @property
    def budgets(self) -> RedisBudgets:
        return RedisBudgets(self.database, _nothing_spent, on_fault=_at_fault)


async def is_counted(of: Caches) -> None:
    for _ in range(2):
        await RedisRateLimits(of.database).check(of.tenant_id, Rate("all", 3))


async def journals(of: Caches) -> object:
    if of.epoch is not None:  # it was erased meanwhile, and whoever follows it waits for its first frame
        return None
    journal, message = RedisJournal(of.database, of.tenant_id), MessageId(of.id("answer"))
    frames = [Frame(1, "token", f"{of.tenant_id}".encode()), Frame(2, "done", b"{}")]
    return await journal.append(message, frames), [frame async for frame in journal.follow(message, 0)]


async def cancels(of: Caches) -> None:
    await RedisJournal(of.database, of.tenant_id).request_cancel(MessageId(of.id("answer")))


async def notices(of: Caches) -> object:
    noticed = await of.watch.notice(of.tenant_id, of.visitor, Sighting())
    return noticed.blocked, noticed.wait > 0, len(noticed.sightings)


async def holds(of: Caches) -> None:
    if of.number == 0 and of.epoch is not None:
        await of.watch.hold(of.tenant_id, of.visitor, Hold(100, 100, 100))


async def blocks(of: Caches) -> None:
    if of.number == 0:
        visitor = VisitorId(of.id("blocked"))
        of.visitors.blocks[of.tenant_id, visitor] = Block("Insults", NOON)
    await of.watch.blocks_changed(of.tenant_id)


async def notices_blocked(of: Caches) -> object:
    return (await of.watch.notice(of.tenant_id, VisitorId(of.id("blocked")), Sighting())).blocked


async def remembers_answers(of: Caches) -> object:
    answers = RedisAnswerCache(of.database, of.tenant_id)
    asked = Asked(AssistantId(of.id("assistant")), 1, "epoch", "epoch", (), "what does it cost?")
    before = await answers.find(asked)
    await answers.keep(asked, GivenAnswer(f"{of.tenant_id}"))
    return before


async def remembers_queries(of: Caches) -> object:
    queries = RedisQueryCache(of.database, of.tenant_id)
    before = await queries.find(QUERY)
    await queries.keep(QUERY, Remembered((float(of.number), 0.0), []))
    return before


async def remembers_vectors(of: Caches) -> object:
    vectors = RedisVectorCache(of.database, of.tenant_id)
    before = await vectors.find("minilm", ["a text"])
    await vectors.keep("minilm", ["a text"], [(float(of.number), 0.0)])
    return before


async def reserves(of: Caches) -> object:
    answer, asked_by = MessageId(of.id(f"{of.tenant_id}")), {Whose.VISITOR: of.visitor}
    wanted = Wanted(answer, 100, 600, None, NOON, asked_by=asked_by)
    found = [(await of.budgets.reserve(of.tenant_id, [cap], wanted, Rate("caps", 10))).max_tokens for cap in CAPS]
    requests = await of.budgets.reserve(of.tenant_id, [], wanted, Rate("caps", 10))
    return found, [left.remaining for left in requests.left]


async def looks_at_epoch(of: Caches) -> object:
    before, of.epoch = of.epoch, await of.epochs.of(of.tenant_id)
    return before == of.epoch


async def begins_epoch(of: Caches) -> None:
    await of.epochs.changed(of.tenant_id, Area.KNOWLEDGE)
    of.epoch = await of.epochs.of(of.tenant_id)


async def listens(of: Caches) -> object:
    listeners, found = RedisListeners(lambda: of.database), []
    for audience in (Audience(of.tenant_id), Audience(of.tenant_id, of.visitor)):
        connection = f"{of.tenant_id} {audience.visitor_id}"
        await listeners.add(connection, audience, seconds=100, most=10)
        found.append(sorted(await listeners.of(audience)))
    return found


async def looks_at_traces(of: Caches) -> object:
    traces = RedisTraces(lambda: of.database)
    return await traces.count(of.tenant_id, None), await traces.count(of.tenant_id, [of.visitor])


async def erases_traces(of: Caches) -> object:
    traces = RedisTraces(lambda: of.database)
    return of.number == 1 and await traces.erase(of.tenant_id, [of.visitor]) + await traces.erase(of.tenant_id, None)


CACHES: Sequence[Callable[[Caches], Awaitable[object]]] = (
    is_counted, journals, cancels, notices, holds, notices_blocked, blocks, notices_blocked, remembers_answers,
    remembers_queries, remembers_vectors, reserves, looks_at_epoch, begins_epoch, listens, looks_at_traces,
    erases_traces, looks_at_traces,
)  # fmt: skip
