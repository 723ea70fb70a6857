"""The diagnoses in a record: the disease of the catalog, the flags, and the diagnoses that could not be read.

A diagnosis is read if one of its codes is. ICD-10-CM is read as a whole: a code outside the blood cancers
says that the diagnosis is none of the catalog. A SNOMED CT code is read if it is on the reviewed list.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import Any, cast

from chalicelib.catalog import diagnoses
from chalicelib.catalog.codings import ICD10CM, SNOMED, load_codings
from chalicelib.domain.eligibility.screen_input import FlagName
from chalicelib.services.ehr import fhir_resources as fhir
from chalicelib.services.ehr.fhir_resources import Resource

_RETRACTED_STATUSES = frozenset({"entered-in-error", "refuted"})
_ACTIVE_STATUSES = frozenset({"active", "recurrence", "relapse"})

_CODE = re.compile(r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", re.ASCII)
"""The form of an ICD-10-CM code. Source: ICD-10-CM official guidelines, section I.A."""

_BLOOD_CANCER = re.compile(r"C(8[1-9]|9[0-6])", re.ASCII)
"""The categories that the shipped codes cover: C81 to C96."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartDiagnoses:
    """What the active conditions of a record say.

    Attributes:
        diseases: The diseases of the catalog that they match; all of them if they disagree.
        histology: The histology that the codes name; None if they name none, or several.
        flags: The flags that they set. What is not in the record stays unanswered.
        unread: Names of the conditions without a code that could be read.
    """

    diseases: tuple[str, ...]
    histology: str | None
    flags: tuple[FlagName, ...]
    unread: tuple[str, ...]


def parse_diagnoses(prefetched: Any, *, today: date) -> ChartDiagnoses:
    """Parse the active conditions of a record."""
    active = [c for c in fhir.list_resources(prefetched, "Condition") if _is_active(c)]
    matches = [match for condition in active if (match := _match_diseases(condition, today))]
    diseases = _resolve_diseases(matches)
    histologies = {h for condition in active for h in _list_histologies(condition, diseases)}
    return ChartDiagnoses(
        diseases=diseases,
        histology=histologies.pop() if len(histologies) == 1 else None,
        flags=tuple(dict.fromkeys(chain.from_iterable(_list_flags(condition) for condition in active))),
        unread=fhir.remove_duplicates(
            fhir.format_concept(condition.get("code")) for condition in active if not _is_read(condition, today)
        ),
    )


def _is_active(condition: Resource) -> bool:
    return (
        fhir.read_status(condition, "verificationStatus") not in _RETRACTED_STATUSES
        and (fhir.read_status(condition, "clinicalStatus") or "active") in _ACTIVE_STATUSES
    )


def _list_icd10(condition: Resource) -> list[str]:
    return list(fhir.list_codes(condition.get("code"), ICD10CM))


def _list_snomed(condition: Resource) -> list[str]:
    return list(fhir.list_codes(condition.get("code"), SNOMED))


def _match_diseases(condition: Resource, today: date) -> frozenset[str]:
    """The diseases that the codes of one condition match."""
    codes = diagnoses.load_code_set()
    usable = [c for c in _list_icd10(condition) if c in codes.billable or codes.can_be_newer(c, today)]
    known = load_codings().diagnoses
    by_icd10 = frozenset(chain.from_iterable(diagnoses.list_diseases_for_code(code) for code in usable))
    by_snomed = frozenset(known[code].disease for code in _list_snomed(condition) if code in known)
    # One condition in two code systems: the more exact code says which of two diseases it is.
    return (by_icd10 & by_snomed) or (by_icd10 | by_snomed)


def _resolve_diseases(matches: Iterable[frozenset[str]]) -> tuple[str, ...]:
    """The diseases of all conditions; all of them if they disagree."""
    sets = list(matches)
    certain = {disease for diseases in sets if len(diseases) == 1 for disease in diseases}
    # A code of two diseases adds nothing if another code says which of the two it is.
    ambiguous = {d for diseases in sets if not certain.intersection(diseases) for d in diseases}
    return tuple(sorted(certain | ambiguous))


def _list_histologies(condition: Resource, diseases: tuple[str, ...]) -> Iterable[str]:
    known = load_codings().diagnoses
    for code in _list_snomed(condition):
        if code in known and (known[code].disease,) == diseases and (histology := known[code].histology):
            yield histology


def _list_flags(condition: Resource) -> Iterable[FlagName]:
    codings = load_codings()
    icd10 = _list_icd10(condition)
    for flag, stems in codings.conditions.items():
        if any(code.startswith(stems) for code in icd10):
            yield cast("FlagName", flag)
    for code in _list_snomed(condition):
        if code in codings.findings:
            yield cast("FlagName", codings.findings[code])


def _is_read(condition: Resource, today: date) -> bool:
    codings = load_codings()
    return any(_is_icd10_read(code, today) for code in _list_icd10(condition)) or any(
        code in codings.diagnoses or code in codings.findings for code in _list_snomed(condition)
    )


def _is_icd10_read(code: str, today: date) -> bool:
    """Whether we know what a code means here: any other disease, or a blood cancer's code that can be used."""
    if not _BLOOD_CANCER.match(code):
        return bool(_CODE.fullmatch(code))
    codes = diagnoses.load_code_set()
    return code in codes.billable or codes.can_be_newer(code, today)
