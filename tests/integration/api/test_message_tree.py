"""Editing, further answers, branches, forks, windows, and many messages at once, through the API."""

import asyncio
from typing import Any

from tests.integration.api.clients import WEBSITE, Caller, Company, granted, refused


def texts(thread: dict[str, Any]) -> list[str]:
    return [message["text"] for message in thread["messages"] if message["role"] == "user"]


async def test_an_edited_question_stands_beside_the_old_one(company: Company) -> None:
    visitor = await company.visitor()
    first = await visitor.ask("How do parcels travel?")
    place = {"conversation_id": first["conversation_id"]}
    second = await visitor.ask("When do they arrive in Iceland?", **place)
    thread = await visitor.conversation(first["conversation_id"])
    parent_of_second = thread["messages"][2]["parent_id"]

    edited = await visitor.ask("When do they arrive in Norway?", **place, parent_id=parent_of_second)
    first_edited = await visitor.ask("How does gift wrapping work?", **place, parent_id=None)

    branches = granted(await visitor.get(f"/v1/conversations/{first['conversation_id']}/branches"))["branches"]
    assert [(each["leaf_id"], each["messages"]) for each in branches] == [
        (first_edited["message_id"], 2), (edited["message_id"], 4), (second["message_id"], 4)
    ]  # fmt: skip
    assert branches[1]["preview"] == "When do they arrive in Norway?"
    path = f"/v1/conversations/{first['conversation_id']}"
    assert texts(granted(await visitor.get(path))) == ["How does gift wrapping work?"]
    older = granted(await visitor.get(path, leaf=second["message_id"]))
    assert texts(older) == ["How do parcels travel?", "When do they arrive in Iceland?"]
    refused(await visitor.get(path, leaf=first["conversation_id"]), 404, "not_found")


async def test_an_answer_can_be_made_again_without_another_question(company: Company) -> None:
    visitor = await company.visitor()
    first = await visitor.ask("How do parcels travel?")

    again = granted(await visitor.post("/v1/chat", {"regenerate": first["message_id"]}, Idempotency_Key="r"))
    repeated = granted(await visitor.post("/v1/chat", {"regenerate": first["message_id"]}, Idempotency_Key="r"))

    assert again["message_id"] == repeated["message_id"] != first["message_id"]
    assert again["user_message_id"] == first["user_message_id"]
    assert again["conversation_id"] == first["conversation_id"]
    thread = await visitor.conversation(first["conversation_id"])
    assert [message["id"] for message in thread["messages"]] == [first["user_message_id"], again["message_id"]]
    stranger = await company.visitor()
    refused(await stranger.post("/v1/chat", {"regenerate": first["message_id"]}), 404, "not_found")
    refused(await visitor.post("/v1/chat", {"regenerate": first["message_id"], "message": "x"}), 400, "invalid_request")
    refused(await visitor.post("/v1/chat", {}), 400, "invalid_request")


async def test_a_conversation_shows_what_stands_beside_each_message_and_leads_there(company: Company) -> None:
    visitor = await company.visitor()
    first = await visitor.ask("How do parcels travel?")
    place = {"conversation_id": first["conversation_id"]}
    second = await visitor.ask("And to Norway?", **place)
    again = granted(await visitor.post("/v1/chat", {"regenerate": second["message_id"]}))
    edited = await visitor.ask("How does gift wrapping work?", **place, parent_id=None)
    path = f"/v1/conversations/{first['conversation_id']}"

    newest = granted(await visitor.get(path))["messages"]
    older = granted(await visitor.get(path, through=first["user_message_id"]))["messages"]
    exact = granted(await visitor.get(path, through=second["message_id"]))["messages"]

    assert [message["id"] for message in newest] == [edited["user_message_id"], edited["message_id"]]
    assert [sibling["id"] for sibling in newest[0]["siblings"]] == [first["user_message_id"], edited["user_message_id"]]
    assert newest[1]["siblings"] == []
    assert [message["id"] for message in older][2:] == [second["user_message_id"], again["message_id"]]
    assert older[3]["siblings"] == [
        {"id": second["message_id"], "status": "complete"}, {"id": again["message_id"], "status": "complete"}
    ]  # fmt: skip
    assert exact[-1]["id"] == second["message_id"]
    stranger = await company.visitor()
    refused(await stranger.get(path, through=first["user_message_id"]), 404, "not_found")
    refused(await visitor.get(path, through=first["conversation_id"]), 404, "not_found")
    refused(await visitor.get(path, through=again["message_id"], leaf=again["message_id"]), 400, "invalid_request")


async def test_a_fork_goes_its_own_way(company: Company) -> None:
    visitor = await company.visitor()
    first = await visitor.ask("How do parcels travel?")
    await visitor.ask("And to Norway?", conversation_id=first["conversation_id"])
    path = f"/v1/conversations/{first['conversation_id']}/fork"

    own = granted(await visitor.post(path, {"message_id": first["message_id"]}))
    staffs = granted(await company.staff.post(path, {"message_id": first["message_id"]}))
    await visitor.ask("And to Denmark?", conversation_id=own["id"])

    assert own["forked_from"] == staffs["forked_from"] == first["message_id"]
    assert texts(own) == texts(staffs) == ["How do parcels travel?"]
    assert texts(await visitor.conversation(own["id"])) == ["How do parcels travel?", "And to Denmark?"]
    assert texts(await visitor.conversation(first["conversation_id"])) == ["How do parcels travel?", "And to Norway?"]
    refused(await visitor.get(f"/v1/conversations/{staffs['id']}"), 404, "not_found")
    refused(await (await company.visitor()).post(path, {"message_id": first["message_id"]}), 404, "not_found")


async def test_twenty_messages_at_once_are_all_kept_in_one_order(company: Company) -> None:
    visitor = await company.visitor()
    first = await visitor.ask("How do parcels travel?")
    asked = [f"How do parcels travel to harbour {number}?" for number in range(20)]

    await asyncio.gather(*(visitor.ask(text, conversation_id=first["conversation_id"]) for text in asked))

    thread = await visitor.conversation(first["conversation_id"])
    assert sorted(texts(thread)[1:]) == sorted(asked)
    assert [message["status"] for message in thread["messages"]] == ["complete"] * 42
    times = [message["created_at"] for message in thread["messages"]]
    assert times == sorted(times)


async def test_history_can_be_read_by_time(company: Company) -> None:
    server = company.server
    first = await server.ask("How do parcels travel?")
    await server.ask("And to Norway?", conversation_id=first["conversation_id"])
    path = f"/v1/conversations/{first['conversation_id']}"
    begun = granted(await server.get(path))["messages"][2]["created_at"]

    later = granted(await server.get(path, since=begun))
    earlier = granted(await server.get(path, until=begun))

    assert (texts(earlier), texts(later)) == (["How do parcels travel?"], ["And to Norway?"])
    refused(await server.get(path, since="2026-01-01T00:00:00"), 400, "invalid_request")


async def test_an_archived_conversation_takes_no_messages_until_it_is_unarchived(company: Company) -> None:
    visitor = await company.visitor()
    first = await visitor.ask("How do parcels travel?")
    path = f"/v1/conversations/{first['conversation_id']}"
    question = {"message": "And to Norway?", "conversation_id": first["conversation_id"]}

    assert granted(await company.staff.post(f"{path}/archive"))["state"] == "archived"
    refused(await visitor.post("/v1/chat", question), 409, "conversation_archived")
    refused(await visitor.post("/v1/chat", {"regenerate": first["message_id"]}), 409, "conversation_archived")
    refused(await company.staff.post(f"{path}/archive"), 409, "conflict")
    assert granted(await company.staff.post(f"{path}/unarchive"))["state"] == "active"
    refused(await company.staff.post(f"{path}/unarchive"), 409, "conflict")
    assert granted(await visitor.post("/v1/chat", question))["text"]
    refused(await Caller(company.http, visitor.credential, WEBSITE).post(f"{path}/archive"), 401, "token_invalid")
