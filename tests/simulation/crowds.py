"""Several runs of a job at once, each with threads, while calls fail and a run dies.

In the end each notice is in exactly one email, and no email has more copies than faults between the mail service's
acceptance and our mark of it. Without faults, each email is sent once. Runs that claim without a condition must be
found out.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from time import sleep
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.errors import UnavailableError
from chalicelib.services.notices.outbox_worker import process_queue
from chalicelib.store.notices.leases import LEASE_DURATION, Claim
from chalicelib.store.notices.outbox import Outbox, list_shards_of_run
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import to_timestamp
from tests.simulation.flows import CENTER_MAIL, PRACTICE_MAIL, ROUND_DURATION, Scene, SendNotices
from tests.simulation.proof_world import ProofWorld, open_proof_world
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.simulation.writers import open_as_another
from tests.support import faults
from tests.support.faults import FaultMode
from tests.support.invariants import TableSnapshot

MINUTES = 3
ROUNDS = 60
REFERRALS = 3
"""Of each round: the most emails to one person that are not merged into one."""

THREADS = 4
RUNS = ((1, 2), (2, 2), (1, 2), (2, 2))
"""The runs at once, and of how many each is one. Each is started twice, because the emails can all be of one."""

NAIVE_ROUNDS = 10
"""With runs that claim without a condition."""

MEETING_S = 0.1
"""How long they wait before each claim. Otherwise one run may be done before the other one has listed what is due."""

SHARE_OF_FAULTS = 0.04
_MODES = (
    *(FaultMode.LOST_REPLY, FaultMode.THROTTLE, FaultMode.SERVER_ERROR, FaultMode.TORN_REPLY),
    *(FaultMode.CONFLICT, FaultMode.REFUSED),
)
_run: ContextVar[int] = ContextVar("run")
"""The run that makes a call. Its threads have it too."""


@dataclass
class CrowdFaults:
    """Faults at random calls, and the end of one run at one of its calls: none of its threads makes another one.

    Attributes:
        dying: The run that dies; None for none.
        dies_after: After how many of its calls.
    """

    drawn: random.Random
    share: float
    dying: int | None
    dies_after: int
    calls: int = 0
    met: Counter[str] = field(default_factory=Counter)
    turn: Lock = field(default_factory=Lock)

    def plan(self, _n: int, operation: str) -> FaultMode | None:
        """Choose what happens to a call. Called by the thread that makes it."""
        with self.turn:
            mode = self._choose(operation)
            if mode:
                self.met[operation] += 1
            return mode

    def _choose(self, operation: str) -> FaultMode | None:
        if _run.get() == self.dying:
            self.calls += 1
            if self.calls > self.dies_after:
                return FaultMode.CRASH_BEFORE
        if self.drawn.random() >= self.share:
            return None
        mode = self.drawn.choice(_MODES)
        return FaultMode.THROTTLE if mode is FaultMode.CONFLICT and operation != "TransactWriteItems" else mode

    @property
    def count_allowed_copies(self) -> int:
        """How many copies the faults explain: each may have come between an acceptance and its mark."""
        return self.met["SendEmail"] + self.met["UpdateItem"] + (THREADS if self.dying is not None else 0)


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Play rounds without faults, then with them, then some with runs that claim without a condition."""
    rounds = budget.scale(ROUNDS)
    wrong: list[str] = []
    met = 0
    with open_proof_world(budget.engine) as world:
        _play_alone(world)
        for n in range(rounds):
            planned = draw_faults(budget.seed + n, share=SHARE_OF_FAULTS if n % 2 else 0.0)
            wrong += play_round(world, f"crowd {budget.seed} {n}", planned)
            met += planned.met.total()
            progress(n + 1, rounds, "rounds of four runs")
        with patch.object(Outbox, "claim", _claim_anyway):
            naive = [play_round(world, f"crowd naive {n}", draw_faults(n, share=0.0)) for n in range(NAIVE_ROUNDS)]
    yield SectionResult(
        claim="Four runs of a job at once, with four threads each: every notice is emailed, and no email twice "
        "unless a fault came between its acceptance and our mark",
        tries=rounds,
        counterexamples=wrong if any(naive) else [*wrong, "blind: runs that claim without a condition pass"],
        figures=f"{met:,} faults; of runs that claim without a condition {sum(map(bool, naive))} of {len(naive)} "
        "rounds are found",
    )


def draw_faults(seed: int, *, share: float) -> CrowdFaults:
    """Draw the faults of a round; a share of 0 is none."""
    drawn = random.Random(seed)  # noqa: S311 to be repeated, not to be kept secret
    dying = drawn.choice([None, 0, 1]) if share else None
    return CrowdFaults(drawn, share, dying, dies_after=drawn.randint(1, 40))


def play_round(world: ProofWorld, name: str, planned: CrowdFaults) -> list[str]:
    """Let the runs send the notices of some referrals, then let the job run alone. Return what is wrong."""
    scenes = _prepare(world, name)
    with faults.inject_faults(planned.plan), ThreadPoolExecutor(len(RUNS)) as runs:
        for run in [runs.submit(_run_job, world, number) for number in range(len(RUNS))]:
            run.result()
    for _ in range(2):
        world.now += ROUND_DURATION
        _play_alone(world)
    return _find_wrong(world, scenes, planned)


def _prepare(world: ProofWorld, name: str) -> Sequence[Scene]:
    """Plan the notices of some referrals for the same day."""
    world.go_back()
    began, scenes = world.now, [Scene(world, f"{name} {n}") for n in range(REFERRALS)]
    for scene in scenes:
        world.now = began
        SendNotices().prepare(scene)
    return scenes


def _run_job(world: ProofWorld, number: int) -> None:
    """Play one run, in a function of its own. Nothing outlives its death but what it wrote."""
    _run.set(number)
    part, runs = RUNS[number]
    context = wiring.build_job_context(shards=list_shards_of_run(part, of=runs))
    alone = replace(context, stores=open_as_another(world.stores), threads=THREADS)
    # A run that cannot read what is due ends, as on AWS. The next one does its work.
    with suppress(faults.SimulatedCrash, UnavailableError):
        process_queue(TaskQueue.PLAN, context=alone)


def _play_alone(world: ProofWorld) -> None:
    world.start_over()
    world.run(TaskQueue.PLAN)


def _find_wrong(world: ProofWorld, scenes: Sequence[Scene], planned: CrowdFaults) -> list[str]:
    tables, mails = TableSnapshot.read(world.stores), world.mails()
    wrong = [problem for scene in scenes for problem in _find_wrong_with(scene, tables, mails)]
    copies = sum(mails[f"{to} {scene.name}"] - 1 for scene in scenes for to in (PRACTICE_MAIL, CENTER_MAIL))
    if copies > planned.count_allowed_copies:
        wrong.append(f"{scenes[0].name}: {copies} copies, {planned.count_allowed_copies} are explained")
    return wrong


def _find_wrong_with(scene: Scene, tables: TableSnapshot, mails: Mapping[str, int]) -> Iterator[str]:
    tasks = [row for row in tables.list_rows_about("outbox", scene.referral_id) if row["rule"] != "mail"]
    held = Counter(notice_id for row in tables.list_mails(scene.referral_id) for notice_id in row["notice_ids"])
    notices = Counter(row["notice_id"] for row in tables.list_rows_about("notices", scene.referral_id))
    checks = {
        "outbox": all(row["state"] == "done" for row in tasks),
        "notices": len(notices) == 2,
        "in one mail": held == notices,
        "mark of a mail": all(row["state"] == "done" for row in tables.list_mails(scene.referral_id)),
        "mail lost": all(mails[f"{to} {scene.name}"] for to in (PRACTICE_MAIL, CENTER_MAIL)),
    }
    yield from (f"{scene.name}: {name}" for name, holds in checks.items() if not holds)


def _claim_anyway(outbox: Outbox, row: Item, *, now: datetime) -> Claim:
    """Claim a task without a condition, as a run does that trusts the index."""
    fence = row.get("fence", 0) + 1
    sleep(MEETING_S)
    outbox.table.update(
        {"outbox_id": row["outbox_id"]},
        "SET fence = :fence, due_at = :until",
        when="attribute_exists(outbox_id)",
        values={"fence": fence, "until": to_timestamp(now + LEASE_DURATION)},
    )
    return Claim(fence, 1, row)
