"""Ask the center for a consultation time, because no published one fits. This is a normal path, and always open."""

from collections.abc import Callable
from dataclasses import replace

from chalicelib.domain.consultation.booking_actions import find_obstacle
from chalicelib.domain.consultation.consultation import TimeRequest
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.platform.rate_limit import TIME_REQUESTS_PER_MEMBER
from chalicelib.domain.referrals.events import ConsultationRequested, EventSource
from chalicelib.domain.referrals.stage_changes import Applied
from chalicelib.errors import ConflictError, ForbiddenError
from chalicelib.services.consultation.view import ConsultationView, build_view
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.consultation_writes import ConsultationWrites
from chalicelib.services.referrals.event_decisions import decide_with_history
from chalicelib.services.referrals.event_writes import prepare_event_writes
from chalicelib.services.referrals.write_once import commit_once, write_once
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse


def ask_for_time(
    referral_id: str,
    wanted: TimeRequest,
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: Callable[[ConsultationView], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Ask the center for a time. A later question replaces an earlier one; what is booked stays booked.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        ForbiddenError: only the practice asks.
        ConflictError: the referral is closed, or was never submitted.
        RateLimitedError: the member asked too often.
    """
    found = get_visible_or_404(referral_id, member, "consultation.requested", context=context)

    def attempt() -> StoredResponse:
        if member.kind is not TenantKind.PRACTICE:
            raise ForbiddenError("practice_only", "Only the referring practice can ask for a consultation time.")
        referral = get_visible_or_404(referral_id, member, "consultation.requested", context=context)
        obstacle = find_obstacle(referral)
        if obstacle:
            raise ConflictError(obstacle.code, obstacle.message)
        event = ConsultationRequested(
            event_id=derive_id("evt", request.scope_key),
            referral_id=referral_id,
            occurred_at=context.now,
            recorded_at=context.now,
            actor=member.actor,
            source=EventSource(member.actor.value),
            actor_id=member.member_id,
            actor_name=member.name,
        )
        decision = decide_with_history(referral, event, context=context)
        if not isinstance(decision, Applied):
            raise ConflictError("not_bookable_now", "The center cannot be asked here now. Send a message instead.")
        known = context.stores.consultations.get(referral_id, scope=referral.practice_id)
        changed = known.changed(appointment=known.appointment, hold=known.hold, request=wanted)
        save = context.stores.consultations.prepare_save(referral_id, changed, scope=referral.practice_id)
        writes = prepare_event_writes(
            decision,
            event,
            member.tenant_id,
            before=referral,
            context=context,
            consultation=ConsultationWrites([save]),
        )
        view = build_view(decision.referral, changed, context=context)
        return commit_once(request, build_response(view), *writes, context=context)

    refused_as = replace(build_member_audit_entry(found, member, "consultation.requested", context.now), version=None)
    return write_once(attempt, request=request, limit=TIME_REQUESTS_PER_MEMBER, refused_as=refused_as, context=context)
