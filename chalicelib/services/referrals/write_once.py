"""Handle a POST of a person that writes to a referral: once for each Idempotency-Key, and audited if it is refused."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.errors import (
    ConflictError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    PreconditionFailedError,
    RateLimitedError,
)
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.recorded_events import record_response
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.consultation.slots import PATTERN_WRITE
from chalicelib.store.documents.documents import DOCUMENT_WRITE
from chalicelib.store.platform.dynamo import TransactionWrite, unmarshal
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.referrals import EVENT_WRITE

_MADE_BY_REQUEST = frozenset({EVENT_WRITE, DOCUMENT_WRITE, PATTERN_WRITE})
"""The names of the writes that make something with an id that is derived from its request."""

_IS_NEW = "attribute_not_exists("

_REFUSALS = (
    ConflictError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    PreconditionFailedError,
    RateLimitedError,
)


@contextmanager
def audit_refusals(refused_as: AuditEntry, *, context: RunContext) -> Iterator[None]:
    """Append an audit row with the code of an error that refuses the request."""
    try:
        yield
    except _REFUSALS as refusal:
        record_refusal(refusal, refused_as, context=context)
        raise


def find_first_response(
    request: IdempotentRequest, *, limit: RateLimit, refused_as: AuditEntry, context: RunContext
) -> StoredResponse | None:
    """Find the response to an earlier try. If there is none, count the request against the member's limit.

    Raises:
        IdempotencyKeyReusedError: the Idempotency-Key belongs to another request.
        RateLimitedError: the limit is reached.
    """
    first_response = context.stores.idempotency_records.find_response(request, now=context.now)
    if first_response is None:
        with audit_refusals(refused_as, context=context):
            enforce_rate_limit(f"{refused_as.action}#{refused_as.actor_id}", limit, context=context)
    return first_response


def write_once(
    attempt: Callable[[], StoredResponse],
    *,
    request: IdempotentRequest,
    limit: RateLimit,
    refused_as: AuditEntry,
    context: RunContext,
) -> StoredResponse:
    """Run `attempt` unless the request was already processed; then return the stored response.

    Args:
        attempt: Reads, decides and commits; see `commit_with_retry`.
        request: The request, as idempotency records identify it.
        limit: How often the member can send requests of this action. A repeat does not count.
        refused_as: The audit row of a refusal, without its outcome.
        context: The tables and the time.

    Raises:
        IdempotencyKeyReusedError: the Idempotency-Key belongs to another request.
        RateLimitedError: the limit is reached.
    """
    first_response = find_first_response(request, limit=limit, refused_as=refused_as, context=context)
    if first_response:
        return first_response
    try:
        with audit_refusals(refused_as, context=context):
            return commit_with_retry(attempt)
    except ConflictError:
        # The same request may have been processed since; then its own change is what refuses it here.
        first_response = context.stores.idempotency_records.find_response(request, now=context.now)
        if first_response is None:
            raise
        return first_response


def commit_once(
    request: IdempotentRequest, response: StoredResponse, *writes: TransactionWrite, context: RunContext
) -> StoredResponse:
    """Commit `writes` with the idempotency record of the request. Return the response, or the earlier one.

    Raises:
        ConditionFailedError: another writer was faster; see `commit_with_retry`.
    """
    records = context.stores.idempotency_records
    try:
        context.stores.transactions.commit(records.prepare_record(request, response, now=context.now), *writes)
    except ConditionFailedError as e:
        if IDEMPOTENCY_RECORD in e.items:
            return records.load_response(request, e.items[IDEMPOTENCY_RECORD])
        if "referral" not in e.items and _was_made(writes, e.items, context=context):
            # A restore lost the record of the request, but not what the request made.
            return record_response(request, response, context=context)
        raise
    return response


def _was_made(writes: Sequence[TransactionWrite], refused: Collection[str], *, context: RunContext) -> bool:
    """Whether what a request makes exists already. Its id is derived from the request, so no other request made it."""
    for write in writes:
        put = write.request.get("Put", {})
        is_new = write.name in _MADE_BY_REQUEST and put.get("ConditionExpression", "").startswith(_IS_NEW)
        if is_new and write.name in refused:
            return True
        if write.name == EVENT_WRITE and put:
            item = unmarshal(put["Item"])
            # The repeat has another time, and therefore another place in the history.
            if context.stores.referrals.has_event(item["referral_id"], item["event_id"]):
                return True
    return False
