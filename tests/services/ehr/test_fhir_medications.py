"""Drugs in a record: the shapes in which FHIR writes them, and the kinds of resources that have them."""

from datetime import date

import pytest

from chalicelib.catalog.codings import RXNORM
from chalicelib.services.ehr import fhir_medications as therapy
from chalicelib.services.ehr.fhir_lines import StatedLines

TODAY = date(2026, 11, 22)
CONCEPT = {"coding": [{"system": RXNORM, "code": "134547", "display": "bendamustine"}]}
MEDICATION = {"resourceType": "Medication", "id": "m1", "code": CONCEPT}
ORDER = {"resourceType": "MedicationRequest", "status": "active", "authoredOn": "2026-01-01"}


def bundle(*resources):
    entries = [
        {"fullUrl": f"https://ehr.example/fhir/{r['resourceType']}/{r.get('id')}", "resource": r} for r in resources
    ]
    return {"resourceType": "Bundle", "entry": entries}


def read(*resources, **parts):
    prefetched = {"medications": bundle(*resources), **parts}
    index = therapy.index_medications(prefetched, parts.get("drafts"))
    return list(therapy.list_medications(prefetched, index, StatedLines(), today=TODAY))


def refer(reference, **more):
    return ORDER | {"medicationReference": {"reference": reference}} | more


SHAPES = {
    "a concept": [ORDER | {"medicationCodeableConcept": CONCEPT}],
    "contained": [refer("#m1", contained=[MEDICATION])],
    "in the bundle": [refer("Medication/m1"), MEDICATION],
    "in the bundle, by its address": [refer("https://ehr.example/fhir/Medication/m1"), MEDICATION],
    "in the bundle, by its version": [refer("Medication/m1/_history/3"), MEDICATION],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_a_drug_is_read_alike(shape):
    (drug,) = read(*SHAPES[shape])

    assert (drug.name, drug.medication.name, drug.started_on) == ("bendamustine", "bendamustine", date(2026, 1, 1))


@pytest.mark.parametrize("reference", [None, "Medication/elsewhere", "#lost"])
def test_a_drug_that_has_only_a_name_is_shown_by_its_name(reference):
    """It has no code, so it is not counted."""
    named = {"reference": reference, "display": "bendamustine"}

    (drug,) = read(ORDER | {"medicationReference": named})

    assert (drug.name, drug.medication) == ("bendamustine", None)


def test_a_medication_can_be_in_another_part_of_the_prefetch():
    """And in the Bundle of draft orders."""
    for part in ("administrations", "drafts"):
        (drug,) = read(refer("Medication/m1"), **{part: bundle(MEDICATION)})
        assert drug.medication.name == "bendamustine"


def test_a_mixture_that_has_codes_only_for_its_ingredients_is_several_drugs():
    ingredients = [
        {"itemCodeableConcept": {"coding": [{"system": RXNORM, "code": c}]}} for c in ("121191", "134547", "9")
    ]
    mixture = {"resourceType": "Medication", "id": "mix", "code": {"text": "R-B"}, "ingredient": ingredients}

    drugs = read(refer("#mix", contained=[mixture]))

    assert [(drug.name, drug.medication.name) for drug in drugs] == [("R-B", "rituximab"), ("R-B", "bendamustine")]


@pytest.mark.parametrize(
    ("kind", "dates", "ended_on", "given"),
    [
        ("MedicationRequest", {"authoredOn": "2026-01-01"}, None, False),
        ("MedicationDispense", {"whenHandedOver": "2026-01-01T09:00:00Z"}, None, False),
        ("MedicationStatement", {"effectiveDateTime": "2026-01-01"}, None, False),
        (
            "MedicationStatement",
            {"effectivePeriod": {"start": "2026-01-01", "end": "2026-03-03"}},
            date(2026, 3, 3),
            True,
        ),
        ("MedicationStatement", {"effectivePeriod": {"start": "2026-01-01", "end": "2027-03-03"}}, None, False),
        ("MedicationAdministration", {"effectiveDateTime": "2026-01-01"}, date(2026, 1, 1), True),
    ],
)
def test_each_kind_has_its_dates(kind, dates, ended_on, given):
    """A dose is what was given or taken, not what was ordered, dispensed, or is planned."""
    (drug,) = read({"resourceType": kind, "status": "completed", "medicationCodeableConcept": CONCEPT} | dates)

    assert (drug.started_on, drug.ended_on, drug.given) == (date(2026, 1, 1), ended_on, given)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("MedicationStatement", "not-taken"), ("MedicationStatement", "intended"), ("MedicationDispense", "declined")],
)
def test_a_drug_that_was_not_taken_is_not_read(kind, status):
    assert read({"resourceType": kind, "status": status, "medicationCodeableConcept": CONCEPT}) == []
