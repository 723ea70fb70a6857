"""Nicknames that are proposed for patients."""

import re

from chalicelib.domain.referrals.alias import propose_alias

IDS = [f"ref_{n:026d}" for n in range(2000)]


def test_an_alias_is_a_color_and_a_bird():
    """Two capitalized words that a mail's subject can carry."""
    assert all(re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", propose_alias(i)) for i in IDS)


def test_the_same_referral_is_proposed_the_same_alias():
    """A retry of a submission does not rename the patient."""
    assert [propose_alias(i) for i in IDS] == [propose_alias(i) for i in IDS]


def test_aliases_are_spread_over_all_that_there_are():
    """A practice with a few dozen patients seldom meets the same one twice."""
    assert len({propose_alias(i) for i in IDS}) > 800
