"""What codes from an electronic health record mean for an eligibility check: two reviewed files, with sources.

A code that is not in the files is unknown, and is named as such. Nothing is inferred from a drug's name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
CPT = "http://www.ama-assn.org/go/cpt"

SYSTEMS_BY_OID: Mapping[str, str] = MappingProxyType(
    {
        "2.16.840.1.113883.6.1": LOINC,
        "2.16.840.1.113883.6.12": CPT,
        "2.16.840.1.113883.6.88": RXNORM,
        "2.16.840.1.113883.6.90": ICD10CM,
        "2.16.840.1.113883.6.96": SNOMED,
        "2.16.840.1.113883.3.26.1.1": NCIT,
    }
)
"""The code systems by their OID. Source: FHIR R4, "Using Codes in Resources", table of code systems."""

_CODES_FILE = Path(__file__).with_name("codings.json")
_DRUGS_FILE = Path(__file__).with_name("drug_codes.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedMedication:
    """A drug: its classes, and its agent name if its last dose matters before leukapheresis."""

    name: str
    classes: frozenset[str]
    agent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedDiagnosis:
    """A diagnosis: its disease of the catalog, and its histology if the code says it."""

    disease: str
    histology: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedScore:
    """A performance score: the code of its observations, and the codes of its answers.

    Attributes:
        name: `ecog`, `karnofsky` or `lansky`.
        answers: The number of each answer, by code system and code.
    """

    name: str
    system: str
    code: str
    answers: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMappings:
    """The reviewed meanings, by code.

    Attributes:
        diagnoses: A SNOMED CT code means a disease of the catalog.
        procedures: A CPT code means a kind of transplant, or `prior_car_t`.
        conditions: The prefixes of ICD-10-CM codes, by the flag that they raise.
        findings: A SNOMED CT code raises a flag.
        scores: The performance scores that are read.
    """

    medications: Mapping[str, CodedMedication]
    diagnoses: Mapping[str, CodedDiagnosis]
    procedures: Mapping[str, str]
    conditions: Mapping[str, tuple[str, ...]]
    findings: Mapping[str, str]
    scores: tuple[CodedScore, ...]


def normalize_system(system: str) -> str:
    """The address of a code system, for any of its spellings: an address, a bare OID, or `urn:oid:`.

    An edition of SNOMED CT (`http://snomed.info/sct/731000124108`) is SNOMED CT.
    """
    spelled = system.strip().rstrip("/")
    if spelled.startswith(f"{SNOMED}/"):
        return SNOMED
    return SYSTEMS_BY_OID.get(spelled.removeprefix("urn:oid:"), spelled)


@cache
def load_file() -> Mapping[str, Any]:
    """The file of diagnoses, procedures, conditions and observations, as reviewed."""
    content: Mapping[str, Any] = json.loads(_CODES_FILE.read_text("utf-8"))
    return content


@cache
def load_drug_file() -> Mapping[str, Any]:
    """The file of drugs, as reviewed: RxNorm codes of ingredients and of clinical drugs, by source."""
    content: Mapping[str, Any] = json.loads(_DRUGS_FILE.read_text("utf-8"))
    return content


@cache
def load_codings() -> CodeMappings:
    """The files by code. They are read when first needed."""
    rows = load_file()
    return CodeMappings(
        medications={
            code: CodedMedication(name=row["name"], classes=frozenset(row["classes"]), agent=row["agent"])
            for row in load_drug_file()["drugs"]
            for codes in row["rxnorm"].values()
            for code in codes
        },
        diagnoses={
            row["snomed"]: CodedDiagnosis(disease=row["disease"], histology=row["histology"])
            for row in rows["diagnoses"]
        },
        procedures={row["cpt"]: row["reads"] for row in rows["procedures"]},
        conditions={row["flag"]: tuple(row["icd10"]) for row in rows["conditions"] if "icd10" in row},
        findings={code: row["flag"] for row in rows["conditions"] for code in row.get("snomed", ())},
        scores=tuple(
            CodedScore(
                name=row["reads"],
                system=row["system"],
                code=row["code"],
                answers={
                    (answers["system"], code): number
                    for answers in row["answers"]
                    for code, number in answers["codes"].items()
                },
            )
            for row in rows["observations"]
        ),
    )
