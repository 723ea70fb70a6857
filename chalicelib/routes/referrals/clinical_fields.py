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
    on: CalendarDate | None = None


class LabsRequest(StrictModel):
    """Lab values of organ function; their units are in the names."""

    lvef_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    creatinine_clearance_ml_min: Annotated[float, Field(ge=0, le=400)] | None = None
    bilirubin_x_uln: UpperLimitRatio | None = None
    alt_or_ast_x_uln: UpperLimitRatio | None = None
    absolute_lymphocytes_per_ul: Annotated[float, Field(ge=0, le=1_000_000)] | None = None


class LastDoseRequest(StrictModel):
    """A treatment that matters before leukapheresis: whether it was given, and when last.

    `daily_mg` is for a corticosteroid: mg of prednisone a day, or the same of another one.
    """

    agent: AgentName
    given: bool | None = None
    last_on: CalendarDate | None = None
    daily_mg: Annotated[float, Field(gt=0, le=2000)] | None = None


class ScreenReferenceRequest(StrictModel):
    """Which version of the catalog the eligibility check used before it became a referral."""

    catalogue_version: Annotated[
        str,
        AfterValidator(build_pattern_validator(r"[0-9a-f]{12}", "Use the catalog version of the eligibility check.")),
    ]
    screened_on: CalendarDate


Doses = Annotated[list[LastDoseRequest], Field(max_length=20)]
