"""Reads what a person entered with a move as the four facts, in the same types as an electronic answer."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chalicelib.domain.coverage.facts import (
    AuthorizationFact,
    AuthorizationNeed,
    BenefitsFact,
    CoverageStatus,
    DeterminationFact,
    DeterminationStatus,
    FactOrigin,
    FactSource,
    NetworkFact,
    NetworkStatus,
)
from chalicelib.domain.coverage.moves import MoveName
from chalicelib.domain.coverage.track import FactName, Facts

_REQUIREMENTS: Mapping[MoveName, AuthorizationNeed] = {
    MoveName.AUTHORIZATION_REQUIRED: AuthorizationNeed.REQUIRED,
    MoveName.AUTHORIZATION_NOT_REQUIRED: AuthorizationNeed.NOT_REQUIRED,
}


def read_day(facts: Facts, name: str) -> date | None:
    """Read a day of what was entered; None if it was left empty."""
    text = facts.get(name)
    return date.fromisoformat(text) if text else None


def read_entered_facts(
    name: MoveName, facts: Facts, *, at: datetime, member_id: str | None
) -> Mapping[FactName, BenefitsFact | AuthorizationFact | NetworkFact | DeterminationFact]:
    """Read which of the four facts a move says, by name. What it does not mention is absent."""
    if name is MoveName.RESULT_RECORDED:
        return _read_result(facts, _read_origin(facts, "valid_until", at=at, member_id=member_id))
    if name in _REQUIREMENTS and not facts.get("of_result"):
        origin = _read_origin(facts, "valid_until", at=at, member_id=member_id)
        need = AuthorizationFact(origin=origin, need=_REQUIREMENTS[name], payer_words=_read_words(facts, "conditions"))
        return {FactName.AUTHORIZATION: need}
    if name is MoveName.AUTHORIZATION_APPROVED:
        return {FactName.DETERMINATION: _read_approval(facts, at=at, member_id=member_id)}
    if name is MoveName.AUTHORIZATION_DENIED:
        origin = _read_origin(facts, "", at=at, member_id=member_id)
        denial = DeterminationFact(origin=origin, status=DeterminationStatus.DENIED, reason=facts["words"])
        return {FactName.DETERMINATION: denial}
    return {}


def _read_result(facts: Facts, origin: FactOrigin) -> Mapping[FactName, Any]:
    found: dict[FactName, Any] = {}
    if facts.get("benefits"):
        plan_name = facts.get("plan_name")
        found[FactName.BENEFITS] = BenefitsFact(
            origin=origin, status=CoverageStatus(facts["benefits"]), plan_name=plan_name
        )
    if facts.get("authorization"):
        found[FactName.AUTHORIZATION] = AuthorizationFact(
            origin=origin,
            need=AuthorizationNeed(facts["authorization"]),
            payer_words=_read_words(facts, "authorization_detail"),
        )
    if facts.get("network"):
        found[FactName.NETWORK] = NetworkFact(
            origin=origin,
            status=NetworkStatus(facts["network"]),
            payer_words=_read_words(facts, "network_detail"),
        )
    return found


def _read_approval(facts: Facts, *, at: datetime, member_id: str | None) -> DeterminationFact:
    return DeterminationFact(
        origin=_read_origin(facts, "ends_on", at=at, member_id=member_id),
        status=DeterminationStatus.APPROVED,
        number=facts["authorization_number"],
        begins_on=read_day(facts, "begins_on"),
        ends_on=read_day(facts, "ends_on"),
    )


def _read_origin(facts: Facts, last_day: str, *, at: datetime, member_id: str | None) -> FactOrigin:
    called_at = facts.get("called_at")
    return FactOrigin(
        source=FactSource(facts.get("how") or FactSource.LETTER),
        as_of=datetime.fromisoformat(called_at) if called_at else at,
        valid_until=read_day(facts, last_day),
        entered_by=member_id,
        reference_number=facts.get("reference_number"),
        representative=facts.get("representative"),
    )


def _read_words(facts: Facts, name: str) -> tuple[str, ...]:
    return (facts[name],) if facts.get(name) else ()
