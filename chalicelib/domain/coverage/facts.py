"""The four facts of a benefits check, each with its source, its date and how long it counts.

They are separate because they come from different places: an electronic answer says what the plan
covers, and rarely whether an authorization is needed. It never says whether a center is in the
network, and never that something is approved. People enter those from a call, a portal or a letter,
in the same types.

Source:
    FHIR R4 CoverageEligibilityResponse: its insurance, benefit period and items.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from chalicelib.domain.coverage.rows import ContactWay, DatedPeriod, Reference

NOT_A_GUARANTEE = "Not a guarantee of coverage."
"""Shown with every result."""


class FactSource(StrEnum):
    """Where a fact comes from."""

    ELECTRONIC = "electronic"
    """A payer's answer to an electronic check."""
    PHONE = "phone"
    PORTAL = "portal"
    LETTER = "letter"
    FAX = "fax"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactOrigin:
    """Where a fact comes from and how long it counts. Field names are stored.

    Attributes:
        as_of: When the payer said it.
        valid_until: The last day on which it counts, in the plan's calendar; None if not known.
        rows: The numbers of the rows it comes from (`BenefitRow.number`); empty if entered by a person.
        entered_by: The member id of who entered it; None for an electronic answer.
        reference_number: The payer's number of the call, letter or case; None if there is none.
        representative: Who answered the call; None if there was none.
    """

    source: FactSource
    as_of: datetime
    valid_until: date | None = None
    rows: tuple[int, ...] = ()
    entered_by: str | None = None
    reference_number: str | None = None
    representative: str | None = None


class CoverageStatus(StrEnum):
    """Whether the plan is in force. It says nothing about a treatment."""

    ACTIVE = "active"
    ACTIVE_PENDING = "active_pending"
    """Active, and the payer investigates."""
    INACTIVE = "inactive"
    INACTIVE_PENDING = "inactive_pending"
    NOT_STATED = "not_stated"


class CostKind(StrEnum):
    """What a patient may have to pay."""

    COINSURANCE = "coinsurance"
    COPAY = "copay"
    DEDUCTIBLE = "deductible"
    OUT_OF_POCKET_LIMIT = "out_of_pocket_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class CostShare:
    """One amount or percentage as the payer stated it. Field names are stored.

    Attributes:
        period: X12 period code, such as `29` remaining; None if the payer did not say.
        amount: In US dollars; None if the payer stated a percentage.
        percent: As a fraction: 0.2 is 20%.
        in_network: Whether it applies in the plan's network: `Y`, `N`, `W`, or None.
        row: The row it comes from; None if entered by a person.
    """

    kind: CostKind
    level: str | None = None
    service_types: tuple[str, ...] = ()
    period: str | None = None
    amount: Decimal | None = None
    percent: Decimal | None = None
    in_network: str | None = None
    row: int | None = None


class PayerRank(StrEnum):
    """The order in which several payers pay."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"
    NOT_STATED = "not_stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPayer:
    """Another coverage of the same person. Field names are stored.

    Attributes:
        insurance_type: X12 insurance type code, such as `MA` Medicare Part A.
        member_number: The member's number there. Health data: shown masked.
        since: Since when this order counts.
    """

    rank: PayerRank
    name: str | None = None
    payer_code: str | None = None
    insurance_type: str | None = None
    member_number: str | None = None
    since: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitsFact:
    """What the plan says about itself. Field names are stored.

    Attributes:
        status: From the rows about the whole plan; from specific service types if there are none.
        covered_service_types: Service types for which the payer states active coverage.
        excluded_service_types: Service types that the payer states as not covered, for any network.
        begins_on: First day of the plan or coverage.
        ends_on: Last day of the plan or coverage.
        group: Group number, as the payer stated it.
        plan_number: Plan number, as the payer stated it.
    """

    origin: FactOrigin
    status: CoverageStatus
    plan_name: str | None = None
    insurance_type: str | None = None
    covered_service_types: tuple[str, ...] = ()
    excluded_service_types: tuple[str, ...] = ()
    begins_on: date | None = None
    ends_on: date | None = None
    group: str | None = None
    plan_number: str | None = None
    costs: tuple[CostShare, ...] = ()
    other_payers: tuple[OtherPayer, ...] = ()
    dates: tuple[DatedPeriod, ...] = ()
    references: tuple[Reference, ...] = ()


class AuthorizationNeed(StrEnum):
    """Whether the payer wants to authorize the treatment before it starts."""

    REQUIRED = "required"
    NOT_REQUIRED = "not_required"
    UNKNOWN = "unknown"
    """The payer says that it does not know."""
    NOT_STATED = "not_stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerContact:
    """Whom to call. Field names are stored."""

    name: str | None
    contacts: tuple[ContactWay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationFact:
    """Whether an authorization is needed, and what the payer said about it. Field names are stored.

    Attributes:
        number: The number of an authorization that the payer already has on file.
        contact: Who handles authorizations.
        payer_words: The messages of the rows it comes from, as the payer wrote them.
    """

    origin: FactOrigin
    need: AuthorizationNeed
    number: str | None = None
    contact: PayerContact | None = None
    payer_words: tuple[str, ...] = ()


class NetworkStatus(StrEnum):
    """What the payer says about its network for this treatment."""

    IN_NETWORK = "in_network"
    """Only as a person at the payer said it. No electronic answer states it."""
    OUT_OF_NETWORK = "out_of_network"
    DESIGNATED_PROVIDER_REQUIRED = "designated_provider_required"
    NOT_APPLICABLE = "not_applicable"
    """The payer says that the plan makes no difference between networks."""
    NOT_STATED = "not_stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFact:
    """What the payer says about its network. Field names are stored.

    Attributes:
        designated_providers: The only providers that the plan accepts for this treatment, if it names them.
        payer_words: The messages of the rows it comes from, as the payer wrote them.
    """

    origin: FactOrigin
    status: NetworkStatus
    designated_providers: tuple[str, ...] = ()
    payer_words: tuple[str, ...] = ()


class DeterminationStatus(StrEnum):
    """What the payer decided about this patient's treatment. Never from a benefits check."""

    NONE = "none"
    APPROVED = "approved"
    DENIED = "denied"
    PENDED = "pended"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeterminationFact:
    """The payer's decision, as a letter, a portal or a person at the payer stated it. Field names are stored.

    Attributes:
        number: The number of the decision.
        begins_on: First day of an approval.
        ends_on: Last day of an approval.
        reason: Why it was denied, in the payer's words.
    """

    origin: FactOrigin
    status: DeterminationStatus
    number: str | None = None
    begins_on: date | None = None
    ends_on: date | None = None
    reason: str | None = None


class Suggestion(StrEnum):
    """What the teams should do about an answer. It changes nothing by itself."""

    ASK_FOR_NEW_CARD = "ask_for_new_card"
    """The coverage has ended. Ask the patient for the new card."""
    CHECK_PRIMARY_PAYER = "check_primary_payer"
    """Another payer pays first."""
    AGREEMENT_NEEDED = "agreement_needed"
    """Out of network, so a single case agreement is probably needed."""
    SUBMIT_AUTHORIZATION = "submit_authorization"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFacts:
    """The four facts of one benefits check. Field names are stored.

    Attributes:
        suggestions: What to do next, as codes: see `Suggestion`.
        disclaimer: Shown with every result.
    """

    benefits: BenefitsFact
    authorization: AuthorizationFact
    network: NetworkFact
    determination: DeterminationFact
    suggestions: tuple[Suggestion, ...] = ()
    disclaimer: str = NOT_A_GUARANTEE
