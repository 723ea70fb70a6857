"""What a failure of one task or mail leads to, and what is said of it."""

from collections.abc import Mapping
from typing import Any

from chalicelib.observe import log
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.leases import Claim, TaskState


class TaskCrashedRepeatedlyError(Exception):
    """Each run that had the task died of it, or at least never came back to say what it did."""


def fail_if_exhausted(claim: Claim) -> None:
    """Refuse to try once more what took a dozen runs down.

    Raises:
        NeverFinishedError: no try is left; `put_back` parks the task.
    """
    if claim.is_exhausted:
        raise TaskCrashedRepeatedlyError


def reschedule_or_fail(claim: Claim, error: Exception, *, context: RunContext) -> Mapping[str, int]:
    """Give what failed by itself back for a later try, or after many to a person."""
    kind = describe_error(error)
    parked = context.stores.outbox.reschedule(claim, error=kind, now=context.now) is TaskState.FAILED
    say = log.error if parked else log.warning
    say("task parked" if parked else "task failed", outbox_id=claim.outbox_id, error=kind)
    return {"failed": 1, "parked": int(parked)}


def describe_error(error: Exception) -> str:
    """The kind of an error, with AWS's code for it; a text might quote what it is about."""
    answer: Mapping[str, Any] = getattr(error, "response", {})
    return " ".join(filter(None, (type(error).__name__, answer.get("Error", {}).get("Code"))))
