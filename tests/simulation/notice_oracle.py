"""What must be sent on which day to which side, written a second time and independently.

The product plans rows and checks them on their day. Here each notice is a key with the set of
states that it may be in: a run under faults may have sent it or not, a run without faults leaves
no doubt.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.simulation.alert_oracle import BOTH, CENTER, PRACTICE, AlertOracle
from tests.simulation.consultation_oracle import REMINDER, ConsultationOracle, ExpectedSlot
from tests.simulation.known_events import ENDINGS, SPLIT_PRODUCT, KnownEvent, ReferralHistory
from tests.simulation.notice_key import NoticeKey
from tests.simulation.oracle_rules import (
    CRITICAL,
    EVENTS,
    FROM_DAY_0,
    FROM_THE_END,
    JOURNEY,
    OF_A_SPLIT_DOSE,
    OF_NO_PRODUCT,
    OF_ONE_DOSE,
    PLANNED,
    SCHEDULE,
    WINDOW,
)
from tests.simulation.plan_oracle import PlanOracle, ProductOracle

_WAITING, _SENT, _DROPPED = "waiting", "sent", "dropped"


@dataclass(slots=True)
class NoticeFate:
    """The possible states of a notice, and the runs that may have sent it."""

    due: datetime
    category: str
    sides: tuple[str, ...]
    may_be: set[str] = field(default_factory=set)
    sent_at: set[datetime] = field(default_factory=set)

    @property
    def must_be_sent(self) -> bool:
        """Whether it must have been sent."""
        return self.may_be == {_SENT}


@dataclass(slots=True)
class NoticeOracle:
    """Follows what is known about one referral, and what must be sent about it."""

    course: ReferralHistory
    rings: AlertOracle = field(init=False)
    plans: PlanOracle = field(init=False)
    products: ProductOracle = field(init=False)
    visits: ConsultationOracle = field(init=False)
    infused_on: date | None = None
    extended_to: date | None = None
    handed_over: date | None = None
    is_ready: bool = False
    is_back: bool = False
    is_held: bool = False
    is_watched: bool = False
    is_ended: bool = False
    parts: int = 0
    fates: dict[NoticeKey, NoticeFate] = field(default_factory=dict)
    endings: list[tuple[datetime, str]] = field(default_factory=list)
    """When each ending or reopening became known."""
    named: list[tuple[datetime, str | None]] = field(default_factory=list)
    """The product that counted after each fact."""
    planned: dict[NoticeKey, KnownEvent] = field(default_factory=dict)
    """The notices about a planned date, with the report."""

    def __post_init__(self) -> None:
        """Nothing is known yet, so no time runs."""
        self.rings = AlertOracle(self.course)
        self.plans = PlanOracle(self.course)
        self.products = ProductOracle(self.course.requested)
        self.visits = ConsultationOracle(self.course, self.plans)

    def record_event(self, news: KnownEvent, slot: ExpectedSlot | None = None) -> None:
        """Learn a fact: it is sent itself, and the plan may change. `slot` is the time that a person booked."""
        ends = self._ends
        silent = {key for key in self._plan() if self._is_silent(key)}
        before = set(self._plan())
        self._learn(news)
        self._learn_ending(news)
        self.rings.record_event(news)
        self._announce(news, slot, is_known=news.what == "extended" and self._ends == ends)
        self._replan(before, silent, today=self._day(news.at))
        self._remind(news)

    def record_run(self, lane: str, at: datetime, *, is_clean: bool) -> None:
        """Note that a job ran: what is due is sent, or skipped if no one wants it any more."""
        if lane == "clock":
            if self.rings.stays and not (self.is_ended or self.is_held):
                self.rings.record_run(at, ends=self._ends, is_clean=is_clean)
            return
        plan = set(self._plan())
        for key, fate in self.fates.items():
            is_event = isinstance(key.day, datetime)
            is_of_job = lane == ("event" if is_event else "plan")
            if not is_of_job or _WAITING not in fate.may_be or fate.due > at:
                continue
            is_wanted = is_event or self._is_wanted(key, plan)
            if is_wanted:
                fate.sent_at.add(at)
            fate.may_be.add(_SENT if is_wanted else _DROPPED)
            if is_clean:
                fate.may_be.discard(_WAITING)

    def find_death_before(self, at: datetime) -> datetime | None:
        """Return when the death became known that counts at a time."""
        known, what = max((each for each in self.endings if each[0] <= at), default=(at, ""))
        return known if what == "deceased" else None

    def find_ending_before(self, at: datetime) -> datetime | None:
        """Return when the ending became known that counts at a time; None if the referral is open then."""
        known, what = max((each for each in self.endings if each[0] < at), default=(at, "reopened"))
        return None if what == "reopened" else known

    def is_product_named(self, at: datetime) -> bool:
        """Whether any product was named at a time."""
        return max((each for each in self.named if each[0] <= at), key=lambda each: each[0])[1] is not None

    def is_overtaken(self, category: str, became_known: datetime, *, at: datetime) -> bool:
        """Whether an email must no longer say something, because the referral has ended or the patient has died."""
        what = max((each for each in self.endings if each[0] <= at), default=(at, "reopened"))[1]
        if what == "reopened" or category == CRITICAL:
            return False
        died = self.find_death_before(at)
        return category in PLANNED or (died is not None and became_known <= died)

    def _is_wanted(self, key: NoticeKey, plan: set[NoticeKey]) -> bool:
        """Whether a planned notice is about a day that still counts."""
        if key.rule.startswith(REMINDER):
            return key.rule == self.visits.current_reminder
        return key in plan and not self._is_silent(key)

    def _learn_ending(self, news: KnownEvent) -> None:
        if news.what in ENDINGS:
            self.is_ended, self.is_held = True, False
        elif news.what == "reopened":
            self.is_ended = False
        else:
            return
        self.endings.append((news.at, news.what))

    def _announce(self, news: KnownEvent, slot: ExpectedSlot | None, *, is_known: bool) -> None:
        """Notify of the fact itself. A repeat is silent, unless it brings another date or product."""
        has_other_date = bool(news.plan) and self.plans.record_event(news)
        has_other_product = self.products.record_event(news)
        self.named.append((news.at, self.products.current))
        invited = len(self.visits.invitations)
        told = self.visits.record_event(news, slot)
        # A date that was reported before, and is now of another visit, goes to calendars again.
        has_other_date |= bool(news.plan) and len(self.visits.invitations) > invited
        if told and news.plan:
            # Both teams have the consultation in their calendars.
            key = NoticeKey(f"consultation.{told}", news.at)
            self.fates[key] = NoticeFate(news.at, JOURNEY, BOTH, {_WAITING})
            self.planned[key] = news
            return
        is_repeat = is_known or news.what != news.stage
        if is_repeat and not (has_other_date or has_other_product):
            return
        what = "death_corrected" if self._corrects_death(news) else news.stage
        category, sides = EVENTS.get(what, (JOURNEY, ()))
        if has_other_date and not sides:
            what = "plan.changed" if news.planned_for else "plan.canceled"
            sides = (CENTER,) if news.is_by_practice else (PRACTICE,)
        if sides:
            key = NoticeKey(what, news.at)
            self.fates[key] = NoticeFate(news.at, category, sides, {_WAITING})
            if news.plan:
                self.planned[key] = news

    def _corrects_death(self, news: KnownEvent) -> bool:
        """Whether a reopening takes back a death. It is the last of the endings, and the death the one before."""
        return news.what == "reopened" and self.endings[-2][1] == "deceased"

    @property
    def _ends(self) -> date | None:
        """Return the day of the return to the practice, once the patient was infused."""
        own = self.infused_on + timedelta(days=WINDOW) if self.infused_on else None
        return self.extended_to or own

    def _learn(self, news: KnownEvent) -> None:
        match news.what:
            case "infused":
                self.infused_on = self.infused_on or self._day(news.true_at)
                self.parts = news.part
            case "monitoring":
                self.is_watched = True
            case "corrected" if news.corrects == "infused":
                self.infused_on = self._day(news.true_at)
            case "extended":
                self.extended_to = news.ends_on
            case "handback_ready":
                self.handed_over, self.is_ready = self._day(news.true_at), True
            case "handed_back":
                self.is_ready, self.is_back = False, True
            case "hold_started" | "hold_ended":
                self.is_held = news.what == "hold_started"

    def _replan(self, before: set[NoticeKey], silent: set[NoticeKey], *, today: date) -> None:
        """Add what is new in the plan, or counts again. Of what is past, the last of each series."""
        past: dict[str, NoticeKey] = {}
        for key in self._plan():
            assert not isinstance(key.day, datetime)
            speaks_again = key in silent and key.day <= today and not self._is_silent(key)
            if key in before and not speaks_again:
                continue
            if key.day >= today:
                self._wait(key)
            else:
                line = SCHEDULE[key.rule].line
                past[line] = max(past.get(line, key), key, key=lambda each: each.day)
        for key in past.values():
            self._wait(key)

    def _remind(self, news: KnownEvent) -> None:
        """Remind both teams on the day before a consultation, unless that day has begun."""
        planned = self.visits.take_new_reminder()
        if planned and planned.due_at > news.at:
            self._wait_for(planned.key, NoticeFate(planned.due_at, "window", BOTH))

    def _wait(self, key: NoticeKey) -> None:
        row = SCHEDULE[key.rule]
        begins = datetime.combine(key.day, time(), ZoneInfo(self.course.center.time_zone))
        self._wait_for(key, NoticeFate(begins.astimezone(UTC), row.category, row.sides))

    def _wait_for(self, key: NoticeKey, new: NoticeFate) -> None:
        fate = self.fates.setdefault(key, new)
        fate.may_be = {_SENT if each == _SENT else _WAITING for each in fate.may_be or {_WAITING}}

    def _plan(self) -> Iterator[NoticeKey]:
        ends = self._ends
        if self.infused_on is None or ends is None:
            return
        product = self.products.current
        own = OF_A_SPLIT_DOSE if product == SPLIT_PRODUCT else OF_ONE_DOSE if product else OF_NO_PRODUCT
        for rule, days in (FROM_DAY_0 | own).items():
            yield NoticeKey(rule, self.infused_on + timedelta(days=days))
        for rule, days in FROM_THE_END.items():
            on = ends + timedelta(days=days)
            if on > self.infused_on:
                yield NoticeKey(rule, on)
        if self.handed_over:
            yield NoticeKey("handback_unacknowledged", self.handed_over + timedelta(days=3))

    def _is_silent(self, key: NoticeKey) -> bool:
        """Whether later facts make a planned notice pointless."""
        if self.is_ended or self.is_held:
            return True
        match SCHEDULE[key.rule].line:
            case "watch" | "check_in" | "handback":
                return self.is_back
            case "overdue":
                return self.is_back or self.is_ready
            case "acknowledgement":
                return not self.is_ready
            case "dose":
                return self.parts != 1 or self.is_watched
        return False

    def _day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.course.center.time_zone)).date()
