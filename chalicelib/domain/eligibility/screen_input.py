"""What a person enters for a screen: disease, lines of therapy, dates, labs. Nothing is derived.

`None` means "not entered" wherever it stands, and is never read as "no".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Literal

FlagName = Literal[
    "active_infection", "autoimmune", "cns_involvement", "hepatitis_or_hiv", "prior_car_t", "seizure_disorder"
]
"""Things that a center wants to talk about, answered with yes or no."""

LabName = Literal[
    "absolute_lymphocytes_per_ul", "alt_or_ast_x_uln", "bilirubin_x_uln", "creatinine_clearance_ml_min", "lvef_percent"
]
"""Figures of organ function, with their unit in the name; `x_uln` is times the upper limit of
the laboratory's normal range."""

AgentName = Literal["bendamustine", "corticosteroid", "cytotoxic_chemotherapy", "pembrolizumab"]
"""Drugs whose last dose matters before cells are collected."""


class LineOutcome(StrEnum):
    """What became of a line of therapy, as the API spells `response`."""

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
    """Which stem cell transplant a patient has had."""

    NONE = "none"
    AUTOLOGOUS = "autologous"
    ALLOGENEIC = "allogeneic"


@dataclass(frozen=True, slots=True, kw_only=True)
class TherapyLine:
    """One line of therapy as its provider counts it.

    Attributes:
        number: Which line it is, from 1.
        classes: The drug classes given, all of them; None when they were not entered.
        outcome: None when it was not entered, or is unknown.
        event_on: The day of relapse or progression.
        place: Where it stands in what was sent, from 0, for pointers; it decides nothing.
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
    """The last stem cell transplant, if there was one."""

    kind: TransplantKind | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDose:
    """What is known of a drug that matters before cells are collected.

    Attributes:
        given: False where the patient never had it.
        last_on: The day of the last dose, which may lie ahead.
    """

    agent: AgentName
    given: bool | None = None
    last_on: date | None = None
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenInput:
    """Everything that a screen looks at.

    Attributes:
        disease: A code of the catalogue's diseases, as `LBCL`.
        histology: A code, as `DLBCL_NOS`; `PRIMARY_CNS` is primary CNS lymphoma.
        lines: None when no line was entered; an empty tuple says that there was none.
        hsct_eligible: Whether a stem cell transplant is intended or possible.
        no_transplant_because: Read only where `hsct_eligible` is false.
        lenalidomide_refractory: The provider's own word.
        doses: Only what matters before collection; at most one entry an agent.
        planned_collection_on: The day on which cells are to be collected.
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
    planned_collection_on: date | None = None
