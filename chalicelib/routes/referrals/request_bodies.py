"""What a request's body may carry, field by field. Anything else is refused by name."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from chalicelib.domain.identity.members import Role
from chalicelib.routes.platform.fields import (
    Body,
    Code,
    Day,
    Disease,
    Email,
    Icd10,
    Identifier,
    Line,
    Note,
    Npi,
    PastDay,
    Phone,
    Zip,
    clean,
    matching,
)
from chalicelib.routes.referrals.clinical_fields import (
    Because,
    Doses,
    LabsBody,
    ScreenedBody,
    TransplantBody,
)

DrugClass = Literal[
    "anthracycline",
    "anti_bcma",
    "anti_cd19",
    "anti_cd20",
    "anti_cd38",
    "bcl2_inhibitor",
    "bispecific_antibody",
    "btk_inhibitor",
    "chemoimmunotherapy",
    "chemotherapy",
    "corticosteroid",
    "imid",
    "other",
    "proteasome_inhibitor",
    "stem_cell_transplant",
    "tyrosine_kinase_inhibitor",
]


class Caregiver(Body):
    """Who is with the patient."""

    name: Line
    phone: Phone | None = None
    relation: Line | None = None


class Patient(Body):
    """The person who is referred."""

    family_name: Line
    birth_date: PastDay
    given_name: Line | None = None
    sex: Literal["female", "male", "intersex", "unknown"] | None = None
    mrn: Line | None = None
    zip: Zip | None = None
    phone: Phone | None = None
    email: Email | None = None
    language: (
        Annotated[
            str, AfterValidator(matching(r"[a-z]{2,3}(-[A-Z]{2})?", "must be a language as en"))
        ]
        | None
    ) = None
    alias: Annotated[str, Field(max_length=40), AfterValidator(clean(lines=False))] | None = None
    caregiver: Caregiver | None = None


class LineOfTherapy(Body):
    """One line of treatment as the provider counts it. Lines are never derived."""

    line: Annotated[int, Field(ge=1, le=30)]
    regimen: Line
    classes: Annotated[list[DrugClass], Field(default_factory=list, max_length=12)]
    started_on: Day | None = None
    ended_on: Day | None = None
    response: (
        Literal[
            "complete_response",
            "partial_response",
            "stable_disease",
            "refractory",
            "relapsed",
            "ongoing",
            "unknown",
        ]
        | None
    ) = None
    event_on: Day | None = None


class Flags(Body):
    """Things to discuss with the center. None of them decides anything."""

    active_infection: bool | None = None
    cns_involvement: bool | None = None
    autoimmune: bool | None = None
    hepatitis_or_hiv: bool | None = None
    prior_car_t: bool | None = None
    seizure_disorder: bool | None = None


class Clinical(Body):
    """Disease and treatment so far."""

    disease: Disease
    histology: Code | None = None
    icd10: Icd10 | None = None
    ecog: Annotated[int, Field(ge=0, le=4)] | None = None
    hsct_eligible: bool | None = None
    no_transplant_because: Because | None = None
    prior_lines: Annotated[list[LineOfTherapy], Field(default_factory=list, max_length=30)]
    lenalidomide_refractory: bool | None = None
    transplant: TransplantBody | None = None
    flags: Flags | None = None
    labs: LabsBody | None = None
    last_doses: Doses | None = None
    screened: ScreenedBody | None = None


class ReferringProvider(Body):
    """Who refers."""

    name: Line
    npi: Npi | None = None
    phone: Phone | None = None
    email: Email | None = None


class Insurance(Body):
    """Who pays. Its being sent is no statement of coverage."""

    payer: Line
    plan_type: (
        Literal[
            "commercial",
            "marketplace",
            "medicaid",
            "medicare_advantage",
            "medicare_ffs",
            "tricare",
            "uninsured",
            "va",
            "other",
        ]
        | None
    ) = None
    member_id: Line | None = None
    group: Line | None = None


class Consent(Body):
    """The patient's consent to share what is sent."""

    given: bool
    on: Day | None = None


class ReferralBody(Body):
    """A referral as a practice sends it."""

    patient: Patient
    clinical: Clinical
    referring_provider: ReferringProvider
    product_id: Identifier | None = None
    center_id: Identifier | None = None
    urgency: Literal["routine", "urgent"] = "routine"
    insurance: Insurance | None = None
    consent_to_share: Consent | None = None
    note: Note | None = None
    continues: Identifier | None = None
    submit: bool = False


class ReferralPatch(Body):
    """What a practice changes: whole sections; one that is absent stays as it is."""

    patient: Patient | None = None
    clinical: Clinical | None = None
    referring_provider: ReferringProvider | None = None
    product_id: Identifier | None = None
    center_id: Identifier | None = None
    urgency: Literal["routine", "urgent"] | None = None
    insurance: Insurance | None = None
    consent_to_share: Consent | None = None
    note: Note | None = None


class ScreenBody(Body):
    """What a screen looks at; `clinical` is what a referral carries too. Nothing is stored."""

    age: Annotated[int, Field(ge=0, le=130)] | None = None
    clinical: Clinical
    planned_collection_on: Day | None = None


class SignIn(Body):
    """A password for a session."""

    email: Email
    password: Annotated[str, Field(min_length=1, max_length=256)]


class ChallengeReply(Body):
    """The answer to a question that came instead of a session."""

    email: Email
    challenge: Literal["NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA"]
    session: Annotated[str, Field(min_length=1, max_length=4096)]
    new_password: Annotated[str, Field(min_length=8, max_length=256)] | None = None
    code: Annotated[str, AfterValidator(matching(r"\d{6}", "must be 6 digits"))] | None = None


class Refresh(Body):
    """A refresh token for a new access token."""

    refresh_token: Annotated[str, Field(min_length=1, max_length=8192)]


class InviteBody(Body):
    """A person who is to become a member of one's own organisation."""

    name: Line
    email: Email
    roles: Annotated[list[Role], Field(min_length=1, max_length=5)]


class MemberPatch(Body):
    """What changes of a member."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=5)] | None = None
    active: bool | None = None
