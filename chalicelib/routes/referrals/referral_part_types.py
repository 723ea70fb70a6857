"""The types of the parts of a referral in responses; see `chalicelib.routes.platform.responses`."""

from typing import Any

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.referrals.routing_hints import RoutingHintKind
from chalicelib.routes.platform.label_responses import LabelResponse
from chalicelib.routes.referrals.care_responses import AdverseEventResponse


class ReferralCenterResponse(TypedDict):
    """The center of a referral."""

    center_id: str
    """The ID of a treatment center, such as `ctr_harbor`."""
    name: str
    """The name of the center."""
    time_zone: str
    """The center's time zone, as an IANA name."""
    intake_phone: str | None
    """Phone of the team that takes referrals."""
    after_hours_phone: str | None
    """Phone for emergencies at night and on weekends."""


class TurnaroundResponse(TypedDict):
    """Who acts next, since when, and how long that usually takes."""

    owner: str
    """Who acts next: `practice`, `center` or `none`."""
    since: str
    """Since when they are to act (RFC 3339, UTC)."""
    expected_by: str | None
    """The day by which it usually happens (YYYY-MM-DD); null if there is no usual time."""
    amber_on: str | None
    """From which day on it counts as overdue (YYYY-MM-DD); null if it does not."""
    red_on: str | None
    """From which day on it counts as long overdue (YYYY-MM-DD); null if it does not."""
    level: str
    """`on_time`, `amber` (overdue), `red` (long overdue), `on_hold` or `none`."""
    unit: str | None
    """How the limits count days: `business` or `calendar`; null without limits."""
    source: str | None
    """Where the limits come from; null without limits."""


class JourneyStepResponse(TypedDict):
    """A stage of the main path, and whether the referral reached it."""

    stage: str
    """The status of the referral, as a code such as `accepted`."""
    label: str
    """The words for it, for display."""
    state: str
    """`done`, `current`, `ahead`, or `not_reported` for a status that was passed without a report."""
    at: str | None
    """When the referral reached it (RFC 3339, UTC); null if it did not."""


class JourneyPhaseResponse(TypedDict):
    """A phase with its stages."""

    phase: str
    """The phase of the referral, as a code."""
    label: str
    """The words for it, for display."""
    stages: list[JourneyStepResponse]
    """The statuses of the phase, in order."""


class ActionResponse(TypedDict):
    """Something that can come next; `why_not` says why the reader cannot do it now.

    An action with a `stage` reports it. The others hold, book, move, cancel or ask for a consultation time. A time
    that is only held is given back with the request that cancels.
    """

    action: str
    """What it is, as a code."""
    stage: str | None
    """The status that it leads to; null if it leads to none."""
    label: str
    """The words for it, for display."""
    allowed: bool
    """Whether the reader can do it now."""
    why_not: str | None
    """Why the reader cannot do it now; null if they can."""
    needs: list[str]
    """The fields that it needs."""
    reasons: list[str]
    """The reason codes that it can take."""
    ends: bool
    """Whether it ends the referral."""


class PacketItemResponse(TypedDict):
    """An item that is missing from a packet."""

    pointer: str
    """Where the value is in a referral, as a JSON pointer (RFC 6901)."""
    label: str
    """The words for it, for display."""


class NoneAnswerResponse(TypedDict):
    """An item that has no value, and why."""

    pointer: str
    """Where the value is in a referral, as a JSON pointer (RFC 6901)."""
    label: str
    """The words for it, for display."""
    reason: str
    """Why it has no value."""


class PacketResponse(TypedDict):
    """How complete a packet is."""

    complete: bool
    """Whether everything that is needed was entered."""
    present: int
    """How many of the needed items were entered."""
    needed: int
    """How many items are needed."""
    missing: list[PacketItemResponse]
    """The items that are missing."""
    none_because: list[NoneAnswerResponse]
    """Required items that have no value, and why."""


class MilestoneResponse(TypedDict):
    """A date of a monitoring window."""

    day: int
    """The number of the day. The infusion is day 0."""
    on: str
    """The day, at the center (YYYY-MM-DD)."""
    kind: str
    """What kind of date it is."""
    label: str
    """The words for it, for display."""


class PlannedNoticeResponse(TypedDict):
    """A scheduled notice; `why` is the reason why it was skipped, or would be."""

    rule: str
    """The rule that causes the notice, as a code."""
    title: str
    """The title, for display."""
    due_on: str
    """The day on which it is due (YYYY-MM-DD)."""
    sides: list[str]
    """Who gets it: `practice`, `center` or both."""
    state: str
    """`planned`, `told` (sent), `skipped` or `parked` (failed)."""
    why: str | None
    """Why it was skipped, or would be; null if it is not."""


class WindowExtensionResponse(TypedDict):
    """The center reported that monitoring ends on another day."""

    ends_on: str
    """The new last day of the monitoring window (YYYY-MM-DD)."""
    told_at: str
    """When the notice or report was given (RFC 3339, UTC)."""
    reason_code: str | None
    """Why, as a code; null if not reported."""


class MonitoringWindowResponse(TypedDict):
    """A monitoring window. `ended_on` is the day on which the referral ended; a death leaves no date after it."""

    time_zone: str
    """The center's time zone, as an IANA name."""
    infused_on: str
    """The day of the infusion, which is day 0 (YYYY-MM-DD)."""
    ends_on: str
    """The last day of monitoring (YYYY-MM-DD)."""
    ended_on: str | None
    """The day on which the referral ended (YYYY-MM-DD); null while it is open."""
    label_as_of: str
    """The day for which the label is known (YYYY-MM-DD); null without a product."""
    catalogue_version: str | None
    """The version of the catalog; null if it was not recorded."""
    product_named: bool
    """Whether the center named the product that was given."""
    product_name: str | None
    """The name of the product; null if not known."""
    milestones: list[MilestoneResponse]
    """The dates of the window, earliest first."""
    extensions: list[WindowExtensionResponse]
    """Changes of the last day, oldest first."""
    late_effects: list[str]
    """What to watch for after the window."""
    label: LabelResponse | None
    """The label of the product; null if the product is not known."""
    open_adverse_events: list[AdverseEventResponse]
    """Adverse events that are not reported as resolved."""
    notices: list[PlannedNoticeResponse]
    """The notices of the window."""


class HoldResponse(TypedDict):
    """Treatment is paused; the stage stays the same."""

    since: str
    """Since when (RFC 3339, UTC)."""
    reason_code: str | None
    """Why, as a code; null if not reported."""
    expected_until: str | None
    """The day until which the hold is expected (YYYY-MM-DD); null if not reported."""
    by: str
    """Which side reported the hold: `practice` or `center`."""


class ContradictionResponse(TypedDict):
    """An ending and a later step that cannot both be right; both sides were asked to check."""

    ending: str
    """The ending that was reported, as a code."""
    ending_label: str
    """The ending, for display."""
    ending_event_id: str
    """The ID of the event that reported the ending."""
    ended_at: str
    """When the referral ended (RFC 3339, UTC)."""
    reported_by: str
    """Which side reported the ending: `practice` or `center`."""
    step: str
    """The later step, as a code."""
    step_label: str
    """The later step, for display."""
    step_at: str
    """When the later step happened (RFC 3339, UTC)."""
    is_ended: bool
    """Whether the referral counts as ended until someone corrects it."""


class OutcomeReasonResponse(TypedDict):
    """Why a referral ended or waits, and what its practice can do next."""

    reason_code: str
    """Why, as a code."""
    label: str
    """The words for it, for display."""
    next_step: str | None
    """What the practice can do next; null if nothing."""


class ProductResponse(TypedDict):
    """The product of a referral: requested by the practice, planned and given by the center.

    `current` is the one that counts: the given one, else the planned one, else the requested one.
    `is_listed` says whether the center's directory entry lists it; null if no product is named. `offered` lists the
    products that the center may name.
    """

    requested: str | None
    """The product that the practice asked for, by its ID; null if none."""
    planned: str | None
    """The product that the center plans, by its ID; null if not reported."""
    given: str | None
    """The product that was given, by its ID; null if not reported."""
    current: str | None
    """The product that counts now, by its ID; null if none."""
    name: str | None
    """The name of the current product; null if none."""
    is_listed: bool | None
    """Whether the center is listed for the product; null if it is not known."""
    offered: list[str]
    """The IDs of the products that the center can name."""


class RoutingHintResponse(TypedDict):
    """What may not fit: the center, the product, or the code. It blocks nothing and decides nothing."""

    kind: RoutingHintKind
    """What may not fit, as a code."""
    pointer: str
    """Where the value is in a referral, as a JSON pointer (RFC 6901)."""
    message: str
    """A sentence for people."""


class UnfinishedValueResponse(TypedDict):
    """A value of a draft as it was typed, because its field refuses it. Only the practice sees it."""

    pointer: str
    """The field that refused the value, as a JSON pointer."""
    value: Any
    """The value as it was typed."""
