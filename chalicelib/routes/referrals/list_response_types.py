"""The types of lists of referrals, and of their counts."""

from collections.abc import Mapping

from typing_extensions import TypedDict

from chalicelib.domain.referrals.routing_hints import RoutingHintKind
from chalicelib.routes.coverage.summary_responses import CoverageStateResponse
from chalicelib.routes.platform.responses import TenantResponse
from chalicelib.routes.referrals.plan_responses import NextPlanResponse
from chalicelib.routes.referrals.referral_part_types import ReferralCenterResponse


class ReferralSummaryResponse(TypedDict):
    """A row in a list of referrals."""

    referral_id: str
    """The ID of the referral: `ref_` and 26 characters."""
    referred_on: str | None
    """The day of the referral, if it was made before it was entered (YYYY-MM-DD); null otherwise."""
    alias: str
    """The name that the practice chose for the patient; the only name in email and calendars."""
    patient: Mapping[str, str | None]
    """The patient's names, date of birth and record number (`mrn`)."""
    stage: str
    """The status of the referral, as a code such as `accepted`."""
    stage_label: str
    """The status, for display."""
    phase: str
    """The phase of the referral, as a code."""
    owner: str
    """Whose step the status waits for: `practice`, `center` or `none`."""
    next_action: str
    """What happens next, in a few words; empty after an ending. What your organization was asked comes first."""
    next_action_by: str
    """Who does that: `practice`, `center` or `none`."""
    stage_since: str
    """Since when the referral has this status (RFC 3339, UTC)."""
    clock_level: str
    """`on_time`, `amber` (overdue), `red` (long overdue), `on_hold` or `none`."""
    expected_by: str | None
    """The day by which it usually happens (YYYY-MM-DD); null if there is no usual time."""
    due_on: str | None
    """The last day on which the next step is in time (YYYY-MM-DD); null without a limit, and during a hold."""
    late: bool
    """Whether that day is over."""
    due_group: str
    """How urgent the next step is: `late`, `due_soon` (today or tomorrow), `this_week` (within 7 days) or `later`."""
    window_ends_on: str | None
    """The last day of monitoring (YYYY-MM-DD); null without a window."""
    next_plan: NextPlanResponse | None
    """The next planned date; null without one."""
    missing_updates: bool
    """Whether the center's system skipped a number, or an update expired."""
    product_id: str | None
    """The current product, by its ID; null if none."""
    disease: str | None
    """The disease as a code; null if not entered."""
    urgency: str
    """`routine` or `urgent`."""
    practice: TenantResponse
    """The referring practice."""
    center: ReferralCenterResponse | None
    """The treatment center; null while none is chosen."""
    provider_name: str | None
    """The referring provider; null if the referral did not change since lists can show it."""
    updated_at: str
    """When the referral last changed (RFC 3339, UTC)."""
    version: int
    """The version of the object. Send it in `If-Match` with a change."""
    changed_since_seen: bool
    """Whether something changed since the caller last opened it."""
    requested_items: int
    """How many requested items the practice has not answered."""
    unread_messages: int
    """How many messages of the other side the caller has not read."""
    routing_hints: list[RoutingHintKind]
    """What may not fit, as codes."""
    coverage: CoverageStateResponse
    """The coverage for display."""


class ReferralPageResponse(TypedDict):
    """A page of a list of referrals."""

    items: list[ReferralSummaryResponse]
    """The referrals, in the order of `sort`."""
    total: int | None
    """How many referrals match; null if the list is sorted by the latest change, which is not read to its end."""
    next_cursor: str | None
    """Send it as `cursor` to read the next page; null on the last page."""


class FilterChoiceResponse(TypedDict):
    """A value of a filter that finds at least one referral."""

    value: str
    """The value of the parameter."""
    label: str
    """Its name, for display."""
    count: int
    """How many referrals have it."""


class ReferralCountsResponse(TypedDict):
    """The number of referrals, in total and by phase and worklist."""

    total: int
    """How many referrals there are."""
    phases: dict[str, int]
    """How many are in each phase, by its code."""
    worklists: dict[str, int]
    """How many are in each worklist, by its code."""
    choices: dict[str, list[FilterChoiceResponse]]
    """The values that a filter of the list can have, by its parameter."""
