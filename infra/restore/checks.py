"""The whole check, and the repair of what it finds, one referral after the other."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.audit.rows import AuditEntry
from infra.list_snapshots import forget_snapshots
from infra.restore.findings import CHANGES_REFERRAL, Finding
from infra.restore.joins import open_join_file
from infra.restore.load import CheckScope, load_referral
from infra.restore.mail_checks import collect_sent_log, record_sent
from infra.restore.notice_checks import check_notices
from infra.restore.pages import list_partitions
from infra.restore.referral_checks import check_referral_rows
from infra.restore.referral_fixes import ACTION, ACTOR
from infra.restore.sent_log import SentMail
from infra.restore.table_checks import check_leftovers, check_members, collect_keys, mark_referral

MAX_ROUNDS = 12
"""How often a referral is checked again after a repair: a repair can show what the next one needs."""


@contextmanager
def open_scope(
    run: RunContext, *, since: datetime, sent_log: Iterable[SentMail] | None = None, with_files: bool = False
) -> Iterator[CheckScope]:
    """Open what a check works with, and read the log of sent emails if there is one."""
    with open_join_file() as joins:
        scope = CheckScope(run=run, joins=joins, since=since, has_sent_log=sent_log is not None, with_files=with_files)
        collect_sent_log(sent_log or (), scope)
        yield scope


def find_all(scope: CheckScope) -> Iterator[Finding]:
    """Check every table. Reads only. One referral and one page of a table are in memory."""
    yield from collect_keys(scope)
    for referral_id in _list_referrals(scope.run):
        yield from _check_referral(referral_id, scope)
    yield from check_leftovers(scope)
    yield from check_members(scope)


def repair_all(scope: CheckScope) -> Iterator[Finding]:
    """Repair everything that has a repair, and yield each finding once, after its repair.

    What was emailed is stored first, because later repairs write notices. A repair can be stopped and repeated.
    """
    # They may be of a later time than the restored referrals.
    forget_snapshots(scope.run.stores)
    mails = list(collect_keys(scope))
    record_sent(scope)
    yield from _apply(mails, scope)
    for referral_id in _list_referrals(scope.run):
        yield from _repair_referral(referral_id, scope)
    yield from _apply(check_leftovers(scope), scope)
    yield from _apply(list(check_members(scope)), scope)
    # What was repaired has the time at which the repair began.
    forget_snapshots(scope.run.stores)


def _list_referrals(run: RunContext) -> Iterator[str]:
    for partition in list_partitions(run.stores.referrals.table, "referral_id"):
        if not partition.startswith(("alias#", "directory#", "views#")):
            yield partition


def _check_referral(referral_id: str, scope: CheckScope) -> Iterator[Finding]:
    loaded = load_referral(referral_id, scope.run)
    yield from check_referral_rows(loaded, scope)
    yield from mark_referral(loaded, scope)
    if loaded.history:
        yield from check_notices(loaded.history, scope)


def _repair_referral(referral_id: str, scope: CheckScope) -> Iterator[Finding]:
    done: dict[Finding, None] = {}
    for _ in range(MAX_ROUNDS):
        new = [finding for finding in _check_referral(referral_id, scope) if finding not in done]
        if not new:
            break
        for finding in new:
            done[finding] = None
            if finding.fix:
                finding.fix(scope.run)
                if finding.kind in CHANGES_REFERRAL:
                    break  # What else is wrong depends on the referral as it is now.
    if any(finding.fix for finding in done):
        scope.run.stores.audit_log.append(_build_entry(referral_id, done, scope))
    yield from done


def _apply(findings: Iterable[Finding], scope: CheckScope) -> Iterator[Finding]:
    for finding in findings:
        if finding.fix:
            finding.fix(scope.run)
            scope.run.stores.audit_log.append(_build_entry(finding.subject, [finding], scope))
        yield finding


def _build_entry(subject: str, findings: Iterable[Finding], scope: CheckScope) -> AuditEntry:
    """The audit row of repairs: under the referral or the other thing that they are about."""
    tenants: Sequence[str] = [finding.tenant_id for finding in findings if finding.tenant_id]
    return AuditEntry(
        referral_id=subject if subject.startswith("ref_") else f"restore#{subject}",
        at=scope.run.now,
        actor_id=ACTOR,
        tenant_id=tenants[0] if tenants else "operator",
        action=ACTION,
    )
