"""Who may know of a referral and what they may do; and the audit row of what they did."""

from datetime import datetime

from chalicelib import catalog
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import FieldError, ForbiddenError, MalformedError, NotFoundError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry


def get_visible_or_404(referral_id: str, member: Member, action: str, *, context: RunContext) -> Referral:
    """The referral, if this member may know that there is one.

    Raises:
        NotFoundError: no such referral, or another tenant's; the try is on record.
    """
    referral = context.stores.referrals.get(referral_id)
    if referral is not None and member.has_clinical_access and member.can_see(referral):
        return referral
    context.stores.audit_log.append(
        AuditEntry(
            referral_id=referral_id,
            at=context.now,
            actor_id=member.member_id,
            tenant_id=member.tenant_id,
            action=action,
            outcome="not_found",
        )
    )
    raise NotFoundError


def require_practice(member: Member) -> None:
    """Only the side that refers.

    Raises:
        ForbiddenError: somebody of another kind of tenant, or without a caring role.
    """
    if member.kind is not TenantKind.PRACTICE or not member.has_clinical_access:
        raise ForbiddenError("practice_only", "Only the referring practice may do this.")


def require_known_product_and_center(product_id: str | None, center_id: str | None, *, stores: Stores) -> None:
    """Only what the catalogue and the directory know.

    Raises:
        MalformedError: an unknown product or center, each named.
    """
    faults = []
    if product_id and product_id not in catalog.load_products():
        faults.append(FieldError("/product_id", "unknown", "No such product in the catalogue"))
    if center_id and stores.tenants.get_center(center_id) is None:
        faults.append(FieldError("/center_id", "unknown", "No such center in the directory"))
    if faults:
        raise MalformedError("unknown_reference", "Something named is not there.", errors=faults)


def build_member_audit_entry(referral: Referral, member: Member, action: str, now: datetime) -> AuditEntry:
    """The audit row of what a member did with a referral."""
    return AuditEntry(
        referral_id=referral.referral_id,
        at=now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action=action,
        version=referral.version,
    )
