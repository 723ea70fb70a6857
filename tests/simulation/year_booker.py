"""Publishes, holds, books, moves and cancels consultation times in a year, as people of both sides."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from chalicelib.domain.consultation.consultation import CancelReason
from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.plan_terms import VisitMode
from chalicelib.services.consultation import book
from chalicelib.services.consultation.slots import NewSlot, SlotPage, publish_slots, remove_slot
from chalicelib.store.platform.idempotency import StoredResponse
from tests.simulation.consultation_oracle import HELD_FOR, ExpectedSlot, Verdict
from tests.simulation.known_events import DAY, MINUTE, KnownEvent, ReferralHistory, draw_days
from tests.simulation.notice_oracle import NoticeOracle
from tests.simulation.year_members import YearMembers
from tests.simulation.year_sender import YearSender
from tests.support import faults
from tests.support.faults import FaultPlan
from tests.support.service_driver import ServiceDriver

MODE = "in_person"
_PLACES = (None, "Building 4", "Second floor")
_ACTIONS = ("hold", "hold", "book", "book", "race", "race", "cancel", "cancel_by_center", "remove")
_MISSED = 0.3
"""How often the center reports, if nothing has changed by then, that the patient did not come."""

_MOMENT = timedelta(seconds=1)
_BOOKABLE = frozenset({"accepted", "consult_scheduled"})

Step = tuple[datetime, str]


def draw_visit_steps(drawn: random.Random, course: ReferralHistory) -> Iterator[Step]:
    """Draw when people publish times, and hold, book, cancel or miss the consultation of a referral.

    Most of it is between the acceptance and the consultation, and some after an ending, where it must be refused.
    """
    begins = next((each.at for each in course.news if each.what == "accepted"), None)
    if begins is None:
        return
    ends = next((each.at for each in course.news if each.what == "consult_completed"), course.news[-1].at + DAY)
    steps = [(begins, "publish")]
    for _ in range(drawn.randint(2, 6)):
        at, what = begins + drawn.uniform(0.01, 0.99) * (ends - begins), drawn.choice(_ACTIONS)
        steps.append((at, what))
        if what == "hold":
            # One minute before the hold is over, or after it.
            steps.append((at + HELD_FOR + drawn.choice([-1, 1]) * MINUTE, "contest"))
    if drawn.random() < 0.5:
        steps.append((course.news[-1].at + draw_days(drawn, 0.01, 0.5), "book"))
    last = begins
    for at, what in sorted(steps):
        # Each at a moment of its own: that of a report is another one.
        last = max(at, last + MINUTE).replace(second=drawn.randint(1, 29), microsecond=drawn.randrange(10**6))
        yield last, what


@dataclass
class YearBooker:
    """Acts for all referrals, and tells their oracles what was answered.

    Attributes:
        slots: The published times, by id.
    """

    drawn: random.Random
    staff: YearMembers
    report_later: Callable[[datetime, NoticeOracle, Callable[[], KnownEvent | None]], None]
    sender: YearSender
    slots: dict[str, ExpectedSlot] = field(default_factory=dict)
    _sent: int = 0

    def act(
        self,
        what: str,
        oracle: NoticeOracle,
        driver: ServiceDriver,
        *,
        rivals: Mapping[str, NoticeOracle],
        plan: FaultPlan,
    ) -> None:
        """Do one step for a referral, whose requests meet faults by a plan. `rivals` are all referrals, for a race."""
        actions: Mapping[str, Callable[[], None]] = {
            "publish": partial(self._publish, oracle, driver),
            "hold": partial(self._hold, oracle, driver),
            "book": partial(self._book, oracle, driver),
            "race": partial(self._race, oracle, driver, rivals),
            "cancel": partial(self._cancel, oracle, driver, by_center=False),
            "cancel_by_center": partial(self._cancel, oracle, driver, by_center=True),
            "contest": partial(self._contest, oracle, driver, rivals),
            "remove": partial(self._remove, oracle, driver),
        }
        self.sender.plan = plan
        if what == "publish" or is_bookable(oracle):
            actions[what]()

    def _publish(self, oracle: NoticeOracle, driver: ServiceDriver) -> None:
        """The center publishes one to three times of the next days."""
        center, now = oracle.course.center, driver.now
        member = self.staff.people[center.tenant_id][0]
        minutes = sorted(self.drawn.sample(range(2 * 60, 4 * 24 * 60), self.drawn.randint(1, 3)))
        new = [
            NewSlot(
                starts_at=now.replace(second=0, microsecond=0) + minute * MINUTE,
                minutes=45,
                mode=VisitMode(MODE),
                capacity=self.drawn.choice([1, 1, 2]),
                place=self.drawn.choice(_PLACES),
                contact=None,
            )
            for minute in minutes
        ]
        self._sent += 1
        request = driver.build_request(member, f"POST /v1/centers/{center.tenant_id}/slots", f"slots {self._sent}")
        ids: list[str] = []

        def respond(page: SlotPage) -> StoredResponse:
            ids[:] = [slot.slot_id for slot in page.slots]
            return StoredResponse(status=201, headers={}, body={"ids": ids})

        def send() -> None:
            answer = publish_slots(
                center.tenant_id,
                new,
                pointer="/slots/{}",
                member=member,
                request=request,
                build_response=respond,
                context=driver.context,
            )
            ids[:] = answer.body["ids"]

        if self.sender.expect(Verdict.DONE, f"{oracle.course.name} publish", send):
            for slot_id, each in zip(ids, new, strict=True):
                expected = ExpectedSlot(slot_id, center.tenant_id, each.starts_at, each.capacity, each.place)
                self.slots[slot_id] = expected

    def _remove(self, oracle: NoticeOracle, driver: ServiceDriver) -> None:
        """The center removes a time; one that is booked stays."""
        slot, center_id = self._choose(oracle, driver.now), oracle.course.center.tenant_id
        if slot is None or slot.is_removed:
            return
        stored = driver.stores.slots.get(center_id, slot.slot_id)
        version = stored.version if stored else 0
        member = self.staff.people[center_id][0]
        verdict = "slot_booked" if slot.booked else Verdict.DONE
        # A removal that was committed before its response was lost finds nothing to remove.
        send = partial(remove_slot, center_id, slot.slot_id, version=version, member=member, context=driver.context)
        if self.sender.expect(verdict, f"{oracle.course.name} remove", send, done_before="not_found") is Verdict.DONE:
            slot.is_removed = True
            slot.held.clear()

    def _choose(self, oracle: NoticeOracle, now: datetime) -> ExpectedSlot | None:
        """One of the next times of the center, free or not."""
        center_id = oracle.course.center.tenant_id
        ahead = [each for each in self.slots.values() if each.center_id == center_id and each.starts_at > now]
        return self.drawn.choice(sorted(ahead, key=lambda each: each.starts_at)[:3]) if ahead else None

    def _hold(self, oracle: NoticeOracle, driver: ServiceDriver) -> None:
        slot = self._choose(oracle, driver.now)
        if slot is None:
            return
        verdict = oracle.visits.try_hold(slot, driver.now)
        member, version = self._person(oracle), _version(oracle, driver)
        send = partial(
            book.hold_slot,
            oracle.visits.referral_id,
            slot.slot_id,
            version=version,
            member=member,
            context=driver.context,
        )
        self.sender.expect(verdict, f"{oracle.course.name} hold", send)

    def _book(self, oracle: NoticeOracle, driver: ServiceDriver) -> None:
        held = oracle.visits.hold
        slot = held if held and self.drawn.random() < 0.5 else self._choose(oracle, driver.now)
        if slot:
            self._book_slot(oracle, slot, driver)

    def _book_slot(self, oracle: NoticeOracle, slot: ExpectedSlot, driver: ServiceDriver) -> None:
        member, version = self._person(oracle), _version(oracle, driver)
        send = partial(
            book.book_slot,
            oracle.visits.referral_id,
            slot.slot_id,
            version=version,
            note=None,
            may_move=True,
            member=member,
            context=driver.context,
        )
        verdict = partial(oracle.visits.predict_booking, slot, driver.now)
        if self.sender.expect(verdict, f"{oracle.course.name} book", send) is Verdict.DONE:
            news = KnownEvent(
                what="consult_scheduled",
                at=driver.now,
                true_at=driver.now,
                plan="consultation",
                planned_for=slot.starts_at,
                place=slot.place,
                mode=MODE,
                is_booking=True,
            )
            oracle.record_event(news, slot)
            if self.drawn.random() < _MISSED:
                at = slot.starts_at + 20 * MINUTE + _MOMENT
                self.report_later(at, oracle, partial(_find_miss, oracle, slot, at))

    def _race(self, oracle: NoticeOracle, driver: ServiceDriver, rivals: Mapping[str, NoticeOracle]) -> None:
        """Another practice books the same time in the middle of a booking."""
        slot, rival = self._choose(oracle, driver.now), self._choose_rival(oracle, rivals)
        if slot is None or rival is None:
            self._book(oracle, driver)
            return

        def meanwhile() -> None:
            self.sender.plan = faults.plan_never
            self._book_slot(rival, slot, driver)

        self.sender.plan = faults.plan_interruption("TransactWriteItems", meanwhile)
        self._book_slot(oracle, slot, driver)

    def _contest(self, oracle: NoticeOracle, driver: ServiceDriver, rivals: Mapping[str, NoticeOracle]) -> None:
        """Another practice tries to book the time that this one holds, or has held."""
        slot, rival = oracle.visits.hold, self._choose_rival(oracle, rivals)
        if slot and rival:
            self._book_slot(rival, slot, driver)

    def _choose_rival(self, oracle: NoticeOracle, rivals: Mapping[str, NoticeOracle]) -> NoticeOracle | None:
        others = [
            each
            for each in rivals.values()
            if each is not oracle and each.course.center is oracle.course.center and is_bookable(each)
        ]
        return self.drawn.choice(others) if others else None

    def _cancel(self, oracle: NoticeOracle, driver: ServiceDriver, *, by_center: bool) -> None:
        visits = oracle.visits
        has_appointment = visits.current is not None
        course = oracle.course
        side = course.center if by_center else course.practice
        member, version = self.staff.people[side.tenant_id][0], _version(oracle, driver)
        send = partial(
            book.cancel_consultation,
            visits.referral_id,
            version=version,
            reason=CancelReason.OTHER,
            member=member,
            context=driver.context,
        )
        # A hold that was given back before the response was lost is another version.
        done_before = None if has_appointment else "stale"
        verdict = visits.predict_cancel()
        if self.sender.expect(verdict, f"{course.name} cancel", send, done_before=done_before) is not Verdict.DONE:
            return
        if not has_appointment:
            visits.release_hold()
            return
        news = KnownEvent(what="planned", at=driver.now, true_at=driver.now, plan="consultation", is_booking=True)
        oracle.record_event(news)

    def _person(self, oracle: NoticeOracle) -> Member:
        return self.staff.people[oracle.course.practice.tenant_id][0]


def is_bookable(oracle: NoticeOracle) -> bool:
    """Whether people try to book: while the referral waits for its consultation, and in vain after it ended."""
    stays = oracle.rings.stays
    return bool(stays) and (stays[-1].stage in _BOOKABLE or oracle.is_ended)


def _version(oracle: NoticeOracle, driver: ServiceDriver) -> int:
    """The version on the page that the person reads."""
    scope = oracle.course.practice.tenant_id
    return driver.stores.consultations.get(oracle.visits.referral_id, scope=scope).version


def _find_miss(oracle: NoticeOracle, slot: ExpectedSlot, at: datetime) -> KnownEvent | None:
    """The report that the patient did not come; None if the consultation is no longer the next step, or not then."""
    current, stays = oracle.visits.current, oracle.rings.stays
    if current is None or current.slot is not slot or oracle.is_ended or stays[-1].stage != "consult_scheduled":
        return None
    return KnownEvent(what="consult_scheduled", at=at, true_at=at, is_no_show=True)
