"""Sending what is due: whom a mail is for is looked up anew, then it is claimed, sent and marked.

A mail may be sent again only if a run dies after the mail service took it and before we marked
it. Whoever takes over looks first whether the service has said meanwhile that it took it. So
there is one copy, and at most one more for each such death whose event did not arrive within the
lease.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from chalicelib.domain.notices.mail_timing import BY_ITSELF, Mail, MailKind
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.referrals.events import derived_id
from chalicelib.errors import UnavailableError
from chalicelib.mail import Mailer, TemplateError
from chalicelib.observe import log
from chalicelib.services.notices.compose import Letter
from chalicelib.services.notices.escalation import escalate
from chalicelib.services.notices.retry_policy import kind_of, put_back, require_tries
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.leases import Claim
from chalicelib.store.notices.mails import UNREACHED, mail_of, row_of, was_taken
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import instant
from chalicelib.store.platform.transactions import ConditionFailed

MOST_AT_ONCE = 3
"""Of so many mails that are due for one member each is sent; of more, one for all."""

MAILS_PER_SHARD = 500
"""How many are read at once: of whom much waits after an outage is then seen together."""

READINGS = 50
"""How often a run reads on before it leaves the rest to the next one."""

REFUSALS = 3
"""After so many in a row the mail service is down: the rest keeps its place until the next run."""

_GATHERED_AT_ONCE = 90
"""A transaction has 100 items at most."""


def always() -> bool:
    """There is no end to the time of a run."""
    return True


@dataclass(kw_only=True)
class Postman:
    """One run's sending of mail.

    Attributes:
        link: Where a reader signs in.
        now: Due by when; what is sent says that it was sent then.
        has_time: Whether the run may begin another mail.
    """

    stores: Stores
    mailer: Mailer
    link: str
    now: datetime
    has_time: Callable[[], bool] = always
    refusals: int = 0

    def send_what_is_due(self) -> Counter[str]:
        """Send everything that is due; counts as `duties.work_off` tells them."""
        counts: Counter[str] = Counter()
        for _ in range(READINGS):
            due = self.stores.outbox.due(Lane.MAIL, by=self.now, limit=MAILS_PER_SHARD)
            tried = self.send(due)
            counts.update(tried)
            moved = sum(tried.values()) - tried["taken"] - tried["failed"]
            if not moved or self._is_over():
                break
        return counts

    def send(self, rows: Iterable[Item]) -> Counter[str]:
        """Send some mails, those of one member together where they are many."""
        counts: Counter[str] = Counter()
        for _, of_member in groupby(sorted(rows, key=_by_member), key=lambda r: r["member_id"]):
            for row in self._gathered(list(of_member)):
                if self._is_over():
                    return counts
                counts.update(self._attempted(row))
        return counts

    def _is_over(self) -> bool:
        return self.refusals >= REFUSALS or not self.has_time()

    def _gathered(self, rows: Sequence[Item]) -> Sequence[Item]:
        """A member's due mails as they are to be sent: many become one, not what goes alone."""
        plain = [row for row in rows if MailKind(row["kind"]) not in BY_ITSELF]
        if not _is_much(plain):
            return rows
        plain = self._as_they_are(plain)
        # Each by itself: what is urgent or a digest, and what a run may have sent that died.
        alone = [row for row in rows if MailKind(row["kind"]) in BY_ITSELF]
        alone += [row for row in plain if was_taken(row)]
        plain = [row for row in plain if not was_taken(row)]
        while _is_much(plain):
            one = self._made_one(plain[:_GATHERED_AT_ONCE])
            if one is None:
                # Another run has some of them; what it leaves is found again.
                return alone
            plain = [one, *plain[_GATHERED_AT_ONCE:]]
        return [*alone, *plain]

    def _as_they_are(self, rows: Sequence[Item]) -> list[Item]:
        """Rows of an index, read anew; what is not due any more is left out."""
        ids = [row["outbox_id"] for row in rows]
        now = instant(self.now)
        return [
            row for row in self.stores.outbox.named(ids, lane=Lane.MAIL) if row["due_at"] <= now
        ]

    def _made_one(self, rows: Sequence[Item]) -> Item | None:
        """One mail's row instead of several; None if another run has one of them."""
        one = _one_of([mail_of(row) for row in rows], due_at=self.now)
        try:
            self.stores.ledger.commit(*self.stores.mails.gathering(one, rows))
        except ConditionFailed:
            return None
        # As it was written, not as it is now: another run may have claimed or sent it already,
        # and what it is read to be by then could be claimed a second time.
        return row_of(one)

    def _attempted(self, row: Item) -> Mapping[str, int]:
        claim = self.stores.outbox.claim(row, now=self.now)
        if claim is None:
            return {"taken": 1}
        try:
            told = self._sent(claim)
        except UnavailableError as e:
            self.refusals += 1
            log.warning("mail has to wait", outbox_id=claim.outbox_id, error=e.code)
            self.stores.mails.give_back(claim)
            return {"failed": 1}
        except TemplateError as e:
            # Trying again would not help; a person has to look at the template.
            log.error("task parked", outbox_id=claim.outbox_id, error=kind_of(e))
            self.stores.outbox.park(claim, error=kind_of(e), now=self.now)
            return {"failed": 1, "parked": 1}
        except Exception as e:  # noqa: BLE001 one mail must not hold up the others; it is logged and tried again
            return put_back(claim, e, stores=self.stores, now=self.now)
        self.refusals = 0
        return told

    def _sent(self, claim: Claim) -> Mapping[str, int]:
        # Read after the claim, which nothing can join any more: the index may be behind.
        row = self.stores.mails.get(claim.outbox_id)
        if row is None:
            return {"unsent": 1}
        if was_taken(row):
            self.stores.mails.sent(claim, message_id=None, now=self.now)
            return {"found": 1}
        with self._heard_of(claim, mail_of(row)):
            require_tries(claim)
            return self._posted(claim, mail_of(row))

    def _posted(self, claim: Claim, mail: Mail) -> Mapping[str, int]:
        letter = Letter(mail, self.stores, self.now)
        if letter.why_not:
            if letter.why_not in UNREACHED:
                # Before the mark: a run that dies in between is made up for by the next.
                escalate(mail, stores=self.stores, now=self.now)
            self.stores.mails.skip(claim, letter.why_not, now=self.now)
            return {"unsent": 1}
        message_id = self.mailer.send(letter.message(self.link), tag=mail.mail_id)
        self.stores.mails.sent(claim, message_id=message_id, now=self.now)
        return {"mails": 1}

    @contextmanager
    def _heard_of(self, claim: Claim, mail: Mail) -> Iterator[None]:
        """Tell a colleague of a critical mail that fails for good: whom it is for may not hear."""
        try:
            yield
        except UnavailableError:
            raise
        except Exception as e:
            if claim.is_last_try or isinstance(e, TemplateError):
                escalate(mail, stores=self.stores, now=self.now)
            raise


def _is_much(rows: Sequence[Item]) -> bool:
    """Whether mails are too many to be sent each; what was gathered before takes in all others."""
    gathered = any(row["kind"] == MailKind.GATHERED for row in rows)
    return len(rows) > (1 if gathered else MOST_AT_ONCE)


def _one_of(mails: Sequence[Mail], *, due_at: datetime) -> Mail:
    """One mail for the notices of several, late since the first of them was due."""
    first = min(mails, key=lambda mail: mail.due_at)
    about = {mail.referral_id for mail in mails}
    return Mail(
        mail_id=derived_id("mail", *(mail.mail_id for mail in mails)),
        kind=MailKind.GATHERED,
        member_id=first.member_id,
        subject=first.subject,
        tenant_id=first.tenant_id,
        referral_id=first.referral_id if len(about) == 1 else "",
        notice_ids=tuple(notice_id for mail in mails for notice_id in mail.notice_ids),
        due_at=due_at,
        late_since=min(mail.late_since or mail.due_at for mail in mails),
    )


def _by_member(row: Item) -> tuple[str, str]:
    return row["member_id"], row["due_at"]
