"""The consultation of one referral: what is booked, what is held, and what the practice asked for.

The planned date of the referral (`plans`) is the only truth about when the consultation is. This record adds
what a date alone does not say: the slot and its seat, and the entry in people's calendars. `follow_fact`
keeps it in step with every report of the date.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from chalicelib.domain.consultation.patterns import Weekday
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.plan_terms import PlannedDay, VisitMode
from chalicelib.domain.referrals.plans import Plan


class ConsultationState(StrEnum):
    """What happened to the consultation. `NONE`, `ASKED` and `HELD` are only shown, and never stored."""

    NONE = "none"
    ASKED = "asked"
    HELD = "held"
    BOOKED = "booked"
    CANCELED = "canceled"
    NO_SHOW = "no_show"
    COMPLETED = "completed"


class ConsultationSource(StrEnum):
    """How the date was set."""

    BOOKING = "booking"
    CENTER_EVENT = "center_event"
    """The center's system sent it."""
    BY_HAND = "by_hand"
    """A person of the center entered it."""


class PartOfDay(StrEnum):
    """When a patient can come."""

    ANY = "any"
    MORNING = "morning"
    AFTERNOON = "afternoon"


class CancelReason(StrEnum):
    """Why a consultation was canceled. A code, because it is sent in the address of the request."""

    PATIENT_CANNOT_ATTEND = "patient_cannot_attend"
    PATIENT_UNWELL = "patient_unwell"
    CENTER_UNAVAILABLE = "center_unavailable"
    NEW_TIME_NEEDED = "new_time_needed"
    NOT_NEEDED = "not_needed"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A consultation that was planned, as calendars know it. Field names are stored.

    Attributes:
        uid: The UID of its calendar entry; random, and the same as long as the appointment exists. After a
            cancellation a new appointment has a new one, because some programs ignore an invitation to a
            canceled entry.
        sequence: The SEQUENCE of the entry: from 0, and 1 higher with each change of time or place.
        slot_id: The slot with its seat; None if the center planned a time of its own.
        reported_ids: The events that set it.
        canceled_by: The id of the member who canceled it here; None if the center's system did.
        was_booked: Whether it was ever in a slot, so that both teams have it in their calendars.
    """

    uid: str
    sequence: int = 0
    state: ConsultationState = ConsultationState.BOOKED
    source: ConsultationSource
    starts_at: datetime | None = None
    on: date | None = None
    minutes: int | None = None
    mode: VisitMode | None = None
    place: str | None = None
    contact: str | None = None
    slot_id: str | None = None
    booked_at: datetime
    booked_by: str
    note: str | None = None
    reported_ids: tuple[str, ...] = ()

    was_booked: bool = False
    canceled_by: str | None = None

    @property
    def day(self) -> PlannedDay:
        """When it is."""
        return PlannedDay(self.starts_at, self.on)

    @property
    def ends_at(self) -> datetime | None:
        """When it ends; None if its length is not known. Minutes are counted in UTC."""
        if self.starts_at is None or self.minutes is None:
            return None
        return self.starts_at.astimezone(UTC) + timedelta(minutes=self.minutes)

    @property
    def is_open(self) -> bool:
        """Whether it is ahead, as far as anyone reported."""
        return self.state is ConsultationState.BOOKED

    def is_as_planned(self, plan: Plan) -> bool:
        """Whether a planned date says the same time, way and place; what it leaves out does not differ."""
        return (
            self.day == plan.day and plan.mode in {None, self.mode} and (plan.place is None or plan.place == self.place)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotHold:
    """A seat that is held for this referral. Field names are stored."""

    slot_id: str
    starts_at: datetime
    until: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRequest:
    """No published time fits, so the practice asks the center for one. Field names are stored."""

    asked_at: datetime
    asked_by: str
    preferred_days: tuple[Weekday, ...] = ()
    earliest_on: date | None = None
    part_of_day: PartOfDay = PartOfDay.ANY
    mode: VisitMode | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consultation(KeepsUnknown):
    """The consultation of one referral. Field names are stored.

    Attributes:
        appointment: The last planned consultation.
        hold: The seat that is held; also while an appointment stands that is about to be moved.
        request: What the practice asked the center for, until a time is set.
        version: Increases by one with each write; the ETag.
    """

    appointment: Appointment | None = None
    hold: SlotHold | None = None
    request: TimeRequest | None = None
    version: int = 0

    def get_state(self, *, now: datetime) -> ConsultationState:
        """What a reader sees first: what is booked, else what is held, else what was asked for."""
        if self.appointment and self.appointment.is_open:
            return ConsultationState.BOOKED
        if self.hold and self.hold.until > now:
            return ConsultationState.HELD
        if self.request:
            return ConsultationState.ASKED
        return self.appointment.state if self.appointment else ConsultationState.NONE

    def changed(
        self,
        *,
        appointment: Appointment | None = None,
        hold: SlotHold | None = None,
        request: TimeRequest | None = None,
    ) -> "Consultation":
        """Return the next version with exactly these parts."""
        return replace(self, appointment=appointment, hold=hold, request=request, version=self.version + 1)


NO_CONSULTATION = Consultation()
"""Nothing was planned, held or asked for."""
