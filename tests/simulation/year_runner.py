"""A year as it happens: facts become known, and jobs are late, doubled, and die.

The clock jumps from report to report and from run to run. Next to the product, an `Oracle` of each
referral learns what is reported, and which runs failed.
"""

import heapq
import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.errors import UnavailableError
from chalicelib.mail.ses import SesMailer
from tests.simulation.final_consultations import SentInvitation, read_invitation
from tests.simulation.final_state import AcceptedMail
from tests.simulation.known_events import AGAIN, DAY, MINUTE, YEAR_END, YEAR_START, KnownEvent
from tests.simulation.notice_oracle import NoticeOracle
from tests.simulation.proof_world import ProofWorld
from tests.simulation.random_histories import draw_history
from tests.simulation.scenarios import is_about_sending
from tests.simulation.year_booker import YearBooker, draw_visit_steps
from tests.simulation.year_counter import find_wrong_counts
from tests.simulation.year_filer import YearFiler, draw_document_steps
from tests.simulation.year_insurer import YearInsurer, draw_coverage_steps
from tests.simulation.year_members import YearMembers
from tests.simulation.year_payer import YearPayer
from tests.simulation.year_reporter import Reporter
from tests.simulation.year_sender import YearSender
from tests.support import faults
from tests.support.faults import CallLog, FaultMode
from tests.support.service_driver import ServiceDriver

_ALL_OF_IT = timedelta(days=300)
"""The part of the year in which referrals begin."""

_CALM_AFTER = timedelta(minutes=65)
"""How long a failed run may keep a row from the next ones: a lease, or a pause."""

_DRAINS = timedelta(days=3)
"""For so long the jobs run without faults at the end: no email waits longer."""

_LAST_MAILS = timedelta(days=2)
"""For so long emails are sent after that, and nothing new: some readers get one a day."""

_COUNTED_EVERY = 2 * DAY
"""How often someone opens a dashboard, and once more within a day."""

_ANY = tuple(mode for mode in FaultMode if mode is not FaultMode.CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearPart:
    """Some referrals, for their own process.

    Attributes:
        naive: What is wrong with the product that is played, if it must be found.
        within: The part of the year in which they begin.
        ends: When the year is over.
        pace: Of the days before an infusion; 1 is that of real life.
    """

    seed: int
    referrals: int
    engine: str
    naive: str = ""
    within: timedelta = _ALL_OF_IT
    ends: datetime = YEAR_END
    pace: float = 1


@dataclass
class YearRunner:
    """The clock of a world, its referrals, and its jobs as they run and fail.

    Attributes:
        sent: For each email, every time that the mail service accepted it.
        trouble: Runs that ended otherwise than by a fault.
    """

    world: ProofWorld
    drawn: random.Random
    staff: YearMembers
    part: YearPart
    oracles: dict[str, NoticeOracle] = field(default_factory=dict)
    sent: dict[str, list[AcceptedMail]] = field(default_factory=lambda: defaultdict(list))
    trouble: list[str] = field(default_factory=list)
    met: int = 0
    booker: YearBooker = field(init=False)
    insurer: YearInsurer = field(init=False)
    filer: YearFiler = field(init=False)
    sender: YearSender = field(default_factory=YearSender)
    invited: list[SentInvitation] = field(default_factory=list)
    _reporters: dict[str, Reporter] = field(default_factory=dict)
    _steps: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)
    _just_sent: list[AcceptedMail] = field(default_factory=list)
    _went_wrong: dict[TaskQueue, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """People book times and work on the coverage, next to everything else that happens."""
        drawn = random.Random(f"people {self.part.seed}")  # noqa: S311 as the other draws
        self.booker = YearBooker(drawn, self.staff, self._report_later, self.sender)
        payer = YearPayer(drawn, YEAR_START, self.part.ends)
        self.insurer = YearInsurer(drawn, self.staff, self.sender, payer)
        self.filer = YearFiler(drawn, self.staff, self.sender, self._play_later)

    def run(self) -> None:
        """Play everything in its order: facts that become known, what people do, and each run of a job."""
        ends = self.part.ends
        for at, step in (*self._reports(), *self._runs_until(ends), *self._counts_until(ends)):
            self._play_at(at, step)
        while self._steps:
            self.world.now, _, step = heapq.heappop(self._steps)
            self.insurer.payer.now = self.world.now
            step()
        for n in range(_DRAINS // DAY * 4):
            self.insurer.payer.now = self.world.now = ends + _CALM_AFTER + n * DAY / 4
            self._run(TaskQueue.EVENT, TaskQueue.PLAN, TaskQueue.OVERDUE, faulty=False)
        for _ in range(_LAST_MAILS // DAY * 4):
            self.insurer.payer.now = self.world.now = self.world.now + DAY / 4
            self._run(TaskQueue.MAIL, faulty=False)

    def _play_at(self, at: datetime, step: Callable[[], None]) -> None:
        heapq.heappush(self._steps, (at, next(self._numbers), step))

    def _play_later(self, delay: timedelta, step: Callable[[ServiceDriver], None]) -> None:
        """Play what follows, within the year or soon after it."""

        def play() -> None:
            self._draw_faults()
            step(self.world.driver)
            self._take_wrong()

        self._play_at(self.world.now + delay, play)

    def _draw_faults(self) -> None:
        self.sender.plan = self._now_and_then(0.08) if self.drawn.random() < 0.2 else faults.plan_never

    def _report_later(self, at: datetime, oracle: NoticeOracle, find: Callable[[], KnownEvent | None]) -> None:
        """Report what is then the case, if it is within the year."""

        def report() -> None:
            news = find()
            if news:
                self._report(news, self._reporters[oracle.course.name], oracle)

        if at < self.part.ends:
            self._play_at(at, report)

    def count_sends(self, real: Callable[..., str]) -> Callable[..., str]:
        """Return a sender that records what the mail service accepted, whatever it answered."""
        record = self.world.folder / "mail.jsonl"

        def send(mailer: SesMailer, message: Any, *, tag: str) -> str:
            before = record.stat().st_size if record.exists() else 0
            try:
                return real(mailer, message, tag=tag)
            finally:
                taken = [AcceptedMail(self.world.now) for _ in range(_lines(record, after=before))]
                self.sent[tag] += taken
                if message.calendar:
                    self.invited += [read_invitation(message.to, message.calendar.text) for _ in taken]
                self._just_sent += taken

        return send

    def _reports(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
        course = None
        for n in range(self.part.referrals):
            name = f"seed {self.part.seed} referral {n}{self.part.naive}"
            drawn = random.Random(name)  # noqa: S311 as above
            course = draw_history(drawn, name, within=self.part.within, pace=self.part.pace, near=course)
            reporter = self._reporters[name] = Reporter(course, self.staff)
            oracle = self.oracles[reporter.referral_id] = NoticeOracle(course)
            for news in course.news:
                if news.at < self.part.ends:
                    yield news.at, partial(self._report, news, reporter, oracle)
            for at, what in draw_visit_steps(drawn, course):
                if at < self.part.ends:
                    yield at, partial(self._visit, what, oracle)
            for at, what in draw_coverage_steps(drawn, course):
                if at < self.part.ends:
                    yield at, partial(self._insure, what, oracle)
            for at, what in draw_document_steps(drawn, course):
                if at < self.part.ends - 15 * DAY:
                    yield at, partial(self._file, what, oracle)

    def _insure(self, what: str, oracle: NoticeOracle) -> None:
        """People of one side record a move of the coverage, or ask the payer."""
        self._draw_faults()
        self.insurer.act(what, oracle, self.world.driver)
        self._take_wrong()

    def _file(self, what: str, oracle: NoticeOracle) -> None:
        """People of one side add a document, or ask for one."""
        self._draw_faults()
        self.filer.act(what, oracle, self.world.driver)
        self._take_wrong()

    def _take_wrong(self) -> None:
        self.trouble += self.sender.wrong
        self.sender.wrong.clear()

    def _visit(self, what: str, oracle: NoticeOracle) -> None:
        """People of one side publish, hold, book or cancel a time."""
        rate = 0.08 if self.drawn.random() < 0.2 and what not in {"race", "contest"} else 0.0
        plan = self._now_and_then(rate) if rate else faults.plan_never
        self.booker.act(what, oracle, self.world.driver, rivals=self.oracles, plan=plan)
        self._take_wrong()

    def _report(self, news: KnownEvent, reporter: Reporter, oracle: NoticeOracle) -> None:
        news = self._follow_booking(news, oracle)
        rate = 0.08 if self.drawn.random() < 0.2 else 0.0
        with faults.inject_faults(self._now_and_then(rate)) as calls:
            reporter.report(news, self.world.driver)
        self.met += calls.count_faults
        self.trouble += [f"{oracle.course.name}: {each}" for each in reporter.illegal]
        reporter.illegal.clear()
        oracle.record_event(news)

    def _follow_booking(self, news: KnownEvent, oracle: NoticeOracle) -> KnownEvent:
        """The center's system reports the status after a booking: once more, and half of it with the booked time."""
        is_known = bool(oracle.rings.stays) and oracle.rings.stays[-1].stage == "consult_scheduled"
        if news.what != "consult_scheduled" or news.is_no_show or not is_known:
            return news
        current = oracle.visits.current
        if news.planned_for and current and current.slot and self.drawn.random() < 0.5:
            news = replace(news, planned_for=current.slot.starts_at, place=None)
        return replace(news, what=f"{news.what}{AGAIN}")

    def _runs_until(self, ends: datetime) -> Iterator[tuple[datetime, Callable[[], None]]]:
        """One to three runs a day at any minute; sometimes none for up to two days."""
        day = YEAR_START
        while day < ends:
            if self.drawn.random() < 0.06:
                day += self.drawn.random() * 2 * DAY
            for _ in range(self.drawn.randint(1, 3)):
                at = day + self.drawn.randrange(1440) * MINUTE
                yield at.replace(second=0, microsecond=0), self._a_run
            day = day.replace(hour=0, minute=0, second=0, microsecond=0) + DAY

    def _counts_until(self, ends: datetime) -> Iterator[tuple[datetime, Callable[[], None]]]:
        """The counts of some tenant every other day, and again minutes or hours later."""
        drawn = random.Random(f"counts {self.part.seed}")  # noqa: S311 as the other draws
        people = [member for people in self.staff.people.values() for member in people]
        for n in range((ends - YEAR_START) // _COUNTED_EVERY):
            at, member = YEAR_START + n * _COUNTED_EVERY + drawn.random() * DAY, drawn.choice(people)
            for each in (at, at + drawn.choice([10 * MINUTE, DAY / 4, DAY])):
                yield each, partial(self._count, member, 0.08 if drawn.random() < 0.2 else 0.0)

    def _count(self, member: Member, rate: float) -> None:
        wrong, met = find_wrong_counts(self.world, member, self._now_and_then(rate))
        self.met += met
        self.trouble += [wrong] if wrong else []

    def _a_run(self) -> None:
        lanes = [TaskQueue.EVENT, TaskQueue.PLAN, TaskQueue.OVERDUE][: 3 if self.drawn.random() < 0.3 else 2]
        self.drawn.shuffle(lanes)
        self._run(*lanes, faulty=self.drawn.random() < 0.35)

    def _run(self, *lanes: TaskQueue, faulty: bool) -> None:
        for lane in lanes:
            wrongly = self._faults(lane) if faulty else faults.plan_never
            with faults.inject_faults(wrongly) as calls:
                try:
                    self.world.run(lane)
                except (faults.SimulatedCrash, UnavailableError):
                    self.world.start_over()
                except Exception as e:  # noqa: BLE001 a bug that a fault brings out is a finding
                    self.trouble.append(f"seed {self.part.seed} {self.world.now}: {e!r}")
            self._heard(lane, calls)

    def _heard(self, lane: TaskQueue, calls: CallLog) -> None:
        """Record what a run may have sent, by how it went."""
        now, met = self.world.now, calls.met
        self.met += calls.count_faults
        is_about_mail = any(is_about_sending(calls.operations, n, met) for n in met)
        for sent in self._just_sent:
            sent.met_a_fault = is_about_mail
        self._just_sent.clear()
        # A mail service that does not answer delays emails, and no notice.
        if any(mode is not FaultMode.REFUSED or _not_mail(calls, n) for n, mode in met.items()):
            self._went_wrong[lane] = now
        is_clean = now - self._went_wrong.get(lane, YEAR_START - DAY) > _CALM_AFTER
        for oracle in self.oracles.values():
            oracle.record_run(lane, now, is_clean=is_clean)

    def _faults(self, lane: TaskQueue) -> faults.FaultPlan:
        """Draw one kind of trouble: a crash, a second run in between, bad connections, or no mail service."""
        at = self.drawn.randint(1, 60)
        match self.drawn.randrange(4):
            case 0:
                return faults.plan_fault_at(at, self.drawn.choice([FaultMode.CRASH_BEFORE, FaultMode.CRASH_AFTER]))
            case 1:
                return self._another_run(at, lane)
            case 2:
                return self._now_and_then(0.08)
        return faults.plan_always("SendEmail", FaultMode.REFUSED)

    def _now_and_then(self, rate: float) -> faults.FaultPlan:
        def wrongly(_n: int, operation: str) -> FaultMode | None:
            if self.drawn.random() >= rate:
                return None
            return self.drawn.choice(list(FaultMode) if operation == "TransactWriteItems" else _ANY)

        return wrongly

    def _another_run(self, at: int, lane: TaskQueue) -> faults.FaultPlan:
        """Plan no fault, but the same job runs a second time in the middle of this one."""
        begun: list[int] = []

        def meanwhile(n: int, operation: str) -> None:
            if n >= at and not begun and operation != "SendEmail":
                begun.append(n)
                self.world.run(lane)

        return meanwhile


def _lines(record: Path, *, after: int) -> int:
    if not record.exists():
        return 0
    with record.open("rb") as lines:
        lines.seek(after)
        return lines.read().count(b"\n")


def _not_mail(calls: CallLog, n: int) -> bool:
    return calls.operations[n - 1] != "SendEmail"
