"""Weekly digests: planned when a member is added, moved when the member's hours change, sent once a week.

The outbox row only has the time to check. The content of a digest is read when its notice is written,
and again, patient by patient, when it is emailed (`services.notices.compose`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib import mail as templates
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
from chalicelib.domain.platform.ids import derive_id
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
"""How long after its due time a digest does not mention a delay."""


@dataclass(frozen=True, slots=True)
class _DigestRecipient:
    """A member, with the hour and the time zone at which the member's week begins."""

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

    def compute_next_due_time(self, last_done_week: date, now: datetime) -> datetime:
        return compute_next_digest_time(last_done_week, now=now, hour=self.preferences.digest_hour, zone=self.zone)


def prepare_digest_writes(before: Member | None, after: Member, *, context: RunContext) -> Sequence[TransactionWrite]:
    """Build the writes that start or end the digests of a member who is added or changed."""
    got_digest = before is not None and _gets_digest(before)
    if _gets_digest(after) == got_digest:
        return ()
    if got_digest:
        return [context.stores.digests.prepare_end(after.member_id)]
    preferences = context.stores.recipients.get_preferences(after.member_id)
    return [_prepare_first_digest(_build_recipient(after, preferences, stores=context.stores), context=context)]


def save_preferences(
    member: Member, preferences: Preferences, *, version: int, context: RunContext
) -> Preferences | None:
    """Save the email preferences of a member, and move the digest. Return None if `version` is not current."""
    before = context.stores.recipients.get_preferences(member.member_id)
    preferences = replace(preferences, unknown_members=before.unknown_members)
    saved, write = context.stores.recipients.prepare_save(member.member_id, preferences, version=version)
    digest_writes = _prepare_moved_digest(member, before, preferences, context=context)
    try:
        context.stores.transactions.commit(write, *digest_writes)
    except ConditionFailedError:
        return None
    return saved


def notify_weekly_digest(claim: Claim, *, context: RunContext) -> tuple[TaskState, Sequence[str]]:
    """Send a member the digest of the week that is due, if it has any entry, and schedule the next one.

    If several weeks were missed, only the last one is sent, and it has the date since which it is late.

    Returns:
        The new state, and the ids of the emails that it planned.
    """
    member = context.stores.members.get_by_subject(claim.row["subject"])
    if member is None or not _gets_digest(member):
        context.stores.outbox.finish(claim, TaskState.SKIPPED, now=context.now)
        return TaskState.SKIPPED, ()
    recipient = _build_recipient(
        member, context.stores.recipients.get_preferences(member.member_id), stores=context.stores
    )
    week, last_done_week = recipient.find_current_week(context.now), parse_last_done_week(claim.row)
    entries: Sequence[DigestEntry] = ()
    mail_ids: Sequence[str] = ()
    if week > last_done_week:
        since = recipient.compute_due_time(last_done_week + WEEK)
        entries = sort_digest_entries(_list_entries(recipient, context=context))
        if entries:
            notice = _build_notice(claim, recipient, entries, week=week, since=since, now=context.now)
            mail_ids = _write_notice(notice, _build_mail(notice, recipient, entries, since), stores=context.stores)
        last_done_week = week
    next_due = recipient.compute_next_due_time(last_done_week, context.now)
    context.stores.digests.set_next_week(claim, last_done_week=last_done_week, due=next_due)
    return (TaskState.DONE if entries else TaskState.SKIPPED), mail_ids


def _gets_digest(member: Member) -> bool:
    return member.active and member.has_clinical_access


def _build_recipient(member: Member, preferences: Preferences, *, stores: Stores) -> _DigestRecipient:
    return _DigestRecipient(member, preferences, get_member_zone(member, preferences, stores=stores))


def _prepare_first_digest(recipient: _DigestRecipient, *, context: RunContext) -> TransactionWrite:
    """Schedule the next digest. Earlier weeks are not sent."""
    last_done_week = recipient.find_current_week(context.now)
    due = recipient.compute_next_due_time(last_done_week, context.now)
    return context.stores.digests.prepare_set(recipient.member, last_done_week=last_done_week, due=due)


def _prepare_moved_digest(
    member: Member, before: Preferences, preferences: Preferences, *, context: RunContext
) -> Sequence[TransactionWrite]:
    """Move the digest to other hours. This week's digest is neither lost nor sent again."""
    is_moved = (before.digest_hour, before.time_zone) != (preferences.digest_hour, preferences.time_zone)
    if not is_moved or not _gets_digest(member):
        return ()
    recipient = _build_recipient(member, preferences, stores=context.stores)
    last_done_week = context.stores.digests.get_last_done_week(member.member_id)
    if last_done_week is None:
        return [_prepare_first_digest(recipient, context=context)]
    due = recipient.compute_next_due_time(last_done_week, context.now)
    return [context.stores.digests.prepare_set(member, last_done_week=last_done_week, due=due)]


def _list_entries(recipient: _DigestRecipient, *, context: RunContext) -> Iterator[DigestEntry]:
    """List the entries of a digest from the list of the recipient's own tenant."""
    member = recipient.member
    for row in context.stores.referrals.list_summaries(index=get_index_name(member), tenant_id=member.tenant_id):
        if recipient.side is NextActor.CENTER and row.stage_summary.sharing_stopped:
            continue
        entry = build_digest_entry(
            row.referral_id, row.stage_summary, changed_at=row.updated_at, side=recipient.side, now=context.now
        )
        if entry:
            yield entry


def _write_notice(notice: Notice, mail: Mail | None, *, stores: Stores) -> Sequence[str]:
    """Write the notice with its email, once. Return the id of the email if it is new."""
    mail_writes = [stores.mails.prepare_plan(mail)] if mail else []
    try:
        stores.transactions.commit(stores.notices.prepare_add(notice), *mail_writes)
    except ConditionFailedError as e:
        if NOTICE not in e.items:
            raise
        # A run wrote it and crashed before it scheduled the next week.
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
    # The id depends on the week and not on its hour, because the hour can change on the same day.
    notice_id = derive_id(f"ntc_{week:%Y%m%d}T000000000000", DIGEST_RULE, member.member_id)
    is_mailed = recipient.preferences.get_timing(Category.DIGEST) is not MailTiming.NEVER
    was_due = since.astimezone(ZoneInfo(recipient.zone)).date() if now - since > ON_TIME_WITHIN else None
    return Notice(
        notice_id=notice_id,
        member_id=member.member_id,
        tenant_id=member.tenant_id,
        outbox_id=claim.outbox_id,
        rule=DIGEST_RULE,
        title=format_digest_title(entries, side=recipient.side, was_due_on=was_due),
        referral_id="",
        alias="",
        created_at=now,
        category=Category.DIGEST,
        mail_id=derive_id("mail", notice_id) if is_mailed else None,
    )


def _build_mail(
    notice: Notice, recipient: _DigestRecipient, entries: Sequence[DigestEntry], since: datetime
) -> Mail | None:
    """Build the email of a digest. It is weekly, also for a member who wants daily emails."""
    if notice.mail_id is None:
        return None
    now = notice.created_at
    listed = entries[: templates.MAX_LISTED]
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
