"""What members and the systems of centers report about the patient's care."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from chalicelib.domain.referrals.adverse_events import (
    ADVERSE_EVENT_FACTS,
    MAX_GRADE,
    AdverseEventKind,
    AdverseEventStatus,
)
from chalicelib.domain.referrals.care_terms import BridgingStatus, BridgingTeam, DiseaseResponse, RelapseStatus
from chalicelib.domain.referrals.events import AdverseEventReported, EventSource, ReferralEvent
from chalicelib.errors import FieldError, MalformedError
from chalicelib.routes.platform.fields import MultiLineText, PastDate, SenderCode, SingleLineText, StrictModel

Grade = Annotated[int, Field(ge=1, le=MAX_GRADE)]
"""A grade of 1 to 5; see `chalicelib.domain.referrals.adverse_events` for the scales."""


def _normalize_kind(value: Any) -> Any:
    """Read a kind as clinicians write it, for example `IEC-HS`. The value that is returned is in lower case."""
    return value.lower().replace("-", "_") if isinstance(value, str) else value


def _parse_kind(value: Any) -> Any:
    name = _normalize_kind(value)
    return next((kind for kind in AdverseEventKind if kind == name), value)


class CareData(StrictModel):
    """A reason and a note."""

    reason_code: SenderCode | None = None
    """Why, as a code of the sender."""
    note: MultiLineText | None = None
    """A note in plain words."""


class ToxicityData(CareData):
    """A toxicity: the older form of an adverse event."""

    kind: Annotated[
        Literal[
            "crs",
            "neurotoxicity",
            "icans",
            "iec_hs",
            "enterocolitis",
            "infection",
            "cytopenia",
            "pml",
            "second_malignancy",
            "readmission",
            "other",
        ],
        BeforeValidator(_normalize_kind),
    ] = "other"
    """What kind of toxicity it is."""
    grade: Grade | None = None
    """The grade on the published scale, 1 to 5."""


class AdverseEventData(CareData):
    """An adverse event, an update of it, or that it has resolved. The latest report of a kind counts."""

    kind: Annotated[AdverseEventKind, BeforeValidator(_parse_kind)]
    """What kind of adverse event it is."""
    grade: Grade | None = None
    """The grade on the published scale, 1 to 5."""
    status: AdverseEventStatus | None = None
    """`ongoing` or `resolved`."""
    resolved_on: PastDate | None = None
    """The day on which it resolved (YYYY-MM-DD)."""

    @field_validator("resolved_on")
    @classmethod
    def _require_resolved(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("status") is AdverseEventStatus.ONGOING:
            raise ValueError("This adverse event is ongoing. Leave this date empty, or change the status.")
        return value


class RelapseData(CareData):
    """A relapse: suspected, confirmed, or ruled out. Confirmed if `status` is left out."""

    status: RelapseStatus | None = None
    """Whether the relapse is suspected, confirmed or ruled out."""


class BridgingData(CareData):
    """Therapy that bridges the time until the infusion. `by` is who gives it."""

    status: BridgingStatus
    """`planned`, `started`, `completed`, or `none` if there is none."""
    by: BridgingTeam | None = None
    """Who gives the therapy."""
    regimen: SingleLineText | None = None
    """The drugs, in words."""
    response: DiseaseResponse | None = None
    """How the disease responded."""


def build_care_event(kind: type[ReferralEvent], data: CareData, common: Mapping[str, Any]) -> ReferralEvent:
    """Build an event about the patient's care: its fields have the names of the request.

    Raises:
        MalformedError: a person graded a kind that has no grades.
    """
    own = {name: getattr(data, name) for name in type(data).model_fields if name not in CareData.model_fields}
    event = kind(**common, **own)
    if isinstance(event, AdverseEventReported):
        _require_grade_fits(event)
    return event


def _require_grade_fits(event: AdverseEventReported) -> None:
    """Refuse a person's grade of a kind that has no grades.

    A report of a center's system is kept as it is: a grade too much must not lose it.
    """
    has_grades = ADVERSE_EVENT_FACTS[event.kind].grading is not None
    if event.grade is None or has_grades or event.source is EventSource.CENTER_FEED:
        return
    error = FieldError("/data/grade", "not_graded", "This kind is not graded. Leave the grade empty.")
    raise MalformedError("not_graded", "This kind of adverse event is not graded.", errors=[error])
