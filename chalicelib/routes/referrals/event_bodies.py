"""The events that members and the systems of centers report: one request type per type of event."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from chalicelib.domain.referrals.events import (
    AdverseEventReported,
    BridgingReported,
    Corrected,
    EventSource,
    HoldEnded,
    HoldStarted,
    InformationRequested,
    ReferralEvent,
    RelapseReported,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
    WithdrawalRequested,
)
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import ConflictError, FieldError, MalformedError
from chalicelib.routes.platform.fields import (
    CalendarDate,
    Identifier,
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
    build_care_event,
)
from chalicelib.routes.referrals.conversation_bodies import InformationRequestBody, require_content
from chalicelib.routes.referrals.plan_bodies import PlanData, PlannedDateFields, build_plan_changed, read_planned_date
from chalicelib.routes.referrals.product_fields import require_valid_product

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


class EventRequest(RootModel[AnyEventRequest]):
    """An event of a referral; `type` determines the fields of `data`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReporter:
    """Who reports an event, and the event's id."""

    event_id: str
    actor: Actor
    source: EventSource
    actor_id: str
    actor_name: str
    recorded_at: datetime


def build_event(report: Any, *, referral_id: str, reporter: EventReporter) -> ReferralEvent:
    """Build the event from a report.

    Raises:
        MalformedError: its time is later than a wrong clock can explain (see
            `chalicelib.domain.referrals.events.FUTURE_TOLERANCE`). As the latest event for ever, it
            would freeze the referral. Or it asks for information and does not say for which. Or its product
            is not valid.
    """
    common: dict[str, Any] = {
        "event_id": reporter.event_id,
        "referral_id": referral_id,
        "occurred_at": report.occurred_at,
        "recorded_at": reporter.recorded_at,
        "actor": reporter.actor,
        "source": reporter.source,
        "actor_id": reporter.actor_id,
        "actor_name": reporter.actor_name,
        "sequence": report.sequence,
        "reason_code": getattr(report.data, "reason_code", None),
        "note": getattr(report.data, "note", None),
        "is_whole_day": _is_whole_day(report.occurred_at, reporter.source),
    }
    event = _build_domain_event(report, common)
    if event.is_in_the_future or _is_replacement_in_the_future(event):
        message = "This time is in the future. Enter when it happened."
        pointer = "/occurred_at" if event.is_in_the_future else "/data/replacement/occurred_at"
        raise MalformedError("occurred_in_future", message, errors=[FieldError(pointer, "occurred_in_future", message)])
    require_valid_product(event)
    return event


def _is_whole_day(at: datetime, source: EventSource) -> bool:
    """Whether a center's system reports a date without a time, as midnight in the offset that it sends."""
    return source is EventSource.CENTER_FEED and at.time() == time.min


_CARE_EVENTS: Mapping[type, type[ReferralEvent]] = {
    ToxicityEventRequest: ToxicityNoticed,
    AdverseEventEventRequest: AdverseEventReported,
    RelapseEventRequest: RelapseReported,
    BridgingEventRequest: BridgingReported,
}


def _build_domain_event(report: Any, common: dict[str, Any]) -> ReferralEvent:  # noqa: PLR0911 one for each type
    data = report.data
    if type(report) in _CARE_EVENTS:
        return build_care_event(_CARE_EVENTS[type(report)], data, common)
    match report:
        case StageEventRequest():
            if data.stage is Stage.INFO_REQUESTED:
                require_content((), data.note, pointer="/data/note")
            return _build_stage_change(data, common)
        case HoldStartEventRequest():
            return HoldStarted(**common, until=data.until)
        case ExtensionEventRequest():
            return WindowExtended(**common, ends_on=data.ends_on)
        case InformationEventRequest():
            require_content(data.items, data.text, pointer="/data/items")
            return InformationRequested(**common, items=tuple(data.items), text=data.text)
        case PlanEventRequest():
            return build_plan_changed(data, common)
        case CorrectionEventRequest():
            return Corrected(**common, supersedes=data.supersedes, replacement=_build_replacement(data, common))
    events_without_fields: dict[type, type[ReferralEvent]] = {
        HoldEndEventRequest: HoldEnded,
        WithdrawalEventRequest: WithdrawalRequested,
        ReopeningEventRequest: Reopened,
    }
    return events_without_fields[type(report)](**common)


def _build_stage_change(data: StageEventData, common: dict[str, Any], pointer: str = "/data") -> StageChange:
    return StageChange(
        **common,
        stage=data.stage,
        part=data.part,
        of=max(data.of, data.part),
        local_date=data.local_date,
        revisit_on=data.revisit_on,
        suggested_center_id=data.suggested_center_id,
        first_visit_on=data.first_visit_on,
        product_id=data.product_id,
        **read_planned_date(data, recorded_at=common["recorded_at"], stage=data.stage, pointer=pointer),
    )


def _build_replacement(data: CorrectionData, common: dict[str, Any]) -> StageChange | None:
    if data.replacement is None:
        return None
    inner = data.replacement.data
    change = _build_stage_change(inner, common, "/data/replacement/data")
    at = data.replacement.occurred_at
    return replace(
        change,
        occurred_at=at,
        is_whole_day=_is_whole_day(at, change.source),
        reason_code=inner.reason_code,
        note=inner.note,
    )


def _is_replacement_in_the_future(event: ReferralEvent) -> bool:
    change = event.replacement if isinstance(event, Corrected) else None
    return change is not None and change.is_in_the_future


def require_same_referral(report: Any, referral_id: str) -> None:
    """Accept the body of a webhook on the address of a referral, if it is about that referral.

    Raises:
        ConflictError: the body names another referral.
    """
    if report.referral_id not in {None, referral_id}:
        text = "This update is about another referral. Send it to that referral's address."
        error = FieldError("/referral_id", "referral_mismatch", text)
        raise ConflictError("referral_mismatch", text, errors=[error])


_ENVELOPE = frozenset({"referral_id", "timestamp"})
"""Members of a delivery beside the report. `timestamp` is the sender's own, as Standard Webhooks 1.0 defines it;
`occurred_at` says when the event was true."""


def parse_delivery_body(value: Any) -> tuple[Any, dict[str, Any]]:
    """Split the body of a delivery into the id of the referral and the report about it."""
    if not isinstance(value, dict):
        raise MalformedError("malformed", "The request body must be a JSON object.")
    report = {name: part for name, part in value.items() if name not in _ENVELOPE}
    return value.get("referral_id"), report
