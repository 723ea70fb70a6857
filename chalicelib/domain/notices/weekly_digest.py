"""The weekly digest: when it is due, which referrals are on it, and its title in the dashboard.

It lists the patients on the way to an infusion: for a practice all of its own, for a center those
that wait for it. It is due on Mondays at the hour that the member chose, in the member's time zone.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.platform.dates import format_date
from chalicelib.domain.referrals.stages import STAGE_FACTS, NextActor, Phase, Stage
from chalicelib.domain.referrals.worklists import StageSummary

WEEK = timedelta(days=7)
"""The time between two digests, and how long a change counts as recent."""

_BEFORE_INFUSION = frozenset(
    stage
    for stage, facts in STAGE_FACTS.items()
    if facts.phase
    in {Phase.ELIGIBILITY, Phase.REFERRAL, Phase.CONSULTATION, Phase.COLLECTION, Phase.MANUFACTURING, Phase.TREATMENT}
) - {Stage.INFUSED}


class DigestEntry(NamedTuple):
    """A referral on the digest of a member.

    Attributes:
        is_mine: Whether the member's side must act next, or answer an information request.
        has_changed: Whether anyone changed it in the last 7 days.
    """

    referral_id: str
    is_mine: bool
    has_changed: bool


def build_digest_entry(
    referral_id: str, summary: StageSummary, *, changed_at: datetime, side: NextActor, now: datetime
) -> DigestEntry | None:
    """Build the entry of a referral on the digest of a side; None if it does not belong there."""
    is_mine = summary.needs_action_of(side)
    if summary.stage not in _BEFORE_INFUSION or (side is NextActor.CENTER and not is_mine):
        return None
    return DigestEntry(referral_id, is_mine, now - changed_at <= WEEK)


def sort_digest_entries(entries: Iterable[DigestEntry]) -> Sequence[DigestEntry]:
    """Sort the entries: first those that need the reader's action, then those that changed."""
    return sorted(entries, key=lambda entry: (not entry.is_mine, not entry.has_changed))


def format_digest_title(entries: Sequence[DigestEntry], *, side: NextActor, was_due_on: date | None) -> str:
    """Summarize the digest in one sentence, for the dashboard.

    Args:
        entries: At least one.
        side: The reader's side.
        was_due_on: The day it was due, if it is late.
    """
    updated = f"{_format_count(sum(entry.has_changed for entry in entries))} updated in the last 7 days"
    referrals = "1 referral" if len(entries) == 1 else f"{len(entries)} referrals"
    late = f" (was due {format_date(was_due_on)})" if was_due_on else ""
    if side is NextActor.CENTER:
        return f"{referrals} before infusion waiting for your center; {updated}{late}"
    mine = sum(entry.is_mine for entry in entries)
    verb = "need" if mine > 1 else "needs"
    return f"{referrals} before infusion: {_format_count(mine)} {verb} your action, {updated}{late}"


def compute_digest_time(monday: date, *, hour: int, zone: str) -> datetime:
    """When the digest of a week is due. An hour that a clock change skips becomes the next hour."""
    return datetime.combine(monday, time(hour), ZoneInfo(zone)).astimezone(UTC)


def find_current_digest_week(now: datetime, *, hour: int, zone: str) -> date:
    """The week, identified by its Monday, of the last digest that is due by now."""
    today = now.astimezone(ZoneInfo(zone)).date()
    monday = today - timedelta(days=today.weekday())
    return monday if compute_digest_time(monday, hour=hour, zone=zone) <= now else monday - WEEK


def compute_next_digest_time(last_done_week: date, *, now: datetime, hour: int, zone: str) -> datetime:
    """When the next digest is due after the last finished week. If several were missed, only the last is due."""
    last = find_current_digest_week(now, hour=hour, zone=zone)
    return compute_digest_time(last if last > last_done_week else last_done_week + WEEK, hour=hour, zone=zone)


def _format_count(count: int) -> str:
    return str(count) if count else "none"
