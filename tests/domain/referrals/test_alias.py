"""Proposed patient aliases."""

import re

from chalicelib.domain.referrals.alias import propose_alias

IDS = [f"ref_{n:026d}" for n in range(2000)]


def test_an_alias_is_a_color_and_a_bird():
    """Two capitalized words that fit in the subject of an email."""
    assert all(re.fullmatch(r"[A-Z][a-z]+ [A-Z][a-z]+", propose_alias(i)) for i in IDS)


def test_the_alias_of_a_referral_never_changes():
    """A repeated request does not rename the patient."""
    assert [propose_alias(i) for i in IDS] == [propose_alias(i) for i in IDS]


def test_aliases_are_spread_over_all_combinations():
    """A practice with a few dozen patients rarely gets the same alias twice."""
    assert len({propose_alias(i) for i in IDS}) > 800
