"""The scenarios that a correct sender shows, and which of them were seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chalicelib.domain.referrals.events import Corrected, StageChange
from chalicelib.domain.referrals.missing_steps import find_steps_between
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from infra.conformance.outcomes import Outcome, Verdict
from infra.conformance.signature_faults import SignatureFault

STEPS_TO_INFUSED = (*find_steps_between(Stage.SUBMITTED, Stage.INFUSED), Stage.INFUSED)
"""The steps that a center's system cannot skip, in order."""

SLOW_CLOCK_S = 30
"""From here on, a clock counts as slow. A request that is only slow on its way takes less."""

_PROCESSED = frozenset({Verdict.APPLIED, Verdict.RECORDED})


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something that a sender must show.

    Attributes:
        instruction: What the developer lets the center's system send.
        find_gap: Says what is missing in what was sent; empty if the scenario was seen.
    """

    key: str
    title: str
    instruction: str
    find_gap: Callable[[Sequence[Outcome]], str]


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """Whether a scenario was seen, and what is missing, in plain words."""

    scenario: Scenario
    seen: bool
    gap: str


def check_scenarios(outcomes: Sequence[Outcome]) -> Sequence[ScenarioResult]:
    """Check every scenario against what was received, in the order of the list."""
    gaps = [(scenario, scenario.find_gap(outcomes)) for scenario in SCENARIOS]
    return [ScenarioResult(scenario, not gap, gap) for scenario, gap in gaps]


def list_unexpected_problems(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """List the deliveries with a problem that no scenario asks for.

    A wrong signature and an old timestamp are asked for once; what comes after is a mistake of the sender.
    """
    expected = {SignatureFault.WRONG_SIGNATURE, SignatureFault.OLD_TIMESTAMP}
    found = []
    for outcome in outcomes:
        if outcome.fault in expected:
            expected.remove(outcome.fault)
        elif outcome.problems:
            found.append(outcome)
    return found


def _find_valid_gap(outcomes: Sequence[Outcome]) -> str:
    return "" if _has(outcomes, Verdict.APPLIED) else "No delivery was applied yet."


def _find_wrong_signature_gap(outcomes: Sequence[Outcome]) -> str:
    return _find_fault_gap(outcomes, SignatureFault.WRONG_SIGNATURE)


def _find_old_timestamp_gap(outcomes: Sequence[Outcome]) -> str:
    return _find_fault_gap(outcomes, SignatureFault.OLD_TIMESTAMP)


def _find_fault_gap(outcomes: Sequence[Outcome], fault: SignatureFault) -> str:
    if any(outcome.fault is fault for outcome in outcomes):
        return ""
    others = [outcome for outcome in outcomes if outcome.fault]
    return f"Refused for another reason: {others[-1].problems[0]}" if others else "No such delivery was seen yet."


def _find_slow_clock_gap(outcomes: Sequence[Outcome]) -> str:
    offsets = [o.clock_offset_s for o in outcomes if o.verdict in _PROCESSED and o.clock_offset_s is not None]
    if any(abs(offset) >= SLOW_CLOCK_S for offset in offsets):
        return ""
    return f"Every accepted delivery was less than {SLOW_CLOCK_S} seconds off."


def _find_repeat_gap(outcomes: Sequence[Outcome]) -> str:
    if _has(outcomes, Verdict.DUPLICATE):
        return ""
    repeats = _list_repeats_under_new_ids([o for o in outcomes if o.verdict in {*_PROCESSED, Verdict.PARKED}])
    if repeats:
        return "The same body came under a new webhook-id. A repeat keeps its webhook-id and its bytes."
    return "No delivery came twice yet."


def _find_retry_gap(outcomes: Sequence[Outcome]) -> str:
    failed = next((place for place, o in enumerate(outcomes) if o.verdict is Verdict.UNAVAILABLE), None)
    if failed is None:
        return "The kit answers the delivery after the first valid one with 503. It has not come yet."
    first, later = outcomes[failed], outcomes[failed + 1 :]
    if any(o.webhook_id == first.webhook_id and o.body_hash == first.body_hash and not o.fault for o in later):
        return ""
    if any(o.webhook_id == first.webhook_id for o in later):
        return "The delivery that got 503 came again with other bytes or a wrong signature."
    if any(o.body_hash == first.body_hash for o in later):
        return "The delivery that got 503 came again under a new webhook-id. A retry keeps its webhook-id."
    return "The delivery that got 503 has not come again yet."


def _find_date_gap(outcomes: Sequence[Outcome]) -> str:
    is_seen = any(o.verdict in _PROCESSED and o.event is not None and o.event.is_whole_day for o in outcomes)
    return "" if is_seen else "Every accepted event had a time."


def _find_early_gap(outcomes: Sequence[Outcome]) -> str:
    if any(outcome.released for outcome in outcomes):
        return ""
    waiting = [outcome for outcome in outcomes if outcome.verdict is Verdict.PARKED and outcome.notes]
    return f"An event waits. {waiting[-1].notes[-1]}" if waiting else "No event came before the one that it needs."


def _find_journey_gap(outcomes: Sequence[Outcome]) -> str:
    reported: dict[str, set[Stage]] = {}
    accepted = {o.webhook_id for o in outcomes if o.verdict in _PROCESSED} | {i for o in outcomes for i in o.released}
    for outcome in outcomes:
        if outcome.webhook_id in accepted and isinstance(outcome.event, StageChange):
            reported.setdefault(outcome.referral_id, set()).add(outcome.event.stage)
    gaps = [[step for step in STEPS_TO_INFUSED if step not in stages] for stages in reported.values()]
    missing = min(gaps, key=len, default=list(STEPS_TO_INFUSED))
    return f"Still missing: {'; '.join(STAGE_FACTS[step].label for step in missing)}." if missing else ""


def _find_correction_gap(outcomes: Sequence[Outcome]) -> str:
    is_seen = any(o.verdict in _PROCESSED and isinstance(o.event, Corrected) for o in outcomes)
    return "" if is_seen else "No correction was accepted yet."


def _find_death_gap(outcomes: Sequence[Outcome]) -> str:
    is_seen = any(
        o.verdict in _PROCESSED and isinstance(o.event, StageChange) and o.event.stage is Stage.DECEASED
        for o in outcomes
    )
    return "" if is_seen else "No death was accepted yet."


def _has(outcomes: Sequence[Outcome], verdict: Verdict) -> bool:
    return any(outcome.verdict is verdict for outcome in outcomes)


def _list_repeats_under_new_ids(outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    first_ids: dict[str, str] = {}
    return [o for o in outcomes if first_ids.setdefault(o.body_hash, o.webhook_id) != o.webhook_id]


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "valid_event",
        "A valid event",
        "Report the status accepted for the first referral. The response is 200 with the status applied.",
        _find_valid_gap,
    ),
    Scenario(
        "retry_after_failure",
        "A retry after a failure",
        "Report the next status. The kit answers 503 once, with Retry-After. Send the same delivery again: the same "
        "webhook-id, the same bytes, a new timestamp and a new signature.",
        _find_retry_gap,
    ),
    Scenario(
        "wrong_signature",
        "A wrong signature",
        "Sign a delivery with another secret. The response is 401. Your system must report it to a person.",
        _find_wrong_signature_gap,
    ),
    Scenario(
        "old_timestamp",
        "An old timestamp",
        "Sign a delivery with a time more than 5 minutes ago. The response is 401.",
        _find_old_timestamp_gap,
    ),
    Scenario(
        "slow_clock",
        "A slow clock",
        "Set the sender's clock one to four minutes back, and send an event. It is accepted.",
        _find_slow_clock_gap,
    ),
    Scenario(
        "same_delivery_twice",
        "The same delivery twice",
        "Send a delivery that was accepted again, with its webhook-id and its bytes. The response is duplicate.",
        _find_repeat_gap,
    ),
    Scenario(
        "date_without_time",
        "A date without a time",
        "Report a status with a date such as 2026-10-10, or with midnight at the center. It means the whole day.",
        _find_date_gap,
    ),
    Scenario(
        "early_event",
        "An event that comes too early",
        "Report two steps in the wrong order. The first gets 202 parked, and applies when the second arrives.",
        _find_early_gap,
    ),
    Scenario(
        "whole_journey",
        "The whole journey to the infusion",
        "Report every required status of one referral, up to infused.",
        _find_journey_gap,
    ),
    Scenario(
        "correction",
        "A correction",
        "Send event.corrected with supersedes, the event_id of an earlier response.",
        _find_correction_gap,
    ),
    Scenario(
        "death",
        "A death",
        "Report the status deceased for the second referral.",
        _find_death_gap,
    ),
)
"""In the order in which a developer shows them."""
