"""The hand-back package: written by the center, read by both sides, each version kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from chalicelib.catalogue import care_points
from chalicelib.domain.handback.package import TOLD_OF, Handback, Package, is_infused, is_open
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.notice_rules import HANDBACK_WRITTEN, Lane, Task
from chalicelib.domain.referrals.events import derived_id
from chalicelib.domain.referrals.monitoring_window import local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import (
    Fault,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    RefusedError,
    StaleError,
    UnavailableError,
)
from chalicelib.services.referrals.access import entry_of_member, require_known, seen
from chalicelib.services.referrals.event_writes import setting_of
from chalicelib.store.all_stores import Stores
from chalicelib.store.handback.packages import WRITTEN
from chalicelib.store.platform.dynamo import Write
from chalicelib.store.platform.transactions import ConditionFailed

REREADS = 8
"""How often a package is written anew because the referral itself moved meanwhile."""


@dataclass(frozen=True, slots=True)
class Read:
    """A referral with its package as it stands; None while nothing is written."""

    referral: Referral
    handback: Handback | None = None

    @property
    def version(self) -> int:
        """The version of the package, 0 before the first."""
        return self.handback.version if self.handback else 0


def read(referral_id: str, *, member: Member, action: str, stores: Stores, now: datetime) -> Read:
    """A referral's package, for a member of one of its two tenants.

    Raises:
        NotFoundError: no such referral, another tenant's, or nobody was infused yet.
    """
    referral = seen(referral_id, member, action, stores=stores, now=now)
    stores.audit.append(entry_of_member(referral, member, action, now))
    if not is_infused(referral):
        raise NotFoundError
    return Read(referral, latest(referral, stores=stores))


def latest(referral: Referral, *, stores: Stores) -> Handback | None:
    """The newest version of a referral's package."""
    return stores.handbacks.latest(referral.referral_id, scope=referral.practice_id)


def write(
    referral_id: str,
    package: Package,
    *,
    version: int,
    member: Member,
    stores: Stores,
    now: datetime,
) -> Read:
    """Write a package, or correct it: one transaction with the referral and its audit row.

    Args:
        referral_id: Whose package it is.
        package: The whole of it.
        version: The version that the member saw, 0 for none.
        member: Who writes.
        stores: Where it is kept.
        now: When.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        ForbiddenError: only the center writes.
        RefusedError: nobody was infused yet, or the journey has ended.
        StaleError: somebody wrote since `version`.
        MalformedError: it names a product or a care point that is not there.
    """
    for _ in range(REREADS):
        referral = seen(referral_id, member, "handback.write", stores=stores, now=now)
        _require_writable(referral, member)
        before = Read(referral, latest(referral, stores=stores))
        if before.version != version:
            raise StaleError
        _require_known(package, stores=stores)
        handback = Handback(
            version=version + 1, package=package, written_at=now, written_by=member.name
        )
        # The referral itself is written too: both sides' lists show that there is news.
        changed = replace(referral, version=referral.version + 1, updated_at=now)
        try:
            stores.ledger.commit(*_writes(changed, handback, member, stores=stores, now=now))
        except ConditionFailed as e:
            if WRITTEN in e.items:
                raise StaleError from e
            continue  # The referral moved, which says nothing about the package.
        return Read(changed, handback)
    raise UnavailableError("busy")


def proposal(referral: Referral, *, stores: Stores, now: datetime) -> Mapping[str, Any]:
    """What a center starts from: what the product knows, and the published care points."""
    infused_on = _infused_on(referral, stores=stores, now=now)
    center = stores.tenants.center(referral.center_id)
    return {
        "product_id": referral.product_id,
        "infusions": [{"on": infused_on.isoformat()}],
        "irradiated_until": care_points.irradiated_until(infused_on).isoformat(),
        "center_phone": center.facts.get("after_hours_phone") if center else None,
        "care_points": [
            {
                "care_point_id": point.care_point_id,
                "text": point.text,
                "due_on": due.isoformat() if (due := point.due_on(infused_on)) else None,
            }
            for point in care_points.offered(referral.product_id)
        ],
    }


def _infused_on(referral: Referral, *, stores: Stores, now: datetime) -> date:
    if referral.window:
        return referral.window.infused_on
    zone = setting_of(referral, stores=stores, now=now).time_zone
    return local_day(referral.reached[Stage.INFUSED], zone)


def _writes(
    referral: Referral, handback: Handback, member: Member, *, stores: Stores, now: datetime
) -> Iterator[Write]:
    entry = entry_of_member(referral, member, "handback.write", now)
    yield from stores.referrals.saving(referral, entry)
    yield stores.handbacks.adding(referral.referral_id, handback, scope=referral.practice_id)
    if referral.stage in TOLD_OF:
        yield stores.outbox.planning(_telling(referral, handback.version, now))


def _telling(referral: Referral, version: int, now: datetime) -> Task:
    """The task that tells the practice of a package that it may have read before, or waits for."""
    return Task(
        outbox_id=derived_id("out", HANDBACK_WRITTEN, referral.referral_id, str(version)),
        referral_id=referral.referral_id,
        rule=HANDBACK_WRITTEN,
        lane=Lane.EVENT,
        due_at=now,
    )


def _require_writable(referral: Referral, member: Member) -> None:
    if member.kind is not TenantKind.CENTER:
        raise ForbiddenError("center_only", "Only the treatment center writes the package.")
    if not is_infused(referral):
        raise RefusedError("not_infused", "There is nothing to hand back before an infusion.")
    if not is_open(referral):
        raise RefusedError("referral_closed", "The referral has ended.")


def _require_known(package: Package, *, stores: Stores) -> None:
    require_known(package.get("product_id"), None, stores=stores)
    points = package.get("care_points") or ()
    faults = [
        Fault(f"/care_points/{place}/care_point_id", "unknown", "No such care point")
        for place, point in enumerate(points)
        if point.get("care_point_id") and point["care_point_id"] not in care_points.care_points()
    ]
    if faults:
        raise MalformedError("unknown_reference", "Something named is not there.", faults=faults)
