"""The request bodies and queries of consultation times."""

from collections.abc import Sequence
from datetime import date, time, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from chalicelib.domain.consultation.consultation import CancelReason, PartOfDay
from chalicelib.domain.consultation.patterns import (
    MAX_EXCEPTIONS,
    MAX_STARTS_PER_DAY,
    LocalStart,
    SlotPattern,
    Weekday,
)
from chalicelib.domain.consultation.slots import MAX_CAPACITY, MAX_MINUTES, MIN_MINUTES
from chalicelib.domain.referrals.plan_terms import VisitMode
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform.field_messages import FIELDS_NOT_VALID
from chalicelib.routes.platform.fields import (
    CalendarDate,
    MultiLineText,
    ReferralId,
    SingleLineText,
    StrictModel,
    Timestamp,
    WallTime,
)
from chalicelib.services.consultation.slots import MAX_NEW_SLOTS, NewSlot

MAX_RANGE = timedelta(days=100)
"""The longest range of one list: the 12 weeks of patterns, and some days."""

DEFAULT_RANGE = timedelta(days=14)

Minutes = Annotated[int, Field(ge=MIN_MINUTES, le=MAX_MINUTES)]
Capacity = Annotated[int, Field(ge=1, le=MAX_CAPACITY)]


class SlotQuery(StrictModel):
    """Which times: days at the center, both included; two weeks from today if none is named."""

    first_day: CalendarDate | None = None
    """The first day, at the center (YYYY-MM-DD); today if it is left out."""
    last_day: CalendarDate | None = None
    """The last day, at the center (YYYY-MM-DD); two weeks after the first if it is left out."""
    mode: VisitMode | None = None
    """Only times for this kind of visit."""
    referral_id: ReferralId | None = None
    """Shows the times as they are for this referral, with the one that it holds."""


class NewSlotRequest(StrictModel):
    """One time to publish."""

    starts_at: Timestamp
    """When the visit starts, with an offset (RFC 3339)."""
    minutes: Minutes = 60
    """How long the visit takes, in minutes."""
    mode: VisitMode
    """How the visit takes place: `in_person` or `telehealth`."""
    capacity: Capacity = 1
    """How many patients can book the time."""
    place: SingleLineText | None = None
    """Where the visit is, such as a building and room."""
    contact: SingleLineText | None = None
    """Whom to ask, such as a name and a phone number."""


class NewSlotsRequest(StrictModel):
    """One time to publish, or a list of them under `slots`."""

    slots: Annotated[list[NewSlotRequest], Field(min_length=1, max_length=MAX_NEW_SLOTS)] | None = None
    """The times to publish. Send either this list or the other fields."""
    starts_at: Timestamp | None = None
    """When the visit starts, with an offset (RFC 3339). Leave it out if you send `slots`."""
    minutes: Minutes = 60
    """How long the visit takes, in minutes."""
    mode: VisitMode | None = None
    """How the visit takes place. Leave it out if you send `slots`."""
    capacity: Capacity = 1
    """How many patients can book the time."""
    place: SingleLineText | None = None
    """Where the visit is, such as a building and room."""
    contact: SingleLineText | None = None
    """Whom to ask, such as a name and a phone number."""


class ExtraStartRequest(StrictModel):
    """One more time on a single day, at the center."""

    on: CalendarDate
    """The day at the center (YYYY-MM-DD)."""
    at: WallTime
    """The time of day at the center, as `HH:MM`."""


class PatternRequest(StrictModel):
    """Times of every week at the center, with days off and extra times. `begins_on` is today if it is left out."""

    weekdays: Annotated[list[Weekday], Field(max_length=7, default_factory=list)]
    """The days of the week, in lowercase, such as `monday`."""
    starts: Annotated[list[WallTime], Field(max_length=MAX_STARTS_PER_DAY, default_factory=list)]
    """The times of day at which visits start, at the center, as `HH:MM`."""
    minutes: Minutes = 60
    """How long the visit takes, in minutes."""
    mode: VisitMode
    """How the visit takes place: `in_person` or `telehealth`."""
    capacity: Capacity = 1
    """How many patients can book the time."""
    begins_on: CalendarDate | None = None
    """The first day of the pattern (YYYY-MM-DD); today if it is left out."""
    ends_on: CalendarDate | None = None
    """The last day of the pattern (YYYY-MM-DD); no end if it is left out."""
    days_off: Annotated[list[CalendarDate], Field(max_length=MAX_EXCEPTIONS, default_factory=list)]
    """Days without any time (YYYY-MM-DD)."""
    extra: Annotated[list[ExtraStartRequest], Field(max_length=MAX_EXCEPTIONS, default_factory=list)]
    """Times on single days, in addition to the weekly ones."""
    place: SingleLineText | None = None
    """Where the visit is, such as a building and room."""
    contact: SingleLineText | None = None
    """Whom to ask, such as a name and a phone number."""


class BookingState(StrEnum):
    """What to do with a time: hold it for some minutes, or book it."""

    HELD = "held"
    BOOKED = "booked"


class ConsultationRequest(StrictModel):
    """Hold or book a time. `reschedule` also moves a date that the center planned itself."""

    slot_id: Annotated[str, Field(max_length=64)]
    """The ID of the time to hold or book, from the list of times."""
    state: BookingState
    """`held` keeps the time for 10 minutes; `booked` books it."""
    note: MultiLineText | None = None
    """A note to the center about the visit."""
    reschedule: bool = False
    """Send true to also move a date that the center planned itself."""


class CancelQuery(StrictModel):
    """Why a consultation is canceled."""

    reason: CancelReason | None = None
    """Why the consultation is canceled."""


class TimeRequestBody(StrictModel):
    """When the patient can come, for a center that has no suitable time published."""

    preferred_days: Annotated[list[Weekday], Field(max_length=7, default_factory=list)]
    """Days of the week that suit the patient."""
    earliest_on: CalendarDate | None = None
    """The first day that suits the patient (YYYY-MM-DD)."""
    part_of_day: PartOfDay = PartOfDay.ANY
    """The part of the day that suits the patient."""
    mode: VisitMode | None = None
    """How the visit should take place; any if it is left out."""
    note: MultiLineText | None = None
    """What the center should know about the request."""


def list_new_slots(body: NewSlotsRequest) -> tuple[Sequence[NewSlot], str]:
    """List the times of a request, and where each is in it.

    Raises:
        MalformedError: it has neither a time nor a list, or both; names the field.
    """
    if body.slots is not None:
        named = sorted(body.model_fields_set - {"slots"})
        if named:
            _refuse(f"/{named[0]}", "one_or_list", "Send one time, or a list under slots, not both.")
        return [_to_new_slot(each) for each in body.slots], "/slots/{}"
    if body.starts_at is None:
        _refuse("/starts_at", "missing", "Enter the time, or a list of times under slots.")
    if body.mode is None:
        _refuse("/mode", "missing", "Choose how the patient attends.")
    return [_to_new_slot(NewSlotRequest.model_validate(body.model_dump(exclude={"slots"})))], ""


def _to_new_slot(body: NewSlotRequest) -> NewSlot:
    return NewSlot(
        starts_at=body.starts_at,
        minutes=body.minutes,
        mode=body.mode,
        capacity=body.capacity,
        place=body.place,
        contact=body.contact,
    )


def to_pattern(body: PatternRequest, *, center_id: str, pattern_id: str, today: date) -> SlotPattern:
    """Convert a request to a pattern.

    Raises:
        MalformedError: it has no time, ends before it begins, or names a time twice; names each field.
    """
    begins_on = body.begins_on or today
    errors = []
    if not (body.weekdays and body.starts) and not body.extra:
        field = "/weekdays" if body.starts or not body.weekdays else "/starts"
        errors.append(FieldError(field, "missing", "Choose the days and the times of the week, or add an extra time."))
    if body.ends_on and body.ends_on < begins_on:
        errors.append(FieldError("/ends_on", "before_begin", "The last day is before the first day."))
    for name in ("weekdays", "starts", "days_off"):
        values = getattr(body, name)
        if len(set(values)) != len(values):
            errors.append(FieldError(f"/{name}", "repeated", "Name each one once."))
    if errors:
        raise MalformedError("malformed", FIELDS_NOT_VALID, errors=errors)
    return SlotPattern(
        pattern_id=pattern_id,
        center_id=center_id,
        weekdays=tuple(day for day in Weekday if day in body.weekdays),
        starts=tuple(sorted(time.fromisoformat(each) for each in body.starts)),
        minutes=body.minutes,
        mode=body.mode,
        capacity=body.capacity,
        begins_on=begins_on,
        ends_on=body.ends_on,
        days_off=tuple(sorted(body.days_off)),
        extra=tuple(sorted({LocalStart(each.on, time.fromisoformat(each.at)) for each in body.extra})),
        place=body.place,
        contact=body.contact,
    )


def read_range(query: SlotQuery, *, today: date) -> tuple[date, date]:
    """Read the days of a list.

    Raises:
        MalformedError: the last day is before the first one, or the range is too long.
    """
    first = query.first_day or today
    last = query.last_day or first + DEFAULT_RANGE
    if last < first:
        _refuse("last_day", "before_begin", "The last day is before the first day.")
    if last - first > MAX_RANGE:
        _refuse("last_day", "range_too_long", f"Ask for at most {MAX_RANGE.days} days.")
    return first, last


def _refuse(pointer: str, code: str, text: str) -> None:
    raise MalformedError("malformed", FIELDS_NOT_VALID, errors=[FieldError(pointer, code, text)])
