"""What members and the systems of centers report about planned dates."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chalicelib.domain.referrals.events import PlanChanged
from chalicelib.domain.referrals.plan_terms import MAX_AHEAD, PLAN_BY_STAGE, PlanKind, VisitMode
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform.fields import (
    CalendarDate,
    MultiLineText,
    SenderCode,
    SingleLineText,
    StrictModel,
    Timestamp,
)


class PlannedDateFields(StrictModel):
    """When and where something is planned: `starts_at` is a time, `on` a day at the center."""

    starts_at: Timestamp | None = None
    """When it starts, with an offset (RFC 3339), if the time is known."""
    on: CalendarDate | None = None
    """The day at the center, if only the day is known (YYYY-MM-DD)."""
    mode: VisitMode | None = None
    """How the visit takes place."""
    place: SingleLineText | None = None
    """Where the visit is, such as a building and room."""
    contact: SingleLineText | None = None
    """Whom to ask, such as a name and a phone number."""


class PlanData(PlannedDateFields):
    """A date that is planned, moved or canceled. The latest report of a plan counts."""

    plan: PlanKind
    """What is planned, as a code."""
    canceled: bool = False
    """Whether the plan was canceled."""
    reason_code: SenderCode | None = None
    """Why, as a code."""
    note: MultiLineText | None = None
    """A note in plain words."""


_DATE_FIELDS = tuple(PlannedDateFields.model_fields)


def build_plan_changed(data: PlanData, common: Mapping[str, Any]) -> PlanChanged:
    """Build the event of a planned date.

    Raises:
        MalformedError: it names no date, two dates, a date of a canceled plan, or a date too far ahead.
    """
    if data.canceled:
        for name in _DATE_FIELDS:
            if getattr(data, name) is not None:
                _refuse(f"/data/{name}", "canceled", "A canceled plan has no new date. Leave this field out.")
    elif data.starts_at is None and data.on is None:
        _refuse("/data/starts_at", "date_missing", "Enter the planned date or time.")
    return PlanChanged(
        **common,
        plan=data.plan,
        canceled=data.canceled,
        **read_planned_date(data, recorded_at=common["recorded_at"]),
    )


def read_planned_date(
    data: PlannedDateFields, *, recorded_at: datetime, stage: Stage | None = None, pointer: str = "/data"
) -> dict[str, Any]:
    """Read the fields of a planned date.

    Args:
        data: The request's fields.
        recorded_at: Now.
        stage: The status that brings the date, if one does.
        pointer: Where the fields are in the request.

    Raises:
        MalformedError: two dates, a date too far ahead, a place without a date, or a status that has no
            planned date.
    """
    values = {name: getattr(data, name) for name in _DATE_FIELDS}
    named = [name for name, value in values.items() if value is not None]
    if not named:
        return values
    if stage and stage not in PLAN_BY_STAGE:
        text = "This status has no planned date. Leave this field out, or report the planned date separately."
        _refuse(f"{pointer}/{named[0]}", "no_planned_date", text)
    if data.starts_at and data.on:
        _refuse(f"{pointer}/on", "two_dates", "Enter a time or a day, not both.")
    if stage and not (data.starts_at or data.on):
        _refuse(f"{pointer}/starts_at", "date_missing", "Enter the planned date or time.")
    planned: date | None = data.starts_at.date() if data.starts_at else data.on
    if planned and planned > recorded_at.date() + MAX_AHEAD:
        name = "starts_at" if data.starts_at else "on"
        _refuse(f"{pointer}/{name}", "too_far_ahead", "This date is more than three years ahead. Check the year.")
    return values


def _refuse(pointer: str, code: str, text: str) -> None:
    raise MalformedError(code, text, errors=[FieldError(pointer, code, text)])
