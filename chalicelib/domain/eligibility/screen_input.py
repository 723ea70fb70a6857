"""What a user enters for an eligibility check: disease, lines of therapy, dates, labs. Nothing is derived.

`None` always means "not entered", and never "no".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

FlagName = Literal[
    "active_infection",
    "autoimmune",
    "can_stay_nearby",
    "caregiver_available",
    "cns_involvement",
    "hepatitis_or_hiv",
    "pregnancy",
    "prior_car_t",
    "seizure_disorder",
]
"""What a center wants to discuss, answered with yes or no."""

LabName = Literal[
    "absolute_lymphocytes_per_ul", "alt_or_ast_x_uln", "bilirubin_x_uln", "creatinine_clearance_ml_min", "lvef_percent"
]
"""Results of organ function tests, with the unit in the name. `x_uln` means times the upper limit of
the laboratory's normal range."""

AgentName = Literal[
    "alemtuzumab",
    "anti_cd38",
    "antithymocyte_globulin",
    "asparaginase",
    "bcma_bispecific",
    "bendamustine",
    "cladribine",
    "corticosteroid",
    "cytotoxic_chemotherapy",
    "donor_lymphocytes",
    "immunosuppressant",
    "pembrolizumab",
    "proteasome_inhibitor",
    "radiotherapy",
]
"""Treatments whose last dose matters before leukapheresis (washout): a drug, or a class of drugs."""


class LineOutcome(StrEnum):
    """The outcome of a line of therapy; the API calls it `response`."""

    COMPLETE_RESPONSE = "complete_response"
    PARTIAL_RESPONSE = "partial_response"
    STABLE_DISEASE = "stable_disease"
    REFRACTORY = "refractory"
    RELAPSED = "relapsed"
    ONGOING = "ongoing"


class NoTransplantReason(StrEnum):
    """Why a stem cell transplant is not an option."""

    AGE_OR_COMORBIDITY = "age_or_comorbidity"
    OTHER = "other"


class TransplantKind(StrEnum):
    """The kind of stem cell transplant that a patient has had."""

    NONE = "none"
    AUTOLOGOUS = "autologous"
    ALLOGENEIC = "allogeneic"


@dataclass(frozen=True, slots=True, kw_only=True)
class TherapyLine:
    """One line of therapy, as the provider counts lines.

    Attributes:
        number: The number of the line, from 1.
        classes: All drug classes given; None if not entered.
        outcome: None if not entered, or unknown.
        event_on: The day of relapse or progression.
        position: Its index in the request, from 0, for JSON pointers. It affects no result.
    """

    number: int
    regimen: str = ""
    classes: frozenset[str] | None = None
    started_on: date | None = None
    ended_on: date | None = None
    outcome: LineOutcome | None = None
    event_on: date | None = None
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorTransplant:
    """The most recent stem cell transplant, if there was one."""

    kind: TransplantKind | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDose:
    """The last dose of a drug that matters before leukapheresis.

    Attributes:
        given: False if the patient never had the drug.
        last_on: The day of the last dose, which can be in the future.
        daily_mg: For a corticosteroid, the dose in mg of prednisone or its equivalent a day.
    """

    agent: AgentName
    given: bool | None = None
    last_on: date | None = None
    daily_mg: float | None = None
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenInput:
    """Everything that an eligibility check uses.

    Attributes:
        disease: A code of the catalog's diseases, such as `LBCL`.
        histology: A code of `histologies.HISTOLOGIES`, or of an earlier release.
        lines: None if no line was entered; an empty tuple means that there was none.
        hsct_eligible: Whether a stem cell transplant is intended or possible.
        no_transplant_reason: Used only if `hsct_eligible` is false.
        lenalidomide_refractory: The provider's own answer.
        doses: Only drugs that matter before leukapheresis; at most one entry per drug.
        last_imaging_on: The date of the last imaging of the disease.
        planned_collection_on: The planned leukapheresis date.
    """

    disease: str
    age: int | None = None
    histology: str | None = None
    ecog: int | None = None
    lines: tuple[TherapyLine, ...] | None = None
    hsct_eligible: bool | None = None
    no_transplant_reason: NoTransplantReason = NoTransplantReason.AGE_OR_COMORBIDITY
    lenalidomide_refractory: bool | None = None
    transplant: PriorTransplant = PriorTransplant()
    conditions: Mapping[FlagName, bool] = field(default_factory=dict)
    labs: Mapping[LabName, float] = field(default_factory=dict)
    doses: tuple[LastDose, ...] = ()
    last_imaging_on: date | None = None
    planned_collection_on: date | None = None
