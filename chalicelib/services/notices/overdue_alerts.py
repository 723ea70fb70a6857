"""Alarms of clocks: set as a referral changes, told when they ring.

Whatever changes a referral sets its one row of the outbox to the next alarm, in the same
transaction. The row only says when to look: what is told is computed from the referral as it
stands then, so a limit that was changed since, or a run that comes days late, tells what is true.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from chalicelib.domain.notices.overdue_alerts import (
    LastAlert,
    OverdueAlert,
    StageAlerts,
)
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.referrals.events import derive_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.notices.planned_list import NoticeState, PlannedNotice
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.overdue_alert_writes import compute_alerts
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.overdue_alerts import parse_last_alert
from chalicelib.store.platform.timestamps import from_timestamp

NotifyRecipients = Callable[[OutboxTask, Referral], Sequence[str]]
"""Tells everybody who has to know of a task; hands back the ids of the mails that it planned."""


def send_overdue_alert(
    claim: Claim, *, notify: NotifyRecipients, context: RunContext
) -> tuple[TaskState, Sequence[str]]:
    """Tell of the level that a referral's clock has come to, once, and wait for the next one.

    After a long outage only the highest level is told: it says since when.
    """
    task, last_alert = claim.task, parse_last_alert(claim.row)
    referral = context.stores.referrals.get(task.referral_id)
    alarms = compute_alerts(referral, stores=context.stores) if referral else None
    due = alarms.get_due(context.now, last_alert) if alarms else None
    mail_ids: Sequence[str] = ()
    if referral and alarms and due:
        unheard = alarms.has_skipped_level(due, last_alert)
        mail_ids = notify(_build_alert_task(alarms, due, task.due_at, referral, skipped_level_missed=unheard), referral)
        last_alert = LastAlert(alarms.stage_visit, due.level)
    next_at = alarms.get_next_time(context.now) if alarms else None
    context.stores.overdue_alerts.set_next_level(claim, last_alert=last_alert, next_at=next_at)
    return (TaskState.DONE if due else TaskState.SKIPPED), mail_ids


def list_upcoming_alerts(referral: Referral, *, context: RunContext) -> Sequence[PlannedNotice]:
    """What a referral's clock tells if nobody moves it, earliest first.

    A row that is parked tells nothing until it is put back, and one that is off the index nothing.
    """
    alarms = compute_alerts(referral, stores=context.stores)
    row = context.stores.overdue_alerts.get(referral.referral_id) if alarms else None
    if alarms is None or row is None or row["state"] == TaskState.DONE:
        return ()
    last_alert, set_for = parse_last_alert(row), from_timestamp(row["planned_for"])
    is_parked = row["state"] == TaskState.FAILED
    state = NoticeState.FAILED if is_parked else NoticeState.SCHEDULED
    planned = []
    for alarm in alarms.list_upcoming(context.now, last_alert):
        is_due = alarm.at <= context.now
        if is_parked and not is_due:
            break
        unheard = is_due and alarms.has_skipped_level(alarm, last_alert)
        task = _build_alert_task(alarms, alarm, set_for, referral, skipped_level_missed=unheard)
        planned.append(PlannedNotice(task=task, due_on=alarm.starts_on, state=state))
    return planned


def _build_alert_task(
    stage_alerts: StageAlerts, alert: OverdueAlert, owed_by: datetime, referral: Referral, *, skipped_level_missed: bool
) -> OutboxTask:
    """What is told of an alarm. Its id and its time are the same however often it is tried."""
    return OutboxTask(
        outbox_id=derive_id("out", alert.level, referral.referral_id, stage_alerts.stage_visit),
        referral_id=referral.referral_id,
        rule=alert.level,
        queue=TaskQueue.CLOCK,
        due_at=max(alert.at, owed_by),
        due_on=stage_alerts.late_since,
        side=stage_alerts.waiting_for,
        stage=stage_alerts.stage,
        skipped_level_missed=skipped_level_missed,
    )
