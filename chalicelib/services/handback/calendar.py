"""The calendar of one referral, and the calendar feed of all referrals of a member."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.catalog import care_points
from chalicelib.domain.consultation.consultation import Appointment
from chalicelib.domain.handback.calendar_entries import CalendarEntry, from_follow_up_date, list_planned_entries
from chalicelib.domain.handback.follow_up_dates import FollowUpBasis, FollowUpDate, list_follow_up_dates
from chalicelib.domain.handback.package import HandbackVersion
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.platform.ids import encode_id
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow, to_local_day
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.services.handback import package as handbacks
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.idempotency import IDEMPOTENCY_RECORD, IdempotentRequest, StoredResponse
from chalicelib.store.platform.transactions import ConditionFailedError

CALENDAR_DAYS_BACK, CALENDAR_DAYS_AHEAD = timedelta(days=92), timedelta(days=400)
"""The part of the 15 years of follow-up that a feed has, before and after today. Calendar programs fetch
the feed again and again, so later dates appear in time."""

STAGES_IN_CALENDAR = frozenset({Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP})
"""Stages in which follow-up dates are in the feed: from the return to the referring provider on."""

_READ = "follow_up.read"
VISIT_SOURCE = "CIBMTR's reporting points, the published care tables, and 15-year studies (as gathered by 2026-04)"


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """The dates of one referral's follow-up, and what they depend on."""

    referral: Referral
    handback: HandbackVersion | None
    window: MonitoringWindow
    basis: FollowUpBasis

    @property
    def dates(self) -> Sequence[FollowUpDate]:
        """Every date, earliest first."""
        return list_follow_up_dates(self.basis)


def read_follow_up(referral_id: str, *, member: Member, context: RunContext) -> FollowUp:
    """Read the follow-up of one referral.

    Raises:
        NotFoundError: no such referral, it belongs to another tenant, or its monitoring window is not
            open yet.
    """
    view = handbacks.read_handback(referral_id, member=member, action=_READ, context=context)
    follow_up = _build_follow_up(view.referral, view.handback)
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
    """Create the secret address of a member's calendar feed. The previous address ends.

    Raises:
        ForbiddenError: the member's role has no access to patients.
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
    """End a member's calendar feed. It is idempotent."""
    _require_clinical_access(member)
    context.stores.transactions.commit(
        context.stores.calendar_feeds.prepare_end(member.member_id),
        context.stores.audit_log.prepare_append(_build_audit_entry(member, "calendar.end", context.now)),
    )


def read_calendar_file(
    referral_id: str, *, member: Member, context: RunContext
) -> Iterator[tuple[Referral, CalendarEntry]]:
    """List the planned dates of one referral, and from the infusion on its follow-up dates.

    Raises:
        NotFoundError: no such referral, it belongs to another tenant, or it has neither a planned date
            nor a monitoring window.
    """
    referral = get_visible_or_404(referral_id, member, _READ, context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, _READ, context.now))
    entries = [*_list_entries(referral, context=context)]
    if not entries:
        raise NotFoundError
    return ((referral, entry) for entry in entries)


def read_calendar_feed(address: str, *, context: RunContext) -> Iterator[tuple[Referral, CalendarEntry]]:
    """List the dates of all patients of the owner of an address, before and after today.

    Raises:
        NotFoundError: no such address, it has ended, or its owner no longer has access to patients
            (for example a disabled member).
    """
    member_id, _, secret = address.partition(".")
    subject = context.stores.calendar_feeds.find_owner(member_id, secret)
    member = context.stores.members.get_by_subject(subject) if subject else None
    if member is None or not member.has_access or not member.has_clinical_access:
        raise NotFoundError
    context.stores.audit_log.append(_build_audit_entry(member, "calendar.read", context.now))
    return _list_feed_entries(member, context=context)


def _list_feed_entries(member: Member, *, context: RunContext) -> Iterator[tuple[Referral, CalendarEntry]]:
    index = "by_practice" if member.kind is TenantKind.PRACTICE else "by_center"
    for row in context.stores.referrals.list_summaries(index=index, tenant_id=member.tenant_id):
        summary = row.stage_summary
        if not (summary.plans or summary.coverage.call_at or summary.stage in STAGES_IN_CALENDAR):
            continue
        # The index only finds candidates. Each referral is read again before it is used.
        referral = context.stores.referrals.get(row.referral_id)
        if referral is None or not member.can_see(referral):
            continue
        has_follow_up = referral.stage in STAGES_IN_CALENDAR
        for entry in _list_entries(referral, has_follow_up=has_follow_up, context=context):
            today = to_local_day(context.now, entry.time_zone)
            if today - CALENDAR_DAYS_BACK <= entry.on <= today + CALENDAR_DAYS_AHEAD:
                yield referral, entry


def _list_entries(referral: Referral, *, has_follow_up: bool = True, context: RunContext) -> Iterator[CalendarEntry]:
    if referral.plans.reports or referral.coverage.call_at:
        time_zone = load_decision_context(referral, context=context).time_zone
        has_consultation = referral.plans.find(PlanKind.CONSULTATION) is not None
        appointment = _find_appointment(referral, context=context) if has_consultation else None
        yield from list_planned_entries(referral, time_zone, appointment)
    if has_follow_up and referral.window:
        follow_up = _build_follow_up(referral, handbacks.get_latest_handback(referral, stores=context.stores))
        for day in follow_up.dates if follow_up else ():
            yield from_follow_up_date(day, referral.window.time_zone)


def _find_appointment(referral: Referral, *, context: RunContext) -> Appointment | None:
    """Find what people were invited to, so that the feed has the same entry."""
    return context.stores.consultations.get(referral.referral_id, scope=referral.practice_id).appointment


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
        died_on=to_local_day(referral.died_at, window.time_zone) if referral.died_at else None,
    )
    return FollowUp(referral=referral, handback=handback, window=window, basis=basis)


def _require_clinical_access(member: Member) -> None:
    if not member.has_clinical_access or member.kind is TenantKind.OPERATOR:
        raise ForbiddenError("not_for_your_role", "Your role does not include patient records.")


def _build_audit_entry(member: Member, action: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        referral_id=f"calendar#{member.member_id}",
        at=now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action=action,
    )
