"""Send the emails that are due: claim each one, look up its recipient again, send it, and mark it.

An email can be sent twice only if a run crashes after SES accepted it and before we marked it. The run
that takes over first checks whether an SES event shows that SES accepted it. So there is one copy, and
at most one more for each such crash whose event did not arrive before the lease ended.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from chalicelib import metrics
from chalicelib.domain.notices.mail_timing import KINDS_SENT_ALONE, Mail, MailKind
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.metrics import Metric
from chalicelib.observe import log
from chalicelib.services.notices.compose import OutgoingMail
from chalicelib.services.notices.escalation import escalate_to_colleague
from chalicelib.services.notices.mail_facts import MailFacts, read_mail_facts
from chalicelib.services.notices.newer_tasks import NewerTasks
from chalicelib.services.notices.retry_policy import (
    describe_error,
    describe_outage,
    fail_if_exhausted,
    reschedule_or_fail,
)
from chalicelib.services.platform.run_context import JobContext
from chalicelib.services.platform.threads import group_by_key, run_at_once
from chalicelib.store.notices.leases import Claim
from chalicelib.store.notices.mails import UNREACHED_REASONS, item_to_mail, mail_to_item, was_accepted_by_ses
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.platform.transactions import ConditionFailedError

MAX_SINGLE_MAILS = 3
"""Up to this many due emails for one member are sent separately. More are merged into one."""

MAX_MAILS_PER_SHARD = 500
"""How many emails are read at once, so that all waiting emails for a member are seen together."""

MAX_BATCHES = 50
"""How many times a run reads more emails before it leaves the rest to the next run."""

MAX_REFUSALS = 3
"""After this many refusals in a row SES counts as down. The other emails stay due for the next run."""

SENT_LINE = "email sent"
"""The line of the log about an email that SES accepted."""

_MAX_MERGED = 90
"""How many emails are merged at once. A transaction has 100 items at most."""


@dataclass
class MailSender:
    """Sends the emails of one run.

    Attributes:
        context: Its `now` decides what is due, and it is the time at which an email was sent.
        newer: The emails and tasks that only a newer release can read.
        refusal_count: How many times in a row SES has refused. Threads that count at the same moment may count
            one refusal too few, so that the run tries once more.
    """

    context: JobContext
    newer: NewerTasks
    refusal_count: int = 0

    def send_due(self) -> Counter[str]:
        """Send every due email. The counts are those of `outbox_worker.process_queue`."""
        counts: Counter[str] = Counter()
        for _ in range(MAX_BATCHES):
            due = self.context.stores.outbox.list_due(
                TaskQueue.MAIL, by=self.context.now, limit=MAX_MAILS_PER_SHARD, shards=self.context.shards
            )
            batch_counts = self.send(due)
            counts.update(batch_counts)
            finished = sum(batch_counts.values()) - batch_counts["taken"] - batch_counts["failed"]
            if not finished or self._must_stop():
                break
        return counts

    def send(self, rows: Iterable[Item]) -> Counter[str]:
        """Send emails. If one member has many, they are merged. The emails of one member are sent in order."""
        in_order = sorted(self.newer.set_aside(rows), key=_get_member_and_due_time)
        groups = group_by_key(in_order, lambda row: str(row["member_id"]))
        counts_of_groups: Sequence[Counter[str]] = [Counter() for _ in groups]
        sending = [partial(self._send_to_member, *each) for each in zip(groups, counts_of_groups, strict=True)]
        try:
            run_at_once(sending, threads=self.context.threads)
        finally:
            counts = sum(counts_of_groups, Counter[str]())
            _count_mails(counts)
        return counts

    def _send_to_member(self, rows: Sequence[Item], counts: Counter[str]) -> None:
        if self._must_stop():
            return
        for row in self._try_merge_for_member(rows, counts):
            if self._must_stop():
                return
            counts.update(self._attempt_mail(row))

    def _try_merge_for_member(self, rows: Sequence[Item], counts: Counter[str]) -> Sequence[Item]:
        """Merge a member's due emails. If the table does not respond, they wait, and only they."""
        try:
            return self._merge_for_member(rows)
        except UnavailableError as e:
            log.warning("emails not reached", error=describe_outage(e))
            counts["failed"] += len(rows)
            return ()

    def _must_stop(self) -> bool:
        return self.refusal_count >= MAX_REFUSALS or not self.context.has_time()

    def _merge_for_member(self, rows: Sequence[Item]) -> Sequence[Item]:
        """Merge a member's due emails if there are many. Some kinds of email are never merged."""
        mergeable = [row for row in rows if MailKind(row["kind"]) not in KINDS_SENT_ALONE]
        if not _should_merge(mergeable):
            return rows
        mergeable = self._reread_due(mergeable)
        # Sent separately: urgent emails and digests, and emails that a crashed run may have sent.
        separate = [row for row in rows if MailKind(row["kind"]) in KINDS_SENT_ALONE]
        separate += [row for row in mergeable if was_accepted_by_ses(row)]
        mergeable = [row for row in mergeable if not was_accepted_by_ses(row)]
        while _should_merge(mergeable):
            merged = self._merge_into_one_mail(mergeable[:_MAX_MERGED])
            if merged is None:
                # Another run has some of them. What it leaves stays due.
                return separate
            mergeable = [merged, *mergeable[_MAX_MERGED:]]
        return [*separate, *mergeable]

    def _reread_due(self, rows: Sequence[Item]) -> list[Item]:
        """Read rows from the table that came from the index. Rows that are no longer due are left out."""
        ids = [row["outbox_id"] for row in rows]
        now = to_timestamp(self.context.now)
        return [
            row
            for row in self.newer.set_aside(self.context.stores.outbox.list_unfinished(ids, queue=TaskQueue.MAIL))
            if row["due_at"] <= now
        ]

    def _merge_into_one_mail(self, rows: Sequence[Item]) -> Item | None:
        """Merge several emails into one. Return its row, or None if another run has one of them."""
        merged = _build_merged_mail([item_to_mail(row) for row in rows], due_at=self.context.now)
        try:
            self.context.stores.transactions.commit(*self.context.stores.mails.prepare_merge(merged, rows))
        except ConditionFailedError:
            return None
        # Return the row as it was written and do not read it again. Another run may have claimed or sent
        # it already, and a row that is read after that could be claimed a second time.
        return mail_to_item(merged)

    def _attempt_mail(self, row: Item) -> Mapping[str, int]:
        pace = self.context.mail_pace
        try:
            # Before the claim, so that neither the lease nor what is read for the email gets older in the queue.
            pace.wait_for_turn()
            counts = self._attempt_in_turn(row)
        except UnavailableError as e:
            # The turn, the claim, or the mark after a failure. A claim that was written ends with its lease.
            log.warning("email not reached", outbox_id=row["outbox_id"], error=describe_outage(e))
            return {"failed": 1}
        if not counts.keys() & {"mails", "failed"}:
            pace.give_back_turn()
        return counts

    def _attempt_in_turn(self, row: Item) -> Mapping[str, int]:
        if not self.context.has_time():
            return {}
        claim = self.context.stores.outbox.claim(row, now=self.context.now)
        return {"taken": 1} if claim is None else self._attempt_claimed(claim)

    def _attempt_claimed(self, claim: Claim) -> Mapping[str, int]:
        try:
            outcome = self._send_claimed(claim)
        except UnavailableError as e:
            self.refusal_count += 1
            log.warning("email must wait", outbox_id=claim.outbox_id, error=describe_outage(e))
            self.context.stores.mails.release(claim)
            return {"failed": 1}
        except TemplateError as e:
            # Another attempt would not help. A person must fix the template.
            log.error("task failed for the last time", outbox_id=claim.outbox_id, error=describe_error(e))
            self.context.stores.outbox.mark_failed(claim, error=describe_error(e), now=self.context.now)
            return {"failed": 1, "parked": 1}
        except Exception as e:  # noqa: BLE001 one email must not delay the others; it is logged and tried again
            return reschedule_or_fail(claim, e, context=self.context)
        self.refusal_count = 0
        return outcome

    def _send_claimed(self, claim: Claim) -> Mapping[str, int]:
        # Read after the claim, because the index can lag. No notice can join a claimed email.
        facts = read_mail_facts(claim.row, stores=self.context.stores)
        row = facts.row
        if row is None:
            return {"unsent": 1}
        if was_accepted_by_ses(row):
            self.context.stores.mails.mark_sent(claim, message_id=None, now=self.context.now)
            return {"found": 1}
        with self._escalate_on_final_failure(claim, item_to_mail(row)):
            fail_if_exhausted(claim)
            return self._send_via_ses(claim, item_to_mail(row), facts)

    def _send_via_ses(self, claim: Claim, mail: Mail, facts: MailFacts) -> Mapping[str, int]:
        outgoing = OutgoingMail(mail, facts, self.context)
        if outgoing.skip_reason:
            if outgoing.skip_reason in UNREACHED_REASONS:
                # Escalate before the email is marked, so that if this run crashes the next one escalates.
                escalate_to_colleague(mail, context=self.context)
            self.context.stores.mails.mark_skipped(claim, outgoing.skip_reason, now=self.context.now)
            return {"unsent": 1}
        message = outgoing.compose(self.context.sign_in_url, sender=self.context.sender)
        message_id = self.context.mailer.send(message, tag=mail.mail_id)
        # The log is outside the tables: after a restore it shows which notices were emailed (`referrals restore`).
        log.info(SENT_LINE, outbox_id=mail.mail_id, member_id=mail.member_id, notice_ids=list(mail.notice_ids))
        self.context.stores.mails.mark_sent(claim, message_id=message_id, now=self.context.now)
        return {"mails": 1}

    @contextmanager
    def _escalate_on_final_failure(self, claim: Claim, mail: Mail) -> Iterator[None]:
        """Escalate a critical email that fails for the last time, because its recipient may not be notified."""
        try:
            yield
        except UnavailableError:
            raise
        except Exception as e:
            if claim.is_last_attempt or isinstance(e, TemplateError):
                escalate_to_colleague(mail, context=self.context)
            raise


def _count_mails(counts: Mapping[str, int]) -> None:
    """Write how many emails were sent, failed or left out as metrics, if there were any."""
    values = {
        Metric.EMAILS_SENT: counts.get("mails", 0) + counts.get("found", 0),
        Metric.EMAILS_FAILED: counts.get("failed", 0),
        Metric.EMAILS_SUPPRESSED: counts.get("unsent", 0),
    }
    counted = {metric: value for metric, value in values.items() if value}
    if counted:
        metrics.emit(counted)


def _should_merge(rows: Sequence[Item]) -> bool:
    """Whether there are too many emails to send separately. An email that was merged before takes in all others."""
    has_merged = any(row["kind"] == MailKind.GATHERED for row in rows)
    return len(rows) > (1 if has_merged else MAX_SINGLE_MAILS)


def _build_merged_mail(mails: Sequence[Mail], *, due_at: datetime) -> Mail:
    """Build one email with the notices of several. It is late since the first of them was due."""
    first = min(mails, key=lambda mail: mail.due_at)
    referral_ids = {mail.referral_id for mail in mails}
    return Mail(
        mail_id=derive_id("mail", *(mail.mail_id for mail in mails)),
        kind=MailKind.GATHERED,
        member_id=first.member_id,
        recipient_subject=first.recipient_subject,
        tenant_id=first.tenant_id,
        referral_id=first.referral_id if len(referral_ids) == 1 else "",
        notice_ids=tuple(notice_id for mail in mails for notice_id in mail.notice_ids),
        due_at=due_at,
        late_since=min(mail.late_since or mail.due_at for mail in mails),
    )


def _get_member_and_due_time(row: Item) -> tuple[str, str]:
    return row["member_id"], row["due_at"]
