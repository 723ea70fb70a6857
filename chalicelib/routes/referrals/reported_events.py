"""Builds the event that a person or a center's system reports, from the body of the request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

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
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import ConflictError, FieldError, MalformedError
from chalicelib.routes.referrals.care_bodies import (
    build_care_event,
)
from chalicelib.routes.referrals.conversation_bodies import require_content
from chalicelib.routes.referrals.event_bodies import (
    AdverseEventEventRequest,
    BridgingEventRequest,
    CorrectionData,
    CorrectionEventRequest,
    ExtensionEventRequest,
    HoldEndEventRequest,
    HoldStartEventRequest,
    InformationEventRequest,
    PlanEventRequest,
    RelapseEventRequest,
    ReopeningEventRequest,
    StageEventData,
    StageEventRequest,
    ToxicityEventRequest,
    WithdrawalEventRequest,
)
from chalicelib.routes.referrals.plan_bodies import build_plan_changed, read_planned_date
from chalicelib.routes.referrals.product_fields import require_valid_product


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
