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
    """The name of the caregiver."""
    phone: Phone | None = None
    """The phone of the caregiver."""
    relation: SingleLineText | None = None
    """How the caregiver is related to the patient."""


class Patient(StrictModel):
    """The person who is referred. A draft can be empty; `chalicelib.domain.referrals.packet` checks a submission."""

    family_name: SingleLineText | None = None
    """Last name."""
    birth_date: BirthDate | None = None
    """Date of birth (YYYY-MM-DD), or only YYYY-MM or YYYY if no more is known."""
    given_name: SingleLineText | None = None
    """First name."""
    sex: Literal["female", "male", "intersex", "other", "unknown"] | None = None
    """Sex, as the practice records it."""
    mrn: SingleLineText | None = None
    """The practice's medical record number."""
    zip: Zip | None = None
    """ZIP code or ZIP+4 of the patient's home."""
    phone: Phone | None = None
    """The patient's phone."""
    email: Email | None = None
    """The patient's email address."""
    language: LanguageTag | None = None
    """The patient's language as a tag (BCP 47), such as `en`, `es-419` or `zh-Hant`."""
    interpreter_needed: bool | None = None
    """Whether the patient needs an interpreter."""
    alias: Annotated[str, Field(max_length=40), AfterValidator(build_text_validator(lines=False))] | None = None
    """A name for email and calendars that does not identify the patient. The product makes one if it is left out."""
    caregiver: Caregiver | None = None
    """Who cares for the patient."""


class LineOfTherapy(StrictModel):
    """One line of therapy as the provider counts it. Lines are never derived."""

    line: Annotated[int, Field(ge=1, le=30)]
    """The number of the line, from 1."""
    regimen: SingleLineText
    """The drugs, in words."""
    classes: Annotated[list[DrugClass], Field(default_factory=list, max_length=12)]
    """The classes of the drugs in the line."""
    started_on: CalendarDate | None = None
    """The first day (YYYY-MM-DD)."""
    ended_on: CalendarDate | None = None
    """The last day (YYYY-MM-DD)."""
    response: (
        Literal[
            "complete_response", "partial_response", "stable_disease", "refractory", "relapsed", "ongoing", "unknown"
        ]
        | None
    ) = None
    """The best response to the line."""
    event_on: CalendarDate | None = None
    """The day of the relapse or progression after the line (YYYY-MM-DD)."""


class ClinicalFlags(StrictModel):
    """Points to discuss with the center. None of them decides anything."""

    active_infection: bool | None = None
    """Whether the patient has an active infection."""
    cns_involvement: bool | None = None
    """Whether the disease involves the central nervous system."""
    autoimmune: bool | None = None
    """Whether the patient has an autoimmune disease."""
    hepatitis_or_hiv: bool | None = None
    """Whether the patient has hepatitis B, hepatitis C or HIV."""
    prior_car_t: bool | None = None
    """Whether the patient has had CAR T before."""
    seizure_disorder: bool | None = None
    """Whether the patient has a seizure disorder."""
    pregnancy: bool | None = None
    """Whether the patient is pregnant."""
    caregiver_available: bool | None = None
    """Whether a caregiver is available after the infusion."""
    can_stay_nearby: bool | None = None
    """Whether the patient can stay near the center after the infusion."""


class ClinicalFacts(StrictModel):
    """Treatment so far. `histology` is a code of the disease's list in `GET /v1/diagnosis-codes`."""

    histology: SenderCode | None = None
    """The histology, as a code of `GET /v1/diagnosis-codes`."""
    icd10: Icd10 | None = None
    """The diagnosis as a billable ICD-10-CM code, such as `C83.398`."""
    ecog: Annotated[int, Field(ge=0, le=4)] | None = None
    """ECOG performance status, 0 to 4."""
    hsct_eligible: bool | None = None
    """Whether a stem cell transplant is an option for the patient."""
    no_transplant_because: NoTransplantReasonName | None = None
    """Why a transplant is not an option."""
    prior_lines: Annotated[list[LineOfTherapy], Field(default_factory=list, max_length=30)]
    """The lines of therapy, as the provider counts them."""
    lenalidomide_refractory: bool | None = None
    """Whether the disease is refractory to lenalidomide."""
    transplant: TransplantRequest | None = None
    """The last stem cell transplant."""
    flags: ClinicalFlags | None = None
    """Points to discuss with the center, each true or false; one that is left out is not known."""
    labs: LabsRequest | None = None
    """Lab values of organ function."""
    last_doses: Doses | None = None
    """Treatments that matter before leukapheresis, with their last days."""
    last_imaging_on: CalendarDate | None = None
    """The day of the last imaging (YYYY-MM-DD)."""
    screened: ScreenReferenceRequest | None = None
    """The eligibility check that came before the referral."""


class Clinical(ClinicalFacts):
    """Disease and treatment so far, for an eligibility check."""

    disease: Disease
    """The disease, as a code of the catalog such as `LBCL`."""


class ReferralClinical(ClinicalFacts):
    """Disease and treatment so far. A draft can be without a disease."""

    disease: Disease | None = None
    """The disease, as a code of the catalog such as `LBCL`."""


class ReferringProvider(StrictModel):
    """Who refers."""

    name: SingleLineText | None = None
    """The name of the provider."""
    npi: Npi | None = None
    """The National Provider Identifier: 10 digits."""
    phone: Phone | None = None
    """The provider's phone."""
    email: Email | None = None
    """The provider's email address."""


class Subscriber(StrictModel):
    """Who holds the insurance, seen from the patient. For `self`, it is the patient, and no name is needed."""

    relationship: Literal["self", "spouse", "child", "other"] = "self"
    """How the policy holder is related to the patient."""
    given_name: SingleLineText | None = None
    """First name."""
    family_name: SingleLineText | None = None
    """Last name."""
    birth_date: BirthDate | None = None
    """Date of birth (YYYY-MM-DD)."""


class Insurance(StrictModel):
    """Who pays. It says nothing about coverage. A patient without insurance has no payer.

    `funding` is who bears the cost of an employer's plan; it decides which time limits apply.
    """

    payer: SingleLineText | None = None
    """The name of the insurance company or program."""
    plan_type: PlanType | None = None
    """The type of plan."""
    member_id: SingleLineText | None = None
    """The member ID on the insurance card."""
    group: SingleLineText | None = None
    """The group number on the insurance card."""
    funding: Literal["self_funded", "fully_insured", "unknown"] | None = None
    """Who funds the plan."""
    subscriber: Subscriber | None = None
    """Who holds the insurance."""


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
    """The field that refused the value, as a JSON pointer."""
    value: JsonValue
    """The value as it was typed."""


UnfinishedValues = Annotated[list[UnfinishedValue], Field(max_length=MAX_UNFINISHED), AfterValidator(require_storable)]


class ReferralRequest(StrictModel):
    """A referral as a practice sends it. A draft can leave out everything, and can have unfinished values.

    `referred_on` is for a patient who is already on the way: the day on which the patient was referred, at most
    two years ago. Steps from that day on count. It can change only while the referral is a draft.
    """

    patient: Annotated[Patient, Field(default_factory=Patient)]
    """The person who is referred."""
    clinical: Annotated[ReferralClinical, Field(default_factory=ReferralClinical)]
    """Disease and treatment so far."""
    referring_provider: Annotated[ReferringProvider, Field(default_factory=ReferringProvider)]
    """The physician who refers."""
    product_id: Identifier | None = None
    """The product that the practice asks for, by its ID in the catalog."""
    center_id: Identifier | None = None
    """The ID of a treatment center, such as `ctr_harbor`."""
    urgency: Literal["routine", "urgent"] = "routine"
    """`routine` or `urgent`."""
    insurance: Insurance | None = None
    """Who pays."""
    consent_to_share: ConsentToShare | None = None
    """Why the referral may be shared with the center."""
    none_because: AnswersNone | None = None
    """Required items that have no value, and why."""
    note: MultiLineText | None = None
    """A note to the center."""
    continues: Identifier | None = None
    """An earlier, closed referral that this one continues."""
    referred_on: CalendarDate | None = None
    """The day of the referral, if it was made before it was entered (YYYY-MM-DD)."""
    unfinished: UnfinishedValues | None = None
    """Values of a draft that their fields refuse. Only the practice sees them."""
    submit: bool = False
    """Send true to submit the referral to the center; false saves a draft."""


class ReferralPatchRequest(StrictModel):
    """The sections that a side changes, each as a whole; an absent section stays as it is.

    The practice owns all of them except `center_contact`, which the center owns. Only a draft has `unfinished`
    values. If they are absent, those stay whose fields have no new value.
    """

    patient: Patient | None = None
    """The person who is referred."""
    clinical: ReferralClinical | None = None
    """Disease and treatment so far."""
    referring_provider: ReferringProvider | None = None
    """The physician who refers."""
    product_id: Identifier | None = None
    """The product that the practice asks for, by its ID in the catalog."""
    center_id: Identifier | None = None
    """The ID of a treatment center, such as `ctr_harbor`."""
    urgency: Literal["routine", "urgent"] | None = None
    """`routine` or `urgent`; unchanged if left out."""
    insurance: Insurance | None = None
    """Who pays."""
    consent_to_share: ConsentChange | None = None
    """Why the referral may be shared with the center."""
    none_because: AnswersNone | None = None
    """Required items that have no value, and why."""
    note: MultiLineText | None = None
    """A note to the center."""
    referred_on: CalendarDate | None = None
    """The day of the referral, if it was made before it was entered (YYYY-MM-DD)."""
    center_contact: CenterContact | None = None
    """The center's coordinator for this patient."""
    unfinished: UnfinishedValues | None = None
    """Values of a draft that their fields refuse. Only the practice sees them."""
