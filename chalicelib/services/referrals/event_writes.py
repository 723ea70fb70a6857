"""From a verdict to the writes that make it true, and to the words that answer it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeGuard

from chalicelib import catalogue
from chalicelib.domain.notices.notice_rules import GIVE_UP, Lane, Task, follow_up
from chalicelib.domain.notices.planning import opening, to_plan
from chalicelib.domain.referrals.apply_event import decide, needs_history
from chalicelib.domain.referrals.events import (
    WAITS_FOR,
    Corrected,
    Event,
    EventStatus,
    StageChange,
    derived_id,
)
from chalicelib.domain.referrals.monitoring_window import local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import (
    Applied,
    Never,
    NotYet,
    Recorded,
    Setting,
    Verdict,
    written,
)
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import RefusedError
from chalicelib.services.notices.overdue_alerts import alarm_writes
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.outbox import NONE_TAKEN
from chalicelib.store.notices.planned_tasks import still_waiting
from chalicelib.store.platform.dynamo import Write
from chalicelib.store.referrals.items import Parked
from chalicelib.store.webhooks.idempotency import Delivery, DeliveryResult, DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a report: `applied`, `recorded`, `parked` or `duplicate`."""

    status: str
    referral_id: str
    event_id: str
    stage: str | None


def setting_of(referral: Referral, *, stores: Stores, now: datetime) -> Setting:
    """The profile and the zone that decide the days of a window."""
    center = stores.tenants.center(referral.center_id)
    return Setting(
        profile=catalogue.profile_for(referral.product_id),
        time_zone=center.tenant.time_zone if center else "UTC",
        now=now,
    )


def decided(referral: Referral, event: Event, *, stores: Stores, now: datetime) -> Verdict:
    """What an event does, with all that the decision has to know read for it."""
    setting = setting_of(referral, stores=stores, now=now)
    needs_all = needs_history(referral, event)
    history = stores.referrals.history(referral.referral_id) if needs_all else ()
    return decide(referral, event, setting, history)


def is_theirs(referral: Referral | None, center_id: str) -> TypeGuard[Referral]:
    """Whether there is such a referral and it was submitted to this center."""
    return referral is not None and referral.is_with_center and referral.center_id == center_id


def verdict_for_feed(
    referral: Referral | None,
    event: Event,
    delivery: Delivery,
    *,
    stores: Stores,
    now: datetime,
) -> Verdict:
    """What a center's delivery does; one for a referral that is not theirs waits for ever."""
    if not is_theirs(referral, delivery.center_id):
        return NotYet()
    return decided(referral, event, stores=stores, now=now)


def writes_of(
    verdict: Verdict,
    event: Event,
    tenant_id: str,
    *,
    before: Referral,
    stores: Stores,
    planned: Mapping[str, str] = NONE_TAKEN,
) -> list[Write]:
    """The referral, its event, the audit row and what follows, as writes of one transaction.

    `planned` has the states of tasks that an earlier try found in the outbox already: a window
    that was corrected back to its first date has its first plan again, what was skipped too.
    """
    if not isinstance(verdict, Applied | Recorded):
        raise TypeError("only a verdict that changes something is written")
    referral = verdict.referral
    applied = isinstance(verdict, Applied)
    status = EventStatus.APPLIED if applied else EventStatus.RECORDED
    entry = entry_of(event, tenant_id, referral.updated_at, referral.version)
    store = stores.referrals.saving if before.version else stores.referrals.adding
    return [
        *store(referral, entry),
        stores.referrals.logging(event, status, practice_id=referral.practice_id),
        *_plan(_tasks(verdict, before, event), planned, stores=stores),
        *alarm_writes(before if before.version else None, referral, stores=stores),
    ]


def writes_for_feed(
    verdict: Verdict,
    event: Event,
    delivery: Delivery,
    referral: Referral | None,
    *,
    stores: Stores,
    now: datetime,
    planned: Mapping[str, str] = NONE_TAKEN,
) -> list[Write]:
    """The writes of a delivery beside its receipt: applied, refused, or kept waiting."""
    match verdict:
        case Applied() | Recorded() if referral is not None:
            return writes_of(
                verdict,
                event,
                delivery.center_id,
                before=referral,
                stores=stores,
                planned=planned,
            )
        case Never():
            return _writes_of_refusal(verdict, event, delivery, referral, stores=stores, now=now)
    return [
        # Parked only while what was read still holds; else what it waits for may just have come.
        stores.referrals.unchanged(event.referral_id, referral),
        stores.referrals.parking(
            Parked(
                delivery=delivery,
                event=event,
                stranger=not is_theirs(referral, delivery.center_id),
            )
        ),
        stores.outbox.planning(end_of_waiting(event.referral_id, delivery, now=now)),
        stores.audit.appending(
            replace(entry_of(event, delivery.center_id, now, None), outcome="parked")
        ),
    ]


def _writes_of_refusal(
    verdict: Never,
    event: Event,
    delivery: Delivery,
    referral: Referral | None,
    *,
    stores: Stores,
    now: datetime,
) -> list[Write]:
    """The audit row; and where the feed numbers its updates, that this one is not missing."""
    entry = replace(entry_of(event, delivery.center_id, now, None), outcome=verdict.code)
    if referral is None:
        return [stores.audit.appending(entry)]
    arrived = written(referral, event, setting_of(referral, stores=stores, now=now))
    if arrived.overlay.feed == referral.overlay.feed:
        return [stores.audit.appending(entry)]
    return list(stores.referrals.saving(arrived, replace(entry, version=arrived.version)))


def outcome_of(verdict: Verdict, event: Event) -> Outcome:
    """The answer to a report with this verdict."""
    status = {Applied: "applied", Recorded: "recorded"}.get(type(verdict), "parked")
    moved = verdict.referral.stage if isinstance(verdict, Applied | Recorded) else None
    return Outcome(
        status=status, referral_id=event.referral_id, event_id=event.event_id, stage=moved
    )


def result_of(verdict: Verdict, event: Event) -> DeliveryResult:
    """The log's word on a delivery with this verdict."""
    outcome = outcome_of(verdict, event)
    refused = isinstance(verdict, Never)
    return DeliveryResult(
        status=DeliveryStatus.REFUSED if refused else DeliveryStatus(outcome.status),
        referral_id=event.referral_id,
        event_id=event.event_id,
        stage=outcome.stage,
        code=verdict.code if isinstance(verdict, Never) else None,
    )


def said_again(earlier: DeliveryResult) -> Outcome:
    """The answer to a delivery that was here before."""
    if earlier.status is DeliveryStatus.REFUSED:
        raise RefusedError(earlier.code or "refused", "This delivery was refused before.")
    parked = earlier.status is DeliveryStatus.PARKED
    return Outcome(
        status="parked" if parked else "duplicate",
        referral_id=earlier.referral_id,
        event_id=earlier.event_id,
        stage=earlier.stage,
    )


def entry_of(event: Event, tenant_id: str, at: datetime, version: int | None) -> AuditEntry:
    """The audit row of a report."""
    return AuditEntry(
        referral_id=event.referral_id,
        at=at,
        actor_id=event.actor_id,
        tenant_id=tenant_id,
        action=_action(event),
        version=version,
    )


def end_of_waiting(referral_id: str, delivery: Delivery, *, now: datetime) -> Task:
    """The task that lists a delivery as failed when it has waited for a day."""
    return Task(
        outbox_id=derived_id("out", GIVE_UP, delivery.center_id, delivery.webhook_id),
        referral_id=referral_id,
        rule=GIVE_UP,
        lane=Lane.PLAN,
        due_at=now + WAITS_FOR,
        event_id=f"{delivery.center_id}/{delivery.webhook_id}",
    )


def _action(event: Event) -> str:
    return f"event.{event.stage}" if isinstance(event, StageChange) else event.type


def _plan(tasks: Iterable[Task], taken: Mapping[str, str], *, stores: Stores) -> Iterator[Write]:
    for task in tasks:
        state = taken.get(task.outbox_id)
        if state is None:
            yield stores.outbox.planning(task)
        elif state == TaskState.SKIPPED:
            yield stores.outbox.planning_what_is_off(task)
        elif state == TaskState.PLANNED:
            yield still_waiting(stores.outbox, task)


def _tasks(verdict: Applied | Recorded, before: Referral, event: Event) -> Iterator[Task]:
    referral, window = verdict.referral, verdict.referral.window
    if isinstance(verdict, Applied):
        yield follow_up(event, now=referral.updated_at)
    if window is None:
        return
    yield from to_plan(before, referral)
    infusion = event.replacement if isinstance(event, Corrected) else event
    if (
        isinstance(verdict, Applied)
        and isinstance(infusion, StageChange)
        and infusion.stage is Stage.INFUSED
        and referral.part >= referral.of
    ):
        infused_on = infusion.local_date or local_day(infusion.occurred_at, window.time_zone)
        yield opening(referral, window, infused_on=infused_on)
