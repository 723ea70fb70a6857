"""Decides a move of the coverage: whether it is possible, and everything that it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from chalicelib.domain.coverage.entered_facts import read_day, read_entered_facts
from chalicelib.domain.coverage.fact_rules import list_fact_errors
from chalicelib.domain.coverage.facts import CoverageFacts
from chalicelib.domain.coverage.moves import MOVES, CoverageMove, Machine, MoveName, Party, State
from chalicelib.domain.coverage.track import (
    VERIFIED_STATES,
    CoverageChange,
    CoverageTrack,
    EnteredFacts,
    FactName,
    Facts,
    KnownFacts,
    get_states,
    is_authorization_over,
    is_plan_year_over,
    with_changed_plan,
    with_elapsed_dates,
    without_clearance,
)
from chalicelib.domain.referrals.coverage_status import (
    AgreementState,
    AuthorizationState,
    CoverageDeadline,
    DeadlineKind,
    StaleReason,
    TrackStatus,
    VerificationState,
)
from chalicelib.errors import ConflictError, ForbiddenError, MalformedError

SYSTEM_NAME = "CAR T Referral Dashboard"
"""Who makes a move that follows from a date, as the timeline names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """Who makes a move, and when. `today` is the day at the practice, `member_id` is None unless it is a person."""

    party: Party
    name: str
    member_id: str | None = None
    at: datetime
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The coverage after a move, and the rows of its history: the move itself first, then what follows from it."""

    track: CoverageTrack
    changes: Sequence[CoverageChange]


_OUTCOMES: Mapping[str, VerificationState] = {
    "verified": VerificationState.VERIFIED,
    "verified_with_conditions": VerificationState.VERIFIED_WITH_CONDITIONS,
    "unable_to_verify": VerificationState.UNABLE_TO_VERIFY,
}
_CALL_OUTCOMES_UPHELD = frozenset({"upheld", "partly"})
"""After these the denial stands. After `overturned` the approval follows by letter; otherwise another call."""

_FINAL_AUTHORIZATIONS = frozenset({AuthorizationState.APPROVED, AuthorizationState.NOT_REQUIRED})
"""What a clearance can rest on."""

_MOVE_BY_REQUIREMENT = {
    "required": MoveName.AUTHORIZATION_REQUIRED,
    "not_required": MoveName.AUTHORIZATION_NOT_REQUIRED,
}


def decide_move(
    track: CoverageTrack, name: MoveName, facts: Facts, mover: Mover, *, answered: CoverageFacts | None = None
) -> Moved:
    """Make a move, with everything that follows from it.

    Args:
        track: The coverage before it.
        name: The move.
        facts: What was entered with it.
        mover: Who makes it.
        answered: The four facts of an electronic answer, if the move records one.

    Raises:
        ForbiddenError: another party makes this move.
        ConflictError: the move is not possible in the current state.
        MalformedError: a fact is missing, or dates contradict each other; names the fields.
    """
    move = MOVES[name]
    if mover.party not in move.by:
        raise find_refusal(move)
    elapsed = decide_elapsed_dates(track, mover)
    before, track = track, elapsed.track if elapsed else track
    if not is_possible(name, track):
        raise ConflictError("not_possible_now", _describe_current_state(move, track.status))
    errors = list_fact_errors(name, facts, track, today=mover.today)
    if errors:
        raise MalformedError("malformed", "Check the marked fields.", errors=errors)
    made = _make(track, name, facts, mover, answered)
    moved = replace(made, changes=[*(elapsed.changes if elapsed else ()), *made.changes])
    for follow_up, its_facts in _list_follow_ups(track, made.track, name, facts):
        more = _make(moved.track, follow_up, its_facts, mover)
        moved = Moved(track=more.track, changes=[*moved.changes, *more.changes])
    ended = decide_elapsed_dates(moved.track, mover)
    if ended:
        # The news came late: what it says has already ended, such as an approval.
        moved = Moved(track=ended.track, changes=[*moved.changes, *ended.changes])
    return replace(moved, track=replace(moved.track, version=before.version + 1))


def decide_elapsed_dates(track: CoverageTrack, mover: Mover) -> Moved | None:
    """Record what has ended by the mover's day; None if nothing has."""
    system = replace(mover, party=Party.SYSTEM, name=SYSTEM_NAME)
    changes: list[CoverageChange] = []
    after = track
    for name, facts in _list_elapsed(track.status, today=mover.today):
        if is_possible(name, after):
            moved = _make(after, name, facts, system)
            after, changes = moved.track, [*changes, *moved.changes]
    return Moved(track=replace(after, version=track.version + 1), changes=changes) if changes else None


def is_possible(name: MoveName, track: CoverageTrack) -> bool:
    """Whether the current state allows a move."""
    move = MOVES[name]
    if name is MoveName.AUTHORIZATION_CONFIRMED:
        return track.status.is_authorization_of_earlier_plan
    if name is MoveName.RESULT_RECORDED:
        return track.status.verification is not VerificationState.NOT_APPLICABLE
    if name is MoveName.PLAN_CHANGED and track.version == 0:
        return False
    return not move.start or get_states(track.status).get(move.machine) in move.start


def find_refusal(move: CoverageMove) -> ForbiddenError:
    """Say who makes a move instead."""
    if Party.CENTER in move.by and Party.PRACTICE not in move.by:
        return ForbiddenError("center_only", "Only the treatment center can record this.")
    return ForbiddenError("not_your_move", "The dashboard records this by itself.")


def build_filed_change(facts: Facts, mover: Mover, *, plan_version: int) -> CoverageChange:
    """Build the history row of a payer's answer about an earlier plan, which changes nothing."""
    return CoverageChange(
        move=MoveName.RESULT_RECORDED,
        machine=Machine.VERIFICATION,
        start="",
        target="",
        at=mover.at,
        by=mover.party,
        actor_name=mover.name,
        facts=facts,
        plan_version=plan_version,
        how=facts.get("how"),
        filed_only=True,
    )


def _describe_current_state(move: CoverageMove, status: TrackStatus) -> str:
    if status.verification is VerificationState.NOT_APPLICABLE:
        return "This patient has no insurance to verify. Add the insurance first."
    state = get_states(status).get(move.machine)
    words = format_state(state).replace("_", " ")
    return f"This is not possible now. The {move.machine} is: {words}. Reload to see the latest status."


def format_state(state: State | None) -> str:
    """The state of a machine as a word of the API."""
    if isinstance(state, bool):
        return "cleared" if state else "not_cleared"
    return str(state or "")


def _make(
    track: CoverageTrack, name: MoveName, facts: Facts, mover: Mover, answered: CoverageFacts | None = None
) -> Moved:
    """Make one move, without what follows from it."""
    move = MOVES[name]
    before = get_states(track.status).get(move.machine)
    status = _compute_status(track.status, name, facts, mover)
    entered = EnteredFacts(
        facts=facts, at=mover.at, by=mover.party, actor_name=mover.name, plan_version=track.plan_version
    )
    after = replace(
        track,
        status=status,
        plan_version=track.plan_version + (name is MoveName.PLAN_CHANGED),
        facts=_find_facts(track, name, facts, mover, answered),
        entered={**track.entered, name: entered},
        checklist={**track.checklist, facts["item"]: entered} if name is MoveName.ITEM_VERIFIED else track.checklist,
    )
    change = CoverageChange(
        move=name,
        machine=move.machine,
        start=format_state(before),
        target=format_state(get_states(status).get(move.machine)),
        at=mover.at,
        by=mover.party,
        actor_name=mover.name,
        facts=facts,
        plan_version=track.plan_version,
        how=facts.get("how") or facts.get("channel"),
        reference_number=_find_reference(facts),
    )
    return Moved(track=after, changes=[change])


def _find_facts(
    track: CoverageTrack, name: MoveName, facts: Facts, mover: Mover, answered: CoverageFacts | None
) -> KnownFacts:
    if name is MoveName.PLAN_CHANGED:
        return track.facts.with_earlier_plan()
    if answered:
        return track.facts.with_facts(
            {
                FactName.BENEFITS: answered.benefits,
                FactName.AUTHORIZATION: answered.authorization,
                FactName.NETWORK: answered.network,
            }
        )
    return track.facts.with_facts(read_entered_facts(name, facts, at=mover.at, member_id=mover.member_id))


def _find_reference(facts: Facts) -> str | None:
    names = ("reference_number", "authorization_number", "case_number")
    return next((facts[name] for name in names if facts.get(name)), None)


def _compute_status(status: TrackStatus, name: MoveName, facts: Facts, mover: Mover) -> TrackStatus:
    move = MOVES[name]
    match move.machine:
        case Machine.VERIFICATION:
            return _with_verification(status, name, facts, mover)
        case Machine.AUTHORIZATION:
            return _with_authorization(status, name, facts, mover)
        case Machine.AGREEMENT if isinstance(move.target, AgreementState):
            return replace(status, agreement=move.target)
        case Machine.CLEARANCE if move.target is True:
            return replace(status, is_cleared=True, cleared_until=read_day(facts, "until"))
        case Machine.CLEARANCE:
            return without_clearance(status)
    return status


def _with_verification(status: TrackStatus, name: MoveName, facts: Facts, mover: Mover) -> TrackStatus:
    if name is MoveName.PLAN_CHANGED:
        return with_changed_plan(status)
    if name is MoveName.RESULT_RECORDED:
        is_open = mover.party is Party.PAYER and facts["outcome"] == "unable_to_verify"
        if is_open and status.verification in VERIFIED_STATES:
            # What an electronic answer leaves open does not take back what another source verified.
            return status
        verification = _OUTCOMES[facts["outcome"]]
        return replace(
            status,
            verification=verification,
            stale_reason=None,
            # What was not verified has no end, and nothing to remind of.
            verified_until=read_day(facts, "valid_until") if verification in VERIFIED_STATES else None,
            plan_year_ends_on=_find_end_of_plan_year(status, facts, mover),
        )
    target = MOVES[name].target
    if not isinstance(target, VerificationState):
        raise TypeError("a move of the verification leads to a state of it")
    reason = StaleReason.EXPIRED if name is MoveName.VERIFICATION_EXPIRED else None
    # The year of the plan still ends: a clearance must not outlive it because the verification expired first.
    return replace(status, verification=target, stale_reason=reason, verified_until=None)


def _find_end_of_plan_year(status: TrackStatus, facts: Facts, mover: Mover) -> date | None:
    """The last day of the plan's year. A result that does not mention it leaves what was known."""
    plan_year = facts.get("plan_year")
    if plan_year is None:
        return status.plan_year_ends_on
    return date(mover.today.year, 12, 31) if plan_year == "calendar" else None


def _with_authorization(status: TrackStatus, name: MoveName, facts: Facts, mover: Mover) -> TrackStatus:
    if name is MoveName.AUTHORIZATION_CONFIRMED:
        until = read_day(facts, "ends_on") or status.authorized_until
        return replace(status, is_authorization_of_earlier_plan=False, authorized_until=until)
    target = MOVES[name].target
    if name is MoveName.PEER_TO_PEER_ENDED:
        upheld = facts["outcome"] in _CALL_OUTCOMES_UPHELD
        target = AuthorizationState.DENIED if upheld else AuthorizationState.PEER_TO_PEER
    if not isinstance(target, AuthorizationState):
        raise TypeError("a move of the authorization leads to a state of it")
    call_at = facts.get("call_at")
    return replace(
        status,
        authorization=target,
        is_authorization_of_earlier_plan=False,
        authorized_until=read_day(facts, "ends_on") if target is AuthorizationState.APPROVED else None,
        deadline=_compute_deadline(status, target, facts, mover),
        call_at=datetime.fromisoformat(call_at) if call_at else None,
    )


def _compute_deadline(
    status: TrackStatus, target: AuthorizationState, facts: Facts, mover: Mover
) -> CoverageDeadline | None:
    if target in {AuthorizationState.PEER_TO_PEER, AuthorizationState.DENIED} and not facts.get("deadline"):
        # The time to appeal runs on during a peer-to-peer call.
        return status.deadline
    kinds: Mapping[AuthorizationState, tuple[DeadlineKind, str]] = {
        AuthorizationState.SUBMITTED: (DeadlineKind.DECISION, "decision_by"),
        AuthorizationState.MORE_INFORMATION: (DeadlineKind.INFORMATION, "deadline"),
        AuthorizationState.DENIED: (DeadlineKind.APPEAL, "deadline"),
        AuthorizationState.APPEAL_FILED: (DeadlineKind.DECISION, "deadline"),
        AuthorizationState.APPEAL_LOST: (DeadlineKind.APPEAL, "deadline"),
        AuthorizationState.EXTERNAL_REVIEW: (DeadlineKind.DECISION, "deadline"),
    }
    kind, name = kinds.get(target, (DeadlineKind.DECISION, ""))
    on = read_day(facts, name)
    return CoverageDeadline(kind=kind, on=on, entered_on=mover.today) if on else None


def _list_follow_ups(
    before: CoverageTrack, after: CoverageTrack, name: MoveName, facts: Facts
) -> Sequence[tuple[MoveName, Facts]]:
    """List the moves that follow from one in the same moment."""
    follow_ups: list[tuple[MoveName, Facts]] = []
    if name is MoveName.RESULT_RECORDED:
        if facts.get("benefits") == "inactive":
            return [(MoveName.PLAN_CHANGED, {"reason": "inactive"}), *_list_fallen_clearance(before)]
        authorization = _MOVE_BY_REQUIREMENT.get(facts.get("authorization") or "")
        if authorization and get_states(after.status)[Machine.AUTHORIZATION] is AuthorizationState.UNKNOWN:
            follow_ups.append((authorization, {"how": facts["how"], "of_result": True}))
    if name is MoveName.PLAN_CHANGED:
        follow_ups += _list_fallen_clearance(before)
    was_final = get_states(before.status)[Machine.AUTHORIZATION] in _FINAL_AUTHORIZATIONS
    if after.status.is_cleared and was_final and after.status.authorization not in _FINAL_AUTHORIZATIONS:
        follow_ups.append((MoveName.CLEARANCE_ENDED, {"reason": "authorization_ended"}))
    return follow_ups


def _list_fallen_clearance(before: CoverageTrack) -> Sequence[tuple[MoveName, Facts]]:
    return [(MoveName.CLEARANCE_ENDED, {"reason": "plan_changed"})] if before.status.is_cleared else []


def _list_elapsed(status: TrackStatus, *, today: date) -> Sequence[tuple[MoveName, Facts]]:
    after = with_elapsed_dates(status, today=today)
    elapsed: list[tuple[MoveName, Facts]] = []
    was_verified = status.verification in VERIFIED_STATES
    if is_plan_year_over(status, today=today):
        elapsed.append((MoveName.PLAN_CHANGED, {"reason": "new_plan_year"}))
    elif was_verified and after.verification is VerificationState.STALE:
        elapsed.append((MoveName.VERIFICATION_EXPIRED, {}))
    if status.is_cleared and not after.is_cleared:
        reason = _find_why_clearance_ended(status, today=today)
        # First, so that its own row says why; after the plan changed there is no clearance left to end.
        elapsed.insert(0, (MoveName.CLEARANCE_ENDED, {"reason": reason}))
    return elapsed


def _find_why_clearance_ended(status: TrackStatus, *, today: date) -> str:
    if status.cleared_until and status.cleared_until < today:
        return "until_passed"
    return "authorization_ended" if is_authorization_over(status, today=today) else "plan_changed"
