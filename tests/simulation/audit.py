"""Searches for a change of the audit trail that is not found."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from chalicelib import wiring
from chalicelib.services.audit import trail as audits
from chalicelib.services.platform.run_context import RunContext
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.simulation.workers import run_parts
from tests.support.api_driver import ApiDriver
from tests.support.log_capture import discard_logs
from tests.support.shared_clinic import open_shared_clinic
from tests.support.tampering import apply_tampering, build_tampering, read_rows

MINUTES = 1

TAMPERINGS = 1_000
TAMPERINGS_PER_PART = 125


@dataclass(frozen=True, slots=True)
class AuditPartResult:
    """The result of a part."""

    rows: int
    kinds: Counter[str]
    unseen: Sequence[str]


def search_all(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Edit, delete, insert, swap and cut rows, alone and together, and verify each time."""
    total = budget.scale(TAMPERINGS)
    first = budget.seed * TAMPERINGS
    parts = [
        range(first + n, first + min(n + TAMPERINGS_PER_PART, total)) for n in range(0, total, TAMPERINGS_PER_PART)
    ]
    found: list[AuditPartResult] = []
    for part in run_parts(search_part, parts):
        found.append(part)
        progress(len(found), len(parts), "parts of the tamperings")
    kinds = sum((part.kinds for part in found), Counter())
    figures = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    yield SectionResult(
        claim="A changed audit trail does not verify",
        tries=total,
        counterexamples=[each for part in found for each in part.unseen],
        figures=f"{found[0].rows} rows; {figures}",
    )


def search_part(seeds: Sequence[int]) -> AuditPartResult:
    """Tamper with one trail again and again, by each of the seeds, and restore it."""
    discard_logs()
    with tempfile.TemporaryDirectory() as folder, open_shared_clinic(Path(folder)) as clinic:
        _live(clinic)
        before = read_rows()
        unseen = [] if _is_whole(clinic) else ["an untouched trail did not verify"]
        kinds: Counter[str] = Counter()
        for seed in seeds:
            done, after = build_tampering(before, seed)
            kinds.update(done.split(", "))
            with apply_tampering(before, after):
                if _is_whole(clinic):
                    unseen.append(f"seed {seed}: {done}")
    return AuditPartResult(len(before), kinds, unseen)


def _live(clinic: ApiDriver) -> None:
    """Leave a trail: people refer, move, read and are refused, and the rows are counted."""
    for minutes in (-20, -10):
        _count(clinic, minutes)
    for _ in range(2):
        referral_id = clinic.refer()["referral_id"]
        clinic.move_to(referral_id, "received", "accepted")
        for site in (clinic.practice, clinic.center, clinic.other_practice):
            site.get(f"/v1/referrals/{referral_id}")
        clinic.practice.get("/v1/referrals")
    _count(clinic, 30)


def _count(clinic: ApiDriver, minutes: int) -> None:
    audits.write_checkpoint(context=RunContext(clinic.stores, wiring.read_clock() + timedelta(minutes=minutes)))


def _is_whole(clinic: ApiDriver) -> bool:
    now = wiring.read_clock()
    first = (now - timedelta(hours=1)).date()
    return not audits.verify_audit_trail(context=RunContext(clinic.stores, now), first_day=first).breaks
