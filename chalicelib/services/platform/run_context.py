"""What a run works with: the tables, its time, and for a job also the mail service.

A function that needs the tables and the time takes a `context`. One that does not depend on the time
takes only `stores`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.coverage.payer_gateway import NoPayers, PayerGateway
from chalicelib.mail import Mailer
from chalicelib.mail.pace import MailPace, NoLimit
from chalicelib.store.all_stores import Stores
from chalicelib.store.notices.outbox import ALL_SHARDS

def never_out_of_time() -> bool:
    """Let a run begin another task: its time has no limit."""
    return True


@dataclass(frozen=True, slots=True)
class RunContext:
    """The tables, and the time of one request or of one run of a job.

    The clock is read once for each run, so everything that it writes has the same time.
    """

    stores: Stores
    now: datetime


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

    mailer: Mailer
    sign_in_url: str
    sender: str
    payers: PayerGateway = field(default_factory=NoPayers)
    has_time: Callable[[], bool] = never_out_of_time
    threads: int = 1
    shards: Collection[int] = ALL_SHARDS
    mail_pace: MailPace = field(default_factory=NoLimit)
