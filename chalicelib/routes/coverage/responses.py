"""The whole coverage of a referral as the API returns it, for the side that reads it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.catalog import resources
from chalicelib.domain.coverage.checklist import CheckedItem, list_checklist
from chalicelib.domain.coverage.decide import find_refusal, is_possible
from chalicelib.domain.coverage.display import CoverageState, find_status_on
from chalicelib.domain.coverage.facts import NOT_A_GUARANTEE
from chalicelib.domain.coverage.moves import CENTER_ONLY_FACTS, MOVES, MoveName, Party
from chalicelib.domain.coverage.plan_notes import PLAN_NOTES
from chalicelib.domain.coverage.timers import PLAN_OWN_RULE, STEP_LABELS, Funding, RequestKind, Timer, list_timers
from chalicelib.domain.coverage.track import CoverageChange, CoverageTrack, EnteredFacts
from chalicelib.domain.coverage.warnings import list_track_warnings
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.notices.coverage_schedule import COVERAGE_REMINDERS, list_coverage_days
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import TERMINAL_STAGES
from chalicelib.errors import ApiError
from chalicelib.routes.coverage.fact_responses import CoverageFactResponse, to_fact_responses
from chalicelib.routes.coverage.summary_responses import (
    CoverageSummaryResponse,
    to_coverage_summary_response,
    to_warning_responses,
)
from chalicelib.routes.platform.timestamps import format_timestamp
from chalicelib.services.coverage.moves import CoverageView, require_movable


class EnteredFactsResponse(TypedDict):
    """What was entered with the last move of a name, by whom and when."""

    move: str
    """Which move this is; it decides the other fields."""
    facts: Mapping[str, Any]
    """The fields of the move, as they were entered."""
    at: str
    """When it happened (RFC 3339, UTC)."""
    by: str
    """Which side recorded it: `practice` or `center`."""
    actor_name: str
    """The name of the person or system that did it."""
    of_earlier_plan: bool
    """Whether it is about a plan that the patient no longer has."""


class CoverageChangeResponse(TypedDict):
    """A move that was made. `filed` says that it is an answer about an earlier plan, which changed nothing."""

    move: str
    """Which move this is; it decides the other fields."""
    label: str
    """The words for it, for display."""
    machine: str
    """What it changes: `verification`, `authorization`, `agreement`, `clearance` or `checklist`."""
    start: str
    """The state before the move; empty for an item of the checklist."""
    target: str
    """The state after the move; empty for an item of the checklist."""
    at: str
    """When it happened (RFC 3339, UTC)."""
    by: str
    """Which side recorded it: `practice` or `center`."""
    actor_name: str
    """The name of the person or system that did it."""
    how: str | None
    """How the payer's word arrived; null if the move does not say."""
    reference_number: str | None
    """The payer's reference number for the call or answer; null or left out without one."""
    filed: bool
    """Whether it is an answer about an earlier plan, which changed nothing."""
    facts: Mapping[str, Any]
    """The fields of the move, as they were entered."""


class ChecklistItemResponse(TypedDict):
    """What is to verify with the payer; without an answer it is still to do."""

    item: str
    """The code of the item."""
    label: str
    """The words for it, for display."""
    answer: str | None
    """What the payer answered; null while it is to do."""
    answered_at: str | None
    """When it was answered (RFC 3339, UTC); null while it is open."""
    answered_by: str | None
    """The name of the person who answered; null while it is open."""


class PayerTimerResponse(TypedDict):
    """A time limit that may apply, with its source. `on` is its day if it began with what was entered."""

    step: str
    """What the limit is for."""
    label: str
    """The words for it, for display."""
    days: int | None
    """The limit in days; null if it is given in hours."""
    hours: int | None
    """The limit in hours; null if it is given in days."""
    begins: str
    """The time of day at which the quiet hours begin, as `HH:MM`."""
    source: str
    """The rule that sets the limit."""
    caution: str | None
    """What to check before relying on it; null if nothing."""
    on: str | None
    """The day on which the limit ends (YYYY-MM-DD); null if it did not begin with anything that was entered."""


class CoverageMoveResponse(TypedDict):
    """A move; `why_not` says why the reader cannot make it now."""

    move: str
    """Which move this is; it decides the other fields."""
    label: str
    """The words for it, for display."""
    machine: str
    """What it changes: `verification`, `authorization`, `agreement`, `clearance` or `checklist`."""
    allowed: bool
    """Whether the reader can do it now."""
    why_not: str | None
    """Why the reader cannot do it now; null if they can."""
    needs: list[str]
    """The fields that it needs."""


class CoverageReminderResponse(TypedDict):
    """A reminder that both sides get, and its day at the practice."""

    title: str
    """The title, for display."""
    on: str
    """The day of the reminder, at the practice (YYYY-MM-DD)."""


class CoverageDeadlineResponse(TypedDict):
    """A date that a person entered from the payer's letter. `kind` decision is only expected, not owed."""

    kind: str
    """What is due: `information`, `appeal` or `decision`. A decision is expected then, not owed."""
    on: str
    """The day (YYYY-MM-DD)."""


class FinancialResourceResponse(TypedDict):
    """An organization that helps with cost, for a patient without insurance."""

    resource_id: str
    """The ID of a national resource in the catalog."""
    name: str
    """The name of the program."""
    organization: str
    """The organization that offers it."""
    what: str
    """What it offers, in one or two sentences."""
    url: str
    """The address of its page."""
    phone: str | None
    """Its phone number; null if it has none."""


class CoverageResponse(CoverageSummaryResponse):
    """The coverage of a referral. Amounts of the center's contracts are in it for the center only."""

    referral_id: str
    """The ID of the referral: `ref_` and 26 characters."""
    version: int
    """The version of the coverage, 0 before the first move. Send it in `If-Match` with a change."""
    stale_reason: str | None
    """Why the benefits are to be verified again; null if they are not."""
    verified_until: str | None
    """The last day for which the verification counts (YYYY-MM-DD); null without one."""
    authorized_until: str | None
    """The last day of the authorization (YYYY-MM-DD); null without one."""
    authorization_of_earlier_plan: bool
    """Whether the authorization was given by a plan that the patient no longer has."""
    deadline: CoverageDeadlineResponse | None
    """The next date that a person entered from the payer's letter; null without one."""
    facts: list[CoverageFactResponse]
    """The four facts, each with its source."""
    entered: list[EnteredFactsResponse]
    """What was entered with the last move of each name."""
    checklist: list[ChecklistItemResponse]
    """What is to verify with the payer."""
    timers: list[PayerTimerResponse]
    """The time limits that may apply, each with its source."""
    plan_own_rule: str
    """What to check in the plan's own rules, for display."""
    plan_notes: list[str]
    """Notes about this type of plan."""
    reminders: list[CoverageReminderResponse]
    """Reminders that both sides get."""
    moves: list[CoverageMoveResponse]
    """The moves, and whether the reader can make them now."""
    history: list[CoverageChangeResponse]
    """The moves that were made, newest first."""
    financial_resources: list[FinancialResourceResponse]
    """Organizations that help with cost; only for a patient without insurance."""
    disclaimer: str
    """The statement to show with it."""


def build_coverage_etag(track: CoverageTrack) -> dict[str, str]:
    """The version of the coverage as an ETag."""
    return {"ETag": f'"{track.version}"'}


def to_coverage_response(view: CoverageView, member: Member, *, today: date, time_zone: str) -> CoverageResponse:
    """The coverage for a member. `today` is the day at the practice, `time_zone` the center's."""
    referral, track = view.referral, view.track
    summary = to_coverage_summary_response(referral, today=today, time_zone=time_zone)
    status = find_status_on(referral, today=today)
    warnings = [*summary["warnings"], *to_warning_responses(list(list_track_warnings(track, referral)))]
    plan_type = (referral.details.get("insurance") or {}).get("plan_type")
    is_open = referral.stage not in TERMINAL_STAGES
    return {
        **summary,
        "warnings": warnings,
        "referral_id": referral.referral_id,
        "version": track.version,
        "stale_reason": status.stale_reason,
        "verified_until": _format_day(status.verified_until),
        "authorized_until": _format_day(status.authorized_until),
        "authorization_of_earlier_plan": status.is_authorization_of_earlier_plan,
        "deadline": ({"kind": status.deadline.kind, "on": status.deadline.on.isoformat()} if status.deadline else None),
        "facts": to_fact_responses(track.facts),
        "entered": [
            _to_entered_response(name, entered, track, member) for name, entered in sorted(track.entered.items())
        ],
        "checklist": [_to_item_response(item) for item in list_checklist(plan_type, track)],
        "timers": _list_timers(referral, track, today=today),
        "plan_own_rule": PLAN_OWN_RULE,
        "plan_notes": list(PLAN_NOTES.get(plan_type or "", ())),
        "reminders": [
            {"title": COVERAGE_REMINDERS[rule].title, "on": on.isoformat()}
            for rule, on in sorted(list_coverage_days(status), key=lambda each: each[1])
            if is_open and rule in COVERAGE_REMINDERS and on >= today
        ],
        "moves": _list_moves(referral, track, member, today=today),
        "history": [_to_change_response(change, member) for change in view.changes],
        "financial_resources": _list_resources() if summary["state"] == CoverageState.NOT_APPLICABLE else [],
        "disclaimer": NOT_A_GUARANTEE,
    }


def _format_day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _hide_amounts(facts: Mapping[str, Any], member: Member) -> Mapping[str, Any]:
    """What a reader sees of entered facts: the amounts of the center's contracts are the center's alone."""
    if member.kind is TenantKind.CENTER:
        return facts
    return {name: value for name, value in facts.items() if name not in CENTER_ONLY_FACTS}


def _to_entered_response(
    name: MoveName, entered: EnteredFacts, track: CoverageTrack, member: Member
) -> EnteredFactsResponse:
    return {
        "move": name,
        "facts": _hide_amounts(entered.facts, member),
        "at": format_timestamp(entered.at),
        "by": entered.by,
        "actor_name": entered.actor_name,
        "of_earlier_plan": entered.plan_version < track.plan_version,
    }


def _to_change_response(change: CoverageChange, member: Member) -> CoverageChangeResponse:
    return {
        "move": change.move,
        "label": MOVES[change.move].label,
        "machine": change.machine,
        "start": change.start,
        "target": change.target,
        "at": format_timestamp(change.at),
        "by": change.by,
        "actor_name": change.actor_name,
        "how": change.how,
        "reference_number": change.reference_number,
        "filed": change.filed_only,
        "facts": _hide_amounts(change.facts, member),
    }


def _to_item_response(checked: CheckedItem) -> ChecklistItemResponse:
    answer = checked.answer
    return {
        "item": checked.item.item,
        "label": checked.item.label,
        "answer": answer.facts["answer"] if answer else None,
        "answered_at": format_timestamp(answer.at) if answer else None,
        "answered_by": answer.actor_name if answer else None,
    }


_FIRST_DAYS: Mapping[str, tuple[MoveName, str]] = {
    "decision": (MoveName.AUTHORIZATION_SUBMITTED, "submitted_on"),
    "expedited_decision": (MoveName.AUTHORIZATION_SUBMITTED, "submitted_on"),
    "file_appeal": (MoveName.AUTHORIZATION_DENIED, "letter_on"),
    "appeal_decision": (MoveName.APPEAL_FILED, "filed_on"),
    "expedited_appeal_decision": (MoveName.APPEAL_FILED, "filed_on"),
    "file_external_review": (MoveName.APPEAL_LOST, "decided_on"),
    "external_review_decision": (MoveName.EXTERNAL_REVIEW_REQUESTED, "requested_on"),
}
"""From which entered day a time limit is counted, as a proposal. The letter wins."""


def _list_timers(referral: Referral, track: CoverageTrack, *, today: date) -> list[PayerTimerResponse]:
    insurance = referral.details.get("insurance") or {}
    kind = RequestKind(track.get_fact(MoveName.AUTHORIZATION_SUBMITTED, "kind") or RequestKind.UNKNOWN)
    funding = Funding(insurance.get("funding") or Funding.UNKNOWN)
    found = list_timers(insurance.get("plan_type"), kind, on=today, funding=funding)
    return [_to_timer_response(timer, track) for timer in found]


def _to_timer_response(timer: Timer, track: CoverageTrack) -> PayerTimerResponse:
    move, name = _FIRST_DAYS[timer.step]
    first_day = track.get_day(move, name)
    return {
        "step": timer.step,
        "label": STEP_LABELS[timer.step],
        "days": timer.days,
        "hours": timer.hours,
        "begins": timer.begins,
        "source": timer.source,
        "caution": timer.caution,
        "on": timer.find_day(first_day).isoformat() if first_day else None,
    }


def _list_moves(referral: Referral, track: CoverageTrack, member: Member, *, today: date) -> list[CoverageMoveResponse]:
    """The moves that people make, with why the reader cannot make one now."""
    current = replace(track, status=find_status_on(referral, today=today))
    return [
        {
            "move": name,
            "label": move.label,
            "machine": move.machine,
            "allowed": why_not is None,
            "why_not": why_not,
            "needs": list(move.needs),
        }
        for name, move in MOVES.items()
        if move.by & {Party.PRACTICE, Party.CENTER}
        for why_not in (_find_why_not(name, referral, current, member),)
    ]


def _find_why_not(name: MoveName, referral: Referral, track: CoverageTrack, member: Member) -> str | None:
    if Party(member.actor.value) not in MOVES[name].by:
        return find_refusal(MOVES[name]).detail
    try:
        require_movable(referral, name)
    except ApiError as e:
        return e.detail
    return None if is_possible(name, track) else "Not possible in the current state."


def _list_resources() -> list[FinancialResourceResponse]:
    """Who helps with cost without insurance."""
    return [
        {
            "resource_id": row["resource_id"],
            "name": row["name"],
            "organization": row["organization"],
            "what": row["what"],
            "url": row["url"],
            "phone": row.get("phone"),
        }
        for row in resources.list_resources(topic="financial")
        if not row["insured_only"]
    ]
