"""The eligibility check through the API: results, refusals, and that it stores nothing."""

import json
from typing import get_args

import pytest

from chalicelib.catalog import load_products
from chalicelib.domain.eligibility import screen_input as entries
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.routes.referrals import clinical_fields as screen_fields
from chalicelib.routes.referrals import request_bodies as bodies
from tests.support import factories
from tests.support.api_driver import STAGES_TO_INFUSED

THREE = {"label_criteria_appear_met", "label_criteria_not_met_as_entered", "information_missing"}


def screened(world, **changed):
    return world.practice.post("/v1/screens", factories.build_screen_body(**changed))


def result_of(answer, product_id):
    return next(r for r in answer.json["results"] if r["product_id"] == product_id)


def test_the_contracts_example_meets_the_criteria_as_entered(shared_api):
    """R-CHOP ended in May, relapsed in October: within twelve months of the first line."""
    answer = screened(shared_api)

    assert answer.status == 200
    assert {r["product_id"]: r["result"] for r in answer.json["results"]} == {
        "breyanzi": "label_criteria_appear_met",
        "yescarta": "label_criteria_appear_met",
        "kymriah": "label_criteria_not_met_as_entered",
    }


def test_an_answer_shows_rule_input_source_and_date(shared_api):
    """Enough to check it without trusting it."""
    reasons = result_of(screened(shared_api), "yescarta")["reasons"]

    within = next(r for r in reasons if r["rule"] == "relapse_within_months_of_line:1,12")
    assert within["met"] is True
    assert {"2026-05-20", "2026-10-02"} <= {each["value"] for each in within["entered"]}
    assert within["source"]["url"].startswith("https://")
    assert within["source"]["as_of"] == "2022-04-01"


def test_a_missing_day_is_named_and_not_guessed(shared_api):
    """The end of the first line decides; without it there is no answer."""
    body = factories.build_screen_body()
    del body["clinical"]["prior_lines"][0]["ended_on"]

    result = result_of(shared_api.practice.post("/v1/screens", body), "yescarta")

    assert result["result"] == "information_missing"
    assert {"pointer": "/clinical/prior_lines/0/ended_on", "label": "End date of line 1"} in result["missing"]


def test_lines_that_were_not_sent_are_missing_and_an_empty_list_is_an_answer(shared_api):
    """An empty list means that there was no treatment."""
    unsent = result_of(screened(shared_api, clinical__prior_lines=...), "yescarta")
    none = result_of(screened(shared_api, clinical__prior_lines=[]), "yescarta")

    assert unsent["result"] == "information_missing"
    assert none["result"] == "label_criteria_not_met_as_entered"


def test_every_response_carries_the_statements(shared_api):
    """Both of them, and the note that it is not for emergencies."""
    outcome = screened(shared_api).json

    assert outcome["disclaimers"] == list(DISCLAIMERS)
    assert all(statement in outcome["disclaimer"] for statement in DISCLAIMERS)
    assert outcome["emergency_note"] == EMERGENCY_NOTE


@pytest.mark.parametrize("disease", ["LBCL", "CLL_SLL", "FL", "MCL", "MZL", "MM", "B_ALL"])
def test_there_are_three_results_and_never_a_verdict(shared_api, disease):
    """Whatever the disease: no word about a patient being eligible or not."""
    outcome = screened(shared_api, clinical__disease=disease).json

    assert outcome["results"]
    assert {result["result"] for result in outcome["results"]} <= THREE
    words = json.dumps(outcome).replace("/clinical/hsct_eligible", "")
    assert "eligible" not in words.lower()


def test_what_to_discuss_carries_its_value_and_source(shared_api):
    """A threshold is a published figure with a date."""
    flags = screened(shared_api, clinical__ecog=2).json["discuss_with_center"]

    (ecog,) = flags
    assert (ecog["flag"], ecog["value"]) == ("ecog", "2")
    assert "as of 2026-11-22" in ecog["source"]


def test_washouts_are_checked_against_a_planned_leukapheresis(shared_api):
    """With the doses, and with the end of the line that has chemotherapy."""
    doses = [{"agent": "bendamustine", "last_on": "2026-06-16"}]

    outcome = screened(shared_api, clinical__last_doses=doses, planned_collection_on="2199-12-15").json[
        "collection_checks"
    ]

    assert {check["check"]: check["state"] for check in outcome} == {
        "bendamustine": "clear",
        "cytotoxic_chemotherapy": "clear",
        "corticosteroid": "information_missing",
        "immunosuppressant": "information_missing",
        "alemtuzumab": "information_missing",
        "antithymocyte_globulin": "information_missing",
        "cladribine": "information_missing",
        "donor_lymphocytes": "information_missing",
        "radiotherapy": "information_missing",
        "pembrolizumab": "information_missing",
        "transplant": "information_missing",
        "irradiated_blood": "due",
    }


def test_earlier_therapy_with_the_same_target_is_shown_with_its_last_dose(shared_api):
    """Per product and as a flag; the criteria are compared as before."""
    line = {"line": 2, "regimen": "axi-cel", "classes": ["anti_cd19"], "started_on": "2026-10-05",
            "ended_on": "2026-10-05", "response": "relapsed", "event_on": "2026-11-01"}  # fmt: skip
    lines = [*factories.build_screen_body()["clinical"]["prior_lines"], line]

    answer = screened(shared_api, clinical__prior_lines=lines)

    (flag,) = answer.json["discuss_with_center"]
    assert (flag["flag"], flag["last_on"], flag["missing"]) == ("prior_car_t", "2026-10-05", [])
    yescarta = result_of(answer, "yescarta")
    assert yescarta["result"] == "label_criteria_appear_met"
    (point,) = yescarta["discuss"]
    assert point["kind"] == "prior_same_target"
    assert "axicabtagene ciloleucel, last dose Oct 5, 2026" in point["text"]
    assert point["source"]["url"].startswith("https://")


def test_a_histology_that_the_label_does_not_name_is_for_discussion(shared_api):
    """With what was entered, in words."""
    (point,) = result_of(screened(shared_api, clinical__histology="RICHTER"), "breyanzi")["discuss"]

    assert point["kind"] == "histology_not_named"
    assert [value["value"] for value in point["entered"]] == ["Richter transformation of CLL or SLL"]


def test_a_result_carries_the_approval_and_the_notes_of_its_label(shared_api):
    """As the catalog has them."""
    breyanzi = load_products()["breyanzi"].facts["indications"]
    indication = next(each for each in breyanzi if each["disease"] == "MCL")

    result = result_of(screened(shared_api, clinical__disease="MCL"), "breyanzi")

    assert [row["approval"] for row in result["rows"]] == [row["approval"] for row in indication["rows"]]
    assert [note["text"] for note in result["notes"]] == [note["text"] for note in indication["notes"]]


def test_a_washout_shows_the_strength_of_its_evidence(shared_api):
    """What is only practice says so."""
    doses = [{"agent": "donor_lymphocytes", "last_on": "2026-06-16"},
             {"agent": "corticosteroid", "last_on": "2026-06-16", "daily_mg": 10}]  # fmt: skip

    checks = screened(shared_api, clinical__last_doses=doses, planned_collection_on="2199-12-15").json
    by_name = {check["check"]: check for check in checks["collection_checks"]}

    assert (by_name["donor_lymphocytes"]["evidence"], by_name["donor_lymphocytes"]["state"]) == (
        "practice_only",
        "discuss",
    )
    assert (by_name["corticosteroid"]["evidence"], by_name["corticosteroid"]["clear_from"]) == ("expert_review", None)
    assert (by_name["cytotoxic_chemotherapy"]["from_line"], by_name["bendamustine"]["from_line"]) == (1, None)


@pytest.mark.parametrize(
    ("changed", "pointer", "code"),
    [
        ({"age": -1}, "/age", "malformed"),
        ({"age": 131}, "/age", "malformed"),
        ({"clinical__disease": "FLU"}, "/clinical/disease", "malformed"),
        ({"clinical__prior_lines": [{"line": 1, "regimen": "X", "classes": ["magic"]}]},
         "/clinical/prior_lines/0/classes/0", "malformed"),
        ({"clinical__prior_lines": [{"line": 1, "regimen": "X", "ended_on": "2026-02-30"}]},
         "/clinical/prior_lines/0/ended_on", "malformed"),
        ({"clinical__prior_lines": [{"line": 1, "regimen": "X"}, {"line": 1, "regimen": "Y"}]},
         "/clinical/prior_lines/1/line", "contradictory"),
        ({"clinical__prior_lines": [{"line": 1, "regimen": "X", "started_on": "2026-02-01",
                                     "event_on": "2026-01-01"}]},
         "/clinical/prior_lines/0/event_on", "contradictory"),
        ({"planned_collection_on": "2020-01-01"}, "/planned_collection_on", "contradictory"),
        ({"clinical__histology": "NONSENSE"}, "/clinical/histology", "contradictory"),
        ({"clinical__last_imaging_on": "2199-01-01"}, "/clinical/last_imaging_on", "contradictory"),
        ({"clinical__last_doses": [{"agent": "bendamustine", "daily_mg": 10}]},
         "/clinical/last_doses/0/daily_mg", "contradictory"),
        ({"verdict": "yes"}, "/…", "malformed"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_at_its_place(shared_api, changed, pointer, code):
    """A 400 that names the place, and repeats nothing of what was sent."""
    answer = screened(shared_api, **changed)

    assert (answer.status, answer.json["code"]) == (400, code)
    assert pointer in {error["pointer"] for error in answer.json["errors"]}


def test_a_check_stores_nothing(shared_api):
    """No row is written, and it can be repeated without a key."""
    before = shared_api.practice.get("/v1/referrals/counts").json

    first, second = screened(shared_api), screened(shared_api)

    assert first.json == second.json
    assert shared_api.practice.get("/v1/referrals/counts").json == before


def test_a_check_becomes_the_clinical_part_of_a_referral(shared_api):
    """Which keeps the version of the catalog that it was checked with."""
    screening = screened(shared_api).json
    kept = {name: screening[name] for name in ("catalogue_version", "screened_on")}
    body = factories.build_referral_body(clinical__screened=kept)

    made = shared_api.practice.post("/v1/referrals", body).json

    read = shared_api.practice.get(f"/v1/referrals/{made['referral_id']}").json
    assert read["clinical"]["screened"] == kept


def test_a_window_keeps_the_label_version_that_it_was_opened_with(shared_api):
    """Its dates can be explained when the label has long changed."""
    referral_id = shared_api.refer()["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)

    window = shared_api.practice.get(f"/v1/referrals/{referral_id}/window").json

    assert window["catalogue_version"] == load_products()["breyanzi"].version


def test_the_request_body_and_the_rules_use_the_same_codes():
    """They are written twice, so that a cold start need not load the rules."""
    assert get_args(screen_fields.AgentName) == get_args(entries.AgentName)
    assert get_args(screen_fields.NoTransplantReasonName) == tuple(entries.NoTransplantReason)
    assert get_args(screen_fields.TransplantKindName) == tuple(entries.TransplantKind)
    assert set(screen_fields.LabsRequest.model_fields) == set(get_args(entries.LabName))
    assert set(bodies.ClinicalFlags.model_fields) == set(get_args(entries.FlagName))
