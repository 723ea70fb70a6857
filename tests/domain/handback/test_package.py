"""What a hand-back package lacks."""

import pytest

from chalicelib.domain.handback.package import REQUIRED_ITEMS, list_missing_items
from tests.support.handbacks import build_handback_body


def test_a_package_with_everything_lacks_nothing():
    """Grade 0 and an empty answer of the optional fields count as entered."""
    assert list_missing_items(build_handback_body(lot=None, counts=None)) == []


def test_an_empty_package_lacks_everything():
    """Each item is named."""
    assert list(list_missing_items({})) == list(REQUIRED_ITEMS)


@pytest.mark.parametrize("item", REQUIRED_ITEMS, ids=lambda item: item.pointer)
def test_each_item_is_missed_by_its_own_name(item):
    """One field less, one item more."""
    section = item.pointer.split("/")[1]

    absent = [each.pointer for each in list_missing_items(build_handback_body(**{section: None}))]

    assert item.pointer in absent
    assert {pointer.split("/")[1] for pointer in absent} == {section}


@pytest.mark.parametrize("field", ["prophylaxis", "care_points"])
def test_an_empty_list_says_that_there_is_none(field):
    """Which is an answer; not having been asked is not."""
    assert list_missing_items(build_handback_body(**{field: []})) == []


def test_a_wallet_card_that_was_not_given_is_missing():
    """It is to be given, not only to be asked about."""
    absent = [item.pointer for item in list_missing_items(build_handback_body(wallet_card_given=False))]

    assert absent == ["/wallet_card_given"]
