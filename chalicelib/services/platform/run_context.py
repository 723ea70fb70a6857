"""What a run works with: the tables, its time, and for a job also the mail service.

A function that needs the tables and the time takes a `context`. One that does not depend on the time
takes only `stores`.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.services.platform.parallel_calls import ParallelCalls
from chalicelib.store.all_stores import Stores

if TYPE_CHECKING:
    from chalicelib.domain.coverage.payer_gateway import PayerGateway
    from chalicelib.domain.identity.members import Member
    from chalicelib.mail import Mailer
    from chalicelib.mail.pace import MailPace

CLOCK_SKEW = timedelta(minutes=1)
"""How far the clock of the function that committed a task can be ahead of ours."""


def never_out_of_time() -> bool:
    """Let a run begin another task: its time has no limit."""
    return True


def _get_no_payers() -> "PayerGateway":
    from chalicelib.domain.coverage.payer_gateway import NoPayers  # noqa: PLC0415 requests do not reach payers by it

    return NoPayers()


def _get_all_shards() -> Collection[int]:
    from chalicelib.store.notices.outbox import ALL_SHARDS  # noqa: PLC0415 only jobs read the outbox

    return ALL_SHARDS


def _get_no_limit() -> "MailPace":
    from chalicelib.mail.pace import NoLimit  # noqa: PLC0415 only jobs send email at a pace

    return NoLimit()


@dataclass(frozen=True, slots=True)
class RunContext:
    """The tables, and the time of one request or of one run of a job.

    The clock is read once for each run, so everything that it writes has the same time.

    Attributes:
        calls: What starts calls that do not wait for each other. A job makes one after another.
    """

    stores: Stores
    now: datetime
    calls: ParallelCalls = field(default_factory=ParallelCalls)

    def load_keys_ahead(self, tenant_ids: Iterable[str]) -> None:
        """Start to load the keys of organizations whose data will be decrypted or encrypted."""
        self.stores.encryption.load_ahead(tenant_ids, self.calls.start)

    def list_members(self, tenant_id: str, *, since: datetime) -> "Sequence[Member]":  # noqa: ARG002 of JobContext
        """List the members of a tenant as they are now, or at least as they were after a time."""
        return list(self.stores.members.list_for_tenant(tenant_id))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobContext(RunContext):
    """What a job works with that processes tasks and sends mail.

    Attributes:
        mailer: What sends mail.
        sign_in_url: Where a reader signs in.
        sender: The address that sends mail, which is the organizer of an invitation.
        payers: What reaches payers for electronic benefits checks.
        has_time: Whether the run may begin another task. What it leaves is still due.
        threads: How many tasks, or emails, the run works on at once.
        shards: The shards of the outbox that the run processes. Other runs process the others.
        mail_pace: What keeps the rate at which email may be sent.
    """

    mailer: "Mailer"
    sign_in_url: str
    sender: str
    payers: "PayerGateway" = field(default_factory=_get_no_payers)
    has_time: Callable[[], bool] = never_out_of_time
    threads: int = 1
    shards: Collection[int] = field(default_factory=_get_all_shards)
    mail_pace: "MailPace" = field(default_factory=_get_no_limit)
    _members: "dict[str, Sequence[Member]]" = field(default_factory=dict)

    def list_members(self, tenant_id: str, *, since: datetime) -> "Sequence[Member]":
        """List the members of a tenant, read once in a run, if that was after `since`.

        So everyone who was a member when a task became due is in the list. Someone who was disabled after it was
        read, at most the few minutes of a run before, is too: what such a list decides must be checked again
        before anything leaves the product.
        """
        if since + CLOCK_SKEW > self.now:
            return super(JobContext, self).list_members(tenant_id, since=since)
        if tenant_id not in self._members:
            self._members[tenant_id] = super(JobContext, self).list_members(tenant_id, since=since)
        return self._members[tenant_id]
