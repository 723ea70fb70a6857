"""The reviewed catalog files: checks for what a reviewer can forget."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chalicelib import catalog
from chalicelib.catalog import DISEASES, CatalogProduct, compute_version, get_monitoring_profile, load_products
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion
from infra.product_schema import FILES, find_problems

READ_ON = date(2026, 11, 29)


# The diseases of each label, written down a second time from the sources.
DISEASES_ON_LABEL = {
    "abecma": {"MM"},
    "aucatzyl": {"B_ALL"},
    "breyanzi": {"LBCL", "CLL_SLL", "FL", "MCL", "MZL"},
    "carvykti": {"MM"},
    "kymriah": {"B_ALL", "LBCL", "FL"},
    "tecartus": {"MCL", "B_ALL"},
    "yescarta": {"LBCL", "FL"},
}


def for_each_product():
    """Run a test once for each product."""
    return pytest.mark.parametrize("product", load_products().values(), ids=lambda product: product.product_id)


def build_row(**changed: Any) -> dict[str, Any]:
    """A product file as shipped, with changes."""
    row: dict[str, Any] = json.loads(FILES[0].read_text("utf-8"))
    return row | changed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_product_file_is_valid_and_every_number_has_a_source(path):
    """The API serves the file as it is, including a missing or misspelled field."""
    row = json.loads(path.read_text("utf-8"))

    assert row["product_id"] == path.stem
    assert find_problems(row, read_by=READ_ON) == []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"sources": []}, "/sources: List should have at least 1 item"),
        ({"color": "red"}, "/color: Extra inputs"),
        ({"unverified": ["/monitoring/nowhere"]}, "listed as unverified, but does not exist"),
        ({"late_effects": [{"text": "x", "source": "unlisted"}]}, "unlisted is used but not listed"),
        ({"dailymed_setid": None}, "/dailymed_setid: is unknown"),
        (
            {
                "unverified": [],
                "intervals": [{"interval": "manufacturing", "text": "x", "days": [1, 2], "source": None}],
            },
            "/intervals/0/days: has no source",
        ),
    ],
    ids=["no sources", "unknown field", "unknown mark", "unlisted source", "missing value", "number without source"],
)
def test_the_schema_check_finds_each_kind_of_problem(changed, found):
    """Otherwise a file that passes would prove nothing."""
    problems = find_problems(build_row(**changed), read_by=READ_ON)

    assert any(found in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("section", "found"),
    [
        ({"label_as_of": "2027-01-01", "review_by": "2027-06-01"}, "has a date in the future"),
        ({"review_by": "2020-01-01"}, "review_by must be after label_as_of"),
        ({"label_as_of": "2026-11-01"}, "/label_as_of: must be the newest date of a section, 2026-11-01"),
    ],
    ids=["future", "review before date", "not the newest"],
)
def test_the_schema_check_finds_dates_of_sections_that_cannot_be(section, found):
    """A page says until when each section may be relied on."""
    row = build_row()
    row["sections"]["indications"] |= section

    assert any(found in problem for problem in find_problems(row, read_by=READ_ON))


def test_the_schema_check_finds_a_boxed_warning_that_only_a_secondary_source_supports():
    """It must be listed as unverified, so that a page says "Check the current label"."""
    row = build_row()
    row["unverified"] = [mark for mark in row["unverified"] if not mark.startswith("/boxed_warnings")]
    row["sources"][0] |= {"kind": "secondary"}
    row["boxed_warnings"][0]["source"] = row["sources"][0]["source_id"]

    assert any("/boxed_warnings/0/text: has no label or FDA source" in p for p in find_problems(row, read_by=READ_ON))


def test_the_follicular_indication_of_breyanzi_is_not_under_accelerated_approval():
    """The statement was removed from section 1.3 in 2/2026. Source: openFDA copy of 2026-08-11."""
    indications = load_products()["breyanzi"].facts["indications"]
    (row,) = next(each["rows"] for each in indications if each["disease"] == "FL")

    assert (row["approval"], row["label_section"]) == ("regular", "1.3")


@pytest.mark.parametrize(
    ("product_id", "section", "month"),
    [
        ("breyanzi", "indications", "2026-02"),
        ("breyanzi", "warnings", "2025-12"),
        ("abecma", "warnings", "2025-11"),
        ("kymriah", "warnings", "2025-12"),
        ("carvykti", "warnings", "2025-10"),
        ("yescarta", "indications", "2026-02"),
    ],
)
def test_each_section_has_the_date_of_its_newest_known_change(product_id, section, month):
    """Source: the recent major changes in openFDA's copies of June to August 2026; for the last two, FDA news."""
    assert load_products()[product_id].get_section_date(section).isoformat()[:7] == month


def test_the_current_label_is_linked_by_its_set_id_where_that_is_known():
    """Source of Breyanzi's: openFDA's product directory, copy of 2026-10-06."""
    products = load_products()

    assert products["breyanzi"].label_url.endswith("drugInfo.cfm?setid=594bb413-af3b-4b97-afb3-bfe2b174f2ed")
    assert products["kymriah"].label_url.endswith("search.cfm?query=tisagenlecleucel")


def test_the_late_effects_of_carvykti_name_pml():
    """Source: the label of 10/2025, which warns of JC virus and PML. Its text was not seen: it stays marked."""
    facts = load_products()["carvykti"].facts
    (index,) = [n for n, effect in enumerate(facts["late_effects"]) if "PML" in effect["text"]]

    assert f"/late_effects/{index}/text" in facts["unverified"]


def test_the_schema_check_finds_an_unknown_label_rule():
    """Otherwise the first patient would find a misspelled rule."""
    row = build_row()
    row["indications"][0]["rows"][0]["criteria"] = [{"age_minimum": 18}]

    assert "must have exactly one known rule: age_minimum" in find_problems(row, read_by=READ_ON)[0]


def test_the_schema_check_finds_an_unused_insecure_or_future_source():
    """Every listed source was read for a fact, over https, on a day in the past."""
    row = build_row()
    late = row["sources"][0] | {"source_id": "late", "as_of": "2027-01-01", "url": "http://x.example"}
    row["sources"].append(late)

    problems = find_problems(row, read_by=READ_ON)

    assert [problem.partition(": ")[2] for problem in problems] == [
        "late is listed but not used",
        "late has no https address",
        "late has a date in the future",
    ]


def test_each_product_lists_the_diseases_of_its_label():
    """Compared with a list that was written independently."""
    found = {product_id: set(product.diseases) for product_id, product in load_products().items()}

    assert found == DISEASES_ON_LABEL
    assert set().union(*DISEASES_ON_LABEL.values()) == set(DISEASES)


@for_each_product()
def test_the_version_of_a_product_changes_with_every_byte_of_its_file(product: CatalogProduct):
    """A referral keeps the version of its eligibility check."""
    reviewed = Path(catalog.__file__).with_name("products") / f"{product.product_id}.json"

    assert product.version == product.facts["version"] == compute_version(reviewed.read_bytes())
    assert compute_version(reviewed.read_bytes() + b" ") != product.version


@for_each_product()
def test_the_monitoring_profile_matches_the_file_and_its_days_ascend(product: CatalogProduct):
    """The monitoring window uses the same numbers as the catalog shows."""
    profile = product.profile

    assert get_monitoring_profile(product.product_id) is profile
    assert profile.infusion_parts == product.infusion_parts == product.facts["infusion_parts"]
    assert 0 < profile.daily_days <= profile.monitor_min_days <= profile.handback_target_day
    assert profile.monitor_min_days <= profile.driving_days


def test_the_labels_of_june_2025_require_one_week_daily_and_two_weeks_nearby():
    """Source: FDA's safety communication of June 26, 2025, which names these six products."""
    named = load_products().keys() - {"aucatzyl"}

    profiles = {
        (p.daily_days, p.monitor_min_days, p.driving_days, p.handback_target_day, p.anchor)
        for p in map(get_monitoring_profile, named)
    }

    assert profiles == {(7, 14, 14, 28, AnchorInfusion.LAST)}


def test_monitoring_after_a_split_dose_counts_from_the_first_infusion():
    """The second infusion is given during monitoring."""
    aucatzyl = load_products()["aucatzyl"]

    assert aucatzyl.infusion_parts == 2
    assert aucatzyl.profile.is_anchor(dose_number=1, dose_total=2)
    assert not aucatzyl.profile.is_anchor(dose_number=2, dose_total=2)


@pytest.mark.parametrize("product_id", [None, "", "retired_long_ago"])
def test_without_a_known_product_monitoring_is_at_least_as_long_as_any_label(product_id):
    """The same applies to a product that is no longer in the catalog."""
    cautious = get_monitoring_profile(product_id)

    for product in load_products().values():
        assert cautious.daily_days >= product.profile.daily_days
        assert cautious.monitor_min_days >= product.profile.monitor_min_days
        assert cautious.driving_days >= product.profile.driving_days
        assert cautious.handback_target_day >= product.profile.handback_target_day
        assert cautious.label_as_of <= product.profile.label_as_of
    assert cautious.anchor is AnchorInfusion.LAST


def test_products_are_loaded_once_and_cannot_be_changed():
    """One request must not change what the next request sees."""
    products = load_products()

    assert load_products() is products
    with pytest.raises(TypeError):
        products["breyanzi"] = None  # type: ignore[index]


def test_products_are_sorted_by_name():
    """No manufacturer comes first."""
    names = [product.name for product in load_products().values()]

    assert names == sorted(names)


def test_every_product_shows_where_to_report_an_adverse_event():
    """Even if the manufacturer's own phone number is unknown."""
    contacts = [product.facts["safety_line"]["medwatch"] for product in load_products().values()]

    assert {contact["phone"] for contact in contacts} == {"1-800-FDA-1088"}
