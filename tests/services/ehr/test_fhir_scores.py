"""Performance scores in a record: which score, in which form, and the latest."""

from datetime import date

import pytest

from chalicelib.catalog.codings import LOINC, NCIT, SNOMED
from chalicelib.services.ehr.fhir_scores import Score, parse_scores


def observe(form, value, day="2026-01-01", *, status="final", system=LOINC, code="89247-1"):
    return {
        "resourceType": "Observation",
        "status": status,
        "code": {"coding": [{"system": system, "code": code}]},
        "effectiveDateTime": day,
        form: value,
    }


def read(*observations):
    return parse_scores({"resourceType": "Bundle", "entry": [{"resource": each} for each in observations]})


def coded(system, code):
    return {"coding": [{"system": system, "code": code}]}


@pytest.mark.parametrize(
    ("form", "value", "score"),
    [
        ("valueInteger", 1, 1),
        ("valueQuantity", {"value": 1, "unit": "{score}"}, 1),
        ("valueQuantity", {"value": 2.0}, 2),
        ("valueString", "1", 1),
        ("valueString", "ECOG 2", 2),
        ("valueString", "ECOG performance status: 3", 3),
        ("valueString", "1 - Restricted in physically strenuous activity", 1),
        ("valueCodeableConcept", coded(LOINC, "LA9622-7"), 0),
        ("valueCodeableConcept", coded(SNOMED, "422894000"), 2),
        ("valueCodeableConcept", coded("urn:oid:2.16.840.1.113883.6.1", "LA9625-0"), 3),
        ("valueCodeableConcept", {"text": "ECOG 1"}, 1),
        ("valueInteger", 5, None),
        ("valueInteger", True, None),
        ("valueInteger", [1], None),
        ("valueQuantity", {"value": 1.5}, None),
        ("valueString", "1-2", None),
        ("valueString", "1.5", None),
        ("valueString", "Karnofsky 90", None),
        ("valueString", "not done", None),
        ("valueString", "less than 2", None),
        ("valueString", "not 1", None),
        ("valueCodeableConcept", coded(SNOMED, "LA9622-7"), None),
        (
            "valueCodeableConcept",
            {"coding": [*coded(LOINC, "LA9622-7")["coding"], *coded(LOINC, "LA9623-5")["coding"]]},
            None,
        ),
        ("dataAbsentReason", {"text": "unknown"}, None),
    ],
)
def test_ecog_is_read_in_each_form(form, value, score):
    """0 to 4; 5 means death. What is not one score is none."""
    assert read(observe(form, value)) == (Score(name="ecog", value=score, on=date(2026, 1, 1)),)


@pytest.mark.parametrize(
    ("code", "value", "score"),
    [
        ((LOINC, "89243-0"), ("valueInteger", 90), ("karnofsky", 90)),
        ((LOINC, "89243-0"), ("valueCodeableConcept", coded(LOINC, "LA29176-7")), ("karnofsky", 90)),
        ((LOINC, "89243-0"), ("valueString", "80%"), ("karnofsky", 80)),
        ((LOINC, "89243-0"), ("valueInteger", 95), ("karnofsky", None)),
        ((NCIT, "C38144"), ("valueInteger", 80), ("lansky", 80)),
        ((NCIT, "C38144"), ("valueCodeableConcept", coded(NCIT, "C69424")), ("lansky", 80)),
    ],
)
def test_karnofsky_and_lansky_are_read(code, value, score):
    (found,) = read(observe(*value, system=code[0], code=code[1]))

    assert (found.name, found.value) == score


@pytest.mark.parametrize(
    ("observations", "latest"),
    [
        ([observe("valueInteger", 2, "2025-01-01"), observe("valueInteger", 1)], 1),
        ([observe("valueInteger", 1, "2025-01-01"), observe("valueInteger", 4, status="preliminary")], 1),
        ([observe("valueInteger", 1, "2025-01-01"), observe("valueInteger", 9)], None),
    ],
)
def test_the_latest_final_score_counts(observations, latest):
    """If it cannot be read, an older one does not replace it."""
    assert [score.value for score in read(*observations)] == [latest]


def test_a_record_without_scores_has_none():
    assert read() == ()
