"""Hold, book, move and cancel the consultation of a referral.

    read referral, consultation, slot ── decide ── commit {seat, consultation, referral, event, audit row, tasks}
                  ▲                                   │
                  └──────────── conflict ─────────────┘

Everything is in one transaction, so a seat is never taken without the date, or the date set without a seat.
A booking sets the planned date of the referral like a report of the center. A repeat of a request whose
response was lost finds its own result, and gets it again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.consultation.booking_actions import find_obstacle
from chalicelib.domain.consultation.consultation import (
    Appointment,
    CancelReason,
    Consultation,
    ConsultationSource,
    ConsultationState,
    SlotHold,
)
from chalicelib.domain.consultation.follow_fact import find_planned
from chalicelib.domain.consultation.invitations import InvitationMethod, build_invitation
from chalicelib.domain.consultation.slots import HOLD_DURATION, Slot
from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource, PlanChanged, StageChange
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, Recorded
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import ConflictError, FieldError, PreconditionFailedError
from chalicelib.services.consultation.view import ConsultationView, build_view
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.consultation_writes import ConsultationWrites, create_uid, prepare_release
from chalicelib.services.referrals.event_decisions import decide_with_history
from chalicelib.services.referrals.event_writes import prepare_event_writes
from chalicelib.services.referrals.write_once import audit_refusals
from chalicelib.store.notices.outbox import parse_existing_tasks
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError

_BOOKED_ALREADY = "This time is booked for this patient already."

_Decided = tuple[StageChange | PlanChanged, Applied | Recorded]


@dataclass(frozen=True, slots=True)
class _Read:
    """What an attempt read."""

    referral: Referral
    consultation: Consultation

    @property
    def open_appointment(self) -> Appointment | None:
        appointment = self.consultation.appointment
        return appointment if appointment and appointment.is_open else None


def hold_slot(referral_id: str, slot_id: str, *, version: int, member: Member, context: RunContext) -> ConsultationView:
    """Hold a seat for some minutes. An earlier hold of the referral at another time ends.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        PreconditionFailedError: another change came after `version`.
        ConflictError: the referral is closed, or the time is gone, taken, or booked for it already.
    """

    def attempt() -> ConsultationView:
        read = _read_open(referral_id, member, "consultation.hold", context=context)
        referral, known, hold = read.referral, read.consultation, read.consultation.hold
        if hold and known.version != version and _is_own_hold(hold, slot_id, member, context.now):
            return build_view(referral, known, context=context)
        _require_version(known, version)
        slot = _get_free_slot(read, slot_id, context=context)
        held = slot.with_hold(referral_id, now=context.now)
        until = context.now + HOLD_DURATION
        new_hold = SlotHold(slot_id=slot_id, starts_at=slot.starts_at, until=until, by=member.member_id)
        changed = known.changed(appointment=known.appointment, hold=new_hold, request=known.request)
        context.stores.transactions.commit(
            context.stores.slots.prepare_save(held),
            *_prepare_end_of_hold(read, slot_id, context=context),
            context.stores.consultations.prepare_save(referral_id, changed, scope=referral.practice_id),
            context.stores.audit_log.prepare_append(
                build_member_audit_entry(referral, member, "consultation.hold", context.now)
            ),
        )
        return build_view(referral, changed, context=context)

    return _run(attempt, referral_id, "consultation.hold", member, context=context)


def book_slot(
    referral_id: str,
    slot_id: str,
    *,
    version: int,
    note: str | None,
    may_move: bool,
    member: Member,
    context: RunContext,
) -> ConsultationView:
    """Book a seat, or move a booking to it. A hold is not needed, but keeps others from the seat.

    Args:
        referral_id: The referral.
        slot_id: The time to book.
        version: The version of the consultation that the member saw.
        note: What the center should know, for example about an interpreter.
        may_move: Whether a date that the center planned itself is moved to this time.
        member: Who books.
        context: The tables and the time.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        PreconditionFailedError: another change came after `version`.
        ConflictError: the referral is closed, the time is gone or taken, or the center planned a date itself.
    """
    existing_tasks: dict[str, str] = {}

    def attempt() -> ConsultationView:
        read = _read_open(referral_id, member, "consultation.book", context=context)
        known, appointment = read.consultation, read.open_appointment
        if appointment and appointment.slot_id == slot_id:
            if known.version == version and note and note != appointment.note:
                raise _build_slot_error("already_booked", f"{_BOOKED_ALREADY} Send a message to add to the note.")
            # Booked already, in another tab or by a request whose response was lost.
            return build_view(read.referral, known, context=context)
        _require_version(known, version)
        if appointment and appointment.slot_id is None and not may_move:
            message = "The center planned this consultation itself. Reschedule it to move it to this time."
            raise ConflictError("consultation_planned", message)
        slot = _get_free_slot(read, slot_id, context=context)
        return _commit_booking(read, slot, note, member, existing_tasks, context=context)

    return _run(attempt, referral_id, "consultation.book", member, context=context)


def cancel_consultation(
    referral_id: str, *, version: int, reason: CancelReason | None, member: Member, context: RunContext
) -> ConsultationView:
    """Cancel what is planned, also by the center; if nothing is, end the hold.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        PreconditionFailedError: another change came after `version`.
        ConflictError: the referral is closed, or nothing is planned or held.
    """
    existing_tasks: dict[str, str] = {}

    def attempt() -> ConsultationView:
        read = _read_open(referral_id, member, "consultation.cancel", context=context)
        known, appointment = read.consultation, read.open_appointment
        if known.version != version and _is_canceled_by(known, member):
            return build_view(read.referral, known, context=context)
        _require_version(known, version)
        if appointment is None:
            return _end_hold(read, member, context=context)
        common = _build_common(read, member, f"cancel/{appointment.uid}/{appointment.sequence}", context=context)
        event = PlanChanged(**common, actor=member.actor, plan=PlanKind.CONSULTATION, canceled=True, reason_code=reason)
        decision = decide_with_history(read.referral, event, context=context)
        if not isinstance(decision, Applied | Recorded):
            raise _build_refusal()
        released = prepare_release(read.referral, appointment.slot_id, context.now, stores=context.stores)
        canceled = replace(
            appointment,
            state=ConsultationState.CANCELED,
            sequence=appointment.sequence + 1,
            slot_id=None,
            canceled_by=member.member_id,
        )
        changed = known.changed(appointment=canceled, request=known.request)
        invitation = build_invitation(canceled, InvitationMethod.CANCEL)
        writes = ConsultationWrites(
            [
                *released,
                *_prepare_end_of_hold(read, appointment.slot_id, context=context),
                context.stores.consultations.prepare_save(referral_id, changed, scope=read.referral.practice_id),
                context.stores.consultations.prepare_invitation(referral_id, invitation),
            ],
            invitation,
        )
        _commit((event, decision), read, writes, member, existing_tasks, context=context)
        return build_view(decision.referral, changed, context=context)

    return _run(attempt, referral_id, "consultation.cancel", member, context=context)


def _commit_booking(
    read: _Read,
    slot: Slot,
    note: str | None,
    member: Member,
    existing_tasks: dict[str, str],
    *,
    context: RunContext,
) -> ConsultationView:
    referral, known, before = read.referral, read.consultation, read.open_appointment
    uid = before.uid if before else create_uid()
    sequence = before.sequence + 1 if before else 0
    event, decision = _decide_booking(read, slot, f"{uid}/{sequence}", member, context=context)
    planned = find_planned(decision.referral)
    if planned is None or planned.day.starts_at != slot.starts_at:
        raise _build_refusal()
    appointment = Appointment(
        uid=uid,
        sequence=sequence,
        source=ConsultationSource.BOOKING,
        starts_at=slot.starts_at,
        minutes=slot.minutes,
        mode=planned.mode,
        place=planned.place,
        contact=planned.contact,
        slot_id=slot.slot_id,
        booked_at=context.now,
        booked_by=member.name,
        note=note,
        reported_ids=(*(before.reported_ids if before else ()), event.event_id),
        was_booked=True,
    )
    changed = known.changed(appointment=appointment)
    invitation = build_invitation(appointment, InvitationMethod.REQUEST)
    stores, scope = context.stores, referral.practice_id
    released = prepare_release(referral, before.slot_id if before else None, context.now, stores=stores)
    writes = ConsultationWrites(
        [
            stores.slots.prepare_save(slot.with_booking(referral.referral_id, now=context.now)),
            *released,
            *_prepare_end_of_hold(read, slot.slot_id, before.slot_id if before else None, context=context),
            stores.consultations.prepare_save(referral.referral_id, changed, scope=scope),
            stores.consultations.prepare_invitation(referral.referral_id, invitation),
        ],
        invitation,
    )
    _commit((event, decision), read, writes, member, existing_tasks, context=context)
    return build_view(decision.referral, changed, context=context)


def _decide_booking(read: _Read, slot: Slot, key: str, member: Member, *, context: RunContext) -> _Decided:
    """Report the status for the center if it is possible now; otherwise only the date."""
    date: dict[str, Any] = {
        "starts_at": slot.starts_at,
        "mode": slot.mode,
        "place": slot.place,
        "contact": slot.contact,
    }
    common = _build_common(read, member, f"book/{key}/{slot.slot_id}", context=context)
    # The center published the time, so it has agreed to it.
    status = StageChange(**common, **date, actor=Actor.CENTER, stage=Stage.CONSULT_SCHEDULED)
    decision = decide_with_history(read.referral, status, context=context)
    if isinstance(decision, Applied) and decision.referral.stage is Stage.CONSULT_SCHEDULED:
        return status, decision
    plan = PlanChanged(**common, **date, actor=member.actor, plan=PlanKind.CONSULTATION)
    planned = decide_with_history(read.referral, plan, context=context)
    if not isinstance(planned, Applied | Recorded):
        raise _build_refusal()
    return plan, planned


def _commit(
    decided: _Decided,
    read: _Read,
    writes: ConsultationWrites,
    member: Member,
    existing_tasks: dict[str, str],
    *,
    context: RunContext,
) -> None:
    event, decision = decided
    try:
        context.stores.transactions.commit(
            *prepare_event_writes(
                decision,
                event,
                member.tenant_id,
                before=read.referral,
                context=context,
                existing_tasks=existing_tasks,
                consultation=writes,
            )
        )
    except ConditionFailedError as e:
        existing_tasks.update(parse_existing_tasks(e.items))
        raise


def _end_hold(read: _Read, member: Member, *, context: RunContext) -> ConsultationView:
    referral, known = read.referral, read.consultation
    if known.hold is None:
        raise ConflictError("nothing_planned", "No consultation is planned or held, so there is nothing to cancel.")
    changed = known.changed(appointment=known.appointment, request=known.request)
    context.stores.transactions.commit(
        *_prepare_end_of_hold(read, context=context),
        context.stores.consultations.prepare_save(referral.referral_id, changed, scope=referral.practice_id),
        context.stores.audit_log.prepare_append(
            build_member_audit_entry(referral, member, "consultation.release", context.now)
        ),
    )
    return build_view(referral, changed, context=context)


def _prepare_end_of_hold(read: _Read, *other_writes: str | None, context: RunContext) -> Sequence[TransactionWrite]:
    """Build the write that ends a hold, unless another write of the transaction changes the same slot."""
    hold = read.consultation.hold
    if hold is None or hold.slot_id in other_writes:
        return ()
    return prepare_release(read.referral, hold.slot_id, context.now, stores=context.stores)


def _read_open(referral_id: str, member: Member, action: str, *, context: RunContext) -> _Read:
    referral = get_visible_or_404(referral_id, member, action, context=context)
    obstacle = find_obstacle(referral)
    if obstacle:
        raise ConflictError(obstacle.code, obstacle.message)
    return _Read(referral, context.stores.consultations.get(referral_id, scope=referral.practice_id))


def _get_free_slot(read: _Read, slot_id: str, *, context: RunContext) -> Slot:
    """Read a slot in which the referral can take a seat."""
    referral, hold = read.referral, read.consultation.hold
    slot = context.stores.slots.get(referral.center_id, slot_id) if referral.center_id else None
    if slot is None or slot.closed:
        raise _build_slot_error("slot_gone", "The center no longer offers this time. Choose another one.")
    if slot.starts_at <= context.now:
        raise _build_slot_error("slot_past", "This time has begun or is past. Choose another one.")
    if referral.referral_id in slot.list_booked():
        raise _build_slot_error("already_booked", _BOOKED_ALREADY)
    if not slot.has_room(referral.referral_id, now=context.now):
        was_held = hold is not None and hold.slot_id == slot_id
        message = "This time was taken after your hold ended." if was_held else "This time was just taken."
        raise _build_slot_error("slot_taken", f"{message} Choose another one.")
    return slot


def _build_slot_error(code: str, message: str) -> ConflictError:
    return ConflictError(code, message, errors=[FieldError("/slot_id", code, message)])


def _build_refusal() -> ConflictError:
    return ConflictError("not_bookable_now", "The consultation cannot be changed now. Call the center.")


def _require_version(known: Consultation, version: int) -> None:
    if known.version != version:
        raise PreconditionFailedError


def _is_own_hold(hold: SlotHold, slot_id: str, member: Member, now: datetime) -> bool:
    return hold.slot_id == slot_id and hold.by == member.member_id and hold.until > now


def _is_canceled_by(known: Consultation, member: Member) -> bool:
    """Whether this member canceled it, by a request whose response was lost."""
    return known.appointment is not None and known.appointment.canceled_by == member.member_id


def _build_common(read: _Read, member: Member, key: str, *, context: RunContext) -> dict[str, Any]:
    """Build the fields of a booking's event.

    A booking answers what is planned, missed or done, so it is never dated before it, even if the center's clock is
    ahead.
    """
    planned = read.referral.plans.find(PlanKind.CONSULTATION)
    entered_at = read.referral.stage_entered_at
    reported = [entered_at.get(stage) for stage in (Stage.CONSULT_SCHEDULED, Stage.CONSULT_COMPLETED)]
    earlier = [at for at in (planned.reported_at if planned else None, *reported) if at]
    occurred_at = max([context.now, *(at + timedelta(milliseconds=1) for at in earlier)]).astimezone(UTC)
    return {
        "event_id": derive_id("evt", read.referral.referral_id, key),
        "referral_id": read.referral.referral_id,
        "occurred_at": occurred_at,
        "recorded_at": context.now,
        "source": EventSource.BOOKING,
        "actor_id": member.member_id,
        "actor_name": member.name,
    }


def _run(
    attempt: Callable[[], ConsultationView], referral_id: str, action: str, member: Member, *, context: RunContext
) -> ConsultationView:
    """Run an attempt until its commit meets no conflict, and audit a refusal."""
    referral = get_visible_or_404(referral_id, member, action, context=context)
    refused_as = replace(build_member_audit_entry(referral, member, action, context.now), version=None)
    with audit_refusals(refused_as, context=context):
        return commit_with_retry(attempt)
