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
    facts: Mapping[str, Any]
    at: str
    by: str
    actor_name: str
    of_earlier_plan: bool


class CoverageChangeResponse(TypedDict):
    """A move that was made. `filed` says that it is an answer about an earlier plan, which changed nothing."""

    move: str
    label: str
    machine: str
    start: str
    target: str
    at: str
    by: str
    actor_name: str
    how: str | None
    reference_number: str | None
    filed: bool
    facts: Mapping[str, Any]


class ChecklistItemResponse(TypedDict):
    """What is to verify with the payer; without an answer it is still to do."""

    item: str
    label: str
    answer: str | None
    answered_at: str | None
    answered_by: str | None


class PayerTimerResponse(TypedDict):
    """A time limit that may apply, with its source. `on` is its day if it began with what was entered."""

    step: str
    label: str
    days: int | None
    hours: int | None
    begins: str
    source: str
    caution: str | None
    on: str | None


class CoverageMoveResponse(TypedDict):
    """A move; `why_not` says why the reader cannot make it now."""

    move: str
    label: str
    machine: str
    allowed: bool
    why_not: str | None
    needs: list[str]


class CoverageReminderResponse(TypedDict):
    """A reminder that both sides get, and its day at the practice."""

    title: str
    on: str


class CoverageDeadlineResponse(TypedDict):
    """A date that a person entered from the payer's letter. `kind` decision is only expected, not owed."""

    kind: str
    on: str


class FinancialResourceResponse(TypedDict):
    """An organization that helps with cost, for a patient without insurance."""

    resource_id: str
    name: str
    organization: str
    what: str
    url: str
    phone: str | None


class CoverageResponse(CoverageSummaryResponse):
    """The coverage of a referral. Amounts of the center's contracts are in it for the center only."""

    referral_id: str
    version: int
    stale_reason: str | None
    verified_until: str | None
    authorized_until: str | None
    authorization_of_earlier_plan: bool
    deadline: CoverageDeadlineResponse | None
    facts: list[CoverageFactResponse]
    entered: list[EnteredFactsResponse]
    checklist: list[ChecklistItemResponse]
    timers: list[PayerTimerResponse]
    plan_own_rule: str
    plan_notes: list[str]
    reminders: list[CoverageReminderResponse]
    moves: list[CoverageMoveResponse]
    history: list[CoverageChangeResponse]
    financial_resources: list[FinancialResourceResponse]
    disclaimer: str


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
