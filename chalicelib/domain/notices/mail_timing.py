"""When a notice is emailed: by its category, the member's preferences, and the last email.

A notice appears in the dashboard immediately, always. Its email can wait for one hour after the
last email about the same referral, for the hour of the daily email if the member chose one, and
for the end of quiet hours. A critical notice never waits.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.notices.notice_rules import OPT_IN_CATEGORIES, Category

MIN_GAP_BETWEEN_MAILS = timedelta(hours=1)
"""Time between two emails about one referral to one member, unless the second is critical."""

MAX_JOIN_DELAY = timedelta(days=2)
"""No email waits longer than this: one day for the hour of the daily email and one more for the end
of quiet hours. An email planned for later comes from a job that was rehearsed with a future date."""

LATE_AFTER = timedelta(hours=1)
"""An email that is sent more than an hour after it was due says so. Jobs run every 15 minutes."""

DEFAULT_DAILY_HOUR = 7
"""The hour of the daily email: before rounds and clinics begin, in the recipient's own time zone."""

OPTIONAL_CATEGORIES = tuple(category for category in Category if category is not Category.CRITICAL)
"""The categories that a member can receive in a daily email, or not by email at all."""

DAILY_THREAD = "daily"
"""The thread key of the one daily email; every other email has its referral as the key."""


class MailTiming(StrEnum):
    """When the notices of a category are emailed."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The hours without email, in the recipient's local time. They can span midnight."""

    begins: time
    ends: time

    def contains(self, at: time) -> bool:
        """Whether this time of day is within the quiet hours."""
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How a member wants to receive email.

    Attributes:
        time_zone: The time zone of the daily hour and the quiet hours; empty for the tenant's own.
        timings: The categories whose timing differs from the default.
        version: How many times the preferences were saved; the ETag.
    """

    time_zone: str = ""
    timings: Mapping[Category, MailTiming] = field(default_factory=dict)
    digest_hour: int = DEFAULT_DAILY_HOUR
    quiet_hours: QuietHours | None = None
    version: int = 0

    def get_timing(self, category: Category) -> MailTiming:
        """When a category is emailed. Critical notices cannot be turned off."""
        if category is Category.CRITICAL:
            return MailTiming.AT_ONCE
        default = MailTiming.NEVER if category in OPT_IN_CATEGORIES else MailTiming.AT_ONCE
        return self.timings.get(category, default)


class LastMail(NamedTuple):
    """The last email of a thread to a member, and the time it was planned for."""

    mail_id: str
    planned_for: datetime

    def can_be_joined(self, now: datetime) -> bool:
        """Whether it may still be waiting to be sent, so that another notice can join it.

        An email that was due long ago is gone; one planned too far ahead comes from a rehearsal.
        """
        return now - MIN_GAP_BETWEEN_MAILS <= self.planned_for <= now + MAX_JOIN_DELAY


class MailKind(StrEnum):
    """Which template an email uses."""

    NOTICE = "notice"
    GATHERED = "gathered"
    """Combines several emails that were due at the same time."""
    CRITICAL = "critical"
    ESCALATION = "escalation"
    """A critical notice that did not reach its recipient goes to colleagues."""
    DIGEST = "digest"
    """The weekly summary. See `domain.notices.weekly_digest`."""


URGENT_KINDS = frozenset({MailKind.CRITICAL, MailKind.ESCALATION})
"""The kinds to read immediately."""

KINDS_SENT_ALONE = URGENT_KINDS | {MailKind.DIGEST}
"""The kinds that are never combined with other emails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """An email that will be sent, or was sent.

    Attributes:
        mail_id: The id of its row in the outbox, and the tag that identifies its SES events.
        recipient_subject: The identity service's id of the recipient.
        referral_id: Empty if the email can be about several referrals.
        late_since: When its first notice was due, if that was long ago.
        listed_referral_ids: The referrals that a digest lists.
        unlisted_count: How many more referrals the digest counts.
        unreached_member_ids: For an escalation, the members whom the earlier emails did not reach.
    """

    mail_id: str
    kind: MailKind
    member_id: str
    recipient_subject: str
    tenant_id: str
    referral_id: str
    notice_ids: tuple[str, ...]
    due_at: datetime
    late_since: datetime | None = None
    listed_referral_ids: tuple[str, ...] = ()
    unlisted_count: int = 0
    unreached_member_ids: tuple[str, ...] = ()


def get_thread_key(timing: MailTiming, referral_id: str) -> str:
    """The key by which emails of this timing are combined."""
    return DAILY_THREAD if timing is MailTiming.DAILY else referral_id


def compute_mail_time(
    timing: MailTiming, preferences: Preferences, *, zone: str, last: LastMail | None, now: datetime
) -> datetime:
    """When a new email of a thread is due.

    Args:
        timing: At once, or in the daily email.
        preferences: The recipient's preferences.
        zone: The recipient's time zone.
        last: The last email of the thread, which this notice can no longer join.
        now: When the notice is created.
    """
    if timing is MailTiming.DAILY:
        at = _find_next_hour(preferences.digest_hour, zone, now=now)
    else:
        at = max(now, last.planned_for + MIN_GAP_BETWEEN_MAILS) if last and last.planned_for <= now else now
    return _skip_quiet_hours(preferences.quiet_hours, zone, at)


def compute_late_since(mail: Mail, *, now: datetime) -> datetime | None:
    """Since when an email is late, or None if it is on time."""
    since = mail.late_since or mail.due_at
    return since if now - since > LATE_AFTER else None


def _find_next_hour(hour: int, zone: str, *, now: datetime) -> datetime:
    """The next time that it is this hour in the zone."""
    local = now.astimezone(ZoneInfo(zone))
    today = _to_instant(local, time(hour), now)
    return today if today >= now else _to_instant(local + timedelta(days=1), time(hour), now)


def _skip_quiet_hours(quiet_hours: QuietHours | None, zone: str, at: datetime) -> datetime:
    local = at.astimezone(ZoneInfo(zone))
    if quiet_hours is None or not quiet_hours.contains(local.time()):
        return at
    ends = _to_instant(local, quiet_hours.ends, at)
    return ends if ends > at else _to_instant(local + timedelta(days=1), quiet_hours.ends, at)


def _to_instant(local: datetime, wall_time: time, now: datetime) -> datetime:
    """Convert a time of a local day to an instant.

    When the clocks go forward, a skipped hour becomes the hour after it. When they go back, the
    repeated hour is its first occurrence that is not in the past.
    """
    first = datetime.combine(local.date(), wall_time, local.tzinfo)
    at = first if first.astimezone(now.tzinfo) >= now else first.replace(fold=1)
    return at.astimezone(now.tzinfo)
