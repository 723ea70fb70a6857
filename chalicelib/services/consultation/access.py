"""Who can see and change a center's consultation times."""

from datetime import datetime

from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.identity.tenants import Center


def get_center_or_404(center_id: str, member: Member, *, context: RunContext) -> Center:
    """Get a center whose times this member can see: any center for a practice, their own for a center's team.

    Raises:
        NotFoundError: no such center, or another one than the member's own.
        ForbiddenError: the role has no access to patients.
    """
    center = context.stores.tenants.get_center(center_id)
    is_other = member.kind is not TenantKind.PRACTICE and member.tenant_id != center_id
    if center is None or is_other:
        raise NotFoundError
    if not member.has_clinical_access:
        raise ForbiddenError("not_for_your_role", "Your role does not include patient records.")
    return center


def get_own_center_or_404(center_id: str, member: Member, *, context: RunContext) -> Center:
    """Get the center whose times this member publishes.

    Raises:
        NotFoundError: no such center, or another one than the member's own.
        ForbiddenError: the member belongs to a practice, or the role has no access to patients.
    """
    if member.kind is TenantKind.PRACTICE:
        raise ForbiddenError("center_only", "Only the treatment center can publish its consultation times.")
    return get_center_or_404(center_id, member, context=context)


def build_slots_audit_entry(center_id: str, member: Member, action: str, now: datetime) -> AuditEntry:
    """The audit row of an action on a center's times. No single referral is its subject."""
    return AuditEntry(
        referral_id=f"slots#{center_id}", at=now, actor_id=member.member_id, tenant_id=member.tenant_id, action=action
    )
