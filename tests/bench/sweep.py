"""What a run of the notices costs while the plan for later days grows."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib import catalogue, wiring
from chalicelib.domain.identity.members import Tenant, TenantKind
from chalicelib.domain.notices.notice_rules import Lane
from chalicelib.domain.notices.planning import plan_of
from chalicelib.domain.referrals.events import Order, derived_id
from chalicelib.domain.referrals.monitoring_window import local_day, open_window, start_of_day
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.notices.outbox_worker import work_off
from tests.bench.counting import Counting, Tally
from tests.bench.shelf import Shelf
from tests.bench.table import Row, at_most
from tests.support import cloud, factories
from tests.support.clinic import Clinic
from tests.support.factories import CENTER
from tests.support.journey import a_referral, an_entry

RULE, DAY = "visit_day_30", 30
"""Told to the practice alone: of one due task there is one notice, and one mail."""

_LATER = timedelta(days=900)


@dataclass(frozen=True, slots=True)
class Run:
    """A run that told what was due."""

    stored: int
    tally: Tally
    own_seconds: float


@dataclass(slots=True)
class Sweep:
    """Practices that each have one notice due, and an outbox that fills up with later ones."""

    clinic: Clinic
    counting: Counting
    due: int
    made: int = 0

    def measure(self, stored: Sequence[int]) -> list[Row]:
        """Compare a run over a short plan with runs over longer ones."""
        shelf = Shelf(self.counting.client, f"{cloud.PREFIX}outbox")
        self.counting.client = shelf
        # What others have left to be done is not what is measured.
        work_off(Lane.PLAN, **wiring.job())
        runs = [self._run(shelf, size) for size in stored]
        return [self._first(runs[0]), *(self._grown(run, runs[0]) for run in runs[1:])]

    def _first(self, run: Run) -> Row:
        tally, each = run.tally, run.own_seconds / self.due
        return Row(
            metric=f"notices sweep, {self.due} due of {run.stored}: tasks, notices and mails",
            found=f"{tally.write_units} WRU + {tally.read_units:g} RRU, "
            f"{tally.calls.total()} calls; {each * 1000:.1f} ms each",
        )

    def _grown(self, run: Run, first: Run) -> Row:
        growth = _units(run.tally) / _units(first.tally)
        calls = run.tally.calls.total() / first.tally.calls.total()
        target, missed = at_most(max(growth, calls), 1.05)
        return Row(
            metric=f"notices sweep, {self.due} due of {run.stored:,} / of {first.stored}",
            found=f"{growth:.3f}x capacity, {calls:.3f}x calls; "
            f"{run.own_seconds / self.due * 1000:.1f} ms each",
            target=target,
            peers="scan 25x at 25x; floor 1.00",
            missed=missed,
        )

    def _run(self, shelf: Shelf, stored: int) -> Run:
        """A sweep with `due` tasks due of `stored`; a second one must find nothing to do."""
        now = wiring.now()
        shelf.fill(stored - self.due - shelf.count, due_at=now + _LATER)
        outbox = wiring.stores().outbox
        known = [list(outbox.due(Lane.PLAN, by=by, limit=10)) for by in (now, now + 2 * _LATER)]
        if known[0] or not known[1]:
            raise ValueError(f"due before anything was planned: {known}")
        for _ in range(self.due):
            self._infused(now)
        done: Counter[str] = Counter()
        began = time.thread_time()
        self.counting.seconds = 0
        tally = self.counting.counted(lambda: done.update(work_off(Lane.PLAN, **wiring.job(now))))
        own = time.thread_time() - began - self.counting.seconds
        again = work_off(Lane.PLAN, **wiring.job(now))
        if (done["done"], done["mails"], again["done"]) != (self.due, self.due, 0):
            raise ValueError(f"not what is measured: {done}, then {again}")
        return Run(stored, tally, own)

    def _infused(self, now: datetime) -> None:
        """A practice of its own with one patient, whose visit is due today."""
        self.made += 1
        stores = wiring.stores()
        practice = Tenant(
            tenant_id=f"prc_bench_{self.made}",
            kind=TenantKind.PRACTICE,
            name="Bench Oncology",
            time_zone=CENTER.time_zone,
        )
        stores.tenants.add(practice, {})
        stores.members.add(factories.a_member(practice))
        at = now - timedelta(days=DAY)
        # By the calendar there: so many times 24 hours may reach back over a change of the clocks.
        today = local_day(now, CENTER.time_zone)
        window = open_window(
            infused_at=at,
            local_date=today - timedelta(days=DAY),
            time_zone=CENTER.time_zone,
            profile=catalogue.profile_for("breyanzi"),
        )
        referral = a_referral(
            Stage.FOLLOW_UP,
            referral_id=derived_id("ref", "bench", str(self.made)),
            practice_id=practice.tenant_id,
            window=window,
            head=Order(at, 0, "evt_0"),
            reached={Stage.INFUSED: at, Stage.FOLLOW_UP: at},
        )
        stores.ledger.commit(*stores.referrals.adding(referral, an_entry(referral)))
        [task] = [task for task in plan_of(referral) if task.rule == RULE]
        # Due since this day began, so that none is late.
        due_at = start_of_day(today, CENTER.time_zone)
        stores.ledger.commit(stores.outbox.planning(replace(task, due_at=due_at)))


def _units(tally: Tally) -> float:
    return tally.write_units + tally.read_units
