"""Whatever is done to the audit trail is found."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from chalicelib import wiring
from chalicelib.services import audits
from tests.prove.claims import Budget, Progress, Result
from tests.support.clinic import Clinic
from tests.support.tampering import stored, tampered, tampering
from tests.support.world import open_world

MINUTES = 2

TAMPERINGS = 1_000


def prove(progress: Progress, budget: Budget) -> Iterator[Result]:
    """Edit, delete, insert, swap and cut, alone and together, and verify each time."""
    with tempfile.TemporaryDirectory() as folder, open_world(Path(folder)) as clinic:
        _live(clinic)
        before = stored()
        unseen = [] if _is_whole(clinic) else ["an untouched trail did not verify"]
        kinds: Counter[str] = Counter()
        total = budget.of(TAMPERINGS)
        for number in range(total):
            seed = budget.seed * TAMPERINGS + number
            done, after = tampering(before, seed)
            kinds.update(done.split(", "))
            with tampered(before, after):
                if _is_whole(clinic):
                    unseen.append(f"seed {seed}: {done}")
            progress(number + 1, total, "tamperings")
    figures = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    yield Result(
        claim="An audit trail that was tampered with does not verify",
        tries=total,
        counterexamples=unseen,
        figures=f"{len(before)} rows; {figures}",
    )


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
