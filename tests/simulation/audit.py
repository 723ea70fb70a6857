"""Searches for a change of the audit trail that is not found."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from chalicelib import wiring
from chalicelib.services.audit.checkpoints import CHECKPOINT_GRACE, write_checkpoint
from chalicelib.services.audit.verification import PROTECTED_AFTER, verify_audit_trail
from chalicelib.services.platform.run_context import RunContext
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.simulation.workers import run_parts
from tests.support.api_driver import ApiDriver
from tests.support.log_capture import discard_logs
from tests.support.shared_clinic import open_shared_clinic
from tests.support.tampering import (
    apply_tampering,
    build_tampering,
    get_counted_until,
    read_rows,
    touches_protected_rows,
)

MINUTES = 3

TAMPERINGS = 1_000
TAMPERINGS_PER_PART = 125


@dataclass(frozen=True, slots=True)
class AuditPartResult:
    """The result of a part."""

    rows: int
    kinds: Counter[str]
    unseen: Sequence[str]
    unprotected: int
    """Changes of rows that nothing had counted yet, which were not found."""


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Edit, delete, insert, swap and cut rows, alone and together, and verify each time."""
    total = budget.scale(TAMPERINGS)
    first = budget.seed * TAMPERINGS
    parts = [
        range(first + n, first + min(n + TAMPERINGS_PER_PART, total)) for n in range(0, total, TAMPERINGS_PER_PART)
    ]
    found: list[AuditPartResult] = []
    for part in run_parts(tamper_part, parts):
        found.append(part)
        progress(len(found), len(parts), "parts of the tamperings")
    kinds = sum((part.kinds for part in found), Counter())
    unprotected = sum(part.unprotected for part in found)
    figures = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    yield SectionResult(
        claim="A changed audit trail does not verify, ten minutes after its rows were written",
        tries=total,
        counterexamples=[each for part in found for each in part.unseen],
        figures=f"{found[0].rows} rows; {unprotected} changes of younger rows only, not found; {figures}",
    )


def tamper_part(seeds: Sequence[int]) -> AuditPartResult:
    """Tamper with one trail again and again, by each of the seeds, and restore it."""
    discard_logs()
    with tempfile.TemporaryDirectory() as folder, open_shared_clinic(Path(folder)) as clinic:
        _live(clinic)
        young = _try_all(clinic, seeds[::2])
        # As soon as they are counted, the same rows are protected too.
        _count(clinic, PROTECTED_AFTER)
        counted = _try_all(clinic, seeds[1::2])
    return AuditPartResult(
        rows=counted.rows,
        kinds=young.kinds + counted.kinds,
        unseen=[*young.unseen, *counted.unseen],
        unprotected=young.unprotected + counted.unprotected,
    )


def _try_all(clinic: ApiDriver, seeds: Sequence[int]) -> AuditPartResult:
    """Tamper with the trail as it is now, once for each seed.

    A change that is not found counts as unprotected only if it touches nothing but reads and refusals that are
    younger than the last checkpoint.
    """
    before = read_rows()
    counted_until = get_counted_until(before)
    unseen = [] if _is_whole(clinic) else ["an untouched trail did not verify"]
    kinds: Counter[str] = Counter()
    unprotected = 0
    for seed in seeds:
        done, after = build_tampering(before, seed)
        kinds.update(done.split(", "))
        with apply_tampering(before, after):
            if not _is_whole(clinic):
                continue
        if touches_protected_rows(before, after, counted_until=counted_until):
            unseen.append(f"seed {seed}: {done}")
        else:
            unprotected += 1
    return AuditPartResult(len(before), kinds, unseen, unprotected)


def _live(clinic: ApiDriver) -> None:
    """Leave a trail: people refer, move, read and are refused. Half of the rows are counted, the others are young."""
    for minutes in (-20, -10):
        _count(clinic, timedelta(minutes=minutes))
    _leave_rows(clinic)
    # The count ends after these rows and before the next ones.
    _count(clinic, CHECKPOINT_GRACE)
    _leave_rows(clinic)


def _leave_rows(clinic: ApiDriver) -> None:
    for _ in range(2):
        referral_id = clinic.refer()["referral_id"]
        clinic.move_to(referral_id, "received", "accepted")
        for site in (clinic.practice, clinic.center, clinic.other_practice):
            site.get(f"/v1/referrals/{referral_id}")
        clinic.practice.get("/v1/referrals")


def _count(clinic: ApiDriver, later: timedelta) -> None:
    """Write the checkpoint of some time later or earlier than now."""
    write_checkpoint(context=RunContext(clinic.stores, wiring.read_clock() + later))


def _is_whole(clinic: ApiDriver) -> bool:
    now = wiring.read_clock()
    first = (now - timedelta(hours=1)).date()
    return not verify_audit_trail(context=RunContext(clinic.stores, now), first_day=first).breaks
