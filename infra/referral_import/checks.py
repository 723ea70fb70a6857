"""Checks every row of an import file before anything is written, by the rules that the API applies."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.domain.referrals.alias_checks import normalize_alias
from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.events import ReferralEvent, StageChange
from chalicelib.domain.referrals.history import History
from chalicelib.domain.referrals.missing_steps import describe_missing_steps, list_missing_steps
from chalicelib.domain.referrals.packet import build_packet, require_complete
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Applied, Decision, Pending, Recorded, Rejected
from chalicelib.errors import ApiError
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import require_known_product_and_center
from chalicelib.services.referrals.aliases import prepare_alias_writes, require_harmless_alias
from chalicelib.services.referrals.consent_checks import complete_consent
from chalicelib.services.referrals.create import build_submission
from chalicelib.services.referrals.date_checks import check_date
from chalicelib.services.referrals.decision_context import load_decision_context
from chalicelib.services.referrals.duplicates import find_possible_duplicates
from chalicelib.services.referrals.referred_on_checks import check_referred_on
from infra.centers.saved_files import SheetError, SheetFault
from infra.referral_import.columns import find_column
from infra.referral_import.sheet import ImportRow, find_first_step_column
from infra.referral_import.steps import PlannedImport, Reporters, get_event_id, plan_import

_NEEDS_CENTER_MEMBER = "This step is the center's. Add --center-member with a member of the row's center."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedImport:
    """A file without faults, and hints about patients who may be entered twice."""

    imports: Sequence[PlannedImport]
    imported_before: frozenset[str] = frozenset()
    """The row ids that an earlier run created. Their missing steps are still reported."""
    hints: Sequence[SheetFault] = ()


@dataclass(slots=True)
class _Seen:
    """What earlier lines of the file contain, by line."""

    aliases: dict[str, int] = field(default_factory=dict)


def check_rows(rows: Sequence[ImportRow], reporters: Reporters, *, context: RunContext) -> CheckedImport:
    """Check all rows.

    Raises:
        SheetError: lists every fault of every row.
    """
    faults: list[SheetFault] = []
    hints: list[SheetFault] = []
    imports, before, seen = [], set(), _Seen()
    for row in rows:
        center = context.stores.tenants.get_center(row.body.center_id)
        time_zone = center.tenant.time_zone if center else "UTC"
        planned = plan_import(row, reporters, time_zone=time_zone, now=context.now)
        referral = context.stores.referrals.get(planned.referral_id)
        if referral is None:
            faults += _list_faults(planned, reporters, seen, time_zone, context=context)
        else:
            before.add(row.row_id)
            known = _KnownRow(planned, referral, context.stores.referrals.list_history(planned.referral_id), time_zone)
            hints += _list_changed_days(known)
            events, more, wrong = _choose_missing_steps(known, reporters, context=context)
            planned = replace(planned, events=events)
            hints, faults = [*hints, *more], [*faults, *wrong]
        imports.append(planned)
    if faults:
        raise SheetError(faults)
    hints += _list_hints(imports, before, reporters, context=context)
    return CheckedImport(imports=imports, imported_before=frozenset(before), hints=hints)


@dataclass(frozen=True, slots=True)
class _KnownRow:
    """A row that an earlier run imported. People may have changed its referral since."""

    planned: PlannedImport
    referral: Referral
    history: Sequence[ReferralEvent]
    time_zone: str


def _choose_missing_steps(
    known: _KnownRow, reporters: Reporters, *, context: RunContext
) -> tuple[Sequence[StageChange], Sequence[SheetFault], Sequence[SheetFault]]:
    """Choose the steps that can be added to a known referral; hints say which cannot, and why.

    A referral that was closed or redirected meanwhile must not keep the other rows from being imported.
    """
    row, referral = known.planned.row, known.referral
    reported = {event.event_id for event in known.history}
    missing = [stage for stage in row.steps if get_event_id(referral.referral_id, stage) not in reported]
    if not missing:
        return (), (), ()
    if referral.center_id != row.body.center_id:
        text = "The referral is with another center now, so this step is not imported."
        return (), [_build_fault(row, f"{stage}_on", text) for stage in missing], ()
    if reporters.find_for_center(referral.center_id) is None:
        return (), (), [_build_fault(row, f"{missing[0]}_on", _NEEDS_CENTER_MEMBER)]
    today = context.now.astimezone(ZoneInfo(known.time_zone)).date()
    impossible = [*_list_impossible_days(row, today=today)]
    if impossible:
        return (), (), impossible
    rules, history, state = load_decision_context(referral, context=context), [*known.history], referral
    events, hints = [], []
    for event in known.planned.events:
        if event.stage not in missing:
            continue
        decision = decide_event(state, event, rules, History(events=tuple(history)))
        error = check_date(state, event, is_confirmed=False)
        if isinstance(decision, Rejected | Pending) or error:
            reason = error.detail if error else _describe(decision, state, event)
            hints.append(_build_fault(row, f"{event.stage}_on", f"{reason} This step is not imported."))
            continue
        events.append(event)
        history.append(event)
        state = decision.referral
    return events, hints, ()


def _list_faults(
    planned: PlannedImport, reporters: Reporters, seen: _Seen, time_zone: str, *, context: RunContext
) -> Iterator[SheetFault]:
    row, draft = planned.row, planned.draft
    if row.steps and reporters.find_for_center(row.body.center_id) is None:
        yield _build_fault(row, find_first_step_column(row), _NEEDS_CENTER_MEMBER)
        return
    try:
        require_known_product_and_center(draft.product_id, draft.center_id, stores=context.stores)
        check_referred_on(draft.details, None, practice_id=draft.practice_id, context=context)
        details = complete_consent(draft.details, None, practice_id=draft.practice_id, context=context)
        draft = replace(draft, details=details)
        require_complete(build_packet(draft))
        if draft.alias:
            require_harmless_alias(draft)
            prepare_alias_writes(draft, None, stores=context.stores)
    except ApiError as e:
        yield from _to_faults(row, e)
        return
    if draft.alias:
        first = seen.aliases.setdefault(normalize_alias(draft.alias), row.line)
        if first != row.line:
            yield _build_fault(row, "patient.alias", f"is also the alias on line {first}. Choose another one.")
    today = context.now.astimezone(ZoneInfo(time_zone)).date()
    impossible = [*_list_impossible_days(row, today=today)]
    yield from impossible or _list_step_faults(planned, replace(draft, version=0), reporters, context=context)


def _list_impossible_days(row: ImportRow, *, today: date) -> Iterator[SheetFault]:
    referred_on = row.body.referred_on
    for stage, on in row.steps.items():
        if on > today:
            yield _build_fault(row, f"{stage}_on", "This day is in the future. Leave it out until it happened.")
        elif referred_on and on < referred_on:
            yield _build_fault(row, f"{stage}_on", "This day is before the day of the referral. Check both dates.")


def _list_step_faults(
    planned: PlannedImport, draft: Referral, reporters: Reporters, *, context: RunContext
) -> Iterator[SheetFault]:
    """Apply the steps of a row in memory; the first that is not possible ends it."""
    rules = load_decision_context(draft, context=context)
    submission = build_submission(draft, reporters.practice, now=context.now)
    history: list[ReferralEvent] = []
    state = draft
    for event in (submission, *planned.events):
        decision = decide_event(state, event, rules, History(events=tuple(history)))
        if not isinstance(decision, Applied):
            yield _build_fault(planned.row, f"{event.stage}_on", _describe(decision, state, event))
            return
        error = check_date(state, event, is_confirmed=False)
        if error:
            yield _build_fault(planned.row, f"{event.stage}_on", error.detail)
            return
        state = decision.referral
        history.append(event)


def _describe(decision: Decision, state: Referral, event: StageChange) -> str:
    match decision:
        case Rejected():
            return decision.reason
        case Pending():
            return describe_missing_steps(list_missing_steps(state, event))
        case Recorded():
            return "A later step of this row makes this one impossible. Check the order of the dates."
    raise TypeError("an applied step is not a fault")


def _to_faults(row: ImportRow, error: ApiError) -> Iterator[SheetFault]:
    for each in error.errors:
        yield _build_fault(row, find_column(each.pointer, row.columns), each.message)
    if not error.errors:
        yield _build_fault(row, None, error.detail)


def _list_hints(
    imports: Sequence[PlannedImport], before: AbstractSet[str], reporters: Reporters, *, context: RunContext
) -> Iterator[SheetFault]:
    """Find patients who may be entered twice. A hint blocks nothing: two patients may have the same name."""
    first_lines: dict[tuple[str, ...], int] = {}
    for planned in imports:
        row = planned.row
        first = first_lines.setdefault(_get_patient_key(planned.draft.details), row.line)
        if first != row.line:
            yield _build_fault(row, None, f"may be the same patient as line {first}")
        draft = planned.draft
        if row.row_id not in before and find_possible_duplicates(
            draft.referral_id, draft.details, member=reporters.practice, context=context
        ):
            yield _build_fault(row, None, "may be a patient whom the practice has already referred")


def _list_changed_days(known: _KnownRow) -> Iterator[SheetFault]:
    """Find the steps whose day in the file is no longer the imported one. An import never changes a report."""
    row = known.planned.row
    reported = {event.event_id: event for event in known.history}
    for stage, on in row.steps.items():
        earlier = reported.get(get_event_id(known.referral.referral_id, stage))
        if earlier and earlier.occurred_at.astimezone(ZoneInfo(known.time_zone)).date() != on:
            message = "This day was imported with another date. Correct it on the referral's page."
            yield _build_fault(row, f"{stage}_on", message)


def _get_patient_key(details: Mapping[str, Any]) -> tuple[str, ...]:
    patient = details["patient"]
    names = ("family_name", "given_name", "birth_date")
    return tuple(str(patient.get(name) or "").casefold() for name in names)


def _build_fault(row: ImportRow, column: str | None, message: str) -> SheetFault:
    return SheetFault(line=row.line, column=column, message=message)
