"""The coverage of a referral as lists and decisions need it: states and dates, without what the payer said.

Verification, authorization and case agreement move at the same time, so each has a state of its own. The
clearance is set by a person of the center. The moves are in `domain.coverage.moves`. What was entered with
them is health data and is stored in a row of its own.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chalicelib.domain.platform.kept_unknown import KeepsUnknown


class VerificationState(StrEnum):
    """Whether the payer confirmed the benefits."""

    NOT_STARTED = "not_started"
    REQUESTED = "requested"
    VERIFYING = "verifying"
    VERIFIED = "verified"
    VERIFIED_WITH_CONDITIONS = "verified_with_conditions"
    UNABLE_TO_VERIFY = "unable_to_verify"
    STALE = "stale"
    NOT_APPLICABLE = "not_applicable"
    """The patient has no insurance. It follows from the referral and is never stored."""


class StaleReason(StrEnum):
    """Why an earlier verification no longer counts."""

    EXPIRED = "expired"
    PLAN_CHANGED = "plan_changed"


class AuthorizationState(StrEnum):
    """The payer's prior authorization."""

    UNKNOWN = "unknown"
    NOT_REQUIRED = "not_required"
    TO_SUBMIT = "to_submit"
    SUBMITTED = "submitted"
    MORE_INFORMATION = "more_info"
    APPROVED = "approved"
    DENIED = "denied"
    PEER_TO_PEER = "peer_to_peer"
    APPEAL_FILED = "appeal_filed"
    APPEAL_LOST = "appeal_lost"
    EXTERNAL_REVIEW = "external_review"
    EXTERNAL_LOST = "external_lost"
    WITHDRAWN = "withdrawn"


class AgreementState(StrEnum):
    """The single case agreement between the center and the payer."""

    NOT_NEEDED = "not_needed"
    NEEDED = "needed"
    IN_PROGRESS = "in_progress"
    SIGNED = "signed"
    FAILED = "failed"


class DeadlineKind(StrEnum):
    """What a person must do by a deadline that the payer set, or what the payer is expected to do."""

    INFORMATION = "information"
    APPEAL = "appeal"
    DECISION = "decision"
    """The payer's own. It is expected then, not owed by law, because hours count from the payer's receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageDeadline:
    """A date that a person entered, and the day on which it was entered. Field names are stored."""

    kind: DeadlineKind
    on: date
    entered_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackStatus(KeepsUnknown):
    """The states and dates of a referral's coverage. Field names are stored.

    Attributes:
        verified_until: The last day for which the verification is valid; None if the payer gave none.
        plan_year_ends_on: December 31 of the verified year, for a plan whose year is the calendar year.
        is_authorization_of_earlier_plan: Whether the authorization was recorded under a plan that the
            patient no longer has. It can be confirmed or started again.
        authorized_until: The last day of an approval; None if the payer gave none.
        is_cleared: Whether a person of the center recorded the clearance.
        cleared_until: The last day of the clearance.
        call_at: When a peer-to-peer call with the payer is arranged; None if there is none, or no time.
    """

    verification: VerificationState = VerificationState.NOT_STARTED
    stale_reason: StaleReason | None = None
    verified_until: date | None = None
    plan_year_ends_on: date | None = None
    authorization: AuthorizationState = AuthorizationState.UNKNOWN
    is_authorization_of_earlier_plan: bool = False
    authorized_until: date | None = None
    agreement: AgreementState = AgreementState.NOT_NEEDED
    is_cleared: bool = False
    cleared_until: date | None = None
    deadline: CoverageDeadline | None = None
    call_at: datetime | None = None


NO_COVERAGE = TrackStatus()
"""Before anything was recorded."""
