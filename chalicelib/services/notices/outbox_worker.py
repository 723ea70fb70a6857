"""Process the outbox tasks that are due: notify people, and report the events of the product itself.

Two things start it. The stream of the outbox table names the tasks that were just committed, and they
are processed at once. Scheduled jobs process every due task, so they find what the stream missed or
left for later, and what was planned for a day. Both claim a task with a lease, run it, and mark it. If
a run crashes in between, its lease ends and the next job takes over. Running a task again, or twice
at once, changes nothing.

A run also sends the emails of its notices if they are due (`services.notices.send_mail`). A task that
fails too often becomes a failed task (dead letter).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from chalicelib.domain.notices.coverage_schedule import COVERAGE_DATE_PASSED_RULE
from chalicelib.domain.notices.document_notices import DOCUMENT_WORK_RULES
from chalicelib.domain.notices.tasks import (
    ASK_PAYER_RULE,
    EXPIRE_PARKED_RULE,
    OPEN_MONITORING_RULE,
    OutboxTask,
    TaskQueue,
)
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource, StageChange
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import UnavailableError
from chalicelib.observe import log
from chalicelib.services.coverage.ask_payer import ask_payer
from chalicelib.services.coverage.moves import record_elapsed_dates
from chalicelib.services.documents.file_tasks import run_file_task
from chalicelib.services.notices.care_detail import with_care_detail
from chalicelib.services.notices.newer_tasks import NewerTasks
from chalicelib.services.notices.notify import notify_recipients
from chalicelib.services.notices.overdue_alerts import send_overdue_alert
from chalicelib.services.notices.planned_tasks import skip_if_obsolete, with_lateness
from chalicelib.services.notices.retry_policy import describe_outage, fail_if_exhausted, reschedule_or_fail
from chalicelib.services.notices.send_mail import MailSender
from chalicelib.services.notices.weekly_digest import notify_weekly_digest
from chalicelib.services.platform.run_context import CLOCK_SKEW, JobContext, RunContext
from chalicelib.services.platform.threads import group_by_key, run_at_once
from chalicelib.services.referrals.apply_parked import apply_parked
from chalicelib.services.referrals.report_event import report_by_system
from chalicelib.services.webhooks.deliveries import expire_parked_delivery
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import from_timestamp

ROWS_PER_SHARD = 10
"""How many tasks of a shard are read at once, for each thread of the run."""

MAX_BATCHES = 1000
"""How many times a run reads more tasks before it leaves the rest to the next run. Its time ends earlier: this
only ends a run without a time limit."""


class JobFailedError(Exception):
    """Some tasks failed and wait for another attempt, so the run must be reported as failed."""


def run_job(queue: TaskQueue, *, context: JobContext) -> Mapping[str, int]:
    """Process a queue, log the result, and fail at the end if any task failed.

    Raises:
        JobFailedError: at least one task failed; all others are done.
    """
    counts = process_queue(queue, context=context)
    log.info("job", function=queue.value, counts=dict(counts))
    if counts["failed"]:
        raise JobFailedError(f"{counts['failed']} tasks failed")
    if counts.get("newer"):
        raise JobFailedError(f"{counts['newer']} tasks can only be read by a newer release, which the log names")
    return counts


def process_queue(queue: TaskQueue, *, context: JobContext) -> Mapping[str, int]:
    """Process every task of a queue that is due at `now`, and send the emails that are due then.

    A task that fails is tried again later and does not delay the others.

    Args:
        queue: The queue to process.
        context: Its `now` decides what is due. A real run passes the current time; a simulation may
            pass any time. Its `shards` and `threads` say which part of the queue this run processes, and
            how many tasks at once.

    Returns:
        How many tasks were `done` or `skipped`, how often one `failed` or was `taken` by another run,
        how many became failed tasks (`parked`), and how many `mails` were sent. A skipped email is
        `unsent`. A failed task that the table did not let us claim or mark is also `unreachable`. `newer` tasks and
        emails wait for the release that wrote them.
    """
    newer = NewerTasks(context.stores.outbox)
    counts = _zero_counts()
    if queue is not TaskQueue.MAIL:
        counts.update(_process_due_tasks(queue, newer=newer, context=context))
    counts.update(MailSender(context, newer).send_due())
    return dict(counts) | newer.count()


def _process_due_tasks(queue: TaskQueue, *, newer: NewerTasks, context: JobContext) -> Counter[str]:
    attempt = partial(_attempt_task, context=context, new_mail_ids=[])
    counts: Counter[str] = Counter()
    limit = ROWS_PER_SHARD * context.threads
    for _ in range(MAX_BATCHES):
        due = context.stores.outbox.list_due(queue, by=context.now, limit=limit, shards=context.shards)
        rows = newer.set_aside(due)
        batch_counts = _attempt_each(rows, attempt, context=context)
        counts.update(batch_counts)
        if batch_counts["taken"] + batch_counts["unreachable"] == len(rows) or not context.has_time():
            break
    return counts


def process_committed(outbox_ids: Iterable[str], *, context: JobContext) -> Mapping[str, int]:
    """Process tasks that were just committed, if they are due and no run has them, and send their emails.

    The rows are read again, so it does not matter how old the ids are, in which order they arrive, or
    how often. A task that fails is left to the scheduled job, and nothing is raised for it, because
    later records of the stream must not wait.
    """
    committed_ids = list(outbox_ids)
    new_mail_ids: list[str] = []
    attempt = partial(_attempt_task, context=context, new_mail_ids=new_mail_ids)
    newer = NewerTasks(context.stores.outbox)
    counts = _zero_counts()
    rows = _list_due_now(committed_ids, TaskQueue.EVENT, newer=newer, context=context)
    counts.update(_attempt_each(rows, attempt, context=context))
    mails = _list_due_now([*committed_ids, *new_mail_ids], TaskQueue.MAIL, newer=newer, context=context)
    counts.update(MailSender(context, newer).send(mails))
    counts.update(newer.count())
    if rows or mails:
        log.info("stream", counts=dict(counts))
    return dict(counts)


def _list_due_now(outbox_ids: Iterable[str], queue: TaskQueue, *, newer: NewerTasks, context: RunContext) -> list[Item]:
    return [
        row
        for row in newer.set_aside(context.stores.outbox.list_unfinished(outbox_ids, queue=queue))
        if from_timestamp(row["due_at"]) <= (context.now if "fence" in row else context.now + CLOCK_SKEW)
    ]


def _zero_counts() -> Counter[str]:
    return Counter(done=0, skipped=0, parked=0, failed=0, taken=0, mails=0)


def _attempt_each(
    rows: Iterable[Item], attempt: Callable[[Item], Mapping[str, int]], *, context: JobContext
) -> Counter[str]:
    """Attempt each task. Tasks of one referral are attempted one after the other, the oldest first."""
    groups = group_by_key(sorted(rows, key=_get_due_time), _get_order_key)
    counts: Counter[str] = Counter()
    for group_counts in run_at_once(
        [partial(_attempt_in_order, group, attempt, context.has_time) for group in groups], threads=context.threads
    ):
        counts.update(group_counts)
    return counts


def _attempt_in_order(
    rows: Iterable[Item], attempt: Callable[[Item], Mapping[str, int]], has_time: Callable[[], bool]
) -> Counter[str]:
    counts: Counter[str] = Counter()
    for row in rows:
        if not has_time():
            break
        # Claim one by one, so that a lease starts with the work and a run leaves no claimed task behind.
        counts.update(attempt(row))
    return counts


def _get_due_time(row: Item) -> str:
    return str(row["due_at"])


def _get_order_key(row: Item) -> str:
    """What a task is about: a referral, or for the task of a member only the task itself."""
    return str(row.get("referral_id") or row["outbox_id"])


def _attempt_task(row: Item, *, context: JobContext, new_mail_ids: list[str]) -> Mapping[str, int]:
    """Run one task if no run has it. Adds the ids of the emails that it plans to `new_mail_ids`."""
    try:
        claim = context.stores.outbox.claim(row, now=context.now)
        return {"taken": 1} if claim is None else _attempt_claimed(claim, context=context, new_mail_ids=new_mail_ids)
    except UnavailableError as e:
        # The claim, or the mark after a failure. A claim that was written ends with its lease.
        log.warning("task not reached", outbox_id=row["outbox_id"], error=describe_outage(e))
        return {"failed": 1, "unreachable": 1}


def _attempt_claimed(claim: Claim, *, context: JobContext, new_mail_ids: list[str]) -> Mapping[str, int]:
    try:
        state, mail_ids = _run_task(claim, context=context)
    except UnavailableError as e:
        log.warning("task must wait", outbox_id=claim.outbox_id, error=describe_outage(e))
        context.stores.outbox.release(claim, now=context.now)
        return {"failed": 1}
    except Exception as e:  # noqa: BLE001 one task must not delay the others; it is logged and tried again
        return reschedule_or_fail(claim, e, context=context)
    new_mail_ids += mail_ids
    return {state.value: 1}


def _run_task(claim: Claim, *, context: JobContext) -> tuple[TaskState, Sequence[str]]:
    """Run a task and mark it as finished. A repeating task is scheduled for its next time instead."""
    fail_if_exhausted(claim)
    if claim.task.queue is TaskQueue.OVERDUE:
        return send_overdue_alert(claim, notify=partial(notify_recipients, context=context), context=context)
    if claim.task.queue is TaskQueue.DIGEST:
        return notify_weekly_digest(claim, context=context)
    return _run_event_task(claim, context=context)


def _run_event_task(claim: Claim, *, context: JobContext) -> tuple[TaskState, Sequence[str]]:
    """Run a task and mark it. Return its new state and the ids of the emails that it planned."""
    task = claim.task
    mail_ids: Sequence[str] = ()
    if task.rule == EXPIRE_PARKED_RULE:
        is_done = _expire_parked(task, context=context)
    elif task.rule in DOCUMENT_WORK_RULES:
        is_done = run_file_task(task, context=context)
    else:
        referral = skip_if_obsolete(claim, context=context)
        if referral is None:
            return TaskState.SKIPPED, ()
        if task.rule == ASK_PAYER_RULE:
            is_done = ask_payer(task, context=context)
        elif task.rule == COVERAGE_DATE_PASSED_RULE:
            is_done = record_elapsed_dates(task.referral_id, context=context)
        elif task.rule == OPEN_MONITORING_RULE:
            stage_change = _build_monitoring_start(task, referral, context.now)
            is_done = report_by_system(stage_change, context=context)
        else:
            is_done = True
            mail_ids = _notify(task, referral, context=context)
    state = TaskState.DONE if is_done else TaskState.SKIPPED
    context.stores.outbox.finish(claim, state, now=context.now)
    return state, mail_ids


def _expire_parked(task: OutboxTask, *, context: RunContext) -> bool:
    center_id, _, webhook_id = (task.event_id or "").partition("/")
    return expire_parked_delivery(center_id, webhook_id, context=context)


def _notify(task: OutboxTask, referral: Referral, *, context: RunContext) -> Sequence[str]:
    if task.queue is TaskQueue.EVENT:
        # If a run crashed after a commit and before it applied the parked events, they are applied here.
        apply_parked(task.referral_id, context=context)
        task = with_care_detail(task, referral, context=context)
    return notify_recipients(with_lateness(task, referral, context=context), referral, context=context)


def _build_monitoring_start(task: OutboxTask, referral: Referral, now: datetime) -> StageChange:
    """Build the stage change to monitoring, one second after the infusion.

    Its time depends on the infusion and not on this run, so everything that the center reports later
    is later, even if this run is simulated for a future day.
    """
    return StageChange(
        event_id=derive_id("evt", task.outbox_id),
        referral_id=referral.referral_id,
        stage=Stage.MONITORING,
        occurred_at=referral.stage_entered_at[Stage.INFUSED] + timedelta(seconds=1),
        recorded_at=now,
        actor=Actor.SYSTEM,
        source=EventSource.SYSTEM,
        actor_id="system",
        actor_name="CAR T Referral Dashboard",
    )
