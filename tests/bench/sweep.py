"""The cost of a run of the notices job while the plan for later days grows."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib import wiring
from chalicelib.domain.identity.members import Tenant, TenantKind
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import process_queue
from tests.bench.counting_client import CountingClient, OperationTally
from tests.bench.due_visits import add_due_visit
from tests.bench.synthetic_outbox import SyntheticOutbox
from tests.bench.table import MetricRow, check_limit
from tests.support import aws_fakes as cloud
from tests.support import factories
from tests.support.api_driver import ApiDriver
from tests.support.factories import CENTER

_LATER = timedelta(days=900)


@dataclass(frozen=True, slots=True)
class SweepRun:
    """A run that sent what was due."""

    stored: int
    tally: OperationTally
    own_seconds: float


def _read_afternoon() -> datetime:
    """Return today at an hour when email about a day goes out; before 7 AM it waits."""
    return wiring.read_clock().astimezone(ZoneInfo(CENTER.time_zone)).replace(hour=13)


@dataclass(slots=True)
class NoticeSweep:
    """Practices that each have one notice due, and an outbox that fills up with later ones."""

    clinic: ApiDriver
    counting: CountingClient
    due: int
    made: int = 0

    def measure(self, stored: Sequence[int]) -> list[MetricRow]:
        """Compare a run over a short plan with runs over longer ones."""
        synthetic = SyntheticOutbox(self.counting.client, f"{cloud.PREFIX}outbox")
        self.counting.client = synthetic
        # What other tests left to do is not measured.
        process_queue(TaskQueue.PLAN, context=wiring.build_job_context(_read_afternoon()))
        runs = [self._run(synthetic, size) for size in stored]
        return [self._first(runs[0]), *(self._grown(run, runs[0]) for run in runs[1:])]

    def _first(self, run: SweepRun) -> MetricRow:
        tally, each = run.tally, run.own_seconds / self.due
        return MetricRow(
            metric=f"notices sweep, {self.due} due of {run.stored}: tasks, notices and mails",
            found=f"{tally.write_units} WRU + {tally.read_units:g} RRU, "
            f"{tally.calls.total()} calls; {each * 1000:.1f} ms each",
        )

    def _grown(self, run: SweepRun, first: SweepRun) -> MetricRow:
        growth = _units(run.tally) / _units(first.tally)
        calls = run.tally.calls.total() / first.tally.calls.total()
        target, missed = check_limit(max(growth, calls), 1.05)
        return MetricRow(
            metric=f"notices sweep, {self.due} due of {run.stored:,} / of {first.stored}",
            found=f"{growth:.3f}x capacity, {calls:.3f}x calls; {run.own_seconds / self.due * 1000:.1f} ms each",
            target=target,
            peers="scan 25x at 25x; floor 1.00",
            missed=missed,
        )

    def _run(self, synthetic: SyntheticOutbox, stored: int) -> SweepRun:
        """A sweep with `due` tasks due of `stored`; a second one must find nothing to do."""
        now = _read_afternoon()
        synthetic.fill(stored - self.due - synthetic.count, due_at=now + _LATER)
        outbox = wiring.get_stores().outbox
        known = [list(outbox.list_due(TaskQueue.PLAN, by=by, limit=10)) for by in (now, now + 2 * _LATER)]
        if known[0] or not known[1]:
            raise ValueError(f"due before anything was planned: {known}")
        for _ in range(self.due):
            self._infused(now)
        done: Counter[str] = Counter()
        began = time.thread_time()
        self.counting.seconds = 0
        tally = self.counting.counted(
            lambda: done.update(process_queue(TaskQueue.PLAN, context=wiring.build_job_context(now)))
        )
        own = time.thread_time() - began - self.counting.seconds
        again = process_queue(TaskQueue.PLAN, context=wiring.build_job_context(now))
        if (done["done"], done["mails"], again["done"]) != (self.due, self.due, 0):
            raise ValueError(f"not what is measured: {done}, then {again}")
        return SweepRun(stored, tally, own)

    def _infused(self, now: datetime) -> None:
        """Create a practice with one patient, whose visit is due today."""
        self.made += 1
        stores = wiring.get_stores()
        practice = Tenant(
            tenant_id=f"prc_bench_{self.made}",
            kind=TenantKind.PRACTICE,
            name="Bench Oncology",
            time_zone=CENTER.time_zone,
        )
        stores.tenants.add(practice, {})
        stores.members.add(factories.build_member(practice))
        add_due_visit(stores, practice, str(self.made), now=now)


def _units(tally: OperationTally) -> float:
    return tally.write_units + tally.read_units
