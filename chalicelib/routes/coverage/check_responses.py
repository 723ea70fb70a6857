"""Electronic benefits checks as the API returns them."""

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.coverage.checks import CheckState, CoverageCheck
from chalicelib.domain.coverage.facts import NOT_A_GUARANTEE
from chalicelib.domain.coverage.rows import BenefitRow
from chalicelib.domain.coverage.track import FactName
from chalicelib.routes.coverage.fact_responses import CoverageFactResponse, mask_number, to_fact_response
from chalicelib.routes.platform.timestamps import format_timestamp


class PayerRowResponse(TypedDict):
    """One row of a payer's answer, with its codes as the payer sent them."""

    number: int
    """The number of the row, from 1. Facts name the rows that they rest on."""
    code: str
    """The code of the statement, as the payer sent it."""
    level: str | None
    """Whom it covers, such as the person or the family; null if not stated."""
    service_types: list[str]
    """Codes of the service types to which it applies."""
    plan_name: str | None
    """The name of the plan; null or left out if it is not known."""
    period: str | None
    """The period to which an amount applies, such as a calendar year; null if not stated."""
    amount: str | None
    """An amount in US dollars, as text such as `1500.00`; null if not stated."""
    percent: str | None
    """A percentage, as text such as `20`; null if not stated."""
    authorization: str | None
    """Whether the payer says that an authorization is required; null if not stated."""
    in_network: str | None
    """Whether it applies in the payer's network; null if not stated."""
    messages: list[str]
    """Further words of the payer."""


class MemberDifferenceResponse(TypedDict):
    """What the payer has otherwise about the member. A person decides; nothing is overwritten."""

    pointer: str
    """Where the value is in a referral, as a JSON pointer (RFC 6901)."""
    asked: str | None
    """What was sent to the payer; null if nothing was."""
    answered: str
    """What the payer has."""


class PayerRejectionResponse(TypedDict):
    """A reason of the payer. `pointer` is the fact to correct, if it is a single one."""

    code: str
    """The payer's code of the reason (AAA)."""
    message: str
    """What to do about it, in plain words."""
    pointer: str | None
    """The fact to correct, as a JSON pointer; null if it is not a single one."""


class CoverageCheckResponse(TypedDict):
    """An electronic benefits check. The four facts are null until the payer has answered.

    `message` says why it waits or why it failed. `filed` says that the answer is about an earlier plan.
    """

    coverage_check_id: str
    """The ID of the electronic check."""
    state: str
    """The state of the check: `requested`, `completed` or `failed`."""
    payer: str
    """The payer that was asked."""
    requested_at: str
    """When it was requested (RFC 3339, UTC)."""
    requested_by: str
    """The name of the person who requested it."""
    attempts: int
    """How many times the payer was asked."""
    next_try_at: str | None
    """When the payer is asked again (RFC 3339, UTC); null if it is not."""
    gives_up_at: str
    """When the check stops trying (RFC 3339, UTC)."""
    ended_at: str | None
    """When the check ended (RFC 3339, UTC); null while it is open."""
    reason: str | None
    """A code for why it failed; null if it did not."""
    message: str | None
    """What to do now, in plain words; null if nothing."""
    filed: bool
    """Whether the answer is about an earlier plan, so that it changed nothing."""
    benefits: CoverageFactResponse | None
    """The fact about the benefits; null until the payer has answered."""
    authorization: CoverageFactResponse | None
    """The fact about the authorization requirement; null until the payer has answered."""
    network: CoverageFactResponse | None
    """The fact about the network; null until the payer has answered."""
    determination: CoverageFactResponse | None
    """The fact about the payer's decision; null until the payer has answered."""
    as_of: str | None
    """When the payer answered (RFC 3339, UTC); null until it has."""
    valid_until: str | None
    """The last day on which the fact counts (YYYY-MM-DD); null if it is not known."""
    suggestions: list[str]
    """What to do next, as codes. A person decides."""
    differences: list[MemberDifferenceResponse]
    """What the payer has otherwise about the member."""
    rejections: list[PayerRejectionResponse]
    """The payer's reasons for no answer."""
    rows: list[PayerRowResponse]
    """The rows of the answer, as the payer sent them."""
    rows_left_out: int
    """How many more rows the payer sent than are shown."""
    disclaimer: str
    """The statement to show with it."""


class CoverageChecksResponse(TypedDict):
    """The electronic checks of a referral, newest first."""

    items: list[CoverageCheckResponse]
    """The checks, newest first."""


def to_check_response(check: CoverageCheck) -> CoverageCheckResponse:
    """One check with what the payer answered."""
    reading = check.reading
    facts = reading.facts if reading and check.state is CheckState.COMPLETED else None
    origin = facts.benefits.origin if facts else None
    return {
        "coverage_check_id": check.check_id,
        "state": check.state,
        "payer": check.payer_name,
        "requested_at": format_timestamp(check.requested_at),
        "requested_by": check.requested_by,
        "attempts": check.attempts,
        "next_try_at": format_timestamp(check.next_try_at) if check.next_try_at else None,
        "gives_up_at": format_timestamp(check.gives_up_at),
        "ended_at": format_timestamp(check.ended_at) if check.ended_at else None,
        "reason": check.reason,
        "message": check.message,
        "filed": check.filed,
        "benefits": to_fact_response(FactName.BENEFITS, facts.benefits) if facts else None,
        "authorization": to_fact_response(FactName.AUTHORIZATION, facts.authorization) if facts else None,
        "network": to_fact_response(FactName.NETWORK, facts.network) if facts else None,
        "determination": to_fact_response(FactName.DETERMINATION, facts.determination) if facts else None,
        "as_of": format_timestamp(origin.as_of) if origin else None,
        "valid_until": origin.valid_until.isoformat() if origin and origin.valid_until else None,
        "suggestions": list(facts.suggestions) if facts else [],
        "differences": [
            {
                "pointer": each.pointer,
                "asked": _hide_member_id(each.pointer, each.asked),
                "answered": each.answered,
            }
            for each in (reading.differences if reading else ())
        ],
        "rejections": [
            {"code": each.code, "message": each.sentence, "pointer": each.pointer}
            for each in (reading.rejections if reading else ())
        ],
        "rows": [_to_row_response(row) for row in (reading.answer.rows if reading else ())],
        "rows_left_out": reading.answer.rows_left_out if reading else 0,
        "disclaimer": NOT_A_GUARANTEE,
    }


def _hide_member_id(pointer: str, text: str | None) -> str | None:
    return mask_number(text) if pointer == "/insurance/member_id" else text


def _to_row_response(row: BenefitRow) -> PayerRowResponse:
    return {
        "number": row.number,
        "code": row.code,
        "level": row.level,
        "service_types": list(row.service_types),
        "plan_name": row.plan_name,
        "period": row.period,
        "amount": f"{row.amount:f}" if row.amount is not None else None,
        "percent": f"{row.percent:f}" if row.percent is not None else None,
        "authorization": row.authorization,
        "in_network": row.in_network,
        "messages": list(row.messages),
    }
