"""Convert planned dates to JSON and back.

Places and contacts say where and why a patient is treated, so they are stored in the encrypted `details`
of a referral, never in clear text.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.referrals.plans import NO_PLANS, Plans
from chalicelib.store.platform import codec

PLANS_MEMBER = "plans"
"""The member of the encrypted details that has the planned dates. No section of a referral has this name."""


def plans_to_members(plans: Plans) -> Mapping[str, Any]:
    """Convert the planned dates to members of the details; none if nothing was planned."""
    is_empty = plans == NO_PLANS and not plans.unknown_members
    return {} if is_empty else {PLANS_MEMBER: codec.to_members(Plans, plans)}


def read_plans(member: Any) -> Plans:
    """Read the planned dates of a referral; a row of an earlier release has none."""
    return codec.from_members(Plans, member) if member is not None else NO_PLANS
