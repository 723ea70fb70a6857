"""A simulated year of 200 referrals: each due notice is sent once, and emailed.

In the end the tables are compared with `notice_oracle`, which computes a second time what had to
be sent on which day, and with what the mail service accepted.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import Any
from unittest.mock import patch

from chalicelib import wiring
from chalicelib.domain.notices import mail_timing
from chalicelib.domain.notices import planning as plan
from chalicelib.domain.notices.overdue_alerts import StageAlerts
from chalicelib.domain.notices.planning import SkipReason
from chalicelib.domain.referrals import planned_dates, plans
from chalicelib.domain.referrals.named_products import NamedProducts
from chalicelib.mail.ses import SesMailer
from chalicelib.routes.referrals import plan_responses
from chalicelib.services.coverage import connections
from chalicelib.services.notices import compose, notify
from chalicelib.services.notices import planned_tasks as planned
from chalicelib.store.documents.files import DocumentFiles
from tests.simulation import year_counter, year_mistakes_consultation, year_mistakes_coverage, year_mistakes_documents
from tests.simulation.final_consultations import find_old_invitations, find_wrong_appointment, find_wrong_seats
from tests.simulation.final_coverage import find_wrong_coverage
from tests.simulation.final_documents import find_wrong_documents, find_wrong_files
from tests.simulation.final_state import FinalState
from tests.simulation.known_events import DAY, YEAR_START
from tests.simulation.proof_world import ProofWorld, open_proof_world
from tests.simulation.section_protocol import Budget, Progress, SectionResult
from tests.simulation.workers import run_parts
from tests.simulation.year_members import create_members
from tests.simulation.year_runner import YearPart, YearRunner
from tests.support.whole_lists import snapshots_of_short_lists

MINUTES = 8
REFERRALS = 200
REFERRALS_A_PART = 50
MISTAKE_PARTS = 5
"""In how many small parts a mistake is searched for."""

CLAIM = "A year with late, doubled and dying jobs: each due notice is sent and emailed once"


@dataclass(frozen=True, slots=True)
class YearPartResult:
    """The result of a part."""

    referrals: int
    notices: int
    mails: int
    met: int
    wrong: Sequence[str]


def simulate(progress: Progress, budget: Budget) -> Iterator[SectionResult]:
    """Play all referrals, and two products that count or forget in a wrong way."""
    wanted = budget.scale(REFERRALS, least=4)
    parts = [
        YearPart(seed=budget.seed * 1000 + n, referrals=min(REFERRALS_A_PART, wanted - n), engine=budget.engine)
        for n in range(0, wanted, REFERRALS_A_PART)
    ]
    naive = [
        YearPart(
            seed=budget.seed * 1000,
            referrals=10,
            engine=budget.engine,
            naive=name,
            within=20 * DAY,
            ends=YEAR_START + 100 * DAY,
            pace=0.4,
        )
        for name in NAIVE
        if name and name not in _BEFORE_THE_INFUSION
    ]
    # What people do before an infusion needs fewer days.
    naive += [
        replace(naive[0], naive=name, referrals=8, within=8 * DAY, ends=YEAR_START + 35 * DAY)
        for name in _BEFORE_THE_INFUSION
    ]
    found: list[YearPartResult] = []
    wrong: list[str] = []
    for part, result in run_parts(_with_part, [*parts, *naive]):
        if not part.naive:
            found.append(result)
            wrong += result.wrong
            progress(sum(each.referrals for each in found), wanted, "referrals")
        elif not result.wrong:
            wrong.append(f"blind: a product that {part.naive} passes")
    yield SectionResult(
        claim=CLAIM,
        tries=sum(each.notices for each in found),
        counterexamples=wrong,
        figures=f"{wanted} referrals, {sum(each.mails for each in found):,} mails, "
        f"{sum(each.met for each in found):,} faults; found is a product that " + " or ".join(filter(None, NAIVE)),
    )


def _with_part(part: YearPart) -> tuple[YearPart, YearPartResult]:
    """Search a part. A mistake must be found in one of a few parts, because few referrals may not meet it."""
    found = search(part)
    for n in range(1, MISTAKE_PARTS if part.naive else 1):
        if found.wrong:
            break
        found = search(replace(part, seed=part.seed + n))
    return part, found


def search(part: YearPart) -> YearPartResult:
    """Play a year, then compare what it left."""
    with open_proof_world(part.engine) as world, NAIVE[part.naive]():
        return run_part(world, part)


def run_part(world: ProofWorld, part: YearPart) -> YearPartResult:
    """Play some referrals in their own world."""
    drawn = random.Random(part.seed)  # noqa: S311 to be repeated, not to be kept secret
    year = YearRunner(world, drawn, create_members(world.stores, drawn), part)
    # The directory as it was read before has none of these tenants.
    world.start_over()
    with (
        patch.object(SesMailer, "send", year.count_sends(SesMailer.send)),
        patch.object(wiring, "ConfiguredPayers", lambda: year.insurer.payer),
        patch.object(connections, "send_post", year.insurer.payer.send_post),
        patch.object(DocumentFiles, "request_check", lambda *_: None),
        snapshots_of_short_lists(),
    ):
        year.run()
    outcome = FinalState.read(world.stores, year.staff, year.oracles, year.sent)
    wrong = [*year.trouble, *outcome.find_violations(), *find_wrong_seats(world.stores, year.booker.slots)]
    wrong += [*find_old_invitations(year.invited), *find_wrong_files(world.stores, year.filer)]
    for referral_id, oracle in year.oracles.items():
        tasks = [row for row in outcome.tasks.values() if row["referral_id"] == referral_id]
        notices = [each for each in outcome.notices if each["referral_id"] == referral_id]
        found = [
            *find_wrong_coverage(world.stores, oracle, year.insurer, tasks, notices),
            *find_wrong_documents(world.stores, oracle, year.filer, tasks, notices),
        ]
        wrong += [f"{oracle.course.name}: {each}" for each in found]
        wrong += [f"{oracle.course.name}: {each}" for each in find_wrong_appointment(world.stores, oracle.visits)]
    met = year.met + year.sender.met
    return YearPartResult(part.referrals, len(outcome.notices), len(outcome.mails), met, wrong)


# --------------------------------------------------------------- mistakes that must be found


@contextmanager
def _counting_in_utc() -> Iterator[None]:
    def midnight(day: date, _zone: str) -> datetime:
        return datetime.combine(day, time(), UTC)

    with patch.object(plan, "get_start_of_day", midnight):
        yield


@contextmanager
def _forgetful() -> Iterator[None]:
    real = plan.find_skip_reason

    def why_not(task: Any, referral: Any) -> Any:
        why = real(task, referral)
        return None if why in {SkipReason.CLOSED, SkipReason.ON_HOLD} else why

    with patch.object(planned, "find_skip_reason", why_not):
        yield


@contextmanager
def _writing_about_the_dead() -> Iterator[None]:
    with (
        patch.object(compose, "is_overtaken_by_ending", lambda *_: False),
        patch.object(notify, "_is_older_than_a_death", lambda *_: False),
    ):
        yield


@contextmanager
def _waking_readers() -> Iterator[None]:
    with patch.object(mail_timing, "_find_morning", lambda _day, _zone, now: now):
        yield


@contextmanager
def _deaf() -> Iterator[None]:
    with patch.object(StageAlerts, "get_due", lambda *_: None):
        yield


@contextmanager
def _without_earlier_dates() -> Iterator[None]:
    real = plans._with_date

    def with_date(plan: Any, report: Any) -> Any:
        return replace(real(plan, report), moved_from=None)

    with patch.object(plans, "_with_date", with_date):
        yield


@contextmanager
def _planning_after_the_end() -> Iterator[None]:
    def list_all(referral: Any) -> Any:
        return [*referral.plans.list_all()]

    with (
        patch.object(planned_dates, "list_current_plans", list_all),
        patch.object(plan_responses, "list_current_plans", list_all),
    ):
        yield


@contextmanager
def _preferring_the_planned_product() -> Iterator[None]:
    with patch.object(NamedProducts, "current", property(lambda named: named.planned or named.given)):
        yield


_BEFORE_THE_INFUSION: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    **year_counter.MISTAKES,
    **year_mistakes_consultation.MISTAKES,
    **year_mistakes_coverage.MISTAKES,
    **year_mistakes_documents.MISTAKES,
}

NAIVE: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "": nullcontext,
    "counts days in UTC": _counting_in_utc,
    "counts the days of the planned product": _preferring_the_planned_product,
    "forgets deaths and holds": _forgetful,
    "forgets where a date was moved from": _without_earlier_dates,
    "is deaf to its clocks": _deaf,
    "keeps planned dates after an ending": _planning_after_the_end,
    "sends what waited when a patient died": _writing_about_the_dead,
    "wakes its readers at midnight": _waking_readers,
    **_BEFORE_THE_INFUSION,
}
