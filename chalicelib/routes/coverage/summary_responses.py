"""The coverage as a list and a referral show it: one state, who acts next, until when, and warnings."""

from datetime import date

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.coverage.display import compute_display, find_status_on
from chalicelib.domain.coverage.warnings import CoverageWarning, list_status_warnings
from chalicelib.domain.referrals.coverage_status import TrackStatus
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage


class CoverageWarningResponse(TypedDict):
    """What both sides should notice. It blocks nothing."""

    code: str
    """A stable code for programs."""
    message: str
    """A sentence for people."""


class CoverageStateResponse(TypedDict):
    """The coverage for display: the first state that applies, who acts next, and until when."""

    state: str
    """The state for display, as a code."""
    label: str
    """The words for it, for display."""
    next_actor: str
    """Who acts next: `practice`, `center`, `payer` or `none`."""
    next_step: str
    """What comes next, in one sentence."""
    until: str | None
    """The day until which it counts, or by which the next step is due (YYYY-MM-DD); null without one."""


class CoverageSummaryResponse(CoverageStateResponse):
    """The coverage of a referral, with its warnings. Its content is at the referral's `coverage` address."""

    verification: str
    """The state of the benefits verification, as a code such as `verified`."""
    authorization: str
    """The state of the prior authorization, as a code such as `submitted`."""
    agreement: str
    """The state of the single case agreement, as a code such as `signed`."""
    is_cleared: bool
    """Whether the center has cleared the coverage."""
    cleared_until: str | None
    """The last day of the clearance (YYYY-MM-DD); null without one."""
    warnings: list[CoverageWarningResponse]
    """What both sides should notice. It blocks nothing."""


def to_coverage_state_response(status: TrackStatus, *, stage: Stage, today: date) -> CoverageStateResponse:
    """The coverage of a row in a list, on a day of the practice."""
    shown = compute_display(status, today=today, is_closed=stage in TERMINAL_STAGES)
    return {
        "state": shown.state,
        "label": shown.label,
        "next_actor": shown.next_actor,
        "next_step": shown.next_step,
        "until": shown.until.isoformat() if shown.until else None,
    }


def to_coverage_summary_response(referral: Referral, *, today: date, time_zone: str) -> CoverageSummaryResponse:
    """The coverage of a referral on a day of the practice. `time_zone` is the center's."""
    status = find_status_on(referral, today=today)
    return {
        **to_coverage_state_response(status, stage=referral.stage, today=today),
        "verification": status.verification,
        "authorization": status.authorization,
        "agreement": status.agreement,
        "is_cleared": status.is_cleared,
        "cleared_until": status.cleared_until.isoformat() if status.cleared_until else None,
        "warnings": to_warning_responses(list(list_status_warnings(referral, today=today, time_zone=time_zone))),
    }


def to_warning_responses(warnings: list[CoverageWarning]) -> list[CoverageWarningResponse]:
    """Warnings as the API returns them."""
    return [{"code": warning.code, "message": warning.message} for warning in warnings]
