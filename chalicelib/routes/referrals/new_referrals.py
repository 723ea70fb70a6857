"""Converts the request body of a new referral to what the services take."""

import json
from typing import Any

from chalicelib.domain.referrals.history_start import REFERRED_ON
from chalicelib.domain.referrals.unfinished import UNFINISHED
from chalicelib.routes.referrals.request_bodies import ReferralPatchRequest, ReferralRequest
from chalicelib.services.referrals.create import NewReferral

REFERRAL_SECTIONS = (
    "patient",
    "clinical",
    "referring_provider",
    "insurance",
    "consent_to_share",
    "none_because",
    "note",
)


def to_new_referral(body: ReferralRequest) -> NewReferral:
    """Convert the request body of a new referral."""
    details = to_plain_json(body)
    sections = {name: details[name] for name in REFERRAL_SECTIONS}
    if body.referred_on:
        sections[REFERRED_ON] = details[REFERRED_ON]
    if body.unfinished:
        sections[UNFINISHED] = details[UNFINISHED]
    return NewReferral(
        details=sections,
        alias=details["patient"].get("alias") or None,
        product_id=body.product_id,
        center_id=body.center_id,
        urgency=body.urgency,
        continues=body.continues,
    )


def to_plain_json(body: ReferralRequest | ReferralPatchRequest, *, exclude_unset: bool = False) -> dict[str, Any]:
    """The body as plain JSON values, which are stored and returned as they are."""
    values: dict[str, Any] = json.loads(body.model_dump_json(exclude_unset=exclude_unset))
    return values
