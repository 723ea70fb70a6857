"""Convert what both sides reported about the patient's care to JSON and back.

It is health data, so it is stored in the encrypted `details` of a referral, never in clear text.
"""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.adverse_events import AdverseEventKind
from chalicelib.domain.referrals.care_reports import NO_REPORTS, AdverseEventReport, CareReports
from chalicelib.domain.referrals.events import EventOrder
from chalicelib.domain.referrals.referral import ReferralStatus
from chalicelib.domain.referrals.stages import Actor
from chalicelib.store.platform import codec

CARE_MEMBER = "care"
"""The member of the encrypted details that has the reports. No section of a referral has this name."""


def care_to_members(care: CareReports) -> Mapping[str, Any]:
    """Convert the reports to members of the details; none if nothing was reported."""
    is_empty = care == NO_REPORTS and not care.unknown_members
    return {} if is_empty else {CARE_MEMBER: codec.to_members(CareReports, care)}


def read_status_and_care(overlay: str, care: Any) -> tuple[ReferralStatus, CareReports]:
    """Read a referral's status and its reports.

    A row of an earlier release has no reports, but perhaps the time of the last toxicity. It becomes an
    open adverse event without a kind and a grade: these are in the timeline. Whether the toxicity has
    resolved is not known, so it must not disappear from the wallet card.
    """
    status = codec.from_json(ReferralStatus, overlay)
    if care is not None:
        return status, codec.from_members(CareReports, care)
    if status.toxicity_at is None:
        return status, NO_REPORTS
    order = EventOrder(status.toxicity_at, 0, "")
    report = AdverseEventReport(order=order, by=Actor.CENTER, kind=AdverseEventKind.OTHER)
    return replace(status, toxicity_at=None), NO_REPORTS.with_adverse_event(report)
