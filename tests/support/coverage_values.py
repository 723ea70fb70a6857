"""Examples of the coverage: the facts of every move, and a track that has made some of them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.domain.coverage.decide import Mover, decide_move
from chalicelib.domain.coverage.moves import MOVES, MoveName, Party
from chalicelib.domain.coverage.track import NO_TRACK, CoverageTrack

AT = datetime(2026, 11, 2, 18, 0, tzinfo=UTC)
TODAY = date(2026, 11, 2)

Step = tuple[str, Mapping[str, Any]] | str


def day(offset: int, today: date = TODAY) -> str:
    """A day as the API writes it, counted from today."""
    return (today + timedelta(days=offset)).isoformat()


def build_facts(name: str, today: date = TODAY, **changed: Any) -> dict[str, Any]:
    """Build what a person enters with a move; `...` removes a fact."""
    call = {"how": "phone", "called_at": f"{day(-1, today)}T15:00:00Z", "representative": "J. Rivera"}
    examples: Mapping[str, Mapping[str, Any]] = {
        "result_recorded": {
            **call,
            "outcome": "verified",
            "reference_number": "GP-48213",
            "benefits": "active",
            "valid_until": day(30, today),
        },
        "plan_changed": {"reason": "new_card"},
        "authorization_not_required": {"how": "portal"},
        "authorization_required": {"how": "portal"},
        "authorization_confirmed": {"how": "phone"},
        "authorization_submitted": {
            "submitted_on": day(-3, today),
            "channel": "portal",
            "case_number": "PA-773104",
            "review": "standard",
        },
        "information_asked": {"items": "The last imaging report", "deadline": day(5, today)},
        "information_sent": {"items": "Imaging report", "sent_on": day(0, today)},
        "authorization_approved": {
            "authorization_number": "AUTH-1",
            "begins_on": day(0, today),
            "ends_on": day(120, today),
            "product_id": "breyanzi",
            "site": "Inpatient",
        },
        "authorization_denied": {
            "letter_on": day(-1, today),
            "reason": "criteria_not_met",
            "words": "Two lines of therapy are not documented.",
            "deadline": day(179, today),
            "peer_to_peer_phone": "+18005550160",
        },
        "peer_to_peer_arranged": {"phone": "+18005550160", "caller": "R. Provider"},
        "peer_to_peer_ended": {"outcome": "upheld"},
        "appeal_filed": {"level": 1, "filed_on": day(0, today), "deadline": day(30, today)},
        "appeal_lost": {"decided_on": day(0, today)},
        "external_review_requested": {"requested_on": day(0, today), "reviewer": "State reviewer"},
        "external_review_lost": {"decided_on": day(0, today)},
        "authorization_withdrawn": {"reason": "Entered by mistake"},
        "agreement_needed": {"reason": "out_of_network"},
        "agreement_not_needed": {"reason": "The center is in network"},
        "agreement_started": {"requested_on": day(0, today), "rate_basis": "Case rate of 400,000"},
        "agreement_signed": {"signed_on": day(0, today), "begins_on": day(0, today)},
        "agreement_failed": {"reason": "No rate was reached"},
        "cleared": {"until": day(60, today), "basis": "authorization"},
        "clearance_ended": {"reason": "Recorded by mistake"},
        "item_verified": {"item": "travel_benefit", "answer": "Up to $10,000"},
    }
    facts = {**examples.get(name, {}), **changed}
    return {key: value for key, value in facts.items() if value is not ...}


def build_mover(party: str, *, at: datetime = AT, today: date = TODAY) -> Mover:
    """Build who makes a move."""
    return Mover(party=Party(party), name=f"A person of the {party}", at=at, today=today)


def get_usual_party(name: str) -> str:
    """The party that usually makes a move: the practice, unless only another one may."""
    by = MOVES[MoveName(name)].by
    return next(party.value for party in (Party.PRACTICE, Party.CENTER, Party.SYSTEM) if party in by)


def play(*steps: Step, track: CoverageTrack = NO_TRACK) -> CoverageTrack:
    """Make moves one after the other, each by its usual party with the example's facts or changed ones."""
    for step in steps:
        name, changed = (step, {}) if isinstance(step, str) else step
        facts = build_facts(name, **changed)
        track = decide_move(track, MoveName(name), facts, build_mover(get_usual_party(name))).track
    return track


TO_SUBMIT = ("result_recorded", "authorization_required")
SUBMITTED = (*TO_SUBMIT, "authorization_submitted")
DENIED = (*SUBMITTED, "authorization_denied")
APPROVED = (*SUBMITTED, "authorization_approved")
CLEARED = (*APPROVED, "cleared")

EVERY_MOVE: tuple[str, ...] = (
    *("verification_requested", "verification_started", "result_recorded", "item_verified", *SUBMITTED[1:]),
    *("information_asked", "information_sent", "authorization_denied", "peer_to_peer_arranged", "peer_to_peer_ended"),
    *("appeal_filed", "appeal_lost", "external_review_requested", "external_review_lost", "authorization_required"),
    *("authorization_withdrawn", "authorization_required", "authorization_submitted", "authorization_approved"),
    *("agreement_needed", "agreement_not_needed", "agreement_needed", "agreement_failed", "agreement_needed"),
    *("agreement_started", "agreement_signed", "cleared", "clearance_ended", "plan_changed"),
    *("authorization_confirmed", "authorization_not_required"),
)
"""A legal order of moves in which each move of people is made."""

PATHS: Mapping[str, tuple[Step, ...]] = {
    "not_started": (),
    "verifying": ("verification_requested",),
    "unable_to_verify": (("result_recorded", {"outcome": "unable_to_verify", "benefits": ...}),),
    "verified": ("result_recorded",),
    "to_submit": TO_SUBMIT,
    "submitted": SUBMITTED,
    "more_info": (*SUBMITTED, "information_asked"),
    "denied": DENIED,
    "appeal": (*DENIED, "appeal_filed"),
    "approved": APPROVED,
    "agreement_open": ("result_recorded", "agreement_needed"),
    "cleared": CLEARED,
    "plan_changed": (*CLEARED, "plan_changed"),
}
"""Moves that lead to each state for display."""
