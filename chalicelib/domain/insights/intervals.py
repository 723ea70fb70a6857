"""The intervals of the journey: between which milestones, who acts, and how days are counted."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from statistics import quantiles
from typing import NamedTuple

from chalicelib.domain.insights.milestones import Milestone, MilestoneTimes
from chalicelib.domain.referrals.monitoring_window import to_local_day

MAX_DAYS = 730
"""A longer interval is not counted: it is almost always a wrong year. A referral may be dated back this long, too.
Our own choice."""


class Interval(StrEnum):
    """A part of the journey whose days are counted."""

    REFERRAL_TO_RECEIVED = "referral_to_received"
    RECEIVED_TO_ACCEPTED = "received_to_accepted"
    REFERRAL_TO_CONSULTATION = "referral_to_consultation"
    CONSULTATION_TO_LEUKAPHERESIS = "consultation_to_leukapheresis"
    LEUKAPHERESIS_TO_INFUSION = "leukapheresis_to_infusion"
    MONITORING_END_TO_RETURN = "monitoring_end_to_return"
    RETURN_TO_ACKNOWLEDGMENT = "return_to_acknowledgment"


class IntervalFacts(NamedTuple):
    """An interval on screens, and the milestone that ends it. `start` is None for the end of the monitoring window."""

    label: str
    acts: str
    start: Milestone | None
    end: Milestone


_CENTER, _BOTH, _PRACTICE = "center", "both teams", "practice"

INTERVAL_FACTS: Mapping[Interval, IntervalFacts] = {
    Interval.REFERRAL_TO_RECEIVED: IntervalFacts(
        "Referral to received", _CENTER, Milestone.SUBMITTED, Milestone.RECEIVED
    ),
    Interval.RECEIVED_TO_ACCEPTED: IntervalFacts(
        "Received to accepted", _CENTER, Milestone.RECEIVED, Milestone.ACCEPTED
    ),
    Interval.REFERRAL_TO_CONSULTATION: IntervalFacts(
        "Referral to consultation", _BOTH, Milestone.SUBMITTED, Milestone.CONSULTED
    ),
    Interval.CONSULTATION_TO_LEUKAPHERESIS: IntervalFacts(
        "Consultation to leukapheresis", _CENTER, Milestone.CONSULTED, Milestone.COLLECTED
    ),
    Interval.LEUKAPHERESIS_TO_INFUSION: IntervalFacts(
        "Leukapheresis to infusion", _CENTER, Milestone.COLLECTED, Milestone.INFUSED
    ),
    Interval.MONITORING_END_TO_RETURN: IntervalFacts(
        "End of monitoring to summary ready", _CENTER, None, Milestone.SUMMARY_READY
    ),
    Interval.RETURN_TO_ACKNOWLEDGMENT: IntervalFacts(
        "Summary ready to return acknowledged", _PRACTICE, Milestone.SUMMARY_READY, Milestone.RETURNED
    ),
}


class Quartiles(NamedTuple):
    """The middle of some numbers of days: half of them are from `first` to `third`."""

    first: float
    median: float
    third: float


def count_days(
    times: MilestoneTimes, *, referred_on: date | None, monitoring_ends_on: date | None, time_zone: str
) -> Mapping[Interval, int]:
    """Count the days of each interval that is complete, as calendar days at the center.

    Args:
        times: When the referral reached its milestones.
        referred_on: The day of the referral of a patient who was already on the way.
        monitoring_ends_on: The last day of the monitoring window.
        time_zone: The center's time zone.
    """
    days = {milestone: to_local_day(at, time_zone) for milestone, at in times.items()}
    if referred_on and Milestone.SUBMITTED in days:
        days[Milestone.SUBMITTED] = min(referred_on, days[Milestone.SUBMITTED])
    counted = {}
    for interval, facts in INTERVAL_FACTS.items():
        start = days.get(facts.start) if facts.start else monitoring_ends_on
        end = days.get(facts.end)
        if start is None or end is None:
            continue
        # A patient who returns before the planned end of the monitoring is not late.
        length = max(0, (end - start).days) if facts.start is None else (end - start).days
        if 0 <= length <= MAX_DAYS:
            counted[interval] = length
    return counted


def compute_quartiles(days: Sequence[int]) -> Quartiles:
    """Compute median and quartiles, interpolated between the two nearest numbers, to a tenth of a day."""
    first, median, third = quantiles(days, n=4, method="inclusive")
    return Quartiles(round(first, 1), round(median, 1), round(third, 1))
