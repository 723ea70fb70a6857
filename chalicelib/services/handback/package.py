"""The transition-of-care summary (`handback` in the API): the center writes it, both sides read it.

Every version is kept. A write is optimistic: it fails if someone else wrote a version first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from chalicelib.catalog import care_points
from chalicelib.domain.handback.package import (
    STAGES_THAT_ANNOUNCE_PACKAGE,
    HandbackVersion,
    Package,
    can_center_write,
    is_infused,
)
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.tasks import HANDBACK_WRITTEN_RULE, OutboxTask, TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    PreconditionFailedError,
)
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import (
    build_member_audit_entry,
    get_visible_or_404,
    require_known_product_and_center,
)
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.store.all_stores import Stores
from chalicelib.store.handback.packages import HANDBACK_WRITE
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError


@dataclass(frozen=True, slots=True)
class HandbackView:
    """A referral with its newest summary; None if there is none yet."""

    referral: Referral
    handback: HandbackVersion | None = None

    @property
    def version(self) -> int:
        """The version of the summary; 0 before the first one."""
        return self.handback.version if self.handback else 0


def read_handback(referral_id: str, *, member: Member, action: str, context: RunContext) -> HandbackView:
    """Read a referral's summary, for a member of one of its two tenants.

    Raises:
        NotFoundError: no such referral, it belongs to another tenant, or the patient has not had an
            infusion yet.
    """
    referral = get_visible_or_404(referral_id, member, action, context=context)
    context.stores.audit_log.append(build_member_audit_entry(referral, member, action, context.now))
    if not is_infused(referral):
        raise NotFoundError
    return HandbackView(referral, get_latest_handback(referral, stores=context.stores))


def get_latest_handback(referral: Referral, *, stores: Stores) -> HandbackVersion | None:
    """Read the newest version of a referral's summary."""
    return stores.handbacks.get_latest(referral.referral_id, scope=referral.practice_id)


def write_handback(
    referral_id: str, package: Package, *, version: int, member: Member, context: RunContext
) -> HandbackView:
    """Write or correct a summary, in one transaction with the referral and its audit row.

    Args:
        referral_id: The referral.
        package: The complete summary.
        version: The version that the member saw; 0 for none.
        member: Who writes it.
        context: The tables and the time.

    Raises:
        NotFoundError: no such referral, or it belongs to another tenant.
        ForbiddenError: only the center can write.
        ConflictError: the patient has not had an infusion yet, or the referral is closed.
        PreconditionFailedError: someone wrote a newer version than `version`.
        MalformedError: it names a product or a care point that does not exist.
    """

    def attempt() -> HandbackView:
        referral = get_visible_or_404(referral_id, member, "handback.write", context=context)
        _require_writable(referral, member)
        before = HandbackView(referral, get_latest_handback(referral, stores=context.stores))
        if before.version != version:
            raise PreconditionFailedError
        _require_known_product(package, stores=context.stores)
        handback = HandbackVersion(version=version + 1, package=package, written_at=context.now, written_by=member.name)
        # Write the referral too, so that the lists of both sides show an unread change.
        changed = replace(referral, version=referral.version + 1, updated_at=context.now)
        try:
            context.stores.transactions.commit(*_prepare_handback_writes(changed, handback, member, context=context))
        except ConditionFailedError as e:
            if HANDBACK_WRITE in e.items:
                raise PreconditionFailedError from e
            raise  # The referral changed, but not its summary. Try again.
        return HandbackView(changed, handback)

    return commit_with_retry(attempt)


def propose_package(referral: Referral, *, context: RunContext) -> Mapping[str, Any]:
    """Propose the first version to a center: what the product knows, and the published care points."""
    infused_on = _get_infusion_day(referral, context=context)
    center = context.stores.tenants.get_center(referral.center_id)
    return {
        "product_id": referral.current_product_id,
        "infusions": [{"on": infused_on.isoformat()}],
        "irradiated_until": care_points.compute_irradiated_blood_end(infused_on).isoformat(),
        "center_phone": center.listing.get("after_hours_phone") if center else None,
        "care_points": [
            {
                "care_point_id": point.care_point_id,
                "text": point.text,
                "due_on": due.isoformat() if (due := point.compute_due_date(infused_on)) else None,
            }
            for point in care_points.list_for_product(referral.current_product_id)
        ],
    }


def _get_infusion_day(referral: Referral, *, context: RunContext) -> date:
    if referral.window:
        return referral.window.infused_on
    zone = load_decision_context(referral, context=context).time_zone
    return to_local_day(referral.stage_entered_at[Stage.INFUSED], zone)


def _prepare_handback_writes(
    referral: Referral, handback: HandbackVersion, member: Member, *, context: RunContext
) -> Iterator[TransactionWrite]:
    entry = build_member_audit_entry(referral, member, "handback.write", context.now)
    yield from context.stores.referrals.prepare_save(referral, entry)
    yield context.stores.handbacks.prepare_add(referral.referral_id, handback, scope=referral.practice_id)
    if referral.stage in STAGES_THAT_ANNOUNCE_PACKAGE:
        yield context.stores.outbox.prepare_plan(build_handback_task(referral, handback.version, context.now))


def build_handback_task(referral: Referral, version: int, now: datetime) -> OutboxTask:
    """Build the task that notifies the practice of a summary.

    The practice waits for it, or may have read an earlier version.
    """
    return OutboxTask(
        outbox_id=derive_id("out", HANDBACK_WRITTEN_RULE, referral.referral_id, str(version)),
        referral_id=referral.referral_id,
        rule=HANDBACK_WRITTEN_RULE,
        queue=TaskQueue.EVENT,
        due_at=now,
    )


def _require_writable(referral: Referral, member: Member) -> None:
    if member.kind is not TenantKind.CENTER:
        raise ForbiddenError("center_only", "Only the treatment center can edit the transition-of-care summary.")
    if not is_infused(referral):
        raise ConflictError("not_infused", "Record the infusion before you write the transition-of-care summary.")
    if not can_center_write(referral):
        raise ConflictError("referral_closed", "This referral is closed, so the summary can no longer be edited.")


def _require_known_product(package: Package, *, stores: Stores) -> None:
    require_known_product_and_center(package.get("product_id"), None, stores=stores)
    points = package.get("care_points") or ()
    faults = [
        FieldError(
            f"/care_points/{position}/care_point_id",
            "unknown",
            "This care point no longer exists. Remove it and add it again.",
        )
        for position, point in enumerate(points)
        if point.get("care_point_id") and point["care_point_id"] not in care_points.load_care_points()
    ]
    if faults:
        raise MalformedError(
            "unknown_reference", "A care point in your list no longer exists. Check the marked items.", errors=faults
        )
