"""The consent to share: its basis, its state on a day, and when it must be confirmed."""

from datetime import date

import pytest

from chalicelib.domain.referrals.consent import (
    ConsentState,
    compute_consent_state,
    has_basis,
    needs_confirmation,
    with_withdrawal_date,
)

TODAY = date(2026, 11, 29)
GIVEN = {"given": True, "on": "2026-10-03"}


@pytest.mark.parametrize(
    ("consent", "state"),
    [
        (None, ConsentState.NOT_RECORDED),
        ({"given": False}, ConsentState.NOT_RECORDED),
        ({"given": False, "basis": "patient_consent"}, ConsentState.NOT_RECORDED),
        (GIVEN, ConsentState.RECORDED),
        ({"given": False, "basis": "treatment"}, ConsentState.RECORDED),
        ({"given": False, "basis": "state_law"}, ConsentState.RECORDED),
        (GIVEN | {"expires_on": "2026-11-29"}, ConsentState.RECORDED),
        (GIVEN | {"expires_on": "2026-11-28"}, ConsentState.EXPIRED),
        (GIVEN | {"withdrawn_on": "2026-11-29"}, ConsentState.WITHDRAWN),
        ({"given": False, "basis": "treatment", "withdrawn_on": "2026-11-29"}, ConsentState.WITHDRAWN),
    ],
)
def test_the_state_of_a_consent(consent, state):
    """Rows of earlier releases have only whether it was given, and when."""
    assert compute_consent_state(consent, today=TODAY) is state


@pytest.mark.parametrize(
    ("consent", "asks"),
    [
        (None, False),
        ({"given": True}, False),
        ({"given": True, "on": "2025-11-29"}, False),
        ({"given": True, "on": "2025-11-28"}, True),
        ({"given": True, "on": "2021-11-28"}, True),
        ({"given": True, "on": "2021-11-28", "confirmed": True}, False),
        ({"given": True, "on": "2021-11-28", "withdrawn_on": "2026-11-01"}, False),
    ],
)
def test_an_old_consent_must_be_confirmed(consent, asks):
    """After 365 days, once, and not to withdraw it."""
    assert needs_confirmation(consent, today=TODAY) is asks


def test_no_longer_given_is_a_withdrawal_today():
    """A practice that clears the answer of a shared referral means that the patient withdrew."""
    withdrawn = with_withdrawal_date({"given": False, "on": "2026-10-03"}, GIVEN, today=TODAY)

    assert withdrawn == {"given": False, "on": "2026-10-03", "withdrawn_on": "2026-11-29"}
    assert not has_basis(withdrawn)


@pytest.mark.parametrize("before", [None, {"given": False}])
def test_a_consent_that_was_never_given_is_not_withdrawn(before):
    """A draft that says "not yet" stays without a consent."""
    assert with_withdrawal_date({"given": False}, before, today=TODAY) == {"given": False}
