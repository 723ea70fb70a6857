"""Repairs of one referral: each reads it again, writes conditionally with an audit row, and can be repeated."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.domain.documents.document import Document, DocumentState
from chalicelib.domain.referrals.events import EventStatus
from chalicelib.domain.referrals.referral import Referral
from chalicelib.services.audit.verification import RESTORE_LOST_ROWS
from chalicelib.services.platform.optimistic import commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.aliases import prepare_first_claim
from chalicelib.services.referrals.create import build_submission
from chalicelib.services.referrals.overdue_alert_writes import prepare_alert_writes
from chalicelib.store.all_stores import Stores
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.store.platform.dynamo import TransactionWrite
from chalicelib.store.platform.transactions import ConditionFailedError
from infra.restore.load import load_referral

ACTOR = "operator:command-line"
ACTION = "restore.repair"
"""The audit action of every repair. `audit verify` explains a gap before such a row."""


def build_entry(referral: Referral, now: datetime, *, outcome: str = "allowed") -> AuditEntry:
    """Build the audit row of a repair."""
    return AuditEntry(
        referral_id=referral.referral_id,
        at=now,
        actor_id=ACTOR,
        tenant_id=referral.practice_id,
        action=ACTION,
        outcome=outcome,
        version=referral.version,
    )


def continue_audit(referral_id: str, head: ChainHead, *, context: RunContext) -> None:
    """Continue the audit trail of a referral after `head`, the later of its own end and the trail's.

    Rows that a restore lost are not replaced: the row of this repair has the number after them, so the gap shows.
    """

    def attempt() -> None:
        referral = context.stores.referrals.get(referral_id)
        if referral is None:
            return
        is_lost = context.stores.audit_log.read_head(referral_id).seq < head.seq
        entry = build_entry(referral, context.now, outcome=RESTORE_LOST_ROWS if is_lost else "allowed")
        write, new_head = context.stores.audit_log.prepare_append_after(entry, head)
        context.stores.transactions.commit(
            context.stores.referrals.prepare_rewrite(replace(referral, audit_chain_head=new_head)), write
        )

    commit_with_retry(attempt)


def replay_referral(referral_id: str, *, context: RunContext) -> None:
    """Store the state that the history leads to. Lists, counts, search and the next overdue alert follow from it."""

    def attempt() -> None:
        history = load_referral(referral_id, context).history
        if history is None:
            return
        before = history.referral
        after = replace(
            history.replay([each.event for each in history.events]),
            conversation=history.follow_conversation(),
            version=before.version + 1,
            updated_at=context.now,
        )
        context.stores.transactions.commit(
            *context.stores.referrals.prepare_save(after, build_entry(after, context.now)),
            *prepare_alert_writes(before, after, stores=context.stores),
        )

    commit_with_retry(attempt)


def write_submission(referral_id: str, *, context: RunContext) -> None:
    """Write the first event of a referral again. The referral has everything that it said."""
    referral = context.stores.referrals.get(referral_id)
    if referral is None or referral.submitted_at is None:
        return
    member = context.stores.members.get_by_member_id(referral.practice_id, referral.created_by)
    if member is None:
        return
    event = build_submission(referral, member, now=referral.submitted_at)
    with suppress(ConditionFailedError):
        context.stores.transactions.commit(
            context.stores.referrals.prepare_log_event(event, EventStatus.APPLIED, practice_id=referral.practice_id),
            context.stores.audit_log.prepare_append(build_entry(referral, context.now)),
        )


def copy_coverage(referral_id: str, *, context: RunContext) -> None:
    """Copy the states and dates of the coverage into the referral."""

    def change(referral: Referral) -> Referral:
        track = context.stores.coverage_tracks.get(referral_id, scope=referral.practice_id)
        return replace(referral, coverage=track.status, version=referral.version + 1, updated_at=context.now)

    _save(referral_id, change, context=context)


def _save(referral_id: str, change: Callable[[Referral], Referral], *, context: RunContext) -> None:
    def attempt() -> None:
        referral = context.stores.referrals.get(referral_id)
        if referral:
            after = change(referral)
            context.stores.transactions.commit(
                *context.stores.referrals.prepare_save(after, build_entry(after, context.now))
            )

    commit_with_retry(attempt)


def rewrite_row(referral_id: str, *, context: RunContext) -> None:
    """Store an unchanged referral as lists and search need it."""
    _rewrite(referral_id, (), context=context)


def take_alias(referral_id: str, *, context: RunContext) -> None:
    """Write the row of a referral's alias."""
    referral = context.stores.referrals.get(referral_id)
    claim = prepare_first_claim(referral, stores=context.stores) if referral else None
    if claim:
        _rewrite(referral_id, claim, context=context)


def _rewrite(referral_id: str, more: Sequence[TransactionWrite], *, context: RunContext) -> None:
    def attempt() -> None:
        referral = context.stores.referrals.get(referral_id)
        if referral:
            context.stores.transactions.commit(
                context.stores.referrals.prepare_rewrite(referral),
                context.stores.audit_log.prepare_append(build_entry(referral, context.now)),
                *more,
            )

    commit_with_retry(attempt)


def recount_documents(referral_id: str, *, context: RunContext) -> None:
    """Store how many files a referral has, and their size."""
    referral = context.stores.referrals.get(referral_id)
    if referral is None:
        return
    documents = context.stores.documents.list_for_referral(referral_id, scope=referral.practice_id)
    ended = {DocumentState.REJECTED, DocumentState.DELETED}
    counted = [each for each in documents if each.announced and each.state not in ended]
    context.stores.transactions.commit(
        context.stores.documents.table.prepare_update(
            "document totals",
            {"referral_id": referral_id, "item": "document_totals"},
            "SET #files = :files, #bytes = :bytes",
            values={"files": len(counted), "bytes": sum(each.counted_bytes for each in counted)},
            names={"#files": "files", "#bytes": "bytes"},
        ),
        context.stores.audit_log.prepare_append(build_entry(referral, context.now)),
    )


def has_file(referral_id: str, document: Document, stores: Stores) -> bool:
    """Whether the file of an available document is in its bucket, in the version that was checked."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 only a check with files needs it

    files = stores.files
    arguments = {"Bucket": files.documents.name, "Key": f"{referral_id}/{document.document_id}"}
    if document.stored:
        arguments["VersionId"] = document.stored.version_id
    try:
        files.get_client("s3").head_object(**arguments)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 404, 405}:
            return False
        raise
    return True
