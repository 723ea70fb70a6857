"""Random histories lead to the states to which they led when they were frozen."""

import pytest

from tests.support.frozen_histories import HISTORIES, compute_digest, load_digests

PART = 25


@pytest.mark.parametrize("first", range(0, HISTORIES, PART))
def test_a_history_leads_to_its_frozen_state(first):
    """The numbers of those that do not. `python -m tests.support.frozen_histories --show` has their events."""
    frozen = load_digests()

    changed = [n for n in range(first, first + PART) if compute_digest(n) != frozen[n]]

    assert changed == []
