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
from chalicelib.domain.notices.mail_timing import Mail, MailKind, MailTiming, Preferences, compute_mail_time
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.notices.weekly_digest import (
    WEEK,
    DigestEntry,
    build_digest_entry,
    compute_digest_time,
    compute_next_digest_time,
    find_current_digest_week,
    format_digest_title,
    sort_digest_entries,
)
from chalicelib.domain.referrals.events import derive_id
from chalicelib.domain.referrals.stages import NextActor
from chalicelib.services.notices.notify import get_member_zone
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.search import get_index_name
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.digests import parse_last_done_week
from chalicelib.store.notices.leases import Claim, TaskState
from chalicelib.store.notices.notices import NOTICE, Notice
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError

DIGEST_RULE = "weekly_digest"

ON_TIME_WITHIN = timedelta(days=1)
"""How long after its time a digest says nothing of being late."""


@dataclass(frozen=True, slots=True)
class _DigestRecipient:
    """A member whose weeks begin at an hour of their own."""

    member: Member
    preferences: Preferences
    zone: str

    @property
    def side(self) -> NextActor:
        return NextActor(self.member.kind.value)

    def compute_due_time(self, monday: date) -> datetime:
        return compute_digest_time(monday, hour=self.preferences.digest_hour, zone=self.zone)

    def find_current_week(self, now: datetime) -> date:
        return find_current_digest_week(now, hour=self.preferences.digest_hour, zone=self.zone)

    def compute_next_due_time(self, settled: date, now: datetime) -> datetime:
        return compute_next_digest_time(settled, now=now, hour=self.preferences.digest_hour, zone=self.zone)


def prepare_digest_writes(before: Member | None, after: Member, *, context: RunContext) -> Sequence[TransactionWrite]:
    """What making or changing a member adds to its transaction: digests begin, end, or go on."""
    was_told = before is not None and _gets_digest(before)
    if _gets_digest(after) == was_told:
        return ()
    if was_told:
        return [context.stores.digests.prepare_end(after.member_id)]
    preferences = context.stores.recipients.get_preferences(after.member_id)
    return [_prepare_first_digest(_build_recipient(after, preferences, stores=context.stores), context=context)]


def save_preferences(
    member: Member, preferences: Preferences, *, version: int, context: RunContext
) -> Preferences | None:
    """Save how a member wants to be mailed, and move the digest with it. None if it was stale."""
    before = context.stores.recipients.get_preferences(member.member_id)
    saved, saving = context.stores.recipients.prepare_save(member.member_id, preferences, version=version)
    moving = _prepare_moved_digest(member, before, preferences, context=context)
    try:
        context.stores.transactions.commit(saving, *moving)
    except ConditionFailedError:
        return None
    return saved


def notify_weekly_digest(claim: Claim, *, context: RunContext) -> tuple[TaskState, Sequence[str]]:
    """Tell a member of the week that is due, if there is anything to tell, and wait for the next.

    Of several weeks that were missed the last one is told, and says since when it is late.

    Returns:
        What became of it, and the ids of the mails that it planned.
    """
    member = context.stores.members.get_by_subject(claim.row["subject"])
    if member is None or not _gets_digest(member):
        context.stores.outbox.finish(claim, TaskState.SKIPPED, now=context.now)
        return TaskState.SKIPPED, ()
    reader = _build_recipient(
        member, context.stores.recipients.get_preferences(member.member_id), stores=context.stores
    )
    week, settled = reader.find_current_week(context.now), parse_last_done_week(claim.row)
    entries: Sequence[DigestEntry] = ()
    mail_ids: Sequence[str] = ()
    if week > settled:
        since = reader.compute_due_time(settled + WEEK)
        entries = sort_digest_entries(_list_entries(reader, context=context))
        if entries:
            notice = _build_notice(claim, reader, entries, week=week, since=since, now=context.now)
            mail_ids = _write_notice(notice, _build_mail(notice, reader, entries, since), stores=context.stores)
        settled = week
    following = reader.compute_next_due_time(settled, context.now)
    context.stores.digests.set_next_week(claim, last_done_week=settled, due=following)
    return (TaskState.DONE if entries else TaskState.SKIPPED), mail_ids


def _gets_digest(member: Member) -> bool:
    return member.active and member.has_clinical_access


def _build_recipient(member: Member, preferences: Preferences, *, stores: Stores) -> _DigestRecipient:
    return _DigestRecipient(member, preferences, get_member_zone(member, preferences, stores=stores))


def _prepare_first_digest(recipient: _DigestRecipient, *, context: RunContext) -> TransactionWrite:
    """Digests from the next one on: of the weeks before there is nothing to catch up."""
    settled = recipient.find_current_week(context.now)
    due = recipient.compute_next_due_time(settled, context.now)
    return context.stores.digests.prepare_set(recipient.member, last_done_week=settled, due=due)


def _prepare_moved_digest(
    member: Member, before: Preferences, preferences: Preferences, *, context: RunContext
) -> Sequence[TransactionWrite]:
    """The digest to other hours. This week's is not lost by it, and not told again."""
    is_moved = (before.digest_hour, before.time_zone) != (preferences.digest_hour, preferences.time_zone)
    if not is_moved or not _gets_digest(member):
        return ()
    reader = _build_recipient(member, preferences, stores=context.stores)
    settled = context.stores.digests.get_last_done_week(member.member_id)
    if settled is None:
        return [_prepare_first_digest(reader, context=context)]
    due = reader.compute_next_due_time(settled, context.now)
    return [context.stores.digests.prepare_set(member, last_done_week=settled, due=due)]


def _list_entries(recipient: _DigestRecipient, *, context: RunContext) -> Iterator[DigestEntry]:
    """What is on a digest, by the list of the reader's own tenant."""
    member = recipient.member
    for row in context.stores.referrals.list_summaries(index=get_index_name(member), tenant_id=member.tenant_id):
        entry = build_digest_entry(
            row.referral_id, row.stage_summary, changed_at=row.updated_at, side=recipient.side, now=context.now
        )
        if entry:
            yield entry


def _write_notice(notice: Notice, mail: Mail | None, *, stores: Stores) -> Sequence[str]:
    """Write the notice with its mail, once; the id of the mail if it is new."""
    planning = [stores.mails.prepare_plan(mail)] if mail else []
    try:
        stores.transactions.commit(stores.notices.prepare_add(notice), *planning)
    except ConditionFailedError as e:
        if NOTICE not in e.items:
            raise
        # A run told it that died before it moved the row on.
        return ()
    return [mail.mail_id] if mail else []


def _build_notice(
    claim: Claim,
    recipient: _DigestRecipient,
    entries: Sequence[DigestEntry],
    *,
    week: date,
    since: datetime,
    now: datetime,
) -> Notice:
    member = recipient.member
    # By the week and not by its hour, which may change on the very day.
    notice_id = derive_id(f"ntc_{week:%Y%m%d}T000000000000", DIGEST_RULE, member.member_id)
    is_mailed = recipient.preferences.get_timing(Category.DIGEST) is not MailTiming.NEVER
    was_due = since.astimezone(ZoneInfo(recipient.zone)).date() if now - since > ON_TIME_WITHIN else None
    return Notice(
        notice_id=notice_id,
        member_id=member.member_id,
        tenant_id=member.tenant_id,
        outbox_id=claim.outbox_id,
        rule=DIGEST_RULE,
        title=format_digest_title(entries, side=recipient.side, due_at=was_due),
        referral_id="",
        alias="",
        created_at=now,
        category=Category.DIGEST,
        mail_id=derive_id("mail", notice_id) if is_mailed else None,
    )


def _build_mail(
    notice: Notice, recipient: _DigestRecipient, entries: Sequence[DigestEntry], since: datetime
) -> Mail | None:
    """The mail of a digest: weekly as the digest is, also for who wants daily mails."""
    if notice.mail_id is None:
        return None
    now = notice.created_at
    listed = entries[: words.MAX_LISTED]
    return Mail(
        mail_id=notice.mail_id,
        kind=MailKind.DIGEST,
        member_id=notice.member_id,
        recipient_subject=recipient.member.subject,
        tenant_id=notice.tenant_id,
        referral_id=notice.referral_id,
        notice_ids=(notice.notice_id,),
        due_at=compute_mail_time(MailTiming.AT_ONCE, recipient.preferences, zone=recipient.zone, last=None, now=now),
        late_since=since if now - since > ON_TIME_WITHIN else None,
        listed_referral_ids=tuple(entry.referral_id for entry in listed),
        unlisted_count=len(entries) - len(listed),
    )
