"""S3 tells SQS of an upload, SQS calls this: each upload is processed to its end, each message reported by itself."""

import time
from typing import Any
from urllib.parse import unquote_plus

from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from chatconnect.domain.data_rights import ARCHIVES
from chatconnect.domain.errors import Invalid
from chatconnect.observability import log_fault, logger, record_ingestion
from chatconnect.services.ingestion import Upload
from chatconnect.settings import settings
from chatconnect.tracing import trace_ingestion
from functions.documents.wiring import DocumentServices

# The queue parks a message after this many tries; the last one says so in the document.
LAST_TRY = 5

services = DocumentServices(settings())
processor = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


async def process(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Process the uploads that one message tells of. Raises what makes the message come again."""
    try:
        uploads = uploads_of(record)
    except (ValueError, LookupError, AttributeError, TypeError) as fault:
        log_fault("unreadable message", fault)
        raise
    ingestion = await services.ingestion()
    for upload in uploads:
        begin = time.perf_counter()
        try:
            ingested = await ingestion.ingest(upload, lambda: lambda_context.get_remaining_time_in_millis() / 1000)
        except Invalid as error:  # not an upload of ours: trying again would not make it one
            log_fault("foreign object ignored", error)
            continue
        except Exception as fault:
            log_fault("ingestion fault", fault)
            if int(record.attributes.approximate_receive_count) >= LAST_TRY:
                await ingestion.give_up(upload)
            raise
        record_ingestion(ingested.outcome, ingested.chunks, ingested.seconds)
        trace_ingestion(begin, ingested.outcome, ingested.chunks, ingested.seconds)


def uploads_of(record: SQSRecord) -> list[Upload]:
    """Return the uploads in an S3 notification; none for S3's own test message, deletions, and archives.

    Keys come URL-encoded.
    """
    body = record.json_body
    if not isinstance(body, dict) or body.get("Event") == "s3:TestEvent":
        logger().info("test event")
        return []
    return [
        Upload(
            key=unquote_plus(entry["s3"]["object"]["key"]),
            sequencer=str(entry["s3"]["object"].get("sequencer", "")),
            etag=str(entry["s3"]["object"].get("eTag", "")),
        )
        for entry in body.get("Records", ())
        if str(entry.get("eventName", "")).removeprefix("s3:").startswith("ObjectCreated")
        and not entry["s3"]["object"]["key"].startswith(ARCHIVES)
    ]


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Process a batch of SQS messages; the answer names those that have to come again."""
    answer = async_process_partial_response(event=event, record_handler=process, processor=processor, context=context)
    return dict(answer)
