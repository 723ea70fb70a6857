"""The hand-back package as a center writes it. Every field may be left out; what is missing shows.

`null` is "not entered". An empty list of `prophylaxis` or `care_points` says that there is none.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.routes.platform.fields import (
    Body,
    Day,
    Identifier,
    Line,
    Note,
    PastDay,
    Phone,
    clean,
)

Figure = Annotated[float, Field(ge=0, le=10_000_000)]
Words = Annotated[str, Field(min_length=1, max_length=600), AfterValidator(clean(lines=False))]


class Infusion(Body):
    """One infusion that was given; a split dose has several."""

    on: PastDay
    dose: Line | None = None


class Response(Body):
    """How the disease answered, and when that was looked at."""

    assessment: (
        Literal[
            "complete_response",
            "partial_response",
            "stable_disease",
            "progressive_disease",
            "not_assessed",
        ]
        | None
    ) = None
    on: PastDay | None = None
    words: Line | None = None


class WorstGrade(Body):
    """The worst grade of a toxicity, 0 for none, and what was done. ASTCT consensus of 2019."""

    worst_grade: Annotated[int, Field(ge=0, le=4)] | None = None
    treatment: Note | None = None


class Counts(Body):
    """The last blood count."""

    on: PastDay | None = None
    neutrophils_per_ul: Figure | None = None
    hemoglobin_g_dl: Annotated[float, Field(ge=0, le=30)] | None = None
    platelets_per_ul: Figure | None = None


class Prophylaxis(Body):
    """A drug that goes on, and when it stops: a day, or words where no day is known."""

    drug: Line
    against: Literal["bacteria", "fungi", "herpes", "pneumocystis", "seizures", "other"] = "other"
    stop_on: Day | None = None
    stop_when: Line | None = None


class Immunoglobulin(Body):
    """The last IgG, and what is planned."""

    igg_mg_dl: Annotated[float, Field(ge=0, le=20_000)] | None = None
    measured_on: PastDay | None = None
    plan: Note | None = None


class Steroids(Body):
    """Whether the patient takes corticosteroids."""

    status: Literal["none", "tapering", "ongoing"] | None = None
    words: Line | None = None


class Responsibility(Body):
    """Who does what from now on."""

    who: Literal["practice", "center"]
    does: Line


class CarePointBody(Body):
    """A point of care: one of the catalogue, perhaps worded anew, or the center's own."""

    care_point_id: Identifier | None = None
    text: Words
    due_on: Day | None = None


class HandbackBody(Body):
    """The whole package; what is left out is not entered."""

    product_id: Identifier | None = None
    lot: Line | None = None
    infusions: Annotated[list[Infusion], Field(default_factory=list, max_length=9)]
    response: Response | None = None
    crs: WorstGrade | None = None
    icans: WorstGrade | None = None
    cytopenias: Note | None = None
    counts: Counts | None = None
    transfusion_needs: Note | None = None
    prophylaxis: Annotated[list[Prophylaxis], Field(max_length=20)] | None = None
    immunoglobulin: Immunoglobulin | None = None
    vaccination_plan: Note | None = None
    steroids: Steroids | None = None
    driving_cleared_on: Day | None = None
    irradiated_until: Day | None = None
    open_problems: Note | None = None
    warning_signs: Note | None = None
    center_phone: Phone | None = None
    next_center_visit_on: Day | None = None
    responsibilities: Annotated[list[Responsibility], Field(default_factory=list, max_length=20)]
    care_points: Annotated[list[CarePointBody], Field(max_length=40)] | None = None
    wallet_card_given: bool | None = None
