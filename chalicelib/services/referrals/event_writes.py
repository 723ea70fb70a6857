"""Turns a decision about an event into the writes of one transaction."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from chalicelib.domain.consultation.follow_fact import find_planned
from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.consultation_notices import add_invitation
from chalicelib.domain.notices.coverage_schedule import build_tasks_of_reopened
from chalicelib.domain.notices.planning import (
    build_consultation_reminder,
    build_open_monitoring_task,
    list_tasks_to_plan,
)
from chalicelib.domain.notices.tasks import (
    OPEN_MONITORING_RULE,
    OutboxTask,
    TaskQueue,
    build_contradiction_task,
    build_event_task,
)
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.conversation import follow_conversation
from chalicelib.domain.referrals.events import Corrected, EventStatus, ReferralEvent, StageChange
from chalicelib.domain.referrals.information_requests import build_request
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.planned_dates import brings_new_date
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, Decision, Recorded
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.aliases import keep_or_replace_alias
from chalicelib.services.referrals.consultation_writes import ConsultationWrites, prepare_consultation_writes
from chalicelib.services.referrals.overdue_alert_writes import prepare_alert_writes
from chalicelib.services.referrals.practice_directory import prepare_directory_writes
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.outbox import NO_EXISTING_TASKS
from chalicelib.store.notices.planned_tasks import prepare_check_still_waiting, prepare_replan_done
from chalicelib.store.platform.dynamo import TransactionWrite


def prepare_event_writes(
    decision: Decision,
    event: ReferralEvent,
    tenant_id: str,
    *,
    before: Referral,
    context: RunContext,
    existing_tasks: Mapping[str, str] = NO_EXISTING_TASKS,
    consultation: ConsultationWrites | None = None,
) -> list[TransactionWrite]:
    """The referral, its event, the audit row and the tasks that follow, as writes of one transaction.

    `existing_tasks` has the states of tasks that an earlier attempt found in the outbox. A window that
    was corrected back to its first date gets its first plan again, including what was skipped. A booking
    passes its own writes about the `consultation`; of other events they follow from the planned date.
    """
    if not isinstance(decision, Applied | Recorded):
        raise TypeError("only a decision that changes something is written")
    stores = context.stores
    referral, alias_writes = keep_or_replace_alias(decision.referral, before, stores=stores)
    applied = isinstance(decision, Applied)
    if applied:
        referral = replace(referral, conversation=follow_conversation(before.conversation, event))
    if consultation is None:
        consultation = prepare_consultation_writes(before, referral, event, stores=stores)
    tasks = _with_consultation_tasks(
        [
            *_list_follow_up_tasks(decision, before, event),
            *_list_reopened_coverage_tasks(before, referral, stores=stores),
        ],
        event,
        before,
        referral,
        consultation,
        stores=stores,
    )
    status = EventStatus.APPLIED if applied else EventStatus.RECORDED
    entry = build_audit_entry(event, tenant_id, referral.updated_at, referral.version)
    store = stores.referrals.prepare_save if before.version else stores.referrals.prepare_add
    return [
        *store(referral, entry),
        *alias_writes,
        *prepare_directory_writes(referral, before, context=context),
        stores.referrals.prepare_log_event(event, status, practice_id=referral.practice_id),
        *(_prepare_request_write(event, referral, stores=stores) if applied else ()),
        *consultation.writes,
        *prepare_task_writes(tasks, existing_tasks, stores=stores),
        *prepare_alert_writes(before if before.version else None, referral, stores=stores),
    ]


def _prepare_request_write(event: ReferralEvent, referral: Referral, *, stores: Stores) -> Iterator[TransactionWrite]:
    """The information request that an event makes, if it makes one."""
    request = build_request(event)
    if request:
        yield stores.information_requests.prepare_add(referral.referral_id, request, scope=referral.practice_id)


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


def _get_audit_action(event: ReferralEvent) -> str:
    return f"event.{event.stage}" if isinstance(event, StageChange) else event.type


def prepare_task_writes(
    tasks: Iterable[OutboxTask], existing_tasks: Mapping[str, str], *, stores: Stores
) -> Iterator[TransactionWrite]:
    """Build the writes that plan tasks. One that exists is planned again if it was skipped, and kept otherwise."""
    for task in tasks:
        state = existing_tasks.get(task.outbox_id)
        if state is None:
            yield stores.outbox.prepare_plan(task)
        elif state == TaskState.SKIPPED:
            yield stores.outbox.prepare_replan_skipped(task)
        elif state == TaskState.DONE and task.rule == OPEN_MONITORING_RULE:
            # The infusion was reported again after a restore, so what the task did is gone.
            yield prepare_replan_done(stores.outbox, task)
        elif state == TaskState.PLANNED:
            yield prepare_check_still_waiting(stores.outbox, task)


def _list_reopened_coverage_tasks(before: Referral, after: Referral, *, stores: Stores) -> Iterator[OutboxTask]:
    """List the tasks of a coverage that may have been skipped while a referral was closed, if it is open again."""
    if before.stage not in TERMINAL_STAGES or after.stage in TERMINAL_STAGES:
        return
    practice = stores.tenants.get_cached(TenantKind.PRACTICE, after.practice_id)
    zone = practice.time_zone if practice else "UTC"
    today = to_local_day(after.updated_at, zone)
    yield from build_tasks_of_reopened(after.referral_id, after.coverage, today=today, time_zone=zone)


def _with_consultation_tasks(
    tasks: Iterable[OutboxTask],
    event: ReferralEvent,
    before: Referral,
    after: Referral,
    consultation: ConsultationWrites,
    *,
    stores: Stores,
) -> Iterator[OutboxTask]:
    """Add the invitation to the task that notifies of the event, and the reminder of a new date."""
    invitation = consultation.invitation
    is_sent = invitation is None
    for task in tasks:
        if invitation and task.event_id == event.event_id and task.queue is TaskQueue.EVENT and not is_sent:
            yield add_invitation(task, event, invitation)
            is_sent = True
        else:
            yield task
    if invitation and not is_sent:
        yield add_invitation(build_event_task(event, now=after.updated_at), event, invitation)
    if find_planned(before) == find_planned(after):
        return
    center = stores.tenants.get_center(after.center_id)
    zone = center.tenant.time_zone if center else "UTC"
    reminder = build_consultation_reminder(after, time_zone=zone, now=after.updated_at)
    if reminder:
        yield reminder


def _list_follow_up_tasks(decision: Applied | Recorded, before: Referral, event: ReferralEvent) -> Iterator[OutboxTask]:
    referral, window = decision.referral, decision.referral.window
    if isinstance(decision, Applied):
        yield build_event_task(
            event,
            now=referral.updated_at,
            has_new_date=brings_new_date(before, referral, event),
            corrects_death=before.died_at is not None and referral.died_at is None,
        )
    contradiction = referral.status.contradiction
    if contradiction and contradiction != before.status.contradiction and contradiction.ending is not referral.stage:
        yield build_contradiction_task(contradiction, referral.referral_id, now=referral.updated_at)
    if window is None:
        return
    yield from list_tasks_to_plan(before, referral)
    if not isinstance(decision, Applied) or referral.doses_given < referral.dose_total:
        return
    infusion = event.replacement if isinstance(event, Corrected) else event
    if isinstance(infusion, StageChange) and infusion.stage is Stage.INFUSED:
        infused_on = infusion.local_date or to_local_day(infusion.occurred_at, window.time_zone)
        yield build_open_monitoring_task(referral, window, infused_on=infused_on)
    elif referral.stage is Stage.INFUSED and 0 < before.doses_given < before.dose_total:
        # The product that is now named has no further dose.
        infused_on = to_local_day(referral.stage_entered_at[Stage.INFUSED], window.time_zone)
        yield build_open_monitoring_task(referral, window, infused_on=infused_on)
