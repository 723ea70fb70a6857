"""No small group follows from the figures that are shown, in any table or period."""

import random
from collections import Counter
from datetime import date
from itertools import permutations

import pytest

from chalicelib.domain.insights.figures import CountedReferral, GroupFigures, Grouping, Period, compute_insights
from chalicelib.domain.insights.intervals import INTERVAL_FACTS, Interval
from chalicelib.domain.insights.milestones import Milestone
from chalicelib.domain.insights.suppression import INFUSED, OPEN

TODAY = date(2026, 11, 29)
RECENT, OLD = date(2026, 6, 1), date(2025, 3, 1)
ORDER = tuple(Milestone)


def build_referral(outcome=OPEN, *, furthest=None, center="ctr_a", product="breyanzi", referred_on=RECENT, days=None):
    reached = furthest or (Milestone.INFUSED if outcome == INFUSED else Milestone.SUBMITTED)
    return CountedReferral(
        referred_on=referred_on,
        center_id=center,
        product_id=product,
        furthest=reached,
        days=days or {},
        outcome=outcome,
    )


def build_random_organization(seed):
    """Up to 120 referrals, of sizes and in groups of every kind."""
    chance = random.Random(seed)  # noqa: S311 test data
    referrals = []
    for _ in range(chance.randint(0, 120)):
        place = chance.choices(range(len(ORDER)), [3, 2, 2, 2, 2, 2, 4, 1, 3])[0]
        is_infused = place >= ORDER.index(Milestone.INFUSED)
        outcome = INFUSED if is_infused else chance.choice([OPEN, OPEN, "misrouted", "patient_choice", "comorbidity"])
        ended = [i for i, facts in INTERVAL_FACTS.items() if ORDER.index(facts.end) <= place]
        referrals.append(
            build_referral(
                outcome,
                furthest=ORDER[place],
                center=chance.choices("abcd", [5, 3, 2, 1])[0],
                product=chance.choices(["x", "y", None], [4, 2, 1])[0],
                referred_on=chance.choices([RECENT, OLD], [7, 3])[0],
                days={i: chance.randint(0, 60) for i in ended if chance.random() < 0.9},
            )
        )
    return referrals


def list_shown_sets(referrals):
    """The referrals behind each count that is shown, in all tables of all periods, and how many the page says."""
    shown: dict[frozenset[int], int] = {}
    for period in Period:
        for grouping in Grouping:
            insights = compute_insights(referrals, period=period, grouping=grouping, today=TODAY)
            counted = {n for n, r in enumerate(referrals) if period is Period.ALL or r.referred_on == RECENT}
            for group in (insights.total, *insights.groups):
                members = group.members if group is not insights.total else None
                inside = {n for n in counted if _is_in(referrals[n], grouping, members)}
                shown |= {frozenset(s & inside): count for s, count in _list_counts(group, referrals)}
    return shown


def _is_in(referral, grouping, members):
    own = referral.center_id if grouping is Grouping.CENTER else referral.product_id
    return members is None or own in members


def _list_counts(group: GroupFigures, referrals):
    def select(matches):
        return {n for n, r in enumerate(referrals) if matches(r)}

    counts = [
        *((select(lambda r, m=m: ORDER.index(r.furthest) >= ORDER.index(m)), c) for m, c in group.milestones.items()),
        (select(lambda r: r.outcome == OPEN), group.open),
        (select(lambda r: r.outcome not in (OPEN, INFUSED)), group.ended),
        *((select(lambda r, name=name: r.outcome == name), c) for name, c in group.reasons.items()),
        (select(lambda r: r.outcome not in (OPEN, INFUSED, *group.reasons)), group.other_reasons),
        *((select(lambda r, i=i: i in r.days), f.referrals) for i, f in group.intervals.items()),
    ]
    return [(found, count) for found, count in counts if count is not None]


@pytest.mark.parametrize("seed", range(60))
def test_no_two_counts_differ_by_a_small_group(seed):
    """For every count that is part of another one, of all tables and periods together."""
    shown = list_shown_sets(build_random_organization(seed))

    assert not [len(found) for found in shown if 0 < len(found) < 5]
    assert not [
        (len(big), len(small)) for big, small in permutations(shown, 2) if small <= big and 0 < len(big - small) < 5
    ]


@pytest.mark.parametrize("seed", range(20))
def test_every_count_is_exact(seed):
    """A figure is left out, never changed."""
    assert all(len(found) == count for found, count in list_shown_sets(build_random_organization(seed)).items())


def test_a_large_organization_sees_its_figures():
    """What protects small groups leaves nothing out without a reason."""
    reasons = [INFUSED] * 10 + [OPEN] * 10 + ["misrouted"] * 10 + ["comorbidity"] * 10
    insights = compute_insights(
        [build_referral(outcome) for outcome in reasons],
        period=Period.LAST_12_MONTHS,
        grouping=Grouping.NONE,
        today=TODAY,
    )

    assert (insights.total.open, insights.total.ended, insights.total.other_reasons) == (10, 20, 0)
    assert Counter(insights.total.reasons.values()) == {10: 2}


def test_a_small_reason_takes_another_one_with_it():
    """20 endings minus 10, 8 would show the 2 of the third reason."""
    outcomes = [INFUSED] * 5 + [OPEN] * 5 + ["misrouted"] * 10 + ["comorbidity"] * 8 + ["patient_choice"] * 2
    total = compute_insights(
        [build_referral(outcome) for outcome in outcomes],
        period=Period.LAST_12_MONTHS,
        grouping=Grouping.NONE,
        today=TODAY,
    ).total

    assert (total.ended, total.reasons, total.other_reasons) == (20, {"misrouted": 10}, 10)


def test_small_centers_are_one_group():
    """Together they have 6 referrals."""
    sizes = {"a": 9, "b": 3, "c": 2, "d": 1}
    referrals = [build_referral(center=center) for center, size in sizes.items() for _ in range(size)]
    insights = compute_insights(referrals, period=Period.ALL, grouping=Grouping.CENTER, today=TODAY)

    assert [sorted(map(str, group.members)) for group in insights.groups] == [["a"], ["b", "c", "d"]]


def test_a_median_needs_five_referrals():
    """Of 4, it would be the days of two patients."""
    days = {Interval.REFERRAL_TO_RECEIVED: 3}
    referrals = [build_referral(days=days if number < 4 else {}) for number in range(20)]
    total = compute_insights(referrals, period=Period.ALL, grouping=Grouping.NONE, today=TODAY).total

    assert total.intervals[Interval.REFERRAL_TO_RECEIVED].quartiles is None


def measure_consultation(days):
    return {Interval.RECEIVED_TO_ACCEPTED: days}


def get_shown_days(referrals, period=Period.ALL, grouping=Grouping.NONE):
    """The quartiles of an interval, in all groups that are shown."""
    insights = compute_insights(referrals, period=period, grouping=grouping, today=TODAY)
    return [group.intervals[Interval.RECEIVED_TO_ACCEPTED].quartiles for group in (insights.total, *insights.groups)]


def test_the_days_of_one_referral_do_not_follow_from_two_tables():
    """The total has one referral more than the only center with quartiles: its days could be computed."""
    first = [build_referral(center="ctr_a", days=measure_consultation(each)) for each in (10, 20, 30, 40, 50)]
    other = [build_referral(center="ctr_b", days=measure_consultation(33))]
    others = [build_referral(center=center) for center in ("ctr_a", "ctr_b") for _ in range(9)]

    shown = [each for each in get_shown_days([*first, *other, *others], grouping=Grouping.CENTER) if each]

    assert len(shown) < 2


def test_the_days_of_one_referral_do_not_follow_from_two_periods():
    """Five were measured in the last 12 months, and one before."""
    recent = [build_referral(days=measure_consultation(each)) for each in (10, 20, 30, 40, 50)]
    old = [build_referral(referred_on=OLD, days=measure_consultation(33))]
    older = [build_referral(referred_on=OLD) for _ in range(5)]

    shown = [get_shown_days([*recent, *old, *older], period)[0] for period in Period]

    assert sum(each is not None for each in shown) < 2
