"""What both sides should notice about the coverage. A warning never blocks anything."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from chalicelib.domain.coverage.display import find_status_on
from chalicelib.domain.coverage.moves import OPEN_AUTHORIZATIONS, MoveName
from chalicelib.domain.coverage.track import CoverageTrack
from chalicelib.domain.platform.dates import format_date
from chalicelib.domain.referrals.coverage_status import AgreementState, DeadlineKind, TrackStatus, VerificationState
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.planned_dates import list_open_plans
from chalicelib.domain.referrals.plans import get_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage


class CoverageWarning(NamedTuple):
    """A warning: its stable code, and a sentence."""

    code: str
    message: str


def list_status_warnings(referral: Referral, *, today: date, time_zone: str) -> Iterator[CoverageWarning]:
    """List what the states and dates of a referral's coverage say about its leukapheresis and its deadlines.

    Args:
        referral: The referral.
        today: The day at the practice.
        time_zone: The center's time zone, in which the leukapheresis is planned.
    """
    if referral.stage in TERMINAL_STAGES:
        return
    status = find_status_on(referral, today=today)
    if status.verification is VerificationState.NOT_APPLICABLE:
        return
    on = find_leukapheresis_day(referral, time_zone=time_zone)
    is_planned = on is not None or referral.stage is Stage.APHERESIS_SCHEDULED
    if is_planned and not status.is_cleared:
        yield CoverageWarning(
            "no_clearance", "Leukapheresis is scheduled, and the center has not recorded a coverage clearance."
        )
    if on and status.cleared_until and status.cleared_until < on:
        yield CoverageWarning(
            "clearance_ends_first",
            f"The coverage clearance ends on {format_date(status.cleared_until)}, before the leukapheresis "
            f"on {format_date(on)}.",
        )
    deadline = status.deadline
    if deadline and deadline.kind is not DeadlineKind.DECISION and deadline.on < today:
        yield CoverageWarning(
            "deadline_passed", f"The payer's deadline was {format_date(deadline.on)}. Call the payer today."
        )
    if status.is_cleared and _is_open(status):
        yield CoverageWarning(
            "cleared_while_open", "The clearance is recorded while the authorization or the case agreement is open."
        )


def list_track_warnings(track: CoverageTrack, referral: Referral) -> Iterator[CoverageWarning]:
    """List what the entered facts contradict in the referral."""
    product_id = track.get_fact(MoveName.AUTHORIZATION_APPROVED, "product_id")
    is_approved = str(track.status.authorization) == "approved" and not track.status.is_authorization_of_earlier_plan
    if is_approved and product_id and referral.current_product_id and product_id != referral.current_product_id:
        yield CoverageWarning(
            "other_product", "The payer approved another product than the one that is planned. Check with the payer."
        )


def find_leukapheresis_day(referral: Referral, *, time_zone: str) -> date | None:
    """Find the planned day of the leukapheresis at the center."""
    days = (get_local_day(p.day, time_zone) for p in list_open_plans(referral) if p.plan is PlanKind.LEUKAPHERESIS)
    return next(days, None)


def _is_open(status: TrackStatus) -> bool:
    return status.authorization in OPEN_AUTHORIZATIONS or status.agreement in {
        AgreementState.NEEDED,
        AgreementState.IN_PROGRESS,
    }
