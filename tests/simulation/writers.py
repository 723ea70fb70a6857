"""Eight writers on the same referrals at once, and a checker of their responses.

Each operation is logged as answered or unknown. In the end every answered event is in
the history exactly once, every other one at most once, the versions have no gap, a strong read
after a response contains it, the lists equal the referrals, and the audit trail verifies.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chalicelib.domain.audit.hash_chain import find_breaks
from chalicelib.domain.platform.ids import derive_id
from chalicelib.errors import ConflictError, UnavailableError
from chalicelib.store.all_stores import Stores, open_stores
from tests.simulation.proof_world import open_proof_world
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.support import faults
from tests.support.aws_fakes import PREFIX
from tests.support.factories import CENTER, NOON, PRACTICE
from tests.support.faults import FaultMode
from tests.support.service_driver import ServiceDriver

MINUTES = 1
WRITERS = 8
REFERRALS = 6
ROUNDS = 10
OPERATIONS = 40
"""Deliveries per writer and round."""

_MOVES = ("received", "info_requested", "accepted", "consult_scheduled", "consult_completed")


@dataclass
class WriterLog:
    """The responses that one writer got. A step that cannot follow the current status is refused."""

    answered: list[tuple[str, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Writer:
    """A writer, in its own function that remembers nothing of the others."""

    number: int
    driver: ServiceDriver
    seed: int
    referral_ids: Sequence[str]

    def write(self) -> WriterLog:
        """Deliver at random, some deliveries again, and read after each response."""
        drawn = random.Random(self.seed * WRITERS + self.number)  # noqa: S311 to be repeated
        log = WriterLog()
        for n in range(OPERATIONS):
            rid = drawn.choice(self.referral_ids)
            at = NOON + timedelta(minutes=drawn.randint(1, 5000), seconds=self.number)
            name = f"{rid}-{self.number}-{n}"
            stage = drawn.choice(_MOVES)
            self._deliver(rid, stage, at=at, name=name, log=log)
            if drawn.random() < 0.2:
                self._deliver(rid, stage, at=at, name=name, log=log, again=True)
        return log

    def _deliver(self, rid: str, stage: str, *, at: datetime, name: str, log: WriterLog, again: bool = False) -> None:
        event = (rid, derive_id("evt", CENTER.tenant_id, name))
        try:
            outcome = self.driver.deliver(stage, referral_id=rid, at=at, webhook_id=name, body=name.encode())
        except UnavailableError:
            log.unknown.append(event)
        except ConflictError:
            log.refused.append(event)
        else:
            if outcome.status in {"applied", "recorded"} and not again:
                log.answered.append(event)
                if event[1] not in _history(self.driver.stores, rid):
                    log.wrong.append(f"{event[1]} was answered and is not in a strong read")


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Play round after round on new referrals; some replies are lost for good."""
    wrong: list[str] = []
    logs: list[WriterLog] = []
    rounds = budget.scale(ROUNDS)
    with open_proof_world(budget.engine) as world:
        driver = ServiceDriver(world.stores, now=NOON + timedelta(days=5))
        for n in range(rounds):
            ids = [derive_id("ref", f"{budget.seed} {n} {k}") for k in range(REFERRALS)]
            result = run_writers(driver, ids, seed=budget.seed + n)
            logs += result
            wrong += find_violations(driver, ids, result)
            progress(n + 1, rounds, "rounds of eight writers")
    met = Counter(
        {"answered": sum(len(log.answered) for log in logs), "unknown": sum(len(log.unknown) for log in logs)}
    )
    blind = [f"blind: no delivery was {what}" for what, times in met.items() if not times]
    yield SectionResult(
        claim="Eight writers at once: each answered event is stored once, and no version is missing",
        tries=sum(met.values()),
        counterexamples=wrong + blind,
        figures=", ".join(f"{times:,} {what}" for what, times in met.items()),
    )


def run_writers(driver: ServiceDriver, referral_ids: Sequence[str], *, seed: int) -> list[WriterLog]:
    """Start eight writers on new referrals; a quarter of the transactions' replies are lost."""
    for rid in referral_ids:
        driver.refer(rid, key=rid)
    writers = [
        Writer(n, ServiceDriver(open_as_another(driver.stores), now=driver.now), seed, referral_ids)
        for n in range(WRITERS)
    ]
    lost = random.Random(seed)  # noqa: S311 as above

    def plan(_n: int, operation: str) -> FaultMode | None:
        is_lost = operation == "TransactWriteItems" and lost.random() < 0.25
        return FaultMode.LOST_REPLY if is_lost else None

    with faults.inject_faults(plan), ThreadPoolExecutor(WRITERS) as threads:
        return list(threads.map(Writer.write, writers))


def find_violations(driver: ServiceDriver, referral_ids: Sequence[str], logs: Sequence[WriterLog]) -> list[str]:
    """Return everything in which the tables differ from the writers' responses."""
    wrong = [each for log in logs for each in log.wrong]
    answered = Counter(event for log in logs for event in log.answered)
    refused = Counter(event for log in logs for event in log.refused)
    for rid in referral_ids:
        wrong += _wrong_with(driver, rid, answered)
        history = _history(driver.stores, rid)
        wrong += [f"{event_id} was refused and is in the history" for event_id in history if refused[rid, event_id]]
    wrong += _wrong_lists(driver, referral_ids)
    return wrong


def _wrong_with(driver: ServiceDriver, rid: str, answered: Counter[tuple[str, str]]) -> Iterator[str]:
    referral = driver.get_referral(rid)
    there = Counter(_history(driver.stores, rid))
    for each, times in there.items():
        if times > 1:
            yield f"{each} is in the history {times} times"
    for answered_about, event_id in answered:
        if answered_about == rid and not there[event_id]:
            yield f"{event_id} was answered and is not in the history"
    rows = list(driver.stores.audit_log.list_chained_rows(rid))
    versions = [row["version"] for row in rows]
    if versions != list(range(1, len(versions) + 1)) or referral.version != len(versions):
        yield f"{rid}: the versions have a gap: {versions}"
    if len(there) != referral.version:
        yield f"{rid}: {len(there)} events and version {referral.version}"
    reads = f"{rid}/reads"
    found = find_breaks(rid, rows, head=referral.audit_chain_head)
    for broken in (*found, *find_breaks(reads, driver.stores.audit_log.list_chained_rows(reads), head=None)):
        yield f"{broken.chain}: audit row {broken.seq} {broken.problem}"


def _wrong_lists(driver: ServiceDriver, referral_ids: Sequence[str]) -> Iterator[str]:
    for index, tenant in (("by_practice", PRACTICE), ("by_center", CENTER)):
        rows = driver.stores.referrals.list_summaries(index=index, tenant_id=tenant.tenant_id)
        listed = {row.referral_id: (row.version, row.stage_summary.stage) for row in rows}
        for rid in referral_ids:
            referral = driver.get_referral(rid)
            if listed.get(rid) != (referral.version, referral.stage):
                yield f"{rid} is listed otherwise in {index}"


def open_as_another(stores: Stores) -> Stores:
    """Return the same tables as another function sees them, which shares only the client."""
    return open_stores(
        prefix=PREFIX,
        kms_key_id=stores.encryption.kms_key_id,
        dynamodb=stores.referrals.table.client,
        kms=stores.encryption.kms,
        files=lambda: stores.files,
        audit_heads=lambda: stores.audit_heads,
    )


def _history(stores: Stores, referral_id: str) -> list[str]:
    return [event.event_id for event in stores.referrals.list_history(referral_id)]
