"""Fields of a referral's clinical part that an eligibility check reads too."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.routes.platform.fields import CalendarDate, StrictModel, build_pattern_validator

# Repeated here and not imported from `chalicelib.domain.eligibility.screen_input`, because that would
# add 3 ms to every cold start.
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
NoTransplantReasonName = Literal["age_or_comorbidity", "other"]
TransplantKindName = Literal["none", "autologous", "allogeneic"]
UpperLimitRatio = Annotated[float, Field(ge=0, le=200)]


class TransplantRequest(StrictModel):
    """The last stem cell transplant; `none` means that there was none."""

    kind: TransplantKindName | None = None
    """The kind of transplant; `none` means that there was none."""
    on: CalendarDate | None = None
    """The day of the transplant (YYYY-MM-DD)."""


class LabsRequest(StrictModel):
    """Lab values of organ function; their units are in the names."""

    lvef_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    """Left ventricular ejection fraction, in percent."""
    creatinine_clearance_ml_min: Annotated[float, Field(ge=0, le=400)] | None = None
    """Creatinine clearance, in mL/min."""
    bilirubin_x_uln: UpperLimitRatio | None = None
    """Total bilirubin, as a multiple of the upper limit of normal."""
    alt_or_ast_x_uln: UpperLimitRatio | None = None
    """The higher of ALT and AST, as a multiple of the upper limit of normal."""
    absolute_lymphocytes_per_ul: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    """Absolute lymphocyte count, in cells per microliter."""


class LastDoseRequest(StrictModel):
    """A treatment that matters before leukapheresis: whether it was given, and when last.

    `daily_mg` is for a corticosteroid: mg of prednisone a day, or the same of another one.
    """

    agent: AgentName
    """The treatment that matters before leukapheresis, as a code."""
    given: bool | None = None
    """Whether it was given."""
    last_on: CalendarDate | None = None
    """The day of the last dose (YYYY-MM-DD)."""
    daily_mg: Annotated[float, Field(gt=0, le=2000)] | None = None
    """The daily dose in milligrams, for corticosteroids."""


class ScreenReferenceRequest(StrictModel):
    """Which version of the catalog the eligibility check used before it became a referral."""

    catalogue_version: Annotated[
        str,
        AfterValidator(build_pattern_validator(r"[0-9a-f]{12}", "Use the catalog version of the eligibility check.")),
    ]
    """The version of the catalog that was used: 12 hexadecimal digits."""
    screened_on: CalendarDate
    """The day of the eligibility check (YYYY-MM-DD)."""


Doses = Annotated[list[LastDoseRequest], Field(max_length=20)]
