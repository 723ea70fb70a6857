"""What follows an attempt of an electronic benefits check: its result, a retry, or the end of the check.

Each commit has what was exchanged, the check, and the next task or the move of the coverage. If another writer is
faster, it is decided again with the new state.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.coverage.checks import (
    CheckState,
    CoverageCheck,
    build_result_facts,
    compute_next_try,
    describe_end,
    limit_rows,
)
from chalicelib.domain.coverage.decide import Moved, build_filed_change, decide_move, is_possible
from chalicelib.domain.coverage.moves import MoveName, Party
from chalicelib.domain.coverage.reading import AnswerReading, ReadingState
from chalicelib.domain.coverage.rows import AttemptFailure, Exchange, FailureKind
from chalicelib.domain.coverage.track import CoverageTrack
from chalicelib.domain.notices.coverage_notices import CHECK_FAILED_RULE
from chalicelib.domain.notices.tasks import OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.coverage_status import VerificationState
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.services.coverage.checks import build_attempt_task
from chalicelib.services.coverage.moves import commit_move, get_action
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import JobContext
from chalicelib.services.referrals.coverage_writes import (
    PAYER_WRITER,
    build_mover,
    prepare_coverage_writes,
    with_coverage,
)
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.coverage.checks import CHECK_WRITE, LOCK_WRITE
from chalicelib.store.notices.outbox import parse_existing_tasks
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError

_ENDED = "coverage.check_ended"
_WAITING = "The payer does not respond at the moment. We keep trying."

REPLACED, CLOSED, NO_CONSENT = "replaced", "referral_closed", "no_consent"
_ENDS_WITHOUT_NOTICE = frozenset({REPLACED, CLOSED, NO_CONSENT})
"""After these no one has to call the payer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What one attempt brought: the exchanges, and either a reading of the answers or a failure."""

    exchanges: Sequence[Exchange]
    reading: AnswerReading | None = None
    failure: AttemptFailure | None = None


def conclude_attempt(referral: Referral, check: CoverageCheck, attempt: Attempt, *, context: JobContext) -> bool:
    """Decide what an attempt means, and commit it."""
    failure, reading = attempt.failure, attempt.reading
    if failure:
        if failure.kind is FailureKind.RETRY:
            return _retry(referral, check, attempt, failure.reason, failure.sentence, context=context)
        return end_check(referral, check, attempt, reason=failure.reason, message=failure.sentence, context=context)
    if reading is None:
        raise TypeError("an attempt without a failure has a reading")
    if reading.state is ReadingState.ASK_AGAIN:
        return _retry(referral, check, attempt, "payer_busy", describe_end(reading), context=context)
    if reading.state is ReadingState.ASK_AGAIN_TODAY:
        check = replace(check, date_retried=True)
        return _retry(referral, check, attempt, "other_date", describe_end(reading), context=context)
    if reading.state is not ReadingState.COMPLETED:
        message = describe_end(reading)
        return end_check(referral, check, attempt, reason=str(reading.state), message=message, context=context)
    return end_check(referral, check, attempt, reason=None, message=None, context=context)


def plan_later(referral: Referral, check: CoverageCheck, until: datetime, *, context: JobContext) -> bool:
    """Plan the attempt for later. The payer was not asked, so it does not count."""
    later = replace(
        check, version=check.version + 1, next_try_at=until, waits_for_payer=True, message=_WAITING, reason="waiting"
    )
    return _commit_open(referral, later, (), context=context)


def _retry(
    referral: Referral, check: CoverageCheck, attempt: Attempt, reason: str, message: str, *, context: JobContext
) -> bool:
    next_try = compute_next_try(check, now=context.now)
    later = replace(
        check,
        version=check.version + 1,
        attempts=check.attempts + 1,
        next_try_at=next_try,
        waits_for_payer=False,
        reason=reason,
        message=message,
    )
    return _commit_open(referral, later, attempt.exchanges, context=context)


def _commit_open(
    referral: Referral, check: CoverageCheck, exchanges: Sequence[Exchange], *, context: JobContext
) -> bool:
    """Commit an attempt without an answer, with the next one. The first that was sent moves the coverage on."""
    task = build_attempt_task(referral.referral_id, check, due_at=check.next_try_at or context.now)
    writes = [
        context.stores.coverage_checks.prepare_save(referral.referral_id, check, scope=referral.practice_id),
        *_prepare_exchanges(referral, check, exchanges, context=context),
        context.stores.outbox.prepare_plan(task),
    ]
    was_sent = any(exchange.sent for exchange in exchanges)
    existing_tasks: dict[str, str] = {}

    def commit() -> bool:
        current = context.stores.referrals.get(referral.referral_id)
        started = _decide_started(check, current, context=context) if current and was_sent else None
        try:
            if current and started:
                entry = _build_audit_entry(current, get_action(MoveName.VERIFICATION_STARTED), context=context)
                commit_move(
                    current, started, PAYER_WRITER, entry, *writes, existing_tasks=existing_tasks, context=context
                )
            else:
                context.stores.transactions.commit(*writes)
        except ConditionFailedError as e:
            if CHECK_WRITE in e.items:
                # Another run made the same attempt, and its result counts.
                return False
            raise
        return True

    return commit_with_retry(commit)


def _decide_started(check: CoverageCheck, referral: Referral, *, context: JobContext) -> Moved | None:
    """Decide that the payer was asked; None if the coverage already says so, or no longer waits for this check."""
    track = context.stores.coverage_tracks.get(referral.referral_id, scope=referral.practice_id)
    is_awaited = track.plan_version == check.plan_version and is_possible(MoveName.VERIFICATION_STARTED, track)
    if referral.stage in TERMINAL_STAGES or not is_awaited:
        return None
    mover = build_mover(Party.PAYER, check.payer_name, referral, context=context, member_id=None)
    return decide_move(track, MoveName.VERIFICATION_STARTED, {"how": "electronic"}, mover)


def _build_audit_entry(referral: Referral, action: str, *, context: JobContext) -> AuditEntry:
    return AuditEntry(
        referral_id=referral.referral_id,
        at=context.now,
        actor_id=PAYER_WRITER.actor_id,
        tenant_id=PAYER_WRITER.tenant_id,
        action=action,
        version=referral.version,
    )


def _prepare_exchanges(
    referral: Referral, check: CoverageCheck, exchanges: Sequence[Exchange], *, context: JobContext
) -> Sequence[TransactionWrite]:
    return [
        context.stores.coverage_checks.prepare_add_exchange(
            referral.referral_id,
            check.check_id,
            attempt=check.version,
            number=number,
            sent=exchange.sent,
            received=exchange.received,
            scope=referral.practice_id,
        )
        for number, exchange in enumerate(exchanges)
    ]


def end_check(
    referral: Referral,
    check: CoverageCheck,
    attempt: Attempt,
    *,
    reason: str | None,
    message: str | None,
    context: JobContext,
) -> bool:
    """End a check and apply what the payer said. If another writer is faster, decide again with the new state."""
    is_completed = reason is None
    ended = replace(
        check,
        version=check.version + 1,
        attempts=check.attempts + bool(attempt.exchanges),
        state=CheckState.COMPLETED if is_completed else CheckState.FAILED,
        next_try_at=None,
        ended_at=context.now,
        reading=limit_rows(attempt.reading) if attempt.reading else None,
        reason=reason,
        message=message,
        waits_for_payer=False,
    )
    existing_tasks: dict[str, str] = {}
    is_locked = True

    def commit() -> bool:
        nonlocal is_locked
        current = context.stores.referrals.get(referral.referral_id)
        if current is None:
            return False
        track = context.stores.coverage_tracks.get(current.referral_id, scope=current.practice_id)
        moved = _decide(ended, track, current, context=context)
        filed = bool(moved and moved.changes[0].filed_only)
        writes = _prepare_end(
            current, replace(ended, filed=filed), moved, attempt, existing_tasks, is_locked=is_locked, context=context
        )
        try:
            context.stores.transactions.commit(*writes)
        except ConditionFailedError as e:
            if CHECK_WRITE in e.items:
                # Another run ended it.
                return False
            is_locked = is_locked and LOCK_WRITE not in e.items
            existing_tasks.update(parse_existing_tasks(e.items))
            raise
        return True

    return commit_with_retry(commit)


def _decide(check: CoverageCheck, track: CoverageTrack, referral: Referral, *, context: JobContext) -> Moved | None:
    """Decide what an ended check does to the coverage; None if nothing."""
    mover = build_mover(Party.PAYER, check.payer_name, referral, context=context, member_id=None)
    facts = check.reading.facts if check.reading else None
    # Also while the referral is closed: if it is opened again, no one must wait for a payer that no one asks.
    if facts:
        entered = dict(build_result_facts(check.check_id, facts))
        if track.plan_version != check.plan_version:
            filed = build_filed_change(entered, mover, plan_version=check.plan_version)
            return Moved(track=replace(track, version=track.version + 1), changes=[filed])
        if entered.get("valid_until", mover.today.isoformat()) < mover.today.isoformat():
            del entered["valid_until"]
        return decide_move(track, MoveName.RESULT_RECORDED, entered, mover, answered=facts)
    is_awaited = track.status.verification in {VerificationState.REQUESTED, VerificationState.VERIFYING}
    if track.plan_version != check.plan_version or not is_awaited:
        return None
    unable = {"how": "electronic", "outcome": "unable_to_verify", "check_id": check.check_id}
    return decide_move(track, MoveName.RESULT_RECORDED, unable, mover)


def _prepare_end(
    referral: Referral,
    check: CoverageCheck,
    moved: Moved | None,
    attempt: Attempt,
    existing_tasks: dict[str, str],
    *,
    is_locked: bool,
    context: JobContext,
) -> Sequence[TransactionWrite]:
    stores, referral_id = context.stores, referral.referral_id
    changed = replace(referral, updated_at=context.now, version=referral.version + 1)
    is_closed = referral.stage in TERMINAL_STAGES
    writes: list[TransactionWrite] = []
    if moved:
        changed = with_coverage(referral, moved, context=context)
        writes += prepare_coverage_writes(referral, moved, PAYER_WRITER, context=context, existing_tasks=existing_tasks)
    if check.state is CheckState.FAILED and check.reason not in _ENDS_WITHOUT_NOTICE and not is_closed:
        writes.append(stores.outbox.prepare_plan(_build_failed_task(referral_id, check, now=context.now)))
    if is_locked:
        writes.append(
            stores.coverage_checks.prepare_unlock(referral_id, check.payer_id, check.check_id, now=context.now)
        )
    return [
        *stores.referrals.prepare_save(changed, _build_audit_entry(changed, _ENDED, context=context)),
        stores.coverage_checks.prepare_save(referral_id, check, scope=referral.practice_id),
        *_prepare_exchanges(referral, check, attempt.exchanges, context=context),
        *writes,
    ]


def _build_failed_task(referral_id: str, check: CoverageCheck, *, now: datetime) -> OutboxTask:
    return OutboxTask(
        outbox_id=derive_id("out", CHECK_FAILED_RULE, check.check_id),
        referral_id=referral_id,
        rule=CHECK_FAILED_RULE,
        queue=TaskQueue.EVENT,
        due_at=now,
        event_id=check.check_id,
    )
