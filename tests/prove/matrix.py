"""Nobody gets at what is another tenant's."""

from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from random import Random
from unittest.mock import patch

from chalicelib.domain.identity.members import Member
from tests.prove.claims import Budget, Progress, Result
from tests.support.quiet import silence_log
from tests.support.strangers import Strangers
from tests.support.town import kept, open_town

MINUTES = 3

TRIES = 100_000
PART = 2_500
"""After so many tries a town is left for a new one: what strangers leave waiting slows it down."""

PROCESSES = 2
PRACTICES, CENTERS = 6, 4


def prove(progress: Progress, budget: Budget) -> Iterator[Result]:
    """Send people after what is not theirs, each way that there is a route for."""
    total = budget.of(TRIES)
    parts = [
        (budget.seed * TRIES + number, min(PART, total - number))
        for number in range(0, total, PART)
    ]
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
    yield Result(
        claim="No try at what is another tenant's succeeds, tells or changes anything",
        tries=done,
        counterexamples=found,
        figures=f"{PRACTICES} practices, {CENTERS} centers; an open door is found in each role",
    )


def _tried(part: tuple[int, int]) -> Sequence[str]:
    silence_log()
    seed, tries = part
    with open_town(PRACTICES, CENTERS) as (memory, town):
        strangers = Strangers(town, Random(seed))  # noqa: S311 a seed makes the same run again
        before = kept(memory)
        for _ in range(tries):
            strangers.try_once()
        changed = [] if kept(memory) == before else ["something was written"]
    return [f"seed {seed}: {each}" for each in (*strangers.found, *changed)]


def _caught() -> bool:
    """Whether the tries find it when a member may see every referral."""
    silence_log()
    with open_town(PRACTICES, CENTERS) as (_, town):
        strangers = Strangers(town, Random(1))  # noqa: S311 as above
        with patch.object(Member, "may_see", lambda _member, _referral: True):
            for person in town.people:
                for _ in range(20):
                    strangers.aimed(person)
    told = "\n".join(strangers.found)
    return all(p.member.name in told for p in town.people if p.member.cares)
