"""The follow-up calendar: of one referral, and of all that a member looks after, as a feed."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.catalogue import care_points
from chalicelib.domain.handback.follow_up_dates import Basis, Day, days_of
from chalicelib.domain.handback.package import Handback
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.events import spelled
from chalicelib.domain.referrals.monitoring_window import Window, local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Phase, Stage
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.services.handback import package as handbacks
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.transactions import ConditionFailed
from chalicelib.store.webhooks.idempotency import RECEIPT, Answer, Request

BEFORE, AHEAD = timedelta(days=92), timedelta(days=400)
"""What part of fifteen years a feed carries around today. Calendars fetch it again and again;
what lies further ahead comes nearer by itself."""

FED = frozenset({Stage.HANDED_BACK, Stage.FOLLOW_UP, Stage.LONG_TERM_FOLLOW_UP})
"""Stages in which a referral's days are in the feed: from the hand-back on."""

VISITS_FROM = (
    "CIBMTR's reporting points, the published care tables, and 15-year studies "
    "(as gathered by 2026-04)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """The dated days of one referral's follow-up, and what they follow from."""

    referral: Referral
    handback: Handback | None
    window: Window
    basis: Basis

    @property
    def days(self) -> Sequence[Day]:
        """Every day, earliest first."""
        return days_of(self.basis)


def read(referral_id: str, *, member: Member, stores: Stores, now: datetime) -> FollowUp:
    """The follow-up of one referral.

    Raises:
        NotFoundError: no such referral, another tenant's, or no window is open yet.
    """
    found = handbacks.read(
        referral_id, member=member, action="follow_up.read", stores=stores, now=now
    )
    follow_up = _of(found.referral, found.handback)
    if follow_up is None:
        raise NotFoundError
    return follow_up


def make_address(
    *,
    member: Member,
    request: Request,
    answer: Callable[[str], Answer],
    stores: Stores,
    now: datetime,
) -> Answer:
    """Make the secret address of a member's feed; the one before it ends.

    Raises:
        ForbiddenError: somebody who sees no patient has no calendar of them.
    """
    _require_care(member)
    secret = spelled(secrets.token_bytes(16))
    told = answer(f"{member.member_id}.{secret}")
    try:
        stores.ledger.commit(
            stores.idempotency.writing(request, told, now=now),
            stores.calendars.making(
                member.member_id, subject=member.subject, secret=secret, now=now
            ),
            stores.audit.appending(_entry(member, "calendar.make", now)),
        )
    except ConditionFailed as e:
        if RECEIPT in e.items:
            return stores.idempotency.replay(request, e.items[RECEIPT])
        raise
    return told


def end_address(*, member: Member, stores: Stores, now: datetime) -> None:
    """End a member's feed. Saying it again changes nothing."""
    _require_care(member)
    stores.ledger.commit(
        stores.calendars.ending(member.member_id),
        stores.audit.appending(_entry(member, "calendar.end", now)),
    )


def feed(address: str, *, stores: Stores, now: datetime) -> Iterator[tuple[FollowUp, Day]]:
    """The days of everyone whom the owner of an address looks after, around today.

    Raises:
        NotFoundError: no such address, one that has ended, or its owner sees patients no more.
    """
    member_id, _, secret = address.partition(".")
    subject = stores.calendars.subject_of(member_id, secret)
    member = stores.members.get(subject) if subject else None
    if member is None or not member.active or not member.cares:
        raise NotFoundError
    stores.audit.append(_entry(member, "calendar.read", now))
    return _fed(member, stores=stores, now=now)


def _fed(member: Member, *, stores: Stores, now: datetime) -> Iterator[tuple[FollowUp, Day]]:
    index = "by_practice" if member.kind is TenantKind.PRACTICE else "by_center"
    # The index only says where to look: each referral is read again before it counts.
    for referral_id in stores.referrals.ids_in(
        Phase.FOLLOW_UP, index=index, tenant_id=member.tenant_id
    ):
        referral = stores.referrals.get(referral_id)
        if referral is None or referral.stage not in FED or not member.may_see(referral):
            continue
        follow_up = _of(referral, handbacks.latest(referral, stores=stores))
        if follow_up is None:
            continue
        today = local_day(now, follow_up.window.time_zone)
        for day in follow_up.days:
            if today - BEFORE <= day.on <= today + AHEAD:
                yield follow_up, day


def _of(referral: Referral, handback: Handback | None) -> FollowUp | None:
    window = referral.window
    if window is None:
        return None
    basis = Basis(
        window=window,
        package=handback.package if handback else None,
        first_visit_on=referral.overlay.first_visit_on,
        irradiated_until=care_points.irradiated_until(window.infused_on),
        visits_from=VISITS_FROM,
        blood_from=str(care_points.source("ash-blood")["title"]),
    )
    return FollowUp(referral=referral, handback=handback, window=window, basis=basis)


def _require_care(member: Member) -> None:
    if not member.cares or member.kind is TenantKind.OPERATOR:
        raise ForbiddenError("not_for_your_role", "Only people who care for patients see them.")


def _entry(member: Member, action: str, now: datetime) -> AuditEntry:
    return AuditEntry(
        referral_id=f"calendar#{member.member_id}",
        at=now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action=action,
    )
