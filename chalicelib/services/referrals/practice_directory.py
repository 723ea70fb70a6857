"""The practice directory: read it, forget an entry, and keep it in step with the practice's referrals."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.identity.members import Member, Role
from chalicelib.domain.referrals.practice_directory import (
    EntryKind,
    KnownEntry,
    find_own_entry,
    list_used_entries,
    order_entries,
    plan_change,
)
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import NotFoundError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import require_practice
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.dynamo import TransactionWrite


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeDirectory:
    """What a practice has used before, most recently used first.

    Attributes:
        own_entry_id: The entry of the provider who asks; None if it is not clear which one it is.
    """

    providers: Sequence[KnownEntry]
    payers: Sequence[KnownEntry]
    own_entry_id: str | None


def read_practice_directory(*, member: Member, context: RunContext) -> PracticeDirectory:
    """Read the providers and payers that the member's practice has used. It reads no referral.

    Raises:
        ForbiddenError: only a practice has a directory.
    """
    require_practice(member)
    known = context.stores.practice_directories.list_entries(member.tenant_id)
    providers = order_entries(known, EntryKind.PROVIDER)
    context.stores.audit_log.append(_build_audit_entry(member, "directory.read", context=context))
    return PracticeDirectory(
        providers=providers,
        payers=order_entries(known, EntryKind.PAYER),
        own_entry_id=find_own_entry(providers, member.name) if Role.PROVIDER in member.roles else None,
    )


def forget_entry(entry_id: str, *, member: Member, context: RunContext) -> None:
    """Remove an entry, for example one with a typo. Referrals keep what was entered in them.

    Raises:
        ForbiddenError: only a practice has a directory.
        NotFoundError: the member's practice has no such entry.
    """
    require_practice(member)
    stores = context.stores

    def attempt() -> None:
        known = stores.practice_directories.list_entries(member.tenant_id)
        found = next((each for each in known if each.entry_id == entry_id), None)
        if found is None:
            raise NotFoundError
        stores.transactions.commit(
            stores.practice_directories.prepare_forget(found, practice_id=member.tenant_id),
            stores.audit_log.prepare_append(_build_audit_entry(member, "directory.forget", context=context)),
        )

    commit_with_retry(attempt)


def start_directory_read(practice_id: str, *, context: RunContext) -> None:
    """Start to read the directory of a practice for the writes of a submission."""
    context.calls.start_early(context.stores.practice_directories.list_entries, practice_id)


def prepare_directory_writes(
    referral: Referral, before: Referral, *, context: RunContext
) -> Sequence[TransactionWrite]:
    """Build the writes that a submission or a correction makes in the directory of its practice.

    They are conditional. If one fails, another referral was faster, and the caller decides again.
    """
    used = list_used_entries(referral, before)
    if not used:
        return []
    directories, practice_id, now = context.stores.practice_directories, referral.practice_id, referral.updated_at
    known = context.calls.finish_early(directories.list_entries, practice_id)
    change = plan_change(used, before, known, now=now)
    return [
        *(directories.prepare_use(entry, practice_id=practice_id, now=now) for entry in change.used),
        *(directories.prepare_forget(entry, practice_id=practice_id) for entry in change.forgotten),
    ]


def _build_audit_entry(member: Member, action: str, *, context: RunContext) -> AuditEntry:
    return AuditEntry(
        referral_id=f"directory#{member.tenant_id}",
        at=context.now,
        actor_id=member.member_id,
        tenant_id=member.tenant_id,
        action=action,
    )
