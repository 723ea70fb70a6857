"""The transition-of-care summary as a center writes it.

Every field is optional, and the page shows what is missing.
`null` means "not entered". An empty list of `prophylaxis` or `care_points` means that there is none.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.routes.platform.fields import (
    CalendarDate,
    Identifier,
    MultiLineText,
    PastDate,
    Phone,
    SingleLineText,
    StrictModel,
    build_text_validator,
)

NonNegativeNumber = Annotated[float, Field(ge=0, le=10_000_000)]
FreeText = Annotated[str, Field(min_length=1, max_length=600), AfterValidator(build_text_validator(lines=False))]


class GivenInfusion(StrictModel):
    """One infusion that was given; a split dose has several."""

    on: PastDate
    dose: SingleLineText | None = None


class TumorResponse(StrictModel):
    """How the disease responded, and when that was assessed."""

    assessment: (
        Literal["complete_response", "partial_response", "stable_disease", "progressive_disease", "not_assessed"] | None
    ) = None
    on: PastDate | None = None
    words: SingleLineText | None = None


class WorstGrade(StrictModel):
    """The worst grade of a toxicity, 0 for none, and its treatment. Source: ASTCT consensus of 2019."""

    worst_grade: Annotated[int, Field(ge=0, le=4)] | None = None
    treatment: MultiLineText | None = None


class BloodCounts(StrictModel):
    """The last blood count."""

    on: PastDate | None = None
    neutrophils_per_ul: NonNegativeNumber | None = None
    hemoglobin_g_dl: Annotated[float, Field(ge=0, le=30)] | None = None
    platelets_per_ul: NonNegativeNumber | None = None


class Prophylaxis(StrictModel):
    """A drug that continues, and when it stops: a day, or words if no day is known."""

    drug: SingleLineText
    against: Literal["bacteria", "fungi", "herpes", "pneumocystis", "seizures", "other"] = "other"
    stop_on: CalendarDate | None = None
    stop_when: SingleLineText | None = None


class Immunoglobulin(StrictModel):
    """The last IgG, and what is planned."""

    igg_mg_dl: Annotated[float, Field(ge=0, le=20_000)] | None = None
    measured_on: PastDate | None = None
    plan: MultiLineText | None = None


class Steroids(StrictModel):
    """Whether the patient takes corticosteroids."""

    status: Literal["none", "tapering", "ongoing"] | None = None
    words: SingleLineText | None = None


class Responsibility(StrictModel):
    """Who does what from now on."""

    who: Literal["practice", "center"]
    does: SingleLineText


class CarePointRequest(StrictModel):
    """A care point: from the published list, perhaps with an edited text, or the center's own."""

    care_point_id: Identifier | None = None
    text: FreeText
    due_on: CalendarDate | None = None


class HandbackRequest(StrictModel):
    """The whole summary; a field that is left out is not entered."""

    product_id: Identifier | None = None
    lot: SingleLineText | None = None
    infusions: Annotated[list[GivenInfusion], Field(default_factory=list, max_length=9)]
    response: TumorResponse | None = None
    crs: WorstGrade | None = None
    icans: WorstGrade | None = None
    cytopenias: MultiLineText | None = None
    counts: BloodCounts | None = None
    transfusion_needs: MultiLineText | None = None
    prophylaxis: Annotated[list[Prophylaxis], Field(max_length=20)] | None = None
    immunoglobulin: Immunoglobulin | None = None
    vaccination_plan: MultiLineText | None = None
    steroids: Steroids | None = None
    driving_cleared_on: CalendarDate | None = None
    irradiated_until: CalendarDate | None = None
    open_problems: MultiLineText | None = None
    warning_signs: MultiLineText | None = None
    center_phone: Phone | None = None
    next_center_visit_on: CalendarDate | None = None
    responsibilities: Annotated[list[Responsibility], Field(default_factory=list, max_length=20)]
    care_points: Annotated[list[CarePointRequest], Field(max_length=40)] | None = None
    wallet_card_given: bool | None = None
