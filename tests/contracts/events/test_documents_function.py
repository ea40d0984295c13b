"""What the document function makes of the messages that S3 and SQS send."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from local.function import LocalFunction
from local.services.aws import emulator_session
from tests.contracts.events.conftest import DocumentOf, Invoke, ReadEvent, Upload, Uploaded
from tests.stack import RunningStack

DONE: dict[str, Any] = {"batchItemFailures": []}


def failures(*message_ids: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}


def found(api: httpx.Client, uploaded: Uploaded, query: str) -> list[dict[str, Any]]:
    results = api.post("/v1/knowledge/search", json={"query": query, "limit": 20}).raise_for_status().json()["results"]
    return [result for result in results if result["document_id"] == uploaded.document_id]


def test_an_upload_becomes_knowledge(
    invoke: Invoke, read: ReadEvent, upload: Upload, document_of: DocumentOf, api: httpx.Client
) -> None:
    uploaded = upload("The Polar bell rings at 96 decibels.")

    outcome = invoke("documents", read("documents", upload_key=uploaded.encoded_key))

    assert outcome.payload == DONE
    assert document_of(uploaded)["status"] == "ready"
    assert "96 decibels" in found(api, uploaded, "How loud is the Polar bell?")[0]["text"]


def test_a_message_that_comes_twice_has_one_effect(
    invoke: Invoke, read: ReadEvent, upload: Upload, document_of: DocumentOf, api: httpx.Client
) -> None:
    uploaded = upload("The Ibex stand carries 41 kilograms.")
    event = read("documents-duplicate", upload_key=uploaded.encoded_key)

    first = invoke("documents", event)
    before = document_of(uploaded)
    again = invoke("documents", event)

    assert (first.payload, again.payload) == (DONE, DONE)
    assert before["status"] == "ready"
    assert document_of(uploaded) == before
    assert len(found(api, uploaded, "What does the Ibex stand carry?")) == 1
    assert len(api.get(f"/v1/documents/{uploaded.document_id}/chunks").json()["chunks"]) == 1


def test_keys_are_decoded(invoke: Invoke, read: ReadEvent, upload: Upload, document_of: DocumentOf) -> None:
    uploaded = upload("Spare parts and their prices.", "Preise 2026 + Zubehör €.txt")
    sample = json.loads(read("documents-encoded-key")["Records"][0]["body"])["Records"][0]["s3"]["object"]["key"]
    event = read("documents", upload_key=uploaded.encoded_key)

    outcome = invoke("documents", event)

    assert uploaded.encoded_key.rpartition("/")[2] == sample.rpartition("/")[2]
    assert outcome.payload == DONE
    assert (document_of(uploaded)["status"], document_of(uploaded)["title"]) == ("ready", "Preise 2026 + Zubehör €.txt")


@pytest.mark.parametrize("sample", ["documents-test-event", "documents-foreign", "documents-encoded-key"])
def test_what_tells_of_no_upload_of_ours_is_dropped(invoke: Invoke, read: ReadEvent, sample: str) -> None:
    outcome = invoke("documents", read(sample))

    assert outcome.payload == DONE


def test_a_removed_file_is_not_read_again(
    invoke: Invoke, read: ReadEvent, upload: Upload, document_of: DocumentOf
) -> None:
    uploaded = upload("Removed before it was read.")

    outcome = invoke("documents", read("documents-removed", upload_key=uploaded.encoded_key))

    assert outcome.payload == DONE
    assert document_of(uploaded)["status"] == "uploaded"


@pytest.mark.parametrize("poison", ["", "not JSON", '{"Records":[{"eventName":"ObjectCreated:Put"}]}'])
def test_a_message_that_cannot_be_read_fails_alone(
    invoke: Invoke, read: ReadEvent, upload: Upload, document_of: DocumentOf, poison: str
) -> None:
    uploaded = upload("The good one of the two.")
    event = read("documents-partial", upload_key=uploaded.encoded_key)
    bad, _good = event["Records"]
    bad["body"] = poison or bad["body"]

    outcome = invoke("documents", event)

    assert outcome.payload == failures(bad["messageId"])
    assert document_of(uploaded)["status"] == "ready"


def test_the_fifth_failure_in_a_row_is_told_in_the_document(
    invoke: Invoke, read: ReadEvent, upload: Upload, document_of: DocumentOf
) -> None:
    uploaded = upload("It never reaches the vector store.")
    event = read("documents", upload_key=uploaded.encoded_key)
    message = event["Records"][0]

    for count in ("1", "2", "3", "4"):
        message["attributes"]["ApproximateReceiveCount"] = count
        outcome = invoke("documents", event, QDRANT_URL="http://127.0.0.1:9")
        assert outcome.payload == failures(message["messageId"])
        assert document_of(uploaded)["status"] == "processing"
    message["attributes"]["ApproximateReceiveCount"] = "5"
    outcome = invoke("documents", event, QDRANT_URL="http://127.0.0.1:9")

    assert outcome.payload == failures(message["messageId"])
    assert document_of(uploaded)["status"] == "failed"
    assert document_of(uploaded)["failure"]["code"] == "processing_failed"


def test_a_document_that_failed_once_is_ready_when_its_message_comes_again(
    invoke: Invoke, read: ReadEvent, upload: Upload, document_of: DocumentOf
) -> None:
    uploaded = upload("The store was away for a moment.")
    event = read("documents", upload_key=uploaded.encoded_key)

    invoke("documents", event, QDRANT_URL="http://127.0.0.1:9")
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = "2"
    outcome = invoke("documents", event)

    assert outcome.payload == DONE
    assert document_of(uploaded)["status"] == "ready"


@pytest.fixture
def sqs(stack: RunningStack) -> Iterator[Any]:
    client = emulator_session().client("sqs", endpoint_url=stack.services.aws.url)
    yield client
    client.close()


def bodies_in(sqs: Any, url: str) -> list[str]:
    """Take all messages out of a queue."""
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [message["Body"] for message in messages]


def test_a_document_that_takes_longer_than_a_call_may_goes_on_in_the_next(
    start: Callable[..., LocalFunction], read: ReadEvent, upload: Upload, document_of: DocumentOf, sqs: Any
) -> None:
    uploaded = upload("\n\n".join(f"{'The bell rings. ' * 120}{number}" for number in range(40)))
    event = read("documents", upload_key=uploaded.encoded_key)
    url = sqs.create_queue(QueueName="contract-continued")["QueueUrl"]
    function = start("documents", UPLOADS_QUEUE_URL=url)

    function.api.call_seconds = 1
    first = function.invoke(event)
    halfway = document_of(uploaded)
    [event["Records"][0]["body"]] = bodies_in(sqs, url)
    function.api.call_seconds = 300
    second = function.invoke(event)

    assert (first.payload, second.payload) == (DONE, DONE)
    assert halfway["status"] == "processing"
    assert 0 < halfway["progress"]["done"] < halfway["progress"]["total"]
    ready = document_of(uploaded)
    assert ready["status"] == "ready"
    assert bodies_in(sqs, url) == []
    # Each chunk was embedded once: the first call's share is in the whole.
    share = halfway["progress"]["done"] / halfway["progress"]["total"]
    assert halfway["embedding_tokens"] / ready["embedding_tokens"] == pytest.approx(share, abs=0.1)


def test_a_document_that_was_given_up_is_ready_after_a_redrive(
    invoke: Invoke, read: ReadEvent, upload: Upload, document_of: DocumentOf, sqs: Any
) -> None:
    uploaded = upload("The store was away for a day.")
    event = read("documents", upload_key=uploaded.encoded_key)
    message = event["Records"][0]
    message["attributes"]["ApproximateReceiveCount"] = "5"
    invoke("documents", event, QDRANT_URL="http://127.0.0.1:9")
    given_up = document_of(uploaded)
    parked, queue = (sqs.create_queue(QueueName=f"contract-{name}")["QueueUrl"] for name in ("parked", "redriven"))
    sqs.send_message(QueueUrl=parked, MessageBody=message["body"])

    redriven = invoke("jobs", read("jobs-redrive"), DEAD_LETTER_QUEUE_URL=parked, UPLOADS_QUEUE_URL=queue)
    [message["body"]] = bodies_in(sqs, queue)
    outcome = invoke("documents", event)

    assert given_up["failure"]["code"] == "processing_failed"
    assert redriven.payload == {"redriven": 1}
    assert bodies_in(sqs, parked) == []
    assert outcome.payload == DONE
    assert document_of(uploaded)["status"] == "ready"
