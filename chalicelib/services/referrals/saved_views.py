"""Saved views of worklists: read them, and save those of a member or of the organization."""

from collections.abc import Sequence
from enum import StrEnum

from chalicelib.domain.identity.members import Member
from chalicelib.domain.referrals.saved_views import SavedView, SavedViews
from chalicelib.errors import PreconditionFailedError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.search import require_lists
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.referrals.saved_views import SAVED_VIEWS_WRITE, SHARED


class ViewOwner(StrEnum):
    """Whose views they are."""

    MINE = "mine"
    SHARED = "shared"


def read_saved_views(*, member: Member, context: RunContext) -> tuple[SavedViews, SavedViews]:
    """Read the member's own views, and those that the organization shares.

    Raises:
        ForbiddenError: the member cannot list referrals.
    """
    require_lists(member)
    return context.stores.saved_views.get_both(member)


def save_views(
    owner: ViewOwner, views: Sequence[SavedView], *, version: int, member: Member, context: RunContext
) -> SavedViews:
    """Replace the views of the member, or those of the organization. The audit trail has who changed shared ones.

    A request that is repeated because its reply was lost changes nothing and succeeds.

    Raises:
        ForbiddenError: the member cannot list referrals.
        PreconditionFailedError: the views were changed since `version` was read.
    """
    require_lists(member)
    stores = context.stores
    is_shared = owner is ViewOwner.SHARED
    item = SHARED if is_shared else member.member_id
    saved, write = stores.saved_views.prepare_save(member.tenant_id, item, views, version=version)
    entry = AuditEntry(
        referral_id=f"views#{member.tenant_id}",
        at=context.now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action="views.share",
    )

    def attempt() -> SavedViews:
        audit = (stores.audit_log.prepare_append(entry),) if is_shared else ()
        try:
            stores.transactions.commit(write, *audit)
        except ConditionFailedError as e:
            if SAVED_VIEWS_WRITE not in e.items:
                raise  # Another audit row was faster.
            row = e.items[SAVED_VIEWS_WRITE]
            # The reply to an earlier attempt may be lost: then these very views are stored already.
            if row and stores.saved_views.load_row(row, member.tenant_id) == saved:
                return saved
            raise PreconditionFailedError from e
        return saved

    return commit_with_retry(attempt)
