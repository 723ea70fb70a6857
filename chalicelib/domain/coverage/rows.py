"""The answer of a payer, row by row, the same for every wire format.

One row is one EB segment of a 271, or one entry of `benefitsInformation`. Codes stay as the payer
sent them, also those that no list knows, because people read the rows next to the derived facts.

Source:
    X12 005010X279A1 271, loop 2110C/D; FHIR R4 CoverageEligibilityResponse, insurance items.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from chalicelib.domain.coverage.rejections import Rejection

_T = TypeVar("_T")

MAX_ROWS = 200
"""How many rows of one answer are kept. This product's limit; real answers have up to about 100."""

MAX_MESSAGE_CHARS = 4_000
"""How many characters of the messages of one row are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedPeriod:
    """A date or period of an answer. Field names are stored.

    Attributes:
        code: X12 date qualifier, such as `346` plan begins, `291` plan, `290` coordination of benefits.
        first: The day, or the first day of a period.
        last: The last day of a period; None for a single day.
    """

    code: str
    first: date
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A number of an answer. Field names are stored.

    Attributes:
        code: X12 reference qualifier, such as `6P` group, `18` plan, `G1` authorization, `F6` Medicare.
    """

    code: str
    value: str
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactWay:
    """One way to reach an organization: kind is `phone`, `fax`, `email`, `url` or the payer's code."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedEntity:
    """A person or organization that a row names. Field names are stored.

    Attributes:
        role: X12 entity code, such as `X3` utilization management, `PRP` primary payer, `1P` provider.
        name: The organization, or the person's names in order.
        id_code: The kind of `entity_id`, such as `PI` payer, `XX` NPI, `SV` provider number.
    """

    role: str
    name: str | None = None
    id_code: str | None = None
    entity_id: str | None = None
    contacts: tuple[ContactWay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BenefitRow:
    """One row of an answer. Field names are stored. What the payer left empty is None.

    Attributes:
        number: Its place in the answer, from 1. Facts name the rows that they come from.
        code: What the row is (EB01), such as `1` active or `C` deductible.
        level: `IND` individual, `FAM` family (EB02).
        service_types: X12 service type codes (EB03).
        insurance_type: Such as `12` PPO, `HM` HMO (EB04).
        plan_name: EB05.
        period: Such as `23` calendar year, `29` remaining (EB06).
        amount: In US dollars (EB07).
        percent: As a fraction: 0.2 is 20% (EB08).
        quantity_code: EB09.
        quantity: EB10.
        authorization: `Y`, `N`, `U` unknown, or None (EB11).
        in_network: Whether the row applies in the plan's network: `Y`, `N`, `W` not applicable, or None
            (EB12). It does not say whether anyone is in the network.
        procedure: Kind and code of a procedure that the row is about (EB13), such as `HC:38228`.
        places_of_service: Codes of places to which the row is limited, such as `21` inpatient hospital.
        messages: In the payer's words.
        rejections: Why the payer could not answer about this row.
    """

    number: int
    code: str
    level: str | None = None
    service_types: tuple[str, ...] = ()
    insurance_type: str | None = None
    plan_name: str | None = None
    period: str | None = None
    amount: Decimal | None = None
    percent: Decimal | None = None
    quantity_code: str | None = None
    quantity: Decimal | None = None
    authorization: str | None = None
    in_network: str | None = None
    procedure: str | None = None
    places_of_service: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    dates: tuple[DatedPeriod, ...] = ()
    references: tuple[Reference, ...] = ()
    entities: tuple[RelatedEntity, ...] = ()
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredPerson:
    """A person as the payer repeats it. Field names are stored. What the payer left out is None."""

    family_name: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    birth_date: date | None = None
    sex: str | None = None
    member_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerAnswer:
    """An answer of a payer that belongs to our question. Field names are stored.

    It answers; it approves nothing.

    Attributes:
        trace_id: The trace id of the question, repeated by the payer.
        answered_at: When we received it.
        payer_name: As the payer calls itself.
        payer_contacts: How to reach the payer.
        subscriber: Who holds the insurance.
        dependent: The patient, if insured through the subscriber.
        dates: Dates of the plan and of the person's coverage, outside of the rows.
        references: Numbers of the plan and of the group, outside of the rows.
        rows: In the payer's order.
        rejections: Why the payer could not answer, outside of the rows.
        rows_left_out: How many rows are not kept, because there were more than `MAX_ROWS`.
    """

    trace_id: str
    answered_at: datetime
    payer_name: str | None = None
    payer_contacts: tuple[ContactWay, ...] = ()
    subscriber: AnsweredPerson | None = None
    dependent: AnsweredPerson | None = None
    dates: tuple[DatedPeriod, ...] = ()
    references: tuple[Reference, ...] = ()
    rows: tuple[BenefitRow, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    rows_left_out: int = 0


class FailureKind(StrEnum):
    """Why an attempt brought no answer, and so who has to act."""

    RETRY = "retry"
    """The payer cannot be reached or is busy. It is asked again."""
    SET_UP = "set_up"
    """Our access to this payer is not set up or was refused. An operator acts."""
    OURS = "ours"
    """We sent something that is not valid. An engineer acts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailure:
    """An attempt that brought no answer to our question. The check stays open. Field names are stored.

    Attributes:
        reason: Stable, such as `timeout`, `truncated`, `http_503`; safe to log.
        sentence: For people. It never contains what was sent or received.
    """

    kind: FailureKind
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One attempt: what was sent, what came back, and what it means.

    `sent` and `received` are health data: they are stored encrypted for audit, and never logged.
    They are empty if nothing was sent or received.
    """

    outcome: PayerAnswer | AttemptFailure
    sent: bytes = b""
    received: bytes = b""


def combine_answers(answers: Sequence[PayerAnswer]) -> PayerAnswer:
    """Combine the answers to the same question for different service types, with new row numbers.

    Raises:
        ValueError: there is no answer, or they belong to different questions.
    """
    if len({answer.trace_id for answer in answers}) != 1:
        raise ValueError("only answers to one question can be combined")
    rows = _drop_repeats([row for answer in answers for row in answer.rows])
    kept = tuple(replace(row, number=number) for number, row in enumerate(rows[:MAX_ROWS], start=1))
    left_out = sum(answer.rows_left_out for answer in answers) + len(rows) - len(kept)
    return replace(
        answers[0],
        answered_at=min(answer.answered_at for answer in answers),
        payer_contacts=_merge(answer.payer_contacts for answer in answers),
        dates=_merge(answer.dates for answer in answers),
        references=_merge(answer.references for answer in answers),
        rows=kept,
        rejections=_merge(answer.rejections for answer in answers),
        rows_left_out=left_out,
    )


def _drop_repeats(rows: Sequence[BenefitRow]) -> Sequence[BenefitRow]:
    """Drop rows that differ only in their number: a payer repeats the plan's rows for each service type."""
    return list(dict.fromkeys(replace(row, number=0) for row in rows))


def _merge(groups: Iterable[tuple[_T, ...]]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(value for group in groups for value in group))
