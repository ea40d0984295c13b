"""What the functions behind API Gateway make of its REST proxy events."""

import base64
import json
from typing import Any

import pytest

from local.runtime_api import Outcome
from tests.contracts.events.conftest import Invoke, ReadEvent, Upload
from tests.xray import SAMPLED, XRayDaemon


def body(outcome: Outcome) -> Any:
    return json.loads(outcome.payload["body"])


def error(outcome: Outcome) -> tuple[int, str]:
    found = body(outcome)["error"]
    assert set(found) == {"code", "message", "details", "trace_id"}
    return outcome.payload["statusCode"], found["code"]


def headed(event: Any, name: str, *values: str) -> Any:
    """Set a header as API Gateway does: all values in one place, the last one in the other."""
    event["multiValueHeaders"][name] = list(values)
    event["headers"][name] = values[-1]
    return event


def at(event: Any, method: str, path: str) -> Any:
    event |= {"httpMethod": method, "path": path, "pathParameters": {"proxy": path.lstrip("/")}}
    event["requestContext"] |= {"httpMethod": method, "path": f"/prod{path}"}
    return event


def test_a_request_is_routed_without_its_stage(invoke: Invoke, read: ReadEvent) -> None:
    event = read("config")
    assert event["requestContext"]["path"] == "/prod" + event["path"]

    outcome = invoke("config", event)

    assert outcome.payload["statusCode"] == 200
    assert outcome.payload["isBase64Encoded"] is False
    assert set(body(outcome)) == {"documents", "next_cursor", "next_before", "total", "counts"}


def test_a_body_in_base64_is_decoded(invoke: Invoke, read: ReadEvent) -> None:
    event = at(read("config-base64"), "POST", "/v1/documents")
    promise = {"filename": "Gewährleistung €.txt", "content_type": "text/plain", "size": 10}
    event["body"] = base64.b64encode(json.dumps(promise, ensure_ascii=False).encode()).decode()

    outcome = invoke("config", event)

    assert outcome.payload["statusCode"] == 201
    assert body(outcome)["document"]["title"] == "Gewährleistung €.txt"


def test_a_search_in_base64_is_answered(invoke: Invoke, read: ReadEvent) -> None:
    outcome = invoke("config", read("config-base64"))

    assert outcome.payload["statusCode"] == 200


def test_every_value_of_a_header_counts(invoke: Invoke, read: ReadEvent) -> None:
    etag = invoke("widget_config", read("widget_config")).payload["headers"]["etag"]

    outcome = invoke("widget_config", headed(read("widget_config"), "If-None-Match", etag, '"of-long-ago"'))

    assert outcome.payload["statusCode"] == 304


def test_a_browser_may_ask_first(invoke: Invoke, read: ReadEvent) -> None:
    outcome = invoke("config", read("config-preflight"))

    assert outcome.payload["statusCode"] == 200
    allowed = outcome.payload["headers"]
    assert allowed["access-control-allow-origin"] == "https://dashboard.example"
    assert "Origin" in allowed["vary"]
    assert "POST" in allowed["access-control-allow-methods"]
    assert "authorization" in allowed["access-control-allow-headers"].lower()


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/nowhere", (404, "no_such_route")),
        ("PATCH", "/health", (405, "method_not_allowed")),
        ("GET", "/v1/documents/not-an-id", (400, "invalid_request")),
    ],
)
def test_what_there_is_not_is_answered_in_our_shape(
    invoke: Invoke, read: ReadEvent, method: str, path: str, expected: tuple[int, str]
) -> None:
    outcome = invoke("config", at(read("config"), method, path))

    assert error(outcome) == expected


def test_without_a_key_there_is_no_answer(invoke: Invoke, read: ReadEvent) -> None:
    event = read("config")
    for headers in (event["headers"], event["multiValueHeaders"]):
        del headers["Authorization"]

    assert error(invoke("config", event))[0] == 401


def test_a_huge_body_is_refused(invoke: Invoke, read: ReadEvent) -> None:
    event = read("config-base64")
    event |= {"isBase64Encoded": False, "body": json.dumps({"query": "a" * 300_000})}

    assert error(invoke("config", event)) == (413, "body_too_large")


def test_a_body_that_is_no_json_is_refused(invoke: Invoke, read: ReadEvent) -> None:
    event = read("config-base64")
    event |= {"isBase64Encoded": False, "body": "{"}

    assert error(invoke("config", event)) == (400, "invalid_request")


def test_the_trace_of_the_request_is_taken_over(invoke: Invoke, read: ReadEvent) -> None:
    event = read("config")

    outcome = invoke("config", event)

    assert f"Root={outcome.payload['headers']['x-trace-id']}" == event["headers"]["X-Amzn-Trace-Id"]


def test_a_sampled_question_is_traced_step_by_step(invoke: Invoke, read: ReadEvent) -> None:
    daemon = XRayDaemon()

    outcome = invoke("chat", headed(read("chat"), "X-Amzn-Trace-Id", SAMPLED), AWS_XRAY_DAEMON_ADDRESS=daemon.address)

    [told] = daemon.told()
    daemon.close()
    assert told["annotations"]["message_id"] == body(outcome)["message_id"]
    assert told["trace_id"] == outcome.payload["headers"]["x-trace-id"]
    steps = {step["name"] for step in told["subsegments"]}
    assert {"place", "admit", "condense", "retrieve", "compose", "generate", "record"} <= steps


def test_a_server_gets_an_answer_from_its_documents(invoke: Invoke, read: ReadEvent, upload: Upload) -> None:
    uploaded = upload("The warranty on the frame lasts 17 years.")
    invoke("documents", read("documents", upload_key=uploaded.encoded_key))

    outcome = invoke("chat", read("chat"))

    assert outcome.payload["statusCode"] == 200
    assert "17 years" in body(outcome)["text"]
    assert uploaded.document_id in {citation["document_id"] for citation in body(outcome)["citations"]}


def test_a_visitors_token_opens_the_chat_on_its_website(invoke: Invoke, read: ReadEvent) -> None:
    token = body(invoke("widget_config", read("widget_config-token")))["token"]
    question = headed(read("chat"), "Authorization", f"Bearer {token}")

    at_home = invoke("chat", headed(question, "Origin", read("widget_config")["headers"]["Origin"]))
    elsewhere = invoke("chat", headed(question, "Origin", "https://elsewhere.example"))

    assert at_home.payload["statusCode"] == 200
    assert error(elsewhere) == (403, "origin_not_allowed")
