"""Request an electronic benefits check, and read what came of the checks of a referral.

The request is stored and answered at once. The outbox asks the payer (`services.coverage.ask_payer`). A second
request while one is running gets the running one, so a slow payer is never asked twice at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from chalicelib.domain.coverage.checks import LOCK_LEASE, CheckState, CoverageCheck
from chalicelib.domain.coverage.decide import Moved, decide_elapsed_dates, decide_move, is_possible
from chalicelib.domain.coverage.moves import MoveName, Party
from chalicelib.domain.coverage.payers import PayerSetup, find_payer
from chalicelib.domain.coverage.question import BenefitsQuestion, CoveredPerson, Relationship, list_question_errors
from chalicelib.domain.coverage.track import CoverageTrack
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.tasks import ASK_PAYER_RULE, OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.platform.rate_limit import COVERAGE_CHECKS_PER_MEMBER
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import ConflictError, FieldError
from chalicelib.observe import log
from chalicelib.services.coverage.moves import require_movable
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.consent_checks import get_practice_day
from chalicelib.services.referrals.coverage_writes import (
    build_mover,
    get_member_writer,
    prepare_coverage_writes,
    with_coverage,
)
from chalicelib.services.referrals.write_once import commit_once, write_once
from chalicelib.settings import SettingsError
from chalicelib.store.notices.outbox import parse_existing_tasks
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError

_REQUEST, _LIST = "coverage.check_requested", "coverage.checks_read"

BuildResponse = Callable[[CoverageCheck, int], StoredResponse]
"""Builds the response with a status: 202 for a new check, 200 for the one that is running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCheck:
    """What a person asks: the id of the check, and the payers that can be asked."""

    check_id: str
    trace_id: str
    list_payers: Callable[[], Sequence[PayerSetup]]


def list_checks(referral_id: str, *, member: Member, context: RunContext) -> tuple[Referral, Sequence[CoverageCheck]]:
    """List the electronic checks of a referral, newest first.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, _LIST, context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, _LIST, context.now))
    return referral, context.stores.coverage_checks.list_for_referral(referral_id, scope=referral.practice_id)


def request_check(
    referral_id: str,
    new: NewCheck,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: BuildResponse,
    context: RunContext,
) -> StoredResponse:
    """Request an electronic check of the patient's current insurance.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        ConflictError: the referral is closed or not submitted, the payer cannot be asked electronically, or
            the insurance lacks what the payer needs; names the fields.
        RateLimitedError: the member requested too many checks.
    """
    found = get_visible_or_404(referral_id, member, _REQUEST, context=context)
    existing_tasks: dict[str, str] = {}

    def attempt() -> StoredResponse:
        referral = get_visible_or_404(referral_id, member, _REQUEST, context=context)
        require_movable(referral, MoveName.VERIFICATION_REQUESTED)
        payer = _find_payer(referral, _list_payers(new))
        track = context.stores.coverage_tracks.get(referral_id, scope=referral.practice_id)
        moved = _request_verification(track, referral, member, context=context)
        plan_version = moved.track.plan_version if moved else track.plan_version
        running = _find_running(referral, payer, context=context)
        # A check of an earlier plan of the patient would move nothing, so a new one replaces it.
        if running and running.plan_version == plan_version:
            return build_response(running, 200)
        check = _build_check(referral, plan_version, payer, new, member, context=context)
        replaced_id = running.check_id if running else None
        writes = _prepare_writes(
            referral, check, moved, member, existing_tasks, replaced_id=replaced_id, context=context
        )
        try:
            return commit_once(request, build_response(check, 202), *writes, context=context)
        except ConditionFailedError as e:
            # If another request was faster, the next attempt finds its check.
            existing_tasks.update(parse_existing_tasks(e.items))
            raise

    refused_as = build_member_audit_entry(found, member, _REQUEST, context.now)
    return write_once(
        attempt, request=request, limit=COVERAGE_CHECKS_PER_MEMBER, refused_as=refused_as, context=context
    )


def build_attempt_task(referral_id: str, check: CoverageCheck, *, due_at: datetime) -> OutboxTask:
    """Build the task of the next attempt. Its id follows from the attempt, so that it is planned once."""
    number = f"{check.attempts + 1}"
    return OutboxTask(
        outbox_id=derive_id("out", ASK_PAYER_RULE, check.check_id, number, str(check.version)),
        referral_id=referral_id,
        rule=ASK_PAYER_RULE,
        queue=TaskQueue.EVENT,
        due_at=due_at,
        event_id=f"{check.check_id}/{check.version}",
    )


def _list_payers(new: NewCheck) -> Sequence[PayerSetup]:
    """The payers; none if their configuration cannot be read, so that people call instead of waiting."""
    try:
        return new.list_payers()
    except SettingsError:
        log.error("payers are not configured correctly")
        return ()


def _find_payer(referral: Referral, payers: Sequence[PayerSetup]) -> PayerSetup:
    insurance = referral.details.get("insurance") or {}
    payer = find_payer(payers, insurance.get("payer") or "")
    if payer is None:
        message = "This payer is not set up for electronic checks. Call the payer and enter the result."
        error = FieldError("/insurance/payer", "payer_not_electronic", message)
        raise ConflictError("payer_not_electronic", message, errors=[error])
    return payer


def _find_running(referral: Referral, payer: PayerSetup, *, context: RunContext) -> CoverageCheck | None:
    checks, scope = context.stores.coverage_checks, referral.practice_id
    check_id = checks.find_lock_holder(referral.referral_id, payer.payer_id, now=context.now)
    found = checks.get(referral.referral_id, check_id, scope=scope) if check_id else None
    return found if found and found.state is CheckState.REQUESTED else None


def _build_check(
    referral: Referral,
    plan_version: int,
    payer: PayerSetup,
    new: NewCheck,
    member: Member,
    *,
    context: RunContext,
) -> CoverageCheck:
    question = build_question(referral, payer, trace_id=new.trace_id, context=context)
    errors = list_question_errors(question)
    if errors:
        message = "The payer needs more before it can be asked. Complete the marked fields."
        raise ConflictError("payer_facts_missing", message, errors=errors)
    return CoverageCheck(
        check_id=new.check_id,
        version=1,
        state=CheckState.REQUESTED,
        payer_id=payer.payer_id,
        payer_name=payer.name,
        question=question,
        plan_version=plan_version,
        requested_at=context.now,
        requested_by=member.name,
        next_try_at=context.now,
    )


def build_question(referral: Referral, payer: PayerSetup, *, trace_id: str, context: RunContext) -> BenefitsQuestion:
    """Build the question to a payer from what the practice entered. It names the practice and never a record number."""
    insurance, provider = referral.details.get("insurance") or {}, referral.details.get("referring_provider") or {}
    practice = context.stores.tenants.get_cached(TenantKind.PRACTICE, referral.practice_id)
    relationship = Relationship((insurance.get("subscriber") or {}).get("relationship") or Relationship.SELF)
    is_patient = relationship is Relationship.SELF
    return BenefitsQuestion(
        trace_id=trace_id,
        payer_id=payer.payer_id,
        provider_npi=provider.get("npi") or "",
        provider_name=practice.name if practice else "",
        patient=_read_person(referral.details.get("patient") or {}),
        subscriber=None if is_patient else _read_person(insurance.get("subscriber") or {}),
        relationship=relationship,
        member_id=insurance.get("member_id") or "",
        group=insurance.get("group"),
        service_types=payer.service_types,
        asked_on=get_practice_day(referral.practice_id, context=context),
    )


def _read_person(person: dict[str, str]) -> CoveredPerson:
    birth_date, sex = person.get("birth_date") or "", person.get("sex")
    return CoveredPerson(
        family_name=person.get("family_name") or "",
        given_name=person.get("given_name") or "",
        # A year alone is not enough for a payer.
        birth_date=date.fromisoformat(birth_date) if len(birth_date) == len("1961-04-02") else None,
        sex=sex if sex in {"female", "male"} else None,
    )


def _request_verification(
    track: CoverageTrack, referral: Referral, member: Member, *, context: RunContext
) -> Moved | None:
    """The move to `requested`, with what has ended by today; None if the benefits count, and are only checked again."""
    party = Party(member.actor.value)
    mover = build_mover(party, member.name, referral, context=context, member_id=member.member_id)
    elapsed = decide_elapsed_dates(track, mover)
    if not is_possible(MoveName.VERIFICATION_REQUESTED, elapsed.track if elapsed else track):
        return elapsed
    return decide_move(track, MoveName.VERIFICATION_REQUESTED, {"how": "electronic"}, mover)


def _prepare_writes(
    referral: Referral,
    check: CoverageCheck,
    moved: Moved | None,
    member: Member,
    existing_tasks: dict[str, str],
    *,
    replaced_id: str | None,
    context: RunContext,
) -> Sequence[TransactionWrite]:
    stores, referral_id = context.stores, referral.referral_id
    changed = replace(referral, updated_at=context.now, version=referral.version + 1)
    coverage_writes: Sequence[TransactionWrite] = ()
    if moved:
        changed = with_coverage(referral, moved, context=context)
        writer = get_member_writer(member)
        coverage_writes = list(
            prepare_coverage_writes(referral, moved, writer, context=context, existing_tasks=existing_tasks)
        )
    lock = stores.coverage_checks.prepare_lock(
        referral_id,
        check.payer_id,
        check.check_id,
        now=context.now,
        until=context.now + LOCK_LEASE,
        replaced_id=replaced_id,
    )
    return [
        *stores.referrals.prepare_save(changed, build_member_audit_entry(changed, member, _REQUEST, context.now)),
        *coverage_writes,
        lock,
        stores.coverage_checks.prepare_save(referral_id, check, scope=referral.practice_id),
        stores.outbox.prepare_plan(build_attempt_task(referral_id, check, due_at=context.now)),
    ]
