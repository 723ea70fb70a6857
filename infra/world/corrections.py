"""Corrections of facts in the sample data: a new phone, another payer, a coordinator, a withdrawn consent."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.amend import amend_referral
from chalicelib.store.all_stores import Stores

_AFTER = timedelta(minutes=5)
"""How long after a step the correction is made: before the next step of every story, and never ahead of now."""


class Correction(NamedTuple):
    """What a side corrects after a step of a story. `change` gets the referral and the day of the correction."""

    after: Stage
    side: TenantKind
    change: Callable[[Referral, datetime], Mapping[str, Any]]


def _change_section(name: str, **values: Any) -> Callable[[Referral, datetime], Mapping[str, Any]]:
    return lambda referral, _at: {name: {**(referral.details.get(name) or {}), **values}}


def _withdraw_consent(referral: Referral, at: datetime) -> Mapping[str, Any]:
    consent = referral.details.get("consent_to_share") or {}
    return {"consent_to_share": {**consent, "withdrawn_on": at.date().isoformat()}}


CORRECTIONS: Mapping[int, Correction] = {
    5: Correction(
        Stage.RECEIVED,
        TenantKind.PRACTICE,
        lambda _referral, _at: {"insurance": {"plan_type": "uninsured"}},
    ),
    9: Correction(Stage.ACCEPTED, TenantKind.PRACTICE, _change_section("patient", phone="+12255550190")),
    15: Correction(
        Stage.CONSULT_SCHEDULED,
        TenantKind.CENTER,
        _change_section("center_contact", coordinator="Jo Lund", phone="+17135550177", email="jo.lund@bayou.example"),
    ),
    21: Correction(Stage.ELIGIBILITY_PENDING, TenantKind.PRACTICE, _withdraw_consent),
    32: Correction(
        Stage.MANUFACTURING_STARTED,
        TenantKind.PRACTICE,
        _change_section("insurance", payer="Example Mutual", member_id="XEX0004"),
    ),
}
"""By the number of the story. Each one is open."""


def find_correction(number: int, stage: Stage) -> Correction | None:
    """Find what is corrected after this step of a story."""
    correction = CORRECTIONS.get(number)
    return correction if correction and correction.after is stage else None


def apply_correction(correction: Correction, referral_id: str, member: Member, *, at: datetime, stores: Stores) -> None:
    """Apply a correction once. An earlier attempt may already have made it."""
    referral = stores.referrals.get(referral_id)
    made, _ = stores.fact_changes.list_page(referral_id, limit=1, start=None)
    if referral is None or made:
        return
    context = RunContext(stores, at + _AFTER)
    changes = correction.change(referral, context.now)
    amend_referral(referral_id, changes, version=referral.version, member=member, context=context)
