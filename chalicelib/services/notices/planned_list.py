"""The planned notices of a referral: which are scheduled, sent or skipped, and why."""

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
    """The state of a planned notice. The API shows these values; `told` means sent, `parked` means failed."""

    SCHEDULED = "planned"
    SKIPPED = "skipped"
    SENT = "told"
    FAILED = "parked"
    """Its task failed too often and waits for the operator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNotice:
    """A planned notice or an upcoming overdue alert.

    Attributes:
        task: The task that sends it.
        due_on: Its day at the center; of an overdue alert, its day at the side that must act next.
        state: Its state.
        skip_reason: Why it was skipped, or would be skipped if it were due today.
    """

    task: OutboxTask
    due_on: date
    state: NoticeState
    skip_reason: str | None = None

    @property
    def rule(self) -> str:
        """The notice rule."""
        return self.task.rule

    @property
    def sides(self) -> tuple[TenantKind, ...]:
        """The sides that get it."""
        return tuple(sorted({side for side, _ in list_notice_rules(self.task)}, reverse=True))


_STATE_BY_TASK_STATE = {TaskState.DONE: NoticeState.SENT, TaskState.FAILED: NoticeState.FAILED}


def list_planned_notices(referral: Referral, *, stores: Stores) -> Sequence[PlannedNotice]:
    """List every notice of a referral's plan, earliest first. There is none before the infusion."""
    tasks = sorted(build_plan(referral), key=lambda task: task.due_at)
    outcomes = load_task_outcomes(stores.outbox, [task.outbox_id for task in tasks]) if tasks else {}
    return [_build_planned_notice(task, outcomes.get(task.outbox_id), referral) for task in tasks]


def _build_planned_notice(task: OutboxTask, outcome: TaskOutcome | None, referral: Referral) -> PlannedNotice:
    state, skip_reason = _compute_state(task, outcome, referral)
    return PlannedNotice(task=task, due_on=get_local_day(task), state=state, skip_reason=skip_reason)


def _compute_state(task: OutboxTask, outcome: TaskOutcome | None, referral: Referral) -> tuple[NoticeState, str | None]:
    """Compute the state of a notice, and for a waiting one the reason why it would be skipped today."""
    if outcome is None:
        # Its day had passed when the plan was made. Of each series only the last notice was planned then.
        return NoticeState.SKIPPED, SkipReason.OVERTAKEN
    if outcome.state is TaskState.SKIPPED:
        return NoticeState.SKIPPED, outcome.skip_reason
    if outcome.state is not TaskState.PLANNED:
        return _STATE_BY_TASK_STATE[outcome.state], None
    skip_reason = find_skip_reason(task, referral)
    # A hold ends, and notices that are due after that are sent.
    is_skipped = skip_reason not in {None, SkipReason.ON_HOLD}
    return (NoticeState.SKIPPED if is_skipped else NoticeState.SCHEDULED), skip_reason
