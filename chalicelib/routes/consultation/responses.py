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
    """The ID of the referral: `ref_` and 26 characters."""
    alias: str
    """The name that the practice chose for the patient; the only name in email and calendars."""


class SlotResponse(TypedDict):
    """A time of a center. `bookings` and `version` are for the center's team; `closed` says why it takes no more."""

    slot_id: str
    """The ID of a published consultation time."""
    center_id: str
    """The ID of a treatment center, such as `ctr_harbor`."""
    starts_at: str
    """When the visit starts (RFC 3339, UTC)."""
    ends_at: str
    """When it ends (RFC 3339, UTC)."""
    minutes: int
    """How long the visit takes, in minutes."""
    mode: str
    """How the visit takes place."""
    capacity: int
    """How many patients can book the time."""
    free: int
    """How many seats are free."""
    place: str | None
    """Where the visit is; null if the center did not say."""
    contact: str | None
    """Whom to ask; null if the center did not say."""
    pattern_id: str | None
    """The weekly pattern that the time comes from; null if it was published alone."""
    closed: str | None
    """Why the time can no longer be booked; null if it can."""
    version: int
    """The version of the object. Send it in `If-Match` with a change."""
    bookings: list[SlotBookingResponse]
    """Who booked the time; only the center's team sees it."""


class SlotPageResponse(TypedDict):
    """The times of a center in a range, earliest first. `time_zone` is the center's; there is one page."""

    items: list[SlotResponse]
    """The times, earliest first."""
    next_cursor: str | None
    """Always null: there is one page."""
    time_zone: str
    """The center's time zone, as an IANA name."""
    as_of: str
    """When the list was read (RFC 3339, UTC)."""


class PublishedSlotsResponse(TypedDict):
    """The times that were published. `slot_id` is set if it was one."""

    items: list[SlotResponse]
    """The times that were published."""
    slot_id: str | None
    """The ID of the time if one was published; null for a list."""


class LocalStartResponse(TypedDict):
    """A time of a day at the center."""

    on: str
    """The day at the center (YYYY-MM-DD)."""
    at: str
    """The time of day at the center, as `HH:MM`."""


class PatternResponse(TypedDict):
    """A weekly pattern of a center.

    `skipped` lists times of the next 12 weeks that do not exist, because the clocks of the center change.
    `to_review` lists booked times that the pattern no longer has.
    """

    pattern_id: str
    """The ID of a weekly pattern."""
    center_id: str
    """The ID of a treatment center, such as `ctr_harbor`."""
    weekdays: list[str]
    """The days of the week, in lowercase, such as `monday`."""
    starts: list[str]
    """The times of day at which visits start, at the center, as `HH:MM`."""
    minutes: int
    """How long the visit takes, in minutes."""
    mode: str
    """How the visits take place."""
    capacity: int
    """How many patients can book the time."""
    begins_on: str
    """The first day of the pattern (YYYY-MM-DD)."""
    ends_on: str | None
    """The last day of the pattern (YYYY-MM-DD); null if it has no end."""
    days_off: list[str]
    """Days without any time (YYYY-MM-DD)."""
    extra: list[LocalStartResponse]
    """Times on single days, in addition to the weekly ones."""
    place: str | None
    """Where the visits are; null if the center did not say."""
    contact: str | None
    """Whom to ask; null if the center did not say."""
    time_zone: str
    """The center's time zone, as an IANA name."""
    removed: bool
    """Whether the pattern was removed."""
    version: int
    """The version of the object. Send it in `If-Match` with a change."""
    free_slots: int
    """How many of its future times are free."""
    skipped: list[LocalStartResponse]
    """Times that were not published because the clock skips them in spring."""
    to_review: list[SlotResponse]
    """Booked times that no longer fit the pattern. The center decides what happens to them."""


class PatternListResponse(TypedDict):
    """The weekly patterns of a center."""

    items: list[PatternResponse]
    """The items of this page, in the order of the list."""


class SlotHoldResponse(TypedDict):
    """A time that is held for the referral until a moment; `own` says that the reader holds it."""

    slot_id: str
    """The ID of a published consultation time."""
    until: str
    """Until when the time is held (RFC 3339, UTC)."""
    own: bool
    """Whether the reader's own organization holds the time."""
    slot: SlotResponse | None
    """The time itself; null if it is no longer published."""


class TimeRequestResponse(TypedDict):
    """What the practice asked the center for."""

    asked_at: str
    """When the practice asked (RFC 3339, UTC)."""
    asked_by: str
    """The name of the person who asked."""
    preferred_days: list[str]
    """Days of the week that suit the patient."""
    earliest_on: str | None
    """The first day that suits the patient (YYYY-MM-DD); null if none was named."""
    part_of_day: str
    """The part of the day that suits the patient."""
    mode: str | None
    """How the visit should take place; null for any."""
    note: str | None
    """What the practice added; null if nothing."""


class ConsultationResponse(TypedDict):
    """The consultation of a referral. `time_zone` is the center's; `open` says that it can be booked or changed."""

    referral_id: str
    """The ID of the referral: `ref_` and 26 characters."""
    center_id: str | None
    """The treatment center; null while none is chosen."""
    state: str
    """The state: `none`, `asked`, `held`, `booked`, `canceled`, `no_show` or `completed`."""
    starts_at: str | None
    """When the visit starts (RFC 3339, UTC); null if only its day is known, or nothing."""
    on: str | None
    """The day of the visit at the center (YYYY-MM-DD); null without one."""
    ends_at: str | None
    """When the visit ends (RFC 3339, UTC); null if it is not known."""
    minutes: int | None
    """How long the visit takes, in minutes; null if it is not known."""
    mode: str | None
    """How the visit takes place; null if it is not known."""
    place: str | None
    """Where the visit is; null if it is not known."""
    contact: str | None
    """Whom to ask; null if it is not known."""
    note: str | None
    """The practice's note about the visit; null if there is none."""
    source: str | None
    """How the date was set: `booking`, `center_event` (the center's system) or `by_hand`; null without a date."""
    slot_id: str | None
    """The booked time; null if the center planned the date itself."""
    slot: SlotResponse | None
    """The booked time with its details; null without one."""
    hold: SlotHoldResponse | None
    """The time that is held for the referral; null without one."""
    request: TimeRequestResponse | None
    """What the practice asked the center for; null without a request."""
    booked_at: str | None
    """When the time was booked (RFC 3339, UTC); null if it was not."""
    booked_by: str | None
    """The name of the person who booked; null if no one did."""
    reminder_at: str | None
    """When the reminder is due (RFC 3339, UTC); null if none is planned."""
    time_zone: str
    """The center's time zone, as an IANA name."""
    open: bool
    """Whether the consultation can be booked or changed."""
    version: int
    """The version of the consultation. Send it in `If-Match` with a change."""


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
