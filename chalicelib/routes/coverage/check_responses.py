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
    code: str
    level: str | None
    service_types: list[str]
    plan_name: str | None
    period: str | None
    amount: str | None
    percent: str | None
    authorization: str | None
    in_network: str | None
    messages: list[str]


class MemberDifferenceResponse(TypedDict):
    """What the payer has otherwise about the member. A person decides; nothing is overwritten."""

    pointer: str
    asked: str | None
    answered: str


class PayerRejectionResponse(TypedDict):
    """A reason of the payer. `pointer` is the fact to correct, if it is a single one."""

    code: str
    message: str
    pointer: str | None


class CoverageCheckResponse(TypedDict):
    """An electronic benefits check. The four facts are null until the payer has answered.

    `message` says why it waits or why it failed. `filed` says that the answer is about an earlier plan.
    """

    coverage_check_id: str
    state: str
    payer: str
    requested_at: str
    requested_by: str
    attempts: int
    next_try_at: str | None
    gives_up_at: str
    ended_at: str | None
    reason: str | None
    message: str | None
    filed: bool
    benefits: CoverageFactResponse | None
    authorization: CoverageFactResponse | None
    network: CoverageFactResponse | None
    determination: CoverageFactResponse | None
    as_of: str | None
    valid_until: str | None
    suggestions: list[str]
    differences: list[MemberDifferenceResponse]
    rejections: list[PayerRejectionResponse]
    rows: list[PayerRowResponse]
    rows_left_out: int
    disclaimer: str


class CoverageChecksResponse(TypedDict):
    """The electronic checks of a referral, newest first."""

    items: list[CoverageCheckResponse]


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
