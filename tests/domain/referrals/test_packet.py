"""What a center needs on day 1, and how its absence is named."""

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


def a_packet(**changed):
    """The contract's example as the packet rules look at it."""
    return build_referral_body(**changed)


def test_the_contracts_example_is_complete():
    """What the contract shows as a referral can be submitted."""
    require_complete(a_packet())

    assert list_missing_items(a_packet()) == []
    assert list_missing_items(a_packet(), OPTIONAL_ITEMS) == []


@pytest.mark.parametrize("empty", [None, "", [], {}, ...])
@pytest.mark.parametrize("item", REQUIRED_ITEMS, ids=lambda item: item.pointer)
def test_each_needed_item_is_missed_when_empty_or_absent(item, empty):
    """One at a time, in every way of not being there."""
    name = item.pointer.removeprefix("/").replace("/", "__")

    assert list_missing_items(a_packet(**{name: empty})) == [item]


def test_everything_that_is_missing_is_named_at_once():
    """A coordinator fills in once, not once for each answer."""
    with pytest.raises(ConflictError) as refusal:
        require_complete({})

    assert refusal.value.code == "packet_incomplete"
    assert [fault.pointer for fault in refusal.value.errors] == [i.pointer for i in REQUIRED_ITEMS]


def test_a_fault_names_the_item_and_repeats_nothing_that_was_sent():
    """The words are ours: what the caller sent ends up in no answer."""
    with pytest.raises(ConflictError) as refusal:
        require_complete(a_packet(patient__phone=None))

    assert [(f.pointer, f.code, f.message) for f in refusal.value.errors] == [
        ("/patient/phone", "missing", "Patient's phone is missing")
    ]


def test_a_section_that_is_missing_misses_each_of_its_items():
    """No insurance at all is two items, not an error."""
    pointers = [item.pointer for item in list_missing_items(a_packet(insurance=None))]

    assert pointers == ["/insurance/payer", "/insurance/member_id"]


def test_a_performance_status_of_zero_is_an_answer():
    """ECOG 0 is the best there is, and not nothing."""
    assert list_missing_items(a_packet(clinical__ecog=0)) == []


def test_no_is_an_answer_but_for_consent():
    """Not eligible for transplant is told; consent that was not given is missing."""
    assert list_missing_items(a_packet(clinical__hsct_eligible=False), OPTIONAL_ITEMS) == []
    assert [i.pointer for i in list_missing_items(a_packet(consent_to_share__given=False))] == [
        "/consent_to_share/given"
    ]


@pytest.mark.parametrize("wrong", ["text", 7, [], True])
def test_a_section_that_is_no_section_is_missed_and_no_error(wrong):
    """Whatever stands in a section's place, the rules look and go on."""
    pointers = [item.pointer for item in list_missing_items(a_packet(patient=wrong))]

    assert len(pointers) == 6


def test_a_referral_is_looked_at_with_its_center_and_product():
    """They stand beside the sections, where decisions and indexes need them."""
    referral = build_referral(center_id=None, product_id=None)

    assert [i.pointer for i in list_missing_items(build_packet(referral))] == ["/center_id"]
    assert [i.pointer for i in list_missing_items(build_packet(referral), OPTIONAL_ITEMS)] == ["/product_id"]
