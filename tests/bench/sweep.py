"""What a run of the notices costs while the plan for later days grows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib import wiring
from chalicelib.domain.events import derived_id
from chalicelib.domain.notices import Lane, Task
from chalicelib.domain.window import MilestoneKind
from chalicelib.services.duties import work_off
from tests.bench.counting import Counting, Tally
from tests.bench.table import Row, at_most
from tests.support import cloud
from tests.support.clinic import Clinic

_PER_CALL = 25
"""Items of a BatchWriteItem. Source: its reference."""


@dataclass(slots=True)
class Sweep:
    """An outbox that fills up with tasks of one referral, and the runs that work it off."""

    clinic: Clinic
    counting: Counting
    referral_id: str
    due: int
    planned: int = 0

    def measure(self, stored: int) -> list[Row]:
        """Compare a run over a short plan with a run over a long one."""
        now = wiring.now()
        later = now + timedelta(days=90)
        # What the infusion itself left due: its day 0 is over.
        work_off(Lane.PLAN, **wiring.job(now))
        self._plan(later, self.due)
        few = self._run(now)
        self._plan(later, stored - 2 * self.due)
        many = self._run(now + timedelta(minutes=10))
        growth = _units(many) / _units(few)
        target, missed = at_most(growth, 1.05)
        return [
            Row(
                metric=f"notices sweep, {self.due} due of {2 * self.due}",
                found=f"{few.write_units} WRU + {few.read_units:g} RRU",
            ),
            Row(
                metric=f"notices sweep, {self.due} due of {stored:,} / of {2 * self.due}",
                found=f"{growth:.3f}x capacity",
                target=target,
                peers="scan 25x at 25x; floor 1.00",
                missed=missed,
            ),
        ]

    def _run(self, now: datetime) -> Tally:
        """A sweep with `due` tasks due; a second one must find nothing to do."""
        self._plan(now - timedelta(minutes=1), self.due)
        done: dict[str, int] = {}
        tally = self.counting.counted(lambda: done.update(work_off(Lane.PLAN, **wiring.job(now))))
        again = work_off(Lane.PLAN, **wiring.job(now))
        if (done["done"], again["done"], again["mails"]) != (self.due, 0, 0):
            raise ValueError(f"not what is measured: {done}, then {again}")
        return tally

    def _plan(self, due_at: datetime, count: int) -> None:
        """Put tasks into the outbox as the product writes them."""
        tasks = list(self._tasks(due_at, count))
        for first in range(0, count, _PER_CALL):
            requests = [{"PutRequest": {"Item": task}} for task in tasks[first : first + _PER_CALL]]
            self.counting.client.batch_write_item(RequestItems={f"{cloud.PREFIX}outbox": requests})

    def _tasks(self, due_at: datetime, count: int) -> Iterator[object]:
        (due_on,) = self._days_of(MilestoneKind.HANDBACK_NEAR)
        for _ in range(count):
            self.planned += 1
            task = Task(
                outbox_id=derived_id("out", "bench", str(self.planned)),
                referral_id=self.referral_id,
                rule=MilestoneKind.HANDBACK_NEAR,
                lane=Lane.PLAN,
                due_at=due_at,
                due_on=due_on,
            )
            yield self.clinic.stores.outbox.planning(task).request["Put"]["Item"]

    def _days_of(self, kind: MilestoneKind) -> list[date]:
        """When the referral's window really has a notice of this kind; others would be off."""
        referral = self.clinic.stores.referrals.get(self.referral_id)
        assert referral is not None
        assert referral.window is not None
        return [m.on for m in referral.window.milestones if m.kind is kind]


def _units(tally: Tally) -> float:
    return tally.write_units + tally.read_units
