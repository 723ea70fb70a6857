"""Patients of the sample data: the data that a practice sends, generated from a seed.

Family names are invented compounds, and phone numbers are reserved for fiction, so that no data can
be mistaken for a real person. The clinical data is plausible but is not medical advice.
"""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from infra.world.places import DemoOrganization

_NAMES: Mapping[str, Sequence[str]] = json.loads(Path(__file__).with_name("names.json").read_text())
_PAYERS: Sequence[tuple[str, str, str]] = (
    ("Example Health", "commercial", "XEX0001"),
    ("Example Medicare", "medicare_ffs", "XEX0001"),
    ("Example Advantage", "medicare_advantage", "XEX0003"),
    ("Example Mutual", "commercial", "XEX0004"),
    ("Example Marketplace Plan", "marketplace", "XEX0005"),
    ("Example Medicaid", "medicaid", "XEX0002"),
)
# These NPIs are from a range that is not in use: NPIs are assigned from 1000000000 upward, and that
# range lasts for decades. Their check digits are valid.
# Source: hipaaspace.com, "NPI Number structure" (read 2026-11).
_NPIS = {"willow": "2000000010", "larch": "2000000028", "marsh": "2000000036", "mesa": "2000000044"}


class TreatmentCourse(NamedTuple):
    """The typical treatment history of a disease when a practice considers CAR T.

    Each of the `lines` has regimen, drug classes, months of treatment, and response. First line first.
    """

    histologies: Sequence[str]
    icd10: str
    ages: tuple[int, int]
    lines: Sequence[tuple[str, tuple[str, ...], int, str]]


TREATMENT_COURSES: Mapping[str, TreatmentCourse] = {
    "LBCL": TreatmentCourse(
        ("DLBCL_NOS", "HIGH_GRADE", "PMBCL", "FL_3B"),
        "C83.398",
        (34, 79),
        (("R-CHOP", ("anti_cd20", "anthracycline", "chemoimmunotherapy"), 5, "relapsed"),),
    ),
    "CLL_SLL": TreatmentCourse(
        ("CLL", "SLL"),
        "C91.10",
        (58, 82),
        (
            ("acalabrutinib", ("btk_inhibitor",), 26, "relapsed"),
            ("venetoclax and obinutuzumab", ("bcl2_inhibitor", "anti_cd20"), 12, "refractory"),
        ),
    ),
    "FL": TreatmentCourse(
        ("FL_1_2", "FL_3A"),
        "C82.18",
        (48, 78),
        (
            ("bendamustine and rituximab", ("anti_cd20", "chemoimmunotherapy"), 6, "relapsed"),
            ("lenalidomide and rituximab", ("imid", "anti_cd20"), 11, "relapsed"),
        ),
    ),
    "MCL": TreatmentCourse(
        ("MCL_CLASSIC", "MCL_BLASTOID"),
        "C83.18",
        (55, 80),
        (
            ("bendamustine and rituximab", ("anti_cd20", "chemoimmunotherapy"), 6, "relapsed"),
            ("zanubrutinib", ("btk_inhibitor",), 14, "relapsed"),
        ),
    ),
    "MZL": TreatmentCourse(
        ("NODAL_MZL", "SPLENIC_MZL"),
        "C83.08",
        (52, 79),
        (
            ("rituximab", ("anti_cd20",), 4, "relapsed"),
            ("bendamustine and rituximab", ("anti_cd20", "chemoimmunotherapy"), 6, "relapsed"),
        ),
    ),
    "MM": TreatmentCourse(
        ("MULTIPLE_MYELOMA",),
        "C90.02",
        (46, 78),
        (
            ("VRd, transplant, lenalidomide", ("proteasome_inhibitor", "imid"), 30, "relapsed"),
            ("daratumumab, pomalidomide, dexamethasone", ("anti_cd38", "imid"), 10, "refractory"),
        ),
    ),
    "B_ALL": TreatmentCourse(
        ("B_ALL_PH_NEGATIVE", "B_ALL_PH_POSITIVE"),
        "C91.02",
        (22, 61),
        (
            ("hyper-CVAD", ("anthracycline", "chemotherapy"), 8, "relapsed"),
            ("blinatumomab", ("anti_cd19", "bispecific_antibody"), 3, "refractory"),
        ),
    ),
}
CHILD_AGES = (6, 19)
_WRONG_CODES = {2: "C90.02"}
"""ICD-10-CM codes of another disease, by number of the patient: the referral gets a routing hint."""


def build_packet(
    number: int, *, disease: str, practice: DemoOrganization, referred_on: date, child: bool
) -> Mapping[str, Any]:
    """Build the data that the practice sends about patient `number`, in the format of the API.

    The same number always gives the same patient. Only the dates depend on `referred_on`.
    """
    rng = random.Random(f"patient {number}")  # noqa: S311 fictional data, not a secret
    course = TREATMENT_COURSES[disease]
    age = rng.randint(*(CHILD_AGES if child else course.ages))
    born_on = referred_on - timedelta(days=age * 365 + rng.randint(1, 360))
    consented_on = referred_on - timedelta(days=rng.randint(0, 3))
    return {
        "patient": {
            **_build_person(number, rng, born_on=born_on, practice=practice),
            "caregiver": _build_caregiver(number, rng, child=child, practice=practice),
        },
        "clinical": {"disease": disease, **_build_clinical(number, course, referred_on, rng)},
        "insurance": _build_insurance(number, rng),
        "referring_provider": build_provider(practice),
        "consent_to_share": {"given": True, "on": consented_on.isoformat()},
    }


def _build_person(number: int, rng: random.Random, *, born_on: date, practice: DemoOrganization) -> Mapping[str, Any]:
    is_female = rng.random() < 0.5
    given_name = rng.choice(_NAMES["women" if is_female else "men"])
    speaks_spanish = rng.random() < 0.2
    # Of a few patients, only the year of birth is known.
    birth_date = born_on.isoformat()[: 4 if number % 19 == 7 else 10]
    return {
        "given_name": given_name,
        "family_name": _build_family_name(number),
        "birth_date": birth_date,
        "sex": "female" if is_female else "male",
        "mrn": f"{practice.handle[0].upper()}-{1000 + number}",
        "zip": practice.zip,
        "phone": practice.build_phone(20 + number % 70),
        "language": "es-419" if speaks_spanish else "en",
        "interpreter_needed": speaks_spanish,
    }


def _build_family_name(number: int) -> str:
    return _NAMES["families"][number % len(_NAMES["families"])]


def _build_caregiver(number: int, rng: random.Random, *, child: bool, practice: DemoOrganization) -> Mapping[str, Any]:
    given_name = rng.choice([*_NAMES["women"], *_NAMES["men"]])
    return {
        "name": f"{given_name} {_build_family_name(number)}",
        "phone": practice.build_phone(21 + number % 70),
        "relation": "parent" if child else rng.choice(("spouse", "sibling", "friend")),
    }


def _build_clinical(number: int, course: TreatmentCourse, referred_on: date, rng: random.Random) -> Mapping[str, Any]:
    return {
        "histology": rng.choice(course.histologies),
        "icd10": _WRONG_CODES.get(number, course.icd10),
        "ecog": rng.choice((0, 1, 1, 1, 2)),
        "hsct_eligible": rng.random() < 0.4,
        "prior_lines": _build_lines(course, referred_on, rng),
        "flags": {"active_infection": rng.random() < 0.1, "cns_involvement": False, "autoimmune": rng.random() < 0.1},
    }


_UNINSURED = 59
"""The story of a patient without insurance."""


def _build_insurance(number: int, rng: random.Random) -> Mapping[str, Any]:
    payer, plan_type, member_id = rng.choice(_PAYERS)
    if number == _UNINSURED:
        return {"plan_type": "uninsured"}
    return {"payer": payer, "plan_type": plan_type, "member_id": member_id, "group": str(40 + number)}


def build_provider(practice: DemoOrganization) -> Mapping[str, Any]:
    """Build the referring provider of a practice."""
    return {
        "name": "R. Provider",
        "npi": _NPIS[practice.handle],
        "phone": f"{practice.build_phone(1)};ext=12",
        "email": f"provider@{practice.handle}.example",
    }


def _build_lines(course: TreatmentCourse, referred_on: date, rng: random.Random) -> list[Mapping[str, Any]]:
    """Build the lines of therapy, dated backward from the referral."""
    lines: list[Mapping[str, Any]] = []
    event_on = referred_on - timedelta(days=rng.randint(5, 30))
    for number in range(len(course.lines), 0, -1):
        regimen, classes, months, response = course.lines[number - 1]
        progression_free_days = 0 if response == "refractory" else rng.randint(60, 300)
        ended_on = event_on - timedelta(days=progression_free_days)
        started_on = ended_on - timedelta(days=months * 30)
        lines.append(
            {
                "line": number,
                "regimen": regimen,
                "classes": list(classes),
                "started_on": started_on.isoformat(),
                "ended_on": ended_on.isoformat(),
                "response": response,
                "event_on": event_on.isoformat(),
            }
        )
        event_on = started_on - timedelta(days=rng.randint(3, 25))
    return lines[::-1]
