"""The events that members and the systems of centers report: one request type per type of event."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.stages import Stage
from chalicelib.routes.platform.fields import (
    CalendarDate,
    Identifier,
    LazyRootModel,
    MultiLineText,
    ReferralId,
    SenderCode,
    StrictModel,
    Timestamp,
)
from chalicelib.routes.referrals.care_bodies import (
    AdverseEventData,
    BridgingData,
    RelapseData,
    ToxicityData,
)
from chalicelib.routes.referrals.conversation_bodies import InformationRequestBody
from chalicelib.routes.referrals.plan_bodies import PlanData, PlannedDateFields

DoseNumber = Annotated[int, Field(ge=1, le=9)]


class StageEventData(PlannedDateFields):
    """The stage that was reached, and its details; the planned date of what was scheduled or shipped."""

    stage: Stage
    """The status that was reached."""
    part: DoseNumber = 1
    """Which infusion of a split dose it is, from 1."""
    of: DoseNumber = 1
    """How many infusions the dose has."""
    local_date: CalendarDate | None = None
    """The day of the infusion at the center, if the time could be on another day there (YYYY-MM-DD)."""
    revisit_on: CalendarDate | None = None
    """The day on which to look at a deferred referral again (YYYY-MM-DD)."""
    suggested_center_id: Identifier | None = None
    """Another center that a declining center suggests."""
    first_visit_on: CalendarDate | None = None
    """The day of the first visit at the practice after the return (YYYY-MM-DD)."""
    product_id: Identifier | None = None
    """The product that the center plans or gave, by its ID in the catalog."""
    reason_code: ReasonCode | None = None
    """Why, as a code; required for some statuses."""
    note: MultiLineText | None = None
    """A note in plain words."""


class HoldData(StrictModel):
    """Why treatment is paused, and until when that is expected."""

    until: CalendarDate | None = None
    """The day until which the hold is expected (YYYY-MM-DD)."""
    reason_code: SenderCode | None = None
    """Why treatment is paused, as a code of the sender."""
    note: MultiLineText | None = None
    """A note in plain words."""


class ReasonData(StrictModel):
    """A reason and a note."""

    reason_code: SenderCode | None = None
    """Why, as a code."""
    note: MultiLineText | None = None
    """A note in plain words."""


class ExtensionData(ReasonData):
    """Until when the center monitors the patient."""

    ends_on: CalendarDate
    """The last day of the monitoring window (YYYY-MM-DD)."""


class Replacement(StrictModel):
    """What really happened, as it would have been reported."""

    type: Literal["stage.changed"] = "stage.changed"
    """The type of the replacement: always `stage.changed`."""
    occurred_at: Timestamp
    """When it happened, with an offset (RFC 3339). It can be at most 10 minutes in the future."""
    data: StageEventData
    """The status that was really reached."""


class CorrectionData(StrictModel):
    """Which event was wrong, and what replaces it."""

    supersedes: Identifier
    """The ID of the event that was wrong."""
    replacement: Replacement | None = None
    """What really happened; left out if nothing did."""
    reason_code: SenderCode | None = None
    """Why, as a code."""
    note: MultiLineText | None = None
    """A note in plain words."""


class _EventRequest(StrictModel):
    referral_id: ReferralId | None = None
    """The referral. If you send it, it must be the one in the address."""
    occurred_at: Timestamp
    """When it happened, with an offset (RFC 3339). It can be at most 10 minutes in the future."""
    sequence: Annotated[int, Field(ge=0, le=10**11)] | None = None
    """The sender's own number for the referral, rising by 1. A gap shows as a missing update."""
    confirm_old_date: bool = False
    """Send true if `occurred_at` is unusually long ago and right."""


class StageEventRequest(_EventRequest):
    """The referral reached a stage."""

    type: Literal["stage.changed"]
    """The type of the event; it decides the fields of `data`."""
    data: StageEventData
    """The details of the event; `type` decides their fields."""


class HoldStartEventRequest(_EventRequest):
    """A hold started."""

    type: Literal["hold.started"]
    """The type of the event; it decides the fields of `data`."""
    data: HoldData = HoldData()
    """The details of the event; `type` decides their fields."""


class HoldEndEventRequest(_EventRequest):
    """A hold ended."""

    type: Literal["hold.ended"]
    """The type of the event; it decides the fields of `data`."""
    data: ReasonData = ReasonData()
    """The details of the event; `type` decides their fields."""


class ToxicityEventRequest(_EventRequest):
    """A toxicity was noticed: the older form of `adverse_event.reported`."""

    type: Literal["toxicity.noticed"]
    """The type of the event; it decides the fields of `data`."""
    data: ToxicityData = ToxicityData()
    """The details of the event; `type` decides their fields."""


class AdverseEventEventRequest(_EventRequest):
    """Either organization reports an adverse event after the infusion, an update, or that it has resolved."""

    type: Literal["adverse_event.reported"]
    """The type of the event; it decides the fields of `data`."""
    data: AdverseEventData
    """The details of the event; `type` decides their fields."""


class RelapseEventRequest(_EventRequest):
    """Either organization reports a relapse after the infusion."""

    type: Literal["relapse.reported"]
    """The type of the event; it decides the fields of `data`."""
    data: RelapseData = RelapseData()
    """The details of the event; `type` decides their fields."""


class BridgingEventRequest(_EventRequest):
    """Either organization reports bridging therapy before the infusion."""

    type: Literal["bridging.reported"]
    """The type of the event; it decides the fields of `data`."""
    data: BridgingData
    """The details of the event; `type` decides their fields."""


class PlanEventRequest(_EventRequest):
    """A date was planned, moved or canceled."""

    type: Literal["plan.changed"]
    """The type of the event; it decides the fields of `data`."""
    data: PlanData
    """The details of the event; `type` decides their fields."""


class ExtensionEventRequest(_EventRequest):
    """The monitoring window was extended."""

    type: Literal["window.extended"]
    """The type of the event; it decides the fields of `data`."""
    data: ExtensionData
    """The details of the event; `type` decides their fields."""


class WithdrawalEventRequest(_EventRequest):
    """The practice asks the center to stop."""

    type: Literal["withdrawal.requested"]
    """The type of the event; it decides the fields of `data`."""
    data: ReasonData = ReasonData()
    """The details of the event; `type` decides their fields."""


class ReopeningEventRequest(_EventRequest):
    """A closed referral is reopened."""

    type: Literal["referral.reopened"]
    """The type of the event; it decides the fields of `data`."""
    data: ReasonData = ReasonData()
    """The details of the event; `type` decides their fields."""


class InformationEventRequest(_EventRequest):
    """The center asks for information."""

    type: Literal["information.requested"]
    """The type of the event; it decides the fields of `data`."""
    data: InformationRequestBody
    """The details of the event; `type` decides their fields."""


class CorrectionEventRequest(_EventRequest):
    """An earlier event was wrong."""

    type: Literal["event.corrected"]
    """The type of the event; it decides the fields of `data`."""
    data: CorrectionData
    """The details of the event; `type` decides their fields."""


AnyEventRequest = Annotated[
    StageEventRequest
    | HoldStartEventRequest
    | HoldEndEventRequest
    | ToxicityEventRequest
    | AdverseEventEventRequest
    | RelapseEventRequest
    | BridgingEventRequest
    | ExtensionEventRequest
    | WithdrawalEventRequest
    | ReopeningEventRequest
    | InformationEventRequest
    | PlanEventRequest
    | CorrectionEventRequest,
    Field(discriminator="type"),
]


class EventRequest(LazyRootModel[AnyEventRequest]):
    """An event of a referral; `type` determines the fields of `data`."""
