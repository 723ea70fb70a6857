"""Consultation times of some centers, and what some practices booked, canceled or asked for.

Half of the centers publish no times, so that a practice asks them. A booking before the acceptance sets only
the date, so the statuses stay as the stories tell them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chalicelib.domain.consultation.consultation import CancelReason, PartOfDay, TimeRequest
from chalicelib.domain.consultation.patterns import HORIZON, LocalStart, SlotPattern, Weekday
from chalicelib.domain.consultation.slots import Slot
from chalicelib.domain.identity.members import Member, Role
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.plan_terms import VisitMode
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.consultation import ask, book, patterns
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse
from infra.world.people import find_member_by_role
from infra.world.places import CENTERS, DemoCenter
from infra.world.stories import Story

_WEEKDAYS = (Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY, Weekday.THURSDAY, Weekday.FRIDAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationPlayer:
    """Publishes times, and books some; what an earlier attempt did is left as it is."""

    members: Mapping[str, Member]
    stores: Stores
    now: datetime

    @property
    def context(self) -> RunContext:
        """The tables, and the time of the sample data."""
        return RunContext(self.stores, self.now)

    def play(self, stories: Sequence[Story], referral_ids: Mapping[int, str]) -> None:
        """Publish the times, book one, cancel another, and ask for a third."""
        publishing = {center.handle for center in list_publishing_centers()}
        for center in list_publishing_centers():
            self._publish(center)
        early = [each for each in stories if each.stage in {Stage.SUBMITTED, Stage.RECEIVED}]
        bookable = [each for each in early if each.center in publishing]
        for story, then_cancel in zip(bookable, (False, True), strict=False):
            self._book(story, referral_ids[story.number], then_cancel=then_cancel)
        asking = [each for each in stories if each.stage is Stage.ACCEPTED]
        for story in asking[:1]:
            self._ask(story, referral_ids[story.number])

    def _publish(self, center: DemoCenter) -> None:
        member = self.members[find_member_by_role(center.handle, Role.COORDINATOR).handle]
        today = to_local_day(self.now, center.time_zone)
        pattern = SlotPattern(
            pattern_id="",
            center_id=center.tenant_id,
            weekdays=_WEEKDAYS[::2],
            starts=(time(9), time(10, 30), time(14)),
            minutes=60,
            mode=VisitMode.TELEHEALTH,
            capacity=1,
            begins_on=today,
            days_off=(today + timedelta(days=14),),
            extra=(LocalStart(today + timedelta(days=3), time(17)), *_list_clock_changes(today, center.time_zone)),
        )
        patterns.add_pattern(
            pattern,
            member=member,
            request=_build_request(member, f"POST /v1/centers/{center.tenant_id}/slot-patterns"),
            build_response=lambda view: StoredResponse(
                status=201, headers={}, body={"pattern_id": view.pattern.pattern_id}
            ),
            context=self.context,
        )

    def _book(self, story: Story, referral_id: str, *, then_cancel: bool) -> None:
        member = self._get_coordinator(story.practice)
        referral = self.stores.referrals.get(referral_id)
        if referral is None or referral.center_id is None:
            return
        if self.stores.consultations.get(referral_id, scope=referral.practice_id).version:
            return
        slot = next(self._list_free(referral.center_id))
        booked = book.book_slot(
            referral_id, slot.slot_id, version=0, note=None, may_move=False, member=member, context=self.context
        )
        if then_cancel:
            book.cancel_consultation(
                referral_id,
                version=booked.consultation.version,
                reason=CancelReason.PATIENT_UNWELL,
                member=member,
                context=self.context,
            )

    def _ask(self, story: Story, referral_id: str) -> None:
        member = self._get_coordinator(story.practice)
        wanted = TimeRequest(
            asked_at=self.now,
            asked_by=member.name,
            preferred_days=(Weekday.TUESDAY, Weekday.THURSDAY),
            part_of_day=PartOfDay.MORNING,
            mode=VisitMode.TELEHEALTH,
        )
        ask.ask_for_time(
            referral_id,
            wanted,
            member=member,
            request=_build_request(member, f"POST /v1/referrals/{referral_id}/consultation/requests"),
            build_response=lambda view: StoredResponse(
                status=201, headers={}, body={"version": view.consultation.version}
            ),
            context=self.context,
        )

    def _get_coordinator(self, organization: str) -> Member:
        return self.members[find_member_by_role(organization, Role.COORDINATOR).handle]

    def _list_free(self, center_id: str) -> Iterator[Slot]:
        slots = self.stores.slots.list_between(center_id, self.now, self.now + timedelta(days=30))
        return (slot for slot in slots if slot.has_room(None, now=self.now))


def _list_clock_changes(today: date, time_zone: str) -> Iterator[LocalStart]:
    """An extra time in the night of each change of the clocks, as a mistake in a center's list would be."""
    zone = ZoneInfo(time_zone)
    for days in range(1, HORIZON.days):
        night = datetime.combine(today + timedelta(days=days), time(), zone)
        if night.utcoffset() != (night + timedelta(days=1)).utcoffset():
            yield LocalStart(night.date(), time(2, 30))
            yield LocalStart(night.date(), time(1, 30))


def list_publishing_centers() -> Sequence[DemoCenter]:
    """The centers that publish consultation times: every second one."""
    return CENTERS[::2]


def _build_request(member: Member, route: str) -> IdempotentRequest:
    return IdempotentRequest(
        member_id=member.member_id, tenant_id=member.tenant_id, route=route, key="fictional world", body=b"{}"
    )
