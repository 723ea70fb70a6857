"""What is written when the coverage of a referral moves, in the transaction of the referral.

It is here and not with the other services of the coverage, because a change of the insurance writes it too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.domain.coverage.decide import SYSTEM_NAME, Moved, Mover, decide_move
from chalicelib.domain.coverage.moves import MOVES, MoveName, Notified, Party
from chalicelib.domain.coverage.track import CoverageChange, CoverageTrack
from chalicelib.domain.coverage.warnings import find_leukapheresis_day
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.coverage_notices import (
    CLEARANCE_LOST_RULE,
    COVERAGE_RULES,
    LEUKAPHERESIS_NEAR_DAYS,
    get_move_rule,
)
from chalicelib.domain.notices.coverage_schedule import build_coverage_tasks
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import CoverageChanged, EventSource, EventStatus
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Actor
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.consent_checks import get_practice_day
from chalicelib.services.referrals.event_writes import prepare_task_writes
from chalicelib.store.notices.outbox import NO_EXISTING_TASKS
from chalicelib.store.platform.dynamo import TransactionWrite

PLAN_FIELDS = ("payer", "plan_type", "member_id", "group", "subscriber")
"""The parts of the insurance that say which plan it is. Its funding only decides about time limits."""

SYSTEM_ID = "system"
PAYER_ID = "payer"


@dataclass(frozen=True, slots=True)
class CoverageWriter:
    """Who moved the coverage, as events and audit rows name it."""

    actor: Actor
    source: EventSource
    actor_id: str
    tenant_id: str


def get_member_writer(member: Member) -> CoverageWriter:
    """A member of one of the two sides."""
    return CoverageWriter(member.actor, EventSource(member.actor.value), member.member_id, member.tenant_id)


SYSTEM_WRITER = CoverageWriter(Actor.SYSTEM, EventSource.SYSTEM, SYSTEM_ID, SYSTEM_ID)
PAYER_WRITER = CoverageWriter(Actor.SYSTEM, EventSource.SYSTEM, PAYER_ID, SYSTEM_ID)


def build_mover(party: Party, name: str, referral: Referral, *, context: RunContext, member_id: str | None) -> Mover:
    """Build who makes a move now, with the day at the practice."""
    today = get_practice_day(referral.practice_id, context=context)
    return Mover(party=party, name=name, at=context.now, today=today, member_id=member_id)


def build_system_mover(referral: Referral, *, context: RunContext) -> Mover:
    """Build the product itself as the mover."""
    return build_mover(Party.SYSTEM, SYSTEM_NAME, referral, context=context, member_id=None)


def with_coverage(referral: Referral, moved: Moved, *, context: RunContext) -> Referral:
    """The referral after a move of its coverage, one version later."""
    return replace(referral, coverage=moved.track.status, updated_at=context.now, version=referral.version + 1)


def prepare_coverage_writes(
    before: Referral,
    moved: Moved,
    writer: CoverageWriter,
    *,
    context: RunContext,
    existing_tasks: Mapping[str, str] = NO_EXISTING_TASKS,
) -> Iterator[TransactionWrite]:
    """Build the writes of moves, without the referral itself: the state, the history, the events and the tasks.

    Args:
        before: The referral before the moves.
        moved: What was decided.
        writer: Who made the first move. What follows from a date is the product's own.
        context: The tables and the time.
        existing_tasks: The states of tasks that an earlier attempt found in the outbox.
    """
    stores, scope, referral_id = context.stores, before.practice_id, before.referral_id
    yield stores.coverage_tracks.prepare_save(referral_id, moved.track, scope=scope)
    for number, change in enumerate(moved.changes):
        key = f"{moved.track.version}.{number}"
        yield stores.coverage_tracks.prepare_add_change(
            referral_id, change, derive_id("cov", referral_id, key), scope=scope
        )
        event = _build_event(before, change, writer if change.by is not Party.SYSTEM else SYSTEM_WRITER, key)
        yield stores.referrals.prepare_log_event(event, EventStatus.APPLIED, practice_id=scope)
        task = build_coverage_notice_task(before, change, event, context=context)
        if task:
            yield stores.outbox.prepare_plan(task)
    tasks = list_new_coverage_tasks(before, moved.track, context=context)
    yield from prepare_task_writes(tasks, existing_tasks, stores=stores)


def list_new_coverage_tasks(before: Referral, after: CoverageTrack, *, context: RunContext) -> Sequence[OutboxTask]:
    """List what must be planned because the dates of the coverage changed."""
    tenant = context.stores.tenants.get_cached(TenantKind.PRACTICE, before.practice_id)
    zone = tenant.time_zone if tenant else "UTC"
    today = to_local_day(context.now, zone)
    build = partial(build_coverage_tasks, before.referral_id, today=today, time_zone=zone)
    earlier = {task.outbox_id for task in build(before.coverage)}
    return [task for task in build(after.status) if task.outbox_id not in earlier]


def decide_new_plan(before: Referral, after: Referral, member: Member, *, context: RunContext) -> Moved | None:
    """Decide what a corrected insurance does to the coverage; None if it is the same plan, or nothing was recorded."""
    if before.submitted_at is None or not _is_another_plan(before, after):
        return None
    track = context.stores.coverage_tracks.get(before.referral_id, scope=before.practice_id)
    if track.version == 0:
        return None
    mover = build_mover(Party(member.actor.value), member.name, before, context=context, member_id=member.member_id)
    return decide_move(track, MoveName.PLAN_CHANGED, {"reason": "insurance_edited"}, mover)


def prepare_new_plan_writes(
    before: Referral, moved: Moved | None, member: Member, *, context: RunContext
) -> Iterator[TransactionWrite]:
    """Build the writes of `decide_new_plan`; none for the same plan."""
    if moved:
        yield from prepare_coverage_writes(before, moved, get_member_writer(member), context=context)


def _is_another_plan(before: Referral, after: Referral) -> bool:
    """Whether something that was entered about the plan is now different. What was empty can be added."""
    earlier: Mapping[str, Any] = before.details.get("insurance") or {}
    later: Mapping[str, Any] = after.details.get("insurance") or {}
    return any(_read(earlier, name) and _read(earlier, name) != _read(later, name) for name in PLAN_FIELDS)


def _read(insurance: Mapping[str, Any], name: str) -> Any:
    value = insurance.get(name)
    # A policy holder who is the patient says the same as none.
    is_patient = name == "subscriber" and value and value.get("relationship") == "self"
    return None if is_patient else value


def _build_event(before: Referral, change: CoverageChange, writer: CoverageWriter, key: str) -> CoverageChanged:
    return CoverageChanged(
        event_id=derive_id("evt", before.referral_id, "coverage", key),
        referral_id=before.referral_id,
        occurred_at=change.at,
        recorded_at=change.at,
        actor=writer.actor,
        source=writer.source,
        actor_id=writer.actor_id,
        actor_name=change.actor_name,
        move=change.move,
        machine=change.machine,
        before=change.start,
        after=change.target,
        how=change.how,
        reference_number=change.reference_number,
    )


def build_coverage_notice_task(
    referral: Referral, change: CoverageChange, event: CoverageChanged, *, context: RunContext
) -> OutboxTask | None:
    """Build the task that notifies of a move; None if no one is notified of it."""
    rule = get_move_rule(change.move)
    if change.move is MoveName.CLEARANCE_ENDED and _is_leukapheresis_near(referral, context=context):
        rule = CLEARANCE_LOST_RULE
    if change.filed_only or rule not in COVERAGE_RULES or referral.stage in TERMINAL_STAGES:
        return None
    side = None
    if MOVES[change.move].notifies is Notified.OTHER_SIDE:
        side = TenantKind.CENTER if change.by is Party.PRACTICE else TenantKind.PRACTICE
    return OutboxTask(
        outbox_id=derive_id("out", rule, referral.referral_id, event.event_id),
        referral_id=referral.referral_id,
        rule=rule,
        queue=TaskQueue.EVENT,
        due_at=context.now,
        event_id=event.event_id,
        side=side,
    )


def _is_leukapheresis_near(referral: Referral, *, context: RunContext) -> bool:
    center = context.stores.tenants.get_center(referral.center_id)
    zone = center.tenant.time_zone if center else "UTC"
    on = find_leukapheresis_day(referral, time_zone=zone)
    return on is not None and 0 <= (on - to_local_day(context.now, zone)).days <= LEUKAPHERESIS_NEAR_DAYS
