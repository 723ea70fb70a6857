"""Compares a referral with its history, its audit trail and the rows beside it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from chalicelib.domain.documents.document import DocumentState
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.coverage_status import NO_COVERAGE
from chalicelib.domain.referrals.events import Corrected, EventType, ReferralEvent, StageChange
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.services.referrals.aliases import prepare_first_claim
from infra.restore import referral_fixes as fixes
from infra.restore.findings import Finding, FindingKind, Fix
from infra.restore.load import CheckScope, LoadedReferral
from infra.restore.required_tasks import ReferralHistory

_COUNTED_ACTIONS = frozenset(EventType) - {EventType.COVERAGE_CHANGED, EventType.FACTS_CHANGED}
"""Audit actions that are each written with one event of this type."""


def check_referral_rows(loaded: LoadedReferral, scope: CheckScope) -> Iterator[Finding]:
    """Find what is inconsistent within the partition of a referral, and between it and its audit trail.

    The order is that of the repairs: nothing can be written to a referral before its audit trail fits.
    """
    if loaded.was_erased:
        yield from _check_erased(loaded)
        return
    yield from loaded.findings
    if loaded.state_row is None:
        yield from _check_without_state(loaded)
        return
    history = loaded.history
    if history is None:
        return
    yield from _check_audit(history, scope)
    missing = list(_check_events(history, scope))
    yield from missing
    if not missing:
        yield from _check_replay(history)
    yield from _check_conversation(loaded, history)
    yield from _check_coverage(history, scope)
    yield from _check_list_row(loaded, history, scope)
    yield from _check_documents(loaded, history, scope)


def build_finding(
    kind: FindingKind, referral: Referral, detail: str, *, fix: Fix | None = None, advice: str = ""
) -> Finding:
    """Build a finding about a referral."""
    return Finding(
        kind=kind,
        subject=referral.referral_id,
        detail=detail,
        referral_id=referral.referral_id,
        tenant_id=referral.practice_id,
        fix=fix,
        advice=advice,
    )


def _check_erased(loaded: LoadedReferral) -> Iterator[Finding]:
    """Of an erased patient there is one row, with ids and times. Nothing that came back is repaired."""
    rows = loaded.rows_about_patient
    if rows:
        yield Finding(
            kind=FindingKind.ERASED_RETURNED,
            subject=loaded.referral_id,
            detail=f"{len(rows)} rows",
            advice="Run `referrals erase-restored`.",
        )


def _check_without_state(loaded: LoadedReferral) -> Iterator[Finding]:
    own_rows = loaded.rows_about_patient
    if own_rows:
        yield Finding(
            kind=FindingKind.REFERRAL_MISSING,
            subject=loaded.referral_id,
            detail=f"{len(own_rows)} rows without their referral",
            advice="Restore the table `referrals` to a later second, and copy this referral's row from it.",
        )


def _check_audit(history: ReferralHistory, scope: CheckScope) -> Iterator[Finding]:
    referral, log = history.referral, scope.run.stores.audit_log
    head, last = referral.audit_chain_head, log.read_head(referral.referral_id)
    if last.seq > head.seq:
        yield build_finding(
            FindingKind.AUDIT_AHEAD,
            referral,
            f"referral {head.seq}, trail {last.seq}",
            fix=lambda context: fixes.continue_audit(referral.referral_id, last, context=context),
        )
    elif last.seq < head.seq:
        yield build_finding(
            FindingKind.AUDIT_BEHIND,
            referral,
            f"referral {head.seq}, trail {last.seq}",
            fix=lambda context: fixes.continue_audit(referral.referral_id, head, context=context),
        )
    elif last != head:
        yield build_finding(
            FindingKind.AUDIT_BEHIND,
            referral,
            f"row {head.seq} differs from the one that the referral names",
            advice="Run `referrals audit verify`: a row was changed, which no restore does.",
        )


def _check_events(history: ReferralHistory, scope: CheckScope) -> Iterator[Finding]:
    referral, events = history.referral, [each.event for each in history.events]
    known = {event.event_id for event in _with_replacements(events)}
    named = {
        order.event_id
        for order in (referral.last_applied_order, referral.status.newest, referral.status.hold_head)
        if order
    }
    missing = sorted(named - known)
    entered = set(referral.stage_entered_at) - {Stage.DRAFT}
    reported = {event.stage for event in _with_replacements(events) if isinstance(event, StageChange)}
    missing += sorted(f"stage {stage}" for stage in entered - reported)
    if not missing:
        missing = sorted(_list_audited_only(history, scope))
    if _is_submission_lost(referral, missing):
        yield build_finding(
            FindingKind.EVENT_MISSING,
            referral,
            "stage submitted",
            fix=lambda context: fixes.write_submission(referral.referral_id, context=context),
        )
    elif missing:
        yield build_finding(
            FindingKind.EVENT_MISSING,
            referral,
            ", ".join(missing),
            advice="Ask the sender to send it again: the repair removes the record that would answer it as repeated. "
            "A person reports it again on the referral's page.",
        )


def _is_submission_lost(referral: Referral, missing: Sequence[str]) -> bool:
    """Whether the first event of a referral is missing that was submitted at once. It says nothing else."""
    event_id = derive_id("evt", referral.referral_id, "submitted")
    return "stage submitted" in missing and set(missing) <= {"stage submitted", event_id}


def _with_replacements(events: Sequence[ReferralEvent]) -> Iterator[ReferralEvent]:
    for event in events:
        yield event
        if isinstance(event, Corrected) and event.replacement:
            yield event.replacement


def _list_audited_only(history: ReferralHistory, scope: CheckScope) -> Iterator[str]:
    """List the events that the audit trail has and the history lacks, by action and number."""
    referral_id = history.referral.referral_id
    counted: list[tuple[int, str]] = []
    for row in scope.run.stores.audit_log.list_chained_rows(referral_id):
        action, version = str(row["action"]), int(row.get("version") or 0)
        # What the trail has beyond this version belongs to changes that a restore took back.
        last_kept = version if action == fixes.ACTION else version - 1
        counted = [each for each in counted if not version or each[0] <= last_kept]
        is_event = action.startswith("event.") or action in _COUNTED_ACTIONS
        if is_event and row["outcome"] == "allowed" and row["seq"] <= history.referral.audit_chain_head.seq:
            counted.append((version, action))
    audited = Counter(action for _, action in counted)
    logged = Counter(
        f"event.{each.event.stage}" if isinstance(each.event, StageChange) else str(each.event.type)
        for each in history.events
    )
    yield from (f"{count} {action}" for action, count in (audited - logged).items())


def _check_replay(history: ReferralHistory) -> Iterator[Finding]:
    """Compare what the history leads to with the referral."""
    referral, events = history.referral, [each.event for each in history.events]
    if not events:
        return
    replayed = history.replay(events)
    differing = [
        name
        for name in ("stage", "window", "doses_given", "care", "plans", "stage_entered_at")
        if getattr(replayed, name) != getattr(referral, name)
    ]
    differing += ["hold"] if replayed.status.hold != referral.status.hold else []
    if differing:
        yield build_finding(
            FindingKind.REFERRAL_BEHIND,
            referral,
            ", ".join(differing),
            fix=lambda context: fixes.replay_referral(referral.referral_id, context=context),
        )


def _check_conversation(loaded: LoadedReferral, history: ReferralHistory) -> Iterator[Finding]:
    referral = history.referral
    expected, actual = history.follow_conversation(), referral.conversation
    if (expected.practice_messages, expected.center_messages) != (actual.practice_messages, actual.center_messages):
        yield build_finding(
            FindingKind.REFERRAL_BEHIND,
            referral,
            f"counts {actual.last_number} messages, the history has {expected.last_number}",
            fix=lambda context: fixes.replay_referral(referral.referral_id, context=context),
        )
    count = len(loaded.list_rows("message#"))
    if count != expected.last_number:
        yield build_finding(
            FindingKind.MESSAGE_MISSING,
            referral,
            f"{expected.last_number} messages in the history, {count} stored",
            advice="Ask the team that wrote it to send it again: no other table has its text.",
        )
    stored = {str(row["item"]).partition("#")[2] for row in loaded.list_rows("information#")}
    for request in actual.open_requests:
        if request.request_id not in stored and request.open_items:
            yield build_finding(
                FindingKind.MESSAGE_MISSING,
                referral,
                f"information request {request.request_id}",
                advice="Ask the center to request it again.",
            )


def _check_coverage(history: ReferralHistory, scope: CheckScope) -> Iterator[Finding]:
    referral = history.referral
    track = scope.run.stores.coverage_tracks.get(referral.referral_id, scope=referral.practice_id)
    if track.status == referral.coverage:
        return
    is_lost = track.version == 0 and referral.coverage != NO_COVERAGE
    yield build_finding(
        FindingKind.COVERAGE_DIFFERS,
        referral,
        f"version {track.version}",
        fix=None if is_lost else lambda context: fixes.copy_coverage(referral.referral_id, context=context),
        advice="Ask the teams to record the coverage again." if is_lost else "",
    )


def _check_list_row(loaded: LoadedReferral, history: ReferralHistory, scope: CheckScope) -> Iterator[Finding]:
    referral, stores = history.referral, scope.run.stores
    row = loaded.state_row
    if row is not None and not stores.referrals.items.is_current_format(row):
        yield build_finding(
            FindingKind.LIST_ROW_OUTDATED,
            referral,
            "",
            fix=lambda context: fixes.rewrite_row(referral.referral_id, context=context),
        )
    claim = prepare_first_claim(referral, stores=stores)
    if claim is None:
        yield build_finding(
            FindingKind.ALIAS_MISSING,
            referral,
            "the open referral of another patient has it",
            advice="Ask the practice to choose another alias under Edit.",
        )
    elif claim:
        yield build_finding(
            FindingKind.ALIAS_MISSING,
            referral,
            "",
            fix=lambda context: fixes.take_alias(referral.referral_id, context=context),
        )


def _check_documents(loaded: LoadedReferral, history: ReferralHistory, scope: CheckScope) -> Iterator[Finding]:
    referral, stores = history.referral, scope.run.stores
    documents = stores.documents.list_for_referral(referral.referral_id, scope=referral.practice_id)
    ended = {DocumentState.REJECTED, DocumentState.DELETED}
    counted = [each for each in documents if each.announced and each.state not in ended]
    totals = next((row for row in loaded.rows if row["item"] == "document_totals"), {})
    expected = len(counted), sum(each.counted_bytes for each in counted)
    if (totals.get("files", 0), totals.get("bytes", 0)) != expected:
        yield build_finding(
            FindingKind.TOTALS_WRONG,
            referral,
            f"{totals.get('files', 0)} counted, {expected[0]} found",
            fix=lambda context: fixes.recount_documents(referral.referral_id, context=context),
        )
    for document in documents if scope.with_files else ():
        if document.state is DocumentState.AVAILABLE and not fixes.has_file(referral.referral_id, document, stores):
            yield build_finding(
                FindingKind.FILE_MISSING,
                referral,
                document.document_id,
                advice="Ask the team that added it to remove it again, or to add the file once more.",
            )
