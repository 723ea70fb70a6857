"""Collects which notices were emailed, from the log and from the outbox, and finds emails that would be sent again."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import partial

from chalicelib.domain.platform.ids import derive_id
from chalicelib.services.notices.weekly_digest import DIGEST_RULE
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.notices.leases import TaskState
from chalicelib.store.notices.mails import was_accepted_by_ses
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp
from infra.restore.findings import Finding, FindingKind
from infra.restore.load import CheckScope
from infra.restore.pages import scan_table
from infra.restore.sent_log import SentMail, name_pair


def collect_sent_log(mails: Iterable[SentMail], scope: CheckScope) -> None:
    """Add what the log shows as sent."""
    for mail in mails:
        for notice_id in mail.notice_ids:
            if is_digest(mail.member_id, notice_id):
                scope.joins.add("sent digest", f"{mail.member_id}/{notice_id}", mail.mail_id)
                scope.joins.raise_to("digest", mail.member_id, notice_id)
            else:
                scope.joins.add("sent", name_pair(mail.member_id, notice_id), mail.mail_id)


def collect_mails(scope: CheckScope) -> Iterator[Finding]:
    """Add what the outbox shows as sent, and find emails in it that the log shows as sent."""
    for row in scan_table(scope.run.stores.outbox.table):
        if row.get("rule") != "mail":
            continue
        is_sent = (row["state"] == TaskState.DONE and "merged_into" not in row) or was_accepted_by_ses(row)
        if is_sent and _finished_at(row) >= scope.since:
            for notice_id in row["notice_ids"]:
                if not is_digest(row["member_id"], notice_id):
                    scope.joins.add("sent", name_pair(row["member_id"], notice_id), row["outbox_id"])
        elif row["state"] == TaskState.PLANNED and "lane" in row:
            yield from _check_waiting(row, scope)


def _check_waiting(row: Item, scope: CheckScope) -> Iterator[Finding]:
    notice_ids = list(row["notice_ids"])
    for notice_id in notice_ids:
        scope.joins.add("waiting", f"{row['member_id']}/{notice_id}", row["outbox_id"])
    unsent = [each for each in notice_ids if scope.joins.find("sent", name_pair(row["member_id"], each)) is None]
    unsent = [each for each in unsent if scope.joins.find("sent digest", f"{row['member_id']}/{each}") is None]
    if notice_ids and len(unsent) < len(notice_ids):
        yield Finding(
            kind=FindingKind.EMAIL_ALREADY_SENT,
            subject=row["referral_id"] or row["outbox_id"],
            detail=f"{row['outbox_id']} to {row['member_id']}",
            referral_id=row["referral_id"],
            tenant_id=row["tenant_id"],
            fix=partial(_settle_mail, row, unsent),
        )


def _settle_mail(row: Item, unsent: list[str], context: RunContext) -> None:
    """Mark a waiting email as sent, or remove from it what was sent in another email."""
    if unsent:
        change = "SET notice_ids = :unsent, held = :held"
        values = {"unsent": unsent, "held": len(unsent), "lane": row["lane"]}
        names = None
    else:
        change = "SET #state = :done, finished_at = :now REMOVE lane"
        values = {"done": TaskState.DONE, "now": to_timestamp(context.now), "lane": row["lane"]}
        names = {"#state": "state"}
    context.stores.outbox.table.update(
        {"outbox_id": row["outbox_id"]}, change, when="lane = :lane", values=values, names=names
    )


def record_sent(scope: CheckScope) -> int:
    """Store what was emailed, so that notices that are written again are not emailed again. Returns how many."""
    recipients, count = scope.run.stores.recipients, 0
    for pair, mail_id in scope.joins.list_unseen("sent"):
        member_id, _, notice = pair.partition("/")
        count += recipients.record_sent_mail(member_id, f"ntc_{notice}", mail_id)
    return count


def find_sent_digest_week(member_id: str, scope: CheckScope) -> date | None:
    """Find the week of the last digest that the log shows as sent to a member, by its Monday."""
    notice_id = scope.joins.find("digest", member_id)
    return date.fromisoformat(notice_id.removeprefix("ntc_")[:8]) if notice_id else None


def is_digest(member_id: str, notice_id: str) -> bool:
    """Whether a notice is a weekly digest, whose id depends on its week."""
    return notice_id.endswith(derive_id("", DIGEST_RULE, member_id))


def _finished_at(row: Item) -> datetime:
    return from_timestamp(row.get("finished_at") or row["due_at"])
