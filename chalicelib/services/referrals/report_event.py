"""Report an event of a referral: the only way its stage changes, for every reporter.

    read ── decide ── commit {referral, event, audit row, idempotency record, tasks} ── apply parked
      ▲                 │
      └─── conflict ────┘

The decision is pure (`domain.referrals.apply_event`), and the commit is one transaction. If a condition
fails, the item that it met says why: the referral changed (decide again), or an idempotency record
exists (the request was already processed; return the stored response).
"""

from collections.abc import Callable, Sequence
from functools import partial

from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.events import (
    ReferralEvent,
    StageChange,
)
from chalicelib.domain.referrals.missing_steps import describe_missing_steps, list_missing_steps
from chalicelib.domain.referrals.packet import build_packet, require_complete
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import (
    REJECTED_CLOSED,
    Applied,
    Decision,
    Pending,
    Recorded,
    Rejected,
)
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.errors import (
    ApiError,
    ConflictError,
    FieldError,
    ForbiddenError,
    NotFoundError,
    ReferralErasedError,
    WebhookIdReusedError,
)
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.apply_parked import apply_parked, apply_parked_if_time
from chalicelib.services.referrals.coverage_warnings import list_report_warnings
from chalicelib.services.referrals.date_checks import check_date
from chalicelib.services.referrals.delivery_writes import log_reused_id, prepare_delivery_writes
from chalicelib.services.referrals.event_decisions import (
    belongs_to_center,
    decide_delivery,
    decide_with_history,
    name_endings,
)
from chalicelib.services.referrals.event_writes import build_audit_entry, prepare_event_writes
from chalicelib.services.referrals.parking import check_parking_capacity
from chalicelib.services.referrals.product_checks import check_product
from chalicelib.services.referrals.recorded_events import find_recorded, log_recorded, record_response
from chalicelib.services.referrals.report_results import (
    ReportResult,
    build_delivery_result,
    build_report_result,
    replay_result,
)
from chalicelib.store.all_stores import Stores
from chalicelib.store.identity.tenants import ORGANIZATION_LOCK
from chalicelib.store.notices.outbox import parse_existing_tasks
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.referrals.referrals import EVENT_WRITE
from chalicelib.store.webhooks.delivery_log import Delivery

CENTER_LOCKED = "The operator has locked this center, so its updates are refused. Send them again when it is unlocked."


def report_by_member(
    event: ReferralEvent,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: Callable[[ReportResult], StoredResponse],
    context: RunContext,
    is_old_date_confirmed: bool = False,
) -> StoredResponse:
    """Record what a member of either side reports.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        MalformedError: it is dated before the patient's birth, or names a product that the center does not offer.
        ConflictError: the event is not possible, not possible yet, or not this side's to report; or its date
            is old and not confirmed.
        IdempotencyKeyReusedError: the Idempotency-Key belongs to another request.
    """
    existing_tasks: dict[str, str] = {}

    def attempt() -> StoredResponse:
        store = context.stores.referrals
        rows = context.calls.finish_early(store.read_with_parked, event.referral_id)
        referral, parked = store.open_with_parked(rows, is_visible=member.treats)
        if referral is None:
            raise _record_refusal(NotFoundError(), event, member, context=context)
        named = name_endings(event, context=context)
        decision = decide_with_history(referral, named, context=context)
        refusal = (
            _to_error(decision, referral, event)
            or _check_report(referral, event, stores=context.stores)
            or check_date(referral, event, is_confirmed=is_old_date_confirmed)
        )
        if refusal:
            first_response = context.stores.idempotency_records.find_response(request, now=context.now)
            if first_response:
                return first_response
            known = find_recorded(named, context=context)
            if known:
                return record_response(request, build_response(known), context=context)
            raise _record_refusal(refusal, event, member, context=context)
        warnings = list_report_warnings(decision, named, context=context)
        response = build_response(build_report_result(decision, event, warnings=warnings))
        writes = prepare_event_writes(
            decision, named, member.tenant_id, before=referral, context=context, existing_tasks=existing_tasks
        )
        try:
            context.stores.transactions.commit(
                context.stores.idempotency_records.prepare_record(request, response, now=context.now), *writes
            )
        except ConditionFailedError as e:
            if IDEMPOTENCY_RECORD in e.items:
                return context.stores.idempotency_records.load_response(request, e.items[IDEMPOTENCY_RECORD])
            known = find_recorded(named, context=context) if EVENT_WRITE in e.items else None
            if known:
                return record_response(request, build_response(known), context=context)
            existing_tasks.update(parse_existing_tasks(e.items))
            raise
        # Deliveries that came before the submission are parked in another place; look there as well.
        if parked or referral.stage is Stage.DRAFT:
            apply_parked_if_time(event.referral_id, context=context)
        return response

    return commit_with_retry(attempt)


def report_by_webhook(event: ReferralEvent, *, delivery: Delivery, context: RunContext) -> ReportResult:
    """Record what a center's system reports; the caller has verified the signature.

    A delivery for a referral that does not exist and one for another center's referral are both
    parked, so that the response does not reveal which referrals exist.

    Raises:
        ConflictError: the event can never be possible.
        ForbiddenError: the operator has locked the center.
        ReferralErasedError: the referral was erased, and this center had it.
        WebhookIdReusedError: its webhook id belongs to another delivery. The log and the audit trail keep the attempt.
        RateLimitedError: too many deliveries are parked already.
    """
    existing_tasks: dict[str, str] = {}
    start_delivery_reads(event.referral_id, delivery.center_id, delivery.webhook_id, context=context)
    try:
        return commit_with_retry(partial(_report_delivery, event, delivery, existing_tasks, context=context))
    except WebhookIdReusedError as refusal:
        log_reused_id(refusal, event, delivery, context=context)
        raise


def start_delivery_reads(referral_id: str, center_id: str, webhook_id: str, *, context: RunContext) -> None:
    """Start to read what a delivery needs: its entry in the log, and the referral. Both stay encrypted until then.

    Most repeats find their entry, so they write nothing. The condition of the commit finds one that another function
    writes at the same moment.
    """
    context.calls.start_early(context.stores.delivery_log.read_row, center_id, webhook_id)
    context.calls.start_early(context.stores.referrals.read_with_parked, referral_id)


def _report_delivery(
    event: ReferralEvent, delivery: Delivery, existing_tasks: dict[str, str], *, context: RunContext
) -> ReportResult:
    """Read, decide and commit once. `existing_tasks` is filled with what another writer planned in the meantime."""
    store, log = context.stores.referrals, context.stores.delivery_log
    logged = context.calls.finish_early(log.read_row, delivery.center_id, delivery.webhook_id)
    referral, parked = store.open_with_parked(context.calls.finish_early(store.read_with_parked, event.referral_id))
    repeated_result = _find_logged_result(logged, referral, event, delivery, context=context)
    if repeated_result:
        return repeated_result
    named = name_endings(event, context=context)
    decision = decide_delivery(referral, named, delivery, parked, context=context)
    if isinstance(decision, Pending | Rejected) and belongs_to_center(referral, delivery.center_id):
        known = find_recorded(named, context=context)
        if known:
            return log_recorded(named, delivery, known, context=context)
    waiting_for: tuple[str, ...] = ()
    if isinstance(decision, Pending):
        is_own = belongs_to_center(referral, delivery.center_id)
        waiting_for = _list_awaited_stages(referral, event, parked) if referral and is_own else ()
        first_result = check_parking_capacity(
            event, delivery, parked_for_referral=parked if is_own else None, context=context
        )
        if first_result:
            return replay_result(first_result)
    result = replace(build_delivery_result(decision, event), waiting_for=waiting_for)
    writes = prepare_delivery_writes(
        decision, named, delivery, referral, context=context, existing_tasks=existing_tasks
    )
    try:
        context.stores.transactions.commit(
            context.stores.delivery_log.prepare_log(delivery, result),
            context.stores.tenants.prepare_check_unlocked(delivery.center_id),
            *writes,
        )
    except ConditionFailedError as e:
        earlier_result = _find_earlier_result(e, named, delivery, context=context)
        if earlier_result:
            return earlier_result
        existing_tasks.update(parse_existing_tasks(e.items))
        raise
    if isinstance(decision, Rejected):
        raise _build_conflict(decision)
    if parked and isinstance(decision, Applied | Recorded):
        apply_parked_if_time(event.referral_id, context=context)
    warnings = list_report_warnings(decision, named, context=context)
    return replace(build_report_result(decision, event, warnings=warnings), waiting_for=waiting_for)


def _find_logged_result(
    logged: Item | None, referral: Referral | None, event: ReferralEvent, delivery: Delivery, *, context: RunContext
) -> ReportResult | None:
    """Find the result that the log has for a repeat of this delivery; None if it is no repeat.

    Raises:
        ForbiddenError: the operator has locked the center, so also a repeat gets nothing.
        ReferralErasedError: the referral was erased, and this center had it.
        WebhookIdReusedError: the id belongs to a delivery with another body.
    """
    if not belongs_to_center(referral, delivery.center_id):
        # Also for the referral of another center, so that the response time does not reveal that it exists.
        _refuse_if_erased(event, delivery, context=context)
    if logged is None:
        return None
    if context.stores.tenants.is_locked(delivery.center_id):
        raise _refuse_locked_center(event, delivery, context=context)
    return replay_result(context.stores.delivery_log.load_result(delivery, logged))


def _find_earlier_result(
    failure: ConditionFailedError, named: ReferralEvent, delivery: Delivery, *, context: RunContext
) -> ReportResult | None:
    """Find the result of this delivery if it was processed before; None if another writer was faster.

    Raises:
        ForbiddenError: the operator has locked the center.
    """
    if ORGANIZATION_LOCK in failure.items:
        raise _refuse_locked_center(named, delivery, context=context)
    if IDEMPOTENCY_RECORD in failure.items:
        return replay_result(context.stores.delivery_log.load_result(delivery, failure.items[IDEMPOTENCY_RECORD]))
    known = find_recorded(named, context=context) if EVENT_WRITE in failure.items else None
    return log_recorded(named, delivery, known, context=context) if known else None


def _refuse_locked_center(event: ReferralEvent, delivery: Delivery, *, context: RunContext) -> ApiError:
    refusal = ForbiddenError("organization_locked", CENTER_LOCKED)
    return _record_center_refusal(refusal, event, delivery, context=context)


def _record_center_refusal(
    refusal: ApiError, event: ReferralEvent, delivery: Delivery, *, context: RunContext
) -> ApiError:
    record_refusal(refusal, build_audit_entry(event, delivery.center_id, context.now, None), context=context)
    return refusal


def _refuse_if_erased(event: ReferralEvent, delivery: Delivery, *, context: RunContext) -> None:
    """Refuse what a center sends about a referral that was erased. To other centers it never existed."""
    erasure = context.stores.erasures.get(event.referral_id)
    if erasure and delivery.center_id in erasure.tenants:
        raise _record_center_refusal(ReferralErasedError(), event, delivery, context=context)


def _list_awaited_stages(referral: Referral, event: ReferralEvent, parked: Sequence[ParkedDelivery]) -> tuple[str, ...]:
    """The stages that must come first and have not arrived; what is parked itself has arrived."""
    arrived = {each.event.stage for each in parked if isinstance(each.event, StageChange)}
    return tuple(stage.value for stage in list_missing_steps(referral, event) if stage not in arrived)


def report_by_system(event: ReferralEvent, *, context: RunContext) -> bool:
    """Record a change that the product makes itself. False if it no longer applies.

    No idempotency record is necessary: the event's id comes from the task, so a second run meets the
    event of the first one.
    """
    existing_tasks: dict[str, str] = {}

    def attempt() -> bool:
        referral = context.stores.referrals.get(event.referral_id)
        if referral is None:
            return False
        decision = decide_with_history(referral, event, context=context)
        if not isinstance(decision, Applied):
            return False
        writes = prepare_event_writes(
            decision, event, "system", before=referral, context=context, existing_tasks=existing_tasks
        )
        try:
            context.stores.transactions.commit(*writes)
        except ConditionFailedError as e:
            if EVENT_WRITE in e.items:
                return True
            existing_tasks.update(parse_existing_tasks(e.items))
            raise
        apply_parked(event.referral_id, context=context)
        return True

    return commit_with_retry(attempt)


def _to_error(decision: Decision, referral: Referral, event: ReferralEvent) -> ConflictError | None:
    match decision:
        case Pending() if referral.stage in TERMINAL_STAGES:
            return ConflictError(REJECTED_CLOSED.code, REJECTED_CLOSED.reason)
        case Pending():
            return ConflictError("not_legal_yet", describe_missing_steps(list_missing_steps(referral, event)))
        case Rejected():
            return _build_conflict(decision)
    return None


def _check_report(referral: Referral, event: ReferralEvent, *, stores: Stores) -> ApiError | None:
    return (
        check_product(referral, event, stores=stores) or _check_packet(referral, event) or _check_draft(referral, event)
    )


def _build_conflict(rejected: Rejected) -> ConflictError:
    """The error of a refused event; it names the wrong field, if it is a single one."""
    fields = [FieldError(rejected.pointer, rejected.code, rejected.reason)] if rejected.pointer else []
    return ConflictError(rejected.code, rejected.reason, errors=fields)


def _check_draft(referral: Referral, event: ReferralEvent) -> ConflictError | None:
    """The error if a draft is discarded that a colleague has submitted in the meantime."""
    if not isinstance(event, StageChange) or event.reason_code != ReasonCode.DRAFT_DISCARDED:
        return None
    if event.stage is Stage.WITHDRAWN and referral.submitted_at is None:
        return None
    return ConflictError("not_a_draft", "This referral was already submitted, so it cannot be discarded as a draft.")


def _check_packet(referral: Referral, event: ReferralEvent) -> ConflictError | None:
    if not (isinstance(event, StageChange) and event.stage is Stage.SUBMITTED):
        return None
    try:
        require_complete(build_packet(referral))
    except ConflictError as e:
        return e
    return None


def _record_refusal(refusal: ApiError, event: ReferralEvent, member: Member, *, context: RunContext) -> ApiError:
    record_refusal(refusal, build_audit_entry(event, member.tenant_id, context.now, None), context=context)
    return refusal
