"""What the clinical part of a referral may carry so that it can be screened too."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.routes.platform.fields import CalendarDate, StrictModel, build_pattern_validator

# Spelled out, and not taken from `domain.entries`: that would cost every cold start 3 ms.
AgentName = Literal["bendamustine", "corticosteroid", "cytotoxic_chemotherapy", "pembrolizumab"]
NoTransplantReasonName = Literal["age_or_comorbidity", "other"]
TransplantKindName = Literal["none", "autologous", "allogeneic"]
UpperLimitRatio = Annotated[float, Field(ge=0, le=200)]


class TransplantBody(StrictModel):
    """The last stem cell transplant; `none` says that there was none."""

    kind: TransplantKindName | None = None
    on: CalendarDate | None = None


class LabsBody(StrictModel):
    """Figures of organ function, their units in the names."""

    lvef_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    creatinine_clearance_ml_min: Annotated[float, Field(ge=0, le=400)] | None = None
    bilirubin_x_uln: UpperLimitRatio | None = None
    alt_or_ast_x_uln: UpperLimitRatio | None = None
    absolute_lymphocytes_per_ul: Annotated[float, Field(ge=0, le=1_000_000)] | None = None


class DoseBody(StrictModel):
    """A drug that matters before cells are collected: whether it was given, and when last."""

    agent: AgentName
    given: bool | None = None
    last_on: CalendarDate | None = None


class ScreenedBody(StrictModel):
    """Which version of the catalogue a screen compared with, when it became a referral."""

    catalogue_version: Annotated[
        str, AfterValidator(build_pattern_validator(r"[0-9a-f]{12}", "must be a version as a screen told it"))
    ]
    screened_on: CalendarDate


Doses = Annotated[list[DoseBody], Field(max_length=8)]
