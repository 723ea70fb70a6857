"""Builds the two organizations of a referral, as responses name them."""

from chalicelib import wiring
from chalicelib.domain.identity.members import TenantKind
from chalicelib.routes.platform.responses import TenantResponse
from chalicelib.routes.referrals.referral_part_types import ReferralCenterResponse


def build_practice(practice_id: str) -> TenantResponse:
    """The referring practice of a referral."""
    tenant = wiring.get_stores().tenants.get_cached(TenantKind.PRACTICE, practice_id)
    return {"tenant_id": practice_id, "name": tenant.name if tenant else None}


def build_center(center_id: str | None) -> ReferralCenterResponse | None:
    """The treatment center of a referral; None while none is chosen."""
    center = wiring.get_stores().tenants.get_center(center_id)
    if center is None:
        return None
    return {
        "center_id": center.center_id,
        "name": center.tenant.name,
        "time_zone": center.tenant.time_zone,
        "intake_phone": center.listing.get("intake_phone"),
        "after_hours_phone": center.listing.get("after_hours_phone"),
    }
