"""Deliveries and bodies that are nearly valid, by the thousand: refused or read, never an error."""

from random import Random

import time_machine

from tests.support.fuzzing import NOW, build_body, build_delivery, check_body, compare_verdicts, find_disagreement

DELIVERIES, BODIES = 20_000, 10_000


def test_the_verifier_agrees_with_the_reference_library():
    """What we accept it accepts, and for well-formed input the verdict is the same."""
    chance = Random(1)  # noqa: S311 a seed makes the same run again
    with time_machine.travel(NOW, tick=False):
        wrong = {find_disagreement(build_delivery(chance)) for _ in range(DELIVERIES)} - {""}

    assert wrong == set()


def test_the_deliveries_cover_good_and_bad_ones():
    """And some that make the reference library fail."""
    chance = Random(2)  # noqa: S311 as above
    with time_machine.travel(NOW, tick=False):
        seen = {compare_verdicts(build_delivery(chance)) for _ in range(5_000)}

    ours_refused = {(False, theirs) for theirs in ("accepts", "refuses", "stumbles")}
    assert seen == ours_refused | {(True, "accepts"), (True, "stumbles")}


def test_every_body_reader_refuses_or_reads():
    """By each of the three ways that a body is read; about a fifth of the bodies is valid."""
    chance = Random(3)  # noqa: S311 as above
    good = sum(check_body(build_body(chance)) for _ in range(BODIES))

    assert BODIES / 10 < good < BODIES / 2
