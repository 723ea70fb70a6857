"""Lines of therapy as records state them: published extensions, CarePlan and EpisodeOfCare."""

from datetime import date

import pytest

from chalicelib.catalog.codings import RXNORM
from chalicelib.services.ehr import fhir_lines
from chalicelib.services.ehr.fhir_chart import parse_chart

TODAY = date(2026, 11, 22)
RITUXIMAB, LENALIDOMIDE, TACROLIMUS = "121191", "342369", "42316"
LYMPHOMA = {
    "resourceType": "Condition",
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C82.18"}]},
}


def bundle(*resources):
    return {"resourceType": "Bundle", "entry": [{"resource": each} for each in resources]}


def give(code, identifier="a1", *, extension=(), start="2025-01-01", **more):
    return {
        "resourceType": "MedicationAdministration",
        "id": identifier,
        "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]},
        "effectiveDateTime": start,
        "extension": list(extension),
    } | more


def read(*drugs, **parts):
    prefetched = {"conditions": bundle(LYMPHOMA), "administrations": bundle(*drugs)}
    return parse_chart(prefetched | {part: bundle(*found) for part, found in parts.items()}, today=TODAY)


def number(value, url=fhir_lines.PEDCAN_NUMBER):
    return {"url": url, "valuePositiveInt": value}


def plan(value, *members, status="completed", **more):
    return {
        "resourceType": "CarePlan",
        "id": f"plan-{value}",
        "status": status,
        "extension": [number(value)],
        "activity": [{"outcomeReference": [{"reference": member} for member in members]}],
    } | more


def episode(value, **more):
    extension = [
        number(value, fhir_lines.ONCONOVA_NUMBER),
        {"url": fhir_lines.ONCONOVA_PROGRESSION, "valueDate": "2025-08-08"},
    ]
    return {
        "resourceType": "EpisodeOfCare",
        "id": f"episode-{value}",
        "status": "finished",
        "extension": extension,
        "period": {"start": "2025-01-01", "end": "2025-06-06"},
    } | more


def refer(address):
    return {"url": fhir_lines.ONCONOVA_REFERENCE, "valueReference": {"reference": address}}


def test_the_number_of_the_pediatric_guide_is_read_on_a_drug():
    lines = read(give(RITUXIMAB, extension=[number(1)]), give(LENALIDOMIDE, extension=[number(2)])).screen_input.lines

    assert [(line.number, line.classes) for line in lines] == [(1, {"anti_cd20"}), (2, {"imid"})]


def test_a_care_plan_gives_its_line_to_the_drugs_that_it_lists():
    """With its dates, which count for the whole line."""
    found = read(
        give(RITUXIMAB, "a1"),
        give(LENALIDOMIDE, "a2"),
        care_plans=[
            plan(1, "MedicationAdministration/a1", period={"start": "2024-12-24", "end": "2025-05-05"}),
            plan(2, "https://ehr.example/fhir/MedicationAdministration/a2/_history/1"),
        ],
    )

    one, two = found.screen_input.lines
    assert (one.classes, one.started_on, one.ended_on) == ({"anti_cd20"}, date(2024, 12, 24), date(2025, 5, 5))
    assert two.classes == {"imid"}


def test_a_care_plan_without_drugs_is_a_line_with_unknown_classes():
    """Its regimen has the name that the record gives it."""
    found = read(care_plans=[plan(1, identifier=[{"value": "R-CHOP x 6"}])])

    (line,) = found.screen_input.lines
    assert (line.number, line.regimen, line.classes) == (1, "R-CHOP x 6", None)


def test_each_care_plan_is_a_line_even_without_an_id():
    found = read(care_plans=[plan(number) | {"id": None} for number in (1, 2)])

    assert [line.number for line in found.screen_input.lines] == [1, 2]


def test_an_episode_of_care_gives_its_line_to_the_drugs_that_refer_to_it():
    found = read(give(RITUXIMAB, extension=[refer("EpisodeOfCare/episode-1")]), episodes=[episode(1)])

    (line,) = found.screen_input.lines
    assert (line.classes, line.started_on, line.ended_on) == ({"anti_cd20"}, date(2025, 1, 1), date(2025, 6, 6))
    assert line.event_on == date(2025, 8, 8)


@pytest.mark.parametrize("element", ["request", "authorizingPrescription", "basedOn"])
def test_what_names_an_order_has_the_line_of_the_order(element):
    order = give(RITUXIMAB, "r1", extension=[number(3)]) | {
        "resourceType": "MedicationRequest",
        "authoredOn": "2025-01-01",
    }
    reference = {"reference": "MedicationRequest/r1"}

    found = read(give(RITUXIMAB, **{element: reference if element == "request" else [reference]}), medications=[order])

    assert [line.number for line in found.screen_input.lines] == [3]


@pytest.mark.parametrize(
    ("drugs", "parts"),
    [
        ([give(RITUXIMAB, extension=[number(1), number(2)])], {}),
        ([give(RITUXIMAB, extension=[number(0)])], {}),
        ([give(RITUXIMAB), give(LENALIDOMIDE, "a2")], {"care_plans": [plan(1, "MedicationAdministration/a1")]}),
        ([give(RITUXIMAB)], {"care_plans": [plan(1, "MedicationAdministration/a1", status="draft")]}),
        ([give(RITUXIMAB)], {"care_plans": [plan(1, "MedicationAdministration/a1"), plan(2, status="revoked")]}),
        ([give(RITUXIMAB, extension=[refer("EpisodeOfCare/other")])], {"episodes": [episode(1)]}),
        ([give(RITUXIMAB)], {"care_plans": [{"resourceType": "CarePlan", "status": "active"}]}),
    ],
    ids=["two numbers", "zero", "a drug without", "a draft", "revoked", "another episode", "no number"],
)
def test_lines_that_are_not_certain_are_missing_and_the_courses_are_listed(drugs, parts):
    found = read(*drugs, **parts)

    assert found.screen_input.lines is None
    assert "rituximab" in {course.name for course in found.courses}


def test_a_plan_that_ends_in_the_future_has_no_end_yet():
    period = {"start": "2026-10-10", "end": "2027-01-01"}

    (line,) = read(care_plans=[plan(1, status="active", period=period)]).screen_input.lines

    assert (line.started_on, line.ended_on) == (date(2026, 10, 10), None)


def test_an_immunosuppressant_needs_no_line():
    assert read(give(RITUXIMAB, extension=[number(1)]), give(TACROLIMUS, "a2")).has_therapy_lines


def test_a_course_is_a_drug_with_its_first_and_last_day():
    """In the order of the first days."""
    found = read(
        give(LENALIDOMIDE, start="2025-09-01"),
        give(RITUXIMAB, "a2", start="2025-03-01"),
        give(RITUXIMAB, "a3", start="2025-01-01"),
    )

    courses = [(course.name, course.started_on, course.ended_on) for course in found.courses]
    assert courses == [
        ("rituximab", date(2025, 1, 1), date(2025, 3, 1)),
        ("lenalidomide", date(2025, 9, 1), date(2025, 9, 1)),
    ]
