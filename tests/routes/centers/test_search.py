"""The center search through the API: which centers, and in which order."""

import json
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.domain.identity.members import Tenant, TenantKind
from chalicelib.store.platform.dynamo import DynamoTable
from tests.support.factories import CENTER_FACTS
from tests.support.shared_clinic import open_shared_clinic

[_OFFER] = CENTER_FACTS["products"]

# Name, ZIP code, and what else is not as in the usual center.
CENTERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ctr_ash": ("Ash Cell Therapy", "77030", {"age_group": "all"}),
    "ctr_birch": ("Birch Cell Therapy", "77030", {"accepts_new": False}),
    "ctr_cedar": ("Cedar Cell Therapy", "77027", {}),
    "ctr_date": ("Date Palm Cell Therapy", "00901", {"city": "San Juan", "state": "PR"}),
    "ctr_elm": ("Elm Cell Therapy", "98109", {"payers": ["Example Health", "Sample Mutual"]}),
    "ctr_fern": ("Fern Cell Therapy", "96813", {"product_id": "abecma", "diseases": ["MM"]}),
    "ctr_gone": ("Gone Cell Therapy", "77030", {"listed": False}),
    "ctr_huge": ("Nowhere Cell Therapy", "00000", {}),
}
BY_NAME = [
    "ctr_ash", "ctr_birch", "ctr_cedar", "ctr_date", "ctr_elm", "ctr_fern",
    "ctr_harbor", "ctr_mesa", "ctr_huge",
]  # fmt: skip
FROM_HOUSTON = [
    "ctr_ash", "ctr_birch", "ctr_cedar", "ctr_harbor", "ctr_mesa", "ctr_elm", "ctr_date",
    "ctr_fern",
]  # fmt: skip


@pytest.fixture(scope="module")
def centers_api(tmp_path_factory):
    """An API whose directory has centers near and far."""
    with open_shared_clinic(tmp_path_factory.mktemp("finder")) as clinic:
        for center_id, (name, zip_code, other) in CENTERS.items():
            facts = {**CENTER_FACTS, "zip": zip_code, **other}
            offer = {**_OFFER, **{k: other[k] for k in other if k in _OFFER}}
            facts["products"] = [offer]
            networks = [{"payer": p, "as_of": "2026-10-01"} for p in other.get("payers", [])]
            facts["payer_networks"] = networks
            tenant = Tenant(tenant_id=center_id, kind=TenantKind.CENTER, name=name, time_zone="UTC")
            clinic.stores.tenants.add(tenant, facts)
        yield clinic


@pytest.fixture
def find_center_ids(centers_api):
    """Return the ids that a query finds."""

    def asking(query):
        answer = centers_api.practice.get(f"/v1/centers?{query}")
        assert answer.status == 200, answer.text
        return [center["center_id"] for center in answer.json["items"]]

    return asking


def test_without_a_zip_code_centers_are_sorted_by_name(centers_api, find_center_ids):
    assert find_center_ids("") == find_center_ids("sort=name") == BY_NAME
    assert centers_api.practice.get("/v1/centers").json["sorted_by"] == "name"


def test_near_a_zip_code_the_nearest_comes_first(find_center_ids):
    """At one place the name decides; a center whose ZIP code has no known place is not near."""
    assert find_center_ids("near=77030") == find_center_ids("near=77030-1234&sort=distance") == FROM_HOUSTON


def test_a_distance_is_labeled_as_a_straight_line(centers_api):
    answer = centers_api.practice.get("/v1/centers?near=79106&q=ash").json

    ash = answer["items"][0]
    assert (ash["center_id"], ash["distance_miles"]) == ("ctr_ash", pytest.approx(535, abs=3))
    assert ash["place"]["latitude"] == pytest.approx(29.7, abs=0.05)
    assert answer["near"]["zip"] == "79106"
    assert "straight-line" in answer["distances_are"]


def test_within_miles_leaves_out_farther_centers(find_center_ids):
    assert find_center_ids("near=77030&within_miles=1") == ["ctr_ash", "ctr_birch"]
    assert find_center_ids("near=77030&within_miles=20") == ["ctr_ash", "ctr_birch", "ctr_cedar"]
    assert find_center_ids("near=77030&within_miles=20&sort=name") == ["ctr_ash", "ctr_birch", "ctr_cedar"]


@pytest.mark.parametrize("zip_code", ["00901", "96910", "96799", "00802", "96950"])
def test_puerto_rico_and_the_territories_are_found(centers_api, zip_code):
    nearest = centers_api.practice.get(f"/v1/centers?near={zip_code}&limit=1").json["items"][0]

    pacific = zip_code.startswith("969") or zip_code == "96799"
    assert nearest["center_id"] == ("ctr_fern" if pacific else "ctr_date")


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("product=abecma", ["ctr_fern"]),
        ("disease=MM", ["ctr_fern"]),
        ("product=breyanzi&disease=MM", []),
        ("age_group=pediatric", ["ctr_ash"]),
        ("accepting=false", ["ctr_birch"]),
        ("payer=sample", ["ctr_elm"]),
        ("payer=sample&near=77030&within_miles=100", []),
        ("q=san+juan", ["ctr_date"]),
        ("q=cedar&near=77030", ["ctr_cedar"]),
        ("q=Gone", []),
    ],
)
def test_each_filter_narrows_the_list(find_center_ids, query, wanted):
    assert find_center_ids(query) == wanted


def test_the_accepting_filter_leaves_out_other_centers(find_center_ids):
    assert find_center_ids("accepting=true") == [each for each in BY_NAME if each != "ctr_birch"]


@pytest.mark.parametrize("query", ["near=77030", "sort=name", "near=77030&accepting=true"])
def test_pages_follow_one_another_without_a_gap(centers_api, query):
    """By the cursor, and by the link with the same meaning."""
    whole = centers_api.practice.get(f"/v1/centers?{query}").json["items"]
    seen, path = [], f"/v1/centers?{query}&limit=2"
    while path:
        answer = centers_api.practice.get(path)
        seen += answer.json["items"]
        link = answer.headers.get("link")
        assert bool(link) == bool(answer.json["next_cursor"])
        path = link and f"/v1/centers{link[1 : link.index('>')]}"

    assert seen == whole


def test_a_cursor_is_valid_only_for_its_own_search(centers_api):
    cursor = centers_api.practice.get("/v1/centers?near=77030&limit=1").json["next_cursor"]

    for other in ("near=77027", "near=77030&accepting=true", "sort=name"):
        answer = centers_api.practice.get(f"/v1/centers?{other}&cursor={cursor}")
        assert (answer.status, answer.json["code"]) == (400, "cursor_not_valid")


@pytest.mark.parametrize(
    ("query", "pointer", "message"),
    [
        ("near=77030&within_miles=0", "/within_miles", "1 or more"),
        ("near=77030&within_miles=10000", "/within_miles", "5,000 or less"),
        ("near=77030&within_miles=near", "/within_miles", "whole number of miles"),
        ("within_miles=50", "/within_miles", "ZIP code"),
        ("sort=distance", "/sort", "ZIP code"),
        ("near=K1A+0B1", "/near", "US ZIP code"),
        ("near=SW1A+1AA", "/near", "US ZIP code"),
        ("near=1010", "/near", "US ZIP code"),
        ("near=00000", "/near", "do not have a location"),
        ("near=09012", "/near", "Try a ZIP code nearby"),
    ],
)
def test_an_unknown_search_value_is_refused_by_name(centers_api, query, pointer, message):
    answer = centers_api.practice.get(f"/v1/centers?{query}")

    [error] = answer.json["errors"]
    assert (answer.status, error["pointer"]) == (400, pointer)
    assert message in error["message"]


def test_a_warm_function_searches_without_the_database(centers_api, monkeypatch):
    """It reads the member, as always, and nothing else."""
    # With a page that is followed by another: its cursor is sealed with a key that is kept.
    centers_api.practice.get("/v1/centers?near=77030&limit=5")
    read = []

    def noting(method):
        def noted(table, *arguments, **how):
            read.append(table.name)
            return method(table, *arguments, **how)

        return noted

    for name in ("get", "get_many", "query"):
        monkeypatch.setattr(DynamoTable, name, noting(getattr(DynamoTable, name)))

    centers_api.practice.get("/v1/centers?near=98109&product=breyanzi&limit=5")

    assert [name.rpartition("-")[2] for name in read] == ["members"]


def test_a_changed_center_is_found_after_the_directory_is_reloaded(centers_api, find_center_ids):
    """Cached selections are dropped with the directory that they were made from."""
    assert "ctr_new" not in find_center_ids("near=77030")
    tenant = Tenant(tenant_id="ctr_new", kind=TenantKind.CENTER, name="New", time_zone="UTC")

    wiring.get_stores().tenants.add(tenant, {**CENTER_FACTS, "zip": "77030"})

    assert find_center_ids("near=77030&limit=3")[2] == "ctr_new"
    row = {"kind": "center", "tenant_id": "ctr_new"}
    table = wiring.get_stores().tenants.table
    table.client().delete_item(TableName=table.name, Key={name: {"S": value} for name, value in row.items()})
    wiring.get_stores().tenants._directory_cache.expires_at = 0.0


def test_searches_beyond_the_cache_size_still_work(centers_api, find_center_ids):
    """A caller who types many names does not fill the memory."""
    for number in range(70):
        find_center_ids(f"q=nobody+{number}")

    assert len(wiring.get_center_search()._selections) <= 64
    assert find_center_ids("near=77030") == FROM_HOUSTON


def test_a_center_shows_its_sources_and_dates(centers_api):
    """Who authorized a product, and as of when."""
    [center] = centers_api.practice.get("/v1/centers?q=elm").json["items"]

    assert center["products"][0]["certified_by"] == "Fictional Board"
    assert center["products"][0]["as_of"] == "2026-01-01"
    assert center["payer_networks"][0] == {"payer": "Example Health", "as_of": "2026-10-01"}
    assert "weight" not in json.dumps(center)
