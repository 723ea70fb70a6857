"""The timeline, as a page shows it."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from chalicelib.domain.referrals.events import Corrected, Event, EventType, StageChange
from chalicelib.domain.referrals.reason_codes import label_of
from chalicelib.domain.referrals.stages import FACTS, Stage
from chalicelib.routes.platform.timestamps import instant
from chalicelib.store.referrals.items import LoggedEvent

EVENT_LABELS: Mapping[EventType, str] = {
    EventType.HOLD_STARTED: "On hold",
    EventType.HOLD_ENDED: "Hold ended",
    EventType.TOXICITY_NOTICED: "Toxicity noticed",
    EventType.WINDOW_EXTENDED: "Monitoring window extended",
    EventType.WITHDRAWAL_REQUESTED: "Withdrawal requested",
    EventType.REOPENED: "Opened again",
    EventType.CORRECTED: "Corrected an earlier report",
}


def event_told(logged: LoggedEvent) -> dict[str, Any]:
    """A row of the timeline. What only some kinds of events have stands in `data`."""
    event = logged.event
    return {
        "event_id": event.event_id,
        "type": event.type,
        "stage": event.stage if isinstance(event, StageChange) else None,
        "stage_label": _event_label(event),
        "occurred_at": instant(event.occurred_at),
        "recorded_at": instant(event.recorded_at),
        "source": event.source,
        "actor_name": event.actor_name,
        "sequence": event.sequence,
        "reason_code": event.reason_code,
        "reason": label_of(event.reason_code),
        "note": event.note,
        "status": logged.status,
        "data": _event_data(event),
    }


def _event_label(event: Event) -> str:
    if isinstance(event, StageChange):
        return FACTS[event.stage].label
    return EVENT_LABELS[event.type]


def _event_data(event: Event) -> dict[str, Any]:
    common = {field.name for field in fields(Event)} | {"stage", "replacement"}
    own = {f.name: getattr(event, f.name) for f in fields(event) if f.name not in common}
    if isinstance(event, StageChange) and event.stage is not Stage.HANDED_BACK:
        del own["first_visit_on"]  # Nobody is asked for it with another move.
    told = {k: v.isoformat() if isinstance(v, date) else v for k, v in own.items()}
    if isinstance(event, Corrected) and event.replacement:
        told["replacement"] = {
            "stage": event.replacement.stage,
            "occurred_at": instant(event.replacement.occurred_at),
        }
    return told
