"""Events that are in the history although the record of their request is lost, as a restore can leave them.

A request and its event are written together, so without a restore an event always has its record. If tables were
restored to different times, the record can be gone. Then a repeat of the request finds its own event, changes
nothing, gets the result that the history has, and writes the record again.
"""

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.events import ReferralEvent, Reopened
from chalicelib.errors import ConflictError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.report_results import ReportResult, name_reported, replay_result
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.delivery_log import Delivery, DeliveryResult, DeliveryStatus


def find_recorded(event: ReferralEvent, *, context: RunContext) -> ReportResult | None:
    """Find an event in the history, and what became of it. None if it is not there.

    Raises:
        ConflictError: the history has another event with this id.
    """
    logged = context.stores.referrals.get_logged_event(event)
    if logged is None:
        return None
    if not _is_same_report(logged.event, event):
        raise ConflictError("webhook_id_reused", "This id belongs to an earlier event.")
    referral = context.stores.referrals.get(event.referral_id)
    return ReportResult(
        status=logged.status.value,
        referral_id=event.referral_id,
        event_id=event.event_id,
        stage=referral.stage if referral else None,
    )


def _is_same_report(stored: ReferralEvent, event: ReferralEvent) -> bool:
    """Whether a repeat reports what is stored. When it came, and how its reporter is named now, does not matter."""
    if isinstance(stored, Reopened):
        # The endings that it cancels are named from the history, which has grown since.
        return isinstance(event, Reopened)
    return replace(stored, recorded_at=event.recorded_at, actor_name=event.actor_name) == event


def log_recorded(event: ReferralEvent, delivery: Delivery, known: ReportResult, *, context: RunContext) -> ReportResult:
    """Write the entry of the log that a delivery lost, and return the result of a duplicate."""
    log = context.stores.delivery_log
    result = DeliveryResult(status=DeliveryStatus(known.status), **name_reported(event), stage=known.stage)
    try:
        context.stores.transactions.commit(log.prepare_log(delivery, result))
    except ConditionFailedError as e:
        result = log.load_result(delivery, e.items[IDEMPOTENCY_RECORD])
    return replay_result(result)


def record_response(request: IdempotentRequest, response: StoredResponse, *, context: RunContext) -> StoredResponse:
    """Write the record that a request lost, and return its response."""
    records = context.stores.idempotency_records
    try:
        context.stores.transactions.commit(records.prepare_record(request, response, now=context.now))
    except ConditionFailedError as e:
        return records.load_response(request, e.items[IDEMPOTENCY_RECORD])
    return replace(response, replayed=True)
