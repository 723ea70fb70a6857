"""Changes of facts: what differs, what people call it, and whom it matters to."""

from dataclasses import replace

import pytest

from chalicelib.domain.referrals.facts import (
    FactChange,
    FactGroup,
    find_changed_group,
    find_fact_label,
    list_fact_changes,
)
from tests.support.referral_values import build_referral

REFERRAL = build_referral()


def with_details(**sections):
    return replace(REFERRAL, details={**REFERRAL.details, **sections})


def test_only_facts_that_differ_are_listed():
    """Each leaf by its pointer, with the value before and after."""
    patient = {**REFERRAL.details["patient"], "phone": "+17135550199", "mrn": None}

    assert list_fact_changes(REFERRAL, with_details(patient=patient)) == [
        FactChange("/patient/mrn", "A-1009", None),
        FactChange("/patient/phone", "+17135550142", "+17135550199"),
    ]


def test_a_section_that_appears_or_disappears_is_listed_by_its_facts():
    """So that the history has every value that was lost."""
    changes = list_fact_changes(REFERRAL, with_details(insurance=None))

    assert {change.pointer for change in changes} == {
        "/insurance/payer",
        "/insurance/plan_type",
        "/insurance/member_id",
        "/insurance/group",
    }
    assert all(change.new is None for change in changes)


def test_lists_are_compared_as_a_whole():
    """A line of therapy has no identity of its own."""
    clinical = {**REFERRAL.details["clinical"], "prior_lines": []}

    [change] = list_fact_changes(REFERRAL, with_details(clinical=clinical))

    assert (change.pointer, change.new) == ("/clinical/prior_lines", [])


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"alias": "Grey Owl"}, "/patient/alias"),
        ({"urgency": "urgent"}, "/urgency"),
        ({"product_id": "abecma"}, "/product_id"),
    ],
)
def test_facts_with_a_column_of_their_own_are_compared_too(changed, pointer):
    """By the place that they have in a request."""
    assert [change.pointer for change in list_fact_changes(REFERRAL, replace(REFERRAL, **changed))] == [pointer]


def test_a_confirmation_is_not_a_fact():
    """It answers a question of the product."""
    consent = {**REFERRAL.details["consent_to_share"], "confirmed": True}

    assert list_fact_changes(REFERRAL, with_details(consent_to_share=consent)) == []


@pytest.mark.parametrize(
    ("pointers", "group"),
    [
        (["/patient/phone"], FactGroup.PATIENT_PHONE),
        (["/patient/caregiver/name", "/patient/caregiver/phone"], FactGroup.CAREGIVER),
        (["/insurance/payer", "/insurance/group"], FactGroup.INSURANCE),
        (["/consent_to_share/scope"], FactGroup.CONSENT),
        (["/referring_provider/phone"], FactGroup.PROVIDER_PHONE),
        (["/center_contact/phone", "/center_contact/coordinator"], FactGroup.CENTER_PHONE),
        (["/patient/phone", "/insurance/payer"], FactGroup.SEVERAL),
        (["/patient/given_name", "/patient/email", "/clinical/ecog", "/note", "/urgency"], None),
        (["/referring_provider/email", "/center_contact/coordinator"], None),
    ],
)
def test_only_changes_that_matter_notify_the_other_side(pointers, group):
    """Phone, caregiver, insurance and consent; not every correction of a spelling."""
    changes = [FactChange(pointer, "a", "b") for pointer in pointers]

    assert find_changed_group(changes, withdrawn=False) is group


def test_a_withdrawn_consent_comes_before_everything_else():
    """However much changed with it."""
    changes = [FactChange("/consent_to_share/withdrawn_on", None, "2026-11-29"), FactChange("/patient/phone", "a", "b")]

    assert find_changed_group(changes, withdrawn=True) is FactGroup.CONSENT_WITHDRAWN


@pytest.mark.parametrize(
    ("pointer", "label"),
    [
        ("/patient/phone", "Patient's phone"),
        ("/clinical/flags/active_infection", "Points to discuss"),
        ("/clinical/unknown_fact", "Details"),
    ],
)
def test_every_fact_has_a_label(pointer, label):
    """Its own, or that of the closest one above it."""
    assert find_fact_label(pointer) == label
