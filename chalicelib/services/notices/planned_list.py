"""What is planned for a referral, what was told, and what was left out and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.notice_rules import Task, told_by
from chalicelib.domain.notices.planning import WhyNot, day_of, plan_of, why_not
from chalicelib.domain.referrals.referral import Referral
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.planned_tasks import Fate, fates


class NoticeState(StrEnum):
    """How far a planned notice is."""

    PLANNED = "planned"
    SKIPPED = "skipped"
    TOLD = "told"
    PARKED = "parked"
    """It failed too often, and waits for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNotice:
    """A notice of the plan, or of a clock ahead, as it stands.

    Attributes:
        task: What tells it.
        due_on: Its day where it counts: at the center, or of a clock where the next move is owed.
        why: Why it was skipped, or would be if its day were today.
    """

    task: Task
    due_on: date
    state: NoticeState
    why: str | None = None

    @property
    def rule(self) -> str:
        """What it is about."""
        return self.task.rule

    @property
    def sides(self) -> tuple[TenantKind, ...]:
        """Who gets it."""
        return tuple(sorted({side for side, _ in told_by(self.task)}, reverse=True))


_TOLD = {TaskState.DONE: NoticeState.TOLD, TaskState.PARKED: NoticeState.PARKED}


def planned_notices(referral: Referral, *, stores: Stores) -> Sequence[PlannedNotice]:
    """Every notice of a referral's plan, earliest first; none before the infusion."""
    tasks = sorted(plan_of(referral), key=lambda task: task.due_at)
    known = fates(stores.outbox, [task.outbox_id for task in tasks]) if tasks else {}
    return [_notice(task, known.get(task.outbox_id), referral) for task in tasks]


def _notice(task: Task, fate: Fate | None, referral: Referral) -> PlannedNotice:
    state, why = _standing(task, fate, referral)
    return PlannedNotice(task=task, due_on=day_of(task), state=state, why=why)


def _standing(task: Task, fate: Fate | None, referral: Referral) -> tuple[NoticeState, str | None]:
    """The state of a notice, and for one that still waits what would become of it today."""
    if fate is None:
        # Past when the plan was made: of each line only the last was planned then.
        return NoticeState.SKIPPED, WhyNot.OVERTAKEN
    if fate.state is TaskState.SKIPPED:
        return NoticeState.SKIPPED, fate.why
    if fate.state is not TaskState.PLANNED:
        return _TOLD[fate.state], None
    why = why_not(task, referral)
    # A hold ends, and what is still ahead then goes on.
    is_off = why not in {None, WhyNot.ON_HOLD}
    return (NoticeState.SKIPPED if is_off else NoticeState.PLANNED), why
