"""From a verdict to the writes that make it true, and to the words that answer it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib import catalogue
from chalicelib.domain.events import EventStatus, StageChange
from chalicelib.domain.notices import Task, follow_up, opening, window_plan
from chalicelib.domain.referral import (
    Applied,
    Never,
    NotYet,
    Recorded,
    Referral,
    Setting,
    Verdict,
    decide,
)
from chalicelib.domain.stages import Stage
from chalicelib.domain.window import local_day
from chalicelib.errors import RefusedError
from chalicelib.store.audit import AuditEntry
from chalicelib.store.dynamo import Write
from chalicelib.store.receipts import Delivery, DeliveryResult, DeliveryStatus
from chalicelib.store.referral_items import Parked
from chalicelib.store.stores import Stores


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


def verdict_for_feed(
    referral: Referral | None,
    change: StageChange,
    delivery: Delivery,
    *,
    stores: Stores,
    now: datetime,
) -> Verdict:
    """What a center's delivery does; one for a referral that is not theirs waits for ever."""
    theirs = (
        referral is not None
        and referral.is_with_center
        and referral.center_id == delivery.center_id
    )
    if referral is None or not theirs:
        return NotYet()
    return decide(referral, change, setting_of(referral, stores=stores, now=now))


def writes_of(
    verdict: Verdict,
    change: StageChange,
    tenant_id: str,
    *,
    before: Referral,
    stores: Stores,
) -> list[Write]:
    """The referral, its event, the audit row and what follows, as writes of one transaction."""
    if not isinstance(verdict, Applied | Recorded):
        raise TypeError("only a verdict that changes something is written")
    referral = verdict.referral
    applied = isinstance(verdict, Applied)
    status = EventStatus.APPLIED if applied else EventStatus.RECORDED
    # What has no version yet has never been stored: a referral that is sent at once.
    store = stores.referrals.saving if before.version else stores.referrals.adding
    return [
        store(referral),
        stores.referrals.logging(change, status, practice_id=referral.practice_id),
        stores.audit.appending(entry_of(change, tenant_id, referral.updated_at, referral.version)),
        *(stores.outbox.planning(task) for task in _tasks(verdict, before, change)),
    ]


def writes_for_feed(
    verdict: Verdict,
    change: StageChange,
    delivery: Delivery,
    referral: Referral | None,
    *,
    stores: Stores,
    now: datetime,
) -> list[Write]:
    """The writes of a delivery beside its receipt: applied, refused, or kept waiting."""
    match verdict:
        case Applied() | Recorded() if referral is not None:
            return writes_of(verdict, change, delivery.center_id, before=referral, stores=stores)
        case Never():
            entry = replace(entry_of(change, delivery.center_id, now, None), outcome=verdict.code)
            return [stores.audit.appending(entry)]
    return [
        # Parked only while what was read still holds; else what it waits for may just have come.
        stores.referrals.unchanged(change.referral_id, referral),
        stores.referrals.parking(Parked(delivery=delivery, change=change)),
        stores.audit.appending(
            replace(entry_of(change, delivery.center_id, now, None), outcome="parked")
        ),
    ]


def outcome_of(verdict: Verdict, change: StageChange) -> Outcome:
    """The answer to a report with this verdict."""
    status = {Applied: "applied", Recorded: "recorded"}.get(type(verdict), "parked")
    moved = verdict.referral.stage if isinstance(verdict, Applied | Recorded) else None
    return Outcome(
        status=status, referral_id=change.referral_id, event_id=change.event_id, stage=moved
    )


def result_of(verdict: Verdict, change: StageChange) -> DeliveryResult:
    """The log's word on a delivery with this verdict."""
    outcome = outcome_of(verdict, change)
    refused = isinstance(verdict, Never)
    return DeliveryResult(
        status=DeliveryStatus.REFUSED if refused else DeliveryStatus(outcome.status),
        referral_id=change.referral_id,
        event_id=change.event_id,
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


def entry_of(change: StageChange, tenant_id: str, at: datetime, version: int | None) -> AuditEntry:
    """The audit row of a report."""
    return AuditEntry(
        referral_id=change.referral_id,
        at=at,
        actor_id=change.actor_id,
        tenant_id=tenant_id,
        action=f"event.{change.stage}",
        version=version,
    )


def _tasks(verdict: Applied | Recorded, before: Referral, change: StageChange) -> Iterator[Task]:
    referral, window = verdict.referral, verdict.referral.window
    if isinstance(verdict, Applied):
        yield follow_up(referral, event_id=change.event_id, now=referral.updated_at)
    if window is None:
        return
    if window != before.window:
        yield from window_plan(referral, window)
    if (
        isinstance(verdict, Applied)
        and change.stage is Stage.INFUSED
        and referral.part >= referral.of
    ):
        infused_on = change.local_date or local_day(change.occurred_at, window.time_zone)
        yield opening(referral, window, infused_on=infused_on)
