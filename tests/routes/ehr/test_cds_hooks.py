"""CDS Hooks: what a health record system sends, and the cards that it gets."""

import base64
import json
import re
from uuid import UUID

import pytest

from chalicelib import wiring
from chalicelib.catalog import load_products
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS
from tests.support import ehr

FEEDBACK = f"{ehr.PATIENT_VIEW}/feedback"


def cards(world, body, **how):
    """Return the cards of an answered hook."""
    answer = ehr.call_hook(world.anyone, body, **how)
    assert answer.status == 200, answer.text
    return answer.json["cards"]


def test_anyone_can_read_the_list_of_services(shared_api):
    """With what each wants prefetched, and without a token."""
    services = shared_api.anyone.get("/cds-services").json["services"]

    assert {s["id"]: s["hook"] for s in services} == {
        "cart-screen-patient-view": "patient-view",
        "cart-screen-order-sign": "order-sign",
    }
    for service in services:
        assert service["description"]
        assert service["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        assert all("{{context.patientId}}" in query for query in service["prefetch"].values())


@pytest.mark.parametrize("chart", ["follicular", "large-b-cell"])
def test_a_card_follows_the_standard_and_is_never_a_verdict(shared_api, chart):
    """Summary under 140 characters, indicator, source, an absolute link, and the statements."""
    (card,) = cards(shared_api, ehr.load_hook(chart))

    assert str(UUID(card["uuid"])) == card["uuid"]
    assert len(card["summary"]) <= 140
    assert card["indicator"] == "info"
    assert card["source"]["label"]
    (link,) = card["links"]
    assert link["type"] == "absolute"
    assert link["label"].startswith("Open the eligibility check")
    assert link["url"].startswith(f"{ehr.URL}/#/screen")
    assert all(statement in card["detail"] for statement in DISCLAIMERS)
    # A label can mention transplants, but no card may say this about CAR T.
    result = re.sub(r"eligible for (a )?\w* ?(stem cell )?transplant", "", card["detail"])
    assert not re.search(r"\b(in)?eligible\b", card["summary"] + result, re.IGNORECASE)


def test_a_chart_that_states_its_lines_is_compared_with_labels(shared_api):
    """Each rule with its answer, its source and the source's date."""
    (card,) = cards(shared_api, ehr.load_hook("follicular"))

    assert card["summary"] == "CAR T label check, Follicular lymphoma: label criteria appear met: 3"
    assert "At least 2 prior lines of therapy: appears met" in card["detail"]
    assert "Label as of 20" in card["detail"]


def test_lines_that_a_chart_does_not_state_are_missing_and_not_guessed(shared_api):
    """The drugs that were found are listed, unknown ones by the record's own name."""
    body = ehr.load_hook("large-b-cell")
    given = body["prefetch"]["administrations"]["entry"]
    given.append({"resource": given[0]["resource"] | {"medicationCodeableConcept": {"text": "trial drug 17"}}})

    (card,) = cards(shared_api, body)

    assert "information missing" in card["summary"]
    (found,) = re.findall(r"Found in the chart but not counted as lines: (.*)", card["detail"])
    assert re.sub(r"\(20\d\d-\d\d-\d\d( to 20\d\d-\d\d-\d\d)?\)", "(days)", found) == (
        "rituximab (days), doxorubicin (days), vincristine (days)"
    )
    assert "Drugs not recognized and not included: trial drug 17" in card["detail"]
    assert "Seizure disorder, yes." in card["detail"]


def test_a_chart_without_a_disease_of_the_catalog_has_no_card(shared_api):
    """`cards` is an empty list, as the standard requires."""
    assert cards(shared_api, ehr.load_hook("unrelated")) == []


@pytest.mark.parametrize(
    "code",
    [
        {"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}], "text": "Blood cancer, see letter"},
        {"coding": [{"system": "urn:oid:1.2.3.4", "code": "77"}], "text": "Blood cancer, see letter"},
        {
            "coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C83.39"}],
            "text": "Blood cancer, see letter",
        },
        {"text": "Blood cancer, see letter"},
    ],
)
def test_a_diagnosis_that_is_not_read_makes_a_card_that_says_so(shared_api, code):
    """An empty list would say that there is nothing to say."""
    body = ehr.load_hook("unrelated")
    body["prefetch"]["conditions"]["entry"][0]["resource"]["code"] = code

    (card,) = cards(shared_api, body)

    assert card["summary"] == "CAR T: part of this chart could not be read, so no label comparison was made"
    assert "Diagnoses without a code that could be read: Blood cancer, see letter" in card["detail"]


@pytest.mark.parametrize(
    ("part", "sent", "words"),
    [
        ("conditions", {"resourceType": "OperationOutcome"}, "Parts of the chart: conditions"),
        ("conditions", {"resourceType": "Bundle", "entry": [None]}, "Parts of the chart: conditions"),
        ("conditions", {"resourceType": "Bundle", "link": [{"relation": "next"}]}, "Only the first page was sent"),
        ("medications", "not a resource", "Parts of the chart: medication orders"),
    ],
)
def test_a_part_that_cannot_be_read_makes_a_card_that_says_so(shared_api, part, sent, words):
    body = ehr.load_hook("unrelated")
    body["prefetch"][part] = sent

    (card,) = cards(shared_api, body)

    assert words in card["detail"]


def test_a_diagnosis_that_is_not_read_is_named_beside_the_result(shared_api):
    body = ehr.load_hook("follicular")
    conditions = body["prefetch"]["conditions"]["entry"]
    conditions.append({"resource": conditions[0]["resource"] | {"code": {"text": "Something else"}}})

    (card,) = cards(shared_api, body)

    assert card["summary"] == "CAR T label check, Follicular lymphoma: label criteria appear met: 3"
    assert "Diagnoses without a code that could be read: Something else" in card["detail"]


def test_a_score_of_another_scale_is_shown_and_not_converted(shared_api):
    """ECOG stays missing; published tables disagree."""
    body = ehr.load_hook("large-b-cell")
    body["prefetch"]["observations"] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "89243-0"}]},
        "effectiveDateTime": "2026-01-01",
        "valueInteger": 90,
    }

    (card,) = cards(shared_api, body)

    assert "ECOG. Found in the chart and not converted: Karnofsky 90 on 2026-01-01" in card["detail"]


def test_a_score_that_cannot_be_read_is_named(shared_api):
    body = ehr.load_hook("follicular")
    observation = body["prefetch"]["observations"]["entry"][0]["resource"]
    observation.pop("valueInteger")
    observation["valueString"] = "1-2"

    (card,) = cards(shared_api, body)

    assert f"ECOG on {observation['effectiveDateTime'][:10]}: its value could not be read" in card["detail"]


def test_a_code_of_two_diseases_is_reported_and_not_guessed(shared_api):
    """Small lymphocytic and marginal zone lymphoma share C83.0."""
    body = ehr.load_hook("follicular")
    coding = body["prefetch"]["conditions"]["entry"][0]["resource"]["code"]["coding"][0]
    coding["code"] = "C83.08"

    (card,) = cards(shared_api, body)

    assert "fits more than one disease" in card["summary"]
    assert "Marginal zone lymphoma" in card["detail"]


def test_signing_an_order_that_matters_before_leukapheresis_adds_a_note(shared_api):
    """With the interval and its source; and only in `order-sign`."""
    (signing,) = cards(shared_api, ehr.load_hook("follicular", event="order-sign"), path=ehr.ORDER_SIGN)
    (viewing,) = cards(shared_api, ehr.load_hook("follicular"))

    assert "In this order: bendamustine" in signing["detail"]
    assert re.search(r"Bendamustine: interval ends 20\d\d-\d\d-\d\d\. Observational study\.", signing["detail"])
    assert "In this order" not in viewing["detail"]


def test_a_card_names_the_boxed_warnings_and_links_to_the_label(shared_api):
    (card,) = cards(shared_api, ehr.load_hook("follicular"))

    for product in load_products().values():
        if "FL" in product.diseases:
            titles = "; ".join(warning["title"] for warning in product.facts["boxed_warnings"])
            assert f"Boxed warnings of the label: {titles}. Current label: {product.label_url}" in card["detail"]


def test_earlier_therapy_with_the_same_target_is_shown_without_lines(shared_api):
    """And what a label does not name is for discussion with the center."""
    body = ehr.load_hook("large-b-cell")
    given = body["prefetch"]["administrations"]["entry"]
    coded = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2540974"}]}
    given.append({"resource": given[0]["resource"] | {"medicationCodeableConcept": coded}})
    condition = body["prefetch"]["conditions"]["entry"][0]["resource"]
    condition["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "444910004"}]}

    (card,) = cards(shared_api, body)

    assert re.search(
        r"Earlier therapy with the target CD19, not counted as a line: loncastuximab tesirine \(20", card["detail"]
    )
    assert "Discuss with the center: " in card["detail"]


def test_a_chart_that_contradicts_itself_says_so(shared_api):
    """And is compared with no label."""
    body = ehr.load_hook("follicular")
    period = body["prefetch"]["administrations"]["entry"][0]["resource"]["effectivePeriod"]
    period["start"] = "2099-01-01"
    period["end"] = "2099-02-01"

    (card,) = cards(shared_api, body)

    assert card["summary"] == "CAR T: dates in this chart contradict each other"
    assert "This date is in the future. Enter a past date." in card["detail"]


def test_a_drug_name_from_a_record_cannot_become_markup(shared_api):
    """A card is Markdown on someone else's page."""
    body = ehr.load_hook("large-b-cell")
    administrations = body["prefetch"]["administrations"]["entry"]
    administrations[2]["resource"]["medicationCodeableConcept"] = {
        "text": "x](https://evil.example) <img src=x onerror=1> **bold** `code`"
    }

    (card,) = cards(shared_api, body)

    assert "evil" in card["detail"]
    assert not re.search(r"[<>`\]]|\]\(", card["detail"].replace("**", ""))


@pytest.mark.parametrize("absent", ["patient", "conditions"])
def test_missing_required_prefetch_is_412(shared_api, absent):
    """Nothing is fetched; the record can call again with it."""
    body = ehr.load_hook()
    body["prefetch"][absent] = None

    answer = ehr.call_hook(shared_api.anyone, body)

    assert (answer.status, answer.json["code"]) == (412, "prefetch_missing")
    assert [f["pointer"] for f in answer.json["errors"]] == [f"/prefetch/{absent}"]


def test_a_hook_without_prefetch_gets_the_names_of_all_needed_data(shared_api):
    """At once, not one by one."""
    body = ehr.load_hook()
    del body["prefetch"]

    answer = ehr.call_hook(shared_api.anyone, body)

    assert [f["pointer"] for f in answer.json["errors"]] == ["/prefetch/patient", "/prefetch/conditions"]


@pytest.mark.parametrize("part", ["conditions", "administrations", "observations"])
def test_a_chart_with_two_patients_makes_no_card(shared_api, part):
    """The drugs could belong to either."""
    body = ehr.load_hook()
    resource = body["prefetch"][part]["entry"][0]["resource"]
    resource["subject"]["reference"] = "https://ehr.example/fhir/Patient/somebody-else"

    answer = ehr.call_hook(shared_api.anyone, body)

    assert (answer.status, answer.json["code"]) == (400, "another_patient")
    assert answer.json["errors"][0]["pointer"] == f"/prefetch/{part}"


def test_a_draft_order_for_another_patient_makes_no_card(shared_api):
    """Nor does a record whose own patient is another one."""
    order = ehr.load_hook("follicular", event="order-sign")
    order["context"]["draftOrders"]["entry"][0]["resource"]["subject"]["reference"] = "Patient/z"
    patient = ehr.load_hook()
    patient["prefetch"]["patient"]["id"] = "z"

    assert ehr.call_hook(shared_api.anyone, order, path=ehr.ORDER_SIGN).status == 400
    assert ehr.call_hook(shared_api.anyone, patient).status == 400


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"hook": "order-sign"}, "/hook"),
        ({"hookInstance": "not-a-uuid"}, "/hookInstance"),
        ({"context": {}}, "/context/patientId"),
        ({"prefetch": []}, "/prefetch"),
    ],
)
def test_a_malformed_hook_names_the_place(shared_api, change, pointer):
    """Like every other body."""
    answer = ehr.call_hook(shared_api.anyone, ehr.load_hook() | change)

    assert answer.status == 400
    assert [fault["pointer"] for fault in answer.json["errors"]] == [pointer]


def test_optional_members_of_the_standard_are_ignored(shared_api):
    """The FHIR server's address, the token for it, and extensions: neither read nor requested."""
    body = ehr.load_hook() | {
        "fhirServer": "https://127.0.0.1:1/fhir",
        "fhirAuthorization": {"access_token": "secret"},
        "extension": {"com.example": {}},
    }
    body["context"]["encounterId"] = "e"

    assert len(cards(shared_api, body)) == 1


def test_an_unknown_service_is_404(shared_api):
    """For a valid token too."""
    path = "/cds-services/cart-other"

    assert ehr.call_hook(shared_api.anyone, ehr.load_hook(), path=path).status == 404
    assert ehr.call_hook(shared_api.anyone, {"feedback": []}, path=f"{path}/feedback").status == 404


def test_a_long_chart_is_read_and_a_huge_one_refused(shared_api):
    """One MiB, eight times the limit of a referral."""
    long = ehr.load_hook("large-b-cell")
    entries = long["prefetch"]["administrations"]["entry"]
    entries += [entries[2]] * 1000
    huge = long | {"padding": "x" * 1024 * 1024}

    assert len(json.dumps(long)) > 300_000
    assert len(cards(shared_api, long)) == 1
    assert ehr.call_hook(shared_api.anyone, huge).status == 413


def test_feedback_is_counted_and_its_text_is_dropped(shared_api, caplog):
    """How many cards were accepted or overridden, and not one word of why."""
    result = {
        "feedback": [
            {"card": "c1", "outcome": "accepted", "outcomeTimestamp": "2026-11-22T00:00:00Z"},
            {"card": "c2", "outcome": "overridden", "overrideReason": {"userComment": "Mrs. Canary moved away"}},
        ]
    }

    answer = ehr.call_hook(shared_api.anyone, result, path=FEEDBACK)

    assert (answer.status, answer.json) == (200, {})
    assert {"accepted": 1, "overridden": 1} in [getattr(record, "counts", None) for record in caplog.records]
    assert "Canary" not in logged(caplog)


def test_nothing_readable_of_a_chart_is_stored_or_logged(shared_api, caplog):
    """Only the used token, which is a hash and a time, and entries that only the link can decrypt."""
    health_data = r"1958|C83|LBCL|fictional|Ivo|rituximab|doxorubicin"
    rows = row_count()

    cards(shared_api, ehr.load_hook("large-b-cell"))

    assert not re.search(health_data, logged(caplog))
    assert row_count() == rows + 2
    entries = [base64.b64decode(row["content"]["B"]) for row in every_row() if "content" in row and "expires_at" in row]
    assert entries
    assert not any(re.search(health_data.encode(), each) for each in entries)
    used = [row for row in every_row() if set(row) == {"scope_key", "expires_at"}]
    assert used
    assert all(re.fullmatch(r"[0-9a-f]{64}", row["scope_key"]["S"]) for row in used)


def logged(caplog):
    """Return every field of every log line."""
    return " ".join(str(vars(record)) for record in caplog.records)


def every_row():
    client = wiring.get_dynamodb_client()
    return [row for name in client.list_tables()["TableNames"] for row in client.scan(TableName=name)["Items"]]


def row_count():
    return len(every_row())
