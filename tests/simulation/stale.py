"""Searches for a decision that rests on a weak read: the product's tests run while weak reads are stale."""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from moto import mock_aws

from chalicelib.domain.notices.tasks import TaskQueue
from tests.simulation.mutation_processes import ROOT
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.support import aws_fakes as cloud
from tests.support import stores as store_tools
from tests.support.service_driver import STAGES_TO_LYMPHODEPLETION, ServiceDriver, open_service_driver
from tests.support.stale_reads import make_reads_stale

MINUTES = 16

SHARE = 0.3
"""The part of the weak reads that may be stale."""

SEEDS = 2
"""How often all tests run, each time with other reads stale."""

SCENARIOS = 40
COUNTS = 100

SWEEPS = 12
"""How often each job runs in a life; no index lags that often in a row."""

SAMPLE_TEST = "tests/routes/test_route_table.py::test_a_route_answers_each_role_as_its_policy_says[GET /v1/referrals]"
"""A fast test that meets stale reads, for every run of the tests."""

FULLY_STALE_TESTS = "tests/services/referrals/test_report_event.py"
"""Tests that a product without any strong read fails."""

SUITE = ("tests/services", "tests/routes")
MIN_STALE_READS = 6
"""Files that even a small part of the search runs."""

_ON_BOTH_CORES = ("-n2", "--dist=loadfile")
_COLLECTED = re.compile(r"(?:collected |workers \[)(\d+) items?")
_OUTCOME = re.compile(r"\b(PASSED|FAILED|ERROR|SKIPPED|XFAIL)\b")
_BROKEN = re.compile(r"^(?:FAILED|ERROR) (\S+)")
_REPORTED = re.compile(r"(?P<stale>\d+) of (?P<weak>\d+) weak reads were stale")


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Count, play referrals, and run the tests, while weak reads are stale."""
    with mock_aws():
        cloud.create_tables()
        cloud.verify_sender()
        key_id = cloud.create_key()
        yield _counters(budget)
        yield _lives(key_id, progress, budget)
    yield _suite(progress, budget)


def count_with_reads(*, strong: bool, seed: int) -> int:
    """Return the value of a counter that is read, increased and written back `COUNTS` times."""
    client: Any = store_tools.get_dynamodb_client()
    table, key = f"{cloud.PREFIX}allowances", {"subject": {"S": f"counter {strong} {seed}"}}
    with make_reads_stale(SHARE, seed=seed):
        for _ in range(COUNTS):
            found = client.get_item(TableName=table, Key=key, ConsistentRead=strong)
            count = int(found.get("Item", {}).get("spent", {"N": "0"})["N"]) + 1
            client.put_item(TableName=table, Item={**key, "spent": {"N": str(count)}})
    return count


def _counters(budget: Budget) -> SectionResult:
    strong, weak = (count_with_reads(strong=strong, seed=budget.seed) for strong in (True, False))
    wrong = [] if strong == COUNTS else [f"seed {budget.seed}: {strong} of {COUNTS} were counted"]
    if weak == COUNTS:
        wrong.append("a counter that reads weakly is not found")
    return SectionResult(
        claim="A strong read is up to date while weak ones are stale",
        tries=COUNTS,
        counterexamples=wrong,
        figures=f"a counter comes to {strong} by strong reads, to {weak} by weak ones",
    )


@dataclass(frozen=True, slots=True)
class ScenarioOutcome:
    """Who got which notice about a referral, and how many reads of what is due were stale.

    A late notice may share another email, so emails are not compared: each was sent once.
    """

    sent: Sequence[tuple[str, str]]
    left: Sequence[str]
    stale: int


def play_referral(key_id: str, *, share: float, seed: int) -> ScenarioOutcome:
    """Play a referral up to its infusion and past it, while what is due is found late."""
    cloud.clear_tables()
    driver = open_service_driver(store_tools.create_cold_stores(key_id))
    with make_reads_stale(share, seed=seed) as reads:
        driver.refer()
        for stage in ("received", *STAGES_TO_LYMPHODEPLETION, "infused"):
            driver.move_to(stage)
            driver.run_queue(TaskQueue.EVENT)
        for _ in range(SWEEPS):
            _sweep(driver)
    result = sorted((row["member_id"], row["outbox_id"]) for row in store_tools.list_rows("notices"))
    sent = Counter(tag for _, tag in driver.postbox.accepted)
    late = driver.now + timedelta(days=1)
    left = [row["outbox_id"] for lane in TaskQueue for row in _due(driver, lane, late)]
    unsent = [row["outbox_id"] for row in store_tools.list_mail_rows() if row["state"] != "done"]
    again = [mail_id for mail_id, copies in sent.items() if copies > 1]
    return ScenarioOutcome(result, [*left, *unsent, *again], reads.stale)


def _sweep(driver: ServiceDriver) -> None:
    """Run the relay a while later, and the plan of all days to come."""
    driver.now += timedelta(minutes=15)
    driver.run_queue(TaskQueue.EVENT)
    driver.run_queue(TaskQueue.PLAN, now=driver.now + timedelta(days=90))


def _due(driver: ServiceDriver, lane: TaskQueue, by: Any) -> Iterator[Any]:
    return driver.stores.outbox.list_due(lane, by=by, limit=100)


def _lives(key_id: str, progress: Progress, budget: Budget) -> SectionResult:
    total = budget.scale(SCENARIOS)
    wanted = play_referral(key_id, share=0, seed=0)
    wrong: list[str] = [] if wanted.sent else ["no one is notified of anything"]
    stale = 0
    for number in range(total):
        seed = budget.seed * SCENARIOS + number
        life = play_referral(key_id, share=SHARE, seed=seed)
        stale += life.stale
        if (life.sent, life.left) != (wanted.sent, []):
            found = f"{len(life.sent)} notices, not {len(wanted.sent)}"
            wrong.append(f"seed {seed}: {found}; left or sent twice: {life.left}")
        progress(number + 1, total, "lives")
    if not stale:
        wrong.append("no index was behind")
    return SectionResult(
        claim="An index that lags only costs time: each notice is sent once",
        tries=total * len(wanted.sent),
        counterexamples=wrong,
        figures=f"{stale:,} stale reads of what is due",
    )


@dataclass(frozen=True, slots=True)
class TestRun:
    """The results of the tests while weak reads were stale."""

    outcomes: Sequence[str]
    broken: Sequence[str]
    weak: int
    stale: int

    @property
    def passed(self) -> int:
        """Return how many tests passed."""
        return self.outcomes.count("PASSED")


def run_tests(tests: Sequence[str], *, seed: int, options: Sequence[str], progress: Progress) -> TestRun:
    """Run tests in their own processes, with `SHARE` of their weak reads stale."""
    plain = ("-vv", "--tb=no", "-p", "no:randomly", "-p", "no:cacheprovider")
    arguments = (f"--stale={SHARE}", f"--stale-seed={seed}", *plain, *options, *tests)
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            return _read_outcomes(running.stdout or (), partial(progress, what=f"tests, seed {seed}"))
        finally:
            running.kill()


def _read_outcomes(lines: Iterable[str], progress: Callable[[int, int], None]) -> TestRun:
    outcomes: list[str] = []
    broken: list[str] = []
    total = weak = stale = 0
    for line in lines:
        if message := _REPORTED.search(line):
            stale, weak = int(message["stale"]), int(message["weak"])
        elif counted := _COLLECTED.search(line):
            total = int(counted[1])
        elif named := _BROKEN.search(line):
            broken.append(named[1])
        elif "::" in line and (outcome := _OUTCOME.search(line)):
            outcomes.append(outcome[1])
            progress(len(outcomes), total)
    if len(outcomes) < max(1, total):
        broken.append(f"only {len(outcomes)} of {total} tests ran")
    return TestRun(outcomes, broken, weak, stale)


def _suite(progress: Progress, budget: Budget) -> SectionResult:
    runs = {}
    for seed in range(budget.seed, budget.seed + SEEDS):
        tests = _drawn(seed, budget)
        runs[seed] = run_tests(tests, seed=seed, options=_ON_BOTH_CORES, progress=progress)
    wrong = [f"seed {seed}: {test}" for seed, run in runs.items() for test in run.broken]
    stale = sum(run.stale for run in runs.values())
    if not stale:
        wrong.append("no answer was stale")
    noticed = _all_weak(budget.seed, progress)
    if not noticed:
        wrong.append(f"{FULLY_STALE_TESTS} passes without a strong read")
    passed = sum(run.passed for run in runs.values())
    return SectionResult(
        claim="The tests of services and routes pass while weak reads are stale",
        tries=passed + len(wrong),
        counterexamples=wrong,
        figures=f"{passed:,} passed, {stale:,} of {sum(r.weak for r in runs.values()):,} weak"
        f" reads were stale; {noticed} tests notice if no read is strong",
    )


def _drawn(seed: int, budget: Budget) -> Sequence[str]:
    """Return the files of the search, or as large a part of them as is wanted."""
    files = sorted(str(file.relative_to(ROOT)) for place in SUITE for file in (ROOT / place).rglob("test_*.py"))
    drawn = Random(seed).sample(files, budget.scale(len(files), least=MIN_STALE_READS))  # noqa: S311 to repeat it
    # However few they are, some read is stale.
    return sorted({*drawn, SAMPLE_TEST.partition("::")[0]})


def _all_weak(seed: int, progress: Progress) -> int:
    """Return how many tests notice a product without any strong read."""
    run = run_tests([FULLY_STALE_TESTS], seed=seed, options=("-n0", "--stale-all"), progress=progress)
    return len(run.broken)
