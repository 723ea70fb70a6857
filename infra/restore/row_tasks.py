"""The tasks that the other rows of a referral require: documents, electronic checks, facts, coverage, summaries."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.domain.coverage.checks import CheckState
from chalicelib.domain.documents.document import Document, DocumentState
from chalicelib.domain.documents.limits import CHECK_GIVES_UP_AFTER, RECHECK_AFTER, UPLOAD_EXPIRES_AFTER
from chalicelib.domain.handback.package import STAGES_THAT_ANNOUNCE_PACKAGE
from chalicelib.domain.notices.document_notices import (
    EXPIRE_CHECK_RULE,
    EXPIRE_UPLOAD_RULE,
    RECHECK_FILE_RULE,
    REMOVE_FILES_RULE,
)
from chalicelib.domain.notices.tasks import OutboxTask
from chalicelib.domain.referrals.events import CoverageChanged, FactsChanged, StageChange
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.services.coverage.checks import build_attempt_task
from chalicelib.services.documents.entry import build_file_task, build_rejected_notice
from chalicelib.services.handback.package import build_handback_task
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.coverage_writes import build_coverage_notice_task
from chalicelib.services.referrals.fact_change_writes import build_fact_task
from infra.restore.required_tasks import ReferralHistory

_OPEN_STATE_TASKS = {
    DocumentState.AWAITING_UPLOAD: ((EXPIRE_UPLOAD_RULE, UPLOAD_EXPIRES_AFTER),),
    DocumentState.CHECKING: ((RECHECK_FILE_RULE, RECHECK_AFTER), (EXPIRE_CHECK_RULE, CHECK_GIVES_UP_AFTER)),
}


def list_row_tasks(history: ReferralHistory, *, since: datetime, context: RunContext) -> Iterator[OutboxTask]:
    """List the tasks that follow from rows besides the events. Those that are done once are listed from `since` on."""
    referral, stores = history.referral, context.stores
    referral_id, scope = referral.referral_id, referral.practice_id
    for document in stores.documents.list_for_referral(referral_id, scope=scope):
        yield from _list_document_tasks(referral_id, document, since=since, context=context)
    for check in stores.coverage_checks.list_for_referral(referral_id, scope=scope):
        if check.state is CheckState.REQUESTED:
            yield build_attempt_task(referral_id, check, due_at=context.now)
    handback = stores.handbacks.get_latest(referral_id, scope=scope)
    if handback and handback.written_at >= since and _was_announced(history, handback.written_at):
        yield build_handback_task(referral, handback.version, handback.written_at)
    yield from _list_fact_tasks(history, since=since, context=context)
    yield from _list_coverage_notices(history, since=since, context=context)


def _was_announced(history: ReferralHistory, written_at: datetime) -> bool:
    """Whether the patient's return had been announced when a summary was written. Before, no one waits for it."""
    stages = [
        each.event.stage
        for each in sorted(history.events, key=lambda each: each.event.recorded_at)
        if isinstance(each.event, StageChange) and each.event.recorded_at < written_at
    ]
    return bool(stages) and stages[-1] in STAGES_THAT_ANNOUNCE_PACKAGE


def _list_document_tasks(
    referral_id: str, document: Document, *, since: datetime, context: RunContext
) -> Iterator[OutboxTask]:
    for rule, due_in in _OPEN_STATE_TASKS.get(document.state, ()):
        yield build_file_task(referral_id, document, rule, due_in=due_in, context=context)
    if document.state in _OPEN_STATE_TASKS or document.added_at < since - timedelta(days=1):
        return
    if document.announced:
        yield build_file_task(referral_id, document, REMOVE_FILES_RULE, due_in=None, context=context)
    if document.state is DocumentState.REJECTED:
        yield build_rejected_notice(referral_id, document, context=context)


def _list_fact_tasks(history: ReferralHistory, *, since: datetime, context: RunContext) -> Iterator[OutboxTask]:
    referral_id = history.referral.referral_id
    events = {
        each.event.recorded_at: each.event
        for each in history.events
        if isinstance(each.event, FactsChanged) and each.event.recorded_at >= since
    }
    if not events:
        return
    revisions, _ = context.stores.fact_changes.list_page(referral_id, limit=1000, start=None)
    for revision in revisions:
        event = events.get(revision.changed_at)
        if event:
            task = build_fact_task(
                referral_id,
                revision.changes,
                event.event_id,
                withdrew=event.withdrew_consent,
                now=event.recorded_at,
            )
            yield from [task] if task else []


def _list_coverage_notices(history: ReferralHistory, *, since: datetime, context: RunContext) -> Iterator[OutboxTask]:
    referral = history.referral
    events = {
        (each.event.recorded_at, each.event.move): each.event
        for each in history.events
        if isinstance(each.event, CoverageChanged) and each.event.recorded_at >= since
    }
    if not events or referral.stage in TERMINAL_STAGES:
        return
    changes, _ = context.stores.coverage_tracks.list_changes(
        referral.referral_id, scope=referral.practice_id, limit=1000
    )
    for change in changes:
        event = events.get((change.at, change.move))
        task = build_coverage_notice_task(referral, change, event, context=context) if event else None
        if task:
            yield task
