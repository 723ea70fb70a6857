"""The coverage of one referral: the states of its machines, the four facts, and what was entered with each move."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from chalicelib.domain.coverage.facts import (
    AuthorizationFact,
    AuthorizationNeed,
    BenefitsFact,
    DeterminationFact,
    DeterminationStatus,
    NetworkFact,
)
from chalicelib.domain.coverage.moves import Machine, MoveName, Party, State
from chalicelib.domain.platform.kept_unknown import KeepsUnknown
from chalicelib.domain.referrals.coverage_status import (
    NO_COVERAGE,
    AuthorizationState,
    StaleReason,
    TrackStatus,
    VerificationState,
)

Facts = Mapping[str, Any]
"""What is entered with a move, with the names of the request body: plain JSON values, days as `2026-11-28`."""


class FactName(StrEnum):
    """The four facts. None implies another: active benefits are not an authorization."""

    BENEFITS = "benefits"
    AUTHORIZATION = "authorization"
    NETWORK = "network"
    DETERMINATION = "determination"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFacts:
    """The four facts as far as they are known. Field names are stored.

    Attributes:
        of_earlier_plan: Those that are about a plan that the patient no longer has, and wait for newer ones.
    """

    benefits: BenefitsFact | None = None
    authorization: AuthorizationFact | None = None
    network: NetworkFact | None = None
    determination: DeterminationFact | None = None
    of_earlier_plan: tuple[FactName, ...] = ()

    def with_earlier_plan(self) -> "KnownFacts":
        """The facts after the plan changed."""
        known = tuple(name for name in FactName if getattr(self, name) is not None)
        return replace(self, of_earlier_plan=known)

    def with_facts(self, facts: Mapping[FactName, Any]) -> "KnownFacts":
        """Add facts. One that the payer left open does not replace what another source stated."""
        newer: dict[str, Any] = {
            name: fact for name, fact in facts.items() if fact and not self._is_open_question(name, fact)
        }
        earlier = tuple(name for name in self.of_earlier_plan if name not in newer)
        return replace(self, **newer, of_earlier_plan=earlier)

    def _is_open_question(self, name: str, fact: Any) -> bool:
        is_known = getattr(self, name) is not None and name not in self.of_earlier_plan
        stated = getattr(fact, "need", None) or getattr(fact, "status", None)
        return is_known and stated in _NOT_STATED


_NOT_STATED = frozenset({AuthorizationNeed.NOT_STATED, AuthorizationNeed.UNKNOWN, DeterminationStatus.NONE})
"""What says nothing: `not_stated` of any fact, an unknown requirement, and no decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredFacts:
    """What was entered with the last move of a name, by whom and when. Field names are stored."""

    facts: Facts
    at: datetime
    by: Party
    actor_name: str
    plan_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageTrack(KeepsUnknown):
    """The coverage of one referral. Field names are stored.

    Attributes:
        version: Increases by one with each change; the ETag. 0 if nothing was recorded.
        plan_version: Which plan of the patient it is about; increases when the plan changes, so that a
            payer's late answer about the earlier plan is recognized.
        facts: The four facts, as far as they are known.
        entered: The last move of each name, with its facts.
        checklist: The answered items of the benefits check, by item.
    """

    version: int = 0
    status: TrackStatus = NO_COVERAGE
    plan_version: int = 1
    facts: KnownFacts = KnownFacts()
    entered: Mapping[MoveName, EnteredFacts] = field(default_factory=dict)
    checklist: Mapping[str, EnteredFacts] = field(default_factory=dict)

    def get_fact(self, move: MoveName, name: str) -> Any:
        """What was entered under a name with the last move of this kind; None if it is about an earlier plan.

        What the current plan confirmed counts as its own.
        """
        entered = self.entered.get(move)
        return entered.facts.get(name) if entered and self._is_of_current_plan(entered) else None

    def _is_of_current_plan(self, entered: EnteredFacts) -> bool:
        confirmed = self.entered.get(MoveName.AUTHORIZATION_CONFIRMED)
        is_confirmed = confirmed is not None and confirmed.plan_version == self.plan_version
        return entered.plan_version == self.plan_version or is_confirmed

    def get_day(self, move: MoveName, name: str) -> date | None:
        """The same as a day."""
        text = self.get_fact(move, name)
        return date.fromisoformat(text) if text else None


NO_TRACK = CoverageTrack()
"""Before anything was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageChange:
    """One move that was made: a row of the history. Field names are stored.

    Attributes:
        start, target: The state of the machine before and after it.
        how: How the payer's word reached the reporter: `phone`, `portal`, `letter`, `fax` or `electronic`.
        reference_number: The payer's number of the call, case or authorization.
        filed_only: Whether it is an answer about an earlier plan, which is kept and changes nothing.
    """

    move: MoveName
    machine: Machine
    start: str
    target: str
    at: datetime
    by: Party
    actor_name: str
    facts: Facts
    plan_version: int
    how: str | None = None
    reference_number: str | None = None
    filed_only: bool = False


def get_states(status: TrackStatus) -> Mapping[Machine, State]:
    """The state of each machine. An authorization of an earlier plan counts as unknown."""
    authorization = AuthorizationState.UNKNOWN if status.is_authorization_of_earlier_plan else status.authorization
    return {
        Machine.VERIFICATION: status.verification,
        Machine.AUTHORIZATION: authorization,
        Machine.AGREEMENT: status.agreement,
        Machine.CLEARANCE: status.is_cleared,
    }


VERIFIED_STATES = frozenset({VerificationState.VERIFIED, VerificationState.VERIFIED_WITH_CONDITIONS})


def with_elapsed_dates(status: TrackStatus, *, today: date) -> TrackStatus:
    """The status on a day: what has ended by then no longer counts, even if no job has recorded it yet."""
    if is_plan_year_over(status, today=today):
        status = without_clearance(with_changed_plan(status))
    if status.verification in VERIFIED_STATES and _is_past(status.verified_until, today):
        status = replace(status, verification=VerificationState.STALE, stale_reason=StaleReason.EXPIRED)
    if status.is_cleared and (_is_past(status.cleared_until, today) or is_authorization_over(status, today=today)):
        status = without_clearance(status)
    return status


def is_plan_year_over(status: TrackStatus, *, today: date) -> bool:
    """Whether the year of the plan has ended, even if its verification expired before."""
    return status.verification is not VerificationState.NOT_APPLICABLE and _is_past(status.plan_year_ends_on, today)


def with_changed_plan(status: TrackStatus) -> TrackStatus:
    """The status after the plan changed: verify again, and confirm the authorization or start it again."""
    is_known = status.authorization is not AuthorizationState.UNKNOWN
    return replace(
        status,
        verification=VerificationState.STALE,
        stale_reason=StaleReason.PLAN_CHANGED,
        verified_until=None,
        plan_year_ends_on=None,
        is_authorization_of_earlier_plan=is_known,
    )


def without_clearance(status: TrackStatus) -> TrackStatus:
    """The status without a clearance."""
    return replace(status, is_cleared=False, cleared_until=None)


def is_authorization_over(status: TrackStatus, *, today: date) -> bool:
    """Whether the payer's approval has ended. One of an earlier plan does not count either way."""
    is_approved = get_states(status)[Machine.AUTHORIZATION] is AuthorizationState.APPROVED
    return is_approved and _is_past(status.authorized_until, today)


def _is_past(day: date | None, today: date) -> bool:
    return day is not None and day < today
