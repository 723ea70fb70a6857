"""Lines of therapy as a record states them: which drug belongs to which line. Nothing is counted here.

FHIR and mCODE have no element for a line. These published ways to state one are read:

- Our own extension of an order or administration (`LINE_OF_THERAPY`).
- HL7's draft guide for pediatric cancer (hl7.fhir.us.pedcan 0.1.0, 2023-10-25): a number as an extension of a
  drug, or of a CarePlan that lists the drugs of the line.
- Onconova (onconova.fhir 0.2.0, 2025-12-04): an EpisodeOfCare with a number, to which administrations refer.

An administration, a dispense or a statement has the line of the order that it names.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeGuard

from chalicelib.domain.eligibility.screen_input import LineOutcome
from chalicelib.services.ehr import fhir_resources as fhir
from chalicelib.services.ehr.fhir_resources import Resource

LINE_OF_THERAPY = "urn:cart-referrals:line-of-therapy"
"""An extension of an order or administration with the line of therapy as the record's own clinicians
count it: `number` (valuePositiveInt), and if known `outcome` (valueCode, the API's name of a response)
and `eventOn` (valueDate)."""

PEDCAN_NUMBER = "http://hl7.org/fhir/us/pedcan/StructureDefinition/pedcan-line-of-therapy-number"
_ONCONOVA = "http://onconova.github.io/fhir/StructureDefinition/onconova-ext-therapy-line-"
ONCONOVA_NUMBER = f"{_ONCONOVA}number"
ONCONOVA_PERIOD = f"{_ONCONOVA}period"
ONCONOVA_PROGRESSION = f"{_ONCONOVA}progression-date"
ONCONOVA_REFERENCE = f"{_ONCONOVA}reference"

MAX_LINES = 30
PREFETCH_PARTS: Mapping[str, str] = {"care_plans": "CarePlan", "episodes": "EpisodeOfCare"}

_READ_STATUSES = frozenset({"active", "completed", "on-hold", "onhold", "finished"})
_UNCLEAR_STATUSES = frozenset({"revoked", "unknown"})
"""A plan that was ended before its time: some of it may have been given."""

_ORDER_ELEMENTS = ("request", "authorizingPrescription", "basedOn")
_OUTCOMES: Mapping[str, LineOutcome] = {outcome.value: outcome for outcome in LineOutcome}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineStatement:
    """What a record states about a line of therapy.

    Attributes:
        started_on: The first day of the line, if it is stated for the line and not for a drug.
        regimen: The name of its regimen; empty if there is none.
    """

    number: int
    outcome: LineOutcome | None = None
    event_on: date | None = None
    started_on: date | None = None
    ended_on: date | None = None
    regimen: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedLines:
    """The lines that a record states outside of its drugs.

    Attributes:
        statements: All of them.
        by_address: The line of each CarePlan or EpisodeOfCare, by `CarePlan/1`.
        by_member: The lines that list a resource, by `MedicationRequest/1`.
        orders: The orders that other resources name, by `MedicationRequest/1`.
        is_unclear: A line may or may not have been given, so the lines cannot be counted.
    """

    statements: tuple[LineStatement, ...] = ()
    by_address: Mapping[str, LineStatement] = field(default_factory=dict)
    by_member: Mapping[str, tuple[LineStatement, ...]] = field(default_factory=dict)
    orders: Mapping[str, Resource] = field(default_factory=dict)
    is_unclear: bool = False

    def find(self, resource: Resource) -> LineStatement | None:
        """The line of a drug's resource; None if none is stated, or if two numbers are."""
        found = list(self._list_statements(resource)) or [
            each for order in self._list_orders(resource) for each in self._list_statements(order)
        ]
        return found[0] if len({each.number for each in found}) == 1 else None

    def _list_statements(self, resource: Resource) -> Iterator[LineStatement]:
        yield from parse_own_statements(resource)
        for reference in _list_extension_values(resource, ONCONOVA_REFERENCE, "valueReference"):
            address = _read_address(reference)
            if address in self.by_address:
                yield self.by_address[address]
        kind, identifier = fhir.read_text(resource, "resourceType"), fhir.read_text(resource, "id")
        yield from self.by_member.get(f"{kind}/{identifier}", ())

    def _list_orders(self, resource: Resource) -> Iterator[Resource]:
        for element in _ORDER_ELEMENTS:
            value = resource.get(element)
            for reference in fhir.keep_objects(value if isinstance(value, list) else [value]):
                if order := self.orders.get(_read_address(reference)):
                    yield order


def parse_stated_lines(prefetched: Mapping[str, Any], *, today: date) -> StatedLines:
    """Parse the CarePlans and EpisodesOfCare that state a line."""
    statements: list[LineStatement] = []
    by_address: dict[str, LineStatement] = {}
    by_member: dict[str, tuple[LineStatement, ...]] = {}
    is_unclear = False
    for part, kind in PREFETCH_PARTS.items():
        for resource in fhir.list_resources(prefetched.get(part), kind):
            statement = _parse_line_resource(resource, today)
            status = fhir.read_text(resource, "status")
            is_unclear = is_unclear or (statement is not None and status in _UNCLEAR_STATUSES)
            if statement and status in _READ_STATUSES:
                statements.append(statement)
                by_address[f"{kind}/{fhir.read_text(resource, 'id')}"] = statement
                for member in _list_members(resource):
                    by_member[member] = (*by_member.get(member, ()), statement)
    orders = fhir.index_resources(prefetched.values(), "MedicationRequest")
    return StatedLines(
        statements=tuple(statements), by_address=by_address, by_member=by_member, orders=orders, is_unclear=is_unclear
    )


def parse_own_statements(resource: Resource) -> Iterator[LineStatement]:
    """The lines that extensions of a drug's resource state."""
    for number in _list_extension_values(resource, PEDCAN_NUMBER, "valuePositiveInt"):
        if _is_line_number(number):
            yield LineStatement(number=number)
    for parts in _list_extension_values(resource, LINE_OF_THERAPY, "extension"):
        values = {fhir.read_text(part, "url"): part for part in fhir.keep_objects(parts)}
        number = values.get("number", {}).get("valuePositiveInt")
        if _is_line_number(number):
            yield LineStatement(
                number=number,
                outcome=_OUTCOMES.get(str(values.get("outcome", {}).get("valueCode"))),
                event_on=fhir.parse_day(values.get("eventOn", {}).get("valueDate")),
            )


def _parse_line_resource(resource: Resource, today: date) -> LineStatement | None:
    numbers = {
        number
        for url in (PEDCAN_NUMBER, ONCONOVA_NUMBER)
        for number in _list_extension_values(resource, url, "valuePositiveInt")
        if _is_line_number(number)
    }
    if len(numbers) != 1:
        return None
    periods = (resource.get("period"), *_list_extension_values(resource, ONCONOVA_PERIOD, "valuePeriod"))
    period = next((each for each in periods if isinstance(each, dict)), {})
    ended_on = fhir.parse_day(period.get("end"))
    progressions = map(fhir.parse_day, _list_extension_values(resource, ONCONOVA_PROGRESSION, "valueDate"))
    return LineStatement(
        number=numbers.pop(),
        event_on=next((day for day in progressions if day), None),
        started_on=fhir.parse_day(period.get("start")),
        # The end of a plan can be in the future.
        ended_on=ended_on if ended_on and ended_on <= today else None,
        regimen=next(_list_regimens(resource), ""),
    )


def _list_regimens(resource: Resource) -> Iterator[str]:
    """The names of a CarePlan's regimen: its title, or the identifiers that the pediatric guide uses for it."""
    names = (resource.get("title"), *(i.get("value") for i in fhir.keep_objects(resource.get("identifier"))))
    if resource.get("resourceType") == "CarePlan":
        yield from (fhir.strip_markup(name) for name in names if isinstance(name, str) and name)


def _list_members(resource: Resource) -> Iterator[str]:
    for activity in fhir.keep_objects(resource.get("activity")):
        outcomes = fhir.keep_objects(activity.get("outcomeReference"))
        yield from filter(None, map(_read_address, [*outcomes, *fhir.keep_objects([activity.get("reference")])]))


def _list_extension_values(resource: Resource, url: str, element: str) -> Iterable[Any]:
    extensions = fhir.keep_objects(resource.get("extension"))
    return [each.get(element) for each in extensions if each.get("url") == url and each.get(element) is not None]


def _read_address(reference: Any) -> str:
    """The last two parts of a reference: `MedicationRequest/1`."""
    address = fhir.read_text(reference, "reference") if isinstance(reference, dict) else ""
    return "/".join(address.partition("/_history/")[0].split("/")[-2:])


def _is_line_number(value: Any) -> TypeGuard[int]:
    return type(value) is int and 1 <= value <= MAX_LINES
