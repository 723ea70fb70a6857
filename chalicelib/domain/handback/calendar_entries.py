"""What a calendar outside of this product shows: the alias, a neutral title, and when; nothing else.

Files and feeds end up in calendars of third parties. A title such as "CAR T infusion" next to an alias that
someone knows is health data, so a planned visit is an "Appointment".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from chalicelib.domain.consultation.consultation import Appointment
from chalicelib.domain.handback.follow_up_dates import FollowUpDate, FollowUpDateKind
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.planned_dates import list_open_plans
from chalicelib.domain.referrals.plans import get_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES

FOLLOW_UP_TITLES: Mapping[FollowUpDateKind, str] = {
    FollowUpDateKind.FIRST_VISIT: "First visit",
    FollowUpDateKind.CENTER_VISIT: "Visit at another site",
    FollowUpDateKind.VISIT: "Visit due",
    FollowUpDateKind.CARE_POINT: "Task due",
    FollowUpDateKind.UNTIL: "Date to review",
}
PLAN_TITLES: Mapping[PlanKind, str] = {
    kind: "Delivery" if kind is PlanKind.DELIVERY else "Appointment" for kind in PlanKind
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One entry of a calendar: a whole day, or a time.

    Attributes:
        key: Stays the same when the date changes; unique in one referral.
        on: The day at the center.
        starts_at: The time in UTC; None if only the day is known.
        time_zone: The center's.
        uid, sequence: Of an entry that people were invited to: those of the invitation, so that a subscriber
            does not see it twice.
        minutes: How long it takes, if that is known.
    """

    key: str
    title: str
    on: date
    starts_at: datetime | None = None
    time_zone: str
    uid: str = ""
    sequence: int = 0
    minutes: int | None = None


def from_follow_up_date(day: FollowUpDate, time_zone: str) -> CalendarEntry:
    """Convert a follow-up date."""
    return CalendarEntry(key=day.key, title=FOLLOW_UP_TITLES[day.kind], on=day.on, time_zone=time_zone)


def list_planned_entries(
    referral: Referral, time_zone: str, appointment: Appointment | None = None
) -> Iterator[CalendarEntry]:
    """List the planned dates that still stand, and an arranged call with the payer.

    A canceled one, and all of an ended referral, are gone. `appointment` is what people were invited to.
    """
    for plan in list_open_plans(referral):
        is_invited = appointment is not None and plan.plan is PlanKind.CONSULTATION and appointment.day == plan.day
        yield CalendarEntry(
            key=f"plan#{plan.plan}",
            title=PLAN_TITLES[plan.plan],
            on=get_local_day(plan.day, time_zone),
            starts_at=plan.day.starts_at,
            time_zone=time_zone,
            uid=appointment.uid if appointment and is_invited else "",
            sequence=appointment.sequence if appointment and is_invited else 0,
            minutes=appointment.minutes if appointment and is_invited else None,
        )
    call_at = None if referral.stage in TERMINAL_STAGES else referral.coverage.call_at
    if call_at:
        yield CalendarEntry(
            key="coverage_call",
            title=PLAN_TITLES[PlanKind.CONSULTATION],
            on=to_local_day(call_at, time_zone),
            starts_at=call_at.astimezone(UTC),
            time_zone=time_zone,
        )
