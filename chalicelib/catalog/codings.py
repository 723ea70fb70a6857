"""What codes from an electronic health record mean for an eligibility check: one reviewed file, with sources.

A code that is not in the file is unknown, and is named as such. Nothing is inferred from a drug's name.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
CPT = "http://www.ama-assn.org/go/cpt"

_FILE = Path(__file__).with_name("codings.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedMedication:
    """A drug: its classes, and its agent name if its last dose matters before leukapheresis."""

    name: str
    classes: frozenset[str]
    agent: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeMappings:
    """The reviewed meanings, by code.

    Attributes:
        procedures: A CPT code means a kind of transplant, or `prior_car_t`.
        conditions: The prefixes of ICD-10-CM codes, by the flag that they raise.
        observations: A LOINC code means the field that it fills.
    """

    medications: Mapping[str, CodedMedication]
    procedures: Mapping[str, str]
    conditions: Mapping[str, tuple[str, ...]]
    observations: Mapping[str, str]


@cache
def load_file() -> Mapping[str, Any]:
    """The whole file as reviewed."""
    content: Mapping[str, Any] = json.loads(_FILE.read_text("utf-8"))
    return content


@cache
def load_codings() -> CodeMappings:
    """The file by code. It is read when first needed."""
    rows = load_file()
    return CodeMappings(
        medications={
            code: CodedMedication(name=row["name"], classes=frozenset(row["classes"]), agent=row["agent"])
            for row in rows["medications"]
            for code in row["rxnorm"]
        },
        procedures={row["cpt"]: row["reads"] for row in rows["procedures"]},
        conditions={row["flag"]: tuple(row["icd10"]) for row in rows["conditions"]},
        observations={row["loinc"]: row["reads"] for row in rows["observations"]},
    )
