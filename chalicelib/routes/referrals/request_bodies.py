"""The request bodies of referrals, field by field. Any other field is refused by name."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, JsonValue

from chalicelib.domain.referrals.unfinished import MAX_UNFINISHED, UNFINISHED
from chalicelib.routes.platform.fields import (
    BirthDate,
    CalendarDate,
    Disease,
    Email,
    Icd10,
    Identifier,
    LanguageTag,
    MultiLineText,
    Npi,
    Phone,
    SenderCode,
    SingleLineText,
    StrictModel,
    Zip,
    build_text_validator,
)
from chalicelib.routes.referrals.clinical_fields import (
    Doses,
    LabsRequest,
    NoTransplantReasonName,
    ScreenReferenceRequest,
    TransplantRequest,
)
from chalicelib.routes.referrals.consent_fields import (
    AnswersNone,
    CenterContact,
    ConsentChange,
    ConsentToShare,
    PlanType,
)
from chalicelib.routes.referrals.unfinished_fields import MAX_POINTER_CHARS, build_pointer_check, require_storable

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


class Caregiver(StrictModel):
    """Who cares for the patient."""

    name: SingleLineText
    phone: Phone | None = None
    relation: SingleLineText | None = None


class Patient(StrictModel):
    """The person who is referred. A draft can be empty; `chalicelib.domain.referrals.packet` checks a submission."""

    family_name: SingleLineText | None = None
    birth_date: BirthDate | None = None
    given_name: SingleLineText | None = None
    sex: Literal["female", "male", "intersex", "other", "unknown"] | None = None
    mrn: SingleLineText | None = None
    zip: Zip | None = None
    phone: Phone | None = None
    email: Email | None = None
    language: LanguageTag | None = None
    interpreter_needed: bool | None = None
    alias: Annotated[str, Field(max_length=40), AfterValidator(build_text_validator(lines=False))] | None = None
    caregiver: Caregiver | None = None


class LineOfTherapy(StrictModel):
    """One line of therapy as the provider counts it. Lines are never derived."""

    line: Annotated[int, Field(ge=1, le=30)]
    regimen: SingleLineText
    classes: Annotated[list[DrugClass], Field(default_factory=list, max_length=12)]
    started_on: CalendarDate | None = None
    ended_on: CalendarDate | None = None
    response: (
        Literal[
            "complete_response", "partial_response", "stable_disease", "refractory", "relapsed", "ongoing", "unknown"
        ]
        | None
    ) = None
    event_on: CalendarDate | None = None


class ClinicalFlags(StrictModel):
    """Points to discuss with the center. None of them decides anything."""

    active_infection: bool | None = None
    cns_involvement: bool | None = None
    autoimmune: bool | None = None
    hepatitis_or_hiv: bool | None = None
    prior_car_t: bool | None = None
    seizure_disorder: bool | None = None
    pregnancy: bool | None = None
    caregiver_available: bool | None = None
    can_stay_nearby: bool | None = None


class ClinicalFacts(StrictModel):
    """Treatment so far. `histology` is a code of the disease's list in `GET /v1/diagnosis-codes`."""

    histology: SenderCode | None = None
    icd10: Icd10 | None = None
    ecog: Annotated[int, Field(ge=0, le=4)] | None = None
    hsct_eligible: bool | None = None
    no_transplant_because: NoTransplantReasonName | None = None
    prior_lines: Annotated[list[LineOfTherapy], Field(default_factory=list, max_length=30)]
    lenalidomide_refractory: bool | None = None
    transplant: TransplantRequest | None = None
    flags: ClinicalFlags | None = None
    labs: LabsRequest | None = None
    last_doses: Doses | None = None
    last_imaging_on: CalendarDate | None = None
    screened: ScreenReferenceRequest | None = None


class Clinical(ClinicalFacts):
    """Disease and treatment so far, for an eligibility check."""

    disease: Disease


class ReferralClinical(ClinicalFacts):
    """Disease and treatment so far. A draft can be without a disease."""

    disease: Disease | None = None


class ReferringProvider(StrictModel):
    """Who refers."""

    name: SingleLineText | None = None
    npi: Npi | None = None
    phone: Phone | None = None
    email: Email | None = None


class Subscriber(StrictModel):
    """Who holds the insurance, seen from the patient. For `self`, it is the patient, and no name is needed."""

    relationship: Literal["self", "spouse", "child", "other"] = "self"
    given_name: SingleLineText | None = None
    family_name: SingleLineText | None = None
    birth_date: BirthDate | None = None


class Insurance(StrictModel):
    """Who pays. It says nothing about coverage. A patient without insurance has no payer.

    `funding` is who bears the cost of an employer's plan; it decides which time limits apply.
    """

    payer: SingleLineText | None = None
    plan_type: PlanType | None = None
    member_id: SingleLineText | None = None
    group: SingleLineText | None = None
    funding: Literal["self_funded", "fully_insured", "unknown"] | None = None
    subscriber: Subscriber | None = None


def _get_fact_fields() -> type[BaseModel]:
    return ReferralPatchRequest


UnfinishedPointer = Annotated[
    str,
    Field(max_length=MAX_POINTER_CHARS),
    AfterValidator(build_pointer_check(_get_fact_fields, without=frozenset({UNFINISHED, "center_contact"}))),
]


class UnfinishedValue(StrictModel):
    """A value of a draft as it was typed, because its field refuses it.

    `pointer` is the field's place in this body, of a list as a whole. `value` is any JSON and is not checked.
    """

    pointer: UnfinishedPointer
    value: JsonValue


UnfinishedValues = Annotated[list[UnfinishedValue], Field(max_length=MAX_UNFINISHED), AfterValidator(require_storable)]


class ReferralRequest(StrictModel):
    """A referral as a practice sends it. A draft can leave out everything, and can have unfinished values.

    `referred_on` is for a patient who is already on the way: the day on which the patient was referred, at most
    two years ago. Steps from that day on count. It can change only while the referral is a draft.
    """

    patient: Annotated[Patient, Field(default_factory=Patient)]
    clinical: Annotated[ReferralClinical, Field(default_factory=ReferralClinical)]
    referring_provider: Annotated[ReferringProvider, Field(default_factory=ReferringProvider)]
    product_id: Identifier | None = None
    center_id: Identifier | None = None
    urgency: Literal["routine", "urgent"] = "routine"
    insurance: Insurance | None = None
    consent_to_share: ConsentToShare | None = None
    none_because: AnswersNone | None = None
    note: MultiLineText | None = None
    continues: Identifier | None = None
    referred_on: CalendarDate | None = None
    unfinished: UnfinishedValues | None = None
    submit: bool = False


class ReferralPatchRequest(StrictModel):
    """The sections that a side changes, each as a whole; an absent section stays as it is.

    The practice owns all of them except `center_contact`, which the center owns. Only a draft has `unfinished`
    values. If they are absent, those stay whose fields have no new value.
    """

    patient: Patient | None = None
    clinical: ReferralClinical | None = None
    referring_provider: ReferringProvider | None = None
    product_id: Identifier | None = None
    center_id: Identifier | None = None
    urgency: Literal["routine", "urgent"] | None = None
    insurance: Insurance | None = None
    consent_to_share: ConsentChange | None = None
    none_because: AnswersNone | None = None
    note: MultiLineText | None = None
    referred_on: CalendarDate | None = None
    center_contact: CenterContact | None = None
    unfinished: UnfinishedValues | None = None
