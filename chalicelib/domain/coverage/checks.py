"""An electronic benefits check: what was asked, how often, and what came of it.

    requested ──▶ completed   the payer answered, whatever it result
        │   ▲
        │   └── an attempt brought no answer: asked again, up to 24 hours
        └──────▶ failed       it ended without an answer that can be read, with a plain reason

Source of the pauses:
    Clearing houses repeat questions for 8 to 24 hours when a payer is down (read 2026-11-28). The steps
    are this product's proposal.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.coverage.facts import CostShare, CoverageFacts, CoverageStatus, NetworkStatus, Suggestion
from chalicelib.domain.coverage.question import BenefitsQuestion
from chalicelib.domain.coverage.reading import AnswerReading, ReadingState
from chalicelib.domain.coverage.track import Facts
from chalicelib.domain.platform.kept_unknown import KeepsUnknown

GIVE_UP_AFTER = timedelta(hours=24)
"""How long a payer is asked again."""

LOCK_LEASE = GIVE_UP_AFTER + timedelta(hours=2)
"""How long a check keeps others of the same referral and payer away, even if no worker runs at all."""

_PAUSES = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30))
_LONGEST_PAUSE = timedelta(hours=1)
_MAX_JITTER = 0.2
"""A pause is up to a fifth longer, so that checks that failed together are not repeated together."""


class CheckState(StrEnum):
    """The state of a check, with its names in the API."""

    REQUESTED = "requested"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCheck(KeepsUnknown):
    """One electronic benefits check. Field names are stored.

    Attributes:
        version: Increases by one with each write.
        plan_version: The patient's plan when it was requested; see `CoverageTrack`.
        attempts: How many attempts have ended.
        next_try_at: When the payer is asked again; None once it has ended.
        reason: Stable, such as `timeout`, `needs_correction`; of the last attempt or of the end.
        message: For people: why it waits, or why it failed.
        waits_for_payer: Whether the payer is not asked at the moment, because it did not respond to others.
        date_retried: Whether the question was repeated with today's date, because the payer asked for that.
        filed: Whether the answer came after the plan changed, so that it moved nothing.
    """

    check_id: str
    version: int
    state: CheckState
    payer_id: str
    payer_name: str
    question: BenefitsQuestion
    plan_version: int
    requested_at: datetime
    requested_by: str
    attempts: int = 0
    next_try_at: datetime | None = None
    ended_at: datetime | None = None
    reading: AnswerReading | None = None
    reason: str | None = None
    message: str | None = None
    waits_for_payer: bool = False
    date_retried: bool = False
    filed: bool = False

    @property
    def gives_up_at(self) -> datetime:
        """Until when the payer is asked again."""
        return self.requested_at + GIVE_UP_AFTER


def compute_next_try(check: CoverageCheck, *, now: datetime, not_before: datetime | None = None) -> datetime:
    """Compute when the payer is asked again after an attempt that has just ended.

    The jitter follows from the check and the attempt, so that a repeat of the same run plans the same time.
    """
    pause = _PAUSES[check.attempts] if check.attempts < len(_PAUSES) else _LONGEST_PAUSE
    digest = hashlib.sha256(f"{check.check_id}/{check.attempts}".encode()).digest()
    jittered = pause * (1 + _MAX_JITTER * digest[0] / 255)
    return max(now + jittered, not_before or now)


MESSAGES_BY_END: dict[ReadingState, str] = {
    ReadingState.NEEDS_CALL: "The payer does not answer this electronically. Call the payer and enter the result.",
    ReadingState.NEEDS_SET_UP: "This payer is not set up for electronic checks of your practice. Call the payer.",
    ReadingState.OUR_ERROR: "We sent an incomplete request. We have been notified. Call the payer meanwhile.",
    ReadingState.NEEDS_CORRECTION: "The payer does not find this member. Correct the entry, then check again.",
    ReadingState.ANOTHER_PERSON: (
        "The payer answered about a person with another last name or date of birth. Compare the entries, "
        "then check again."
    ),
    ReadingState.ASK_AGAIN: "The payer did not answer in 24 hours. Call the payer, or check again later.",
    ReadingState.ASK_AGAIN_TODAY: "The payer does not answer for this date. Call the payer and enter the result.",
}
"""What people read if a check ended without facts and the payer gave no reason of its own."""


def describe_end(reading: AnswerReading) -> str:
    """Say in plain words why a check ended without facts: the payer's own reason first."""
    first = next((each.sentence for each in reading.rejections), None)
    return first or MESSAGES_BY_END[reading.state]


MAX_STORED_ROWS_CHARS = 200_000
"""How many characters of rows a stored check keeps. An item of the table has at most 400 KB."""


def limit_rows(reading: AnswerReading) -> AnswerReading:
    """Leave out the last rows of an answer that is too large to be stored; the raw answer is kept for audit."""
    kept, chars = [], 0
    for row in reading.answer.rows:
        chars += len(repr(row))
        if chars > MAX_STORED_ROWS_CHARS:
            break
        kept.append(row)
    left_out = len(reading.answer.rows) - len(kept)
    answer = replace(reading.answer, rows=tuple(kept), rows_left_out=reading.answer.rows_left_out + left_out)
    return replace(reading, answer=answer) if left_out else reading


_CONDITIONS: dict[NetworkStatus, str] = {
    NetworkStatus.OUT_OF_NETWORK: "The payer answered: out of network.",
    NetworkStatus.DESIGNATED_PROVIDER_REQUIRED: "The payer answered: only at designated centers.",
}
_CALENDAR_PERIODS = frozenset({"23", "24"})
"""X12 period codes: calendar year, and year to date."""

_ANSWERED = {
    CoverageStatus.ACTIVE: "active",
    CoverageStatus.ACTIVE_PENDING: "active",
    CoverageStatus.INACTIVE: "inactive",
    CoverageStatus.INACTIVE_PENDING: "inactive",
}


def build_result_facts(check_id: str, facts: CoverageFacts) -> Facts:
    """Build what an electronic answer enters into the coverage, in the words of a result by hand."""
    conditions = list(filter(None, (_CONDITIONS.get(facts.network.status), *_list_payer_conditions(facts))))
    benefits = _ANSWERED.get(facts.benefits.status)
    outcome = "unable_to_verify" if benefits is None else "verified_with_conditions" if conditions else "verified"
    valid_until = facts.benefits.origin.valid_until
    result = {
        "how": "electronic",
        "outcome": outcome,
        "check_id": check_id,
        "benefits": benefits,
        "authorization": facts.authorization.need,
        "network": facts.network.status,
        "conditions": " ".join(conditions) or None,
        "valid_until": valid_until.isoformat() if valid_until else None,
        "plan_year": "calendar" if _has_calendar_year(facts.benefits.costs) else None,
    }
    return {name: str(value) for name, value in result.items() if value is not None}


def _list_payer_conditions(facts: CoverageFacts) -> Sequence[str]:
    is_secondary = Suggestion.CHECK_PRIMARY_PAYER in facts.suggestions
    return [*facts.network.payer_words, *(["Another payer pays first: check it."] if is_secondary else [])]


def _has_calendar_year(costs: Sequence[CostShare]) -> bool:
    return any(cost.period in _CALENDAR_PERIODS for cost in costs)
