"""Access to a referral: who can see it, who can change it, and the audit row of each access."""

from datetime import datetime

from chalicelib import catalog
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.platform.ids import ID_PATTERNS, IMPOSSIBLE_ID
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.errors import ConflictError, FieldError, ForbiddenError, MalformedError, NotFoundError
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry


def get_visible_or_404(referral_id: str, member: Member, action: str, *, context: RunContext) -> Referral:
    """Get a referral that this member can see.

    Raises:
        NotFoundError: no such referral, or another tenant's. The audit trail keeps the attempt.
    """
    store = context.stores.referrals
    item = context.calls.finish_early(store.read_item, referral_id)
    referral = store.open_item(item, is_visible=member.treats)
    if referral is not None:
        return referral
    refusal = NotFoundError()
    is_possible = ID_PATTERNS["referral_id"].fullmatch(referral_id)
    entry = AuditEntry(
        referral_id=referral_id if is_possible else IMPOSSIBLE_ID,
        at=context.now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action=action,
    )
    record_refusal(refusal, entry, context=context)
    raise refusal


def find_why_closed(referral: Referral) -> ConflictError | None:
    """Find why no one can correct the facts any more; None if they are open."""
    if referral.stage not in TERMINAL_STAGES:
        return None
    return ConflictError("referral_closed", "This referral is closed, so its details can no longer be changed.")


def require_practice(member: Member) -> None:
    """Let only members of a referring practice continue.

    Raises:
        ForbiddenError: the member's tenant is not a practice, or the role has no clinical access.
    """
    if member.kind is not TenantKind.PRACTICE or not member.has_clinical_access:
        raise ForbiddenError("practice_only", "Only the referring practice can do this.")


def require_known_product_and_center(product_id: str | None, center_id: str | None, *, stores: Stores) -> None:
    """Check that the product is in the catalog and the center is in the directory.

    Raises:
        MalformedError: the product or the center is unknown; names each.
    """
    faults = []
    if product_id and product_id not in catalog.load_products():
        faults.append(FieldError("/product_id", "unknown", "Choose a product from the list."))
    if center_id and stores.tenants.get_center(center_id) is None:
        faults.append(FieldError("/center_id", "unknown", "Choose a center from the list."))
    if faults:
        raise MalformedError(
            "unknown_reference",
            "The product or center you selected is no longer listed. Check the marked fields.",
            errors=faults,
        )


def build_member_audit_entry(referral: Referral, member: Member, action: str, now: datetime) -> AuditEntry:
    """The audit row of a member's action on a referral."""
    return AuditEntry(
        referral_id=referral.referral_id,
        at=now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action=action,
        version=referral.version,
    )
