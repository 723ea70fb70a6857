"""The consent, or another basis, on which a practice shares a patient's records with a center.

The product records what the practice says and shows it to both sides. It does not decide whether
records may be shared: the practice and the center do, with their own rules.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from chalicelib.domain.referrals.referral import Referral


class ConsentBasis(StrEnum):
    """Why the records may be shared.

    Source: 45 CFR 164.506(c) allows disclosure for treatment without an authorization; 45 CFR 164.508
    describes the patient's authorization; some states require more (read 2026-11-29).
    """

    TREATMENT = "treatment"
    PATIENT_CONSENT = "patient_consent"
    STATE_LAW = "state_law"


class ConsentScope(StrEnum):
    """Which records are shared."""

    ALL_RECORDS = "all_records"
    REFERRAL_PACKET = "referral_packet"
    EXCEPT_SENSITIVE = "except_sensitive"
    """Not the records that some laws protect more, such as HIV, mental health and substance use."""


class ConsentState(StrEnum):
    """Where the consent is, as of a day."""

    NOT_RECORDED = "not_recorded"
    RECORDED = "recorded"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


OLD_AFTER_DAYS = 365
"""After how many days a consent counts as old, so that the practice is asked to confirm it.

This product's own decision, not a rule of law: many forms of authorization end after one year, and in a
year of treatment a patient may have changed their mind. A newer consent needs no question."""

_BASES_WITHOUT_CONSENT = frozenset({ConsentBasis.TREATMENT, ConsentBasis.STATE_LAW})


def is_withdrawn(consent: Mapping[str, Any] | None) -> bool:
    """Whether the patient withdrew. Rows of earlier releases have no date of withdrawal."""
    return bool(consent and consent.get("withdrawn_on"))


def is_sharing_stopped(referral: Referral) -> bool:
    """Whether routine sharing with the center has stopped, because the patient withdrew consent."""
    return is_withdrawn(referral.details.get("consent_to_share"))


def has_basis(consent: Mapping[str, Any] | None) -> bool:
    """Whether the practice recorded a consent, or another basis, that was not withdrawn."""
    if not consent or is_withdrawn(consent):
        return False
    return bool(consent.get("given")) or consent.get("basis") in _BASES_WITHOUT_CONSENT


def compute_consent_state(consent: Mapping[str, Any] | None, *, today: date) -> ConsentState:
    """Compute where the consent is on a day of the practice."""
    if is_withdrawn(consent):
        return ConsentState.WITHDRAWN
    if not consent or not has_basis(consent):
        return ConsentState.NOT_RECORDED
    expires_on = consent.get("expires_on")
    return ConsentState.EXPIRED if expires_on and date.fromisoformat(expires_on) < today else ConsentState.RECORDED


def needs_confirmation(consent: Mapping[str, Any] | None, *, today: date) -> bool:
    """Whether the consent is old and no one confirmed that it still applies."""
    given_on = consent.get("on") if consent else None
    if not consent or not given_on or is_withdrawn(consent) or consent.get("confirmed"):
        return False
    return (today - date.fromisoformat(given_on)).days > OLD_AFTER_DAYS


def with_withdrawal_date(
    consent: Mapping[str, Any] | None, before: Mapping[str, Any] | None, *, today: date
) -> Mapping[str, Any] | None:
    """Read "no longer given" as a withdrawal on the day when it was recorded, if no date was entered."""
    was_given = has_basis(before)
    if consent and was_given and consent.get("given") is False and not has_basis(consent):
        return {**consent, "withdrawn_on": consent.get("withdrawn_on") or today.isoformat()}
    return consent
