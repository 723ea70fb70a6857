"""What happens when a task or an email fails: another attempt, or a failed task (dead letter)."""

from collections.abc import Mapping

from chalicelib.aws import RefusedByAwsError, get_error_code
from chalicelib.errors import StoredItemError, UnavailableError
from chalicelib.observe import log
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.leases import Claim, TaskState


class TaskCrashedRepeatedlyError(Exception):
    """Each run that claimed the task crashed, or at least never recorded a result."""


def fail_if_exhausted(claim: Claim) -> None:
    """Give up on a task whose last 12 attempts crashed the function.

    Raises:
        TaskCrashedRepeatedlyError: no attempt is left; `reschedule_or_fail` makes it a failed task.
    """
    if claim.is_exhausted:
        raise TaskCrashedRepeatedlyError


def reschedule_or_fail(claim: Claim, error: Exception, *, context: RunContext) -> Mapping[str, int]:
    """Schedule a task that failed for another attempt. After too many attempts it waits for a person."""
    kind = describe_error(error)
    has_failed = context.stores.outbox.reschedule(claim, error=kind, now=context.now) is TaskState.FAILED
    write_log = log.error if has_failed else log.warning
    write_log("task failed for the last time" if has_failed else "task failed", outbox_id=claim.outbox_id, error=kind)
    return {"failed": 1, "parked": int(has_failed)}


def describe_error(error: Exception) -> str:
    """Return the kind of an error with its AWS code. Not its text, which might quote patient data."""
    return " ".join(filter(None, (type(error).__name__, get_error_code(error))))


def describe_outage(error: UnavailableError) -> str:
    """Return the code of an outage, or what only an operator can change: why AWS refuses us, or what is unreadable."""
    if isinstance(error, StoredItemError):
        return str(error)
    return error.reason if isinstance(error, RefusedByAwsError) else error.code
