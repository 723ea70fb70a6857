"""Which seats, appointments and invitations there must be, written a second time and independently.

A seat is one referral's at one time. The planned date of a referral says when its consultation is, and the
appointment follows it: the same date changes nothing, another one moves it out of its seat, and an ending or a
cancellation frees the seat. Each change that a calendar must learn is one invitation with the next number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chalicelib.domain.platform.ids import derive_id
from tests.simulation.known_events import DAY, ENDINGS, KnownEvent, ReferralHistory
from tests.simulation.notice_key import NoticeKey
from tests.simulation.plan_oracle import Day, ExpectedPlan, PlanOracle

REMINDER = "consultation_reminder"
HELD_FOR = timedelta(minutes=10)


class Verdict(StrEnum):
    """The response to a try to hold or book a time: it is done, was done before, or why not."""

    DONE = "done"
    UNCHANGED = "unchanged"
    ALREADY_BOOKED = "already_booked"
    CLOSED = "referral_closed"
    GONE = "slot_gone"
    PAST = "slot_past"
    TAKEN = "slot_taken"
    NOTHING = "nothing_planned"


@dataclass(slots=True)
class ExpectedSlot:
    """A time that a center publishes.

    Attributes:
        booked: The referrals that have a seat.
        held: Until when a referral holds a seat.
    """

    slot_id: str
    center_id: str
    starts_at: datetime
    capacity: int
    place: str | None
    is_removed: bool = False
    booked: set[str] = field(default_factory=set)
    held: dict[str, datetime] = field(default_factory=dict)

    def find_refusal(self, referral_id: str, at: datetime) -> Verdict | None:
        """Why a referral cannot take a seat; None if it can."""
        if self.is_removed:
            return Verdict.GONE
        if self.starts_at <= at:
            return Verdict.PAST
        if referral_id in self.booked:
            return Verdict.ALREADY_BOOKED
        holders = {each for each, until in self.held.items() if until > at}
        others = (self.booked | holders) - {referral_id}
        return Verdict.TAKEN if len(others) >= self.capacity else None

    def free(self, referral_id: str, at: datetime) -> None:
        """Take back a seat. One at a time that has begun stays used."""
        if self.starts_at > at:
            self.booked.discard(referral_id)
            self.held.pop(referral_id, None)


@dataclass(slots=True)
class ExpectedAppointment:
    """A consultation as calendars know it. `is_in_calendars` is whether both teams have it."""

    day: Day
    place: str | None
    mode: str | None
    slot: ExpectedSlot | None = None
    is_in_calendars: bool = False
    sequence: int = 0
    state: str = "booked"


@dataclass(frozen=True, slots=True)
class ExpectedInvitation:
    """One message to calendars: the number of the appointment in its referral, and the message's SEQUENCE."""

    number: int
    sequence: int
    method: str


@dataclass(frozen=True, slots=True)
class ExpectedReminder:
    """The reminder of one planned time, and when the day before begins at the center."""

    key: NoticeKey
    due_at: datetime


@dataclass(slots=True)
class ConsultationOracle:
    """Follows the consultation of one referral.

    Attributes:
        missed_at: When the no-show was reported that is the current status; None if the status is another one.
        reminders: The reminder of each planned time, by the id of its row.
    """

    course: ReferralHistory
    plans: PlanOracle
    appointments: list[ExpectedAppointment] = field(default_factory=list)
    invitations: list[ExpectedInvitation] = field(default_factory=list)
    hold: ExpectedSlot | None = None
    done_at: datetime | None = None
    is_ended: bool = False
    missed_at: datetime | None = None
    reminders: dict[str, ExpectedReminder] = field(default_factory=dict)
    _new_reminder: ExpectedReminder | None = None
    _open: tuple[Day, datetime] | None = None

    @property
    def referral_id(self) -> str:
        """The id of the referral, as its reporter derives it."""
        return derive_id("ref", self.course.name)

    @property
    def current(self) -> ExpectedAppointment | None:
        """The appointment that is ahead, as far as anyone reported."""
        last = self.appointments[-1] if self.appointments else None
        return last if last and last.state == "booked" else None

    @property
    def current_reminder(self) -> str:
        """The name of the reminder of the planned time; empty if none is planned."""
        return _name_reminder(self._open[0]) if self._open and not self.is_ended else ""

    def try_hold(self, slot: ExpectedSlot, at: datetime) -> Verdict:
        """Hold a seat, if it is free."""
        refusal = Verdict.CLOSED if self.is_ended else slot.find_refusal(self.referral_id, at)
        if refusal:
            return refusal
        if self.hold and self.hold is not slot:
            self.hold.free(self.referral_id, at)
        slot.held[self.referral_id] = at + HELD_FOR
        self.hold = slot
        return Verdict.DONE

    def predict_booking(self, slot: ExpectedSlot, at: datetime) -> Verdict:
        """What booking a seat brings now."""
        if self.is_ended:
            return Verdict.CLOSED
        if self.current and self.current.slot is slot:
            return Verdict.UNCHANGED
        return slot.find_refusal(self.referral_id, at) or Verdict.DONE

    def predict_cancel(self) -> Verdict:
        """What a cancellation brings now."""
        if self.is_ended:
            return Verdict.CLOSED
        return Verdict.DONE if self.current or self.hold else Verdict.NOTHING

    def release_hold(self) -> None:
        """Give back a seat that is held."""
        if self.hold:
            self.hold.held.pop(self.referral_id, None)
        self.hold = None

    def record_event(self, news: KnownEvent, slot: ExpectedSlot | None = None) -> str:
        """Learn a fact that the plans know already. Return what both teams read: `booked`, `canceled` or neither."""
        plan = self.plans.find("consultation")
        self._learn(news)
        before, self._open = self._open, self._find_open(plan)
        told = self._book(news, slot, plan) if slot and plan else self._follow(news, plan)
        if self._open and before != self._open:
            self._plan_reminder(self._open[0])
        return told

    def _learn(self, news: KnownEvent) -> None:
        if news.what in ENDINGS:
            self.is_ended, self.missed_at = True, None
        elif news.what == "reopened":
            self.is_ended = False
        elif news.stage == "consult_completed":
            self.done_at, self.missed_at = news.true_at, None
        elif news.what == "consult_scheduled":
            self.missed_at = news.true_at if news.is_no_show else None

    def _find_open(self, plan: ExpectedPlan | None) -> tuple[Day, datetime] | None:
        """The planned date and when it was reported last, if it is neither canceled nor over."""
        if plan is None or plan.is_canceled or self.is_ended:
            return None
        if self.done_at and self.done_at >= plan.reported_at:
            return None
        return plan.day, plan.reported_at

    def _book(self, news: KnownEvent, slot: ExpectedSlot, plan: ExpectedPlan) -> str:
        """A booking: a new appointment, or the next number of the one that is ahead."""
        before = self.current
        slot.held.pop(self.referral_id, None)
        slot.booked.add(self.referral_id)
        if self.hold and self.hold is not slot:
            self.hold.free(self.referral_id, news.at)
        self.hold = None
        if before:
            if before.slot:
                before.slot.free(self.referral_id, news.at)
            before.sequence += 1
        else:
            before = ExpectedAppointment(plan.day, plan.place, plan.mode)
            self.appointments.append(before)
        before.day, before.place, before.mode = plan.day, plan.place, plan.mode
        before.slot, before.is_in_calendars = slot, True
        return self._invite("REQUEST")

    def _follow(self, news: KnownEvent, plan: ExpectedPlan | None) -> str:
        current = self.current
        if current:
            return self._follow_current(current, news, plan)
        last = self.appointments[-1] if self.appointments else None
        if last and last.state == "no_show":
            return self._follow_missed(last, news, plan)
        return self._plan_new(news, plan)

    def _follow_current(self, current: ExpectedAppointment, news: KnownEvent, plan: ExpectedPlan | None) -> str:
        if self.is_missed(plan):
            current.state = "no_show"
            return ""
        if self._open is None or plan is None:
            was_done = not self.is_ended and plan is not None and not plan.is_canceled
            return self._complete(current) if was_done else self._cancel(current, news)
        is_same = current.day == plan.day and plan.place in {None, current.place} and plan.mode in {None, current.mode}
        if is_same:
            return ""
        if current.slot:
            current.slot.free(self.referral_id, news.at)
        is_other_day = current.day != plan.day
        current.place = plan.place or (None if is_other_day else current.place)
        current.mode = plan.mode or (None if is_other_day else current.mode)
        current.day, current.slot = plan.day, None
        current.sequence += 1
        return self._invite("REQUEST")

    def _follow_missed(self, missed: ExpectedAppointment, news: KnownEvent, plan: ExpectedPlan | None) -> str:
        if self.is_missed(plan) or news.what == "reopened":
            return ""
        if self._open is None or plan is None:
            if not self.is_ended and plan and not plan.is_canceled:
                missed.state = "completed"
            return ""
        if missed.day != plan.day:
            return self._plan_new(news, plan)
        missed.state = "booked"
        return ""

    def is_missed(self, plan: ExpectedPlan | None) -> bool:
        """Whether the patient missed the consultation, and no date after it is planned since."""
        if self.missed_at is None or self.is_ended:
            return False
        if plan is None:
            return True
        known = self.plans.find("consultation", before=self.missed_at)
        is_other_day = known is None or known.is_canceled or known.day != plan.day
        is_later = is_other_day and _is_after(plan.day, self.missed_at)
        return not plan.is_canceled and not is_later

    def _plan_new(self, news: KnownEvent, plan: ExpectedPlan | None) -> str:
        if self._open is None or plan is None:
            return ""
        self.appointments.append(ExpectedAppointment(plan.day, plan.place, plan.mode))
        return "" if _is_over(plan.day, news.at) else self._invite("REQUEST")

    def _complete(self, current: ExpectedAppointment) -> str:
        current.state = "completed"
        return ""

    def _cancel(self, current: ExpectedAppointment, news: KnownEvent) -> str:
        if current.slot:
            current.slot.free(self.referral_id, news.at)
        if news.is_booking:
            self.release_hold()
        current.state, current.slot = "canceled", None
        current.sequence += 1
        told = self._invite("CANCEL")
        return "canceled" if news.is_booking else told

    def _invite(self, method: str) -> str:
        last = self.appointments[-1]
        self.invitations.append(ExpectedInvitation(len(self.appointments), last.sequence, method))
        if not last.is_in_calendars:
            return ""
        return "booked" if method == "REQUEST" else "canceled"

    def _plan_reminder(self, day: Day) -> None:
        zone = ZoneInfo(self.course.center.time_zone)
        due_on = (day.astimezone(zone).date() if isinstance(day, datetime) else day) - DAY
        due_at = datetime.combine(due_on, time(), zone).astimezone(UTC)
        moment = day.astimezone(UTC) if isinstance(day, datetime) else day
        row_id = derive_id("out", self.referral_id, REMINDER, moment.isoformat())
        self._new_reminder = ExpectedReminder(NoticeKey(_name_reminder(day), due_on), due_at)
        self.reminders[row_id] = self._new_reminder

    def take_new_reminder(self) -> ExpectedReminder | None:
        """The reminder of the time that the last fact planned; None if it planned none."""
        new, self._new_reminder = self._new_reminder, None
        return new

    def list_seats(self) -> Iterator[ExpectedSlot]:
        """The times in which the appointments of the referral are."""
        yield from (each.slot for each in self.appointments if each.slot)


def _name_reminder(day: Day) -> str:
    return f"{REMINDER} of {day.astimezone(UTC) if isinstance(day, datetime) else day}"


def _is_after(day: Day, moment: datetime) -> bool:
    return day > moment if isinstance(day, datetime) else day > moment.astimezone(UTC).date()


def _is_over(day: Day, at: datetime) -> bool:
    return day < at if isinstance(day, datetime) else day < at.date() - DAY
