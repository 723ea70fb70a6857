"""A morning on which many notices are due at once: how long the jobs need until all are sent.

The code is the product's: the runs of `notices` and `relay`, with their threads, claims and pace of email. The tables
are in memory, and time is simulated: each call of DynamoDB and of SES takes 5 ms, and processors cost nothing.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from chalicelib.domain.identity.members import Tenant, TenantKind
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.jobs import JOB_PERIODS, ScheduledJob
from chalicelib.mail.pace import SharedPace
from chalicelib.mail.ses import SesMailer
from chalicelib.services.notices.outbox_worker import process_queue
from chalicelib.services.platform.run_context import JobContext
from chalicelib.store.all_stores import Stores, open_stores
from chalicelib.store.notices.outbox import list_shards_of_run
from tests.bench.counting_client import READS, WRITES, CountingClient, OperationTally
from tests.bench.due_visits import add_due_visit
from tests.bench.in_memory import list_schemas
from tests.bench.paired import MeasurePlan
from tests.bench.simulated_time import SimulatedLock, SimulatedTime, use_simulated_threads
from tests.bench.table import MetricRow
from tests.support import aws_fakes as cloud
from tests.support import factories
from tests.support.factories import CENTER
from tests.support.in_memory_dynamodb import InMemoryDynamoDB
from tests.support.log_capture import discard_logs
from tests.support.stores import create_audit_heads, create_files

CALL_S = 0.005
WORK_S = 195.0
"""For how long a run begins tasks: 240 seconds of Lambda, without the 45 that the last task may need."""

NOTICES = 100_000
RUNS, THREADS = 4, 8
MAIL_RATE = 50
"""Emails a second. With its default, 14, SES alone would need two hours without a pause."""

PATIENTS, PEOPLE = 3, 4
"""Of each practice: patients with a notice due, and people who get it. A person with more emails than three gets
one that has all of them, so this is the most that are sent."""

_BEGINS = datetime(2026, 11, 30, 7, tzinfo=factories.NOON.tzinfo) + timedelta(hours=8)
"""After 7 AM in the time zone of every organization here, so that each email is due at once."""

_JOBS = {ScheduledJob.NOTICES: TaskQueue.PLAN, ScheduledJob.RELAY: TaskQueue.EVENT}


@dataclass
class SlowClient:
    """A DynamoDB client whose calls take their time."""

    client: Any
    time: SimulatedTime

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.client, name)
        return partial(self._call, attribute) if name in READS | WRITES else attribute

    def _call(self, call: Callable[..., Any], **request: Any) -> Any:
        self.time.sleep(CALL_S)
        return call(**request)


@dataclass
class _Keys:
    """A key service with keys that are no secret."""

    def generate_data_key(self, **_: Any) -> Mapping[str, bytes]:
        key = os.urandom(32)
        return {"Plaintext": key, "CiphertextBlob": key}

    def decrypt(self, *, CiphertextBlob: bytes, **_: Any) -> Mapping[str, bytes]:  # noqa: N803 KMS spells it so
        return {"Plaintext": CiphertextBlob}


@dataclass
class _Ses:
    """A mail service that remembers when it accepted each email."""

    time: SimulatedTime
    accepted: list[tuple[float, str]] = field(default_factory=list)

    def send_email(self, **request: Any) -> Mapping[str, str]:
        self.time.sleep(CALL_S)
        self.accepted.append((self.time.now, request["EmailTags"][0]["Value"]))
        return {"MessageId": f"message-{len(self.accepted)}"}

    def find_most_in_a_second(self) -> int:
        """Return how many were accepted in the second with the most."""
        at = [when for when, _ in self.accepted]
        first, most = 0, 0
        for last, when in enumerate(at):
            while at[first] <= when - 1:
                first += 1
            most = max(most, last - first + 1)
        return most


@dataclass
class Morning:
    """Practices with patients whose notices are due, and the jobs that send them."""

    due: int
    time: SimulatedTime = field(default_factory=SimulatedTime)
    memory: Any = field(default_factory=InMemoryDynamoDB)

    def __post_init__(self) -> None:
        self.counting = CountingClient(self.memory, list_schemas())
        self.ses = _Ses(self.time)
        # Each run is a function of its own, with its own caches.
        self.prepare(self._open_stores(self.memory))

    def prepare(self, stores: Stores) -> None:
        """Store what is due, without counting it."""
        stores.tenants.add(CENTER, {})
        for number in range(self.due // (PATIENTS * PEOPLE)):
            practice = Tenant(
                tenant_id=f"prc_{number}", kind=TenantKind.PRACTICE, name="Bench Oncology", time_zone=CENTER.time_zone
            )
            stores.tenants.add(practice, {})
            factories.add_members(stores, (factories.build_member(practice, n=n) for n in range(PEOPLE)))
            for patient in range(PATIENTS):
                add_due_visit(stores, practice, f"{number} {patient}", now=_BEGINS)

    def send_all(self, *, per_second: float, runs: int, threads: int) -> tuple[OperationTally, Counter[str]]:
        """Let the jobs run by their schedules until nothing is due."""
        done: Counter[str] = Counter()
        with use_simulated_threads(self.time):
            tally = self.counting.counted(lambda: self._run_jobs(per_second, runs, threads, done))
        if len({tag for _, tag in self.ses.accepted}) != len(self.ses.accepted):
            raise ValueError("an email was sent twice")
        if len(self.ses.accepted) != self.due:
            raise ValueError(f"not what is measured: {len(self.ses.accepted)} emails, {done}")
        return tally, done

    def time_until_last(self) -> float:
        """Return how many seconds passed until the last email was accepted."""
        return self.ses.accepted[-1][0]

    def _run_jobs(self, per_second: float, runs: int, threads: int, done: Counter[str]) -> None:
        def start(job: ScheduledJob, queue: TaskQueue) -> None:
            for number in range(1, runs + 1):
                self.time.start(partial(self._run, queue, number, per_second, runs, threads, done))
            if done["mails"] < self.due:
                following = self.time.now + JOB_PERIODS[job].total_seconds()
                self.time.start(partial(start, job, queue), at=following)

        for job, queue in _JOBS.items():
            self.time.start(partial(start, job, queue))
        self.time.run()

    def _run(
        self, queue: TaskQueue, number: int, per_second: float, runs: int, threads: int, done: Counter[str]
    ) -> None:
        ends = self.time.now + WORK_S
        stores = self._open_stores(SlowClient(self.counting, self.time))
        context = JobContext(
            stores,
            self._read_clock(),
            mailer=SesMailer(client=lambda: self.ses, sender=cloud.SENDER, configuration_set=""),
            sign_in_url="https://dashboard.example",
            sender=cloud.SENDER,
            has_time=lambda: self.time.now < ends,
            threads=threads,
            shards=list_shards_of_run(number, of=runs),
            mail_pace=SharedPace(
                stores.mail_turns,
                per_second,
                read_clock=self._read_clock,
                pause=self.time.sleep,
                one_taker=SimulatedLock(self.time),
            ),
        )
        done.update(process_queue(queue, context=context))

    def _read_clock(self) -> datetime:
        return _BEGINS + timedelta(seconds=self.time.now)

    def _open_stores(self, client: Any) -> Stores:
        keys = _Keys()
        return open_stores(
            prefix=cloud.PREFIX,
            kms_key_id="key",
            dynamodb=lambda: client,
            kms=lambda: keys,
            files=lambda: create_files(lambda _service: None),
            audit_heads=lambda: create_audit_heads(lambda _service: None),
        )


def measure(plan: MeasurePlan, _scratch: Path) -> list[MetricRow]:
    """Measure a part of the morning, and say what follows for all of it."""
    discard_logs()
    paced, unpaced = Morning(plan.morning), Morning(plan.morning)
    tally, _ = paced.send_all(per_second=MAIL_RATE, runs=RUNS, threads=THREADS)
    unpaced.send_all(per_second=1e6, runs=RUNS, threads=THREADS)
    rate, most = plan.morning / paced.time_until_last(), plan.morning / unpaced.time_until_last()
    minutes = _compute_minutes(min(rate, most))
    return [
        MetricRow(
            metric=f"{NOTICES:,} notices due at once, {MAIL_RATE} emails/s, {RUNS} runs of {THREADS} threads",
            found=f"{minutes:.0f} min, from {plan.morning:,} that were sent at {rate:.1f}/s; "
            f"at most {paced.ses.find_most_in_a_second()} in a second",
            target="<= 60 min" + (" MISSED" if minutes > 60 else ""),
            peers=f"without a limit of email {most:.0f}/s",
        ),
        MetricRow(
            metric=f"a notice of these, {PATIENTS} patients and {PEOPLE} people in a practice: from due to sent",
            found=f"{tally.calls.total() / plan.morning:.1f} calls, {tally.write_units / plan.morning:.1f} WRU, "
            f"{tally.read_units / plan.morning:.1f} RRU",
            target="8 calls, 12 WRU, 8 RRU",
        ),
    ]


def _compute_minutes(per_second: float) -> float:
    """Compute how long all notices take: the relay sends email for `WORK_S` of each of its periods."""
    period = JOB_PERIODS[ScheduledJob.RELAY].total_seconds()
    full, rest = divmod(NOTICES / per_second, WORK_S)
    return (full * period + rest) / 60
