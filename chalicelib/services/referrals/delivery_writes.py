"""The writes of a center's delivery: it is applied, refused, or parked."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.domain.notices.tasks import EXPIRE_PARKED_RULE, OutboxTask, TaskQueue
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import PARKED_FOR, ReferralEvent, StageChange
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import (
    Applied,
    Decision,
    Recorded,
    Rejected,
    with_next_version,
)
from chalicelib.errors import WebhookIdReusedError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.event_decisions import (
    belongs_to_center,
)
from chalicelib.services.referrals.event_writes import build_audit_entry, prepare_event_writes
from chalicelib.services.referrals.report_results import name_reported
from chalicelib.store.notices.outbox import NO_EXISTING_TASKS
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.delivery_log import Delivery, DeliveryResult, DeliveryStatus, name_reuse


def prepare_delivery_writes(
    decision: Decision,
    event: ReferralEvent,
    delivery: Delivery,
    referral: Referral | None,
    *,
    context: RunContext,
    existing_tasks: Mapping[str, str] = NO_EXISTING_TASKS,
) -> list[TransactionWrite]:
    """The writes of a delivery besides its log entry: it is applied, refused, or parked."""
    match decision:
        case Applied() | Recorded() if referral is not None:
            return prepare_event_writes(
                decision,
                event,
                delivery.center_id,
                before=referral,
                context=context,
                existing_tasks=existing_tasks,
            )
        case Rejected():
            return _prepare_rejection_writes(decision, event, delivery, referral, context=context)
    expiry = build_expiry_task(event.referral_id, delivery, now=context.now)
    # A delivery that was parked before has its task: a restore can lose the entry of the log alone.
    is_planned = expiry.outbox_id in existing_tasks
    return [
        # Park only if nothing changed since the read; the event that it waits for may just have come.
        context.stores.referrals.prepare_check_unchanged(event.referral_id, referral),
        context.stores.referrals.prepare_park(
            ParkedDelivery(
                delivery=delivery, event=event, is_unknown_referral=not belongs_to_center(referral, delivery.center_id)
            )
        ),
        *(() if is_planned else (context.stores.outbox.prepare_plan(expiry),)),
        context.stores.audit_log.prepare_append(
            replace(build_audit_entry(event, delivery.center_id, context.now, None), outcome="parked")
        ),
    ]


def _prepare_rejection_writes(
    decision: Rejected,
    event: ReferralEvent,
    delivery: Delivery,
    referral: Referral | None,
    *,
    context: RunContext,
) -> list[TransactionWrite]:
    """The audit row. If the center numbers its updates, also that this number has arrived."""
    entry = replace(build_audit_entry(event, delivery.center_id, context.now, None), outcome=decision.code)
    if referral is None:
        return [context.stores.audit_log.prepare_append(entry)]
    updated = with_next_version(referral, event, load_decision_context(referral, context=context))
    if updated.status.feed == referral.status.feed:
        return [context.stores.audit_log.prepare_append(entry)]
    return list(context.stores.referrals.prepare_save(updated, replace(entry, version=updated.version)))


def log_reused_id(
    refusal: WebhookIdReusedError, event: ReferralEvent, delivery: Delivery, *, context: RunContext
) -> None:
    """Log a delivery whose webhook id belongs to another body: a row of its own, and an audit row, once each."""
    result = DeliveryResult(
        status=DeliveryStatus.REFUSED,
        **name_reported(event),
        stage=event.stage if isinstance(event, StageChange) else None,
        code=refusal.code,
    )
    entry = replace(build_audit_entry(event, delivery.center_id, context.now, None), outcome=refusal.code)

    def attempt() -> None:
        stores = context.stores
        try:
            stores.transactions.commit(
                stores.delivery_log.prepare_log(name_reuse(delivery), result), stores.audit_log.prepare_append(entry)
            )
        except ConditionFailedError as e:
            if IDEMPOTENCY_RECORD not in e.items:
                raise  # Another audit row was faster.

    commit_with_retry(attempt)


def build_expiry_task(referral_id: str, delivery: Delivery, *, now: datetime) -> OutboxTask:
    """The task that marks a delivery as failed after it was parked for a day."""
    return OutboxTask(
        outbox_id=derive_id("out", EXPIRE_PARKED_RULE, delivery.center_id, delivery.webhook_id),
        referral_id=referral_id,
        rule=EXPIRE_PARKED_RULE,
        queue=TaskQueue.PLAN,
        due_at=now + PARKED_FOR,
        event_id=f"{delivery.center_id}/{delivery.webhook_id}",
    )
