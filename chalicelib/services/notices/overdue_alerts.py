"""Alarms of clocks: set as a referral changes, told when they ring.

Whatever changes a referral sets its one row of the outbox to the next alarm, in the same
transaction. The row only says when to look: what is told is computed from the referral as it
stands then, so a limit that was changed since, or a run that comes days late, tells what is true.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.notice_rules import Lane, Task
from chalicelib.domain.notices.overdue_alerts import (
    Alarm,
    Alarms,
    Rung,
    alarms_of,
    keeps_its_alarms,
    owing,
)
from chalicelib.domain.referrals.events import derived_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.notices.planned_list import NoticeState, PlannedNotice
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.overdue_alerts import told_of
from chalicelib.store.platform.dynamo import Write
from chalicelib.store.platform.timestamps import parsed

Tell = Callable[[Task, Referral], Sequence[str]]
"""Tells everybody who has to know of a task; hands back the ids of the mails that it planned."""


def alarm_writes(before: Referral | None, after: Referral, *, stores: Stores) -> Sequence[Write]:
    """The write that a change of a referral adds to its transaction; none if no alarm moves."""
    if keeps_its_alarms(before, after):
        return ()
    alarms = _alarms(after, stores=stores)
    instants = [alarm.at for alarm in alarms.each] if alarms else []
    return [stores.alarms.setting(after.referral_id, instants, now=after.updated_at)]


def ring(
    claim: Claim, *, tell: Tell, stores: Stores, now: datetime
) -> tuple[TaskState, Sequence[str]]:
    """Tell of the level that a referral's clock has come to, once, and wait for the next one.

    After a long outage only the highest level is told: it says since when.
    """
    task, told = claim.task, told_of(claim.row)
    referral = stores.referrals.get(task.referral_id)
    alarms = _alarms(referral, stores=stores) if referral else None
    due = alarms.due(now, told) if alarms else None
    mail_ids: Sequence[str] = ()
    if referral and alarms and due:
        unheard = alarms.skips_one(due, told)
        mail_ids = tell(_task_of(alarms, due, task.due_at, referral, unheard=unheard), referral)
        told = Rung(alarms.stay, due.level)
    next_at = alarms.ahead(now) if alarms else None
    stores.alarms.move_on(claim, told=told, next_at=next_at)
    return (TaskState.DONE if due else TaskState.SKIPPED), mail_ids


def alarms_to_come(referral: Referral, *, stores: Stores, now: datetime) -> Sequence[PlannedNotice]:
    """What a referral's clock tells if nobody moves it, earliest first.

    A row that is parked tells nothing until it is put back, and one that is off the index nothing.
    """
    alarms = _alarms(referral, stores=stores)
    row = stores.alarms.get(referral.referral_id) if alarms else None
    if alarms is None or row is None or row["state"] == TaskState.DONE:
        return ()
    told, set_for = told_of(row), parsed(row["planned_for"])
    is_parked = row["state"] == TaskState.PARKED
    state = NoticeState.PARKED if is_parked else NoticeState.PLANNED
    planned = []
    for alarm in alarms.to_come(now, told):
        is_due = alarm.at <= now
        if is_parked and not is_due:
            break
        unheard = is_due and alarms.skips_one(alarm, told)
        task = _task_of(alarms, alarm, set_for, referral, unheard=unheard)
        planned.append(PlannedNotice(task=task, due_on=alarm.on, state=state))
    return planned


def _alarms(referral: Referral, *, stores: Stores) -> Alarms | None:
    """The alarms of a referral by the calendar of whoever owes its next move."""
    side = owing(referral)
    if side is None:
        return None
    tenant_id = referral.practice_id if side is TenantKind.PRACTICE else referral.center_id
    tenant = stores.tenants.known(side, tenant_id) if tenant_id else None
    return alarms_of(referral, tenant.time_zone if tenant else "UTC")


def _task_of(
    alarms: Alarms, alarm: Alarm, set_for: datetime, referral: Referral, *, unheard: bool
) -> Task:
    """What is told of an alarm. Its id and its time are the same however often it is tried."""
    return Task(
        outbox_id=derived_id("out", alarm.level, referral.referral_id, alarms.stay),
        referral_id=referral.referral_id,
        rule=alarm.level,
        lane=Lane.CLOCK,
        due_at=max(alarm.at, set_for),
        due_on=alarms.since,
        side=alarms.side,
        stage=alarms.stage,
        unheard=unheard,
    )
