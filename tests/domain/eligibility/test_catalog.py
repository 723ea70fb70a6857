"""The catalogue's files are reviewed by people; these are the promises that a person forgets."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from chalicelib import catalog
from chalicelib.catalog import DISEASES, CatalogProduct, compute_version, get_monitoring_profile, load_products
from chalicelib.domain.referrals.monitoring_window import AnchorInfusion
from infra.product_schema import FILES, find_problems

READ_ON = date(2026, 11, 22)


# Diseases as the labels name them, written down a second time from the sources.
ON_THE_LABEL = {
    "abecma": {"MM"},
    "aucatzyl": {"B_ALL"},
    "breyanzi": {"LBCL", "CLL_SLL", "FL", "MCL", "MZL"},
    "carvykti": {"MM"},
    "kymriah": {"B_ALL", "LBCL", "FL"},
    "tecartus": {"MCL", "B_ALL"},
    "yescarta": {"LBCL", "FL"},
}


def each_product():
    """Run a test once for each product."""
    return pytest.mark.parametrize("product", load_products().values(), ids=lambda p: p.product_id)


def a_row(**changed: Any) -> dict[str, Any]:
    """A file as it is shipped, with something done to it."""
    row: dict[str, Any] = json.loads(FILES[0].read_text("utf-8"))
    return row | changed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_in_shape_and_every_figure_has_its_source(path):
    """A missing or misspelled field would be served as it is."""
    row = json.loads(path.read_text("utf-8"))

    assert row["product_id"] == path.stem
    assert find_problems(row, read_by=READ_ON) == []


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"sources": []}, "/sources: List should have at least 1 item"),
        ({"colour": "red"}, "/colour: Extra inputs"),
        ({"unverified": ["/monitoring/nowhere"]}, "listed as unverified, but does not exist"),
        ({"late_effects": [{"text": "x", "source": "nobody"}]}, "nobody is used but not listed"),
        ({"dailymed_setid": None}, "/dailymed_setid: is unknown"),
        (
            {
                "unverified": [],
                "intervals": [{"interval": "manufacturing", "text": "x", "days": [1, 2], "source": None}],
            },
            "/intervals/0/days: has no source",
        ),
    ],
)
def test_the_linter_tells_what_a_reviewer_forgot(changed, found):
    """A check that cannot fail would prove nothing about the files that pass."""
    told = find_problems(a_row(**changed), read_by=READ_ON)

    assert any(found in problem for problem in told), told


def test_the_linter_knows_no_rule_that_the_screen_does_not():
    """A rule that is misspelled would be found by the first patient."""
    row = a_row()
    row["indications"][0]["rows"][0]["criteria"] = [{"age_minimum": 18}]

    assert "must have exactly one known rule: age_minimum" in find_problems(row, read_by=READ_ON)[0]


def test_the_linter_finds_an_idle_and_an_undated_source():
    """What is listed was read for a figure, on a day that has come."""
    row = a_row()
    late = row["sources"][0] | {"source_id": "late", "as_of": "2027-01-01", "url": "http://x.example"}
    row["sources"].append(late)

    told = find_problems(row, read_by=READ_ON)

    assert [problem.partition(": ")[2] for problem in told] == [
        "late is listed but not used",
        "late has no https address",
        "late has a date in the future",
    ]


def test_each_product_lists_the_diseases_of_its_label():
    """Compared with a list that was written down on its own."""
    found = {product_id: set(product.diseases) for product_id, product in load_products().items()}

    assert found == ON_THE_LABEL
    assert set().union(*ON_THE_LABEL.values()) == set(DISEASES)


@each_product()
def test_a_product_says_which_version_of_its_file_it_is(product: CatalogProduct):
    """A referral keeps it; any byte that changes makes another one."""
    reviewed = Path(catalog.__file__).with_name("products") / f"{product.product_id}.json"

    assert product.version == product.facts["version"] == compute_version(reviewed.read_bytes())
    assert compute_version(reviewed.read_bytes() + b" ") != product.version


@each_product()
def test_the_profile_is_the_row_and_runs_forward(product: CatalogProduct):
    """What the window is made of is what the catalogue shows."""
    profile = product.profile

    assert get_monitoring_profile(product.product_id) is profile
    assert profile.infusion_parts == product.infusion_parts == product.facts["infusion_parts"]
    assert 0 < profile.daily_days <= profile.monitor_min_days <= profile.handback_target_day
    assert profile.monitor_min_days <= profile.driving_days


def test_the_labels_of_june_2025_ask_for_one_week_daily_and_two_weeks_near():
    """Source: FDA's safety communication of 26 June 2025, which names these six."""
    named = load_products().keys() - {"aucatzyl"}

    figures = {
        (p.daily_days, p.monitor_min_days, p.driving_days, p.handback_target_day, p.anchor)
        for p in map(get_monitoring_profile, named)
    }

    assert figures == {(7, 14, 14, 28, AnchorInfusion.LAST)}


def test_the_split_dose_counts_from_its_first_part():
    """Its second part comes while the first is being watched."""
    aucatzyl = load_products()["aucatzyl"]

    assert aucatzyl.infusion_parts == 2
    assert aucatzyl.profile.is_anchor(dose_number=1, dose_total=2)
    assert not aucatzyl.profile.is_anchor(dose_number=2, dose_total=2)


@pytest.mark.parametrize("product_id", [None, "", "retired_long_ago"])
def test_without_a_product_no_watch_is_shorter_than_any_label(product_id):
    """Nor is one that has left the catalogue."""
    cautious = get_monitoring_profile(product_id)

    for product in load_products().values():
        assert cautious.daily_days >= product.profile.daily_days
        assert cautious.monitor_min_days >= product.profile.monitor_min_days
        assert cautious.driving_days >= product.profile.driving_days
        assert cautious.handback_target_day >= product.profile.handback_target_day
        assert cautious.label_as_of <= product.profile.label_as_of
    assert cautious.anchor is AnchorInfusion.LAST


def test_products_are_read_once_and_cannot_be_changed():
    """One request must not change what the next one sees."""
    catalogue_of_now = load_products()

    assert load_products() is catalogue_of_now
    with pytest.raises(TypeError):
        catalogue_of_now["breyanzi"] = None  # type: ignore[index]


def test_products_come_in_the_order_of_their_names():
    """No maker is put first."""
    names = [product.name for product in load_products().values()]

    assert names == sorted(names)


def test_every_product_tells_where_to_report_a_suspected_reaction():
    """Even where the maker's own line is not known."""
    lines = [product.facts["safety_line"]["medwatch"] for product in load_products().values()]

    assert {line["phone"] for line in lines} == {"1-800-FDA-1088"}
