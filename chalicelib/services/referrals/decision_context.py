"""Loads what a decision about an event needs besides the referral."""

from chalicelib import catalog
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import DecisionContext
from chalicelib.services.platform.run_context import RunContext


def load_decision_context(referral: Referral, *, context: RunContext) -> DecisionContext:
    """Load the monitoring profiles of products and the center's time zone, which set the days of a window."""
    center = context.stores.tenants.get_center(referral.center_id)
    return DecisionContext(
        profile=catalog.get_monitoring_profile(referral.current_product_id),
        get_profile=catalog.get_monitoring_profile,
        time_zone=center.tenant.time_zone if center else "UTC",
        now=context.now,
    )
