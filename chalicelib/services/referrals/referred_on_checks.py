"""Checks of the day on which a patient was referred before the referral was entered here."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib.domain.referrals.history_start import REFERRED_ON, find_referred_on_fault
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ConflictError, FieldError, MalformedError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.consent_checks import get_practice_day


def check_referred_on(
    details: Mapping[str, Any], before: Referral | None, *, practice_id: str, context: RunContext
) -> None:
    """Check the day of the referral. A day that did not change is not checked again.

    Raises:
        MalformedError: it is in the future at the practice, or too long ago.
        ConflictError: the referral was submitted, and its history depends on the day.
    """
    text = details.get(REFERRED_ON)
    if before is not None and text == before.details.get(REFERRED_ON):
        return
    if before is not None and before.stage is not Stage.DRAFT:
        message = "You cannot change this day after you submit, because the steps since then depend on it."
        raise ConflictError("not_editable", message, errors=[FieldError(f"/{REFERRED_ON}", "not_editable", message)])
    if not text:
        return
    fault = find_referred_on_fault(date.fromisoformat(text), today=get_practice_day(practice_id, context=context))
    if fault:
        raise MalformedError(
            "referred_on_wrong", fault, errors=[FieldError(f"/{REFERRED_ON}", "referred_on_wrong", fault)]
        )
