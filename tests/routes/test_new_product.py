"""E9: a product needs one file. An invented eighth product goes from its file to every place that shows one."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from chalicelib import catalog, wiring
from chalicelib.catalog import labels
from chalicelib.services.referrals import aliases, routing_hints
from infra.catalog_check import explain_problems
from infra.centers import publishing, sheet
from infra.product_schema import FILES
from tests.support import factories
from tests.support.api_driver import STAGES_TO_INFUSED

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = DOCS / "examplecel.json"
CACHES = (
    catalog.load_products,
    catalog._build_longest_profile,
    labels.load_label_catalog,
    routing_hints._read_labels,
    aliases._list_product_terms,
)
LINES = [
    {
        "line": number,
        "regimen": f"Regimen {number}",
        "classes": ["proteasome_inhibitor", "imid"],
        "started_on": f"{2021 + number}-01-10",
        "ended_on": f"{2021 + number}-05-20",
        "response": "relapsed",
        "event_on": f"{2021 + number}-10-02",
    }
    for number in (1, 2, 3)
]
MYELOMA = {
    "clinical__disease": "MM",
    "clinical__histology": "MULTIPLE_MYELOMA",
    "clinical__icd10": "C90.02",
    "clinical__prior_lines": LINES,
}


@pytest.fixture
def new_product(tmp_path, monkeypatch):
    """The shipped catalog with one more file, as after step 1 of docs/catalog.md."""
    folder = tmp_path / "products"
    folder.mkdir()
    for path in (*FILES, EXAMPLE):
        shutil.copy(path, folder)
    monkeypatch.setattr(catalog, "_PRODUCT_FILES", folder)
    for cached in CACHES:
        cached.cache_clear()
    yield folder / EXAMPLE.name
    for cached in CACHES:
        cached.cache_clear()


def find_example(items):
    return next(item for item in items if item["product_id"] == "examplecel")


@pytest.fixture
def infused_id(api, new_product):
    """A referral for the new product, after its infusion."""
    referral_id = api.refer(product_id="examplecel", **MYELOMA)["referral_id"]
    api.move_to(referral_id, *STAGES_TO_INFUSED)
    return referral_id


def test_the_example_of_the_recipe_passes_its_check(new_product):
    assert explain_problems(new_product, read_by=date(2026, 12, 24)) == []


def test_the_eligibility_check_compares_with_its_rows(api, new_product):
    met = find_example(api.practice.post("/v1/screens", factories.build_screen_body(**MYELOMA)).json["results"])
    fewer = MYELOMA | {"clinical__prior_lines": LINES[:2]}
    not_met = find_example(api.practice.post("/v1/screens", factories.build_screen_body(**fewer)).json["results"])

    assert met["result"] == "label_criteria_appear_met"
    assert not_met["result"] == "label_criteria_not_met_as_entered"
    assert met["label"]["boxed_warnings"][0]["title"] == "Cytokine release syndrome (CRS)"


def test_the_monitoring_window_has_its_days(api, infused_id):
    window = api.practice.get(f"/v1/referrals/{infused_id}/window").json

    days = {milestone["kind"]: milestone["day"] for milestone in window["milestones"]}
    assert (days["daily_monitoring_ends"], days["label_minimum_ends"]) == (5, 12)
    assert (days["proximity_minimum_ends"], days["driving_minimum_ends"]) == (13, 16)
    assert window["late_effects"] == ["Invented late effect, weeks after infusion."]


def test_the_emergency_card_names_it(api, infused_id):
    card = api.practice.get(f"/v1/referrals/{infused_id}/follow-up").json["card"]

    assert card["product"] == "Examplecel"
    assert card["label"]["url"].endswith("00000000-0000-4000-8000-000000000008")


def test_the_finder_finds_a_center_that_offers_it(api, new_product):
    template = (DOCS / "centers.csv").read_text().replace("breyanzi: LBCL FL; abecma: MM", "examplecel: MM")
    parsed = sheet.parse_sheet(template.replace("breyanzi: Fictional Board A; abecma:", "examplecel:").encode())
    directory = api.stores.tenants.read_directory()
    publishing.publish_directory(
        directory,
        publishing.compare_centers(directory, parsed.listings),
        imported_by="operator:test",
        digest=parsed.digest,
        stores=api.stores,
        now=wiring.read_clock(),
    )
    wiring.reset()

    found = api.practice.get("/v1/centers?product=examplecel&disease=MM").json["items"]

    assert [center["name"] for center in found] == ["Example Lagoon Cell Therapy Center"]


def test_the_product_list_and_the_name_in_an_alias_know_it(api, new_product):
    items = api.practice.get("/v1/products").json["items"]

    assert find_example(items)["safety_line"]["maker"]["phone"] == "1-800-555-0108"
    refused = api.practice.post("/v1/referrals", factories.build_referral_body(patient__alias="Examplecel pt"))
    assert refused.status == 400
