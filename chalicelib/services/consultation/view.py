"""Read the consultation of a referral as both teams see it."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.domain.consultation.booking_actions import find_obstacle
from chalicelib.domain.consultation.consultation import Consultation, ConsultationState
from chalicelib.domain.consultation.follow_fact import find_planned
from chalicelib.domain.consultation.slots import Slot
from chalicelib.domain.identity.members import Member
from chalicelib.domain.notices.planning import build_consultation_reminder
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationView:
    """The consultation of a referral, with what a page shows next to it.

    Attributes:
        slot: The slot that is booked.
        held_slot: The slot that is held.
        time_zone: The center's.
        now: When it was read.
    """

    referral: Referral
    consultation: Consultation
    slot: Slot | None
    held_slot: Slot | None
    time_zone: str
    now: datetime

    @property
    def state(self) -> ConsultationState:
        """What a reader sees first."""
        return self.consultation.get_state(now=self.now)

    @property
    def is_open(self) -> bool:
        """Whether a time can be booked, moved or canceled."""
        return find_obstacle(self.referral) is None

    @property
    def reminder_at(self) -> datetime | None:
        """When both teams are reminded; None if nothing is planned, or the reminder is due already."""
        if find_planned(self.referral) is None:
            return None
        reminder = build_consultation_reminder(self.referral, time_zone=self.time_zone, now=self.now)
        return reminder.due_at if reminder else None


def read_consultation(referral_id: str, *, member: Member, context: RunContext) -> ConsultationView:
    """Read the consultation of a referral.

    Raises:
        NotFoundError: no such referral, or another tenant's.
    """
    referral = get_visible_or_404(referral_id, member, "consultation.read", context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, "consultation.read", context.now))
    known = context.stores.consultations.get(referral_id, scope=referral.practice_id)
    return build_view(referral, known, context=context)


def build_view(referral: Referral, consultation: Consultation, *, context: RunContext) -> ConsultationView:
    """Build the view of a consultation that was just read or written."""
    center = context.stores.tenants.get_center(referral.center_id)
    appointment, hold = consultation.appointment, consultation.hold
    is_held = hold is not None and hold.until > context.now
    return ConsultationView(
        referral=referral,
        consultation=consultation,
        slot=_find_slot(referral, appointment.slot_id if appointment else None, context=context),
        held_slot=_find_slot(referral, hold.slot_id if hold and is_held else None, context=context),
        time_zone=center.tenant.time_zone if center else "UTC",
        now=context.now,
    )


def _find_slot(referral: Referral, slot_id: str | None, *, context: RunContext) -> Slot | None:
    return context.stores.slots.get(referral.center_id, slot_id) if slot_id and referral.center_id else None
