"""The catalogue's files are reviewed by people; these are the promises that a person forgets."""

import json
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib import catalogue
from chalicelib.catalogue import DISEASES, Product, products, profile_for
from chalicelib.domain.window import Anchor

READ_ON = date(2026, 11, 22)

FILES = sorted(Path(catalogue.__file__).with_name("products").glob("*.json"))

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

ROW = {
    "product_id": str,
    "name": str,
    "generic": str,
    "target": str,
    "maker": str,
    "label_as_of": str,
    "indications": list,
    "infusion_parts": int,
    "split_dose": (dict, type(None)),
    "monitoring": dict,
    "late_effects": list,
    "safety_line": (dict, type(None)),
    "unverified": list,
    "sources": list,
}

MONITORING = {
    "anchor": str,
    "daily_days": int,
    "monitor_min_days": int,
    "driving_days": int,
    "handback_target_day": int,
    "label_as_of": str,
    "sources": list,
}


def each_product():
    """Run a test once for each product."""
    return pytest.mark.parametrize("product", products().values(), ids=lambda p: p.product_id)


def has_shape(value: dict[str, Any], shape: dict[str, Any]) -> None:
    """The names are exactly these, and each value is of its kind."""
    assert set(value) == set(shape)
    assert {name for name, kind in shape.items() if not isinstance(value[name], kind)} == set()


def named_sources(facts: dict[str, Any]) -> set[str]:
    """Every source that a figure of the row refers to."""
    lines = [facts["split_dose"], facts["safety_line"]["maker"]]
    rows = [*facts["indications"], *facts["late_effects"], *filter(None, lines)]
    return {row["source"] for row in rows} | set(facts["monitoring"]["sources"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_holds_one_product_in_one_shape(path):
    """A missing or misspelled field would be served as it is."""
    row = json.loads(path.read_text("utf-8"))

    assert row["product_id"] == path.stem
    has_shape(row, ROW)
    has_shape(row["monitoring"], MONITORING)


def test_each_product_lists_the_diseases_of_its_label():
    """Compared with a list that was written down on its own."""
    found = {product_id: set(product.diseases) for product_id, product in products().items()}

    assert found == ON_THE_LABEL
    assert set().union(*ON_THE_LABEL.values()) == set(DISEASES)


@each_product()
def test_a_label_figure_says_as_of_when_and_from_where(product: Product):
    """A clinician can look up every figure that is shown."""
    known = {source["source_id"] for source in product.facts["sources"]}

    assert product.profile.label_as_of <= READ_ON
    assert date.fromisoformat(product.facts["label_as_of"]) <= READ_ON
    assert product.facts["monitoring"]["sources"]
    assert named_sources(dict(product.facts)) == known, "no dangling and no idle source"


@each_product()
def test_a_source_can_be_looked_up_and_is_dated(product: Product):
    """A source without a date cannot be told from a stale one."""
    for source in product.facts["sources"]:
        assert source["title"]
        assert urlsplit(source["url"]).scheme == "https"
        assert date.fromisoformat(source["as_of"]) <= READ_ON


@each_product()
def test_what_is_unverified_points_at_something_that_is_served(product: Product):
    """Else no page could show the mark."""
    served = {f"/monitoring/{name}" for name in product.facts["monitoring"]} | {
        "/safety_line/maker"
    }

    assert set(product.facts["unverified"]) <= served


@each_product()
def test_the_profile_is_the_row_and_runs_forward(product: Product):
    """What the window is made of is what the catalogue shows."""
    profile = product.profile

    assert profile_for(product.product_id) is profile
    assert profile.infusion_parts == product.infusion_parts == product.facts["infusion_parts"]
    assert 0 < profile.daily_days <= profile.monitor_min_days <= profile.handback_target_day
    assert profile.monitor_min_days <= profile.driving_days


def test_the_labels_of_june_2025_ask_for_one_week_daily_and_two_weeks_near():
    """Source: FDA's safety communication of 26 June 2025, which names these six."""
    named = products().keys() - {"aucatzyl"}

    figures = {
        (p.daily_days, p.monitor_min_days, p.driving_days, p.handback_target_day, p.anchor)
        for p in map(profile_for, named)
    }

    assert figures == {(7, 14, 14, 28, Anchor.LAST)}


def test_the_split_dose_counts_from_its_first_part():
    """Its second part comes while the first is being watched."""
    aucatzyl = products()["aucatzyl"]

    assert aucatzyl.infusion_parts == 2
    assert aucatzyl.profile.starts_with(part=1, of=2)
    assert not aucatzyl.profile.starts_with(part=2, of=2)


@pytest.mark.parametrize("product_id", [None, "", "retired_long_ago"])
def test_without_a_product_no_watch_is_shorter_than_any_label(product_id):
    """Nor is one that has left the catalogue."""
    cautious = profile_for(product_id)

    for product in products().values():
        assert cautious.daily_days >= product.profile.daily_days
        assert cautious.monitor_min_days >= product.profile.monitor_min_days
        assert cautious.driving_days >= product.profile.driving_days
        assert cautious.handback_target_day >= product.profile.handback_target_day
        assert cautious.label_as_of <= product.profile.label_as_of
    assert cautious.anchor is Anchor.LAST


def test_products_are_read_once_and_cannot_be_changed():
    """One request must not change what the next one sees."""
    catalogue_of_now = products()

    assert products() is catalogue_of_now
    with pytest.raises(TypeError):
        catalogue_of_now["breyanzi"] = None  # type: ignore[index]


def test_products_come_in_the_order_of_their_names():
    """No maker is put first."""
    names = [product.name for product in products().values()]

    assert names == sorted(names)


def test_every_product_tells_where_to_report_a_suspected_reaction():
    """Even where the maker's own line is not known."""
    lines = [product.facts["safety_line"]["medwatch"] for product in products().values()]

    assert {line["phone"] for line in lines} == {"1-800-FDA-1088"}
