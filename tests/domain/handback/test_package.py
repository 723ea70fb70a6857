"""What is missing in a transition-of-care summary."""

import pytest

from chalicelib.domain.handback.package import REQUIRED_ITEMS, list_missing_items
from tests.support.handbacks import build_handback_body


def test_a_complete_package_misses_nothing():
    """Grade 0 and empty optional fields count as entered."""
    assert list_missing_items(build_handback_body(lot=None, counts=None)) == []


def test_an_empty_package_misses_every_item():
    """Each item is named."""
    assert list(list_missing_items({})) == list(REQUIRED_ITEMS)


@pytest.mark.parametrize("item", REQUIRED_ITEMS, ids=lambda item: item.pointer)
def test_each_item_is_reported_missing_by_its_own_pointer(item):
    """One field less is one item more."""
    section = item.pointer.split("/")[1]

    absent = [missing.pointer for missing in list_missing_items(build_handback_body(**{section: None}))]

    assert item.pointer in absent
    assert {pointer.split("/")[1] for pointer in absent} == {section}


@pytest.mark.parametrize("field", ["prophylaxis", "care_points"])
def test_an_empty_list_means_that_there_are_none(field):
    """It is an answer; a field that was not entered is not."""
    assert list_missing_items(build_handback_body(**{field: []})) == []


def test_a_wallet_card_that_was_not_given_is_missing():
    """The patient must get the card."""
    absent = [item.pointer for item in list_missing_items(build_handback_body(wallet_card_given=False))]

    assert absent == ["/wallet_card_given"]
