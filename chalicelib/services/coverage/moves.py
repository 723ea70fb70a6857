"""Record a move of a referral's coverage: read, decide, and commit it with its history, events, notices and tasks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.domain.coverage.decide import Moved, decide_elapsed_dates, decide_move
from chalicelib.domain.coverage.moves import MOVES, Machine, MoveName, Party
from chalicelib.domain.coverage.track import CoverageChange, CoverageTrack
from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.consent import has_basis
from chalicelib.domain.referrals.insurance_status import has_no_insurance
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.errors import ApiError, ConflictError, FieldError, PreconditionFailedError, UnavailableError
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.coverage_writes import (
    SYSTEM_WRITER,
    CoverageWriter,
    build_mover,
    build_system_mover,
    get_member_writer,
    prepare_coverage_writes,
    with_coverage,
)
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.notices.outbox import parse_existing_tasks
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError

HISTORY_ROWS = 100
"""How many moves a reader gets with the coverage, the newest first. The timeline has all of them."""

_READ = "coverage.read"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageView:
    """The coverage of a referral, with its newest moves."""

    referral: Referral
    track: CoverageTrack
    changes: Sequence[CoverageChange] = ()


def read_coverage(referral_id: str, *, member: Member, context: RunContext) -> CoverageView:
    """Read the coverage of a referral with its history.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, _READ, context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, _READ, context.now))
    return load_view(referral, context=context)


def load_view(referral: Referral, *, context: RunContext) -> CoverageView:
    """Load the coverage of a referral that the caller has already checked."""
    tracks, scope = context.stores.coverage_tracks, referral.practice_id
    track = tracks.get(referral.referral_id, scope=scope)
    changes, _ = tracks.list_changes(referral.referral_id, scope=scope, limit=HISTORY_ROWS)
    return CoverageView(referral=referral, track=track, changes=changes)


def record_move(
    referral_id: str, name: MoveName, facts: Mapping[str, Any], *, version: int, member: Member, context: RunContext
) -> CoverageView:
    """Record what a member of either side reports about the coverage.

    Args:
        referral_id: The referral.
        name: The move.
        facts: What was entered with it: plain JSON values.
        version: The version of the coverage that the member saw; 0 if nothing was recorded.
        member: Who reports it.
        context: The tables and the time.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        ForbiddenError: another side records this.
        PreconditionFailedError: someone changed the coverage after `version`.
        ConflictError: the referral is closed or not submitted, or the state does not allow the move.
        MalformedError: a fact is missing or contradicts another one.
    """
    action = get_action(name)
    found = get_visible_or_404(referral_id, member, action, context=context)
    existing_tasks: dict[str, str] = {}

    def attempt() -> CoverageView:
        referral = get_visible_or_404(referral_id, member, action, context=context)
        track = context.stores.coverage_tracks.get(referral_id, scope=referral.practice_id)
        if track.version != version:
            raise PreconditionFailedError
        require_movable(referral, name)
        party = Party(member.actor.value)
        mover = build_mover(party, member.name, referral, context=context, member_id=member.member_id)
        moved = decide_move(track, name, facts, mover)
        entry = build_member_audit_entry(referral, member, action, context.now)
        changed = commit_move(
            referral, moved, get_member_writer(member), entry, existing_tasks=existing_tasks, context=context
        )
        return load_view(changed, context=context)

    try:
        return commit_with_retry(attempt)
    except UnavailableError:
        raise
    except ApiError as e:
        record_refusal(e, build_member_audit_entry(found, member, action, context.now), context=context)
        raise


def record_elapsed_dates(referral_id: str, *, context: RunContext) -> bool:
    """Record what has ended by today. False if nothing has, or the referral has ended."""
    existing_tasks: dict[str, str] = {}

    def attempt() -> bool:
        referral = context.stores.referrals.get(referral_id)
        if referral is None or referral.stage in TERMINAL_STAGES:
            return False
        track = context.stores.coverage_tracks.get(referral_id, scope=referral.practice_id)
        moved = decide_elapsed_dates(track, build_system_mover(referral, context=context))
        if moved is None:
            return False
        entry = AuditEntry(
            referral_id=referral_id,
            at=context.now,
            actor_id=SYSTEM_WRITER.actor_id,
            tenant_id=SYSTEM_WRITER.tenant_id,
            action=get_action(moved.changes[0].move),
            version=referral.version,
        )
        commit_move(referral, moved, SYSTEM_WRITER, entry, existing_tasks=existing_tasks, context=context)
        return True

    return commit_with_retry(attempt)


def get_action(name: MoveName) -> str:
    """The name of a move in the audit trail."""
    return f"coverage.{name}"


def commit_move(
    before: Referral,
    moved: Moved,
    writer: CoverageWriter,
    entry: AuditEntry,
    *more: TransactionWrite,
    existing_tasks: dict[str, str],
    context: RunContext,
) -> Referral:
    """Commit moves with the referral and its audit row, in one transaction. Return the changed referral.

    Raises:
        ConditionFailedError: another writer was faster, or a task exists; `existing_tasks` then has its state.
    """
    changed = with_coverage(before, moved, context=context)
    try:
        context.stores.transactions.commit(
            *context.stores.referrals.prepare_save(changed, replace(entry, version=changed.version)),
            *prepare_coverage_writes(before, moved, writer, context=context, existing_tasks=existing_tasks),
            *more,
        )
    except ConditionFailedError as e:
        existing_tasks.update(parse_existing_tasks(e.items))
        raise
    return changed


def require_movable(referral: Referral, name: MoveName) -> None:
    """Check what a move needs of the referral itself.

    Raises:
        ConflictError: the referral is closed or was never submitted, or lacks what a payer needs.
    """
    if referral.stage in TERMINAL_STAGES:
        raise ConflictError("referral_closed", "This referral is closed, so its coverage can no longer be changed.")
    if not referral.is_with_center:
        raise ConflictError("not_submitted", "Submit the referral first. Then both teams follow the coverage.")
    if MOVES[name].machine is not Machine.VERIFICATION:
        return
    if has_no_insurance(referral):
        raise ConflictError("no_insurance", "This patient has no insurance to verify. Look for financial help instead.")
    if name in _ASKS_PAYER:
        require_payer_facts(referral)


_ASKS_PAYER = frozenset({MoveName.VERIFICATION_REQUESTED, MoveName.RESULT_RECORDED})


def require_payer_facts(referral: Referral) -> None:
    """Check that a payer can be asked: who it is, the member, and a basis for sharing.

    Raises:
        ConflictError: names each missing fact.
    """
    insurance = referral.details.get("insurance") or {}
    missing = [
        FieldError(f"/insurance/{name}", "missing", message)
        for name, message in (("payer", "Enter the payer."), ("member_id", "Enter the member ID."))
        if not insurance.get(name)
    ]
    if not has_basis(referral.details.get("consent_to_share")):
        missing.append(
            FieldError("/consent_to_share/given", "missing", "Record the patient's consent to share records.")
        )
    if missing:
        raise ConflictError(
            "payer_facts_missing",
            "The payer needs more before it can be asked. Complete the insurance.",
            errors=missing,
        )
