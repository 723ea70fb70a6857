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
    """The day of the infusion (YYYY-MM-DD)."""
    dose: SingleLineText | None = None
    """The dose, in words."""


class TumorResponse(StrictModel):
    """How the disease responded, and when that was assessed."""

    assessment: (
        Literal["complete_response", "partial_response", "stable_disease", "progressive_disease", "not_assessed"] | None
    ) = None
    """How the disease responded."""
    on: PastDate | None = None
    """The day of the assessment (YYYY-MM-DD)."""
    words: SingleLineText | None = None
    """The response in words, such as a score."""


class WorstGrade(StrictModel):
    """The worst grade of a toxicity, 0 for none, and its treatment. Source: ASTCT consensus of 2019."""

    worst_grade: Annotated[int, Field(ge=0, le=4)] | None = None
    """The worst grade, 0 for none to 4."""
    treatment: MultiLineText | None = None
    """How it was treated."""


class BloodCounts(StrictModel):
    """The last blood count."""

    on: PastDate | None = None
    """The day of the blood count (YYYY-MM-DD)."""
    neutrophils_per_ul: NonNegativeNumber | None = None
    """Neutrophils, in cells per microliter."""
    hemoglobin_g_dl: Annotated[float, Field(ge=0, le=30)] | None = None
    """Hemoglobin, in g/dL."""
    platelets_per_ul: NonNegativeNumber | None = None
    """Platelets, in cells per microliter."""


class Prophylaxis(StrictModel):
    """A drug that continues, and when it stops: a day, or words if no day is known."""

    drug: SingleLineText
    """The name of the drug."""
    against: Literal["bacteria", "fungi", "herpes", "pneumocystis", "seizures", "other"] = "other"
    """What it protects against."""
    stop_on: CalendarDate | None = None
    """The last day of the drug (YYYY-MM-DD)."""
    stop_when: SingleLineText | None = None
    """When it stops, in words, if no day is known."""


class Immunoglobulin(StrictModel):
    """The last IgG, and what is planned."""

    igg_mg_dl: Annotated[float, Field(ge=0, le=20_000)] | None = None
    """IgG, in mg/dL."""
    measured_on: PastDate | None = None
    """The day of the measurement (YYYY-MM-DD)."""
    plan: MultiLineText | None = None
    """What is planned."""


class Steroids(StrictModel):
    """Whether the patient takes corticosteroids."""

    status: Literal["none", "tapering", "ongoing"] | None = None
    """Whether the patient takes corticosteroids."""
    words: SingleLineText | None = None
    """The drug and dose, in words."""


class Responsibility(StrictModel):
    """Who does what from now on."""

    who: Literal["practice", "center"]
    """Who is responsible from now on."""
    does: SingleLineText
    """What they do."""


class CarePointRequest(StrictModel):
    """A care point: from the published list, perhaps with an edited text, or the center's own."""

    care_point_id: Identifier | None = None
    """The care point of the published list; left out for the center's own."""
    text: FreeText
    """The text of the care point."""
    due_on: CalendarDate | None = None
    """The day on which it is due (YYYY-MM-DD)."""


class HandbackRequest(StrictModel):
    """The whole summary; a field that is left out is not entered."""

    product_id: Identifier | None = None
    """The product that was given, by its ID in the catalog."""
    lot: SingleLineText | None = None
    """The lot number of the product."""
    infusions: Annotated[list[GivenInfusion], Field(default_factory=list, max_length=9)]
    """The infusions that were given, in order."""
    response: TumorResponse | None = None
    """How the disease responded."""
    crs: WorstGrade | None = None
    """The worst grade of cytokine release syndrome (CRS), and its treatment."""
    icans: WorstGrade | None = None
    """The worst grade of ICANS, and its treatment."""
    cytopenias: MultiLineText | None = None
    """Cytopenias and their course."""
    counts: BloodCounts | None = None
    """The last blood count."""
    transfusion_needs: MultiLineText | None = None
    """Which transfusions the patient needs."""
    prophylaxis: Annotated[list[Prophylaxis], Field(max_length=20)] | None = None
    """Drugs that continue to prevent infections or seizures."""
    immunoglobulin: Immunoglobulin | None = None
    """The last IgG, and what is planned."""
    vaccination_plan: MultiLineText | None = None
    """Which vaccinations are planned, and when."""
    steroids: Steroids | None = None
    """Whether the patient takes corticosteroids."""
    driving_cleared_on: CalendarDate | None = None
    """The day from which the patient can drive again (YYYY-MM-DD)."""
    irradiated_until: CalendarDate | None = None
    """The last day on which blood products must be irradiated (YYYY-MM-DD)."""
    open_problems: MultiLineText | None = None
    """Problems that are still open."""
    warning_signs: MultiLineText | None = None
    """Signs with which the patient should call."""
    center_phone: Phone | None = None
    """The phone of the center for questions."""
    next_center_visit_on: CalendarDate | None = None
    """The day of the next visit at the center (YYYY-MM-DD)."""
    responsibilities: Annotated[list[Responsibility], Field(default_factory=list, max_length=20)]
    """Who does what from now on."""
    care_points: Annotated[list[CarePointRequest], Field(max_length=40)] | None = None
    """The care points for the practice, from the published list or the center's own."""
    wallet_card_given: bool | None = None
    """Whether the patient was given the wallet card."""
