"""Takes a message in and hands out the answer in the making."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace

from chatconnect.domain.budget import Left, Whose
from chatconnect.domain.composition import controls_in_words
from chatconnect.domain.controls import in_force
from chatconnect.domain.conversation import (
    Message,
    MessageStatus,
    Role,
    Turn,
    checked_message,
)
from chatconnect.domain.errors import ChatConnectError, Invalid, LimitReached, NotFound, Unavailable
from chatconnect.domain.events import Cited, Done, Event, Failed, Frame, Started, Token
from chatconnect.domain.identifiers import KeyId, MessageId
from chatconnect.domain.principals import Asker, Server, Visitor
from chatconnect.domain.response_format import ResponseFormat
from chatconnect.domain.tenant import Plan, Tenant
from chatconnect.ports.budgets import Reservation
from chatconnect.ports.clock import Clock
from chatconnect.ports.conversations import ConversationsOf
from chatconnect.ports.epochs import Epoch, Epochs
from chatconnect.ports.tenants import TenantsOf
from chatconnect.ports.traffic import JournalOf, Rate, RateLimits
from chatconnect.services.abuse import AbuseService
from chatconnect.services.answer_cache import AnswerCacheService, asked
from chatconnect.services.answering import Answering, Encode
from chatconnect.services.cached_tenants import CachedTenants, TenantReads
from chatconnect.services.drafts import Request
from chatconnect.services.generation import AnswerMaker
from chatconnect.services.key_ring import KeyRing
from chatconnect.services.placement import Place, Placement, Question, is_within_reach, visitor_of
from chatconnect.services.plan_rules import within_plan
from chatconnect.services.spending import SpendingService
from chatconnect.services.timings import Timings

MAX_IDEMPOTENCY_KEY = 200

OnAdmitted = Callable[[Sequence[Left]], None]


class ChatService:
    """Accepts questions, and lets their askers come back to the answers."""

    def __init__(
        self,
        *,
        tenants_of: TenantsOf,
        conversations_of: ConversationsOf,
        journal_of: JournalOf,
        rates: RateLimits,
        epochs: Epochs,
        abuse: AbuseService,
        spending: SpendingService,
        answers: AnswerCacheService,
        maker: AnswerMaker,
        encode: Encode,
        clock: Clock,
        keys: KeyRing,
    ) -> None:
        self._keys = keys
        self._tenants = CachedTenants(tenants_of, clock=clock)
        self._conversations_of, self._journal_of = conversations_of, journal_of
        self._rates, self._epochs, self._spending, self._maker = rates, epochs, spending, maker
        self._abuse, self._answers, self._encode, self._clock = abuse, answers, encode, clock
        self._placement = Placement(conversations_of=conversations_of, clock=clock)
        self._running: dict[MessageId, tuple[Turn, Answering]] = {}

    async def ask(
        self, asker: Asker, question: Question, on_admitted: OnAdmitted | None = None
    ) -> AsyncGenerator[Frame, None]:
        """Accept the question and return the answer's frames; closing the iterator is leaving.

        `on_admitted` is told what the asker's limits still allow, before this returns.
        A question whose idempotency key was used before gets the earlier answer, without another generation.
        Raises Invalid (the text), Unauthenticated (the key of a visitor's token has ended), Forbidden (a visitor's
        instructions; a visitor who is blocked), LimitReached, NotFound (a conversation or parent that is not the
        asker's; an endpoint that is none), Conflict (the conversation takes no messages; the key was used for another
        text), Unavailable (the database).
        """
        question = _checked(question)
        timings = Timings()
        with timings.step("epoch"):
            epoch, verdict = await asyncio.gather(self._epochs.of(asker.tenant_id), self._abuse.judge(asker, question))
        with timings.step("place"):
            met = await self._met(asker, question, epoch)
        place, tenant, plan, controls = met.place, met.tenant, met.plan, met.controls
        turn = self._placement.turn(place, question)
        wanted, rate = asked(place, turn.question.text, controls, epoch), _rate(asker, plan)
        try:
            with timings.step("admit"):
                reservation, given = await asyncio.gather(
                    self._spending.admit(
                        rate, plan, turn, place.assistant.config, place.remembered, controls, key_id=_key_of(asker)
                    ),
                    self._answers.find(asker.tenant_id, wanted),
                )
        except LimitReached as reached:
            if (earlier := await self._paid_before(turn, reached)) is None:
                raise
            return self._repeat(asker, earlier)
        if on_admitted is not None:
            on_admitted(_shown(asker, reservation))
        self._abuse.note(asker, verdict, turn)
        # From here to the answer's start nothing may fail: a turn that has begun is one that ends.
        recorded = question.idempotency_key is not None
        if recorded and (earlier := await self._begun(turn, reservation)) is not None:
            return self._repeat(asker, earlier)
        request = Request(
            turn, place.assistant, place.history, tenant.name, question.arrived, recorded, reservation, controls,
            met.response_format, epoch, wanted, given, timings, tenant.websites,
        )  # fmt: skip
        return self._run(request)

    async def resume(self, asker: Asker, message_id: MessageId, after: int) -> AsyncGenerator[Frame, None]:
        """Return the frames of an answer after a number: kept ones first, then new ones as they come.

        Raises NotFound when the answer is not the asker's, Unauthenticated when the key of a visitor's token has ended.
        An answer that is no longer kept comes from the database, but only whole: how much of it the first `after`
        frames held is not known any more, so a stream that had begun ends in Unavailable with code
        "answer_interrupted".
        """
        answer = await self._own_answer(asker, message_id)
        if answer.status is MessageStatus.PENDING:
            return self._in_the_making(asker, answer, after)
        return self._journal_or_stored(asker, answer, after)

    async def cancel(self, asker: Asker, message_id: MessageId) -> None:
        """Stop generating an answer; none under way is no error. Raises NotFound when it is not the asker's."""
        await self._own_answer(asker, message_id)
        if (running := self._running.get(message_id)) is not None:
            running[1].cancel()
        else:
            await self._journal_of(asker.tenant_id).request_cancel(message_id)

    async def drain(self) -> None:
        """Wait for the answers under way, before the process ends."""
        await asyncio.gather(*(answering.ended() for _, answering in list(self._running.values())))
        await self._abuse.drain()

    async def _met(self, asker: Asker, question: Question, epoch: Epoch | None) -> "_Met":
        """Return what the question meets; the assistant asks for nothing beyond the plan.

        A request that comes to nothing here is counted, as admission counts those that do not.
        """
        tenants = (self._tenants.drafts_of if question.draft else self._tenants.at)(asker.tenant_id, epoch)
        try:
            place, tenant, plan, _ = await asyncio.gather(
                self._place(asker, question, tenants),
                tenants.get(),
                tenants.plan(),
                self._keys.check_let_in_at(epoch, asker),
            )
            plan.check_active()
            place = replace(place, assistant=within_plan(plan, place.assistant))
            return _Met(place, tenant, plan, *_controls(place, tenant, question))
        except ChatConnectError:
            await self._rates.check(asker.tenant_id, _rate(asker))
            raise

    async def _place(self, asker: Asker, question: Question, tenants: TenantReads) -> Place:
        """Return the question's place; naming one that does not exist is noted."""
        try:
            return await self._placement.find(asker, question, tenants)
        except NotFound:
            if question.conversation_id is not None or question.regenerate is not None:
                await self._abuse.missed(asker)
            raise

    async def _paid_before(self, turn: Turn, reached: LimitReached) -> Turn | None:
        """Return the earlier turn that has the turn's key: a cap, which that one may have used up, does not hide it."""
        if turn.idempotency_key is None or reached.code == LimitReached.code:
            return None
        return await self._conversations_of(turn.conversation.tenant_id).find_earlier(turn)

    async def _begun(self, turn: Turn, reservation: Reservation) -> Turn | None:
        """Store the turn's beginning or return the earlier turn that has its key; then nothing stays reserved."""
        earlier: Turn | None = turn
        try:
            earlier = await self._conversations_of(turn.conversation.tenant_id).begin(turn)
        finally:
            if earlier is not None:
                await self._spending.release(reservation)
        return earlier

    def _run(self, request: Request) -> AsyncGenerator[Frame, None]:
        answer_id, tenant_id = request.turn.answer.id, request.turn.conversation.tenant_id
        answering = Answering(
            answer_id, self._maker.answer(request), journal=self._journal_of(tenant_id), encode=self._encode
        )
        self._running[answer_id] = request.turn, answering
        forget = asyncio.create_task(answering.ended())
        forget.add_done_callback(lambda _: self._running.pop(answer_id, None))
        return answering.frames()

    def _repeat(self, asker: Asker, earlier: Turn) -> AsyncGenerator[Frame, None]:
        if earlier.answer.status is MessageStatus.PENDING:
            return self._in_the_making(asker, earlier.answer, 0)
        return self._stored(earlier.answer, earlier.question.id)

    async def _in_the_making(self, asker: Asker, answer: Message, after: int) -> AsyncGenerator[Frame, None]:
        """Yield the frames of an answer that is not stored yet.

        Raises Unavailable with code "answer_interrupted" when whoever was making it is gone. Its first frame comes all
        the same: it names the answer and the question, so that another answer can be asked for.
        """
        try:
            async for frame in self._journal_of(asker.tenant_id).follow(answer.id, after):
                yield frame
        except NotFound as error:
            if after == 0 and answer.parent_id is not None:
                yield self._encode(1, _events_of(answer, answer.parent_id)[0])
            raise Unavailable("the rest of this answer", code="answer_interrupted") from error

    async def _journal_or_stored(self, asker: Asker, answer: Message, after: int) -> AsyncGenerator[Frame, None]:
        last = after
        try:
            async for frame in self._journal_of(asker.tenant_id).follow(answer.id, after):
                last = max(last, frame.number)  # a sign of life has none
                yield frame
        except (NotFound, Unavailable) as error:
            if last > 0 or answer.parent_id is None:
                raise Unavailable("the rest of this answer", code="answer_interrupted") from error
            async for frame in self._stored(answer, answer.parent_id):
                yield frame

    async def _stored(self, answer: Message, question_id: MessageId) -> AsyncGenerator[Frame, None]:
        for number, event in enumerate(_events_of(answer, question_id), start=1):
            yield self._encode(number, event)

    async def _own_answer(self, asker: Asker, message_id: MessageId) -> Message:
        visitor_id = visitor_of(asker)
        await self._keys.check_let_in(asker)
        if (running := self._running.get(message_id)) is not None:  # its row may not be written yet
            turn, _ = running
            theirs = turn.conversation.tenant_id == asker.tenant_id and is_within_reach(asker, turn.conversation)
            if theirs and visitor_id in (None, turn.conversation.visitor_id):
                return turn.answer
        conversations = self._conversations_of(asker.tenant_id)
        message = await conversations.find_message(message_id, visitor_id)
        if message is None or message.role is not Role.ASSISTANT:
            await self._abuse.missed(asker)
            raise NotFound("answer", message_id)
        bound = isinstance(asker, Server) and asker.assistant_id is not None
        if bound and not is_within_reach(asker, await conversations.get(message.conversation_id)):
            raise NotFound("answer", message_id)
        return message


@dataclass(frozen=True, slots=True)
class _Met:
    """What a question meets: `controls` are what the model is told beside its instructions."""

    place: Place
    tenant: Tenant
    plan: Plan
    controls: tuple[str, ...]
    response_format: ResponseFormat


def _checked(question: Question) -> Question:
    """Return the question with its text as it is kept. Raises Invalid for what no place and no plan can make right."""
    if question.idempotency_key is not None and not 1 <= len(question.idempotency_key) <= MAX_IDEMPOTENCY_KEY:
        raise Invalid("an idempotency key has 1 to 200 characters", details={"field": "Idempotency-Key"})
    if question.regenerate is not None:
        return question
    return replace(question, text=checked_message(question.text))


def _controls(place: Place, tenant: Tenant, question: Question) -> tuple[tuple[str, ...], ResponseFormat]:
    """Return what the model is told and what the answer keeps to. Raises NotFound for an endpoint that is none."""
    config, endpoint = place.assistant.config, question.endpoint or question.route
    messages, form = in_force(tenant.controls, endpoint, config.response_format, place.conversation.controls)
    return controls_in_words(config, tenant.name, messages, form), form


def _events_of(answer: Message, question_id: MessageId) -> Sequence[Event]:
    """Return the events that a stored answer would have had, its text in one piece."""
    started = Started(answer.conversation_id, answer.id, question_id, answer.trace_id or "")
    text = [Token(answer.text)] if answer.text else []
    cited = [Cited(citation) for citation in answer.citations]
    last: Event
    if answer.error_code:
        last = Failed(answer.error_code, "this answer could not be completed", retryable=True)
    else:
        last = Done(answer.finish_reason or "stop", answer.usage, answer.citations)
    return [started, *cited, *text, last]


def _rate(asker: Asker, plan: Plan | None = None) -> Rate:
    """Return how often one may ask: by the plan, once it is known; until then as it was when the token was made."""
    subject = f"visitor:{asker.visitor_id}" if isinstance(asker, Visitor) else f"key:{asker.key_id}"
    return Rate(subject, asker.requests_per_minute if plan is None else plan.requests_per_minute)


def _key_of(asker: Asker) -> KeyId | None:
    return asker.key_id if isinstance(asker, Server) else None


def _shown(asker: Asker, reservation: Reservation) -> Sequence[Left]:
    """Return the limits that an asker may know of: how much their company asks in all is no visitor's business."""
    if isinstance(asker, Server):
        return reservation.left
    tenants_own = {cap.name for cap in reservation.caps if cap.whose is Whose.TENANT}
    return [each for each in reservation.left if each.name not in tenants_own]
