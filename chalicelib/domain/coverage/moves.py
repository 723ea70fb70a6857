"""The moves of a referral's coverage as data: from which state to which, who may make them, whom they notify.

    verification   not_started ─▶ requested ─▶ verifying ─▶ verified, with conditions, unable to verify
                   any ─▶ stale (expired, plan changed) ─▶ requested
    authorization  unknown ─▶ not_required, to_submit ─▶ submitted ⇄ more_info ─▶ approved, denied
                   denied ─▶ peer_to_peer, appeal_filed ─▶ appeal_lost ─▶ external_review
    agreement      not_needed ─▶ needed ─▶ in_progress ─▶ signed, failed
    clearance      set by a person of the center only

Source:
    The states of a benefits investigation as hubs and centers describe them, and the steps of an appeal in
    29 CFR 2560.503-1 and 45 CFR 147.136 (read 2026-11). Who may do what is this product's own decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.domain.referrals.coverage_status import AgreementState, AuthorizationState, VerificationState


class Machine(StrEnum):
    """The part of the coverage that a move changes."""

    VERIFICATION = "verification"
    AUTHORIZATION = "authorization"
    AGREEMENT = "agreement"
    CLEARANCE = "clearance"
    CHECKLIST = "checklist"


class Party(StrEnum):
    """Who makes a move."""

    PRACTICE = "practice"
    CENTER = "center"
    PAYER = "payer"
    """The payer's electronic answer."""
    SYSTEM = "system"
    """The product itself: a date passed, or the insurance was changed."""


class Notified(StrEnum):
    """Who is notified of a move."""

    NO_ONE = "no_one"
    PRACTICE = "practice"
    CENTER = "center"
    OTHER_SIDE = "other_side"
    BOTH = "both"


class MoveName(StrEnum):
    """The moves, with their names in the API."""

    VERIFICATION_REQUESTED = "verification_requested"
    VERIFICATION_STARTED = "verification_started"
    RESULT_RECORDED = "result_recorded"
    PLAN_CHANGED = "plan_changed"
    VERIFICATION_EXPIRED = "verification_expired"
    AUTHORIZATION_NOT_REQUIRED = "authorization_not_required"
    AUTHORIZATION_REQUIRED = "authorization_required"
    AUTHORIZATION_CONFIRMED = "authorization_confirmed"
    AUTHORIZATION_SUBMITTED = "authorization_submitted"
    INFORMATION_ASKED = "information_asked"
    INFORMATION_SENT = "information_sent"
    AUTHORIZATION_APPROVED = "authorization_approved"
    AUTHORIZATION_DENIED = "authorization_denied"
    PEER_TO_PEER_ARRANGED = "peer_to_peer_arranged"
    PEER_TO_PEER_ENDED = "peer_to_peer_ended"
    APPEAL_FILED = "appeal_filed"
    APPEAL_LOST = "appeal_lost"
    EXTERNAL_REVIEW_REQUESTED = "external_review_requested"
    EXTERNAL_REVIEW_LOST = "external_review_lost"
    AUTHORIZATION_WITHDRAWN = "authorization_withdrawn"
    AGREEMENT_NEEDED = "agreement_needed"
    AGREEMENT_NOT_NEEDED = "agreement_not_needed"
    AGREEMENT_STARTED = "agreement_started"
    AGREEMENT_SIGNED = "agreement_signed"
    AGREEMENT_FAILED = "agreement_failed"
    CLEARED = "cleared"
    CLEARANCE_ENDED = "clearance_ended"
    ITEM_VERIFIED = "item_verified"


State = VerificationState | AuthorizationState | AgreementState | bool
"""A state of one machine. Of the clearance: whether it is set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageMove:
    """One row of the table.

    Attributes:
        label: What people call it, in the timeline and on a button.
        start: The states in which it is possible; empty for all of them.
        target: The state after it; None if a fact decides (`RESULT_RECORDED`, `PEER_TO_PEER_ENDED`), or
            if no state changes.
        by: Who may make it.
        needs: The facts that it must have.
        notifies: Who is notified.
        is_urgent: Whether a late reader can lose something that does not come back, such as a deadline.
    """

    machine: Machine
    label: str
    start: frozenset[State]
    target: State | None
    by: frozenset[Party]
    needs: tuple[str, ...] = ()
    notifies: Notified = Notified.NO_ONE
    is_urgent: bool = False


_V, _A, _G = VerificationState, AuthorizationState, AgreementState
_TEAMS = frozenset({Party.PRACTICE, Party.CENTER})
_CENTER = frozenset({Party.CENTER})
_SYSTEM = frozenset({Party.SYSTEM})
_ANY: frozenset[State] = frozenset()

OPEN_AUTHORIZATIONS: frozenset[AuthorizationState] = frozenset(
    {
        _A.TO_SUBMIT,
        _A.SUBMITTED,
        _A.MORE_INFORMATION,
        _A.DENIED,
        _A.PEER_TO_PEER,
        _A.APPEAL_FILED,
        _A.APPEAL_LOST,
        _A.EXTERNAL_REVIEW,
    }
)
"""The states in which an authorization is neither decided for good nor unknown."""

_FINISHED_AUTHORIZATIONS: frozenset[State] = frozenset(
    {_A.NOT_REQUIRED, _A.APPROVED, _A.DENIED, _A.APPEAL_LOST, _A.EXTERNAL_LOST, _A.WITHDRAWN}
)
"""After these a new request can begin: an approval ends, and a plan takes a new request after a denial."""

_WITH_PAYER: frozenset[State] = frozenset({_A.SUBMITTED, _A.MORE_INFORMATION})
_DECIDABLE: frozenset[State] = _WITH_PAYER | {_A.PEER_TO_PEER, _A.APPEAL_FILED, _A.EXTERNAL_REVIEW}

MOVES: Mapping[MoveName, CoverageMove] = {
    MoveName.VERIFICATION_REQUESTED: CoverageMove(
        machine=Machine.VERIFICATION,
        label="Benefits check requested",
        start=frozenset({_V.NOT_STARTED, _V.STALE, _V.UNABLE_TO_VERIFY}),
        target=_V.REQUESTED,
        by=_TEAMS,
    ),
    MoveName.VERIFICATION_STARTED: CoverageMove(
        machine=Machine.VERIFICATION,
        label="Payer asked",
        start=frozenset({_V.REQUESTED}),
        target=_V.VERIFYING,
        by=_TEAMS | {Party.PAYER},
    ),
    MoveName.RESULT_RECORDED: CoverageMove(
        machine=Machine.VERIFICATION,
        label="Result of the benefits check",
        start=_ANY,
        target=None,
        by=_TEAMS | {Party.PAYER},
        needs=("outcome", "how"),
        notifies=Notified.BOTH,
    ),
    MoveName.PLAN_CHANGED: CoverageMove(
        machine=Machine.VERIFICATION,
        label="The plan changed: verify again",
        start=frozenset(set(_V) - {_V.NOT_APPLICABLE}),
        target=_V.STALE,
        by=_TEAMS | {Party.PAYER, Party.SYSTEM},
        needs=("reason",),
        notifies=Notified.BOTH,
    ),
    MoveName.VERIFICATION_EXPIRED: CoverageMove(
        machine=Machine.VERIFICATION,
        label="The benefits check expired",
        start=frozenset({_V.VERIFIED, _V.VERIFIED_WITH_CONDITIONS}),
        target=_V.STALE,
        by=_SYSTEM,
        notifies=Notified.BOTH,
    ),
    MoveName.AUTHORIZATION_NOT_REQUIRED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="No authorization required",
        start=frozenset({_A.UNKNOWN, _A.TO_SUBMIT}) | _FINISHED_AUTHORIZATIONS,
        target=_A.NOT_REQUIRED,
        by=_TEAMS | {Party.PAYER},
        needs=("how",),
    ),
    MoveName.AUTHORIZATION_REQUIRED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="Authorization required",
        start=frozenset({_A.UNKNOWN}) | _FINISHED_AUTHORIZATIONS,
        target=_A.TO_SUBMIT,
        by=_TEAMS | {Party.PAYER},
        needs=("how",),
        notifies=Notified.CENTER,
    ),
    MoveName.AUTHORIZATION_CONFIRMED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="The new plan confirmed the authorization",
        start=_ANY,
        target=None,
        by=_TEAMS,
        needs=("how",),
        notifies=Notified.BOTH,
    ),
    MoveName.AUTHORIZATION_SUBMITTED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="Authorization submitted",
        start=frozenset({_A.TO_SUBMIT}),
        target=_A.SUBMITTED,
        by=_TEAMS,
        needs=("submitted_on", "channel", "case_number", "review"),
        notifies=Notified.OTHER_SIDE,
    ),
    MoveName.INFORMATION_ASKED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="The payer asks for more information",
        start=frozenset({_A.SUBMITTED}),
        target=_A.MORE_INFORMATION,
        by=_TEAMS,
        needs=("items", "deadline"),
        notifies=Notified.PRACTICE,
    ),
    MoveName.INFORMATION_SENT: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="Information sent to the payer",
        start=frozenset({_A.MORE_INFORMATION}),
        target=_A.SUBMITTED,
        by=_TEAMS,
        needs=("items", "sent_on"),
        notifies=Notified.CENTER,
    ),
    MoveName.AUTHORIZATION_APPROVED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="Authorization approved by the payer",
        start=_DECIDABLE,
        target=_A.APPROVED,
        by=_TEAMS,
        needs=("authorization_number", "begins_on", "ends_on", "product_id", "site"),
        notifies=Notified.BOTH,
    ),
    MoveName.AUTHORIZATION_DENIED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="Authorization denied by the payer",
        start=_WITH_PAYER,
        target=_A.DENIED,
        by=_TEAMS,
        needs=("letter_on", "reason", "words", "deadline"),
        notifies=Notified.BOTH,
        is_urgent=True,
    ),
    MoveName.PEER_TO_PEER_ARRANGED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="Peer-to-peer call arranged",
        start=frozenset({_A.DENIED, _A.PEER_TO_PEER}),
        target=_A.PEER_TO_PEER,
        by=_TEAMS,
        needs=("phone", "caller"),
        notifies=Notified.BOTH,
    ),
    MoveName.PEER_TO_PEER_ENDED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="Peer-to-peer call ended",
        start=frozenset({_A.PEER_TO_PEER}),
        target=None,
        by=_TEAMS,
        needs=("outcome",),
        notifies=Notified.BOTH,
    ),
    MoveName.APPEAL_FILED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="Appeal filed",
        start=frozenset({_A.DENIED, _A.PEER_TO_PEER, _A.APPEAL_LOST}),
        target=_A.APPEAL_FILED,
        by=_TEAMS,
        needs=("level", "filed_on", "deadline"),
        notifies=Notified.BOTH,
    ),
    MoveName.APPEAL_LOST: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="The payer upheld the denial on appeal",
        start=frozenset({_A.APPEAL_FILED}),
        target=_A.APPEAL_LOST,
        by=_TEAMS,
        needs=("decided_on",),
        notifies=Notified.BOTH,
        is_urgent=True,
    ),
    MoveName.EXTERNAL_REVIEW_REQUESTED: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="External review requested",
        start=frozenset({_A.APPEAL_LOST}),
        target=_A.EXTERNAL_REVIEW,
        by=_TEAMS,
        needs=("requested_on", "reviewer"),
        notifies=Notified.BOTH,
    ),
    MoveName.EXTERNAL_REVIEW_LOST: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="The external review upheld the denial",
        start=frozenset({_A.EXTERNAL_REVIEW}),
        target=_A.EXTERNAL_LOST,
        by=_TEAMS,
        needs=("decided_on",),
        notifies=Notified.BOTH,
    ),
    MoveName.AUTHORIZATION_WITHDRAWN: CoverageMove(
        machine=Machine.AUTHORIZATION,
        label="Authorization request withdrawn",
        start=frozenset(OPEN_AUTHORIZATIONS),
        target=_A.WITHDRAWN,
        by=_TEAMS,
        needs=("reason",),
        notifies=Notified.BOTH,
    ),
    MoveName.AGREEMENT_NEEDED: CoverageMove(
        machine=Machine.AGREEMENT,
        label="Single case agreement needed",
        # An agreement ends, and another payer needs its own.
        start=frozenset({_G.NOT_NEEDED, _G.FAILED, _G.SIGNED}),
        target=_G.NEEDED,
        by=_CENTER,
        needs=("reason",),
        notifies=Notified.PRACTICE,
    ),
    MoveName.AGREEMENT_NOT_NEEDED: CoverageMove(
        machine=Machine.AGREEMENT,
        label="No single case agreement needed",
        start=frozenset({_G.NEEDED, _G.IN_PROGRESS, _G.FAILED, _G.SIGNED}),
        target=_G.NOT_NEEDED,
        by=_CENTER,
        needs=("reason",),
        notifies=Notified.PRACTICE,
    ),
    MoveName.AGREEMENT_STARTED: CoverageMove(
        machine=Machine.AGREEMENT,
        label="Single case agreement in progress",
        start=frozenset({_G.NEEDED}),
        target=_G.IN_PROGRESS,
        by=_CENTER,
        needs=("requested_on",),
    ),
    MoveName.AGREEMENT_SIGNED: CoverageMove(
        machine=Machine.AGREEMENT,
        label="Single case agreement signed",
        start=frozenset({_G.IN_PROGRESS}),
        target=_G.SIGNED,
        by=_CENTER,
        needs=("signed_on", "begins_on"),
        notifies=Notified.PRACTICE,
    ),
    MoveName.AGREEMENT_FAILED: CoverageMove(
        machine=Machine.AGREEMENT,
        label="No single case agreement was reached",
        start=frozenset({_G.NEEDED, _G.IN_PROGRESS}),
        target=_G.FAILED,
        by=_CENTER,
        needs=("reason",),
        notifies=Notified.PRACTICE,
    ),
    MoveName.CLEARED: CoverageMove(
        machine=Machine.CLEARANCE,
        label="Coverage cleared by the center",
        start=_ANY,
        target=True,
        by=_CENTER,
        needs=("until", "basis"),
        notifies=Notified.BOTH,
    ),
    MoveName.CLEARANCE_ENDED: CoverageMove(
        machine=Machine.CLEARANCE,
        label="Coverage clearance ended",
        start=frozenset({True}),
        target=False,
        by=_CENTER | {Party.SYSTEM},
        needs=("reason",),
        notifies=Notified.BOTH,
    ),
    MoveName.ITEM_VERIFIED: CoverageMove(
        machine=Machine.CHECKLIST,
        label="Item of the benefits check answered",
        start=_ANY,
        target=None,
        by=_TEAMS,
        needs=("item", "answer"),
    ),
}
"""Every move of the coverage. Tests compare the rows with the request bodies and the notices."""

CENTER_ONLY_FACTS: frozenset[str] = frozenset({"rate_basis"})
"""Facts that name amounts of the center's contract with a payer. The practice never sees them."""
