"""The referral packet: what a center needs on day 1, and how missing items are listed."""

import pytest

from chalicelib.domain.referrals.packet import (
    OPTIONAL_ITEMS,
    REQUIRED_ITEMS,
    build_packet,
    list_missing_items,
    require_complete,
)
from chalicelib.errors import ConflictError
from tests.support.factories import build_referral_body
from tests.support.referral_values import build_referral


def test_the_example_of_the_contract_is_complete():
    """It can be submitted."""
    packet = build_referral_body()
    require_complete(packet)

    assert list_missing_items(packet) == list_missing_items(packet, OPTIONAL_ITEMS) == []


@pytest.mark.parametrize("empty", [None, "", [], {}, ...])
@pytest.mark.parametrize("item", REQUIRED_ITEMS, ids=lambda item: item.pointer)
def test_each_required_item_is_missing_when_empty_or_absent(item, empty):
    """One at a time, for every empty value."""
    name = item.pointer.removeprefix("/").replace("/", "__")

    assert list_missing_items(build_referral_body(**{name: empty})) == [item]


def test_all_missing_items_are_listed_at_once():
    """So a coordinator completes them in one pass."""
    with pytest.raises(ConflictError) as conflict:
        require_complete({})

    assert conflict.value.code == "packet_incomplete"
    assert [error.pointer for error in conflict.value.errors] == [i.pointer for i in REQUIRED_ITEMS]


@pytest.mark.parametrize(
    ("name", "value", "pointer", "message"),
    [
        ("patient__phone", None, "/patient/phone", "Add: Patient's phone"),
        (
            "consent_to_share__given",
            False,
            "/consent_to_share/given",
            "Record the patient's consent to share records.",
        ),
    ],
)
def test_an_error_names_the_item_and_contains_nothing_from_the_request(name, value, pointer, message):
    """The text is our own."""
    with pytest.raises(ConflictError) as conflict:
        require_complete(build_referral_body(**{name: value}))

    assert [(e.pointer, e.code, e.message) for e in conflict.value.errors] == [(pointer, "missing", message)]


def test_every_item_of_a_missing_section_is_missing():
    """No insurance at all means two missing items."""
    pointers = [item.pointer for item in list_missing_items(build_referral_body(insurance=None))]

    assert pointers == ["/insurance/payer", "/insurance/member_id"]


def test_zero_and_no_are_answers():
    """ECOG 0, and a patient who is not a transplant candidate."""
    assert list_missing_items(build_referral_body(clinical__ecog=0)) == []
    assert list_missing_items(build_referral_body(clinical__hsct_eligible=False), OPTIONAL_ITEMS) == []


@pytest.mark.parametrize("wrong", ["text", 7, [], True])
def test_the_items_of_a_malformed_section_are_missing(wrong):
    """A section that is not an object raises no error here."""
    assert len(list_missing_items(build_referral_body(patient=wrong))) == 6


def test_a_stored_referral_is_checked_with_its_center_and_product():
    """They are stored outside the sections, where decisions and indexes need them."""
    referral = build_referral(center_id=None, product_id=None)

    assert [i.pointer for i in list_missing_items(build_packet(referral))] == ["/center_id"]
    assert [i.pointer for i in list_missing_items(build_packet(referral), OPTIONAL_ITEMS)] == ["/product_id"]
