"""The facts of a referral as pairs of label and value, for the page that is handed over or faxed.

A fact without a value is left out; the section "Referral packet" lists what is missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from chalicelib.domain.eligibility.histologies import HISTOLOGY_NAMES
from chalicelib.domain.platform.dates import format_short_date
from chalicelib.domain.platform.partial_dates import parse_partial_date
from chalicelib.domain.platform.phone import format_phone
from chalicelib.domain.referrals import packet_labels as labels
from chalicelib.domain.referrals.consent import ConsentState, compute_consent_state
from chalicelib.domain.referrals.packet_labels import format_code, format_yes_no

Facts = Sequence[tuple[str, str]]
Values = Mapping[str, Any]

_ISO_DAY_LENGTH = len("1961-04-02")


class PatientNaming(StrEnum):
    """How a page names the patient. Published values."""

    NAME = "name"
    ALIAS = "alias"


LEFT_OUT_WITH_ALIAS = (
    "Name, date of birth, MRN, phone, email, ZIP code, caregiver, member ID, group number, note, and reasons are "
    "not on this copy."
)
"""A page with the alias would name the patient if it had these. It is still a record about a person."""


def list_patient_facts(patient: Values, alias: str, naming: PatientNaming, *, today: date) -> Facts:
    """Who the patient is, with the name or only with the alias."""
    age = _format_age(patient.get("birth_date"), today)
    common = [
        ("Sex", format_code(patient.get("sex"))),
        ("Preferred language", format_code(patient.get("language"), labels.LANGUAGES)),
        ("Interpreter needed", format_yes_no(patient.get("interpreter_needed"))),
    ]
    if naming is PatientNaming.ALIAS:
        return _without_empty([("Alias", alias), ("Age", age), *common, ("Left out", LEFT_OUT_WITH_ALIAS)])
    return _without_empty(
        [
            ("Name", format_full_name(patient) or "Not entered"),
            ("Alias", alias),
            ("Date of birth", _format_birth_date(patient.get("birth_date"), age)),
            ("MRN", patient.get("mrn")),
            ("Phone", _format_phone(patient.get("phone"))),
            ("Email", patient.get("email")),
            ("ZIP code", patient.get("zip")),
            *common,
            ("Caregiver", _format_caregiver(patient.get("caregiver") or {})),
        ]
    )


def list_provider_facts(provider: Values, practice_name: str) -> Facts:
    """Who refers, and how to reach them."""
    return _without_empty(
        [
            ("Name", provider.get("name")),
            ("Practice", practice_name),
            ("NPI", provider.get("npi")),
            ("Phone", _format_phone(provider.get("phone"))),
            ("Email", provider.get("email")),
        ]
    )


def list_center_facts(center_name: str | None, listing: Values, contact: Values) -> Facts:
    """Which center, and its phones. A referral without a center says so."""
    return _without_empty(
        [
            ("Center", center_name or "Not chosen"),
            ("New referrals", _format_phone(listing.get("intake_phone"))),
            ("24/7 line", _format_phone(listing.get("after_hours_phone"))),
            ("Coordinator", contact.get("coordinator")),
            ("Coordinator's phone", _format_phone(contact.get("phone"))),
            ("Coordinator's email", contact.get("email")),
        ]
    )


def list_insurance_facts(insurance: Values, naming: PatientNaming) -> Facts:
    """Who pays. It says nothing about coverage."""
    personal = [("Member ID", insurance.get("member_id")), ("Group number", insurance.get("group"))]
    return _without_empty(
        [
            ("Payer", insurance.get("payer")),
            ("Plan type", format_code(insurance.get("plan_type"), labels.PLAN_TYPES)),
            *(personal if naming is PatientNaming.NAME else []),
        ]
    ) or [("Insurance", "Not entered")]


def list_consent_facts(consent: Values | None, *, today: date) -> Facts:
    """On what basis the records are shared, as of a day of the practice."""
    state = compute_consent_state(consent, today=today)
    if not consent or state is ConsentState.NOT_RECORDED:
        return [("Consent", "Not recorded")]
    ends = "Ended" if state is ConsentState.EXPIRED else "Ends"
    return _without_empty(
        [
            ("Withdrawn by the patient", format_day(consent.get("withdrawn_on"))),
            ("Basis", format_code(consent.get("basis") or "patient_consent", labels.CONSENT_BASES)),
            ("Date", format_day(consent.get("on"))),
            ("Scope", format_code(consent.get("scope"), labels.CONSENT_SCOPES)),
            (ends, format_day(consent.get("expires_on"))),
        ]
    )


def list_disease_facts(clinical: Values, *, disease_name: str, products: Facts) -> Facts:
    """The disease, the general condition, and the products."""
    transplant = clinical.get("transplant") or {}
    kind_and_day = [format_code(transplant.get("kind")), format_day(transplant.get("on"))]
    ecog = clinical.get("ecog")
    return _without_empty(
        [
            ("Disease", disease_name),
            ("Histology", format_code(clinical.get("histology"), HISTOLOGY_NAMES)),
            ("ICD-10-CM", clinical.get("icd10")),
            ("ECOG", "" if ecog is None else str(ecog)),
            ("Last imaging", format_day(clinical.get("last_imaging_on"))),
            ("Stem cell transplant candidate", format_yes_no(clinical.get("hsct_eligible"))),
            ("Why no transplant", format_code(clinical.get("no_transplant_because"))),
            ("Stem cell transplant", ", ".join(filter(None, kind_and_day))),
            ("Refractory to lenalidomide", format_yes_no(clinical.get("lenalidomide_refractory"))),
            *products,
        ]
    )


def list_flag_facts(clinical: Values) -> Facts:
    """The points to discuss with the center. None of them decides anything."""
    flags = clinical.get("flags") or {}
    answered = [(label, format_yes_no(flags.get(flag)) or "Not entered") for flag, label in labels.FLAGS.items()]
    return answered if any(flags.get(flag) is not None for flag in labels.FLAGS) else [("All points", "Not entered")]


def list_lab_facts(clinical: Values) -> Facts:
    """Lab values, and the last doses that matter before leukapheresis."""
    labs = clinical.get("labs") or {}
    values = [
        (label, f"{labs[lab]:,g}{unit}") for lab, (label, unit) in labels.LABS.items() if labs.get(lab) is not None
    ]
    doses = [
        (
            f"{format_code(dose['agent'], labels.AGENTS)}, last dose",
            "Never given" if dose.get("given") is False else _format_dose(dose),
        )
        for dose in clinical.get("last_doses") or ()
    ]
    return _without_empty([*values, *doses])


def _format_dose(dose: Values) -> str:
    """The day, and for a corticosteroid the dose: "Nov 3, 2026, 10 mg prednisone a day"."""
    daily_mg = dose.get("daily_mg")
    dose_text = f"{daily_mg:,g} mg prednisone a day" if daily_mg is not None else ""
    return ", ".join(filter(None, (format_day(dose.get("last_on")), dose_text)))


def build_therapy_row(line: Values) -> Sequence[str]:
    """Line, regimen with drug classes, dates, and response with its date."""
    classes = ", ".join(format_code(each, labels.DRUG_CLASSES) for each in line.get("classes") or ())
    days = [format_day(line.get("started_on")), format_day(line.get("ended_on"))]
    response = [format_code(line.get("response")), format_day(line.get("event_on"))]
    return (
        str(line.get("line") or ""),
        f"{line['regimen']} ({classes})" if classes else line["regimen"],
        " to ".join(filter(None, days)),
        ", ".join(filter(None, response)),
    )


def format_full_name(patient: Values) -> str:
    """First and last name; empty if neither was entered."""
    return " ".join(filter(None, (patient.get("given_name"), patient.get("family_name"))))


def format_day(day: str | None) -> str:
    """A stored day as "Apr 2, 2026"; empty if there is none."""
    return format_short_date(date.fromisoformat(day)) if day else ""


def _format_birth_date(birth_date: str | None, age: str) -> str:
    if not birth_date:
        return ""
    if len(birth_date) == _ISO_DAY_LENGTH:
        written = format_day(birth_date)
    else:
        days = parse_partial_date(birth_date)
        written = f"{days[0]:%b} {days[0].year}" if days and "-" in birth_date else birth_date
    return f"{written} (age {age})"


def _format_age(birth_date: str | None, today: date) -> str:
    """Whole years; "about 65" if not the whole date of birth is known."""
    days = parse_partial_date(birth_date or "")
    if days is None:
        return ""
    first = days[0]
    years = today.year - first.year - ((today.month, today.day) < (first.month, first.day))
    return f"about {years}" if days[0] != days[1] else str(years)


def _format_caregiver(caregiver: Values) -> str:
    parts = [caregiver.get("name"), caregiver.get("relation"), _format_phone(caregiver.get("phone"))]
    return ", ".join(filter(None, parts))


def _format_phone(stored: str | None) -> str:
    return format_phone(stored) if stored else ""


def _without_empty(pairs: Iterable[tuple[str, str | None]]) -> Facts:
    return [(label, value) for label, value in pairs if value]
