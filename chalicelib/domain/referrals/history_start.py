"""When the history of a referral begins: its submission, or an earlier day for a patient already on the way.

A practice may enter a patient whose care began elsewhere, on paper or by phone. It then sends `referred_on`.
The submission keeps its true time, but steps from that day on count like steps after the submission.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.referrals.referral import Referral

REFERRED_ON = "referred_on"
"""The fact that holds the day: a date as text in `Referral.details`."""

MAX_YEARS_BACK = 2
"""How long ago `referred_on` may be. Source: the product's API contract, section 3."""

EARLIEST_ZONE = timedelta(hours=14)
"""How much earlier a calendar day begins in the earliest time zone than in UTC."""


def get_referred_on(referral: Referral) -> date | None:
    """Get the day on which the patient was referred before the referral was entered here; None if not so."""
    text = referral.details.get(REFERRED_ON)
    return date.fromisoformat(text) if text else None


def get_history_start(referral: Referral) -> datetime | None:
    """Get when the history begins; None for a draft without such a day.

    For a day it is the moment when the day begins anywhere on earth, so that no step of that day is before it.
    """
    referred_on = get_referred_on(referral)
    if referred_on is None:
        return referral.submitted_at
    start = datetime.combine(referred_on, time(), UTC) - EARLIEST_ZONE
    return min(start, referral.submitted_at) if referral.submitted_at else start


def get_submission_time(referral: Referral, occurred_at: datetime, time_zone: str) -> datetime:
    """Get when the referral entered its first stage: at its submission, or when `referred_on` began at the center."""
    referred_on = get_referred_on(referral)
    if referred_on is None:
        return occurred_at
    return min(occurred_at, datetime.combine(referred_on, time(), ZoneInfo(time_zone)).astimezone(UTC))


def find_referred_on_fault(referred_on: date, *, today: date) -> str | None:
    """Find why a day cannot be the day of the referral, in plain words; None if it can.

    Args:
        referred_on: The day.
        today: The calendar day at the practice.
    """
    if referred_on > today:
        return "This day is in the future. Enter the day on which the patient was referred."
    # February 29 has no counterpart two years before.
    if (today.year - referred_on.year, today.month, today.day) > (
        MAX_YEARS_BACK,
        referred_on.month,
        referred_on.day,
    ):
        return f"This day is more than {MAX_YEARS_BACK} years ago. Check the year."
    return None
