"""What the page of a referral says, before it is set."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from chalicelib import catalog
from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.domain.eligibility.histologies import HISTOLOGIES, OTHER, UNKNOWN
from chalicelib.domain.referrals import packet_labels
from chalicelib.domain.referrals.packet import REQUIRED_ITEMS
from chalicelib.domain.referrals.packet_facts import LEFT_OUT_WITH_ALIAS, PatientNaming
from chalicelib.domain.referrals.packet_page import CURRENT_FOR
from chalicelib.domain.referrals.stages import Stage
from tests.support.packet_pages import build_lines, build_page
from tests.support.referral_values import build_referral

WEB = Path(__file__).parents[3] / "chalicelib" / "web"


def get_section(page, heading):
    return next((section for section in page["sections"] if section["heading"] == heading), None)


def get_facts(page, heading):
    return dict(get_section(page, heading)["facts"])


def test_the_patient_is_named_with_everything_a_center_needs_to_call():
    """As on screen: dates and phones as people in the US write them."""
    assert get_facts(build_page(), "Patient") == {
        "Name": "Ana Example",
        "Alias": "Blue Heron",
        "Date of birth": "Apr 2, 1961 (age 65)",
        "MRN": "A-1009",
        "Phone": "(713) 555-0142",
        "ZIP code": "77030",
        "Sex": "Female",
        "Preferred language": "English",
        "Caregiver": "Luis Example, (713) 555-0143",
    }


@pytest.mark.parametrize(
    ("birth_date", "written"),
    [
        ("1961", "1961 (age about 65)"),
        ("1961-04", "Apr 1961 (age about 65)"),
        ("1961-11-29", "Nov 29, 1961 (age 65)"),
        ("1961-11-30", "Nov 30, 1961 (age 64)"),
        ("2026-11-29", "Nov 29, 2026 (age 0)"),
    ],
)
def test_an_age_is_in_whole_years_at_the_practice(birth_date, written):
    """About, if not the whole date of birth is known."""
    assert get_facts(build_page(patient__birth_date=birth_date), "Patient")["Date of birth"] == written


IDENTIFYING = ("Ana", "Example", "1961", "A-1009", "555-0142", "77030", "Luis", "555-0143", "XEX0001", "Canary")


def test_a_page_with_the_alias_has_nothing_else_that_says_who_the_patient_is():
    """Free text can contain a name, so the note and the reasons are left out too."""
    page = build_page(
        naming=PatientNaming.ALIAS,
        insurance__payer="A payer",
        note="Canary",
        patient__phone=None,
        patient__email="canary@mail.example",
        none_because=[{"item": "/patient/phone", "reason": "Canary"}],
    )

    text = json.dumps(page)
    assert [word for word in IDENTIFYING if word in text] == []
    assert page["title"] == "CAR T referral: Blue Heron"
    assert get_facts(page, "Patient")["Age"] == "65"
    assert get_facts(page, "Patient")["Left out"] == LEFT_OUT_WITH_ALIAS
    assert get_facts(page, "Items without a value") == {"Patient's phone": "None"}


def test_a_page_without_a_name_has_the_alias_as_its_title():
    """A draft may have no name yet."""
    page = build_page(patient__given_name=None, patient__family_name=None)

    assert page["title"] == "CAR T referral: Blue Heron"
    assert get_facts(page, "Patient")["Name"] == "Not entered"


def test_a_complete_packet_says_that_nothing_is_missing():
    """Counted as on screen."""
    count = len(REQUIRED_ITEMS)
    assert get_section(build_page(), "Referral packet")["text"] == [
        f"{count} of {count} items that the center needs on day 1.",
        "Nothing is missing.",
    ]


def test_missing_items_are_named():
    """Each by its label."""
    text = get_section(build_page(patient__phone=None, clinical__ecog=None), "Referral packet")["text"]

    assert text[1] == "Missing: Patient's phone; ECOG performance status."


def test_documents_are_listed_by_where_they_are():
    """So that the center knows what to look for, and what to ask for."""
    assert get_facts(build_page(), "Documents") == {"Available": "Pathology report", "Missing": "Viral serology"}


def test_items_without_a_value_have_their_reason():
    """They count as answered."""
    page = build_page(patient__phone=None, none_because=[{"item": "/patient/phone", "reason": "Lives in a shelter"}])

    assert get_facts(page, "Items without a value") == {"Patient's phone": "None, because: Lives in a shelter"}
    assert get_section(page, "Referral packet")["text"][1] == "Nothing is missing."


def test_a_patient_without_insurance_may_need_financial_help():
    """And no payer is missing."""
    page = build_page(insurance={"plan_type": "uninsured"})

    assert get_facts(page, "Insurance") == {"Plan type": "Uninsured"}
    assert get_section(page, "Referral packet")["text"][2] == "The patient has no insurance, or pays without it."


def test_optional_items_that_were_not_entered_are_named():
    """A center may still ask for them."""
    page = build_page(patient__mrn=None, product_id=None)

    assert get_section(page, "Optional items that were not entered")["text"] == ["Medical record number."]


@pytest.mark.parametrize(
    ("consent", "facts"),
    [
        (None, {"Consent": "Not recorded"}),
        ({"given": False}, {"Consent": "Not recorded"}),
        ({"given": True, "on": "2026-08-03"}, {"Basis": "The patient's consent", "Date": "Aug 3, 2026"}),
        (
            {"given": False, "basis": "treatment", "scope": "referral_packet"},
            {"Basis": "For treatment, without a separate consent", "Scope": "Only this referral"},
        ),
        (
            {"given": True, "on": "2026-08-03", "expires_on": "2026-11-28"},
            {"Basis": "The patient's consent", "Date": "Aug 3, 2026", "Ended": "Nov 28, 2026"},
        ),
        (
            {"given": True, "on": "2026-08-03", "expires_on": "2026-11-29"},
            {"Basis": "The patient's consent", "Date": "Aug 3, 2026", "Ends": "Nov 29, 2026"},
        ),
        (
            {"given": False, "on": "2026-08-03", "withdrawn_on": "2026-11-01"},
            {
                "Withdrawn by the patient": "Nov 1, 2026",
                "Basis": "The patient's consent",
                "Date": "Aug 3, 2026",
            },
        ),
    ],
)
def test_consent_says_its_basis_dates_and_withdrawal(consent, facts):
    """As of the day at the practice."""
    assert get_facts(build_page(consent_to_share=consent), "Consent to share records") == facts


def test_lines_of_therapy_are_rows_in_their_order():
    """With drug classes, dates, and response with its date."""
    table = get_section(build_page(clinical__prior_lines=build_lines(2)), "Lines of therapy")["table"]

    assert table["columns"] == ("Line", "Regimen", "Dates", "Response")
    assert table["rows"][1] == (
        "2",
        "R-CHOP no. 2 (Anti-CD20, Anthracycline)",
        "Jan 10, 2026 to May 20, 2026",
        "Relapsed, Oct 2, 2026",
    )


def test_the_page_says_that_there_are_no_lines_of_therapy():
    """An empty table would say nothing."""
    section = get_section(build_page(clinical__prior_lines=[]), "Lines of therapy")

    assert (section["text"], section["moves"], "table" in section) == (["None entered."], None, False)


def test_points_to_discuss_keep_not_entered_apart_from_no():
    """No one looked is not the same as no."""
    facts = get_facts(
        build_page(clinical__flags={"active_infection": True, "autoimmune": False}), "Points to discuss with the center"
    )

    assert (facts["Active infection"], facts["Autoimmune disease"], facts["CNS involvement"]) == (
        "Yes",
        "No",
        "Not entered",
    )
    assert get_facts(build_page(clinical__flags=None), "Points to discuss with the center") == {
        "All points": "Not entered"
    }


def test_lab_results_have_units_and_last_doses_have_dates():
    """Never given is an answer."""
    page = build_page(
        clinical__labs={"lvef_percent": 55.0, "absolute_lymphocytes_per_ul": 1200, "bilirubin_x_uln": 1.2},
        clinical__last_doses=[
            {"agent": "bendamustine", "given": True, "last_on": "2026-03-01"},
            {"agent": "pembrolizumab", "given": False},
        ],
    )

    assert get_facts(page, "Lab results and last doses") == {
        "LVEF": "55%",
        "Bilirubin": "1.2 × upper limit of normal (ULN)",  # noqa: RUF001 as clinicians write it
        "Absolute lymphocyte count": "1,200 cells/µL",
        "Bendamustine, last dose": "Mar 1, 2026",
        "Pembrolizumab, last dose": "Never given",
    }


def test_the_center_has_its_phones_and_its_coordinator():
    """The line that answers at night first of all."""
    referral = build_referral()
    contact = {"coordinator": "C. Oordinator", "phone": "+14105550111", "email": "team@center.example"}
    page = build_page(referral=build_referral(details={**referral.details, "center_contact": contact}))

    assert get_facts(page, "Treatment center") == {
        "Center": "Harbor Cell Therapy",
        "New referrals": "(410) 555-0100",
        "24/7 line": "(410) 555-0199",
        "Coordinator": "C. Oordinator",
        "Coordinator's phone": "(410) 555-0111",
        "Coordinator's email": "team@center.example",
    }


def test_a_draft_says_that_it_is_one():
    """No one should take it for a submitted referral."""
    page = build_page(referral=build_referral(Stage.DRAFT, center_id=None), center_name=None, center_listing={})

    assert page["subtitle"] == "Draft of Cedar Oncology. It was not submitted to a center."
    assert get_facts(page, "Treatment center") == {"Center": "Not chosen"}


def test_the_page_says_when_it_was_made_and_until_when_it_can_be_relied_on():
    """In the reader's zone, with its name, also over a change of the clocks."""
    page = build_page()

    assert page["made"] == [
        "Made Nov 29, 2026, 10:15 AM CST from version 1 of the referral.",
        "May be out of date after Nov 30, 2026, 10:15 AM CST. The dashboard has the current referral.",
    ]
    assert timedelta(hours=24) == CURRENT_FOR


def test_the_statements_and_the_emergency_line_are_always_there():
    """With the name and with the alias."""
    for naming in PatientNaming:
        page = build_page(naming=naming)
        assert (page["statements"], page["emergency"]) == (list(DISCLAIMERS), EMERGENCY_NOTE)


def test_what_moves_to_page_2_first_is_fixed():
    """Never who the patient is, whom to call, the consent, or what is missing."""
    page = build_page(
        note="A note",
        patient__mrn=None,
        patient__phone=None,
        none_because=[{"item": "/patient/phone", "reason": "None"}],
        clinical__labs={"lvef_percent": 55},
    )
    order = sorted((s for s in page["sections"] if s["moves"]), key=lambda section: section["moves"] or 0)

    assert [section["heading"] for section in order] == [
        "Note",
        "Optional items that were not entered",
        "Lab results and last doses",
        "Lines of therapy",
        "Items without a value",
        "Points to discuss with the center",
        "Insurance",
        "Documents",
    ]
    assert [section["heading"] for section in page["sections"] if not section["moves"]] == [
        "Patient",
        "Disease",
        "Consent to share records",
        "Referring provider",
        "Treatment center",
        "Referral packet",
    ]


def test_a_referral_with_almost_nothing_has_a_page():
    """Rows of earlier releases and new drafts lack whole sections."""
    referral = build_referral(Stage.DRAFT, details={"patient": {}, "clinical": {}, "referring_provider": {}})
    page = build_page(referral=referral, disease_name="", products=[], documents=[])

    assert get_section(page, "Disease") is None
    assert get_facts(page, "Insurance") == {"Insurance": "Not entered"}


def read_web_labels(path, name):
    """The labels of a constant in the dashboard's code, as code and words."""
    source = (WEB / path).read_text("utf-8")
    [block] = re.findall(rf"const {name} = [{{\[](.*?)\n[}}\]];", source, re.DOTALL)
    pairs = re.findall(r'^\s*\[?"?([A-Za-z0-9_]+)"?[:,] "([^"]*)"', block, re.MULTILINE)
    assert pairs
    return dict(pairs)


@pytest.mark.parametrize(
    ("path", "name", "labels"),
    [
        ("platform/labels.js", "DRUG_CLASSES", packet_labels.DRUG_CLASSES),
        ("platform/labels.js", "FLAGS", packet_labels.FLAGS),
        ("referrals/clinical_labels.js", "AGENTS", packet_labels.AGENTS),
        ("referrals/consent_labels.js", "BASES", packet_labels.CONSENT_BASES),
        ("referrals/consent_labels.js", "SCOPES", packet_labels.CONSENT_SCOPES),
    ],
)
def test_paper_and_screen_have_the_same_words(path, name, labels):
    """A code that is not in our table must read the same from its letters."""
    screen = read_web_labels(path, name)

    assert {code: packet_labels.format_code(code, labels) for code in screen} == screen


def test_every_histology_of_the_screen_has_the_same_words():
    """In the same lists by disease; Other and Unknown end each list. No code has two meanings."""
    source = (WEB / "referrals/clinical_labels.js").read_text("utf-8")
    block = source.partition("HISTOLOGIES = {")[2].partition("};")[0]

    by_disease = re.findall(r"^  (\w+): \[(.*?)\n  \],", block, re.MULTILINE | re.DOTALL)
    offered = {disease: dict(re.findall(r'\["(\w+)", "([^"]*)"\]', rows)) for disease, rows in by_disease}
    last = {OTHER: "Other", UNKNOWN: "Unknown"}
    assert {disease: rows | last for disease, rows in offered.items()} == {d: dict(h) for d, h in HISTOLOGIES.items()}


def test_every_plan_type_reads_the_same():
    """The screen has its exceptions among other labels."""
    screen = read_web_labels("platform/labels.js", "OTHER_LABELS")

    assert {code: screen[code] for code in packet_labels.PLAN_TYPES} == dict(packet_labels.PLAN_TYPES)


def test_every_language_of_the_form_has_a_name():
    """The browser has names of its own; paper needs them here."""
    source = (WEB / "referrals/languages.js").read_text("utf-8")
    [codes] = re.findall(r'const CODES =\s*"([^"]*)"', source)

    assert [code for code in codes.split() if code not in packet_labels.LANGUAGES] == []


def test_every_disease_has_a_name():
    """As the catalog names it."""
    assert all(catalog.DISEASE_NAMES[disease] for disease in catalog.DISEASES)
