"""A batch of the queue's messages with hostile files among good ones, through the document function's real handler."""

import asyncio
import json
import os
import sys
from typing import Any

import pytest

from tests import files
from tests.hostile_files import PARSED, Hostile, corpus
from tests.integration.api.clients import Company
from tests.integration.api.conftest import OpenCompany
from tests.stack import RunningStack, without_worker

# Of each kind some; the rest is held against the parser alone.
_NAMES = {
    "a billion laughs", "a zip bomb as Word", "a stream that unpacks to 600 MB", "tables 30,000 deep",
    "a PDF with a password", "pages that hold themselves", "NUL bytes alone", "a zip that is called PDF",
}  # fmt: skip

# The whole function, as Lambda calls it: batch after batch until the queue is empty.
_FUNCTION = """
import json, os, boto3
os.environ["LAMBDA_TASK_ROOT"] = os.getcwd()
from functions.documents.handler import handler
from local.worker import Context, as_record
sqs, url, batches = boto3.client("sqs"), os.environ["UPLOADS_QUEUE_URL"], []
while messages := sqs.receive_message(
    QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=600, MessageSystemAttributeNames=["All"]
).get("Messages"):
    answer = handler({"Records": [as_record(message, url) for message in messages]}, Context())
    batches.append([len(messages), len(answer["batchItemFailures"])])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
print(json.dumps(batches))
"""


@pytest.fixture
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Tyrell")


async def test_hostile_files_fail_with_a_reason_and_their_siblings_in_the_batch_succeed(
    company: Company, stack: RunningStack
) -> None:
    hostile = [each for each in corpus() if each.name in _NAMES]
    assert len(hostile) == len(_NAMES)
    bad: list[tuple[str, Hostile]] = []
    good: list[str] = []
    async with without_worker(stack):
        for number, each in enumerate(hostile):
            bad.append((await company.upload(each.filename, each.make()), each))
            sibling = files.make_pdf([f"The code of sibling {number} is ZQ{number}8."])
            good.append(await company.upload(f"{number}.pdf", sibling))
        batches = await _function_takes_all(stack)

    assert max(size for size, _ in batches) > 1
    assert [failures for _, failures in batches if failures] == []
    for document_id, each in bad:
        document = await company.until_processed(document_id)
        failure = document["failure"]
        assert (failure["code"] if failure else PARSED) in each.ends, each.name
        assert failure is None or failure["message"].endswith(".")
    assert [(await company.until_processed(document_id))["status"] for document_id in good] == ["ready"] * len(good)
    assert "ZQ58" in (await company.found("ZQ58"))[0]["text"]


async def _function_takes_all(stack: RunningStack) -> list[list[int]]:
    """Let the document function take every message; return the size and the failures of each batch."""
    function = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _FUNCTION),
        env={**os.environ, **stack.settings},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await function.communicate()
    assert function.returncode == 0
    batches: Any = json.loads(output.splitlines()[-1])
    return [list(batch) for batch in batches]
