"""Boxed warnings and the dates of label sections, on every page where a clinician relies on a label."""

from datetime import date, timedelta

import pytest

from chalicelib.catalog import load_products
from chalicelib.routes.platform.label_responses import to_label_response
from tests.support import factories
from tests.support.api_driver import STAGES_TO_INFUSED

PRODUCTS = list(load_products())

# The topics of each boxed warning, written down a second time from the sources that the files name.
CLASS_TOPICS = ["Cytokine release syndrome (CRS)", "Neurologic toxicities", "Secondary blood cancers"]
OTHER_TOPICS = {
    "abecma": ["HLH/MAS", "Prolonged cytopenia"],
    "carvykti": ["HLH/MAS", "Prolonged and recurrent cytopenia", "Enterocolitis (IEC-EC)"],
}


def list_topics(label):
    return [warning["title"] for warning in label["boxed_warnings"]]


@pytest.mark.parametrize("product_id", PRODUCTS)
def test_each_product_has_the_boxed_warnings_of_its_label(product_id):
    label = to_label_response(load_products()[product_id], today=date(2026, 12, 1))

    assert sorted(list_topics(label)) == sorted(CLASS_TOPICS + OTHER_TOPICS.get(product_id, []))


def test_a_section_may_be_out_of_date_the_day_after_its_review_and_not_before():
    product = load_products()["breyanzi"]
    review_by = date.fromisoformat(product.facts["sections"]["monitoring"]["review_by"])

    found = [
        section["may_be_out_of_date"]
        for day in (review_by, review_by + timedelta(days=1))
        for section in to_label_response(product, "monitoring", today=day)["sections"]
        if section["section"] == "monitoring"
    ]

    assert found == [False, True]


def test_a_warning_whose_current_text_was_not_seen_says_so():
    """Kymriah's box changed in June 2025, and the copy that was read is older."""
    label = to_label_response(load_products()["kymriah"], today=date(2026, 12, 1))

    assert all(warning["unverified"] for warning in label["boxed_warnings"])


def test_an_eligibility_result_shows_the_boxed_warnings_and_the_current_label(shared_api):
    answer = shared_api.practice.post("/v1/screens", factories.build_screen_body())
    label = next(each["label"] for each in answer.json["results"] if each["product_id"] == "breyanzi")

    assert list_topics(label) == CLASS_TOPICS
    assert label["url"].startswith("https://dailymed.nlm.nih.gov/")
    assert [section["section"] for section in label["sections"]] == ["boxed_warning", "indications"]


def test_a_monitoring_window_shows_the_boxed_warnings_of_the_product(shared_api):
    referral_id = shared_api.refer(product_id="carvykti")["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)

    label = shared_api.practice.get(f"/v1/referrals/{referral_id}/window").json["label"]

    assert "Enterocolitis (IEC-EC)" in list_topics(label)
    assert [section["section"] for section in label["sections"]] == ["boxed_warning", "monitoring", "warnings"]


def test_an_emergency_card_names_the_boxed_warnings(shared_api):
    referral_id = shared_api.refer(product_id="abecma")["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)

    card = shared_api.practice.get(f"/v1/referrals/{referral_id}/follow-up").json["card"]

    assert "HLH/MAS" in list_topics(card["label"])


def test_without_a_named_product_there_is_no_label(shared_api):
    """A window that uses the longest period of any label has no label of its own."""
    referral_id = shared_api.refer(product_id=None)["referral_id"]
    shared_api.move_to(referral_id, *STAGES_TO_INFUSED)

    assert shared_api.practice.get(f"/v1/referrals/{referral_id}/window").json["label"] is None


def test_the_product_list_links_each_current_label(shared_api):
    items = shared_api.practice.get("/v1/products").json["items"]

    assert {item["product_id"]: item["label"]["url"] for item in items} == {
        product.product_id: product.label_url for product in load_products().values()
    }
