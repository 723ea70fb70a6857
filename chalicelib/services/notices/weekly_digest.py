"""Weekly digests: planned with the member, moved with the member's hours, told once a week.

The row only says when to look. What the digest tells is read when it is told, and again, patient
by patient, when it is mailed (`services.letters`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib import mail as words
from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.mail_timing import Mail, MailKind, Preferences, Timing, due_at
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.weekly_digest import (
    WEEK,
    Entry,
    due_after,
    due_on,
    entry_of,
    in_order,
    title_of,
    week_of,
)
from chalicelib.domain.referrals.events import derived_id
from chalicelib.domain.referrals.stages import Owner
from chalicelib.services.notices.notify import zone_of
from chalicelib.services.referrals.search import index_of
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.digests import settled_in
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.notices import NOTICE, Notice
from chalicelib.store.platform.dynamo import Write
from chalicelib.store.platform.transactions import ConditionFailed

RULE = "weekly_digest"

ON_TIME = timedelta(days=1)
"""How long after its time a digest says nothing of being late."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """A member whose weeks begin at an hour of their own."""

    member: Member
    preferences: Preferences
    zone: str

    @property
    def side(self) -> Owner:
        return Owner(self.member.kind.value)

    def due_on(self, monday: date) -> datetime:
        return due_on(monday, hour=self.preferences.digest_hour, zone=self.zone)

    def week_of(self, now: datetime) -> date:
        return week_of(now, hour=self.preferences.digest_hour, zone=self.zone)

    def due_after(self, settled: date, now: datetime) -> datetime:
        return due_after(settled, now=now, hour=self.preferences.digest_hour, zone=self.zone)


def digest_writes(
    before: Member | None, after: Member, *, stores: Stores, now: datetime
) -> Sequence[Write]:
    """What making or changing a member adds to its transaction: digests begin, end, or go on."""
    was_told = before is not None and _is_told(before)
    if _is_told(after) == was_told:
        return ()
    if was_told:
        return [stores.digests.ending(after.member_id)]
    preferences = stores.recipients.preferences(after.member_id)
    return [_beginning(_reader(after, preferences, stores=stores), stores=stores, now=now)]


def choose(
    member: Member, wanted: Preferences, *, version: int, stores: Stores, now: datetime
) -> Preferences | None:
    """Save how a member wants to be mailed, and move the digest with it. None if it was stale."""
    before = stores.recipients.preferences(member.member_id)
    saved, saving = stores.recipients.saving(member.member_id, wanted, version=version)
    moving = _moving(member, before, wanted, stores=stores, now=now)
    try:
        stores.ledger.commit(saving, *moving)
    except ConditionFailed:
        return None
    return saved


def tell_week(claim: Claim, *, stores: Stores, now: datetime) -> tuple[TaskState, Sequence[str]]:
    """Tell a member of the week that is due, if there is anything to tell, and wait for the next.

    Of several weeks that were missed the last one is told, and says since when it is late.

    Returns:
        What became of it, and the ids of the mails that it planned.
    """
    member = stores.members.get(claim.row["subject"])
    if member is None or not _is_told(member):
        stores.outbox.finish(claim, TaskState.SKIPPED, now=now)
        return TaskState.SKIPPED, ()
    reader = _reader(member, stores.recipients.preferences(member.member_id), stores=stores)
    week, settled = reader.week_of(now), settled_in(claim.row)
    entries: Sequence[Entry] = ()
    mail_ids: Sequence[str] = ()
    if week > settled:
        since = reader.due_on(settled + WEEK)
        entries = in_order(_entries(reader, stores=stores, now=now))
        if entries:
            notice = _notice(claim, reader, entries, week=week, since=since, now=now)
            mail_ids = _tell(notice, _mail(notice, reader, entries, since), stores=stores)
        settled = week
    following = reader.due_after(settled, now)
    stores.digests.move_on(claim, settled=settled, due=following)
    return (TaskState.DONE if entries else TaskState.SKIPPED), mail_ids


def _is_told(member: Member) -> bool:
    return member.active and member.cares


def _reader(member: Member, preferences: Preferences, *, stores: Stores) -> _Reader:
    return _Reader(member, preferences, zone_of(member, preferences, stores=stores))


def _beginning(reader: _Reader, *, stores: Stores, now: datetime) -> Write:
    """Digests from the next one on: of the weeks before there is nothing to catch up."""
    settled = reader.week_of(now)
    due = reader.due_after(settled, now)
    return stores.digests.setting(reader.member, settled=settled, due=due)


def _moving(
    member: Member, before: Preferences, wanted: Preferences, *, stores: Stores, now: datetime
) -> Sequence[Write]:
    """The digest to other hours. This week's is not lost by it, and not told again."""
    is_moved = (before.digest_hour, before.time_zone) != (wanted.digest_hour, wanted.time_zone)
    if not is_moved or not _is_told(member):
        return ()
    reader = _reader(member, wanted, stores=stores)
    settled = stores.digests.settled(member.member_id)
    if settled is None:
        return [_beginning(reader, stores=stores, now=now)]
    due = reader.due_after(settled, now)
    return [stores.digests.setting(member, settled=settled, due=due)]


def _entries(reader: _Reader, *, stores: Stores, now: datetime) -> Iterator[Entry]:
    """What is on a digest, by the list of the reader's own tenant."""
    member = reader.member
    for row in stores.referrals.summaries(index=index_of(member), tenant_id=member.tenant_id):
        entry = entry_of(
            row.referral_id, row.standing, changed_at=row.updated_at, side=reader.side, now=now
        )
        if entry:
            yield entry


def _tell(notice: Notice, mail: Mail | None, *, stores: Stores) -> Sequence[str]:
    """Write the notice with its mail, once; the id of the mail if it is new."""
    planning = [stores.mails.planning(mail)] if mail else []
    try:
        stores.ledger.commit(stores.notices.telling(notice), *planning)
    except ConditionFailed as e:
        if NOTICE not in e.items:
            raise
        # A run told it that died before it moved the row on.
        return ()
    return [mail.mail_id] if mail else []


def _notice(
    claim: Claim,
    reader: _Reader,
    entries: Sequence[Entry],
    *,
    week: date,
    since: datetime,
    now: datetime,
) -> Notice:
    member = reader.member
    # By the week and not by its hour, which may change on the very day.
    notice_id = derived_id(f"ntc_{week:%Y%m%d}T000000000000", RULE, member.member_id)
    is_mailed = reader.preferences.timing(Category.DIGEST) is not Timing.NEVER
    was_due = since.astimezone(ZoneInfo(reader.zone)).date() if now - since > ON_TIME else None
    return Notice(
        notice_id=notice_id,
        member_id=member.member_id,
        tenant_id=member.tenant_id,
        outbox_id=claim.outbox_id,
        rule=RULE,
        title=title_of(entries, side=reader.side, was_due=was_due),
        referral_id="",
        alias="",
        created_at=now,
        category=Category.DIGEST,
        mail_id=derived_id("mail", notice_id) if is_mailed else None,
    )


def _mail(
    notice: Notice, reader: _Reader, entries: Sequence[Entry], since: datetime
) -> Mail | None:
    """The mail of a digest: weekly as the digest is, also for who wants daily mails."""
    if notice.mail_id is None:
        return None
    now = notice.created_at
    listed = entries[: words.MOST_LISTED]
    return Mail(
        mail_id=notice.mail_id,
        kind=MailKind.DIGEST,
        member_id=notice.member_id,
        subject=reader.member.subject,
        tenant_id=notice.tenant_id,
        referral_id=notice.referral_id,
        notice_ids=(notice.notice_id,),
        due_at=due_at(Timing.AT_ONCE, reader.preferences, zone=reader.zone, last=None, now=now),
        late_since=since if now - since > ON_TIME else None,
        listed=tuple(entry.referral_id for entry in listed),
        unlisted=len(entries) - len(listed),
    )
