"""Which steps a too early event waits for."""

from itertools import pairwise

import pytest

from chalicelib.domain.referrals.missing_steps import describe_missing_steps, find_steps_between
from chalicelib.domain.referrals.stages import OPTIONAL_STAGES, TERMINAL_STAGES, Stage
from chalicelib.domain.referrals.transitions import list_reachable_stages, list_transitions_from

EARLY = [
    (start, target)
    for start in Stage
    for target in sorted(list_reachable_stages(start))
    if target not in list_transitions_from(start) and target is not start
]


@pytest.mark.parametrize(("start", "target"), EARLY)
def test_after_the_missing_steps_the_target_is_legal(start, target):
    """Each step is legal after the one before it, with the optional ones skipped."""
    way = [start, *find_steps_between(start, target), target]

    assert len(way) > 2
    assert all(after in list_transitions_from(before) for before, after in pairwise(way))
    assert not set(way[1:-1]) & (OPTIONAL_STAGES | TERMINAL_STAGES)


def test_nothing_is_missing_before_a_legal_step():
    """Also if an optional step is between."""
    assert find_steps_between(Stage.SUBMITTED, Stage.ACCEPTED) == ()


def test_nothing_leads_to_a_step_that_can_no_longer_follow():
    """Such an event is refused, and waits for nothing."""
    assert find_steps_between(Stage.INFUSED, Stage.ACCEPTED) == ()


def test_the_sentence_names_each_step_as_screens_do():
    """In order; without steps it says what is known."""
    steps = (Stage.CONSULT_SCHEDULED, Stage.CONSULT_COMPLETED)

    assert describe_missing_steps(steps) == (
        "Earlier steps are not recorded yet. Record these first: Consultation scheduled; Consultation completed."
    )
    assert describe_missing_steps(()) == "An earlier step is not recorded yet. Record it first."
