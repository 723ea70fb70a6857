"""Whatever is done to the audit trail is found."""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from chalicelib import wiring
from chalicelib.services.audit import trail as audits
from tests.prove.claims import Budget, Progress, Result
from tests.prove.spread import spread
from tests.support.clinic import Clinic
from tests.support.quiet import silence_log
from tests.support.tampering import stored, tampered, tampering
from tests.support.world import open_world

MINUTES = 1

TAMPERINGS = 1_000
A_PART = 125


@dataclass(frozen=True, slots=True)
class Found:
    """What a part came to."""

    rows: int
    kinds: Counter[str]
    unseen: Sequence[str]


def prove(progress: Progress, budget: Budget) -> Iterator[Result]:
    """Edit, delete, insert, swap and cut, alone and together, and verify each time."""
    total = budget.of(TAMPERINGS)
    first = budget.seed * TAMPERINGS
    parts = [range(first + n, first + min(n + A_PART, total)) for n in range(0, total, A_PART)]
    found: list[Found] = []
    for part in spread(search, parts):
        found.append(part)
        progress(len(found), len(parts), "parts of the tamperings")
    kinds = sum((part.kinds for part in found), Counter())
    figures = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    yield Result(
        claim="An audit trail that was tampered with does not verify",
        tries=total,
        counterexamples=[each for part in found for each in part.unseen],
        figures=f"{found[0].rows} rows; {figures}",
    )


def search(seeds: Sequence[int]) -> Found:
    """Tamper with one trail again and again, by each of the seeds, and make it good."""
    silence_log()
    with tempfile.TemporaryDirectory() as folder, open_world(Path(folder)) as clinic:
        _live(clinic)
        before = stored()
        unseen = [] if _is_whole(clinic) else ["an untouched trail did not verify"]
        kinds: Counter[str] = Counter()
        for seed in seeds:
            done, after = tampering(before, seed)
            kinds.update(done.split(", "))
            with tampered(before, after):
                if _is_whole(clinic):
                    unseen.append(f"seed {seed}: {done}")
    return Found(len(before), kinds, unseen)


def _live(clinic: Clinic) -> None:
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


def _count(clinic: Clinic, minutes: int) -> None:
    audits.checkpoint(stores=clinic.stores, now=wiring.now() + timedelta(minutes=minutes))


def _is_whole(clinic: Clinic) -> bool:
    now = wiring.now()
    first = (now - timedelta(hours=1)).date()
    return not audits.verify(stores=clinic.stores, now=now, first_day=first).breaks
