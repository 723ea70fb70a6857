"""HL7's own example patients, as published: mCODE's and those of FHIR R4. None makes an error."""

from collections import defaultdict

import pytest

from chalicelib.services.ehr import fhir_resources as fhir
from infra import fhir_examples
from tests.support import ehr

PARTS = {
    "Condition": "conditions",
    "MedicationRequest": "medications",
    "MedicationAdministration": "administrations",
    "MedicationStatement": "statements",
    "MedicationDispense": "dispenses",
    "CarePlan": "care_plans",
    "EpisodeOfCare": "episodes",
    "Procedure": "procedures",
    "Observation": "observations",
}
KINDS = {"Patient", "Medication", *PARTS}


@pytest.fixture(scope="module")
def read_package():
    """Read the examples of a package. Without npm, or without a network, there is nothing to read."""

    def read(package):
        try:
            return list(fhir_examples.read_examples(package, KINDS))
        except fhir_examples.ExamplesNotAvailableError as reason:
            pytest.skip(str(reason))

    return read


def build_hook(patient_id, resources):
    """The hook of a record system that has these resources of one patient."""
    parts = defaultdict(list)
    for resource in resources:
        parts[PARTS.get(resource["resourceType"], "")].append({"resource": resource})
    medications = parts.pop("", [])
    prefetch = {part: {"resourceType": "Bundle", "entry": [*parts[part], *medications]} for part in PARTS.values()}
    body = ehr.load_hook("unrelated")
    body["context"]["patientId"] = patient_id
    return body | {"prefetch": prefetch | {"patient": {"resourceType": "Patient", "id": patient_id}}}


def group_by_patient(examples):
    """The resources of each patient that an example names, and the patient."""
    charts = defaultdict(list)
    for example in examples:
        if example["resourceType"] == "Patient":
            charts[example["id"]].append(example)
        elif patient_id := fhir.parse_patient_id(example):
            charts[patient_id].append(example)
    return charts


def call(world, patient_id, resources):
    body = build_hook(patient_id, [r for r in resources if r["resourceType"] != "Patient"])
    body["prefetch"]["patient"] = next(
        (r for r in resources if r["resourceType"] == "Patient"), body["prefetch"]["patient"]
    )
    answer = ehr.call_hook(world.anyone, body)
    assert answer.status == 200, (patient_id, answer.text)
    return answer.json["cards"]


@pytest.fixture(scope="module")
def mcode_charts(read_package):
    return group_by_patient(read_package(fhir_examples.MCODE))


@pytest.mark.parametrize(
    ("patient_id", "disease"),
    [
        ("cancer-patient-brian-l", "B-cell precursor acute lymphoblastic leukemia"),
        ("cancer-patient-adam-everyman", "Chronic lymphocytic leukemia"),
    ],
)
def test_the_leukemia_patients_of_mcode_get_one_card(shared_api, mcode_charts, patient_id, disease):
    """As shipped, with SNOMED CT alone."""
    (card,) = call(shared_api, patient_id, mcode_charts[patient_id])

    assert card["summary"].startswith("CAR T label check, ")
    assert disease in card["detail"]


def test_the_drugs_and_the_score_of_an_mcode_patient_are_read(shared_api, mcode_charts):
    (card,) = call(shared_api, "cancer-patient-brian-l", mcode_charts["cancer-patient-brian-l"])

    for found in ("vincristine (2024-", "idarubicin (2024-", "cyclophosphamide (2024-", "Lansky 80 on 2024-01-12"):
        assert found in card["detail"]
    assert "not recognized" not in card["detail"]


def test_the_other_cancer_patients_of_mcode_get_a_card_that_says_what_was_not_read(shared_api, mcode_charts):
    """Their cancers are in SNOMED CT codes that are not on the list."""
    for patient_id in ("cancer-patient-john-anyperson", "cancer-patient-jenny-m", "cancer-patient-eve-anyperson"):
        (card,) = call(shared_api, patient_id, mcode_charts[patient_id])
        assert "could not be read" in card["summary"]


@pytest.mark.parametrize("package", [fhir_examples.MCODE, fhir_examples.R4], ids=lambda package: package.name)
def test_no_published_example_makes_an_error(shared_api, read_package, package):
    """Each patient with all resources, and the Medications that drugs refer to."""
    examples = read_package(package)
    medications = [example for example in examples if example["resourceType"] == "Medication"]
    charts = group_by_patient(examples)

    assert len(charts) >= 5
    for patient_id, resources in charts.items():
        assert len(call(shared_api, patient_id, [*resources, *medications])) <= 1
