"""Checks what is entered with a move beyond its shape: what a phone call needs, and dates that contradict each other.

News may come late, so a date in the past is an error only where it makes the entry useless.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

from chalicelib.domain.coverage.entered_facts import read_day
from chalicelib.domain.coverage.moves import MoveName
from chalicelib.domain.coverage.track import CoverageTrack, Facts, is_authorization_over
from chalicelib.domain.platform.dates import format_date
from chalicelib.errors import FieldError


def list_fact_errors(name: MoveName, facts: Facts, track: CoverageTrack, *, today: date) -> Sequence[FieldError]:
    """List what is wrong with the facts of a move, each with its field. `today` is the day at the practice."""
    check = _CHECKS.get(name)
    return list(check(facts, track, today)) if check else []


def _check_result(facts: Facts, _: CoverageTrack, today: date) -> Iterator[FieldError]:
    if facts["how"] == "phone" and facts["outcome"] != "unable_to_verify":
        yield from _require_call(facts)
    if facts["how"] == "phone" and not facts.get("called_at"):
        yield FieldError("/called_at", "missing", "Enter when the call was.")
    valid_until = read_day(facts, "valid_until")
    if valid_until and valid_until < today:
        message = "This date is in the past. Enter the last day it is valid, or leave it empty."
        yield FieldError("/valid_until", "in_the_past", message)
    if facts["outcome"] == "verified_with_conditions" and not facts.get("conditions"):
        yield FieldError("/conditions", "missing", "Enter the conditions in the payer's words.")
    if facts["outcome"] != "unable_to_verify" and not facts.get("benefits"):
        yield FieldError("/benefits", "missing", "Enter whether the benefits are active.")


def _require_call(facts: Facts) -> Iterator[FieldError]:
    if not facts.get("reference_number"):
        yield FieldError("/reference_number", "missing", "Enter the reference number of the call.")
    if not facts.get("representative"):
        yield FieldError("/representative", "missing", "Enter who at the payer you spoke with.")


def _check_approval(facts: Facts, track: CoverageTrack, _: date) -> Iterator[FieldError]:
    yield from _require_order(facts, "begins_on", "ends_on", "The last day is before the first day.")
    submitted_on = track.get_day(MoveName.AUTHORIZATION_SUBMITTED, "submitted_on")
    decided_on = read_day(facts, "decided_on")
    if submitted_on and decided_on and decided_on < submitted_on:
        message = "The decision is before the request was submitted. Check both dates."
        yield FieldError("/decided_on", "before_submission", message)


def _check_denial(facts: Facts, track: CoverageTrack, _: date) -> Iterator[FieldError]:
    yield from _require_order(facts, "letter_on", "deadline", "The deadline is before the letter. Check both dates.")
    submitted_on, letter_on = (
        track.get_day(MoveName.AUTHORIZATION_SUBMITTED, "submitted_on"),
        read_day(facts, "letter_on"),
    )
    if submitted_on and letter_on and letter_on < submitted_on:
        message = "The letter is before the request was submitted. Check both dates."
        yield FieldError("/letter_on", "before_submission", message)
    if facts.get("peer_to_peer_offered") is not False and not facts.get("peer_to_peer_phone"):
        message = "Enter the phone number for a peer-to-peer call, or say that the payer offers none."
        yield FieldError("/peer_to_peer_phone", "missing", message)


def _check_appeal(facts: Facts, track: CoverageTrack, _: date) -> Iterator[FieldError]:
    yield from _require_order(facts, "filed_on", "deadline", "The payer's deadline is before the appeal was filed.")
    letter_on, filed_on = track.get_day(MoveName.AUTHORIZATION_DENIED, "letter_on"), read_day(facts, "filed_on")
    if letter_on and filed_on and filed_on < letter_on:
        yield FieldError("/filed_on", "before_denial", "The appeal is before the denial. Check both dates.")


def _check_submission(facts: Facts, _: CoverageTrack, __: date) -> Iterator[FieldError]:
    yield from _require_order(facts, "submitted_on", "decision_by", "The decision is expected before the submission.")


def _check_agreement(facts: Facts, _: CoverageTrack, __: date) -> Iterator[FieldError]:
    yield from _require_order(facts, "begins_on", "ends_on", "The last day is before the first day.")


def _check_clearance(facts: Facts, track: CoverageTrack, today: date) -> Iterator[FieldError]:
    until = read_day(facts, "until")
    authorized_until = track.status.authorized_until
    if authorized_until and is_authorization_over(track.status, today=today):
        # It would end at once, because a clearance does not outlive its authorization.
        message = (
            f"The payer's authorization ended on {format_date(authorized_until)}. Record the new authorization, "
            "or that none is required, first."
        )
        yield FieldError("/until", "authorization_ended", message)
    if until and until < today:
        yield FieldError("/until", "in_the_past", "This date is in the past. Enter the last day of the clearance.")


def _require_order(facts: Facts, first: str, last: str, message: str) -> Iterator[FieldError]:
    first_day, last_day = read_day(facts, first), read_day(facts, last)
    if first_day and last_day and last_day < first_day:
        yield FieldError(f"/{last}", "contradictory", message)


_CHECKS: Mapping[MoveName, Callable[[Facts, CoverageTrack, date], Iterator[FieldError]]] = {
    MoveName.RESULT_RECORDED: _check_result,
    MoveName.AUTHORIZATION_SUBMITTED: _check_submission,
    MoveName.AUTHORIZATION_APPROVED: _check_approval,
    MoveName.AUTHORIZATION_DENIED: _check_denial,
    MoveName.APPEAL_FILED: _check_appeal,
    MoveName.AGREEMENT_SIGNED: _check_agreement,
    MoveName.CLEARED: _check_clearance,
}
