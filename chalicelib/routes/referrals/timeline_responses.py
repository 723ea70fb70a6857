"""The timeline as the API returns it."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from chalicelib.domain.referrals.events import Corrected, EventType, ReferralEvent, StageChange
from chalicelib.domain.referrals.reason_codes import format_reason
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.routes.referrals.response_types import EventResponse
from chalicelib.store.referrals.items import LoggedEvent

EVENT_LABELS: Mapping[EventType, str] = {
    EventType.HOLD_STARTED: "On hold",
    EventType.HOLD_ENDED: "Resumed",
    EventType.TOXICITY_NOTICED: "Toxicity reported",
    EventType.WINDOW_EXTENDED: "Monitoring extended",
    EventType.WITHDRAWAL_REQUESTED: "Withdrawal requested",
    EventType.REOPENED: "Reopened",
    EventType.CORRECTED: "Correction to an earlier entry",
}


def to_event_response(entry: LoggedEvent) -> EventResponse:
    """A row of the timeline. `data` has the fields that only some types of events have."""
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
    return EVENT_LABELS[event.type]


def _build_event_data(event: ReferralEvent) -> dict[str, Any]:
    common = {field.name for field in fields(ReferralEvent)} | {"stage", "replacement"}
    own = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in common}
    if isinstance(event, StageChange) and event.stage is not Stage.HANDED_BACK:
        del own["first_visit_on"]  # No other stage asks for it.
    data = {k: v.isoformat() if isinstance(v, date) else v for k, v in own.items()}
    if isinstance(event, Corrected) and event.replacement:
        data["replacement"] = {
            "stage": event.replacement.stage,
            "occurred_at": format_timestamp(event.replacement.occurred_at),
        }
    return data
