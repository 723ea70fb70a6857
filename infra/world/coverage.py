"""The coverage of some referrals, so that each of its states is in the sample data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.coverage.moves import MoveName
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.services.coverage.moves import record_elapsed_dates, record_move
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores

P, C = TenantKind.PRACTICE, TenantKind.CENTER
"""Short names for the table below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageStep:
    """A move and who made it.

    Attributes:
        hours_ago: When it was recorded.
        facts: What was entered.
        days: Facts that are days, counted from now.
    """

    move: MoveName
    side: TenantKind = P
    hours_ago: float = 20
    facts: Mapping[str, Any] = field(default_factory=dict)
    days: Mapping[str, int] = field(default_factory=dict)


def _result(*, hours_ago: float = 22, valid_for: int = 40, **facts: Any) -> CoverageStep:
    """A result from a phone call."""
    call = {"how": "phone", "representative": "J. Rivera", "reference_number": "GP-48213"}
    result = {"outcome": "verified", "benefits": "active", "network": "in_network"}
    return CoverageStep(
        move=MoveName.RESULT_RECORDED,
        hours_ago=hours_ago,
        facts={**call, **result, **facts},
        days={"valid_until": valid_for},
    )


_REQUIRED = CoverageStep(move=MoveName.AUTHORIZATION_REQUIRED, hours_ago=21, facts={"how": "portal"})
_SUBMITTED = CoverageStep(
    move=MoveName.AUTHORIZATION_SUBMITTED,
    side=C,
    hours_ago=18,
    facts={"channel": "portal", "case_number": "PA-773104", "review": "standard", "kind": "service"},
    days={"submitted_on": -1, "decision_by": 6},
)
_DENIED = CoverageStep(
    move=MoveName.AUTHORIZATION_DENIED,
    hours_ago=12,
    facts={
        "reason": "criteria_not_met",
        "words": "Two lines of therapy are not documented.",
        "peer_to_peer_phone": "+18005550160",
        "appeal_to": "Example Health, Appeals, fax 800-555-0161",
    },
    days={"letter_on": 0, "deadline": 12},
)
_APPROVED = CoverageStep(
    move=MoveName.AUTHORIZATION_APPROVED,
    side=C,
    hours_ago=10,
    facts={"authorization_number": "AUTH-20114", "product_id": "breyanzi", "site": "Inpatient"},
    days={"begins_on": 0, "ends_on": 90, "decided_on": 0},
)
_TO_SUBMIT = (_result(), _REQUIRED)
_WITH_PAYER = (*_TO_SUBMIT, _SUBMITTED)


def _clear(days: int) -> CoverageStep:
    return CoverageStep(
        move=MoveName.CLEARED, side=C, hours_ago=8, facts={"basis": "authorization"}, days={"until": days}
    )


COVERAGE: Mapping[int, Sequence[CoverageStep]] = {
    8: (CoverageStep(move=MoveName.VERIFICATION_REQUESTED),),
    9: (_result(outcome="unable_to_verify", benefits="not_stated"),),
    15: (
        _result(authorization="not_stated"),
        CoverageStep(
            move=MoveName.ITEM_VERIFIED,
            facts={"item": "case_manager", "answer": "M. Ortiz, (800) 555-0160", "how": "phone"},
        ),
    ),
    16: _TO_SUBMIT,
    17: _WITH_PAYER,
    18: (
        *_WITH_PAYER,
        CoverageStep(
            move=MoveName.INFORMATION_ASKED,
            hours_ago=9,
            facts={"items": "The last imaging report and the pathology report"},
            days={"deadline": 4},
        ),
    ),
    19: (*_WITH_PAYER, _DENIED),
    20: (
        *_WITH_PAYER,
        _DENIED,
        CoverageStep(
            move=MoveName.APPEAL_FILED,
            hours_ago=6,
            facts={"level": 1, "channel": "fax"},
            days={"filed_on": 0, "deadline": 25},
        ),
    ),
    30: (
        _result(network="out_of_network"),
        CoverageStep(move=MoveName.AGREEMENT_NEEDED, side=C, facts={"reason": "out_of_network"}),
        CoverageStep(
            move=MoveName.AGREEMENT_STARTED,
            side=C,
            hours_ago=15,
            facts={"owner": "Contracting", "rate_basis": "Case rate, fictional"},
            days={"requested_on": 0},
        ),
    ),
    22: (*_WITH_PAYER, _APPROVED),
    23: (
        *_WITH_PAYER,
        _APPROVED,
        _clear(60),
        CoverageStep(move=MoveName.PLAN_CHANGED, hours_ago=3, facts={"reason": "The patient has a new card"}),
    ),
    25: (_result(hours_ago=24 * 20, valid_for=-2),),
    28: _WITH_PAYER,
    29: (*_WITH_PAYER, _APPROVED, _clear(5)),
    31: (*_WITH_PAYER, _APPROVED, _clear(75)),
}
"""The moves by the number of the story. Story 59 has no insurance, and the others have recorded nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveragePlayer:
    """Records the coverage of one story through the services that people use."""

    story_number: int
    referral_id: str
    members: Mapping[TenantKind, Member]
    stores: Stores
    now: datetime

    def play(self) -> None:
        """Record everything. A second call changes nothing."""
        steps = COVERAGE.get(self.story_number, ())
        if not steps:
            return
        referral = self.stores.referrals.get(self.referral_id)
        if referral is None:
            raise LookupError(self.referral_id)
        version = self.stores.coverage_tracks.get(self.referral_id, scope=referral.practice_id).version
        for number, step in enumerate(steps[version:], start=version):
            at = (self.now - timedelta(hours=step.hours_ago)).astimezone(UTC)
            record_move(
                self.referral_id,
                step.move,
                self._build_facts(step, at),
                version=number,
                member=self.members[step.side],
                context=RunContext(self.stores, at),
            )
        record_elapsed_dates(self.referral_id, context=RunContext(self.stores, self.now.astimezone(UTC)))

    def _build_facts(self, step: CoverageStep, at: datetime) -> Mapping[str, Any]:
        today = self.now.date()
        facts = {**step.facts, **{name: (today + timedelta(days=day)).isoformat() for name, day in step.days.items()}}
        return {**facts, "called_at": at.isoformat()} if facts.get("how") == "phone" else facts
