"""One attempt of an electronic benefits check: ask the payer, keep what was exchanged, and apply or plan the next.

Each attempt is a task of its own. What it learns and the next task are committed in one transaction. A run that
crashes before that repeats the attempt, which is safe: a question changes nothing at the payer.
"""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.coverage.checks import (
    MESSAGES_BY_END,
    CheckState,
    CoverageCheck,
)
from chalicelib.domain.coverage.payers import AttemptIds, PayerConnection, PayerSetup
from chalicelib.domain.coverage.question import BenefitsQuestion, split_by_service_type
from chalicelib.domain.coverage.read_answers import read_answers
from chalicelib.domain.coverage.reading import ReadingState
from chalicelib.domain.coverage.rows import AttemptFailure, Exchange, FailureKind, PayerAnswer
from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.domain.platform.rate_limit import RateLimit
from chalicelib.domain.referrals.consent import has_basis
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.errors import UnavailableError
from chalicelib.observe import log
from chalicelib.services.coverage.attempt_results import (
    CLOSED,
    NO_CONSENT,
    REPLACED,
    Attempt,
    conclude_attempt,
    end_check,
    plan_later,
)
from chalicelib.services.platform.run_context import JobContext
from chalicelib.services.referrals.consent_checks import get_practice_day
from chalicelib.settings import SettingsError


def ask_payer(task: OutboxTask, *, context: JobContext) -> bool:
    """Run the attempt that a task names. False if it is not needed any more."""
    check_id, _, version = (task.event_id or "").partition("/")
    referral = context.stores.referrals.get(task.referral_id)
    if referral is None:
        return False
    check = context.stores.coverage_checks.get(task.referral_id, check_id, scope=referral.practice_id)
    if check is None or check.state is not CheckState.REQUESTED or str(check.version) != version:
        return False
    try:
        payers = context.payers.list_payers()
    except SettingsError:
        log.error("payers are not configured correctly", referral_id=task.referral_id)
        if context.now < check.gives_up_at:
            attempt = Attempt(exchanges=(), failure=_NOT_CONFIGURED)
            return conclude_attempt(referral, check, attempt, context=context)
        payers = ()
    payer = next((each for each in payers if each.payer_id == check.payer_id), None)
    reason, message = _find_reason_to_end(referral, check, payer, context=context)
    if payer is None or reason:
        return end_check(referral, check, Attempt(exchanges=()), reason=reason, message=message, context=context)
    pause = _find_pause(payer, context=context)
    if pause:
        return plan_later(referral, check, pause, context=context)
    return _attempt(referral, check, payer, context=context)


def _find_reason_to_end(
    referral: Referral, check: CoverageCheck, payer: PayerSetup | None, *, context: JobContext
) -> tuple[str, str]:
    """Find why a check ends without another attempt, with a sentence for people; empty if it goes on."""
    if referral.stage in TERMINAL_STAGES:
        return CLOSED, "The referral was closed."
    # The lease does not count here: while no newer check took the lock, this one is still the only one.
    holder = context.stores.coverage_checks.find_last_lock_holder(referral.referral_id, check.payer_id)
    if holder != check.check_id:
        return REPLACED, "A newer check replaced this one."
    if not has_basis(referral.details.get("consent_to_share")):
        return NO_CONSENT, "The consent to share records was withdrawn, so the payer was not asked."
    if context.now >= check.gives_up_at:
        return "no_answer", MESSAGES_BY_END[ReadingState.ASK_AGAIN]
    if payer is None:
        return "payer_not_set_up", MESSAGES_BY_END[ReadingState.NEEDS_SET_UP]
    return "", ""


def _find_pause(payer: PayerSetup, *, context: JobContext) -> datetime | None:
    """Find until when the payer must not be asked: it does not respond, or was asked too often this second."""
    pause = context.stores.payer_states.find_pause(payer.payer_id, now=context.now)
    if pause:
        return pause
    limit = RateLimit(burst=payer.max_per_second, per_second=payer.max_per_second)
    seconds = context.stores.rate_limits.take_token(f"payer_rate#{payer.payer_id}", limit, now=context.now)
    return context.now + timedelta(seconds=seconds) if seconds else None


def _attempt(referral: Referral, check: CoverageCheck, payer: PayerSetup, *, context: JobContext) -> bool:
    asked_on = get_practice_day(referral.practice_id, context=context)
    check = replace(check, question=replace(check.question, asked_on=asked_on))
    attempt = _ask(check, payer, context=context)
    _record_payer_state(payer, attempt, context=context)
    reason = attempt.failure.reason if attempt.failure else str(attempt.reading and attempt.reading.state)
    log.info("payer asked", referral_id=referral.referral_id, outcome=reason)
    return conclude_attempt(referral, check, attempt, context=context)


def _record_payer_state(payer: PayerSetup, attempt: Attempt, *, context: JobContext) -> None:
    """Record for the circuit breaker whether the payer responded. A fault of ours says nothing about it."""
    if attempt.failure is _INTERNAL:
        return
    is_silent = attempt.failure is not None and attempt.failure.kind is FailureKind.RETRY
    if is_silent or (attempt.reading and attempt.reading.state is ReadingState.ASK_AGAIN):
        context.stores.payer_states.record_failure(payer.payer_id, now=context.now)
    else:
        context.stores.payer_states.record_response(payer.payer_id)


def _ask(check: CoverageCheck, payer: PayerSetup, *, context: JobContext) -> Attempt:
    """Ask all service types, one exchange for each unless the payer takes all at once. Stop at the first failure."""
    connection = context.payers.open_connection(payer)
    questions = [check.question] if payer.many_per_request else split_by_service_type(check.question)
    exchanges: list[Exchange] = []
    answers: list[PayerAnswer] = []
    for question in questions:
        ids = AttemptIds(
            control_number=context.stores.payer_states.take_control_number(payer.payer_id),
            payload_id=str(uuid.uuid4()),
            sent_at=context.now,
        )
        exchange = _ask_once(connection, question, ids)
        exchanges.append(exchange)
        if isinstance(exchange.outcome, AttemptFailure):
            return Attempt(exchanges=exchanges, failure=exchange.outcome)
        answers.append(exchange.outcome)
    reading = read_answers(check.question, answers, payer, date_retried=check.date_retried)
    return Attempt(exchanges=exchanges, reading=reading)


def _ask_once(connection: PayerConnection, question: BenefitsQuestion, ids: AttemptIds) -> Exchange:
    """Send one question. A fault of ours must not lose the request either: it is logged, and tried again."""
    try:
        return connection.ask(question, ids=ids)
    except UnavailableError:
        raise
    except Exception as e:  # noqa: BLE001 the check stays open for its day, whatever is wrong with the connection
        log.error("payer connection failed", error=type(e).__name__)
        return Exchange(outcome=_INTERNAL)


_INTERNAL = AttemptFailure(
    kind=FailureKind.RETRY, reason="internal", sentence="The request could not be sent yet. We keep trying."
)
_NOT_CONFIGURED = AttemptFailure(
    kind=FailureKind.RETRY,
    reason="configuration",
    sentence="Electronic checks are not set up correctly. An operator was notified, and we keep trying.",
)
