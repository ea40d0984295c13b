"""What every store of signals of abuse does."""

from chatconnect.domain.abuse import Signal, SignalKind
from chatconnect.domain.identifiers import ConversationId, MessageId, VisitorId, new_id
from chatconnect.ports.abuse import Occasion
from tests.contracts.visiting import HOUR, INJECTION, REPEATED, Company, acme, globex, open_company
from tests.factories import NOON, seconds

__all__ = ["acme", "globex", "open_company"]


async def test_a_signal_is_read_back_as_it_was_seen(acme: Company) -> None:
    visitor_id = await acme.visitor()
    occasion = Occasion(seconds(5), ConversationId(new_id()), MessageId(new_id()))

    await acme.signals.record(visitor_id, [REPEATED], occasion)

    [signal] = await acme.signals.list_newest()
    assert (signal.visitor_id, signal.kind, signal.score, signal.count) == (visitor_id, SignalKind.REPEATED, 40, 1)
    assert (signal.reasons, signal.throttled) == (("same_text",), False)
    assert (signal.conversation_id, signal.message_id) == (occasion.conversation_id, occasion.message_id)
    assert signal.first_seen_at == signal.last_seen_at == seconds(5)


async def test_signals_of_one_kind_and_hour_are_one_row_however_many(acme: Company) -> None:
    visitor_id, message = await acme.visitor(), MessageId(new_id())
    odd = Signal(SignalKind.REPEATED, 100, ("odd",))

    for number in range(20):
        await acme.signals.record(visitor_id, [REPEATED], Occasion(seconds(number), message_id=message))
    await acme.signals.record(visitor_id, [odd], Occasion(seconds(30), throttled=True))
    await acme.signals.record(visitor_id, [REPEATED], Occasion(seconds(HOUR)))

    later, earlier = await acme.signals.list_newest()
    assert (earlier.count, earlier.score, earlier.reasons, earlier.throttled) == (21, 100, ("odd", "same_text"), True)
    assert (earlier.message_id, earlier.first_seen_at, earlier.last_seen_at) == (message, seconds(0), seconds(30))
    assert (later.count, later.throttled, later.message_id) == (1, False, None)


async def test_signals_of_several_kinds_are_recorded_together(acme: Company) -> None:
    await acme.signals.record(await acme.visitor(), [REPEATED, INJECTION], Occasion(NOON))

    assert {signal.kind for signal in await acme.signals.list_newest()} == {REPEATED.kind, INJECTION.kind}


async def test_a_visitor_whose_first_question_was_refused_can_have_signals(acme: Company) -> None:
    await acme.signals.record(VisitorId(new_id()), [INJECTION], Occasion(NOON, throttled=True))

    assert len(await acme.signals.list_newest()) == 1


async def test_what_servers_pass_on_is_one_row_too(acme: Company) -> None:
    for number in range(3):
        await acme.signals.record(None, [INJECTION], Occasion(seconds(number)))

    [signal] = await acme.signals.list_newest()
    assert (signal.visitor_id, signal.count) == (None, 3)


async def test_signals_are_found_by_visitor_kind_and_outcome_and_read_page_by_page(acme: Company) -> None:
    ada, bob = await acme.visitor(), await acme.visitor()
    await acme.signals.record(ada, [REPEATED], Occasion(seconds(1)))
    await acme.signals.record(ada, [INJECTION], Occasion(seconds(2), throttled=True))
    await acme.signals.record(bob, [REPEATED], Occasion(seconds(3)))

    first = await acme.signals.list_newest(limit=2)
    rest = await acme.signals.list_newest(limit=2, before=first[-1].id)

    every = [(signal.visitor_id, signal.kind) for signal in (*first, *rest)]
    assert every == [(bob, REPEATED.kind), (ada, INJECTION.kind), (ada, REPEATED.kind)]
    assert len(await acme.signals.list_newest(visitor_id=ada)) == 2
    assert [each.visitor_id for each in await acme.signals.list_newest(kind=REPEATED.kind)] == [bob, ada]
    assert [each.kind for each in await acme.signals.list_newest(throttled=True)] == [INJECTION.kind]


async def test_another_tenants_signals_are_not_seen(acme: Company, globex: Company) -> None:
    theirs = await globex.visitor()

    await globex.signals.record(theirs, [INJECTION], Occasion(NOON))

    assert await acme.signals.list_newest() == []
    assert await acme.signals.list_newest(visitor_id=theirs) == []
