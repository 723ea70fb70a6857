"""Kinds of adverse events after CAR T: their names, how they are graded, and what to do first.

Grades are those of the published scales and are entered by clinicians; nothing is graded here. The
advice is for the team that did not report the event, and never replaces a call to the center.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class AdverseEventKind(StrEnum):
    """A kind of adverse event, with its name in the API."""

    CRS = "crs"
    ICANS = "icans"
    IEC_HS = "iec_hs"
    ENTEROCOLITIS = "enterocolitis"
    INFECTION = "infection"
    CYTOPENIA = "cytopenia"
    PML = "pml"
    SECOND_MALIGNANCY = "second_malignancy"
    READMISSION = "readmission"
    OTHER = "other"


class AdverseEventStatus(StrEnum):
    """Whether an adverse event is still open."""

    ONGOING = "ongoing"
    RESOLVED = "resolved"


class Advice(NamedTuple):
    """What to do first, with its source and the source's date."""

    text: str
    source: str


class AdverseEventFacts(NamedTuple):
    """What is known about a kind.

    Attributes:
        label: Its name on screens and on paper.
        grading: The scale of its grades, with its source and date; None if it is not graded.
        worsens_fast: Whether any grade can become life-threatening within hours, so that even a low
            grade is read at once.
    """

    label: str
    grading: str | None
    advice: Advice | None = None
    worsens_fast: bool = False


_ASTCT_2019 = "ASTCT consensus, Biol Blood Marrow Transplant 25(4) 625, 2019"
_IEC_HS_2023 = "ASTCT, Transplant Cell Ther 29(7) 438.e1, 2023"
_CTCAE = "NCI CTCAE, v5.0 (November 27, 2017) or v6.0 (July 22, 2025)"
_MEDICATION_GUIDE = "DailyMed: Carvykti medication guide, 2022 to 2024"

MAX_GRADE = 5
"""Grade 5 is death because of the event, in the ASTCT consensus of 2019 and in CTCAE v5.0 (2017)."""

SEVERE_FROM_GRADE = 3
"""Grade 3 is severe, in the ASTCT consensus of 2019 and in CTCAE v5.0 (2017)."""

ADVERSE_EVENT_FACTS: Mapping[AdverseEventKind, AdverseEventFacts] = {
    AdverseEventKind.CRS: AdverseEventFacts(
        "Cytokine release syndrome (CRS)",
        _ASTCT_2019,
        Advice(
            "Outside the center, send the patient to emergency care, and call the center's 24/7 line.",
            _MEDICATION_GUIDE,
        ),
        worsens_fast=True,
    ),
    AdverseEventKind.ICANS: AdverseEventFacts(
        "Neurotoxicity (ICANS)",
        _ASTCT_2019,
        Advice(
            "Outside the center, send the patient to emergency care, and call the center's 24/7 line. Neurologic"
            " effects can start weeks to months after the infusion.",
            _MEDICATION_GUIDE,
        ),
        worsens_fast=True,
    ),
    AdverseEventKind.IEC_HS: AdverseEventFacts(
        "HLH-like syndrome (IEC-HS)",
        _IEC_HS_2023,
        Advice("It can be life-threatening. Call the center's 24/7 line now.", _IEC_HS_2023),
        worsens_fast=True,
    ),
    AdverseEventKind.ENTEROCOLITIS: AdverseEventFacts(
        "Enterocolitis (IEC-EC)",
        _CTCAE,
        Advice(
            "Diarrhea or weight loss weeks to months after the infusion can be immune effector cell-associated"
            " enterocolitis. Call the center about treatment.",
            "AABB: boxed warning in the Carvykti label, October 14, 2025",
        ),
    ),
    AdverseEventKind.INFECTION: AdverseEventFacts("Infection", _CTCAE),
    AdverseEventKind.CYTOPENIA: AdverseEventFacts("Cytopenia", _CTCAE),
    AdverseEventKind.PML: AdverseEventFacts(
        "Progressive multifocal leukoencephalopathy (PML)",
        None,
        Advice(
            "Call the center's 24/7 line, and ask for a neurologic evaluation. Report it to FDA MedWatch at"
            " 1-800-FDA-1088.",
            "Carvykti label, warning of JC virus infection and PML, October 2025",
        ),
    ),
    AdverseEventKind.SECOND_MALIGNANCY: AdverseEventFacts(
        "Second cancer (second malignancy)",
        None,
        Advice(
            "Contact the manufacturer to report it and to get instructions for patient samples. Report it to FDA"
            " MedWatch at 1-800-FDA-1088. Watch for new cancers lifelong.",
            "FDA: T-cell malignancies after CAR T therapy (roundup, January 2024)",
        ),
    ),
    AdverseEventKind.READMISSION: AdverseEventFacts("Readmission to a hospital", None),
    AdverseEventKind.OTHER: AdverseEventFacts("Other adverse event", _CTCAE),
}

_OLDER_NAMES: Mapping[str, AdverseEventKind] = {"neurotoxicity": AdverseEventKind.ICANS}
"""The kinds of `toxicity.noticed` that have another name now. It means neurologic toxicity."""


def parse_kind(name: str) -> AdverseEventKind:
    """Read a kind by its API name, or by an older name of `toxicity.noticed`."""
    return _OLDER_NAMES.get(name) or AdverseEventKind(name)


def is_urgent(kind: AdverseEventKind, grade: int | None) -> bool:
    """Whether a late reader of a report can mean harm to the patient.

    A report without a grade counts as urgent, because its severity is unknown.
    """
    return grade is None or grade >= SEVERE_FROM_GRADE or ADVERSE_EVENT_FACTS[kind].worsens_fast


def format_adverse_event(kind: AdverseEventKind, grade: int | None) -> str:
    """Format a kind with its grade, as "Infection, grade 2"."""
    return ADVERSE_EVENT_FACTS[kind].label + (f", grade {grade}" if grade else "")
