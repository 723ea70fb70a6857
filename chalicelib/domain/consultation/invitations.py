"""An invitation: what one message about a consultation says to a calendar. It names no one but the alias.

Source: RFC 5546, sections 3.2.2 and 3.2.5: REQUEST and CANCEL, with the same UID and a rising SEQUENCE.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chalicelib.domain.consultation.consultation import Appointment
from chalicelib.domain.referrals.plan_terms import VisitMode


class InvitationMethod(StrEnum):
    """What a calendar does with an invitation."""

    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarInvitation:
    """One message to the calendars of the teams. Field names are stored.

    Attributes:
        on: The day at the center, if no time is known.
        with_center: Whether the center's team is invited. A time that the center planned itself is in the
            center's own calendar.
    """

    uid: str
    sequence: int
    method: InvitationMethod
    starts_at: datetime | None
    on: date | None
    minutes: int | None
    mode: VisitMode | None
    with_center: bool

    @property
    def key(self) -> str:
        """What identifies the invitation in its referral."""
        return f"{self.uid}#{self.sequence:06d}"

    @property
    def next_key(self) -> str:
        """The key of the invitation that replaces it."""
        return f"{self.uid}#{self.sequence + 1:06d}"


def build_invitation(appointment: Appointment, method: InvitationMethod) -> CalendarInvitation:
    """Build the invitation to an appointment as it is now, or its cancellation."""
    return CalendarInvitation(
        uid=appointment.uid,
        sequence=appointment.sequence,
        method=method,
        starts_at=appointment.starts_at,
        on=appointment.on,
        minutes=appointment.minutes,
        mode=appointment.mode,
        with_center=appointment.was_booked,
    )
