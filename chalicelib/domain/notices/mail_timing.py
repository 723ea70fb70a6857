"""When a member is mailed of a notice: by its category, the member's preferences, the last mail.

A notice is in the dashboard at once, always. Its mail may wait: for the hour after the last one
about the same referral, for the digest hour of a member who wants one mail a day, and for the
end of quiet hours. What is critical waits for nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from chalicelib.domain.notices.notice_rules import MAILED_IF_CHOSEN, Category

MIN_GAP_BETWEEN_MAILS = timedelta(hours=1)
"""Between two mails about one referral to one member, unless the second is critical."""

MAX_JOIN_DELAY = timedelta(days=2)
"""No mail waits longer: a day for the digest hour, and another for the end of quiet hours. One
that is planned for later was planned by a run that was rehearsed for a day to come."""

LATE_AFTER = timedelta(hours=1)
"""From when on a mail says that it is late. Jobs run each quarter of an hour."""

DEFAULT_DAILY_HOUR = 7
"""Before rounds and clinics begin, in the recipient's own zone."""

OPTIONAL_CATEGORIES = tuple(category for category in Category if category is not Category.CRITICAL)
"""What a member may have mailed later, or not at all."""

DAILY_THREAD = "daily"
"""What the one mail of a day is coalesced by; any other is by its referral."""


class MailTiming(StrEnum):
    """When the notices of a category are mailed."""

    AT_ONCE = "at_once"
    DAILY = "daily"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From when to when no mail comes, by the clock on the recipient's wall; past midnight too."""

    begins: time
    ends: time

    def contains(self, at: time) -> bool:
        """Whether it is quiet at this time of a day."""
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """How a member wants to be mailed.

    Attributes:
        time_zone: Where digest and quiet hours are; empty for the tenant's own zone.
        timings: What differs from what is usual for a category.
        version: How often they were saved; the ETag.
    """

    time_zone: str = ""
    timings: Mapping[Category, MailTiming] = field(default_factory=dict)
    digest_hour: int = DEFAULT_DAILY_HOUR
    quiet_hours: QuietHours | None = None
    version: int = 0

    def get_timing(self, category: Category) -> MailTiming:
        """When a category is mailed. What is critical cannot be turned off."""
        if category is Category.CRITICAL:
            return MailTiming.AT_ONCE
        usual = MailTiming.NEVER if category in MAILED_IF_CHOSEN else MailTiming.AT_ONCE
        return self.timings.get(category, usual)


class LastMail(NamedTuple):
    """The last mail of a thread to a member, and when it was planned for."""

    mail_id: str
    planned_for: datetime

    def can_be_joined(self, now: datetime) -> bool:
        """Whether it may still be there to be joined: neither long due nor of a rehearsed day."""
        return now - MIN_GAP_BETWEEN_MAILS <= self.planned_for <= now + MAX_JOIN_DELAY


class MailKind(StrEnum):
    """Which words a mail is written in."""

    NOTICE = "notice"
    GATHERED = "gathered"
    """Made of several that were due at once."""
    CRITICAL = "critical"
    ESCALATION = "escalation"
    DIGEST = "digest"
    """The week's. See `domain.digest`."""


URGENT_KINDS = frozenset({MailKind.CRITICAL, MailKind.ESCALATION})
"""What should be read now."""

KINDS_SENT_ALONE = URGENT_KINDS | {MailKind.DIGEST}
"""Mailed each by itself, whatever else is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail that is to be sent, or was.

    Attributes:
        mail_id: Its row in the outbox, and the tag by which its events are known.
        subject: The identity service's id of the recipient.
        referral_id: Empty where it may be about several.
        late_since: When its first notice should have been told, if that was long ago.
        listed: The referrals that a digest names.
        unlisted: How many more the digest counts.
        unreached: Of an escalation, the members whom the mails before it did not reach.
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
    """What a mail of this timing is coalesced by."""
    return DAILY_THREAD if timing is MailTiming.DAILY else referral_id


def compute_mail_time(
    timing: MailTiming, preferences: Preferences, *, zone: str, last: LastMail | None, now: datetime
) -> datetime:
    """When a new mail of a thread is due.

    Args:
        timing: At once, or daily.
        preferences: The recipient's.
        zone: The recipient's time zone.
        last: The last mail of the thread; nothing can join it any more.
        now: When people are told.
    """
    if timing is MailTiming.DAILY:
        at = _find_next_hour(preferences.digest_hour, zone, now=now)
    else:
        at = max(now, last.planned_for + MIN_GAP_BETWEEN_MAILS) if last and last.planned_for <= now else now
    return _skip_quiet_hours(preferences.quiet_hours, zone, at)


def compute_late_since(mail: Mail, *, now: datetime) -> datetime | None:
    """Since when a mail is late; None if it is not."""
    since = mail.late_since or mail.due_at
    return since if now - since > LATE_AFTER else None


def _find_next_hour(hour: int, zone: str, *, now: datetime) -> datetime:
    """The next time that a clock in the zone strikes this hour."""
    local = now.astimezone(ZoneInfo(zone))
    today = _to_instant(local, time(hour), now)
    return today if today >= now else _to_instant(local + timedelta(days=1), time(hour), now)


def _skip_quiet_hours(quiet: QuietHours | None, zone: str, at: datetime) -> datetime:
    local = at.astimezone(ZoneInfo(zone))
    if quiet is None or not quiet.contains(local.time()):
        return at
    ends = _to_instant(local, quiet.ends, at)
    return ends if ends > at else _to_instant(local + timedelta(days=1), quiet.ends, at)


def _to_instant(local: datetime, wall_time: time, now: datetime) -> datetime:
    """A time on a local day, as the instant that it is.

    An hour that a change of clocks leaves out is the one after it. Of an hour that comes twice
    it is the first one that lies ahead.
    """
    first = datetime.combine(local.date(), wall_time, local.tzinfo)
    at = first if first.astimezone(now.tzinfo) >= now else first.replace(fold=1)
    return at.astimezone(now.tzinfo)
