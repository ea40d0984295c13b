"""Work by the clock ({"job": name}), and turns that could not be written when they ended (from SQS)."""

from collections.abc import Awaitable, Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from chatconnect.domain.errors import Invalid, NotFound
from chatconnect.event_loop import event_loop
from chatconnect.observability import (
    log_fault,
    logger,
    record_data_requests,
    record_reembedding,
    record_resealing,
    record_retention,
)
from chatconnect.settings import settings
from functions.jobs.wiring import JobServices

services = JobServices(settings())
processor = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


async def write_turn(record: SQSRecord) -> None:
    """Write a turn that waited. Raises what makes the message come again."""
    try:
        turn = services.turn_of(record.body)
        await services.conversations_of(turn.conversation.tenant_id).complete(turn)
    except NotFound as gone:  # with its tenant, who was erased: nothing of it may stay in a queue either
        log_fault("waiting turn dropped", gone)
        return
    except Exception as fault:
        log_fault("waiting turn not written", fault)
        raise
    logger().info("waiting turn written", extra={"message_id": str(turn.answer.id)})


async def reconcile() -> dict[str, int]:
    """Repair what deletions, crashes and losses left wrong, and end the answers that nobody makes any more."""
    closed = await services.lost_answers.close_all()
    return {"closed": closed, **await services.reconciliation.reconcile_all()}


async def redrive() -> dict[str, int]:
    """Have the uploads read again that failed too often, once the reason is gone."""
    return {"redriven": await services.parked_uploads.redrive()}


async def parked() -> dict[str, int]:
    """Have the documents say so whose uploads failed too often."""
    return {"given_up": await services.given_up_uploads.give_up()}


async def reembed() -> dict[str, int]:
    """Go on with moving tenants to the embedding model of the settings, and remove what was left behind."""
    figures = await services.reembedding.run()
    record_reembedding(figures)
    return figures


async def reseal() -> dict[str, int]:
    """Go on with sealing tenants' secrets anew, where another master key sealed them."""
    figures = await services.resealing.reseal_all()
    record_resealing(figures)
    return figures


async def data_requests() -> dict[str, int]:
    """Go on with exports and erasures, remove archives whose time is over, and look again where data was erased."""
    figures = await services.data_rights.run_due()
    record_data_requests(figures)
    return figures


async def retention() -> dict[str, int]:
    """Remove what is older than its tenant keeps it."""
    figures = await services.retention.apply_all()
    record_retention(figures)
    return figures


JOBS: dict[str, Callable[[], Awaitable[dict[str, int]]]] = {
    "data-requests": data_requests,
    "parked": parked,
    "reconcile": reconcile,
    "redrive": redrive,
    "reembed": reembed,
    "reembed-start": services.reembedding.start,
    "reembed-abort": services.reembedding.abort,
    "reembed-roll-back": services.reembedding.roll_back,
    "reembed-state": services.reembedding.look,
    "reseal": reseal,
    "retention": retention,
    "reseal-state": services.resealing.look,
}


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run a job and return its figures, or write a batch of waiting turns and name those that have to come again."""
    if "Records" in event:
        answer = async_process_partial_response(
            event=event, record_handler=write_turn, processor=processor, context=context
        )
        return dict(answer)
    job = JOBS.get(str(event.get("job")))
    if job is None:
        raise Invalid(f"there is no such job; there are {', '.join(JOBS)}")
    figures = event_loop().run_until_complete(job())
    logger().info("job done", extra={"job": event["job"], **figures})
    return figures
