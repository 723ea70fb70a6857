"""Erase a patient: every row, file and email about a referral, and the key that encrypted them.

    begin  ──▶  destroy keys  ──▶  remove rows  ──▶  remove files  ──▶  done
      │              each step can be repeated; a run after an interruption goes through all of them again
      └── one transaction: the referral's state and the snapshots of lists go, a row `erased` and an audit row come

From the first step on, no one sees the patient: both teams' lists, counts and calendars read the state. Nothing
can be written about the referral any more, because a new row needs the state or the key. Functions that were
already running can still write for some minutes, so a later run removes what they left.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.documents.limits import UPLOAD_FORM_LIFETIME
from chalicelib.domain.platform.key_tree import TreeFullError
from chalicelib.domain.referrals.alias_checks import is_same_patient, normalize_alias
from chalicelib.domain.referrals.referral import Referral
from chalicelib.errors import NotFoundError
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.referrals.erasures import Erasure
from infra.erasure.rows import ErasureRows
from infra.list_snapshots import prepare_forget
from infra.scanning import scan_table

SETTLED_AFTER = UPLOAD_FORM_LIFETIME + timedelta(hours=2)
"""When nothing that was running at the erasure can still write: no function, and no upload form."""


ERASE_ACTION = "referral.erase"
"""The action of the audit row of an erasure."""


class ErasureReason(StrEnum):
    """Why a patient is erased. A code, because the audit trail must not have health data."""

    PATIENT_REQUEST = "patient_request"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ENTERED_BY_MISTAKE = "entered_by_mistake"
    RESTORED_BACKUP = "restored_backup"
    DUPLICATE = "duplicate"
    RETENTION_ENDED = "retention_ended"
    LEGAL_ORDER = "legal_order"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasurePlan:
    """What an erasure will do.

    Attributes:
        referral_ids: The referral and those that it continues or that continue it: they are one patient.
        other_ids: Referrals of the same practice with the same names and date of birth. They stay, until a person
            erases them too.
        tenants: Whose members no longer see the patient.
        begun: The referrals whose erasure was begun before.
    """

    referral_ids: Sequence[str]
    other_ids: Sequence[str]
    tenants: Sequence[str]
    begun: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureStep:
    """One step that was done: in a table, `keys` or `files`, and how many rows, keys or versions it removed."""

    place: str
    removed: int
    is_incomplete: bool = False


def plan_erasure(referral_id: str, *, stores: Stores) -> ErasurePlan:
    """Find what an erasure of the patient of a referral will remove.

    Raises:
        NotFoundError: there is no such referral, and there was none.
    """
    found, begun, waiting = dict[str, Referral | None](), list[str](), [referral_id]
    tenants: set[str] = set()
    while waiting:
        each = waiting.pop()
        if each in found or each in begun:
            continue
        erasure = stores.erasures.get(each)
        if erasure:
            begun.append(each)
            tenants |= set(erasure.tenants)
            continue
        row = ErasureRows(stores).read_state_row(each)
        if row is None:
            continue
        # None if its key was destroyed, and a backup brought the row back.
        referral = found[each] = stores.referrals.get(each)
        tenants |= set(_list_tenants(each, row["practice_id"], row.get("center_id"), stores=stores))
        if referral:
            waiting += [linked for linked in (referral.status.continues, referral.status.continued_by) if linked]
    if not found and not begun:
        raise NotFoundError
    others = [other for referral in found.values() if referral for other in _list_same_patient(referral, stores=stores)]
    return ErasurePlan(
        referral_ids=[*found, *begun],
        other_ids=sorted(set(others) - found.keys()),
        tenants=sorted(tenants),
        begun=begun,
    )


def list_restored(*, stores: Stores) -> Iterator[str]:
    """List the erased referrals that a restored backup brought back, in any table, each once.

    Their key is destroyed, or the audit trail or a row says that they were erased.
    """
    yield from dict.fromkeys(_list_restored_rows(stores=stores))


def _list_restored_rows(*, stores: Stores) -> Iterator[str]:
    names = {"#action": "action"}
    rows = scan_table(stores.audit_log.table, "#action = :erase", {"erase": ERASE_ACTION}, names=names)
    erased = {str(row["subject"]) for row in rows}
    for referral_id in ErasureRows(stores).list_state_rows():
        is_unreadable = stores.referrals.get(referral_id) is None
        if is_unreadable or referral_id in erased or stores.erasures.get(referral_id):
            yield referral_id
    yield from (each for each in ErasureRows(stores).list_mentioned(erased) if stores.erasures.get(each))


def erase_referrals(
    referral_ids: Sequence[str],
    reason: ErasureReason,
    *,
    actor_id: str,
    ticket: str = "",
    destroy_keys: bool = True,
    context: RunContext,
) -> Iterator[ErasureStep]:
    """Erase referrals. Yields each step that was done; call it again to continue after an interruption.

    Args:
        referral_ids: The referrals.
        reason: Why; a code.
        actor_id: Who does it.
        ticket: The number under which the request is filed; empty if there is none.
        destroy_keys: Whether backups must become unreadable too. Only so many keys of a tenant can be destroyed.
        context: The tables and the time.

    Raises:
        NotFoundError: there is no such referral, and there was none.
    """
    stores, erasures = context.stores, dict[str, Erasure]()
    for referral_id in referral_ids:
        erasures[referral_id] = _begin_or_continue(
            AuditEntry(
                referral_id=referral_id,
                at=context.now,
                actor_id=actor_id,
                tenant_id="operator",
                action=ERASE_ACTION,
                reason=f"{reason} {ticket}".strip(),
            ),
            context=context,
        )
    if destroy_keys:
        for referral_id, erasure in erasures.items():
            for tenant_id in erasure.tenants:
                yield _destroy_key(referral_id, tenant_id, stores=stores)
    for table, removed in ErasureRows(stores).remove_rows(erasures):
        yield ErasureStep(place=table, removed=removed)
    yield ErasureStep(place="files", removed=sum(map(stores.files.remove_referral, erasures)))
    for referral_id in erasures:
        ErasureRows(stores).mark_done(referral_id)


def _begin_or_continue(entry: AuditEntry, *, context: RunContext) -> Erasure:
    erasure = context.stores.erasures.get(entry.referral_id)
    if erasure is None:
        return commit_with_retry(lambda: _begin(entry, context=context))
    again = replace(entry, tenant_id=erasure.practice_id, action="referral.erase_again")
    context.stores.audit_log.append(again)
    return erasure


def is_settled(erasure: Erasure, now: datetime) -> bool:
    """Whether nothing that was running when the erasure began can still write."""
    return now >= erasure.erased_at + SETTLED_AFTER


def _begin(entry: AuditEntry, *, context: RunContext) -> Erasure:
    stores, referral_id = context.stores, entry.referral_id
    row = ErasureRows(stores).read_state_row(referral_id)
    if row is None:
        begun = stores.erasures.get(referral_id)
        if begun is None:
            raise NotFoundError
        return begun
    tenants = _list_tenants(referral_id, row["practice_id"], row.get("center_id"), stores=stores)
    entry = replace(entry, tenant_id=row["practice_id"], version=row["version"])
    referral = stores.referrals.get(referral_id)
    stores.transactions.commit(
        *ErasureRows(stores).prepare_begin(row, tenants=tenants, entry=entry, now=context.now),
        *(_prepare_free_alias(referral, stores=stores) if referral else ()),
        *(prepare_forget(tenant_id, stores=stores) for tenant_id in tenants),
    )
    begun = stores.erasures.get(referral_id)
    if begun is None:
        raise NotFoundError
    return begun


def _list_tenants(referral_id: str, practice_id: str, center_id: str | None, *, stores: Stores) -> Sequence[str]:
    """List every tenant that has encrypted something about a referral, the practice first."""
    known = [practice_id, *([center_id] if center_id else ()), *ErasureRows(stores).list_tenants(referral_id)]
    return list(dict.fromkeys(known))


def _prepare_free_alias(referral: Referral, *, stores: Stores) -> Iterator[TransactionWrite]:
    alias = normalize_alias(referral.alias)
    if stores.aliases.find_holder(alias, practice_id=referral.practice_id) == referral.referral_id:
        yield stores.aliases.prepare_give_up(alias, practice_id=referral.practice_id)


def _destroy_key(referral_id: str, tenant_id: str, *, stores: Stores) -> ErasureStep:
    try:
        removed = int(stores.encryption.destroy_referral_key(referral_id, scope=tenant_id))
    except TreeFullError:
        return ErasureStep(place=f"keys of {tenant_id}", removed=0, is_incomplete=True)
    return ErasureStep(place=f"keys of {tenant_id}", removed=removed)


def _list_same_patient(referral: Referral, *, stores: Stores) -> Iterator[str]:
    """List the practice's other referrals with the same names and date of birth."""
    for row in stores.referrals.list_summaries(index="by_practice", tenant_id=referral.practice_id):
        is_other = row.referral_id != referral.referral_id
        if is_other and is_same_patient({"patient": row.patient}, referral.details):
            yield row.referral_id
