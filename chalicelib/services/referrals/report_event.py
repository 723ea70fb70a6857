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
from chalicelib.domain.referrals.events import WAITS_FOR, Event, StageChange
from chalicelib.domain.referrals.packet import packet_of, require_complete
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, Never, NotYet, Recorded, Verdict
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import NotFoundError, RefusedError, UnavailableError
from chalicelib.observe import log
from chalicelib.services.referrals.event_writes import (
    Outcome,
    decided,
    entry_of,
    is_theirs,
    outcome_of,
    result_of,
    said_again,
    verdict_for_feed,
    writes_for_feed,
    writes_of,
)
from chalicelib.services.referrals.parking import before_waiting, waiting_for
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.outbox import already_planned
from chalicelib.store.platform.transactions import ConditionFailed
from chalicelib.store.referrals.items import Parked
from chalicelib.store.webhooks.idempotency import RECEIPT, Answer, Delivery, DeliveryStatus, Request

REREADS = 8
"""How often a decision is taken anew because somebody else moved the referral meanwhile."""


def report_by_member(
    event: Event,
    *,
    member: Member,
    request: Request,
    answer: Callable[[Outcome], Answer],
    stores: Stores,
    now: datetime,
) -> Answer:
    """Record what a member of either side reports.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        RefusedError: the move is not legal, or not yet, or not this side's.
        KeyReusedError: the Idempotency-Key belongs to another request.
    """
    planned: dict[str, str] = {}
    for _ in range(REREADS):
        referral, parked = stores.referrals.get_with_parked(event.referral_id)
        if referral is None or not (member.cares and member.may_see(referral)):
            _audit_refusal(event, member.tenant_id, "not_found", stores=stores, now=now)
            raise NotFoundError
        verdict = decided(referral, event, stores=stores, now=now)
        fault = _fault_of(verdict) or _packet_fault(referral, event)
        if fault:
            earlier = stores.idempotency.find(request, now=now)
            if earlier:
                return earlier
            _audit_refusal(event, member.tenant_id, fault.code, stores=stores, now=now)
            raise fault
        told = answer(outcome_of(verdict, event))
        receipt = stores.idempotency.writing(request, told, now=now)
        writes = writes_of(
            verdict, event, member.tenant_id, before=referral, stores=stores, planned=planned
        )
        try:
            stores.ledger.commit(receipt, *writes)
        except ConditionFailed as e:
            if RECEIPT in e.items:
                return stores.idempotency.replay(request, e.items[RECEIPT])
            planned |= already_planned(e.items)
            continue
        # What came before a submission waits apart; with it, it is looked for there as well.
        if parked or referral.stage is Stage.DRAFT:
            _settle_behind(event.referral_id, stores=stores, now=now)
        return told
    raise UnavailableError("busy")


def report_by_feed(event: Event, *, delivery: Delivery, stores: Stores, now: datetime) -> Outcome:
    """Record what a center's system reports; the signature was verified before.

    A referral that is not there and one that is another center's are parked alike, so that
    the answer tells nothing.

    Raises:
        RefusedError: it can never be legal, or its id belongs to another delivery.
    """
    planned: dict[str, str] = {}
    for _ in range(REREADS):
        referral, parked = stores.referrals.get_with_parked(event.referral_id)
        verdict = verdict_for_feed(referral, event, delivery, stores=stores, now=now)
        if isinstance(verdict, NotYet):
            beside = parked if is_theirs(referral, delivery.center_id) else None
            earlier = before_waiting(event, delivery, beside=beside, stores=stores, now=now)
            if earlier:
                return said_again(earlier)
        result = result_of(verdict, event)
        writes = [
            stores.deliveries.writing(delivery, result),
            *writes_for_feed(
                verdict, event, delivery, referral, stores=stores, now=now, planned=planned
            ),
        ]
        try:
            stores.ledger.commit(*writes)
        except ConditionFailed as e:
            if RECEIPT in e.items:
                earlier = stores.deliveries.replay(delivery, e.items[RECEIPT])
                return said_again(earlier)
            planned |= already_planned(e.items)
            continue
        if isinstance(verdict, Never):
            raise RefusedError(verdict.code, verdict.reason)
        if parked and isinstance(verdict, Applied | Recorded):
            _settle_behind(event.referral_id, stores=stores, now=now)
        return outcome_of(verdict, event)
    raise UnavailableError("busy")


def report_by_system(event: Event, *, stores: Stores, now: datetime) -> bool:
    """Record a move that the product makes itself. False when it no longer makes sense.

    Needs no receipt: the event's id comes from the task, so a second try meets its own event.
    """
    planned: dict[str, str] = {}
    for _ in range(REREADS):
        referral = stores.referrals.get(event.referral_id)
        if referral is None:
            return False
        verdict = decided(referral, event, stores=stores, now=now)
        if not isinstance(verdict, Applied):
            return False
        try:
            stores.ledger.commit(
                *writes_of(
                    verdict, event, "system", before=referral, stores=stores, planned=planned
                )
            )
        except ConditionFailed as e:
            if "event" in e.items:
                return True
            planned |= already_planned(e.items)
            continue
        settle(event.referral_id, stores=stores, now=now)
        return True
    raise UnavailableError("busy")


def settle(referral_id: str, *, stores: Stores, now: datetime, even: str = "") -> int:
    """Apply the deliveries that waited for what has arrived. Returns how many were settled.

    `even` is the id of a delivery to try although it has waited longer than a day.

    Safe to call at any time and by several at once: each settling is a transaction that the
    delivery's own row allows only once.
    """
    settled = refused = 0
    planned: dict[str, str] = {}
    while refused < REREADS:
        referral, parked = stores.referrals.get_with_parked(referral_id)
        if referral is None or not referral.is_with_center:
            return settled
        early = waiting_for(referral_id, referral.center_id, stores=stores)
        waiting_still = [
            p
            for p in (*parked, *early)
            if now - p.delivery.received_at <= WAITS_FOR or p.delivery.webhook_id == even
        ]
        ready = _first_ready(referral, waiting_still, stores=stores, now=now)
        if ready is None:
            return settled
        waiting, verdict = ready
        event, delivery = waiting.event, waiting.delivery
        if delivery.webhook_id == even:
            verdict = _found_again(verdict, delivery, stores=stores)
        writes = writes_for_feed(
            verdict, event, delivery, referral, stores=stores, now=now, planned=planned
        )
        try:
            stores.ledger.commit(
                stores.deliveries.writing(delivery, result_of(verdict, event), again=True),
                stores.referrals.unparking(waiting),
                *writes,
            )
        except ConditionFailed as e:
            # Somebody else settled it, or moved the referral: look again.
            planned |= already_planned(e.items)
            refused += 1
            continue
        settled, refused = settled + 1, 0
    # A row that can never be settled, as a restore may leave one, must not hold up a whole job.
    log.warning("parked deliveries do not settle", referral_id=referral_id)
    return settled


def _settle_behind(referral_id: str, *, stores: Stores, now: datetime) -> None:
    """Settle what waited for a report that is committed, if there is time.

    The report stands, and its sender is told so; what waits is also settled by the relay.
    """
    try:
        settle(referral_id, stores=stores, now=now)
    except UnavailableError:
        log.warning("settling is left to the relay", referral_id=referral_id)


def _found_again(
    verdict: Applied | Recorded | Never, delivery: Delivery, *, stores: Stores
) -> Applied | Recorded | Never:
    """The verdict on a replayed delivery: what was given up as lost no longer is."""
    logged = stores.deliveries.get(delivery.center_id, delivery.webhook_id)
    was_lost = logged is not None and logged.result.status is DeliveryStatus.FAILED
    if isinstance(verdict, Never) or not was_lost:
        return verdict
    overlay = verdict.referral.overlay
    found = replace(overlay, updates_lost=max(0, overlay.updates_lost - 1))
    return type(verdict)(replace(verdict.referral, overlay=found))


def _first_ready(
    referral: Referral | None, parked: Sequence[Parked], *, stores: Stores, now: datetime
) -> tuple[Parked, Applied | Recorded | Never] | None:
    for waiting in sorted(parked, key=lambda p: p.event.order):
        verdict = verdict_for_feed(
            referral, waiting.event, waiting.delivery, stores=stores, now=now
        )
        if not isinstance(verdict, NotYet):
            return waiting, verdict
    return None


def _fault_of(verdict: Verdict) -> RefusedError | None:
    match verdict:
        case NotYet():
            return RefusedError("not_legal_yet", "Something that must come before is missing.")
        case Never():
            return RefusedError(verdict.code, verdict.reason)
    return None


def _packet_fault(referral: Referral, event: Event) -> RefusedError | None:
    if not (isinstance(event, StageChange) and event.stage is Stage.SUBMITTED):
        return None
    try:
        require_complete(packet_of(referral))
    except RefusedError as e:
        return e
    return None


def _audit_refusal(
    event: Event, tenant_id: str, code: str, *, stores: Stores, now: datetime
) -> None:
    stores.audit.append(replace(entry_of(event, tenant_id, now, None), outcome=code))
