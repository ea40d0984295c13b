"""What staff may do about visitors, and what blocking does."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chatconnect.domain.errors import Forbidden, Invalid, NotFound
from chatconnect.domain.identifiers import AccountId, KeyId, MemberId, TenantId, VisitorId, new_id
from chatconnect.domain.principals import Reader, Server, Staff
from chatconnect.domain.tenant import StaffRole
from chatconnect.domain.visitor import KnownVisitor
from chatconnect.services.visitors import VisitorService
from tests.fakes.abuse import MemorySignals, MemoryWatch, StoredSignals, StoredWatch
from tests.fakes.clock import SetClock
from tests.fakes.visitors import MemoryVisitors, StoredVisitors

ACME = TenantId(new_id())
STAFF = Staff(ACME, AccountId(new_id()), MemberId(new_id()), StaffRole.AGENT)
SERVER = Server(ACME, KeyId(new_id()), None, 100)


class ToldWatch(MemoryWatch):
    """Remembers whom it was told about."""

    def __init__(self, told: list[TenantId], visitors: StoredVisitors) -> None:
        super().__init__(StoredWatch(), lambda tenant_id: MemoryVisitors(visitors, tenant_id))
        self._told = told

    async def blocks_changed(self, tenant_id: TenantId) -> None:
        self._told.append(tenant_id)


@dataclass
class Desk:
    """The service over one visitor."""

    stored: StoredVisitors = field(default_factory=StoredVisitors)
    clock: SetClock = field(default_factory=SetClock)
    told: list[TenantId] = field(default_factory=list)
    signals: StoredSignals = field(default_factory=dict)
    visitor: VisitorId = field(default_factory=lambda: VisitorId(new_id()))

    def __post_init__(self) -> None:
        self.stored.visitors[ACME, self.visitor] = KnownVisitor(self.visitor, self.clock.now, self.clock.now)
        self.service = VisitorService(
            visitors_of=lambda tenant_id: MemoryVisitors(self.stored, tenant_id),
            signals_of=lambda tenant_id: MemorySignals(self.signals, tenant_id),
            watch=ToldWatch(self.told, self.stored),
            clock=self.clock,
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_block_is_stored_with_who_made_it_and_every_process_is_told(desk: Desk) -> None:
    by_staff = await desk.service.block(STAFF, desk.visitor, " Insults\x00 ", None)
    by_server = await desk.service.block(SERVER, desk.visitor, "Insults", None)

    assert by_staff.block is not None
    assert by_server.block is not None
    assert (by_staff.block.reason, by_staff.block.blocked_by) == ("Insults", STAFF.member_id)
    assert by_server.block.blocked_by is None
    assert desk.told == [ACME, ACME]


async def test_a_blocked_visitor_may_not_write_until_the_time_is_over(desk: Desk) -> None:
    reader = Reader(ACME, desk.visitor)
    await desk.service.block(STAFF, desk.visitor, "", desk.clock.now + timedelta(hours=1))

    with pytest.raises(Forbidden) as refused:
        await desk.service.check_may_write(reader)
    desk.clock.advance(3_600)

    assert refused.value.code == "visitor_blocked"
    await desk.service.check_may_write(reader)


async def test_who_is_no_visitor_is_never_blocked(desk: Desk) -> None:
    await desk.service.block(STAFF, desk.visitor, "", None)

    await desk.service.check_may_write(Reader(ACME, None))
    await desk.service.check_may_write(Reader(ACME, VisitorId(new_id())))


async def test_an_unblocked_visitor_may_write_and_every_process_is_told(desk: Desk) -> None:
    await desk.service.block(STAFF, desk.visitor, "", None)

    await desk.service.unblock(ACME, desk.visitor)

    await desk.service.check_may_write(Reader(ACME, desk.visitor))
    assert desk.told == [ACME, ACME]


@pytest.mark.parametrize(
    ("reason", "until", "field_"),
    [
        ("x" * 501, None, "reason"),
        ("", datetime(2026, 3, 14, 12, 0, tzinfo=UTC), "until"),
        ("", datetime(9999, 12, 31, 23, 30, tzinfo=timezone(timedelta(hours=-1))), "until"),
        ("", datetime.fromisoformat("2030-01-01"), "until"),  # without a time zone
    ],
)
async def test_a_block_that_cannot_be_is_refused(desk: Desk, reason: str, until: datetime | None, field_: str) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.service.block(STAFF, desk.visitor, reason, until)

    assert refused.value.details == {"field": field_}
    assert (desk.told, desk.stored.blocks) == ([], {})


async def test_who_is_not_there_can_be_neither_shown_nor_blocked_nor_unblocked(desk: Desk) -> None:
    nobody = VisitorId(new_id())

    for missing in (
        desk.service.show(ACME, nobody), desk.service.block(STAFF, nobody, "", None), desk.service.unblock(ACME, nobody)
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await missing
