"""Keeps the consultation in step with the planned date of the referral: one fact, regardless of who reports it.

arrives                       known          result
a planned date                nothing        an appointment; the center's own calendar has its time
the same date                 a booking      nothing changes, and no one is notified again
another date or place         a booking      the center's word counts: it moves, and the seat is free
a status without a date       a booking      the booked time stays
a cancellation                anything       it ends, and the seat is free
an ending of the referral     anything       it ends, and its seat and a held one are free
a no-show                     anything       the seat stays used; a new booking is possible
a corrected no-show           the no-show    it is as it was booked
the consultation took place   anything       it is completed
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from chalicelib.domain.consultation.consultation import (
    Appointment,
    Consultation,
    ConsultationSource,
    ConsultationState,
)
from chalicelib.domain.consultation.invitations import CalendarInvitation, InvitationMethod, build_invitation
from chalicelib.domain.referrals.events import Corrected, EventSource, ReferralEvent, Reopened, StageChange
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.planned_dates import is_consultation_missed, list_open_plans
from chalicelib.domain.referrals.plans import Plan
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultationChange:
    """What a changed fact does.

    Attributes:
        consultation: The next version.
        released_slot_ids: The slots whose seats are free again.
        invitation: What people's calendars are sent.
    """

    consultation: Consultation
    released_slot_ids: tuple[str, ...] = ()
    invitation: CalendarInvitation | None = None


def concerns_consultation(before: Referral, after: Referral, event: ReferralEvent) -> bool:
    """Whether an event can change the consultation, so that its record must be read."""
    if find_planned(before) != find_planned(after) or is_consultation_missed(before) != is_consultation_missed(after):
        return True
    # A second no-show; the status says so already.
    if _is_no_show(event) and is_consultation_missed(after):
        return True
    # An ending also ends the hold of a patient without a consultation.
    return before.is_with_center and (after.stage in TERMINAL_STAGES) is not (before.stage in TERMINAL_STAGES)


def find_planned(referral: Referral) -> Plan | None:
    """Find the consultation that is planned, and neither canceled nor carried out."""
    return next((plan for plan in list_open_plans(referral) if plan.plan is PlanKind.CONSULTATION), None)


def follow_fact(
    consultation: Consultation, after: Referral, event: ReferralEvent, *, new_uid: str
) -> ConsultationChange | None:
    """Compute the consultation after an event; None if it stays as it is.

    Args:
        consultation: What is known.
        after: The referral after the event.
        event: What was reported.
        new_uid: The UID of a new appointment.
    """
    planned = find_planned(after)
    appointment = consultation.appointment
    if after.stage in TERMINAL_STAGES:
        return _end(consultation, appointment)
    if appointment and appointment.is_open:
        return _follow_open(consultation, appointment, planned, after, event)
    if appointment and appointment.state is ConsultationState.NO_SHOW:
        return _follow_missed(consultation, appointment, planned, after, event, new_uid)
    if planned is None:
        return None
    return _plan_new(consultation, planned, event, new_uid)


def _plan_new(consultation: Consultation, planned: Plan, event: ReferralEvent, new_uid: str) -> ConsultationChange:
    # A time is set: what the practice asked for is answered.
    new = _build_appointment(planned, event, new_uid)
    return ConsultationChange(
        consultation=consultation.changed(appointment=new, hold=consultation.hold),
        # Of a patient who is already on the way, the time may be past; no one is invited to it.
        invitation=None if _is_over(planned, event) else build_invitation(new, InvitationMethod.REQUEST),
    )


def _is_over(planned: Plan, event: ReferralEvent) -> bool:
    day = planned.day
    if day.starts_at:
        return day.starts_at < event.recorded_at
    # A day at the center can be one behind the day in UTC.
    return day.on is not None and day.on < event.recorded_at.date() - timedelta(days=1)


def _follow_open(
    consultation: Consultation,
    appointment: Appointment,
    planned: Plan | None,
    after: Referral,
    event: ReferralEvent,
) -> ConsultationChange | None:
    if is_consultation_missed(after):
        missed = replace(appointment, state=ConsultationState.NO_SHOW)
        return ConsultationChange(consultation=_with(consultation, missed))
    if planned and not appointment.is_as_planned(planned):
        return _move(consultation, appointment, planned, event)
    if planned is None:
        return _close(consultation, appointment, after)
    if event.event_id not in appointment.reported_ids and _names_date(event):
        noted = replace(appointment, reported_ids=(*appointment.reported_ids, event.event_id))
        return ConsultationChange(consultation=_with(consultation, noted))
    return None


def _move(
    consultation: Consultation, appointment: Appointment, planned: Plan, event: ReferralEvent
) -> ConsultationChange:
    # The slot has a fixed time, way and place, so a moved consultation is no longer in it.
    is_other_day = appointment.day != planned.day
    moved = replace(
        appointment,
        sequence=appointment.sequence + 1,
        source=_get_source(event),
        starts_at=planned.day.starts_at,
        on=planned.day.on,
        minutes=None if is_other_day else appointment.minutes,
        mode=planned.mode or (None if is_other_day else appointment.mode),
        place=planned.place or (None if is_other_day else appointment.place),
        contact=planned.contact or (None if is_other_day else appointment.contact),
        slot_id=None,
        reported_ids=(*appointment.reported_ids, event.event_id),
    )
    return ConsultationChange(
        consultation=consultation.changed(appointment=moved, hold=consultation.hold),
        released_slot_ids=_list_slots(appointment.slot_id),
        invitation=build_invitation(moved, InvitationMethod.REQUEST),
    )


def _close(consultation: Consultation, appointment: Appointment, after: Referral) -> ConsultationChange:
    if not _is_canceled(after):
        completed = replace(appointment, state=ConsultationState.COMPLETED)
        # What the practice asked for is no longer open.
        return ConsultationChange(consultation=consultation.changed(appointment=completed, hold=consultation.hold))
    # A seat that is held for a new time stays held until its hold is over.
    return _cancel(consultation, appointment)


def _end(consultation: Consultation, appointment: Appointment | None) -> ConsultationChange | None:
    """Cancel what is planned, and end the hold, because the referral ended. What was asked for is kept."""
    hold = consultation.hold
    if hold:
        consultation = replace(consultation, hold=None)
    if appointment and appointment.is_open:
        change = _cancel(consultation, appointment)
        return replace(change, released_slot_ids=_list_slots(appointment.slot_id, hold.slot_id if hold else None))
    if hold is None:
        return None
    return ConsultationChange(
        consultation=consultation.changed(appointment=appointment, request=consultation.request),
        released_slot_ids=_list_slots(hold.slot_id),
    )


def _cancel(consultation: Consultation, appointment: Appointment) -> ConsultationChange:
    canceled = replace(appointment, state=ConsultationState.CANCELED, sequence=appointment.sequence + 1, slot_id=None)
    return ConsultationChange(
        consultation=_with(consultation, canceled),
        released_slot_ids=_list_slots(appointment.slot_id),
        invitation=build_invitation(canceled, InvitationMethod.CANCEL),
    )


def _list_slots(*slot_ids: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(slot_id for slot_id in slot_ids if slot_id))


def _with(consultation: Consultation, appointment: Appointment) -> Consultation:
    return consultation.changed(appointment=appointment, hold=consultation.hold, request=consultation.request)


def _follow_missed(
    consultation: Consultation,
    appointment: Appointment,
    planned: Plan | None,
    after: Referral,
    event: ReferralEvent,
    new_uid: str,
) -> ConsultationChange | None:
    """Compute what follows a missed consultation: a new one, or that it was not missed after all."""
    # A reopened referral no longer says why its status was reported, so it does not say that the visit took place.
    if is_consultation_missed(after) or isinstance(event, Reopened):
        return None
    if planned and appointment.day != planned.day:
        return _plan_new(consultation, planned, event, new_uid)
    if planned:
        # The no-show was reported in error. The seat was kept, and calendars have the entry.
        return ConsultationChange(
            consultation=_with(consultation, replace(appointment, state=ConsultationState.BOOKED))
        )
    if _is_canceled(after):
        return None
    completed = replace(appointment, state=ConsultationState.COMPLETED)
    return ConsultationChange(consultation=consultation.changed(appointment=completed, hold=consultation.hold))


def _is_canceled(referral: Referral) -> bool:
    plan = referral.plans.find(PlanKind.CONSULTATION)
    return plan is None or plan.canceled


def _names_date(event: ReferralEvent) -> bool:
    effective = event.replacement if isinstance(event, Corrected) and event.replacement else event
    return bool(getattr(effective, "starts_at", None) or getattr(effective, "on", None))


def _is_no_show(event: ReferralEvent) -> bool:
    return (
        isinstance(event, StageChange)
        and event.stage is Stage.CONSULT_SCHEDULED
        and event.reason_code == ReasonCode.NO_SHOW
    )


def _build_appointment(planned: Plan, event: ReferralEvent, uid: str) -> Appointment:
    return Appointment(
        uid=uid,
        source=_get_source(event),
        starts_at=planned.day.starts_at,
        on=planned.day.on,
        mode=planned.mode,
        place=planned.place,
        contact=planned.contact,
        booked_at=event.recorded_at,
        booked_by=event.actor_name,
        reported_ids=(event.event_id,),
    )


def _get_source(event: ReferralEvent) -> ConsultationSource:
    is_feed = event.source is EventSource.CENTER_FEED
    return ConsultationSource.CENTER_EVENT if is_feed else ConsultationSource.BY_HAND
