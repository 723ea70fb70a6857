"""Read the audit trail of a referral."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.services.audit.verification import list_referral_chains
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry


def read_audit_trail(referral_id: str, *, by: Member, context: RunContext) -> Sequence[Mapping[str, Any]]:
    """Read who read or wrote a referral, latest first, for an administrator of either tenant.

    Raises:
        ForbiddenError: only an administrator can see it.
        NotFoundError: no such referral, or another tenant's.
    """
    if not by.is_admin:
        raise ForbiddenError("admin_only", "Only an administrator can see the audit trail.")
    referral = context.stores.referrals.get(referral_id)
    if referral is None or not by.can_see(referral):
        raise NotFoundError
    entry = AuditEntry(
        referral_id=referral_id,
        at=context.now,
        actor_id=by.member_id,
        tenant_id=by.tenant_id,
        action="referral.read_audit",
    )
    context.stores.audit_log.append(entry)
    rows = [
        row for chain in list_referral_chains(referral_id) for row in context.stores.audit_log.list_chained_rows(chain)
    ]
    return sorted(rows, key=lambda row: str(row["at"]), reverse=True)
