"""Moves the coverage of referrals in a year, and asks the payer, as people of both sides."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.domain.coverage.checks import CheckState
from chalicelib.domain.coverage.moves import MoveName
from chalicelib.routes.coverage.summary_responses import to_coverage_summary_response
from chalicelib.services.coverage import checks
from chalicelib.services.coverage.checks import NewCheck
from chalicelib.services.coverage.moves import record_move
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.idempotency import StoredResponse
from tests.simulation.coverage_oracle import NEXT, ExpectedCoverage, KnownMove, replay
from tests.simulation.known_events import ReferralHistory, draw_days
from tests.simulation.notice_oracle import NoticeOracle
from tests.simulation.year_members import YearMembers
from tests.simulation.year_payer import YearPayer
from tests.simulation.year_sender import DONE, YearSender
from tests.support.coverage_values import build_facts, get_usual_party
from tests.support.service_driver import ServiceDriver

_ACTIONS = (*["check"] * 3, *["next"] * 8, "plan_changed", "result_recorded")


def draw_coverage_steps(drawn: random.Random, course: ReferralHistory) -> Iterator[tuple[datetime, str]]:
    """Draw when people work on the coverage, soon after the submission and in the two months after it."""
    at = course.news[0].at
    for _ in range(drawn.randint(2, 8)):
        at += draw_days(drawn, 0.05, 8)
        yield at.replace(second=drawn.randint(1, 29), microsecond=drawn.randrange(10**6)), drawn.choice(_ACTIONS)


_KEEPS_OTHERS_AWAY = timedelta(hours=26)
"""How long a check is the only one, also if no job runs at all: the day for which a payer is asked, and two hours."""


@dataclass(frozen=True, slots=True)
class AcceptedCheck:
    """A check that was accepted: its id, what the payer reads, and when."""

    check_id: str
    trace_id: str
    at: datetime


@dataclass
class YearInsurer:
    """Acts for all referrals.

    Attributes:
        moved: The moves of people that were accepted, in their order, by referral.
        accepted: The checks that were accepted, by referral.
    """

    drawn: random.Random
    staff: YearMembers
    sender: YearSender
    payer: YearPayer
    moved: dict[str, list[str]] = field(default_factory=dict)
    accepted: dict[str, list[AcceptedCheck]] = field(default_factory=dict)
    _sent: int = 0

    def act(self, what: str, oracle: NoticeOracle, driver: ServiceDriver) -> None:
        """Do one step for a referral, as it is read now."""
        if not oracle.rings.stays:
            return
        self._check_what_is_shown(oracle, driver)
        if what == "check":
            self._request_check(oracle, driver)
            return
        state, today = read_coverage(driver.stores, oracle), get_today(oracle, driver.now)
        self._move(self._choose(what, state, today), oracle, driver, today)

    def _choose(self, what: str, state: ExpectedCoverage, today: date) -> str:
        match what:
            case "next":
                if state.is_of_earlier_plan and self.drawn.random() < 0.5:
                    return "authorization_confirmed"
                name = self.drawn.choice(NEXT[state.shown_authorization])
                is_over = state.approved_until is not None and state.approved_until < today
                return "authorization_required" if name == "cleared" and is_over else name
        return what

    def _move(self, name: str, oracle: NoticeOracle, driver: ServiceDriver, today: date) -> None:
        course, stores = oracle.course, driver.stores
        tenant = course.practice if get_usual_party(name) == "practice" else course.center
        version = stores.coverage_tracks.get(oracle.visits.referral_id, scope=course.practice.tenant_id).version
        if name == "plan_changed" and not version:
            return
        facts = build_facts(name, today, **self._draw_dates(name, today))
        send = partial(
            record_move,
            oracle.visits.referral_id,
            MoveName(name),
            facts,
            version=version,
            member=self.staff.people[tenant.tenant_id][0],
            context=driver.context,
        )
        verdict = "referral_closed" if oracle.is_ended else DONE
        # Who got no response reads the coverage again, and sees that the move was made.
        if self.sender.expect(verdict, f"{course.name} {name}", send, done_before="stale") == DONE:
            self.moved.setdefault(oracle.visits.referral_id, []).append(name)

    def _draw_dates(self, name: str, today: date) -> Mapping[str, Any]:
        days = self.drawn.randint(0, 40)
        on = (today + timedelta(days=days)).isoformat()
        if name == "result_recorded":
            return {"valid_until": on, "plan_year": self.drawn.choice([..., "calendar"])}
        if name == "authorization_submitted":
            return {"submitted_on": today.isoformat()}
        if name == "authorization_denied":
            return {"letter_on": today.isoformat(), "deadline": on}
        names = {"authorization_approved": "ends_on", "cleared": "until", "information_asked": "deadline"}
        return {names[name]: on} if name in names else {}

    def _request_check(self, oracle: NoticeOracle, driver: ServiceDriver) -> None:
        """Request a check, and once more by a second click."""
        member = self.staff.people[oracle.course.practice.tenant_id][0]
        for _ in range(2):
            before = self._find_running(oracle, driver)
            self._sent += 1
            new = AcceptedCheck(f"chk_{oracle.visits.referral_id}_{self._sent}", f"C{self._sent:05d}", driver.now)
            answered: list[Mapping[str, Any]] = []
            send = partial(self._send_check, new, answered, oracle, member, driver)
            verdict = "referral_closed" if oracle.is_ended else DONE
            if self.sender.expect(verdict, f"{oracle.course.name} check", send) != DONE:
                return
            body = answered[-1]
            if body["status"] == 202:
                self.accepted.setdefault(oracle.visits.referral_id, []).append(new)
                if before and body["plan_version"] == before[1]:
                    self.sender.wrong.append(f"{oracle.course.name}: a second check runs next to {before[0]}")
            elif before is None or body["check_id"] != before[0]:
                self.sender.wrong.append(f"{oracle.course.name}: {body} is no running check, which is {before}")

    def _send_check(
        self,
        new: AcceptedCheck,
        answered: list[Mapping[str, Any]],
        oracle: NoticeOracle,
        member: Any,
        driver: ServiceDriver,
    ) -> None:
        response = checks.request_check(
            oracle.visits.referral_id,
            NewCheck(check_id=new.check_id, trace_id=new.trace_id, list_payers=self.payer.list_payers),
            member=member,
            request=driver.build_request(member, f"POST {oracle.visits.referral_id}/coverage-checks", new.check_id),
            build_response=lambda check, status: StoredResponse(
                status=status,
                headers={},
                body={"check_id": check.check_id, "status": status, "plan_version": check.plan_version},
            ),
            context=driver.context,
        )
        answered.append(response.body)

    def _find_running(self, oracle: NoticeOracle, driver: ServiceDriver) -> tuple[str, int] | None:
        """The newest check, if it has not ended and still keeps others away, and the version of its plan."""
        referral_id, scope = oracle.visits.referral_id, oracle.course.practice.tenant_id
        ids = [
            each.check_id for each in self.accepted.get(referral_id, ()) if driver.now < each.at + _KEEPS_OTHERS_AWAY
        ]
        found = driver.stores.coverage_checks.get(referral_id, ids[-1], scope=scope) if ids else None
        is_running = found is not None and found.state is CheckState.REQUESTED
        return (found.check_id, found.plan_version) if found and is_running else None

    def _check_what_is_shown(self, oracle: NoticeOracle, driver: ServiceDriver) -> None:
        """Compare what both sides see of the clearance with what counts today."""
        referral = driver.stores.referrals.get(oracle.visits.referral_id)
        if referral is None or oracle.is_ended:
            return
        today = get_today(oracle, driver.now)
        zone = oracle.course.center.time_zone
        shown = to_coverage_summary_response(referral, today=today, time_zone=zone)["is_cleared"]
        if shown is not read_coverage(driver.stores, oracle).counts_on(today):
            self.sender.wrong.append(f"{oracle.course.name}: at {driver.now} the clearance is shown as {shown}")


def get_today(oracle: NoticeOracle, at: datetime) -> date:
    """The day at the practice."""
    return at.astimezone(ZoneInfo(oracle.course.practice.time_zone)).date()


def read_coverage(stores: Stores, oracle: NoticeOracle, *, until: datetime | None = None) -> ExpectedCoverage:
    """What the history of a referral says, up to a time."""
    return replay(
        KnownMove(each.move.value, each.facts, get_today(oracle, each.at), each.filed_only)
        for each in list_changes(stores, oracle)
        if until is None or each.at <= until
    )


def list_changes(stores: Stores, oracle: NoticeOracle) -> Sequence[Any]:
    """The history of the coverage, oldest first. Rows of one moment are in the order in which they were decided."""
    scope = oracle.course.practice.tenant_id
    changes, _ = stores.coverage_tracks.list_changes(oracle.visits.referral_id, scope=scope, limit=300)
    return sorted(changes, key=lambda each: (each.at, _rank(each)))


def _rank(change: Any) -> int:
    """What ended by its date comes first, then what was entered, then what follows from it."""
    if change.by == "system":
        return 0
    follows = change.facts.get("of_result") or change.facts.get("reason") in {"inactive", "plan_changed"}
    return 2 if follows or change.move == "clearance_ended" else 1
