"""Store the referrals of earlier releases as this release stores them, with their search index and alias.

A referral of an earlier release is read correctly, but a search by record number, date of birth, phone or
spelling does not find it, and its alias can be given to a second patient, until it changes. This rewrites its
row and writes the row of its alias. Nothing that people see changes: no event, no new version, no notice.
Each referral is one transaction with an audit row, so a run can be stopped at any time; the next one goes on there.

An earlier release may have computed a wrong stage or wrong monitoring days from a history with corrections. The
migration only reports such a referral. A person submits the correction again, so that both teams are notified.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.referrals.history import History, replay_events
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.errors import StoredItemError
from chalicelib.services.platform.optimistic import TooManyConflictsError, commit_with_retry
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.aliases import prepare_first_claim
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.store.audit.rows import AuditEntry
from chalicelib.version import VERSION

ACTOR = "operator:command-line"


class MigrationResult(StrEnum):
    """What happened to one referral."""

    UP_TO_DATE = "up_to_date"
    REWRITTEN = "rewritten"
    BUSY = "busy"
    """Others changed it at every try. A later run rewrites it."""
    UNREADABLE = "unreadable"
    """A newer release wrote it, or it is damaged. `problem` says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedReferral:
    """One referral of a run.

    Attributes:
        differs_from_history: Whether its stage or monitoring days differ from what its history leads to.
        is_alias_in_use: Whether the open referral of another patient has its alias. A person of the practice
            must choose another one.
        problem: Why it cannot be read, for the operator; empty if it can.
    """

    referral_id: str
    practice_id: str
    result: MigrationResult
    differs_from_history: bool = False
    is_alias_in_use: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PracticeProgress:
    """One practice of a run: its number among all, and its referrals, which are rewritten as they are read."""

    number: int
    total: int
    referrals: Iterator[MigratedReferral]


def migrate_referrals(*, dry_run: bool, from_start: bool, context: RunContext) -> Iterator[PracticeProgress]:
    """Rewrite every referral that needs it, practice by practice.

    A run that was stopped goes on after the last practice that it finished. The caller reads all referrals of a
    practice before it takes the next one.

    Args:
        dry_run: Report what would be rewritten, and write nothing. Such a run always begins at the first practice.
        from_start: Begin at the first practice, even if an earlier run was stopped.
        context: The tables and the time.
    """
    progress = context.stores.migration_progress
    practices = sorted(tenant.tenant_id for tenant in context.stores.tenants.list_by_kind(TenantKind.PRACTICE))
    finished = "" if dry_run or from_start else progress.get_last_practice(VERSION)
    for number, practice_id in enumerate(practices, start=1):
        if practice_id <= finished:
            continue
        yield PracticeProgress(
            number=number,
            total=len(practices),
            referrals=_migrate_practice(practice_id, dry_run=dry_run, context=context),
        )
        if not dry_run:
            progress.record_practice(practice_id, release=VERSION)
    if not dry_run:
        progress.record_end(release=VERSION)


def _migrate_practice(practice_id: str, *, dry_run: bool, context: RunContext) -> Iterator[MigratedReferral]:
    # The ids are read first: a rewrite moves no row of the index, but other writers do.
    for referral_id in list(context.stores.referrals.list_ids_for_practice(practice_id)):
        yield _migrate(referral_id, practice_id, dry_run=dry_run, context=context)


def _migrate(referral_id: str, practice_id: str, *, dry_run: bool, context: RunContext) -> MigratedReferral:
    stores = context.stores

    def attempt() -> MigratedReferral:
        result = MigratedReferral(referral_id=referral_id, practice_id=practice_id, result=MigrationResult.UP_TO_DATE)
        found = stores.referrals.get_with_format(referral_id)
        if found is None:
            return result
        referral, is_current = found
        claim = prepare_first_claim(referral, stores=stores)
        result = replace(
            result,
            is_alias_in_use=claim is None,
            differs_from_history=_differs_from_history(referral, context=context),
        )
        if is_current and not claim:
            return result
        if not dry_run:
            entry = AuditEntry(
                referral_id=referral_id,
                at=context.now,
                actor_id=ACTOR,
                tenant_id=practice_id,
                action="referral.migrate",
                version=referral.version,
            )
            stores.transactions.commit(
                stores.referrals.prepare_rewrite(referral), stores.audit_log.prepare_append(entry), *(claim or ())
            )
        return replace(result, result=MigrationResult.REWRITTEN)

    try:
        return commit_with_retry(attempt)
    except TooManyConflictsError:
        return MigratedReferral(referral_id=referral_id, practice_id=practice_id, result=MigrationResult.BUSY)
    except StoredItemError as error:
        return MigratedReferral(
            referral_id=referral_id, practice_id=practice_id, result=MigrationResult.UNREADABLE, problem=str(error)
        )


def _differs_from_history(referral: Referral, *, context: RunContext) -> bool:
    """Whether a replay of a corrected history leads to another stage or other days than an earlier release stored."""
    if not referral.status.corrected:
        return False
    events = context.stores.referrals.list_history(referral.referral_id)
    history = History(events=events)
    replayed = replay_events(referral, events, load_decision_context(referral, context=context), history)
    return _list_facts(replayed.referral) != _list_facts(referral)


def _list_facts(referral: Referral) -> tuple[Stage, date | None, date | None]:
    window = referral.window
    days = (window.infused_on, window.ends_on) if window else (None, None)
    return referral.stage, *days
