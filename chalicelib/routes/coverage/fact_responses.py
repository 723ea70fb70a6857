"""The four facts as the API returns them: answer, source, as of, valid until, each separately."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

# pydantic needs this one on Python 3.11.
from typing_extensions import TypedDict

from chalicelib.domain.coverage.facts import (
    AuthorizationFact,
    BenefitsFact,
    CostShare,
    DeterminationFact,
    FactOrigin,
    NetworkFact,
    OtherPayer,
)
from chalicelib.domain.coverage.track import FactName, KnownFacts
from chalicelib.routes.platform.timestamps import format_timestamp


class CostShareResponse(TypedDict):
    """What a patient may have to pay, as the payer stated it: an amount in US dollars or a percentage, as text."""

    kind: str
    """The kind of cost, such as a deductible or a copay."""
    level: str | None
    """Whom it covers, such as the person or the family; null if not stated."""
    service_types: list[str]
    """Codes of the service types to which it applies."""
    period: str | None
    """The period to which an amount applies, such as a calendar year; null if not stated."""
    amount: str | None
    """An amount in US dollars, as text such as `1500.00`; null if not stated."""
    percent: str | None
    """A percentage, as text such as `20`; null if not stated."""
    in_network: str | None
    """Whether it applies in the payer's network; null if not stated."""


class OtherPayerResponse(TypedDict):
    """Another coverage of the patient. The member's number is masked."""

    rank: str
    """The order of the payers, such as primary or secondary."""
    name: str | None
    """The name of the other payer; null if not stated."""
    insurance_type: str | None
    """The type of insurance, as the payer calls it; null if not stated."""
    member_number: str | None
    """The member's number."""
    since: str | None
    """Since when it applies (YYYY-MM-DD); null if not stated."""


class FactOriginResponse(TypedDict):
    """Where a fact comes from and how long it counts. `rows` are those of the electronic answer."""

    source: str | None
    """A code for where the fact comes from; null if no one asked."""
    source_label: str | None
    """Where the fact comes from, for display; null if no one asked."""
    as_of: str | None
    """When the payer said so (RFC 3339, UTC); null if no one asked."""
    valid_until: str | None
    """The last day on which the fact counts (YYYY-MM-DD); null if it is not known."""
    reference_number: str | None
    """The payer's reference number for the call or answer; null or left out without one."""
    representative: str | None
    """The name of the payer's representative; null or left out without one."""
    rows: list[int]
    """The numbers of the rows of the electronic answer that it rests on."""


class FactContentResponse(TypedDict):
    """What a fact says besides its answer, as far as it has that."""

    words: list[str]
    """Further words of the payer or the person who asked."""
    plan_name: str | None
    """The name of the plan; null or left out if it is not known."""
    begins_on: str | None
    """The first day (YYYY-MM-DD); null if not stated."""
    ends_on: str | None
    """The last day (YYYY-MM-DD); null if not stated."""
    costs: list[CostShareResponse]
    """What the patient may have to pay."""
    other_payers: list[OtherPayerResponse]
    """Other coverage that the payer named."""
    contact: str | None
    """Whom to ask at the payer; null if not stated."""
    number: str | None
    """The number of an authorization; null if not stated."""


class CoverageFactResponse(FactOriginResponse, FactContentResponse):
    """One of the four facts. `answer` is `not_stated` if the payer did not say, and null if no one asked."""

    fact: str
    """Which of the four facts: `benefits`, `authorization`, `network` or `determination`."""
    label: str
    """The words for it, for display."""
    answer: str | None
    """The answer as a code; `not_stated` if the payer did not say, null if no one asked."""
    answer_label: str
    """The answer in words, for display."""
    of_earlier_plan: bool
    """Whether it is about a plan that the patient no longer has."""


FACT_LABELS: Mapping[FactName, str] = {
    FactName.BENEFITS: "Benefits",
    FactName.AUTHORIZATION: "Authorization",
    FactName.NETWORK: "Network",
    FactName.DETERMINATION: "Determination",
}

_ANSWER_LABELS: Mapping[str, str] = {
    "active": "Active",
    "active_pending": "Active, the payer investigates",
    "inactive": "Not active",
    "inactive_pending": "Not active, the payer investigates",
    "required": "Required",
    "not_required": "Not required",
    "unknown": "The payer does not know",
    "in_network": "Center in network",
    "out_of_network": "Out of network",
    "designated_provider_required": "Only at a designated center",
    "not_applicable": "The plan has no network",
    "not_stated": "The payer did not say",
    "none": "None yet",
    "approved": "Approved",
    "denied": "Denied",
    "pended": "Pending at the payer",
    "not_asked": "Not asked",
}
_NO_ANSWER: Mapping[FactName, str] = {FactName.DETERMINATION: "none"}
"""A payer decides without being asked again, so that there is no decision says nothing about who asked."""
SOURCE_LABELS: Mapping[str, str] = {
    "electronic": "Electronic check",
    "phone": "Phone",
    "portal": "Payer's portal",
    "letter": "Letter",
    "fax": "Fax",
}

AnyFact = BenefitsFact | AuthorizationFact | NetworkFact | DeterminationFact


def to_fact_responses(known: KnownFacts) -> list[CoverageFactResponse]:
    """The four facts in their order; one that no one asked about has no answer."""
    facts: Mapping[FactName, AnyFact | None] = {
        FactName.BENEFITS: known.benefits,
        FactName.AUTHORIZATION: known.authorization,
        FactName.NETWORK: known.network,
        FactName.DETERMINATION: known.determination,
    }
    return [to_fact_response(name, fact, earlier=name in known.of_earlier_plan) for name, fact in facts.items()]


def to_fact_response(name: FactName, fact: AnyFact | None, *, earlier: bool = False) -> CoverageFactResponse:
    """One fact."""
    origin = fact.origin if fact else None
    answer = None if fact is None else fact.need if isinstance(fact, AuthorizationFact) else fact.status
    return {
        "fact": name,
        "label": FACT_LABELS[name],
        "answer": answer,
        "answer_label": _ANSWER_LABELS[answer or _NO_ANSWER.get(name, "not_asked")],
        "of_earlier_plan": earlier,
        **_describe_origin(origin),
        **_describe_content(fact),
    }


def _describe_origin(origin: FactOrigin | None) -> FactOriginResponse:
    return {
        "source": origin.source if origin else None,
        "source_label": SOURCE_LABELS[origin.source] if origin else None,
        "as_of": format_timestamp(origin.as_of) if origin else None,
        "valid_until": origin.valid_until.isoformat() if origin and origin.valid_until else None,
        "reference_number": origin.reference_number if origin else None,
        "representative": origin.representative if origin else None,
        "rows": list(origin.rows) if origin else [],
    }


def _describe_content(fact: AnyFact | None) -> FactContentResponse:
    content: FactContentResponse = {
        "words": [],
        "plan_name": None,
        "begins_on": None,
        "ends_on": None,
        "costs": [],
        "other_payers": [],
        "contact": None,
        "number": None,
    }
    match fact:
        case BenefitsFact():
            content["plan_name"] = fact.plan_name
            content["costs"] = [_to_cost_response(cost) for cost in fact.costs]
            content["other_payers"] = [_to_payer_response(payer) for payer in fact.other_payers]
        case AuthorizationFact():
            content["words"] = list(fact.payer_words)
            content["number"] = fact.number
            content["contact"] = _format_contact(fact)
        case NetworkFact():
            content["words"] = [*fact.payer_words, *fact.designated_providers]
        case DeterminationFact():
            content["words"] = [fact.reason] if fact.reason else []
            content["number"] = fact.number
    if isinstance(fact, BenefitsFact | DeterminationFact):
        content["begins_on"] = fact.begins_on.isoformat() if fact.begins_on else None
        content["ends_on"] = fact.ends_on.isoformat() if fact.ends_on else None
    return content


def _to_cost_response(cost: CostShare) -> CostShareResponse:
    return {
        "kind": cost.kind,
        "level": cost.level,
        "service_types": list(cost.service_types),
        "period": cost.period,
        "amount": _format_number(cost.amount),
        "percent": _format_number(cost.percent),
        "in_network": cost.in_network,
    }


def _to_payer_response(payer: OtherPayer) -> OtherPayerResponse:
    return {
        "rank": payer.rank,
        "name": payer.name,
        "insurance_type": payer.insurance_type,
        "member_number": mask_number(payer.member_number),
        "since": payer.since.isoformat() if payer.since else None,
    }


def mask_number(number: str | None) -> str | None:
    """Hide all of a member's number but its last four characters."""
    return f"••• {number[-4:]}" if number else None


def _format_number(number: Decimal | None) -> str | None:
    return f"{number:f}" if number is not None else None


def _format_contact(fact: AuthorizationFact) -> str | None:
    if fact.contact is None:
        return None
    ways: Sequence[str] = [way.value for way in fact.contact.contacts]
    return ", ".join(filter(None, (fact.contact.name, *ways))) or None
