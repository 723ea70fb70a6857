"""A record's resources as input of an eligibility check: what is read, and what is never guessed."""

from datetime import date, timedelta

import pytest

from chalicelib.catalog.codings import CPT, ICD10CM, RXNORM, SNOMED
from chalicelib.catalog.diagnoses import load_code_set
from chalicelib.domain.eligibility.screen_input import LineOutcome, TransplantKind
from chalicelib.services.ehr import fhir_chart as chart
from chalicelib.services.ehr.fhir_diagnoses import parse_diagnoses
from chalicelib.services.ehr.fhir_lines import LINE_OF_THERAPY

TODAY = date(2026, 11, 22)
RITUXIMAB, LENALIDOMIDE, BENDAMUSTINE, UNKNOWN = "121191", "342369", "134547", "314076"


def bundle(*resources, more=False):
    links = [{"relation": "next", "url": "https://ehr.example/page2"}] if more else []
    return {"resourceType": "Bundle", "link": links, "entry": [{"resource": resource} for resource in resources]}


def condition(code, *, clinical="active", verification="confirmed", system=ICD10CM):
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": clinical}]},
        "verificationStatus": {"coding": [{"code": verification}]},
        "code": {"coding": [{"system": system, "code": code}]},
    }


def drug(code, *, line=None, start="2025-01-01", end="2025-06-01", kind="administration", **more):
    parts = [{"url": "number", "valuePositiveInt": line}]
    parts += [{"url": "outcome", "valueCode": more.pop("outcome")}] if "outcome" in more else []
    parts += [{"url": "eventOn", "valueDate": more.pop("event_on")}] if "event_on" in more else []
    resource = {
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]},
        "extension": [{"url": LINE_OF_THERAPY, "extension": parts}] if line else [],
    }
    if kind == "administration":
        resource |= {"resourceType": "MedicationAdministration", "status": "completed"}
        resource |= {"effectivePeriod": {"start": start, "end": end}}
    else:
        resource |= {"resourceType": "MedicationRequest", "status": "active", "authoredOn": start}
    return resource | more


def read(*, conditions=("C82.18",), drugs=(), drafts=(), **prefetched):
    prefetch = {
        "patient": {"resourceType": "Patient", "id": "p", "birthDate": "1962-11-23"},
        "conditions": bundle(*(condition(c) if isinstance(c, str) else c for c in conditions)),
        "medications": bundle(*drugs),
        "administrations": bundle(*drugs),
    }
    return chart.parse_chart(prefetch | prefetched, draft_orders=bundle(*drafts), today=TODAY)


def test_the_age_is_computed_for_today_from_a_full_birth_date():
    """The birthday is tomorrow. A year alone or a future date gives no age."""
    year_alone = {"resourceType": "Patient", "birthDate": "1962"}
    not_born = {"resourceType": "Patient", "birthDate": "2031-01-01"}

    assert read().screen_input.age == 63
    assert read(patient=year_alone).screen_input.age is None
    assert read(patient=not_born).screen_input.age is None


@pytest.mark.parametrize(
    ("codes", "diseases"),
    [
        (["C83.398"], ("LBCL",)),
        (["C83.39"], ()),  # not billable since October 2024
        (["C83.08"], ("CLL_SLL", "MZL")),
        (["C83.08", "C91.10"], ("CLL_SLL",)),
        (["C82.18", "C83.398"], ("FL", "LBCL")),
        (["I10"], ()),
        ([], ()),
    ],
)
def test_the_disease_comes_from_billable_codes(codes, diseases):
    """If a code fits two diseases, only another code can decide."""
    found = read(conditions=codes)

    assert found.diseases == diseases
    assert (found.screen_input is None) is (len(diseases) != 1)


@pytest.mark.parametrize(
    ("code", "disease", "histology"),
    [
        ("277571004", "B_ALL", None),
        ("109969005", "LBCL", None),
        ("92814006", "CLL_SLL", "CLL"),
        ("444910004", "LBCL", "PMBCL"),
        ("1148845007", "LBCL", "FL_3B"),
        ("1148851002", "FL", "FL_3A"),
        ("443487006", "MCL", None),
        ("109989006", "MM", None),
    ],
)
def test_the_disease_comes_from_snomed_ct_too(code, disease, histology):
    """With the histology, if the code names it."""
    found = read(conditions=[condition(code, system=SNOMED)])

    assert (found.diseases, found.screen_input.histology) == ((disease,), histology)
    assert found.is_fully_read


@pytest.mark.parametrize("system", ["urn:oid:2.16.840.1.113883.6.90", "2.16.840.1.113883.6.90", f"{ICD10CM}/"])
def test_a_code_system_is_known_in_each_spelling(system):
    assert read(conditions=[condition("C83.398", system=system)]).diseases == ("LBCL",)


def test_one_condition_in_two_code_systems_is_one_diagnosis():
    """Small lymphocytic and marginal zone lymphoma share C83.0; SNOMED CT says which."""
    both = condition("C83.08")
    both["code"]["coding"].append({"system": SNOMED, "code": "763666008"})

    found = read(conditions=[both])

    assert (found.diseases, found.screen_input.histology) == (("MZL",), "SPLENIC_MZL")


def test_codes_that_name_two_histologies_name_none():
    found = read(conditions=[condition("444910004", system=SNOMED), condition("1172704005", system=SNOMED)])

    assert (found.diseases, found.screen_input.histology) == (("LBCL",), None)


def test_a_code_of_a_newer_release_is_read():
    """After the shipped release has ended; before, it is a mistake."""
    ends = date.fromisoformat(load_code_set().release["next_on"])

    before, after = (
        parse_diagnoses(bundle(condition("C82.1Z")), today=day) for day in (ends - timedelta(days=1), ends)
    )

    assert (before.diseases, before.unread) == ((), ("C82.1Z",))
    assert (after.diseases, after.unread) == (("FL",), ())


def test_snomed_ct_sets_flags():
    found = read(conditions=["C82.18", condition("86406008", system=SNOMED), condition("84757009", system=SNOMED)])

    assert found.screen_input.conditions == {"hepatitis_or_hiv": True, "seizure_disorder": True}


def test_a_diagnosis_that_is_not_read_is_named():
    """Next to one that is. Codes of other diseases in ICD-10-CM are read."""
    other = condition("254837009", system=SNOMED)
    other["code"]["text"] = "Breast cancer"

    found = read(conditions=["C82.18", "I10", other, {"resourceType": "Condition"}])

    assert found.diseases == ("FL",)
    assert found.unread_diagnoses == ("Breast cancer", "without a code")


@pytest.mark.parametrize(
    "status",
    [
        {"verification": "entered-in-error"},
        {"verification": "refuted"},
        {"clinical": "resolved"},
        {"clinical": "inactive"},
        {"clinical": "remission"},
    ],
)
def test_a_retracted_or_inactive_condition_is_not_read(status):
    """Neither for the disease nor for a flag."""
    chart_with_flag = read(conditions=["C82.18", condition("B20", **status)])

    assert chart_with_flag.screen_input.conditions == {}
    assert read(conditions=[condition("C82.18", **status)]).diseases == ()


def test_conditions_set_flags_and_their_absence_does_not():
    """A missing entry does not mean that the patient does not have epilepsy."""
    found = read(conditions=["C82.18", "B18.1", "G40.909", "C79.31"])

    assert found.screen_input.conditions == {
        "hepatitis_or_hiv": True,
        "seizure_disorder": True,
        "cns_involvement": True,
    }
    assert read().screen_input.conditions == {}


def test_lines_of_therapy_are_read_as_the_record_states_them():
    """With the classes, the dates and the outcome of all their drugs."""
    first = {"line": 1, "outcome": "relapsed", "event_on": "2025-03-03"}
    found = read(
        drugs=[
            drug(RITUXIMAB, start="2024-01-10", end="2024-06-01", **first),
            drug(BENDAMUSTINE, start="2024-01-05", end="2024-06-20", **first),
            drug(LENALIDOMIDE, line=2, start="2025-05-05", end="2026-01-01"),
        ]
    )

    one, two = found.screen_input.lines
    assert (one.number, one.classes) == (1, frozenset({"anti_cd20", "chemotherapy"}))
    assert (one.started_on, one.ended_on) == (date(2024, 1, 5), date(2024, 6, 20))
    assert (one.outcome, one.event_on) == (LineOutcome.RELAPSED, date(2025, 3, 3))
    assert (two.number, two.classes, two.outcome) == (2, frozenset({"imid"}), None)
    assert found.has_therapy_lines


@pytest.mark.parametrize(
    "drugs",
    [
        [],
        [drug(RITUXIMAB)],
        [drug(RITUXIMAB, line=1), drug(LENALIDOMIDE)],
        [drug(RITUXIMAB, line=0)],
        [drug(RITUXIMAB, line=31)],
        [drug(RITUXIMAB, line="1")],
        [drug(RITUXIMAB, line=True)],
    ],
)
def test_lines_are_missing_if_one_drug_has_no_line_number(drugs):
    """A drug without its line could be a line of its own."""
    found = read(drugs=drugs)

    assert found.screen_input.lines is None
    assert not found.has_therapy_lines


def test_a_corticosteroid_needs_no_line():
    """It has many other uses."""
    assert read(drugs=[drug(RITUXIMAB, line=1), drug("6902")]).has_therapy_lines


def test_an_incomplete_record_gives_no_lines():
    """The next page could have the line that decides."""
    found = read(administrations=bundle(drug(RITUXIMAB, line=1), more=True))

    assert found.incomplete_parts
    assert found.screen_input.lines is None


def test_an_unknown_drug_makes_the_classes_of_its_line_unknown():
    """And the drug is named."""
    found = read(drugs=[drug(RITUXIMAB, line=1), drug(UNKNOWN, line=1)])

    assert found.screen_input.lines[0].classes is None
    assert found.unknown_medications == (UNKNOWN,)


def test_a_drug_is_recognized_only_by_its_code():
    """A name is free text: a trial's placebo could also be called rituximab."""
    named = drug("999999999", line=1)
    named["medicationCodeableConcept"]["text"] = "rituximab"
    referenced = {"resourceType": "MedicationRequest", "status": "active"}

    found = read(drugs=[named], medications=bundle(referenced))

    assert found.medication_names == ()
    assert set(found.unknown_medications) == {"rituximab", "without a code"}


def test_drugs_that_disagree_about_their_line_leave_it_open():
    """For the outcome and the date."""
    found = read(
        drugs=[
            drug(RITUXIMAB, line=1, outcome="relapsed", event_on="2025-03-03"),
            drug(BENDAMUSTINE, line=1, outcome="refractory", event_on="2025-04-04"),
        ]
    )

    assert (found.screen_input.lines[0].outcome, found.screen_input.lines[0].event_on) == (None, None)


@pytest.mark.parametrize("status", ["entered-in-error", "not-done", "draft", "cancelled", None, []])
def test_a_drug_that_was_not_given_or_ordered_is_not_read(status):
    """And not a drug with `doNotPerform`."""
    not_given = drug(RITUXIMAB, line=1) | {"status": status}
    forbidden = drug(RITUXIMAB, line=1, kind="request") | {"doNotPerform": True}

    assert read(drugs=[not_given, forbidden]).medication_names == ()


def test_last_doses_include_administrations_and_the_order_to_sign():
    """An active order is not a dose; the order about to be signed counts as today's dose."""
    administered = drug(BENDAMUSTINE, end="2026-08-08")
    active_order = drug(BENDAMUSTINE, start="2026-10-10", kind="request")
    draft = drug(BENDAMUSTINE, kind="request") | {"status": "draft"}

    before = read(drugs=[administered, active_order])
    signing = read(drugs=[administered], drafts=[draft])

    assert [(d.agent, d.last_on) for d in before.screen_input.doses] == [("bendamustine", date(2026, 8, 8))]
    assert [d.last_on for d in signing.screen_input.doses] == [TODAY]
    assert (before.ordered_agents, signing.ordered_agents) == ((), ("bendamustine",))


def procedure(code, day=None, status="completed"):
    return {
        "resourceType": "Procedure",
        "status": status,
        "code": {"coding": [{"system": CPT, "code": code}]},
        **({"performedDateTime": day} if day else {}),
    }


def test_the_last_completed_transplant_counts():
    """Other transplants were earlier, or did not happen."""
    procedures = bundle(
        procedure("38240", "2020-02-02"),
        procedure("38241", "2024-04-04"),
        procedure("38240", "2025-05-05", status="not-done"),
    )

    transplant = read(procedures=procedures).screen_input.transplant
    undated = read(procedures=bundle(procedure("38241"))).screen_input.transplant

    assert (transplant.kind, transplant.on) == (TransplantKind.AUTOLOGOUS, date(2024, 4, 4))
    assert (undated.kind, undated.on) == (TransplantKind.AUTOLOGOUS, None)
    assert read().screen_input.transplant.kind is None


def test_an_earlier_car_t_therapy_sets_a_flag():
    """By the code of its administration."""
    found = read(procedures=bundle(procedure("38228", "2023-03-03")))

    assert found.screen_input.conditions == {"prior_car_t": True}
