"""Read the audit trail of a referral or of an organization, page by page, newest first."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.domain.identity.members import Member
from chalicelib.errors import ForbiddenError, NotFoundError
from chalicelib.services.audit.refusals import record_refusal
from chalicelib.services.audit.verification import list_referral_chains
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry, to_chained_row

AuditRows = Sequence[Mapping[str, Any]]
PagePosition = Mapping[str, Any] | None


def read_audit_trail(
    referral_id: str, *, limit: int, start: PagePosition, by: Member, context: RunContext
) -> tuple[AuditRows, PagePosition]:
    """A page of who read or wrote a referral, for an administrator of either tenant.

    Returns:
        The rows, and where the next page starts; None if this is the last one.

    Raises:
        ForbiddenError: only an administrator can see it.
        NotFoundError: no such referral, or another tenant's.
    """
    _require_admin(by)
    if context.stores.referrals.get(referral_id, is_visible=by.belongs_to) is None:
        raise NotFoundError
    context.stores.audit_log.append(_build_read_entry(referral_id, "referral.read_audit", by, context=context))
    chains = list_referral_chains(referral_id)
    before: dict[str, int] = dict(start or {})
    # One more row than the page has shows whether there is another page.
    newest = {
        chain: list(context.stores.audit_log.list_newest_rows(chain, before=before.get(chain), limit=limit + 1))
        for chain in chains
    }
    rows: list[Mapping[str, Any]] = []
    while len(rows) < limit and any(newest.values()):
        chain = max((each for each in chains if newest[each]), key=lambda each: str(newest[each][0]["at"]))
        row = newest[chain].pop(0)
        before[chain] = row["seq"]
        rows.append(row)
    return rows, before if any(newest.values()) else None


def read_organization_trail(
    *, actor_id: str | None, limit: int, start: PagePosition, by: Member, context: RunContext
) -> tuple[AuditRows, PagePosition]:
    """A page of what an organization's own people changed outside of referrals, and of all that they were refused.

    With an actor, only what this member did. Such a page can be short, or empty, although others follow.

    Raises:
        ForbiddenError: only an administrator can see it.
        NotFoundError: the organization has no such member.
    """
    _require_admin(by)
    if actor_id:
        _require_own_member(actor_id, by, context=context)
    entry = _build_read_entry(f"list#{by.member_id}", "organization.read_audit", by, context=context)
    context.stores.audit_log.append(entry)
    page = context.stores.audit_log.list_organization_page(by.tenant_id, actor_id=actor_id, limit=limit, start=start)
    return [to_chained_row(item) for item in page.items], page.next_key


def _require_admin(by: Member) -> None:
    if not by.is_admin:
        raise ForbiddenError("admin_only", "Only an administrator can see the audit trail.")


def _require_own_member(member_id: str, by: Member, *, context: RunContext) -> None:
    """Refuse a member of another organization like one who does not exist, and record the attempt."""
    if context.stores.members.get_by_member_id(by.tenant_id, member_id) is None:
        refusal = NotFoundError()
        entry = _build_read_entry(f"member#{member_id}", "organization.read_audit", by, context=context)
        record_refusal(refusal, entry, context=context)
        raise refusal


def _build_read_entry(subject: str, action: str, by: Member, *, context: RunContext) -> AuditEntry:
    return AuditEntry(referral_id=subject, at=context.now, actor_id=by.member_id, tenant_id=by.tenant_id, action=action)
