"""What is planned for a referral, what was told, and what was left out and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.notices.notice_wording import list_notice_rules
from chalicelib.domain.notices.planning import SkipReason, build_plan, find_skip_reason, get_local_day
from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.domain.referrals.referral import Referral
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.planned_tasks import TaskOutcome, load_task_outcomes


class NoticeState(StrEnum):
    """How far a planned notice is."""

    SCHEDULED = "planned"
    SKIPPED = "skipped"
    SENT = "told"
    FAILED = "parked"
    """It failed too often, and waits for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNotice:
    """A notice of the plan, or of a clock ahead, as it stands.

    Attributes:
        task: What tells it.
        due_on: Its day where it counts: at the center, or of a clock where the next move is owed.
        why: Why it was skipped, or would be if its day were today.
    """

    task: OutboxTask
    due_on: date
    state: NoticeState
    skip_reason: str | None = None

    @property
    def rule(self) -> str:
        """What it is about."""
        return self.task.rule

    @property
    def sides(self) -> tuple[TenantKind, ...]:
        """Who gets it."""
        return tuple(sorted({side for side, _ in list_notice_rules(self.task)}, reverse=True))


_STATE_BY_TASK_STATE = {TaskState.DONE: NoticeState.SENT, TaskState.FAILED: NoticeState.FAILED}


def list_planned_notices(referral: Referral, *, stores: Stores) -> Sequence[PlannedNotice]:
    """Every notice of a referral's plan, earliest first; none before the infusion."""
    tasks = sorted(build_plan(referral), key=lambda task: task.due_at)
    known = load_task_outcomes(stores.outbox, [task.outbox_id for task in tasks]) if tasks else {}
    return [_build_planned_notice(task, known.get(task.outbox_id), referral) for task in tasks]


def _build_planned_notice(task: OutboxTask, outcome: TaskOutcome | None, referral: Referral) -> PlannedNotice:
    state, why = _compute_state(task, outcome, referral)
    return PlannedNotice(task=task, due_on=get_local_day(task), state=state, skip_reason=why)


def _compute_state(task: OutboxTask, outcome: TaskOutcome | None, referral: Referral) -> tuple[NoticeState, str | None]:
    """The state of a notice, and for one that still waits what would become of it today."""
    if outcome is None:
        # Past when the plan was made: of each line only the last was planned then.
        return NoticeState.SKIPPED, SkipReason.OVERTAKEN
    if outcome.state is TaskState.SKIPPED:
        return NoticeState.SKIPPED, outcome.skip_reason
    if outcome.state is not TaskState.PLANNED:
        return _STATE_BY_TASK_STATE[outcome.state], None
    why = find_skip_reason(task, referral)
    # A hold ends, and what is still ahead then goes on.
    is_off = why not in {None, SkipReason.ON_HOLD}
    return (NoticeState.SKIPPED if is_off else NoticeState.SCHEDULED), why
