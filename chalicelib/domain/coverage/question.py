"""The question of a benefits check: what one payer is asked about one member, shaped like a FHIR request.

Source:
    FHIR R4 CoverageEligibilityRequest: `insurer`, `provider`, `patient`, the insurance's coverage,
    the items' category (X12 service type) and `servicedDate`. Read 2026-11-28.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from chalicelib.domain.coverage.plain_ascii import fold_to_x12
from chalicelib.errors import FieldError

PLAN_COVERAGE = "30"
"""The service type that every payer answers: the plan's coverage as a whole.

Source: CAQH CORE eligibility data content rule, through its FAQ. Read 2026-11-28.
"""


class Relationship(StrEnum):
    """Whose insurance it is, seen from the patient. A dependent is insured through the subscriber."""

    SELF = "self"
    SPOUSE = "spouse"
    CHILD = "child"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredPerson:
    """A person as the practice entered the names. Field names are stored.

    Attributes:
        sex: `female` or `male`; None if not entered, or anything else. Payers know no third value.
    """

    family_name: str
    given_name: str
    birth_date: date | None
    sex: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitsQuestion:
    """One question to one payer. Field names are stored.

    Attributes:
        trace_id: Our random id of this question, at most 30 characters A-Z and 0-9. The payer repeats
            it, and only an answer that repeats it is accepted. It is never the patient's record number.
        payer_id: The payer's key in the configuration (`PayerSetup.payer_id`).
        provider_npi: The NPI of the provider who asks.
        provider_name: The organization that asks.
        patient: The patient.
        subscriber: Who holds the insurance; None if that is the patient.
        relationship: What the patient is to the subscriber.
        member_id: The subscriber's member ID.
        group: The group number; None if not entered.
        service_types: X12 service type codes, at least one.
        asked_on: The day for which coverage is asked: today, in the practice's time zone.
    """

    trace_id: str
    payer_id: str
    provider_npi: str
    provider_name: str
    patient: CoveredPerson
    member_id: str
    asked_on: date
    subscriber: CoveredPerson | None = None
    relationship: Relationship = Relationship.SELF
    group: str | None = None
    service_types: tuple[str, ...] = (PLAN_COVERAGE,)

    @property
    def policy_holder(self) -> CoveredPerson:
        """Who holds the insurance: the subscriber, or the patient."""
        return self.subscriber or self.patient

    @property
    def is_for_dependent(self) -> bool:
        """Whether the patient is insured through someone else."""
        return self.relationship is not Relationship.SELF


def split_by_service_type(question: BenefitsQuestion) -> Sequence[BenefitsQuestion]:
    """Split a question into one per service type, because many payers answer only one at a time.

    The trace id stays the same for all of them.
    """
    return [replace(question, service_types=(each,)) for each in question.service_types]


_NPI = re.compile(r"[12]\d{9}", re.ASCII)
_TRACE_ID = re.compile(r"[A-Z0-9]{1,30}", re.ASCII)
_MAX_NAME_CHARS = 60
_MAX_GIVEN_NAME_CHARS = 35
_MIN_ID_CHARS = 2
_MAX_ID_CHARS = 80


def list_question_errors(question: BenefitsQuestion) -> Sequence[FieldError]:
    """List what keeps a question from being sent, with pointers into the body of a referral.

    Call it before a check is stored, so that people learn about a missing fact at once and not from
    a payer's rejection.

    Source:
        Lengths: X12 005010, data elements 1035, 1036 and 67.
    """
    errors = [
        *_list_person_errors(question.patient, "/patient"),
        *_list_subscriber_errors(question),
        *_list_id_errors(question.member_id, "/insurance/member_id", "member ID"),
    ]
    if not _NPI.fullmatch(question.provider_npi):
        errors.append(FieldError("/referring_provider/npi", "not_an_npi", "Enter the provider's 10-digit NPI."))
    if not fold_to_x12(question.provider_name):
        errors.append(FieldError("/referring_provider/name", "missing", "Enter the practice's name."))
    if question.group and not fold_to_x12(question.group):
        errors.append(FieldError("/insurance/group", "not_readable", "Enter the group number as on the card."))
    if not _TRACE_ID.fullmatch(question.trace_id):
        raise ValueError("a trace id has 1 to 30 characters A-Z and 0-9")
    if not question.service_types:
        raise ValueError("a question needs a service type")
    return errors


def _list_subscriber_errors(question: BenefitsQuestion) -> Sequence[FieldError]:
    if not question.is_for_dependent:
        return []
    if question.subscriber is None:
        message = "Enter the person who holds the insurance."
        return [FieldError("/insurance/subscriber", "missing", message)]
    return _list_person_errors(question.subscriber, "/insurance/subscriber")


def _list_person_errors(person: CoveredPerson, pointer: str) -> Sequence[FieldError]:
    errors = []
    for name, text, limit in (
        ("family_name", person.family_name, _MAX_NAME_CHARS),
        ("given_name", person.given_name, _MAX_GIVEN_NAME_CHARS),
    ):
        label = "last name" if name == "family_name" else "first name"
        if not text:
            errors.append(FieldError(f"{pointer}/{name}", "missing", f"Enter the {label}."))
        elif not fold_to_x12(text):
            message = f"Payers read only letters A to Z. Enter the {label} as it is on the insurance card."
            errors.append(FieldError(f"{pointer}/{name}", "not_readable", message))
        elif len(fold_to_x12(text)) > limit:
            message = f"A payer reads at most {limit} characters of the {label}."
            errors.append(FieldError(f"{pointer}/{name}", "too_long", message))
    if person.birth_date is None:
        errors.append(FieldError(f"{pointer}/birth_date", "missing", "Enter the date of birth."))
    return errors


def _list_id_errors(text: str, pointer: str, label: str) -> Sequence[FieldError]:
    if not text:
        return [FieldError(pointer, "missing", f"Enter the {label}.")]
    if not _MIN_ID_CHARS <= len(fold_to_x12(text)) <= _MAX_ID_CHARS:
        return [FieldError(pointer, "not_readable", f"Enter the {label} as on the card.")]
    return []
