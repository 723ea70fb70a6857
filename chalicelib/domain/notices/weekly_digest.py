"""The weekly digest: when it is due, what is on it, and how the dashboard words it.

It lists the patients on the way to an infusion: for a practice all of its own, for a center those
that wait for it. Due on Mondays at the member's digest hour, by the clock on the member's wall.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.referrals.stages import STAGE_FACTS, NextActor, Phase, Stage
from chalicelib.domain.referrals.worklists import StageSummary

WEEK = timedelta(days=7)
"""Between two digests, and how long a change is told as one."""

_BEFORE_INFUSION = frozenset(
    stage
    for stage, facts in STAGE_FACTS.items()
    if facts.phase
    in {Phase.ELIGIBILITY, Phase.REFERRAL, Phase.CONSULTATION, Phase.COLLECTION, Phase.MANUFACTURING, Phase.TREATMENT}
) - {Stage.INFUSED}


class DigestEntry(NamedTuple):
    """A referral on somebody's digest.

    Attributes:
        is_mine: Whether the side of whoever reads it has the next move.
        has_changed: Whether it changed in the last week, by whomever.
    """

    referral_id: str
    is_mine: bool
    has_changed: bool


def build_digest_entry(
    referral_id: str, standing: StageSummary, *, changed_at: datetime, side: NextActor, now: datetime
) -> DigestEntry | None:
    """A referral as it stands on the digest of a side; None if it is not on it."""
    is_mine = standing.owner is side
    if standing.stage not in _BEFORE_INFUSION or (side is NextActor.CENTER and not is_mine):
        return None
    return DigestEntry(referral_id, is_mine, now - changed_at <= WEEK)


def sort_digest_entries(entries: Iterable[DigestEntry]) -> Sequence[DigestEntry]:
    """The entries in the order of a reader's interest: one's own moves, then what changed."""
    return sorted(entries, key=lambda entry: (not entry.is_mine, not entry.has_changed))


def format_digest_title(entries: Sequence[DigestEntry], *, side: NextActor, due_at: date | None) -> str:
    """The digest in one sentence, for the dashboard.

    Args:
        entries: At least one.
        side: Whose digest it is.
        was_due: The day it was due, if that was long ago.
    """
    changed = f"{_format_count(sum(e.has_changed for e in entries))} changed in the last week"
    on_the_way = "1 referral" if len(entries) == 1 else f"{len(entries)} referrals"
    late = f" (was due on {due_at})" if due_at else ""
    if side is NextActor.CENTER:
        verb = "waits" if len(entries) == 1 else "wait"
        return f"{on_the_way} before infusion {verb} for your center: {changed}{late}"
    mine = sum(entry.is_mine for entry in entries)
    verb = "need" if mine > 1 else "needs"
    return f"{on_the_way} before infusion: {_format_count(mine)} {verb} your action, {changed}{late}"


def compute_digest_time(monday: date, *, hour: int, zone: str) -> datetime:
    """When the digest of a week is due. An hour that a change of clocks leaves out is the next."""
    return datetime.combine(monday, time(hour), ZoneInfo(zone)).astimezone(UTC)


def find_current_digest_week(now: datetime, *, hour: int, zone: str) -> date:
    """The week, by its Monday, of the last digest that is due by now."""
    today = now.astimezone(ZoneInfo(zone)).date()
    monday = today - timedelta(days=today.weekday())
    return monday if compute_digest_time(monday, hour=hour, zone=zone) <= now else monday - WEEK


def compute_next_digest_time(last_done_week: date, *, now: datetime, hour: int, zone: str) -> datetime:
    """When the first digest is due after a week that is done with; of several missed, the last."""
    last = find_current_digest_week(now, hour=hour, zone=zone)
    return compute_digest_time(last if last > last_done_week else last_done_week + WEEK, hour=hour, zone=zone)


def _format_count(count: int) -> str:
    return str(count) if count else "none"
