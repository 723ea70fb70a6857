"""On which days an unchanged referral comes onto worklists: what the rules of `worklists` say of each later day."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from chalicelib.domain.referrals.monitoring_window import get_start_of_day
from chalicelib.domain.referrals.stages import NextActor
from chalicelib.domain.referrals.turnaround import NO_LIMIT
from chalicelib.domain.referrals.worklists import ENDS_SOON_WITHIN, ListViewer, StageSummary, Worklist, list_worklists

_DAY = timedelta(days=1)


class WorklistDays(NamedTuple):
    """The worklists of a referral for as long as it stays unchanged.

    Attributes:
        days: The days on which its worklists change by themselves, earliest first; at most two.
        worklists: Its worklists before the first of these days, and from each of them on.
    """

    days: Sequence[date]
    worklists: Sequence[frozenset[Worklist]]


def compute_worklist_days(summary: StageSummary, *, side: NextActor, time_zone: str) -> WorklistDays:
    """Compute on which worklists of a side a referral is, and will be if nothing changes it.

    Args:
        summary: The state of the referral.
        side: Whose worklists.
        time_zone: Of the organization on that side, whose days count.
    """
    days = sorted(set(_list_days(summary, time_zone)))
    first = days[0] if days else summary.since.date()
    starts = [get_start_of_day(day, time_zone) for day in (first - _DAY, *days)]
    viewers = [ListViewer(side=side, now=start, time_zone=time_zone) for start in starts]
    return WorklistDays(days, [list_worklists(summary, viewer) for viewer in viewers])


def _list_days(summary: StageSummary, time_zone: str) -> Iterator[date]:
    """List the days on which a rule that depends on the day can begin to match. No rule stops matching."""
    if summary.stage not in NO_LIMIT:
        turnaround = summary.compute_turnaround(now=summary.since, time_zone=time_zone)
        limits = [day for day in (turnaround.amber_on, turnaround.red_on) if day]
        if limits and not summary.on_hold:
            yield min(limits) + _DAY
    if summary.window_ends_on:
        yield summary.window_ends_on - ENDS_SOON_WITHIN
