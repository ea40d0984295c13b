"""Work by the clock ({"job": name}), and turns that could not be written when they ended (from SQS)."""

from collections.abc import Awaitable, Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from chatconnect.domain.errors import Invalid
from chatconnect.event_loop import event_loop
from chatconnect.observability import log_fault, logger
from chatconnect.settings import settings
from functions.jobs.wiring import JobServices

services = JobServices(settings())
processor = AsyncBatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)


async def write_turn(record: SQSRecord) -> None:
    """Write a turn that waited. Raises what makes the message come again."""
    try:
        turn = services.turn_of(record.body)
        await services.conversations_of(turn.conversation.tenant_id).complete(turn)
    except Exception as fault:
        log_fault("waiting turn not written", fault)
        raise
    logger().info("waiting turn written", extra={"message_id": str(turn.answer.id)})


async def reconcile() -> dict[str, int]:
    """Repair what deletions, crashes and losses left wrong, and end the answers that nobody makes any more."""
    closed = await services.lost_answers.close_all()
    return {"closed": closed, **await (await services.reconciliation()).reconcile_all()}


async def redrive() -> dict[str, int]:
    """Have the uploads read again that failed too often, once the reason is gone."""
    return {"redriven": await services.parked_uploads.redrive()}


JOBS: dict[str, Callable[[], Awaitable[dict[str, int]]]] = {"reconcile": reconcile, "redrive": redrive}


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
