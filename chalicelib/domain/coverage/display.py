"""What people see of the coverage first: one state, who acts next, what, and until when.

The machines move at the same time, so one state cannot hold the truth. This one is for display: the first
rule that matches.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chalicelib.domain.coverage.moves import Machine
from chalicelib.domain.coverage.track import get_states, is_authorization_over, with_elapsed_dates
from chalicelib.domain.referrals.coverage_status import (
    AgreementState,
    AuthorizationState,
    StaleReason,
    TrackStatus,
    VerificationState,
)
from chalicelib.domain.referrals.insurance_status import find_coverage_status
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES


class CoverageState(StrEnum):
    """The coverage for display, in the order in which the rules are tried."""

    NOT_APPLICABLE = "not_applicable"
    PLAN_CHANGED = "plan_changed"
    EXPIRED = "expired"
    CLEARED = "cleared"
    DENIED = "denied"
    APPEAL = "appeal"
    MORE_INFORMATION = "more_info"
    SUBMITTED = "submitted"
    TO_SUBMIT = "to_submit"
    AGREEMENT_OPEN = "agreement_open"
    APPROVED = "approved"
    VERIFYING = "verifying"
    UNABLE_TO_VERIFY = "unable_to_verify"
    VERIFIED = "verified"
    NOT_STARTED = "not_started"


class CoverageActor(StrEnum):
    """Who acts next."""

    PRACTICE = "practice"
    CENTER = "center"
    PAYER = "payer"
    NONE = "none"


STATE_LABELS: Mapping[CoverageState, str] = {
    CoverageState.NOT_APPLICABLE: "No insurance",
    CoverageState.PLAN_CHANGED: "Plan changed",
    CoverageState.EXPIRED: "Expired",
    CoverageState.CLEARED: "Cleared",
    CoverageState.DENIED: "Denied by the payer",
    CoverageState.APPEAL: "Appeal",
    CoverageState.MORE_INFORMATION: "Payer asks for more",
    CoverageState.SUBMITTED: "Payer reviewing",
    CoverageState.TO_SUBMIT: "Authorization to submit",
    CoverageState.AGREEMENT_OPEN: "Case agreement open",
    CoverageState.APPROVED: "Authorization approved",
    CoverageState.VERIFYING: "Verifying",
    CoverageState.UNABLE_TO_VERIFY: "Not verified",
    CoverageState.VERIFIED: "Verified",
    CoverageState.NOT_STARTED: "Not started",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageDisplay:
    """The coverage as a list or a card shows it.

    Attributes:
        next_step: What the next actor does; empty if no one has to act.
        until: Until when: a deadline that the payer set, the end of a clearance, or when an answer is expected.
    """

    state: CoverageState
    label: str
    next_actor: CoverageActor
    next_step: str
    until: date | None


_V, _A, _G = VerificationState, AuthorizationState, AgreementState

_Rule = Callable[[TrackStatus, date], bool]


def _authorization_is(*states: AuthorizationState) -> _Rule:
    return lambda status, _: get_states(status)[Machine.AUTHORIZATION] in states


_RULES: Sequence[tuple[CoverageState, _Rule]] = (
    (CoverageState.NOT_APPLICABLE, lambda s, _: s.verification is _V.NOT_APPLICABLE),
    (CoverageState.PLAN_CHANGED, lambda s, _: s.stale_reason is StaleReason.PLAN_CHANGED),
    (CoverageState.EXPIRED, lambda s, today: s.stale_reason is not None or is_authorization_over(s, today=today)),
    (CoverageState.CLEARED, lambda s, _: s.is_cleared),
    (CoverageState.DENIED, _authorization_is(_A.DENIED, _A.APPEAL_LOST, _A.EXTERNAL_LOST)),
    (CoverageState.APPEAL, _authorization_is(_A.PEER_TO_PEER, _A.APPEAL_FILED, _A.EXTERNAL_REVIEW)),
    (CoverageState.MORE_INFORMATION, _authorization_is(_A.MORE_INFORMATION)),
    (CoverageState.SUBMITTED, _authorization_is(_A.SUBMITTED)),
    (CoverageState.TO_SUBMIT, _authorization_is(_A.TO_SUBMIT)),
    (CoverageState.AGREEMENT_OPEN, lambda s, _: s.agreement in {_G.NEEDED, _G.IN_PROGRESS, _G.FAILED}),
    (CoverageState.APPROVED, _authorization_is(_A.APPROVED)),
    (CoverageState.VERIFYING, lambda s, _: s.verification in {_V.REQUESTED, _V.VERIFYING}),
    (CoverageState.UNABLE_TO_VERIFY, lambda s, _: s.verification is _V.UNABLE_TO_VERIFY),
    (CoverageState.VERIFIED, lambda s, _: s.verification in {_V.VERIFIED, _V.VERIFIED_WITH_CONDITIONS}),
)

_NEXT: Mapping[CoverageState, tuple[CoverageActor, str]] = {
    CoverageState.NOT_APPLICABLE: (CoverageActor.PRACTICE, "Look for financial help"),
    CoverageState.PLAN_CHANGED: (CoverageActor.PRACTICE, "Check the insurance and verify the benefits again"),
    CoverageState.EXPIRED: (CoverageActor.PRACTICE, "Verify the benefits again"),
    CoverageState.CLEARED: (CoverageActor.NONE, ""),
    CoverageState.DENIED: (CoverageActor.PRACTICE, "Ask for a peer-to-peer call or appeal"),
    CoverageState.MORE_INFORMATION: (CoverageActor.PRACTICE, "Send what the payer asks for"),
    CoverageState.SUBMITTED: (CoverageActor.PAYER, "Decide about the authorization"),
    CoverageState.TO_SUBMIT: (CoverageActor.CENTER, "Submit the authorization request"),
    CoverageState.AGREEMENT_OPEN: (CoverageActor.CENTER, "Reach a single case agreement with the payer"),
    CoverageState.APPROVED: (CoverageActor.CENTER, "Record the clearance"),
    CoverageState.VERIFYING: (CoverageActor.PAYER, "Answer about the benefits"),
    CoverageState.UNABLE_TO_VERIFY: (CoverageActor.PRACTICE, "Call the payer, or check again"),
    CoverageState.VERIFIED: (CoverageActor.PRACTICE, "Find out whether an authorization is required"),
    CoverageState.NOT_STARTED: (CoverageActor.PRACTICE, "Request a benefits check"),
}

_NEXT_BY_AUTHORIZATION: Mapping[AuthorizationState, tuple[CoverageActor, str]] = {
    _A.APPEAL_LOST: (CoverageActor.PRACTICE, "Appeal again or request an external review"),
    _A.EXTERNAL_LOST: (CoverageActor.CENTER, "Discuss the next step with the practice"),
    _A.PEER_TO_PEER: (CoverageActor.PRACTICE, "Hold the peer-to-peer call, then record its outcome"),
    _A.APPEAL_FILED: (CoverageActor.PAYER, "Decide about the appeal"),
    _A.EXTERNAL_REVIEW: (CoverageActor.PAYER, "Wait for the external review"),
}
"""Where the next step depends on more than the state for display."""


def compute_display(status: TrackStatus, *, today: date, is_closed: bool = False) -> CoverageDisplay:
    """Compute what a reader sees on a day. What has ended by then no longer counts.

    Of a referral that is closed, it stays what was recorded, and no one acts next.
    """
    today = date.min if is_closed else today  # For a closed referral, no date has passed.
    status = with_elapsed_dates(status, today=today)
    state = next((state for state, rule in _RULES if rule(status, today)), CoverageState.NOT_STARTED)
    if is_closed:
        return CoverageDisplay(
            state=state, label=STATE_LABELS[state], next_actor=CoverageActor.NONE, next_step="", until=None
        )
    actor, step = _find_next(state, status)
    return CoverageDisplay(
        state=state, label=STATE_LABELS[state], next_actor=actor, next_step=step, until=_find_until(state, status)
    )


def find_status_on(referral: Referral, *, today: date) -> TrackStatus:
    """Find the states and dates of a referral's coverage as they count on a day of the practice."""
    status = find_coverage_status(referral)
    return status if referral.stage in TERMINAL_STAGES else with_elapsed_dates(status, today=today)


def _find_next(state: CoverageState, status: TrackStatus) -> tuple[CoverageActor, str]:
    authorization = get_states(status)[Machine.AUTHORIZATION]
    if state in {CoverageState.DENIED, CoverageState.APPEAL} and authorization in _NEXT_BY_AUTHORIZATION:
        return _NEXT_BY_AUTHORIZATION[AuthorizationState(str(authorization))]
    if state is CoverageState.VERIFIED and authorization is _A.NOT_REQUIRED:
        return CoverageActor.CENTER, "Record the clearance"
    if state is CoverageState.VERIFIED and status.is_authorization_of_earlier_plan:
        return CoverageActor.PRACTICE, "Ask the new plan whether the earlier authorization still counts"
    if state is CoverageState.EXPIRED and status.stale_reason is None:
        return CoverageActor.CENTER, "Ask the payer for a new authorization"
    if state is CoverageState.AGREEMENT_OPEN and status.agreement is _G.FAILED:
        return CoverageActor.CENTER, "Discuss the next step with the practice"
    return _NEXT[state]


_STATES_WITH_DEADLINE = frozenset(
    {CoverageState.DENIED, CoverageState.APPEAL, CoverageState.MORE_INFORMATION, CoverageState.SUBMITTED}
)


def _find_until(state: CoverageState, status: TrackStatus) -> date | None:
    if state is CoverageState.CLEARED:
        return status.cleared_until
    if state in _STATES_WITH_DEADLINE:
        return status.deadline.on if status.deadline else None
    return {
        CoverageState.APPROVED: status.authorized_until,
        CoverageState.VERIFIED: status.verified_until,
    }.get(state)
