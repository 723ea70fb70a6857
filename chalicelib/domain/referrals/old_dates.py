"""Dates of a person's report that are so long before the referral that the person is asked about them.

A mistyped year puts an event into the wrong decade, where it changes nothing and misleads every reader. A
center's system is not asked: no one would answer, and its history may be long.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.platform.partial_dates import parse_partial_date
from chalicelib.domain.referrals.events import Corrected, ReferralEvent
from chalicelib.domain.referrals.history_start import EARLIEST_ZONE, get_history_start
from chalicelib.domain.referrals.referral import Referral

ASKED_BEFORE_START = timedelta(days=60)
"""How long before the start of the referral a date may be without a question. Our own choice: the work-up before
a referral takes weeks, and a mistyped year or month is further away."""


class OldDate(StrEnum):
    """Why a date needs a confirmation, or can never be right. Codes of the API."""

    BEFORE_BIRTH = "before_birth"
    LONG_BEFORE_REFERRAL = "confirm_old_date"


def get_start(referral: Referral) -> datetime:
    """Get when the referral began: the day it was made or its submission, or its creation while it is a draft."""
    return get_history_start(referral) or referral.created_at


def find_old_date(referral: Referral, event: ReferralEvent) -> OldDate | None:
    """Find whether the time of an event, or of what a correction replaces it with, is surprisingly old."""
    at = _get_time(event)
    born = _get_first_possible_birth(referral)
    if born is not None and at < born:
        return OldDate.BEFORE_BIRTH
    return OldDate.LONG_BEFORE_REFERRAL if at < get_start(referral) - ASKED_BEFORE_START else None


def _get_time(event: ReferralEvent) -> datetime:
    replacement = event.replacement if isinstance(event, Corrected) else None
    return (replacement or event).occurred_at


def _get_first_possible_birth(referral: Referral) -> datetime | None:
    """The first moment, anywhere on earth, of the first day on which the patient can have been born."""
    text = (referral.details.get("patient") or {}).get("birth_date") or ""
    try:
        days = parse_partial_date(text)
    except ValueError:
        return None
    if days is None:
        return None
    first = days[0]
    zone = get_start(referral).tzinfo
    return datetime(first.year, first.month, first.day, tzinfo=zone) - EARLIEST_ZONE
