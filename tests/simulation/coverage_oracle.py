"""What counts of a referral's coverage on a day, and who is notified of it, written a second time and independently.

The history of the moves is read as a person would read it. A clearance counts until its own last day, the last day
of the approval, or the end of the plan's year, whichever is first, and no longer than the plan.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from tests.simulation.alert_oracle import BOTH, CENTER, PRACTICE

NOTIFIED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            *("result_recorded", "plan_changed", "verification_expired", "authorization_confirmed"),
            *("authorization_approved", "authorization_denied", "appeal_filed", "cleared", "clearance_ended"),
        ),
        BOTH,
    ),
    **dict.fromkeys(("authorization_required", "authorization_submitted", "information_sent"), (CENTER,)),
    "information_asked": (PRACTICE,),
    "authorization_not_required": (),
    "verification_requested": (),
    "verification_started": (),
}
"""Which sides are notified of each move that is made here."""

CHECK_FAILED = "coverage.check_failed"
CLEARANCE_LOST = "coverage.clearance_ended_before_leukapheresis"

NEXT: Mapping[str, tuple[str, ...]] = {
    "unknown": ("authorization_required",),
    "to_submit": ("authorization_submitted",),
    "submitted": ("authorization_approved", "authorization_denied", "information_asked"),
    "more_info": ("information_sent",),
    "denied": ("appeal_filed",),
    "appeal_filed": ("authorization_approved",),
    "approved": ("cleared",),
    "not_required": ("cleared",),
}
"""What people enter next."""

_AFTER: Mapping[str, str] = {
    "authorization_required": "to_submit",
    "authorization_not_required": "not_required",
    "authorization_submitted": "submitted",
    "information_asked": "more_info",
    "information_sent": "submitted",
    "authorization_approved": "approved",
    "authorization_denied": "denied",
    "appeal_filed": "appeal_filed",
}


class KnownMove(NamedTuple):
    """A move of the history: its name, what was entered, on which day, and whether it was only filed."""

    name: str
    facts: Mapping[str, Any]
    on: date
    is_filed: bool = False


@dataclass(slots=True)
class ExpectedCoverage:
    """What is known after some moves."""

    authorization: str = "unknown"
    approved_until: date | None = None
    is_of_earlier_plan: bool = False
    plan_year_ends: date | None = None
    cleared_until: date | None = None

    def counts_on(self, day: date) -> bool:
        """Whether a clearance counts on a day."""
        is_approved = self.authorization == "approved" and not self.is_of_earlier_plan
        ends = [self.plan_year_ends, self.approved_until if is_approved else None]
        if self.cleared_until is None or self.cleared_until < day:
            return False
        return all(end is None or end >= day for end in ends)

    @property
    def shown_authorization(self) -> str:
        """The authorization as people read it: one of an earlier plan must begin again."""
        return "unknown" if self.is_of_earlier_plan else self.authorization

    def add(self, move: KnownMove) -> None:
        """Add the next move."""
        if move.is_filed:
            return
        match move.name:
            case "cleared":
                self.cleared_until = date.fromisoformat(move.facts["until"])
            case "clearance_ended":
                self.cleared_until = None
            case "plan_changed":
                self.plan_year_ends, self.cleared_until = None, None
                self.is_of_earlier_plan = self.authorization != "unknown"
            case "result_recorded":
                if move.facts.get("plan_year") == "calendar":
                    self.plan_year_ends = date(move.on.year, 12, 31)
                elif move.facts.get("plan_year"):
                    self.plan_year_ends = None
            case "authorization_confirmed":
                self.is_of_earlier_plan = False
                self.approved_until = _read_day(move.facts, "ends_on") or self.approved_until
            case name if name in _AFTER:
                self.authorization, self.is_of_earlier_plan = _AFTER[name], False
                self.approved_until = _read_day(move.facts, "ends_on") if name == "authorization_approved" else None


def replay(moves: Iterable[KnownMove]) -> ExpectedCoverage:
    """Read a history, oldest first."""
    state = ExpectedCoverage()
    for move in moves:
        state.add(move)
    return state


def _read_day(facts: Mapping[str, Any], name: str) -> date | None:
    return date.fromisoformat(facts[name]) if facts.get(name) else None
