"""A record's resources as what a screen takes: what is read, and what is never guessed."""

from datetime import date

import pytest

from chalicelib.catalog.codings import CPT, ICD10CM, RXNORM
from chalicelib.domain.eligibility.screen_input import LineOutcome, TransplantKind
from chalicelib.services.ehr import fhir_chart as chart
from chalicelib.services.ehr.fhir_medications import LINE_OF_THERAPY

TODAY = date(2026, 11, 22)
RITUXIMAB, LENALIDOMIDE, BENDAMUSTINE, UNKNOWN = "121191", "342369", "134547", "314076"


def bundle(*resources, more=False):
    links = [{"relation": "next", "url": "https://ehr.example/page2"}] if more else []
    return {"resourceType": "Bundle", "link": links, "entry": [{"resource": resource} for resource in resources]}


def condition(code, *, clinical="active", verification="confirmed"):
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"code": clinical}]},
        "verificationStatus": {"coding": [{"code": verification}]},
        "code": {"coding": [{"system": ICD10CM, "code": code}]},
    }


def drug(code, *, line=None, start="2025-01-01", end="2025-06-01", kind="administration", **more):
    parts = [{"url": "number", "valuePositiveInt": line}]
    parts += [{"url": "outcome", "valueCode": more.pop("outcome")}] if "outcome" in more else []
    parts += [{"url": "eventOn", "valueDate": more.pop("event_on")}] if "event_on" in more else []
    told = {
        "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code}]},
        "extension": [{"url": LINE_OF_THERAPY, "extension": parts}] if line else [],
    }
    if kind == "administration":
        told |= {"resourceType": "MedicationAdministration", "status": "completed"}
        told |= {"effectivePeriod": {"start": start, "end": end}}
    else:
        told |= {"resourceType": "MedicationRequest", "status": "active", "authoredOn": start}
    return told | more


def read(*, conditions=("C82.18",), drugs=(), drafts=(), **prefetched):
    told = {
        "patient": {"resourceType": "Patient", "id": "p", "birthDate": "1962-11-23"},
        "conditions": bundle(*(condition(c) if isinstance(c, str) else c for c in conditions)),
        "medications": bundle(*drugs),
        "administrations": bundle(*drugs),
    }
    return chart.parse_chart(told | prefetched, drafts=drafts, today=TODAY)


def test_the_age_is_that_of_today_and_a_year_alone_is_none():
    """The birthday is tomorrow."""
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
def test_the_disease_is_that_of_billable_codes_or_open(codes, diseases):
    """A code of two diseases is settled by another one, and by nothing else."""
    found = read(conditions=codes)

    assert found.diseases == diseases
    assert (found.screen_input is None) is (len(diseases) != 1)


@pytest.mark.parametrize(
    "not_so",
    [
        {"verification": "entered-in-error"},
        {"verification": "refuted"},
        {"clinical": "resolved"},
        {"clinical": "inactive"},
        {"clinical": "remission"},
    ],
)
def test_a_condition_that_is_not_so_or_over_is_not_read(not_so):
    """Neither for the disease nor for a flag."""
    over = read(conditions=["C82.18", condition("B20", **not_so)])

    assert over.screen_input.conditions == {}
    assert read(conditions=[condition("C82.18", **not_so)]).diseases == ()


def test_conditions_raise_flags_and_their_absence_says_nothing():
    """Nobody has no epilepsy because nobody wrote it down."""
    found = read(conditions=["C82.18", "B18.1", "G40.909", "C79.31"])

    assert found.screen_input.conditions == {
        "hepatitis_or_hiv": True,
        "seizure_disorder": True,
        "cns_involvement": True,
    }
    assert read().screen_input.conditions == {}


def test_lines_are_those_that_the_record_states():
    """With the classes, the days and the outcome of all their drugs."""
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
def test_lines_that_are_not_stated_throughout_are_missing(drugs):
    """One drug without its line may be a line of its own."""
    found = read(drugs=drugs)

    assert found.screen_input.lines is None
    assert not found.has_therapy_lines


def test_a_steroid_needs_no_line():
    """It is given for much else."""
    assert read(drugs=[drug(RITUXIMAB, line=1), drug("6902")]).has_therapy_lines


def test_only_a_part_of_the_record_makes_no_lines():
    """The next page may hold the line that decides."""
    found = read(administrations=bundle(drug(RITUXIMAB, line=1), more=True))

    assert found.incomplete_parts
    assert found.screen_input.lines is None


def test_an_unknown_drug_of_a_line_leaves_its_classes_open():
    """And is named."""
    found = read(drugs=[drug(RITUXIMAB, line=1), drug(UNKNOWN, line=1)])

    assert found.screen_input.lines[0].classes is None
    assert found.unknown_medications == (UNKNOWN,)


def test_a_drug_is_known_by_its_code_and_never_by_its_name():
    """A name is free text: a trial's placebo may be called rituximab too."""
    named = drug("999999999", line=1)
    named["medicationCodeableConcept"]["text"] = "rituximab"
    referenced = {"resourceType": "MedicationRequest", "status": "active"}

    found = read(drugs=[named], medications=bundle(referenced))

    assert found.medication_names == ()
    assert set(found.unknown_medications) == {"rituximab", "without a code"}


def test_drugs_that_disagree_about_their_line_leave_it_open():
    """Outcome and day alike."""
    found = read(
        drugs=[
            drug(RITUXIMAB, line=1, outcome="relapsed", event_on="2025-03-03"),
            drug(BENDAMUSTINE, line=1, outcome="refractory", event_on="2025-04-04"),
        ]
    )

    assert (found.screen_input.lines[0].outcome, found.screen_input.lines[0].event_on) == (None, None)


@pytest.mark.parametrize("status", ["entered-in-error", "not-done", "draft", "cancelled", None, []])
def test_what_was_not_given_or_ordered_is_not_read(status):
    """Nor what should not be: `doNotPerform`."""
    not_so = drug(RITUXIMAB, line=1) | {"status": status}
    forbidden = drug(RITUXIMAB, line=1, kind="request") | {"doNotPerform": True}

    assert read(drugs=[not_so, forbidden]).medication_names == ()


def test_last_doses_are_of_what_was_given_and_of_what_is_about_to_be():
    """An order that stands is no dose; the one at hand counts as today's."""
    given_ = drug(BENDAMUSTINE, end="2026-08-08")
    standing = drug(BENDAMUSTINE, start="2026-10-10", kind="request")
    draft = drug(BENDAMUSTINE, kind="request") | {"status": "draft"}

    before = read(drugs=[given_, standing])
    signing = read(drugs=[given_], drafts=[draft])

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


def test_the_last_transplant_that_was_done_counts():
    """Others were before, or never."""
    done = bundle(
        procedure("38240", "2020-02-02"),
        procedure("38241", "2024-04-04"),
        procedure("38240", "2025-05-05", status="not-done"),
    )

    transplant = read(procedures=done).screen_input.transplant
    undated = read(procedures=bundle(procedure("38241"))).screen_input.transplant

    assert (transplant.kind, transplant.on) == (TransplantKind.AUTOLOGOUS, date(2024, 4, 4))
    assert (undated.kind, undated.on) == (TransplantKind.AUTOLOGOUS, None)
    assert read().screen_input.transplant.kind is None


def test_an_earlier_car_t_is_something_to_discuss():
    """By the code of its administration."""
    found = read(procedures=bundle(procedure("38228", "2023-03-03")))

    assert found.screen_input.conditions == {"prior_car_t": True}


def ecog(value, day, *, status="final"):
    return {
        "resourceType": "Observation",
        "status": status,
        "code": {"coding": [{"system": "http://loinc.org", "code": "89247-1"}]},
        "effectiveDateTime": day,
        "valueInteger": value,
    }


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ([ecog(2, "2025-01-01"), ecog(1, "2026-01-01")], 1),
        ([ecog(1, "2025-01-01"), ecog(4, "2026-01-01", status="preliminary")], 1),
        ([ecog(5, "2026-01-01")], None),
        ([ecog("1", "2026-01-01")], None),
        ([ecog([1], "2026-01-01")], None),
        ([], None),
    ],
)
def test_the_latest_final_score_is_read_if_it_is_one(scores, told):
    """0 to 4; 5 is a death."""
    assert read(observations=bundle(*scores)).screen_input.ecog == told
