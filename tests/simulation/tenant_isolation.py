"""Searches for a way to another tenant's data."""

from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from random import Random
from unittest.mock import patch

from chalicelib.domain.identity.members import Member
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.support.cross_tenant_probe import CrossTenantProbe
from tests.support.log_capture import discard_logs
from tests.support.multi_tenant_world import open_multi_tenant_world, snapshot_protected

MINUTES = 6

TRIES = 100_000
PART = 2_500
"""After so many tries a new world is opened, because parked deliveries slow the old one down."""

PROCESSES = 2
PRACTICES, CENTERS = 6, 4


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Let people try to reach data that is not theirs, in each way that has a route."""
    total = budget.scale(TRIES)
    parts = [(budget.seed * TRIES + number, min(PART, total - number)) for number in range(0, total, PART)]
    done = 0
    found: list[str] = []
    with get_context("spawn").Pool(PROCESSES) as pool:
        caught = pool.apply_async(_caught)
        for wrong, (_, tries) in zip(pool.imap(_tried, parts), parts, strict=True):
            done += tries
            found += wrong
            progress(done, total, "tries")
        if not caught.get():
            found.append("the tries found nothing where everybody may see everything")
    yield SectionResult(
        claim="No attempt to reach another tenant's data succeeds, reveals or changes anything",
        tries=done,
        counterexamples=found,
        figures=f"{PRACTICES} practices, {CENTERS} centers; a missing check is found in each role",
    )


def _tried(part: tuple[int, int]) -> Sequence[str]:
    discard_logs()
    seed, tries = part
    with open_multi_tenant_world(PRACTICES, CENTERS) as (memory, world):
        strangers = CrossTenantProbe(world, Random(seed))  # noqa: S311 a seed makes the same run again
        before = snapshot_protected(memory)
        for _ in range(tries):
            strangers.try_once()
        changed = [] if snapshot_protected(memory) == before else ["something was written"]
    return [f"seed {seed}: {each}" for each in (*strangers.found, *changed)]


def _caught() -> bool:
    """Whether the tries find it when a member may see every referral."""
    discard_logs()
    with open_multi_tenant_world(PRACTICES, CENTERS) as (_, world):
        strangers = CrossTenantProbe(world, Random(1))  # noqa: S311 as above
        with patch.object(Member, "belongs_to", lambda *_anything: True):
            for person in world.people:
                for _ in range(20):
                    strangers.probe_target(person)
    result = "\n".join(strangers.found)
    return all(p.member.name in result for p in world.people if p.member.has_clinical_access)
