"""A restore drill: a world with open referrals, tables set back to different moments, check, repair, and all jobs.

The last transactions are restored in half: each row that was written between two moments is there or not, by chance.
A second world lives through the same days without a restore, and shows what must be the same in the end.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.services.audit.checkpoints import write_checkpoint
from chalicelib.services.audit.verification import verify_audit_trail
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.idempotency import IdempotentRequest
from infra.restore import checks
from infra.restore.findings import Finding
from infra.restore.mail_checks import is_digest
from infra.restore.sent_log import SentMail, name_pair
from tests.support import factories
from tests.support.factories import NOON, PRACTICE, build_member
from tests.support.service_driver import MINUTE, STAGES_TO_LYMPHODEPLETION, ServiceDriver, open_service_driver
from tests.support.stores import list_rows
from tests.support.table_restores import TableCopies

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SET_BACK = ("referrals", "outbox", "notices", "deliveries", "idempotency", "audit", "recipients")
"""The tables that the drill sets back. The others do not change in the days before."""

QUEUES = (TaskQueue.EVENT, TaskQueue.PLAN, TaskQueue.OVERDUE, TaskQueue.DIGEST)

Step = Callable[[ServiceDriver], None]


@dataclass
class SentLines:
    """The log of the functions: which emails were sent."""

    mails: list[SentMail] = field(default_factory=list)

    def info(self, event: str, /, **fields: Any) -> None:
        """Keep a line about an email."""
        if event == "email sent":
            self.mails.append(SentMail(fields["outbox_id"], fields["member_id"], tuple(fields["notice_ids"])))

    warning = error = info

    def count_pairs(self) -> Counter[str]:
        """Count how often each notice was emailed to each member."""
        return Counter(
            f"{mail.member_id}/{notice}" if is_digest(mail.member_id, notice) else name_pair(mail.member_id, notice)
            for mail in self.mails
            for notice in mail.notice_ids
        )


@dataclass
class DrillWorld:
    """A world that goes through the steps, with a copy of all tables after each."""

    driver: ServiceDriver
    copies: list[tuple[datetime, TableCopies]] = field(default_factory=list)

    def take(self, steps: list[Step], *, copying: bool) -> None:
        """Take the steps, a minute or more apart."""
        for step in steps:
            self.driver.now += MINUTE
            step(self.driver)
            if copying:
                self.copies.append((self.driver.now, TableCopies.take()))


def open_world(stores: Stores) -> DrillWorld:
    """Two practices and two centers, whose members get digests."""
    driver = open_service_driver(stores)
    context = RunContext(stores, NOON)
    for tenant in factories.TENANTS:
        for role in (Role.COORDINATOR, Role.ADMIN):
            for write in prepare_digest_writes(None, build_member(tenant, role=role), context=context):
                stores.transactions.commit(write)
    return DrillWorld(driver)


def find_id(name: str) -> str:
    """The id of a referral, which follows from the request that makes it."""
    member = build_member(PRACTICE)
    request = IdempotentRequest(
        member_id=member.member_id, tenant_id=member.tenant_id, route="POST /v1/referrals", key=name, body=b"{}"
    )
    return derive_id("ref", request.scope_key)


def run_jobs(driver: ServiceDriver) -> None:
    """Run every job, and count the audit rows."""
    for queue in QUEUES:
        driver.run_queue(queue)
    write_checkpoint(context=driver.context)


def later(span: timedelta) -> Step:
    """A step that waits, and then runs the jobs."""

    def step(driver: ServiceDriver) -> None:
        driver.now += span
        run_jobs(driver)

    return step


def deliver(stage: str, referral_id: str, minutes: int) -> Step:
    """A step in which the center's system reports a stage; a repeat sends the same bytes again."""

    def step(driver: ServiceDriver) -> None:
        at = NOON + minutes * MINUTE
        driver.deliver(stage, referral_id=find_id(referral_id), at=at, webhook_id=f"{referral_id}-{stage}")

    return step


def report(stage: str, referral_id: str, minutes: int) -> Step:
    """A step in which a person of the center reports a stage, with an Idempotency-Key."""

    def step(driver: ServiceDriver) -> None:
        driver.report(stage, referral_id=find_id(referral_id), key=f"{referral_id}-{stage}", at=NOON + minutes * MINUTE)

    return step


def refer(referral_id: str, **changed: Any) -> Step:
    """A step in which the practice refers a patient."""

    def step(driver: ServiceDriver) -> None:
        member = build_member(PRACTICE)
        driver.refer(
            find_id(referral_id), key=referral_id, member=member, patient__family_name=f"Of {referral_id}", **changed
        )

    return step


def _deliver_all(referral_id: str, first: int) -> list[Step]:
    stages = (*STAGES_TO_LYMPHODEPLETION, "infused")
    return [deliver(stage, referral_id, first + number) for number, stage in enumerate(stages)]


_DAY_5 = 5 * 24 * 60
BEFORE: list[Step] = [
    refer("ref_a"),
    refer("ref_b"),
    *_deliver_all("ref_a", 30)[:-1],
    later(HOUR),
    *_deliver_all("ref_a", 30)[-1:],
    later(5 * DAY),
]
"""What happened before the first moment to which a table can be set back."""

DAYS_OF_THE_RESTORE: list[Step] = [
    deliver("accepted", "ref_b", _DAY_5 + 200),
    run_jobs,
    report("consult_scheduled", "ref_b", _DAY_5 + 204),
    later(2 * DAY),
    refer("ref_c"),
    deliver("accepted", "ref_c", 3 * _DAY_5 // 2),
    run_jobs,
    *_deliver_all("ref_b", _DAY_5 + 210)[2:],
    deliver("infused", "ref_c", 3 * _DAY_5 // 2 + 30),
    run_jobs,
]
"""The steps around which the tables are set back: status reports, an infusion, a parked delivery, and jobs."""

REPEATS: list[Step] = [step for step in (*BEFORE, *DAYS_OF_THE_RESTORE) if step.__qualname__.split(".")[0] != "later"]
"""What senders send again, because they are asked to or because they got no response. Jobs run in between."""

SENT_AGAIN: list[Step] = [run_jobs, *[step for step in REPEATS if step is not run_jobs], later(HOUR)]
"""After the first repair: the jobs run, and every sender sends everything again."""

MONTH_AFTER: list[Step] = [later(DAY), later(9 * DAY), later(20 * DAY)]


def set_back(copies: list[tuple[datetime, TableCopies]], tables: tuple[str, ...], seed: int) -> datetime:
    """Set tables back to random moments, with the rows of the last transaction there or not. Return the earliest."""
    chosen = random.Random(seed)  # noqa: S311 a seed, no secret
    earliest = copies[-1][0]
    for name in tables:
        number = chosen.randrange(len(copies) - 1)
        at, before = copies[number]
        after = copies[number + 1][1]
        half = [row for row in after.rows[name] if row not in before.rows[name] and chosen.random() < 0.5]
        TableCopies({name: [*before.rows[name], *half]}).put_back(name)
        earliest = min(earliest, at)
    return earliest


@dataclass(frozen=True)
class DrillResult:
    """What a drill found: each list must be empty."""

    twice: list[str]
    lost: list[str]
    remaining: list[Finding]
    unexplained: list[str]
    stages: dict[str, str]
    repaired: Counter[str]


def list_notices() -> set[tuple[str, str]]:
    """List who has a notice of which task."""
    return {(row["member_id"], row["outbox_id"]) for row in list_rows("notices")}


def repair(world: DrillWorld, sent: SentLines, since: datetime, *, with_log: bool = True) -> Iterator[Finding]:
    """Repair the tables, twice: the second time finds what the first one made possible."""
    run = RunContext(world.driver.stores, world.driver.now)
    for _ in range(2):
        with checks.open_scope(run, since=since, sent_log=list(sent.mails) if with_log else None) as scope:
            yield from checks.repair_all(scope)


def list_unexplained(world: DrillWorld) -> list[str]:
    """List the breaks of the audit trail in chains without the row of a repair."""
    found = verify_audit_trail(context=world.driver.context, first_day=NOON.date())
    repaired = {
        row["referral_id"].partition("/")[0] for row in list_rows("audit") if row.get("action") == "restore.repair"
    }
    return [str(each) for each in found.breaks if each.chain.partition("/")[0] not in repaired]


def finish(
    world: DrillWorld, sent: SentLines, control: set[tuple[str, str]], repaired: list[Finding], since: datetime
) -> DrillResult:
    """Compare a restored world with the one that had no restore."""
    run = RunContext(world.driver.stores, world.driver.now)
    with checks.open_scope(run, since=since, sent_log=list(sent.mails)) as scope:
        remaining = [each for each in checks.find_all(scope) if each.needs_attention]
    return DrillResult(
        twice=[pair for pair, count in sent.count_pairs().items() if count > 1],
        lost=[f"{member} {task}" for member, task in control - list_notices()],
        remaining=remaining,
        unexplained=list_unexplained(world),
        stages={name: world.driver.get_referral(find_id(name)).stage.value for name in ("ref_a", "ref_b", "ref_c")},
        repaired=Counter(each.kind.value for each in repaired if each.fix),
    )
