"""The follow-up calendar: of one referral, and of all that a member looks after, as a feed."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.catalog import care_points
from chalicelib.domain.handback.follow_up_dates import FollowUpBasis, FollowUpDate, list_follow_up_dates
from chalicelib.domain.handback.package import HandbackVersion
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.events import encode_id
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow, to_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Phase, Stage
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.services.handback import package as handbacks
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse

CALENDAR_DAYS_BACK, CALENDAR_DAYS_AHEAD = timedelta(days=92), timedelta(days=400)
"""What part of fifteen years a feed carries around today. Calendars fetch it again and again;
what lies further ahead comes nearer by itself."""

STAGES_IN_CALENDAR = frozenset({Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP})
"""Stages in which a referral's days are in the feed: from the hand-back on."""

VISIT_SOURCE = "CIBMTR's reporting points, the published care tables, and 15-year studies (as gathered by 2026-04)"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """The dated days of one referral's follow-up, and what they follow from."""

    referral: Referral
    handback: HandbackVersion | None
    window: MonitoringWindow
    basis: FollowUpBasis

    @property
    def dates(self) -> Sequence[FollowUpDate]:
        """Every day, earliest first."""
        return list_follow_up_dates(self.basis)


def read_follow_up(referral_id: str, *, member: Member, context: RunContext) -> FollowUp:
    """The follow-up of one referral.

    Raises:
        NotFoundError: no such referral, another tenant's, or no window is open yet.
    """
    found = handbacks.read_handback(referral_id, member=member, action="follow_up.read", context=context)
    follow_up = _build_follow_up(found.referral, found.handback)
    if follow_up is None:
        raise NotFoundError
    return follow_up


def create_calendar_address(
    *,
    member: Member,
    request: IdempotentRequest,
    build_response: Callable[[str], StoredResponse],
    context: RunContext,
) -> StoredResponse:
    """Make the secret address of a member's feed; the one before it ends.

    Raises:
        ForbiddenError: somebody who sees no patient has no calendar of them.
    """
    _require_clinical_access(member)
    secret = encode_id(secrets.token_bytes(16))
    response = build_response(f"{member.member_id}.{secret}")
    try:
        context.stores.transactions.commit(
            context.stores.idempotency_records.prepare_record(request, response, now=context.now),
            context.stores.calendar_feeds.prepare_create(
                member.member_id, subject=member.subject, secret=secret, now=context.now
            ),
            context.stores.audit_log.prepare_append(_build_audit_entry(member, "calendar.make", context.now)),
        )
    except ConditionFailedError as e:
        if IDEMPOTENCY_RECORD in e.items:
            return context.stores.idempotency_records.load_response(request, e.items[IDEMPOTENCY_RECORD])
        raise
    return response


def revoke_calendar_address(*, member: Member, context: RunContext) -> None:
    """End a member's feed. Saying it again changes nothing."""
    _require_clinical_access(member)
    context.stores.transactions.commit(
        context.stores.calendar_feeds.prepare_end(member.member_id),
        context.stores.audit_log.prepare_append(_build_audit_entry(member, "calendar.end", context.now)),
    )


def read_calendar_feed(address: str, *, context: RunContext) -> Iterator[tuple[FollowUp, FollowUpDate]]:
    """The days of everyone whom the owner of an address looks after, around today.

    Raises:
        NotFoundError: no such address, one that has ended, or its owner sees patients no more.
    """
    member_id, _, secret = address.partition(".")
    subject = context.stores.calendar_feeds.find_owner(member_id, secret)
    member = context.stores.members.get_by_subject(subject) if subject else None
    if member is None or not member.active or not member.has_clinical_access:
        raise NotFoundError
    context.stores.audit_log.append(_build_audit_entry(member, "calendar.read", context.now))
    return _list_follow_ups(member, context=context)


def _list_follow_ups(member: Member, *, context: RunContext) -> Iterator[tuple[FollowUp, FollowUpDate]]:
    index = "by_practice" if member.kind is TenantKind.PRACTICE else "by_center"
    # The index only says where to look: each referral is read again before it counts.
    for referral_id in context.stores.referrals.list_ids_in_phase(
        Phase.FOLLOW_UP, index=index, tenant_id=member.tenant_id
    ):
        referral = context.stores.referrals.get(referral_id)
        if referral is None or referral.stage not in STAGES_IN_CALENDAR or not member.can_see(referral):
            continue
        follow_up = _build_follow_up(referral, handbacks.get_latest_handback(referral, stores=context.stores))
        if follow_up is None:
            continue
        today = to_local_day(context.now, follow_up.window.time_zone)
        for day in follow_up.dates:
            if today - CALENDAR_DAYS_BACK <= day.on <= today + CALENDAR_DAYS_AHEAD:
                yield follow_up, day


def _build_follow_up(referral: Referral, handback: HandbackVersion | None) -> FollowUp | None:
    window = referral.window
    if window is None:
        return None
    basis = FollowUpBasis(
        window=window,
        package=handback.package if handback else None,
        first_visit_on=referral.status.first_visit_on,
        irradiated_until=care_points.compute_irradiated_blood_end(window.infused_on),
        visit_source=VISIT_SOURCE,
        irradiated_blood_source=str(care_points.get_source("ash-blood")["title"]),
    )
    return FollowUp(referral=referral, handback=handback, window=window, basis=basis)


def _require_clinical_access(member: Member) -> None:
    if not member.has_clinical_access or member.kind is TenantKind.OPERATOR:
        raise ForbiddenError("not_for_your_role", "Only people who care for patients see them.")


def _build_audit_entry(member: Member, action: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        referral_id=f"calendar#{member.member_id}",
        at=now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action=action,
    )
