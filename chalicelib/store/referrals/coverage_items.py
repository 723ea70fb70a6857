"""Convert the status of the coverage to JSON and back.

That a payer denied a treatment is health data, so it is stored in the encrypted `details` of a referral.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.referrals.coverage_status import NO_COVERAGE, TrackStatus
from chalicelib.store.platform import codec

COVERAGE_MEMBER = "coverage"
"""The member of the encrypted details that has the status. No section of a referral has this name."""


def coverage_to_members(status: TrackStatus) -> Mapping[str, Any]:
    """Convert the status to members of the details; none if nothing was recorded."""
    is_empty = status == NO_COVERAGE and not status.unknown_members
    return {} if is_empty else {COVERAGE_MEMBER: codec.to_members(TrackStatus, status)}


def read_coverage(member: Any) -> TrackStatus:
    """Read the status of a referral; a row of an earlier release has none."""
    return codec.from_members(TrackStatus, member) if member is not None else NO_COVERAGE
