"""The timeline as the API returns it."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from chalicelib.domain.coverage.moves import MOVES, MoveName
from chalicelib.domain.referrals.events import (
    CoverageChanged,
    EventType,
    FactsChanged,
    PlanChanged,
    ReferralEvent,
    StageChange,
)
from chalicelib.domain.referrals.facts import find_fact_label
from chalicelib.domain.referrals.plan_terms import PLAN_LABELS
from chalicelib.domain.referrals.reason_codes import format_reason
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.routes.referrals.change_responses import describe_changed_facts
from chalicelib.routes.referrals.response_types import EventResponse
from chalicelib.store.referrals.items import LoggedEvent

EVENT_LABELS: Mapping[EventType, str] = {
    EventType.HOLD_STARTED: "On hold",
    EventType.HOLD_ENDED: "Resumed",
    EventType.TOXICITY_NOTICED: "Toxicity reported",
    EventType.ADVERSE_EVENT_REPORTED: "Adverse event reported",
    EventType.RELAPSE_REPORTED: "Relapse reported",
    EventType.BRIDGING_REPORTED: "Bridging therapy reported",
    EventType.WINDOW_EXTENDED: "Monitoring extended",
    EventType.WITHDRAWAL_REQUESTED: "Withdrawal requested",
    EventType.REOPENED: "Reopened",
    EventType.CORRECTED: "Correction to an earlier entry",
    EventType.INFORMATION_REQUESTED: "Information requested",
    EventType.INFORMATION_ANSWERED: "Information request answered",
    EventType.INFORMATION_CLOSED: "Information request closed",
    EventType.MESSAGE_SENT: "Message",
    EventType.FACTS_CHANGED: "Details corrected",
    EventType.PLAN_CHANGED: "Planned date",
    EventType.DOCUMENT_SHARED: "Document added",
    EventType.DOCUMENT_DELETED: "Document removed",
    EventType.DOCUMENT_ARRIVAL: "Document received or not found",
    EventType.CONSULTATION_REQUESTED: "Consultation time requested",
    EventType.COVERAGE_CHANGED: "Coverage",
}


def to_event_response(entry: LoggedEvent) -> EventResponse:
    """A row of the timeline, in the shape in which the event was sent, with what we added to it.

    `type`, `occurred_at`, `sequence` and `data` are as in the request. A member of `data` that has no
    value is left out. `stage`, `reason_code` and `note` are repeated outside `data`, where earlier
    releases had them.
    """
    event = entry.event
    return {
        "event_id": event.event_id,
        "type": event.type,
        "stage": event.stage if isinstance(event, StageChange) else None,
        "stage_label": _get_event_label(event),
        "occurred_at": format_timestamp(event.occurred_at),
        "recorded_at": format_timestamp(event.recorded_at),
        "source": event.source,
        "actor_name": event.actor_name,
        "sequence": event.sequence,
        "reason_code": event.reason_code,
        "reason": format_reason(event.reason_code),
        "note": event.note,
        "status": entry.status,
        "data": _build_event_data(event),
    }


def _get_event_label(event: ReferralEvent) -> str:
    if isinstance(event, StageChange):
        return STAGE_FACTS[event.stage].label
    if isinstance(event, FactsChanged):
        return describe_changed_facts(event.facts, withdrew_consent=event.withdrew_consent)
    if isinstance(event, PlanChanged):
        return f"{PLAN_LABELS[event.plan]} {'canceled' if event.canceled else 'planned'}"
    if isinstance(event, CoverageChanged):
        return describe_coverage_move(event)
    return EVENT_LABELS[event.type]


def describe_coverage_move(event: CoverageChanged) -> str:
    """The title of a change of the coverage: what was recorded, never what was entered with it."""
    if event.move == MoveName.RESULT_RECORDED and not event.after:
        return "Payer's answer about an earlier plan, filed"
    return MOVES[MoveName(event.move)].label


_ADDED_BY_US = frozenset({"reopens"})
_FIELDS_OUTSIDE_DATA = {field.name for field in fields(ReferralEvent)} - {"reason_code", "note"} | _ADDED_BY_US
_FIELDS_OF_INFUSIONS = frozenset({"part", "of"})


def _build_event_data(event: ReferralEvent) -> dict[str, Any]:
    """The `data` of an event as a sender would write it."""
    values = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in _FIELDS_OUTSIDE_DATA}
    if isinstance(event, StageChange) and event.stage is not Stage.INFUSED:
        # Every stage change is stored with the numbers of a dose, but only an infusion has doses.
        values = {name: value for name, value in values.items() if name not in _FIELDS_OF_INFUSIONS}
    if isinstance(event, PlanChanged) and not event.canceled:
        del values["canceled"]
    if isinstance(event, FactsChanged):
        values["facts"] = [{"pointer": pointer, "label": find_fact_label(pointer)} for pointer in event.facts]
    return {name: _to_json_value(value) for name, value in values.items() if value not in (None, ())}


def _to_json_value(value: Any) -> Any:
    if isinstance(value, StageChange):
        occurred_at = format_timestamp(value.occurred_at)
        return {"type": value.type, "occurred_at": occurred_at, "data": _build_event_data(value)}
    if isinstance(value, datetime):
        return format_timestamp(value)
    return value.isoformat() if isinstance(value, date) else value
