"""The question about a date long before the referral that a person reports."""

from chalicelib.domain.referrals.events import Corrected, ReferralEvent
from chalicelib.domain.referrals.old_dates import ASKED_BEFORE_START, OldDate, find_old_date
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import ApiError, ConflictError, FieldError, MalformedError


def check_date(referral: Referral, event: ReferralEvent, *, is_confirmed: bool) -> ApiError | None:
    """Build the error for a date that is before the patient's birth, or old and not confirmed."""
    found = find_old_date(referral, event)
    is_correction = isinstance(event, Corrected) and event.replacement is not None
    pointer = "/data/replacement/occurred_at" if is_correction else "/occurred_at"
    if found is OldDate.BEFORE_BIRTH:
        text = "This date is before the patient was born. Check the date."
        return MalformedError(found.value, text, errors=[FieldError(pointer, found.value, text)])
    if found is OldDate.LONG_BEFORE_REFERRAL and not is_confirmed:
        text = (
            f"This date is more than {ASKED_BEFORE_START.days} days before the referral began. "
            "Check the date, then confirm it."
        )
        return ConflictError(found.value, text, errors=[FieldError(pointer, "confirm", text)])
    return None
