"""Sending what is due: whom a mail is for is looked up anew, then it is claimed, sent and marked.

A mail may be sent again only if a run dies after the mail service took it and before we marked
it. Whoever takes over looks first whether the service has said meanwhile that it took it. So
there is one copy, and at most one more for each such death whose event did not arrive within the
lease.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from chalicelib.domain.notices.mail_timing import KINDS_SENT_ALONE, Mail, MailKind
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.events import derive_id
from chalicelib.errors import UnavailableError
from chalicelib.mail import TemplateError
from chalicelib.observe import log
from chalicelib.services.notices.compose import OutgoingMail
from chalicelib.services.notices.escalation import escalate_to_colleague
from chalicelib.services.notices.retry_policy import describe_error, fail_if_exhausted, reschedule_or_fail
from chalicelib.services.platform.run_context import JobContext
from chalicelib.store.notices.leases import Claim
from chalicelib.store.notices.mails import UNREACHED_REASONS, item_to_mail, mail_to_item, was_accepted_by_ses
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.platform.transactions import ConditionFailedError

MAX_SINGLE_MAILS = 3
"""Of so many mails that are due for one member each is sent; of more, one for all."""

MAX_MAILS_PER_SHARD = 500
"""How many are read at once: of whom much waits after an outage is then seen together."""

MAX_BATCHES = 50
"""How often a run reads on before it leaves the rest to the next one."""

MAX_REFUSALS = 3
"""After so many in a row the mail service is down: the rest keeps its place until the next run."""

_MAX_MERGED = 90
"""A transaction has 100 items at most."""


@dataclass
class MailSender:
    """Sends the mail of one run.

    Attributes:
        context: Its `now` says due by when, and is the time at which a mail was sent.
    """

    context: JobContext
    refusal_count: int = 0

    def send_due(self) -> Counter[str]:
        """Send everything that is due; counts as `duties.work_off` tells them."""
        counts: Counter[str] = Counter()
        for _ in range(MAX_BATCHES):
            due = self.context.stores.outbox.list_due(TaskQueue.MAIL, by=self.context.now, limit=MAX_MAILS_PER_SHARD)
            tried = self.send(due)
            counts.update(tried)
            moved = sum(tried.values()) - tried["taken"] - tried["failed"]
            if not moved or self._must_stop():
                break
        return counts

    def send(self, rows: Iterable[Item]) -> Counter[str]:
        """Send some mails, those of one member together where they are many."""
        counts: Counter[str] = Counter()
        for _, of_member in groupby(sorted(rows, key=_get_member_id), key=lambda r: r["member_id"]):
            for row in self._merge_by_member(list(of_member)):
                if self._must_stop():
                    return counts
                counts.update(self._attempt_mail(row))
        return counts

    def _must_stop(self) -> bool:
        return self.refusal_count >= MAX_REFUSALS or not self.context.has_time()

    def _merge_by_member(self, rows: Sequence[Item]) -> Sequence[Item]:
        """A member's due mails as they are to be sent: many become one, not what goes alone."""
        plain = [row for row in rows if MailKind(row["kind"]) not in KINDS_SENT_ALONE]
        if not _should_merge(plain):
            return rows
        plain = self._reread_due(plain)
        # Each by itself: what is urgent or a digest, and what a run may have sent that died.
        alone = [row for row in rows if MailKind(row["kind"]) in KINDS_SENT_ALONE]
        alone += [row for row in plain if was_accepted_by_ses(row)]
        plain = [row for row in plain if not was_accepted_by_ses(row)]
        while _should_merge(plain):
            one = self._merge_into_one_mail(plain[:_MAX_MERGED])
            if one is None:
                # Another run has some of them; what it leaves is found again.
                return alone
            plain = [one, *plain[_MAX_MERGED:]]
        return [*alone, *plain]

    def _reread_due(self, rows: Sequence[Item]) -> list[Item]:
        """Rows of an index, read anew; what is not due any more is left out."""
        ids = [row["outbox_id"] for row in rows]
        now = to_timestamp(self.context.now)
        return [
            row for row in self.context.stores.outbox.list_unfinished(ids, queue=TaskQueue.MAIL) if row["due_at"] <= now
        ]

    def _merge_into_one_mail(self, rows: Sequence[Item]) -> Item | None:
        """One mail's row instead of several; None if another run has one of them."""
        one = _build_merged_mail([item_to_mail(row) for row in rows], due_at=self.context.now)
        try:
            self.context.stores.transactions.commit(*self.context.stores.mails.prepare_merge(one, rows))
        except ConditionFailedError:
            return None
        # As it was written, not as it is now: another run may have claimed or sent it already,
        # and what it is read to be by then could be claimed a second time.
        return mail_to_item(one)

    def _attempt_mail(self, row: Item) -> Mapping[str, int]:
        claim = self.context.stores.outbox.claim(row, now=self.context.now)
        if claim is None:
            return {"taken": 1}
        try:
            outcome = self._send_claimed(claim)
        except UnavailableError as e:
            self.refusal_count += 1
            log.warning("mail has to wait", outbox_id=claim.outbox_id, error=e.code)
            self.context.stores.mails.release(claim)
            return {"failed": 1}
        except TemplateError as e:
            # Trying again would not help; a person has to look at the template.
            log.error("task parked", outbox_id=claim.outbox_id, error=describe_error(e))
            self.context.stores.outbox.mark_failed(claim, error=describe_error(e), now=self.context.now)
            return {"failed": 1, "parked": 1}
        except Exception as e:  # noqa: BLE001 one mail must not hold up the others; it is logged and tried again
            return reschedule_or_fail(claim, e, context=self.context)
        self.refusal_count = 0
        return outcome

    def _send_claimed(self, claim: Claim) -> Mapping[str, int]:
        # Read after the claim, which nothing can join any more: the index may be behind.
        row = self.context.stores.mails.get(claim.outbox_id)
        if row is None:
            return {"unsent": 1}
        if was_accepted_by_ses(row):
            self.context.stores.mails.mark_sent(claim, message_id=None, now=self.context.now)
            return {"found": 1}
        with self._escalate_on_final_failure(claim, item_to_mail(row)):
            fail_if_exhausted(claim)
            return self._send_via_ses(claim, item_to_mail(row))

    def _send_via_ses(self, claim: Claim, mail: Mail) -> Mapping[str, int]:
        letter = OutgoingMail(mail, self.context)
        if letter.skip_reason:
            if letter.skip_reason in UNREACHED_REASONS:
                # Before the mark: a run that dies in between is made up for by the next.
                escalate_to_colleague(mail, context=self.context)
            self.context.stores.mails.mark_skipped(claim, letter.skip_reason, now=self.context.now)
            return {"unsent": 1}
        message_id = self.context.mailer.send(letter.compose(self.context.sign_in_url), tag=mail.mail_id)
        self.context.stores.mails.mark_sent(claim, message_id=message_id, now=self.context.now)
        return {"mails": 1}

    @contextmanager
    def _escalate_on_final_failure(self, claim: Claim, mail: Mail) -> Iterator[None]:
        """Tell a colleague of a critical mail that fails for good: whom it is for may not hear."""
        try:
            yield
        except UnavailableError:
            raise
        except Exception as e:
            if claim.is_last_attempt or isinstance(e, TemplateError):
                escalate_to_colleague(mail, context=self.context)
            raise


def _should_merge(rows: Sequence[Item]) -> bool:
    """Whether mails are too many to be sent each; what was gathered before takes in all others."""
    gathered = any(row["kind"] == MailKind.GATHERED for row in rows)
    return len(rows) > (1 if gathered else MAX_SINGLE_MAILS)


def _build_merged_mail(mails: Sequence[Mail], *, due_at: datetime) -> Mail:
    """One mail for the notices of several, late since the first of them was due."""
    first = min(mails, key=lambda mail: mail.due_at)
    about = {mail.referral_id for mail in mails}
    return Mail(
        mail_id=derive_id("mail", *(mail.mail_id for mail in mails)),
        kind=MailKind.GATHERED,
        member_id=first.member_id,
        recipient_subject=first.recipient_subject,
        tenant_id=first.tenant_id,
        referral_id=first.referral_id if len(about) == 1 else "",
        notice_ids=tuple(notice_id for mail in mails for notice_id in mail.notice_ids),
        due_at=due_at,
        late_since=min(mail.late_since or mail.due_at for mail in mails),
    )


def _get_member_id(row: Item) -> tuple[str, str]:
    return row["member_id"], row["due_at"]
