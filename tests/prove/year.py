"""A simulated year of 200 referrals: each due notice told once, and mailed.

In the end the tables are compared with `due`, which says by hand what had to be told on which
day, and with what the mail service took.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from unittest.mock import patch

from chalicelib.domain.notices import planning as plan
from chalicelib.domain.notices.overdue_alerts import Alarms
from chalicelib.domain.notices.planning import WhyNot
from chalicelib.mail.ses import SesMailer
from chalicelib.services.notices import planned_tasks as planned
from tests.prove.claims import Budget, Progress, Result
from tests.prove.courses import BEGINS, DAY
from tests.prove.ledgers import Ledgers
from tests.prove.living import Part, Year
from tests.prove.reporting import employ
from tests.prove.spread import spread
from tests.prove.world import World, open_world

MINUTES = 4
REFERRALS = 200
REFERRALS_A_PART = 50

CLAIM = "A year, with its jobs late, doubled and dying: each due notice is told and mailed once"


@dataclass(frozen=True, slots=True)
class Found:
    """What a part came to."""

    referrals: int
    notices: int
    mails: int
    met: int
    wrong: Sequence[str]


def prove(progress: Progress, budget: Budget) -> Iterator[Result]:
    """All referrals, and two products that count or forget as they must not."""
    wanted = budget.of(REFERRALS, least=4)
    parts = [
        Part(
            seed=budget.seed * 1000 + n,
            referrals=min(REFERRALS_A_PART, wanted - n),
            engine=budget.engine,
        )
        for n in range(0, wanted, REFERRALS_A_PART)
    ]
    naive = [
        Part(
            seed=budget.seed * 1000,
            referrals=10,
            engine=budget.engine,
            naive=name,
            within=20 * DAY,
            ends=BEGINS + 150 * DAY,
        )
        for name in filter(None, NAIVE)
    ]
    found: list[Found] = []
    wrong: list[str] = []
    for part, result in spread(_with_part, [*parts, *naive]):
        if not part.naive:
            found.append(result)
            wrong += result.wrong
            progress(sum(each.referrals for each in found), wanted, "referrals")
        elif not result.wrong:
            wrong.append(f"blind: a product that {part.naive} passes")
    yield Result(
        claim=CLAIM,
        tries=sum(each.notices for each in found),
        counterexamples=wrong,
        figures=f"{wanted} referrals, {sum(each.mails for each in found):,} mails, "
        f"{sum(each.met for each in found):,} faults; a product is found out that "
        + " or ".join(filter(None, NAIVE)),
    )


def _with_part(part: Part) -> tuple[Part, Found]:
    return part, search(part)


def search(part: Part) -> Found:
    """Live through a year, then look at what it left."""
    with open_world(part.engine) as world, NAIVE[part.naive]():
        return live(world, part)


def live(world: World, part: Part) -> Found:
    """Let some referrals live in a world of their own."""
    drawn = random.Random(part.seed)  # noqa: S311 to be repeated, not to be kept secret
    year = Year(world, drawn, employ(world.stores, drawn), part)
    # The directory as it was read before has none of these tenants.
    world.begin_anew()
    with patch.object(SesMailer, "send", year.sending(SesMailer.send)):
        year.live()
    told = Ledgers.read(world.stores, year.staff, year.oracles, year.sent)
    wrong = [*year.trouble, *told.what_is_wrong()]
    return Found(part.referrals, len(told.notices), len(told.mails), year.met, wrong)


# --------------------------------------------------------------- what must be found out


@contextmanager
def _counting_in_utc() -> Iterator[None]:
    def midnight(day: date, _zone: str) -> datetime:
        return datetime.combine(day, time(), UTC)

    with patch.object(plan, "start_of_day", midnight):
        yield


@contextmanager
def _forgetful() -> Iterator[None]:
    real = plan.why_not

    def why_not(task: Any, referral: Any) -> Any:
        why = real(task, referral)
        return None if why in {WhyNot.CLOSED, WhyNot.ON_HOLD} else why

    with patch.object(planned, "why_not", why_not):
        yield


@contextmanager
def _deaf() -> Iterator[None]:
    with patch.object(Alarms, "due", lambda *_: None):
        yield


NAIVE: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "": nullcontext,
    "counts days in UTC": _counting_in_utc,
    "forgets deaths and holds": _forgetful,
    "is deaf to its clocks": _deaf,
}
