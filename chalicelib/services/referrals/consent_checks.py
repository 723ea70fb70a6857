"""Checks of a consent before it is stored. Each error names the field."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.referrals.consent import needs_confirmation, with_withdrawal_date
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import ConflictError, FieldError, MalformedError
from chalicelib.services.platform.run_context import RunContext

_SECTION = "consent_to_share"


def get_practice_day(practice_id: str, *, context: RunContext) -> date:
    """The calendar day at the practice."""
    tenant = context.stores.tenants.get_cached(TenantKind.PRACTICE, practice_id)
    return to_local_day(context.now, tenant.time_zone if tenant else "UTC")


def complete_consent(
    details: Mapping[str, Any], before: Referral | None, *, practice_id: str, context: RunContext
) -> Mapping[str, Any]:
    """Check the consent of a referral, and return its details with the date of a withdrawal added.

    A consent that did not change is not checked again, so that old rows do not block other changes.

    Raises:
        MalformedError: its dates contradict each other.
        ConflictError: it is old, and no one confirmed that it still applies.
    """
    consent = details.get(_SECTION)
    earlier = before.details.get(_SECTION) if before else None
    if not consent or consent == earlier:
        return details
    today = get_practice_day(practice_id, context=context)
    is_shared = before is not None and before.submitted_at is not None
    consent = with_withdrawal_date(consent, earlier if is_shared else None, today=today) or consent
    _require_ordered_dates(consent)
    if needs_confirmation(consent, today=today):
        message = "This consent is more than a year old. Check that it still applies, then confirm it."
        raise ConflictError(
            "confirm_old_consent", message, errors=[FieldError("/consent_to_share/on", "confirm", message)]
        )
    return {**details, _SECTION: consent}


def _require_ordered_dates(consent: Mapping[str, Any]) -> None:
    given_on = consent.get("on")
    faults = []
    if given_on and (consent.get("expires_on") or given_on) < given_on:
        faults.append(("expires_on", "The end date is before the date of consent. Check both dates."))
    if given_on and (consent.get("withdrawn_on") or given_on) < given_on:
        faults.append(("withdrawn_on", "The withdrawal is before the date of consent. Check both dates."))
    if faults:
        raise MalformedError(
            "contradictory",
            "Some dates of the consent contradict each other. Check the marked fields.",
            errors=[FieldError(f"/consent_to_share/{name}", "contradictory", message) for name, message in faults],
        )
