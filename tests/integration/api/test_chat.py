"""Chat as browsers and servers see it: its shapes, its events, its memory."""

import asyncio
from typing import Any

from tests.integration.api.clients import Company, ended_once, granted, refused, text_of
from tests.integration.api.conftest import GUIDE, Model

USAGE = {
    "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "cost_microusd", "first_token_ms",
    "total_ms", "estimated", "from_cache",
}  # fmt: skip
CITATION = {"marker", "document_id", "title", "page", "quote", "start", "end"}
EVENTS = {
    "start": {"conversation_id", "message_id", "user_message_id", "trace_id"},
    "token": {"text"},
    "citation": CITATION,
    "done": {"finish_reason", "usage", "citations"},
}
ANSWER = {
    "conversation_id", "message_id", "user_message_id", "text", "citations", "usage", "finish_reason", "trace_id",
}  # fmt: skip


async def test_an_answer_comes_whole_with_its_citations_and_its_cost(company: Company) -> None:
    answer = await (await company.visitor()).ask("How much is gift wrapping?")

    assert set(answer) == ANSWER
    assert "four crowns" in answer["text"]
    assert answer["finish_reason"] == "stop"
    assert set(answer["usage"]) == USAGE
    assert answer["usage"]["input_tokens"] > 0
    assert 0 <= answer["usage"]["first_token_ms"] <= answer["usage"]["total_ms"]
    check_citations(answer["text"], answer["citations"])


async def test_a_stream_has_exactly_the_promised_events(company: Company) -> None:
    events = await (await company.visitor()).stream("How much is gift wrapping?")

    done = ended_once(events)
    assert done.name == "done"
    assert all(set(event.data) == EVENTS[event.name] for event in events)
    assert set(done.data["usage"]) == USAGE
    assert "four crowns" in text_of(events)
    assert [event.data for event in events if event.name == "citation"] == done.data["citations"]
    check_citations(text_of(events), done.data["citations"])


def check_citations(text: str, citations: list[dict[str, Any]]) -> None:
    assert [citation["marker"] for citation in citations] == list(range(1, len(citations) + 1))
    for citation in citations:
        assert set(citation) == CITATION
        assert citation["title"] == "Delivery guide.txt"
        assert f"[{citation['marker']}]" in text
        assert citation["quote"] == GUIDE[citation["start"] : citation["end"]]


async def test_a_marker_that_stands_for_nothing_is_dropped(talking: Company, model: Model) -> None:
    model.says("By ship [", "1], it is said [7].")

    events = await talking.server.stream("How do parcels travel?")

    assert text_of(events) == "By ship [1], it is said."
    assert [citation["marker"] for citation in ended_once(events).data["citations"]] == [1]


async def test_the_model_sees_what_was_said_before_without_markers(talking: Company, model: Model) -> None:
    model.says("By ship [1].")
    model.says("Nine days [1].")
    visitor = await talking.visitor()

    first = await visitor.ask("How do parcels to Iceland travel?")
    second = await visitor.ask("And how long does it take?", conversation_id=first["conversation_id"])

    assert second["conversation_id"] == first["conversation_id"]
    system, *dialogue = model.prompts[1]
    assert system["role"] == "system"
    assert "arrive after nine working days" in model.prompts[0][0]["content"]
    assert dialogue == [
        {"role": "user", "content": "How do parcels to Iceland travel?"},
        {"role": "assistant", "content": "By ship."},
        {"role": "user", "content": "And how long does it take?"},
    ]
    roles = [message["role"] for message in (await visitor.conversation(first["conversation_id"]))["messages"]]
    assert roles == ["user", "assistant", "user", "assistant"]


async def test_a_question_may_continue_from_an_earlier_answer(talking: Company, model: Model) -> None:
    for text in ("One.", "Two.", "Other."):
        model.says(text)
    first = await talking.server.ask("first")
    place = {"conversation_id": first["conversation_id"]}
    await talking.server.ask("second", **place)

    branched = await talking.server.ask("instead", **place, parent_id=first["message_id"])

    assert [message["content"] for message in model.prompts[2][1:]] == ["first", "One.", "instead"]
    thread = (await talking.server.conversation(first["conversation_id"]))["messages"]
    assert [message["text"] for message in thread] == ["first", "One.", "instead", "Other."]
    assert thread[-1]["id"] == branched["message_id"]


async def test_a_parent_has_to_be_of_the_conversation(company: Company) -> None:
    one, other = await company.server.ask("one"), await company.server.ask("other")

    orphan = {"message": "m", "parent_id": one["message_id"]}
    foreign = orphan | {"conversation_id": other["conversation_id"]}

    refused(await company.server.post("/v1/chat", orphan), 400, "invalid_request")
    refused(await company.server.post("/v1/chat", foreign), 404, "not_found")


async def test_visitors_do_not_see_each_others_conversations(company: Company) -> None:
    owner, other = await company.visitor(), await company.visitor()
    answer = await owner.ask("How much is gift wrapping?")
    conversation, message = answer["conversation_id"], answer["message_id"]

    for response in (
        await other.post("/v1/chat", {"message": "and?", "conversation_id": conversation}),
        await other.post("/v1/chat/stream", {"message": "and?", "conversation_id": conversation}),
        await other.get(f"/v1/conversations/{conversation}"),
        await other.get(f"/v1/chat/stream/{message}"),
        await other.post(f"/v1/chat/{message}/cancel"),
        await other.post(f"/v1/messages/{message}/feedback", {"rating": "up"}),
    ):
        refused(response, 404, "not_found")
    assert granted(await other.get("/v1/conversations")) == {"conversations": [], "next_cursor": None}


async def test_a_visitor_lists_and_reads_their_conversations(company: Company) -> None:
    visitor = await company.visitor()
    older = await visitor.ask("How much is gift wrapping?", metadata={"page": "/shop", "plan": "gold"})
    newer = await visitor.ask("How do parcels to Iceland travel?")

    listed = granted(await visitor.get("/v1/conversations"))["conversations"]
    thread = await visitor.conversation(older["conversation_id"])

    assert [one["id"] for one in listed] == [newer["conversation_id"], older["conversation_id"]]
    assert thread["metadata"] == {"page": "/shop", "plan": "gold"}
    assert thread["state"] == "active"
    question, answer = thread["messages"]
    assert (question["role"], question["text"]) == ("user", "How much is gift wrapping?")
    assert (answer["role"], answer["text"], answer["status"]) == ("assistant", older["text"], "complete")
    assert (answer["id"], answer["parent_id"]) == (older["message_id"], question["id"])
    assert answer["citations"] == older["citations"]
    assert answer["usage"] == older["usage"]
    assert answer["trace_id"] == older["trace_id"]


async def test_conversations_come_page_by_page(company: Company) -> None:
    visitor = await company.visitor()
    asked = [(await visitor.ask(f"How much is gift wrapping number {n}?"))["conversation_id"] for n in range(4)]

    whole = granted(await visitor.get("/v1/conversations", limit=4))
    first = granted(await visitor.get("/v1/conversations", limit=3))
    rest = granted(await visitor.get("/v1/conversations", limit=3, cursor=first["next_cursor"]))
    before = granted(await visitor.get("/v1/conversations", before=first["conversations"][2]["updated_at"]))

    assert [one["id"] for one in (*first["conversations"], *rest["conversations"])] == asked[::-1]
    assert whole["conversations"] == first["conversations"] + rest["conversations"]
    assert (whole["next_cursor"], rest["next_cursor"]) == (None, None)
    assert before["conversations"] == rest["conversations"]


async def test_feedback_is_taken_for_answers_and_replaced(company: Company) -> None:
    visitor = await company.visitor()
    answer = await visitor.ask("How much is gift wrapping?")
    path = f"/v1/messages/{answer['message_id']}/feedback"

    first = await visitor.post(path, {"rating": "up"})
    second = await visitor.post(path, {"rating": "down", "reason": "wrong", "text": "It costs five."})
    of_a_question = f"/v1/messages/{answer['user_message_id']}/feedback"

    assert (first.status_code, second.status_code) == (204, 204)
    refused(await visitor.post(path, {"rating": "sideways"}), 400, "invalid_request")
    refused(await visitor.post(of_a_question, {"rating": "up"}), 404, "not_found")


async def test_the_same_idempotency_key_gets_the_same_answer(talking: Company, model: Model) -> None:
    model.says("Once.")
    visitor = await talking.visitor()
    body = {"message": "How often?"}

    first = granted(await visitor.post("/v1/chat", body, Idempotency_Key="one"))
    again = granted(await visitor.post("/v1/chat", body, Idempotency_Key="one"))
    streamed = await stream(visitor, "How often?", key="one")

    assert again == first
    assert ended_once(streamed).name == "done"
    assert (text_of(streamed), streamed[0].data["message_id"]) == ("Once.", first["message_id"])
    assert len(model.prompts) == 1
    refused(await visitor.post("/v1/chat", {"message": "other"}, Idempotency_Key="one"), 409, "key_reused")
    refused(await visitor.post("/v1/chat", body, Idempotency_Key="k" * 201), 400, "invalid_request")


async def test_a_race_of_the_same_key_asks_the_model_once(talking: Company, model: Model) -> None:
    model.says("One ", 0.5, "answer.")
    visitor = await talking.visitor()

    streams = await asyncio.gather(*(stream(visitor, "How many?", key="race") for _ in range(5)))

    assert [(text_of(events), ended_once(events).name) for events in streams] == [("One answer.", "done")] * 5
    assert len({events[0].data["message_id"] for events in streams}) == 1
    assert len(model.prompts) == 1


async def stream(caller: Any, message: str, key: str) -> list[Any]:
    async with caller.streaming(message, key=key) as events:
        return [event async for event in events]


async def test_a_dropped_stream_resumes_without_loss_or_repetition(talking: Company, model: Model) -> None:
    words = [f"word{n} " for n in range(40)]
    model.says(*(step for word in words for step in (word, 0.02)))
    visitor = await talking.visitor()

    seen = []
    async with visitor.streaming("Tell me a lot") as events:
        async for event in events:
            seen.append(event)
            if len(seen) == 8:
                break
    resumed = await visitor.resume(seen[0].data["message_id"], seen[-1].id)

    assert ended_once(seen + resumed).name == "done"
    assert text_of(seen + resumed) == "".join(words)
    assert len(model.prompts) == 1
    thread = await visitor.conversation(seen[0].data["conversation_id"])
    assert thread["messages"][-1]["text"] == "".join(words)


async def test_a_finished_answer_can_be_streamed_again_from_any_event(company: Company) -> None:
    visitor = await company.visitor()
    events = await visitor.stream("How much is gift wrapping?")
    message_id = events[0].data["message_id"]

    for after in (0, 1, len(events) - 1):
        assert await visitor.resume(message_id, after) == events[after:]


async def test_an_answer_is_cancelled_as_soon_as_its_stream_has_begun(talking: Company, model: Model) -> None:
    visitor = await talking.visitor()
    for _ in range(5):
        model.says(20.0, "too late")

        async with visitor.streaming("Tell me a lot") as events:
            seen = [await anext(events)]
            cancelled = await visitor.post(f"/v1/chat/{seen[0].data['message_id']}/cancel")
            seen += [event async for event in events]

        assert (cancelled.status_code, cancelled.json()) == (202, {"status": "cancelling"})
        assert ended_once(seen).data["finish_reason"] == "cancelled"


async def test_what_there_is_of_a_cancelled_answer_is_kept(talking: Company, model: Model) -> None:
    model.says("The beginning.", 20.0, "The end.")
    visitor = await talking.visitor()

    async with visitor.streaming("Tell me a lot") as events:
        seen = [await anext(events), await anext(events)]
        message_id = seen[0].data["message_id"]
        await visitor.post(f"/v1/chat/{message_id}/cancel")
        seen += [event async for event in events]

    answer = (await visitor.conversation(seen[0].data["conversation_id"]))["messages"][-1]
    assert (answer["text"], answer["status"], answer["finish_reason"]) == ("The beginning.", "partial", "cancelled")
    assert (await visitor.post(f"/v1/chat/{message_id}/cancel")).status_code == 202
