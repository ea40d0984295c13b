"""What the functions behind the clock, the turns queue and the WebSocket API make of their events."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.contracts.events.conftest import Invoke, ReadEvent


def test_a_waiting_turn_is_written_once(invoke: Invoke, read: ReadEvent, api: httpx.Client) -> None:
    event = read("jobs")
    turn = json.loads(event["Records"][0]["body"])

    first = invoke("jobs", event)
    again = invoke("jobs", event)

    assert (first.payload, again.payload) == ({"batchItemFailures": []}, {"batchItemFailures": []})
    conversation = api.get(f"/v1/conversations/{turn['conversation']['id']}").raise_for_status().json()
    assert [message["text"] for message in conversation["messages"]] == [
        turn["question"]["text"],
        turn["answer"]["text"],
    ]


def test_a_turn_that_cannot_be_read_fails_alone(invoke: Invoke, read: ReadEvent) -> None:
    event = read("jobs")
    good = event["Records"][0]
    bad = {**good, "messageId": "00000000-0000-4000-8000-000000000000", "body": "{"}
    event["Records"] = [bad, good]

    outcome = invoke("jobs", event)

    assert outcome.payload == {"batchItemFailures": [{"itemIdentifier": bad["messageId"]}]}


def test_a_turn_whose_tenant_was_erased_meanwhile_is_dropped(invoke: Invoke, read: ReadEvent) -> None:
    event = read("jobs")
    turn = json.loads(event["Records"][0]["body"])
    turn["conversation"] |= {"tenant_id": str(uuid4()), "id": str(uuid4())}
    event["Records"][0]["body"] = json.dumps(turn)

    outcome = invoke("jobs", event)

    assert outcome.payload == {"batchItemFailures": []}


def test_reconcile_says_how_much_of_each_kind_it_repaired(invoke: Invoke, read: ReadEvent) -> None:
    outcome = invoke("jobs", read("jobs-reconcile"))

    kinds = ("closed", "purged", "points", "files", "indexed", "resumed", "failed")
    assert outcome.payload == dict.fromkeys(kinds, 0)


def test_without_requests_and_periods_no_data_is_touched(invoke: Invoke, read: ReadEvent) -> None:
    requests = invoke("jobs", read("jobs-data-requests"))
    retention = invoke("jobs", read("jobs-retention"))

    assert requests.payload == dict.fromkeys(("done", "left", "failed"), 0)
    assert retention.payload == dict.fromkeys(("conversations", "visitors", "audit", "failed", "left"), 0)


@pytest.mark.parametrize("act", ["start", "abort", "roll-back", "state"])
def test_where_all_tenants_have_the_wanted_embedding_model_there_is_nothing_to_move(
    invoke: Invoke, read: ReadEvent, act: str
) -> None:
    told = invoke("jobs", read(f"jobs-reembed-{act}"))
    run = invoke("jobs", read("jobs-reembed"))

    left = dict.fromkeys(("moving", "done", "total", "waiting", "leaving"), 0)
    assert told.payload == left
    assert run.payload == left | dict.fromkeys(("embedded", "switched", "failed", "dropped"), 0)


def test_a_visitor_with_a_token_may_connect(invoke: Invoke, read: ReadEvent) -> None:
    assert invoke("realtime", read("realtime-connect")).payload == {"statusCode": 200}


@pytest.mark.parametrize("query", [None, {"token": "nobody"}])
def test_nobody_else_may(invoke: Invoke, read: ReadEvent, query: dict[str, str] | None) -> None:
    event = read("realtime-connect") | {"queryStringParameters": query}

    assert invoke("realtime", event).payload == {"statusCode": 401}


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ('{"action":"ping"}', {"action": "pong"}),
        ("not JSON", {"error": {"code": "unknown_action", "message": "this connection knows ping and renew"}}),
    ],
)
def test_a_connection_is_answered(invoke: Invoke, read: ReadEvent, said: str, answer: Any) -> None:
    outcome = invoke("realtime", read("realtime-default") | {"body": said})

    assert json.loads(outcome.payload["body"]) == answer


def test_a_connection_is_renewed_with_a_token(invoke: Invoke, read: ReadEvent) -> None:
    event = read("realtime-connect")
    invoke("realtime", event)
    token = event["queryStringParameters"]["token"]

    outcome = invoke("realtime", read("realtime-default") | {"body": json.dumps({"action": "renew", "token": token})})

    assert json.loads(outcome.payload["body"]) == {"action": "renewed", "expires_in": 3600}


def test_a_connection_may_end(invoke: Invoke, read: ReadEvent) -> None:
    assert invoke("realtime", read("realtime-disconnect")).payload == {"statusCode": 200}


def test_resealing_leaves_nothing_to_another_key_than_the_one_in_use(invoke: Invoke, read: ReadEvent) -> None:
    outcome = invoke("jobs", read("jobs-reseal"))
    after = invoke("jobs", read("jobs-reseal-state"))

    assert (outcome.payload["left"], after.payload["older"]) == (0, outcome.payload["unreadable"])
