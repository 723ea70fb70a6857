"""From a verdict to the writes that make it true, and to the words that answer it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeGuard

from chalicelib import catalog
from chalicelib.domain.notices.planning import build_open_monitoring_task, list_tasks_to_plan
from chalicelib.domain.notices.tasks import EXPIRE_PARKED_RULE, OutboxTask, TaskQueue, build_event_task
from chalicelib.domain.referrals.apply_event import decide_event, needs_history
from chalicelib.domain.referrals.events import PARKED_FOR, Corrected, EventStatus, ReferralEvent, StageChange, derive_id
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import (
    Applied,
    Decision,
    DecisionContext,
    Pending,
    Recorded,
    Rejected,
    with_next_version,
)
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError
from chalicelib.services.referrals.overdue_alert_writes import prepare_alert_writes
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.outbox import NO_EXISTING_TASKS
from chalicelib.store.notices.planned_tasks import prepare_check_still_waiting
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.referrals.items import ParkedDelivery
from chalicelib.store.webhooks.idempotency import Delivery, DeliveryResult, DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportResult:
    """What became of a report: `applied`, `recorded`, `parked` or `duplicate`."""

    status: str
    referral_id: str
    event_id: str
    stage: str | None


def load_decision_context(referral: Referral, *, stores: Stores, now: datetime) -> DecisionContext:
    """The profile and the zone that decide the days of a window."""
    center = stores.tenants.get_center(referral.center_id)
    return DecisionContext(
        profile=catalog.get_monitoring_profile(referral.product_id),
        time_zone=center.tenant.time_zone if center else "UTC",
        now=now,
    )


def decide_with_history(referral: Referral, event: ReferralEvent, *, stores: Stores, now: datetime) -> Decision:
    """What an event does, with all that the decision has to know read for it."""
    setting = load_decision_context(referral, stores=stores, now=now)
    needs_all = needs_history(referral, event)
    history = stores.referrals.list_history(referral.referral_id) if needs_all else ()
    return decide_event(referral, event, setting, history)


def belongs_to_center(referral: Referral | None, center_id: str) -> TypeGuard[Referral]:
    """Whether there is such a referral and it was submitted to this center."""
    return referral is not None and referral.is_with_center and referral.center_id == center_id


def decide_delivery(
    referral: Referral | None, event: ReferralEvent, delivery: Delivery, *, stores: Stores, now: datetime
) -> Decision:
    """What a center's delivery does; one for a referral that is not theirs waits for ever."""
    if not belongs_to_center(referral, delivery.center_id):
        return Pending()
    return decide_with_history(referral, event, stores=stores, now=now)


def prepare_event_writes(
    decision: Decision,
    event: ReferralEvent,
    tenant_id: str,
    *,
    before: Referral,
    stores: Stores,
    existing_tasks: Mapping[str, str] = NO_EXISTING_TASKS,
) -> list[TransactionWrite]:
    """The referral, its event, the audit row and what follows, as writes of one transaction.

    `planned` has the states of tasks that an earlier try found in the outbox already: a window
    that was corrected back to its first date has its first plan again, what was skipped too.
    """
    if not isinstance(decision, Applied | Recorded):
        raise TypeError("only a verdict that changes something is written")
    referral = decision.referral
    applied = isinstance(decision, Applied)
    status = EventStatus.APPLIED if applied else EventStatus.RECORDED
    entry = build_audit_entry(event, tenant_id, referral.updated_at, referral.version)
    store = stores.referrals.prepare_save if before.version else stores.referrals.prepare_add
    return [
        *store(referral, entry),
        stores.referrals.prepare_log_event(event, status, practice_id=referral.practice_id),
        *_prepare_task_writes(_list_follow_up_tasks(decision, before, event), existing_tasks, stores=stores),
        *prepare_alert_writes(before if before.version else None, referral, stores=stores),
    ]


def prepare_delivery_writes(
    decision: Decision,
    event: ReferralEvent,
    delivery: Delivery,
    referral: Referral | None,
    *,
    stores: Stores,
    now: datetime,
    existing_tasks: Mapping[str, str] = NO_EXISTING_TASKS,
) -> list[TransactionWrite]:
    """The writes of a delivery beside its receipt: applied, refused, or kept waiting."""
    match decision:
        case Applied() | Recorded() if referral is not None:
            return prepare_event_writes(
                decision, event, delivery.center_id, before=referral, stores=stores, existing_tasks=existing_tasks
            )
        case Rejected():
            return _prepare_rejection_writes(decision, event, delivery, referral, stores=stores, now=now)
    return [
        # Parked only while what was read still holds; else what it waits for may just have come.
        stores.referrals.prepare_check_unchanged(event.referral_id, referral),
        stores.referrals.prepare_park(
            ParkedDelivery(
                delivery=delivery, event=event, is_unknown_referral=not belongs_to_center(referral, delivery.center_id)
            )
        ),
        stores.outbox.prepare_plan(build_expiry_task(event.referral_id, delivery, now=now)),
        stores.audit_log.prepare_append(
            replace(build_audit_entry(event, delivery.center_id, now, None), outcome="parked")
        ),
    ]


def _prepare_rejection_writes(
    decision: Rejected,
    event: ReferralEvent,
    delivery: Delivery,
    referral: Referral | None,
    *,
    stores: Stores,
    now: datetime,
) -> list[TransactionWrite]:
    """The audit row; and where the feed numbers its updates, that this one is not missing."""
    entry = replace(build_audit_entry(event, delivery.center_id, now, None), outcome=decision.code)
    if referral is None:
        return [stores.audit_log.prepare_append(entry)]
    arrived = with_next_version(referral, event, load_decision_context(referral, stores=stores, now=now))
    if arrived.status.feed == referral.status.feed:
        return [stores.audit_log.prepare_append(entry)]
    return list(stores.referrals.prepare_save(arrived, replace(entry, version=arrived.version)))


def build_report_result(decision: Decision, event: ReferralEvent) -> ReportResult:
    """The answer to a report with this verdict."""
    status = {Applied: "applied", Recorded: "recorded"}.get(type(decision), "parked")
    moved = decision.referral.stage if isinstance(decision, Applied | Recorded) else None
    return ReportResult(status=status, referral_id=event.referral_id, event_id=event.event_id, stage=moved)


def build_delivery_result(decision: Decision, event: ReferralEvent) -> DeliveryResult:
    """The log's word on a delivery with this verdict."""
    outcome = build_report_result(decision, event)
    refused = isinstance(decision, Rejected)
    return DeliveryResult(
        status=DeliveryStatus.REFUSED if refused else DeliveryStatus(outcome.status),
        referral_id=event.referral_id,
        event_id=event.event_id,
        stage=outcome.stage,
        code=decision.code if isinstance(decision, Rejected) else None,
    )


def replay_result(first_result: DeliveryResult) -> ReportResult:
    """The answer to a delivery that was here before."""
    if first_result.status is DeliveryStatus.REFUSED:
        raise ConflictError(first_result.code or "refused", "This delivery was refused before.")
    parked = first_result.status is DeliveryStatus.PARKED
    return ReportResult(
        status="parked" if parked else "duplicate",
        referral_id=first_result.referral_id,
        event_id=first_result.event_id,
        stage=first_result.stage,
    )


def build_audit_entry(event: ReferralEvent, tenant_id: str, at: datetime, version: int | None) -> AuditEntry:
    """The audit row of a report."""
    return AuditEntry(
        referral_id=event.referral_id,
        at=at,
        actor_id=event.actor_id,
        tenant_id=tenant_id,
        action=_get_audit_action(event),
        version=version,
    )


def build_expiry_task(referral_id: str, delivery: Delivery, *, now: datetime) -> OutboxTask:
    """The task that lists a delivery as failed when it has waited for a day."""
    return OutboxTask(
        outbox_id=derive_id("out", EXPIRE_PARKED_RULE, delivery.center_id, delivery.webhook_id),
        referral_id=referral_id,
        rule=EXPIRE_PARKED_RULE,
        queue=TaskQueue.PLAN,
        due_at=now + PARKED_FOR,
        event_id=f"{delivery.center_id}/{delivery.webhook_id}",
    )


def _get_audit_action(event: ReferralEvent) -> str:
    return f"event.{event.stage}" if isinstance(event, StageChange) else event.type


def _prepare_task_writes(
    tasks: Iterable[OutboxTask], existing_tasks: Mapping[str, str], *, stores: Stores
) -> Iterator[TransactionWrite]:
    for task in tasks:
        state = existing_tasks.get(task.outbox_id)
        if state is None:
            yield stores.outbox.prepare_plan(task)
        elif state == TaskState.SKIPPED:
            yield stores.outbox.prepare_replan_skipped(task)
        elif state == TaskState.PLANNED:
            yield prepare_check_still_waiting(stores.outbox, task)


def _list_follow_up_tasks(decision: Applied | Recorded, before: Referral, event: ReferralEvent) -> Iterator[OutboxTask]:
    referral, window = decision.referral, decision.referral.window
    if isinstance(decision, Applied):
        yield build_event_task(event, now=referral.updated_at)
    if window is None:
        return
    yield from list_tasks_to_plan(before, referral)
    infusion = event.replacement if isinstance(event, Corrected) else event
    if (
        isinstance(decision, Applied)
        and isinstance(infusion, StageChange)
        and infusion.stage is Stage.INFUSED
        and referral.doses_given >= referral.dose_total
    ):
        infused_on = infusion.local_date or to_local_day(infusion.occurred_at, window.time_zone)
        yield build_open_monitoring_task(referral, window, infused_on=infused_on)
