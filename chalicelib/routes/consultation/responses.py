"""Consultation times and consultations, as the API returns them."""

from collections.abc import Mapping
from datetime import datetime

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.consultation.consultation import Appointment, ConsultationState, SlotHold, TimeRequest
from chalicelib.domain.consultation.patterns import LocalStart
from chalicelib.domain.consultation.slots import Slot
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.consultation.patterns import PatternView
from chalicelib.services.consultation.slots import SlotPage
from chalicelib.services.consultation.view import ConsultationView


class SlotBookingResponse(TypedDict):
    """A patient who booked a time, for the center's team."""

    referral_id: str
    alias: str


class SlotResponse(TypedDict):
    """A time of a center. `bookings` and `version` are for the center's team; `closed` says why it takes no more."""

    slot_id: str
    center_id: str
    starts_at: str
    ends_at: str
    minutes: int
    mode: str
    capacity: int
    free: int
    place: str | None
    contact: str | None
    pattern_id: str | None
    closed: str | None
    version: int
    bookings: list[SlotBookingResponse]


class SlotPageResponse(TypedDict):
    """The times of a center in a range, earliest first. `time_zone` is the center's; there is one page."""

    items: list[SlotResponse]
    next_cursor: str | None
    time_zone: str
    as_of: str


class PublishedSlotsResponse(TypedDict):
    """The times that were published. `slot_id` is set if it was one."""

    items: list[SlotResponse]
    slot_id: str | None


class LocalStartResponse(TypedDict):
    """A time of a day at the center."""

    on: str
    at: str


class PatternResponse(TypedDict):
    """A weekly pattern of a center.

    `skipped` lists times of the next 12 weeks that do not exist, because the clocks of the center change.
    `to_review` lists booked times that the pattern no longer has.
    """

    pattern_id: str
    center_id: str
    weekdays: list[str]
    starts: list[str]
    minutes: int
    mode: str
    capacity: int
    begins_on: str
    ends_on: str | None
    days_off: list[str]
    extra: list[LocalStartResponse]
    place: str | None
    contact: str | None
    time_zone: str
    removed: bool
    version: int
    free_slots: int
    skipped: list[LocalStartResponse]
    to_review: list[SlotResponse]


class PatternListResponse(TypedDict):
    """The weekly patterns of a center."""

    items: list[PatternResponse]


class SlotHoldResponse(TypedDict):
    """A time that is held for the referral until a moment; `own` says that the reader holds it."""

    slot_id: str
    until: str
    own: bool
    slot: SlotResponse | None


class TimeRequestResponse(TypedDict):
    """What the practice asked the center for."""

    asked_at: str
    asked_by: str
    preferred_days: list[str]
    earliest_on: str | None
    part_of_day: str
    mode: str | None
    note: str | None


class ConsultationResponse(TypedDict):
    """The consultation of a referral. `time_zone` is the center's; `open` says that it can be booked or changed."""

    referral_id: str
    center_id: str | None
    state: str
    starts_at: str | None
    on: str | None
    ends_at: str | None
    minutes: int | None
    mode: str | None
    place: str | None
    contact: str | None
    note: str | None
    source: str | None
    slot_id: str | None
    slot: SlotResponse | None
    hold: SlotHoldResponse | None
    request: TimeRequestResponse | None
    booked_at: str | None
    booked_by: str | None
    reminder_at: str | None
    time_zone: str
    open: bool
    version: int


def to_slot_response(
    slot: Slot, *, now: datetime, aliases: Mapping[str, str] | None = None, is_own: bool = False
) -> SlotResponse:
    """A slot; who booked it only for the team of its center."""
    names = aliases or {}
    return {
        "slot_id": slot.slot_id,
        "center_id": slot.center_id,
        "starts_at": format_timestamp(slot.starts_at),
        "ends_at": format_timestamp(slot.ends_at),
        "minutes": slot.minutes,
        "mode": slot.mode,
        "capacity": slot.capacity,
        "free": slot.count_free(now=now),
        "place": slot.place,
        "contact": slot.contact,
        "pattern_id": slot.pattern_id if is_own else None,
        "closed": slot.closed,
        "version": slot.version,
        "bookings": [{"referral_id": each, "alias": names[each]} for each in slot.list_booked() if each in names],
    }


def to_slot_page_response(page: SlotPage, *, now: datetime) -> SlotPageResponse:
    """A list of times."""
    items = [to_slot_response(slot, now=now, aliases=page.aliases, is_own=page.is_own) for slot in page.slots]
    return {"items": items, "next_cursor": None, "time_zone": page.time_zone, "as_of": format_timestamp(now)}


def to_published_slots_response(page: SlotPage, *, now: datetime) -> PublishedSlotsResponse:
    """The times that a request published."""
    items = [to_slot_response(slot, now=now, is_own=True) for slot in page.slots]
    return {"items": items, "slot_id": items[0]["slot_id"] if len(items) == 1 else None}


def build_pattern_etag(view: PatternView) -> dict[str, str]:
    """The pattern's version as an ETag."""
    return {"ETag": f'"{view.pattern.version}"'}


def to_pattern_response(view: PatternView, *, now: datetime) -> PatternResponse:
    """A weekly pattern."""
    pattern = view.pattern
    return {
        "pattern_id": pattern.pattern_id,
        "center_id": pattern.center_id,
        "weekdays": list(pattern.weekdays),
        "starts": [f"{at:%H:%M}" for at in pattern.starts],
        "minutes": pattern.minutes,
        "mode": pattern.mode,
        "capacity": pattern.capacity,
        "begins_on": pattern.begins_on.isoformat(),
        "ends_on": pattern.ends_on.isoformat() if pattern.ends_on else None,
        "days_off": [day.isoformat() for day in pattern.days_off],
        "extra": [_to_local_start_response(each) for each in pattern.extra],
        "place": pattern.place,
        "contact": pattern.contact,
        "time_zone": view.time_zone,
        "removed": pattern.is_removed,
        "version": pattern.version,
        "free_slots": view.free_slots,
        "skipped": [_to_local_start_response(each) for each in view.skipped],
        "to_review": [to_slot_response(each, now=now, aliases=view.aliases, is_own=True) for each in view.to_review],
    }


def build_consultation_etag(view: ConsultationView) -> dict[str, str]:
    """The consultation's version as an ETag; "0" before the first change."""
    return {"ETag": f'"{view.consultation.version}"'}


def to_consultation_response(view: ConsultationView, *, member_id: str) -> ConsultationResponse:
    """The consultation as both teams see it."""
    appointment, hold = view.consultation.appointment, view.consultation.hold
    is_shown = appointment is not None and view.state not in {ConsultationState.HELD, ConsultationState.ASKED}
    shown = appointment if is_shown else None
    held = hold if hold and hold.until > view.now else None
    request = view.consultation.request
    return {
        "referral_id": view.referral.referral_id,
        "center_id": view.referral.center_id,
        "state": view.state,
        "starts_at": format_timestamp(shown.starts_at) if shown and shown.starts_at else None,
        "on": shown.on.isoformat() if shown and shown.on else None,
        "ends_at": _format_end(shown),
        "minutes": shown.minutes if shown else None,
        "mode": shown.mode if shown else None,
        "place": shown.place if shown else None,
        "contact": shown.contact if shown else None,
        "note": shown.note if shown else None,
        "source": shown.source if shown else None,
        "slot_id": shown.slot_id if shown else (held.slot_id if held else None),
        "slot": to_slot_response(found, now=view.now) if (found := view.slot or view.held_slot) else None,
        "hold": _to_hold_response(held, view, member_id) if held else None,
        "request": _to_time_request_response(request) if request else None,
        "booked_at": format_timestamp(shown.booked_at) if shown else None,
        "booked_by": shown.booked_by if shown else None,
        "reminder_at": format_timestamp(view.reminder_at) if view.reminder_at else None,
        "time_zone": view.time_zone,
        "open": view.is_open,
        "version": view.consultation.version,
    }


def _format_end(appointment: Appointment | None) -> str | None:
    ends_at = appointment.ends_at if appointment else None
    return format_timestamp(ends_at) if ends_at else None


def _to_hold_response(hold: SlotHold, view: ConsultationView, member_id: str) -> SlotHoldResponse:
    return {
        "slot_id": hold.slot_id,
        "until": format_timestamp(hold.until),
        "own": hold.by == member_id,
        "slot": to_slot_response(view.held_slot, now=view.now) if view.held_slot else None,
    }


def _to_time_request_response(request: TimeRequest) -> TimeRequestResponse:
    return {
        "asked_at": format_timestamp(request.asked_at),
        "asked_by": request.asked_by,
        "preferred_days": list(request.preferred_days),
        "earliest_on": request.earliest_on.isoformat() if request.earliest_on else None,
        "part_of_day": request.part_of_day,
        "mode": request.mode,
        "note": request.note,
    }


def _to_local_start_response(start: LocalStart) -> LocalStartResponse:
    return {"on": start.on.isoformat(), "at": f"{start.at:%H:%M}"}
