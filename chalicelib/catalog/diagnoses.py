"""ICD-10-CM codes of blood cancers in one release, and which of them are billable.

A code is billable if it has no subcodes: C83.3 is not, and since October 2024 its subcode C83.39 is
not either. Nothing here states that a patient has a disease: a form offers codes, and the referring
provider is responsible for the code that is sent.

A release ends when the next one takes effect. From then on, a code that the file does not have can be a
code of the newer release: it is accepted with a hint.

Source: the release that the file names; `python -m infra.build_icd10` writes it from the tabular list.
The choice of subcategories for each disease follows the text of the tabular list in the same release,
and product labels where they name a histology.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FILE = Path(__file__).with_name("icd10.json")

SUBCATEGORIES_BY_DISEASE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Mediastinal (thymic) is C85.2. Labels list grade IIIb follicular lymphoma as a histology of
        # LBCL. "Other" and "unspecified B-cell" contain what has no code of its own.
        "LBCL": ("C83.3", "C85.2", "C82.4", "C83.8", "C85.1"),
        # The tabular list puts the non-leukemic variant, small lymphocytic lymphoma, in C83.0.
        "CLL_SLL": ("C91.1", "C83.0"),
        "FL": ("C82.0", "C82.1", "C82.2", "C82.3", "C82.5", "C82.6", "C82.8", "C82.9"),
        "MCL": ("C83.1",),
        # Nodal and splenic in C83.0, extranodal (MALT) in C88.4.
        "MZL": ("C83.0", "C88.4"),
        "MM": ("C90.0",),
        "B_ALL": ("C91.0", "C83.5"),
    }
)
"""The subcategories whose billable codes a form offers for each disease of the catalog."""

_BLOCK_CODE = re.compile(r"C(8[1-9]|9[0-6])\.\d[0-9A-Z]{0,3}", re.ASCII)
"""The form of a code of the block C81 to C96. Source: ICD-10-CM official guidelines, section I.A."""

MAX_NAMED = 12
"""How many billable codes an error message names before it only counts the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """A code with its official description, and the diseases that it is offered for."""

    code: str
    description: str
    diseases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSet:
    """The codes of one release, and the release."""

    release: Mapping[str, str]
    codes: Mapping[str, str]
    billable: frozenset[str]

    @property
    def review_by(self) -> str:
        """The last day of the release."""
        return (date.fromisoformat(self.release["next_on"]) - timedelta(days=1)).isoformat()

    def has_ended(self, today: date) -> bool:
        """Whether a newer release is in effect."""
        return today >= date.fromisoformat(self.release["next_on"])

    def can_be_newer(self, code: str, today: date) -> bool:
        """Whether a code that is not in this release can be one of a newer release."""
        return code not in self.codes and self.has_ended(today) and bool(_BLOCK_CODE.fullmatch(code))

    def list_billable_below(self, stem: str) -> Sequence[str]:
        """The billable codes below a code (or the code itself); none for an unknown code."""
        known = self.codes if stem in self.codes else ()
        return [code for code in known if code in self.billable and code.startswith(stem)]

    def list_for_disease(self, disease: str | None = None) -> Sequence[Diagnosis]:
        """The billable codes to choose from, in the order of a disease's subcategories."""
        stems = (
            SUBCATEGORIES_BY_DISEASE[disease]
            if disease
            else tuple(stem for stems in SUBCATEGORIES_BY_DISEASE.values() for stem in stems)
        )
        found = dict.fromkeys(code for stem in stems for code in self.list_billable_below(stem))
        return [
            Diagnosis(code=code, description=self.codes[code], diseases=list_diseases_for_code(code)) for code in found
        ]


def list_diseases_for_code(code: str) -> tuple[str, ...]:
    """The diseases that a code is offered for. Small lymphocytic and marginal zone lymphoma share one."""
    return tuple(disease for disease, stems in SUBCATEGORIES_BY_DISEASE.items() if code.startswith(stems))


@cache
def load_code_set() -> CodeSet:
    """The release in this package. It is read when first needed, in about a millisecond."""
    content = json.loads(_FILE.read_text("utf-8"))
    codes: Mapping[str, str] = content["codes"]
    parents = {code[:length].rstrip(".") for code in codes for length in range(3, len(code))}
    return CodeSet(
        release=MappingProxyType(content["release"]), codes=MappingProxyType(codes), billable=frozenset(codes) - parents
    )
