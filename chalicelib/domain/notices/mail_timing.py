"""When a notice is emailed: by its category, the member's preferences, and the last email.

A notice appears in the dashboard immediately, always. Its email can wait for one hour after the
last email about the same referral, for the morning if the notice is about a day, for the hour of
the daily email if the member chose one, and for the end of quiet hours. A critical notice never
waits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.notices.notice_rules import OPT_IN_CATEGORIES, Category
from chalicelib.domain.platform.kept_unknown import KeepsUnknown

MIN_GAP_BETWEEN_MAILS = timedelta(hours=1)
"""Time between two emails about one referral to one member, unless the second is critical."""

MAX_JOIN_DELAY = timedelta(days=2)
"""A notice joins no email that is planned for later than this: one day for the hour of the daily email or for the
morning, and one more for the end of quiet hours. An email planned for later comes from a job that was rehearsed with a
future date."""

LATE_AFTER = timedelta(hours=1)
"""An email that is sent more than an hour after it was due says so. Jobs run every 15 minutes."""

MORNING_HOUR = 7
"""When the email of a notice about a day goes out, in the recipient's time zone: before rounds and clinics begin.

Such a notice is created when the day begins at the center, which is night there, and often for the recipient too."""

DEFAULT_DAILY_HOUR = MORNING_HOUR
"""The hour of the daily email, in the recipient's own time zone."""

OPTIONAL_CATEGORIES = tuple(category for category in Category if category is not Category.CRITICAL)
"""The categories that a member can receive in a daily email, or not by email at all."""

DAILY_THREAD = "daily"
"""The thread key of the one daily email; every other email has its referral as the key."""

MORNING_SUFFIX = "#morning"
"""Ends the thread key of the emails about a day of a referral. They wait for the morning in a thread of their own, so
that an event of the night is still emailed at once."""


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
class Preferences(KeepsUnknown):
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
    INVITATION = "invitation"
    """Updates a calendar. See `domain.consultation.invitations`."""
    DIGEST = "digest"
    """The weekly summary. See `domain.notices.weekly_digest`."""


URGENT_KINDS = frozenset({MailKind.CRITICAL, MailKind.ESCALATION})
"""The kinds to read immediately."""

KINDS_SENT_ALONE = URGENT_KINDS | {MailKind.DIGEST, MailKind.INVITATION}
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
        invitation: The key of the invitation that it carries; empty if there is none.
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
    invitation: str = ""


def get_thread_key(timing: MailTiming, referral_id: str, *, day: date | None = None) -> str:
    """The key by which emails of this timing are combined; `day` is the day that a notice is about, if any."""
    if timing is MailTiming.DAILY:
        return DAILY_THREAD
    return f"{referral_id}{MORNING_SUFFIX}" if day else referral_id


def compute_mail_time(
    timing: MailTiming,
    preferences: Preferences,
    *,
    zone: str,
    last: LastMail | None,
    now: datetime,
    day: date | None = None,
) -> datetime:
    """When a new email of a thread is due.

    Args:
        timing: At once, or in the daily email.
        preferences: The recipient's preferences.
        zone: The recipient's time zone.
        last: The last email of the thread, which this notice can no longer join.
        now: When the notice is created.
        day: The day that the notice is about, such as the end of monitoring; None if it is about an event.
    """
    if timing is MailTiming.DAILY:
        at = _find_next_hour(preferences.digest_hour, zone, now=now)
    else:
        start = _find_morning(day, zone, now=now) if day else now
        at = max(start, last.planned_for + MIN_GAP_BETWEEN_MAILS) if last and last.planned_for <= start else start
        at = _find_morning(day, zone, now=at) if day else at
    return _skip_quiet_hours(preferences.quiet_hours, zone, at)


def find_joinable(
    candidates: Iterable[LastMail],
    timing: MailTiming,
    preferences: Preferences,
    *,
    zone: str,
    now: datetime,
    day: date | None = None,
) -> LastMail | None:
    """Find the earliest waiting email that a notice can join: not before its own time, and hardly after it.

    The arguments are those of `compute_mail_time`; a candidate is the last email of a thread.
    """
    own_time = compute_mail_time(timing, preferences, zone=zone, last=None, now=now, day=day)
    after_gap = now + MIN_GAP_BETWEEN_MAILS
    latest = max(own_time, _find_morning(day, zone, now=after_gap) if day else after_gap)
    earliest = own_time if day and timing is MailTiming.AT_ONCE and own_time > now else now - MIN_GAP_BETWEEN_MAILS
    fitting = [mail for mail in candidates if mail.can_be_joined(now) and earliest <= mail.planned_for <= latest]
    return min(fitting, key=lambda mail: mail.planned_for, default=None)


def compute_late_since(mail: Mail, *, now: datetime) -> datetime | None:
    """Since when an email is late, or None if it is on time."""
    since = mail.late_since or mail.due_at
    return since if now - since > LATE_AFTER else None


def _find_morning(day: date, zone: str, *, now: datetime) -> datetime:
    """The morning of a day in the zone; if it is over, now, or the next morning if it is night."""
    local = now.astimezone(ZoneInfo(zone))
    on_time = _to_instant(datetime.combine(day, time(), local.tzinfo), time(MORNING_HOUR), now)
    if on_time >= now or local.time() >= time(MORNING_HOUR):
        return max(on_time, now)
    return _to_instant(local, time(MORNING_HOUR), now)


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
