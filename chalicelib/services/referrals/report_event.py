"""Moving a referral: the only way its stage changes, whoever reports.

    read ── decide ── commit {referral, event, audit, receipt, outbox} ── settle what waited
      ▲                 │
      └── moved on ─────┘   a receipt in the way means: this was here before, say it again

The decision is pure (`domain.referral.decide`), the commit is one transaction, and every way it
can be refused is told from the item that stood in the way.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.events import PARKED_FOR, ReferralEvent, StageChange
from chalicelib.domain.referrals.packet import build_packet, require_complete
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, Decision, Pending, Recorded, Rejected
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError, NotFoundError, UnavailableError
from chalicelib.observe import log
from chalicelib.services.referrals.event_writes import (
    ReportResult,
    belongs_to_center,
    build_audit_entry,
    build_delivery_result,
    build_report_result,
    decide_delivery,
    decide_with_history,
    prepare_delivery_writes,
    prepare_event_writes,
    replay_result,
)
from chalicelib.services.referrals.parking import check_parking_capacity, list_parked
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.outbox import parse_existing_tasks
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.idempotency import (
    IDEMPOTENCY_RECORD,
    Delivery,
    DeliveryStatus,
    IdempotentRequest,
    StoredResponse,
)

MAX_ATTEMPTS = 8
"""How often a decision is taken anew because somebody else moved the referral meanwhile."""


def report_by_member(
    event: ReferralEvent,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: Callable[[ReportResult], StoredResponse],
    stores: Stores,
    now: datetime,
) -> StoredResponse:
    """Record what a member of either side reports.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        RefusedError: the move is not legal, or not yet, or not this side's.
        KeyReusedError: the Idempotency-Key belongs to another request.
    """
    planned: dict[str, str] = {}
    for _ in range(MAX_ATTEMPTS):
        referral, parked = stores.referrals.get_with_parked(event.referral_id)
        if referral is None or not (member.has_clinical_access and member.can_see(referral)):
            _audit_refusal(event, member.tenant_id, "not_found", stores=stores, now=now)
            raise NotFoundError
        verdict = decide_with_history(referral, event, stores=stores, now=now)
        fault = _to_error(verdict) or _check_packet(referral, event)
        if fault:
            earlier = stores.idempotency_records.find_response(request, now=now)
            if earlier:
                return earlier
            _audit_refusal(event, member.tenant_id, fault.code, stores=stores, now=now)
            raise fault
        response = build_response(build_report_result(verdict, event))
        idempotency_write = stores.idempotency_records.prepare_record(request, response, now=now)
        writes = prepare_event_writes(
            verdict, event, member.tenant_id, before=referral, stores=stores, existing_tasks=planned
        )
        try:
            stores.transactions.commit(idempotency_write, *writes)
        except ConditionFailedError as e:
            if IDEMPOTENCY_RECORD in e.items:
                return stores.idempotency_records.load_response(request, e.items[IDEMPOTENCY_RECORD])
            planned |= parse_existing_tasks(e.items)
            continue
        # What came before a submission waits apart; with it, it is looked for there as well.
        if parked or referral.stage is Stage.DRAFT:
            _apply_parked_if_time(event.referral_id, stores=stores, now=now)
        return response
    raise UnavailableError("busy")


def report_by_webhook(event: ReferralEvent, *, delivery: Delivery, stores: Stores, now: datetime) -> ReportResult:
    """Record what a center's system reports; the signature was verified before.

    A referral that is not there and one that is another center's are parked alike, so that
    the answer tells nothing.

    Raises:
        RefusedError: it can never be legal, or its id belongs to another delivery.
    """
    planned: dict[str, str] = {}
    for _ in range(MAX_ATTEMPTS):
        referral, parked = stores.referrals.get_with_parked(event.referral_id)
        verdict = decide_delivery(referral, event, delivery, stores=stores, now=now)
        if isinstance(verdict, Pending):
            beside = parked if belongs_to_center(referral, delivery.center_id) else None
            earlier = check_parking_capacity(event, delivery, parked_for_referral=beside, stores=stores, now=now)
            if earlier:
                return replay_result(earlier)
        result = build_delivery_result(verdict, event)
        writes = [
            stores.delivery_log.prepare_log(delivery, result),
            *prepare_delivery_writes(
                verdict, event, delivery, referral, stores=stores, now=now, existing_tasks=planned
            ),
        ]
        try:
            stores.transactions.commit(*writes)
        except ConditionFailedError as e:
            if IDEMPOTENCY_RECORD in e.items:
                earlier = stores.delivery_log.load_result(delivery, e.items[IDEMPOTENCY_RECORD])
                return replay_result(earlier)
            planned |= parse_existing_tasks(e.items)
            continue
        if isinstance(verdict, Rejected):
            raise ConflictError(verdict.code, verdict.reason)
        if parked and isinstance(verdict, Applied | Recorded):
            _apply_parked_if_time(event.referral_id, stores=stores, now=now)
        return build_report_result(verdict, event)
    raise UnavailableError("busy")


def report_by_system(event: ReferralEvent, *, stores: Stores, now: datetime) -> bool:
    """Record a move that the product makes itself. False when it no longer makes sense.

    Needs no receipt: the event's id comes from the task, so a second try meets its own event.
    """
    planned: dict[str, str] = {}
    for _ in range(MAX_ATTEMPTS):
        referral = stores.referrals.get(event.referral_id)
        if referral is None:
            return False
        verdict = decide_with_history(referral, event, stores=stores, now=now)
        if not isinstance(verdict, Applied):
            return False
        try:
            stores.transactions.commit(
                *prepare_event_writes(verdict, event, "system", before=referral, stores=stores, existing_tasks=planned)
            )
        except ConditionFailedError as e:
            if "event" in e.items:
                return True
            planned |= parse_existing_tasks(e.items)
            continue
        apply_parked(event.referral_id, stores=stores, now=now)
        return True
    raise UnavailableError("busy")


def apply_parked(referral_id: str, *, stores: Stores, now: datetime, include_expired: str = "") -> int:
    """Apply the deliveries that waited for what has arrived. Returns how many were settled.

    `even` is the id of a delivery to try although it has waited longer than a day.

    Safe to call at any time and by several at once: each settling is a transaction that the
    delivery's own row allows only once.
    """
    settled = refused = 0
    planned: dict[str, str] = {}
    while refused < MAX_ATTEMPTS:
        referral, parked = stores.referrals.get_with_parked(referral_id)
        if referral is None or not referral.is_with_center:
            return settled
        early = list_parked(referral_id, referral.center_id, stores=stores)
        waiting_still = [
            p
            for p in (*parked, *early)
            if now - p.delivery.received_at <= PARKED_FOR or p.delivery.webhook_id == include_expired
        ]
        ready = _find_first_applicable(referral, waiting_still, stores=stores, now=now)
        if ready is None:
            return settled
        waiting, verdict = ready
        event, delivery = waiting.event, waiting.delivery
        if delivery.webhook_id == include_expired:
            verdict = _clear_lost_update(verdict, delivery, stores=stores)
        writes = prepare_delivery_writes(
            verdict, event, delivery, referral, stores=stores, now=now, existing_tasks=planned
        )
        try:
            stores.transactions.commit(
                stores.delivery_log.prepare_log(delivery, build_delivery_result(verdict, event), is_replay=True),
                stores.referrals.prepare_unpark(waiting),
                *writes,
            )
        except ConditionFailedError as e:
            # Somebody else settled it, or moved the referral: look again.
            planned |= parse_existing_tasks(e.items)
            refused += 1
            continue
        settled, refused = settled + 1, 0
    # A row that can never be settled, as a restore may leave one, must not hold up a whole job.
    log.warning("parked deliveries do not settle", referral_id=referral_id)
    return settled


def _apply_parked_if_time(referral_id: str, *, stores: Stores, now: datetime) -> None:
    """Settle what waited for a report that is committed, if there is time.

    The report stands, and its sender is told so; what waits is also settled by the relay.
    """
    try:
        apply_parked(referral_id, stores=stores, now=now)
    except UnavailableError:
        log.warning("settling is left to the relay", referral_id=referral_id)


def _clear_lost_update(
    decision: Applied | Recorded | Rejected, delivery: Delivery, *, stores: Stores
) -> Applied | Recorded | Rejected:
    """The verdict on a replayed delivery: what was given up as lost no longer is."""
    logged = stores.delivery_log.get_entry(delivery.center_id, delivery.webhook_id)
    was_lost = logged is not None and logged.result.status is DeliveryStatus.FAILED
    if isinstance(decision, Rejected) or not was_lost:
        return decision
    overlay = decision.referral.status
    found = replace(overlay, updates_lost=max(0, overlay.updates_lost - 1))
    return type(decision)(replace(decision.referral, status=found))


def _find_first_applicable(
    referral: Referral | None, parked: Sequence[ParkedDelivery], *, stores: Stores, now: datetime
) -> tuple[ParkedDelivery, Applied | Recorded | Rejected] | None:
    for waiting in sorted(parked, key=lambda p: p.event.order):
        verdict = decide_delivery(referral, waiting.event, waiting.delivery, stores=stores, now=now)
        if not isinstance(verdict, Pending):
            return waiting, verdict
    return None


def _to_error(decision: Decision) -> ConflictError | None:
    match decision:
        case Pending():
            return ConflictError("not_legal_yet", "Something that must come before is missing.")
        case Rejected():
            return ConflictError(decision.code, decision.reason)
    return None


def _check_packet(referral: Referral, event: ReferralEvent) -> ConflictError | None:
    if not (isinstance(event, StageChange) and event.stage is Stage.SUBMITTED):
        return None
    try:
        require_complete(build_packet(referral))
    except ConflictError as e:
        return e
    return None


def _audit_refusal(event: ReferralEvent, tenant_id: str, code: str, *, stores: Stores, now: datetime) -> None:
    stores.audit_log.append(replace(build_audit_entry(event, tenant_id, now, None), outcome=code))
