"""Derives the four facts from the rows of an answer. What the payer left open stays open."""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from chalicelib.domain.coverage.derive_benefits import derive_benefits, find_ends_on
from chalicelib.domain.coverage.facts import (
    AuthorizationFact,
    AuthorizationNeed,
    BenefitsFact,
    CoverageFacts,
    CoverageStatus,
    DeterminationFact,
    DeterminationStatus,
    FactOrigin,
    FactSource,
    NetworkFact,
    NetworkStatus,
    PayerContact,
    PayerRank,
    Suggestion,
)
from chalicelib.domain.coverage.payers import PayerSetup
from chalicelib.domain.coverage.question import BenefitsQuestion
from chalicelib.domain.coverage.rejections import OUT_OF_NETWORK, Rejection
from chalicelib.domain.coverage.rows import BenefitRow, PayerAnswer

TREATMENT_TYPES = frozenset({"30", "48", "50", "70", "78"})
"""Service types that CAR T can fall under: plan coverage, inpatient, outpatient, transplants, chemotherapy.
An office visit without authorization says nothing about the treatment."""

_OTHER_SUBJECTS = frozenset({"P", "R", "U", "V", "W"})
"""Rows about something else than a benefit: disclaimer, other payer, contact, cannot process, other source."""

_RESTRICTED_TO_PROVIDER = "N"
_UTILIZATION_MANAGEMENT = "X3"
_AUTHORIZATION_NUMBER = "G1"


def derive_facts(question: BenefitsQuestion, answer: PayerAnswer, payer: PayerSetup) -> CoverageFacts:
    """Derive the four facts of one answer.

    The determination is always `none`: an electronic answer decides nothing.
    """
    valid_until = compute_valid_until(question.asked_on, payer.valid_days, find_ends_on(question, answer))
    origin = FactOrigin(source=FactSource.ELECTRONIC, as_of=answer.answered_at, valid_until=valid_until)
    benefits = derive_benefits(question, answer, origin)
    authorization = _derive_authorization(answer, origin)
    network = _derive_network(question, answer, payer, origin)
    return CoverageFacts(
        benefits=benefits,
        authorization=authorization,
        network=network,
        determination=DeterminationFact(origin=origin, status=DeterminationStatus.NONE),
        suggestions=tuple(_list_suggestions(benefits, authorization, network)),
    )


def compute_valid_until(asked_on: date, valid_days: int, ends_on: date | None) -> date:
    """Compute the last day on which an answer counts.

    The earliest of: the end of the plan, the end of the month, and `valid_days` after the question. An
    end in the past is news about the plan, and does not make the news old.

    Source:
        CAQH CORE eligibility data content rule: payers answer up to the end of the current month.
    """
    end_of_month = asked_on.replace(day=monthrange(asked_on.year, asked_on.month)[1])
    days = [end_of_month, asked_on + timedelta(days=valid_days)]
    if ends_on and ends_on >= asked_on:
        days.append(ends_on)
    return min(days)


def _derive_authorization(answer: PayerAnswer, origin: FactOrigin) -> AuthorizationFact:
    relevant = [row for row in answer.rows if _is_about(row, TREATMENT_TYPES)]
    need, basis = _find_need(relevant, complete=not answer.rows_left_out)
    references = [*answer.references, *(each for row in relevant for each in row.references)]
    return AuthorizationFact(
        origin=_with_rows(origin, basis),
        need=need,
        number=next((each.value for each in references if each.code == _AUTHORIZATION_NUMBER), None),
        contact=_find_authorization_contact(answer.rows),
        payer_words=_list_messages(basis),
    )


def _find_need(rows: Sequence[BenefitRow], *, complete: bool) -> tuple[AuthorizationNeed, Sequence[BenefitRow]]:
    """Find whether an authorization is needed, and the rows that say so. An empty indicator is not a no."""
    required = [row for row in rows if row.authorization == "Y"]
    if required:
        return AuthorizationNeed.REQUIRED, required
    if complete and rows and all(row.authorization == "N" for row in rows):
        return AuthorizationNeed.NOT_REQUIRED, rows
    unknown = [row for row in rows if row.authorization == "U"]
    if unknown:
        return AuthorizationNeed.UNKNOWN, unknown
    return AuthorizationNeed.NOT_STATED, []


def _find_authorization_contact(rows: Iterable[BenefitRow]) -> PayerContact | None:
    managers = [each for row in rows for each in row.entities if each.role == _UTILIZATION_MANAGEMENT]
    found = next((each for each in managers if each.contacts), next(iter(managers), None))
    return PayerContact(name=found.name, contacts=found.contacts) if found else None


def _derive_network(
    question: BenefitsQuestion, answer: PayerAnswer, payer: PayerSetup, origin: FactOrigin
) -> NetworkFact:
    relevant = TREATMENT_TYPES | frozenset(question.service_types)
    restricted = [
        row for row in answer.rows if row.code == _RESTRICTED_TO_PROVIDER and row.entities and _is_about(row, relevant)
    ]
    outside, words = _find_out_of_network(question, answer, payer)
    if restricted:
        return NetworkFact(
            origin=_with_rows(origin, [*restricted, *outside]),
            status=NetworkStatus.DESIGNATED_PROVIDER_REQUIRED,
            designated_providers=tuple(
                dict.fromkeys(each.name for row in restricted for each in row.entities if each.name)
            ),
            payer_words=tuple(dict.fromkeys((*_list_messages(restricted), *words))),
        )
    if outside or words:
        return NetworkFact(origin=_with_rows(origin, outside), status=NetworkStatus.OUT_OF_NETWORK, payer_words=words)
    asked = _list_rows_asked_for(question, answer)
    if asked and all(row.in_network == "W" for row in asked):
        return NetworkFact(origin=_with_rows(origin, asked), status=NetworkStatus.NOT_APPLICABLE)
    return NetworkFact(origin=origin, status=NetworkStatus.NOT_STATED)


def _find_out_of_network(
    question: BenefitsQuestion, answer: PayerAnswer, payer: PayerSetup
) -> tuple[Sequence[BenefitRow], tuple[str, ...]]:
    """Find the rows and the words that say "out of network"; both are empty if nothing says so.

    `Y` in a row only says that this row applies in the network, so it never makes a provider part of it.
    """
    phrases = [_squeeze(phrase) for phrase in payer.out_of_network_phrases if _squeeze(phrase)]
    by_words = [
        row
        for row in answer.rows
        if row.code != "R" and any(phrase in _squeeze(text) for text in row.messages for phrase in phrases)
    ]
    asked = _list_rows_asked_for(question, answer)
    by_rows = asked if asked and all(row.in_network == "N" for row in asked) else []
    rows = sorted({row.number: row for row in (*by_words, *by_rows)}.values(), key=lambda row: row.number)
    rejected = [each.sentence for each in list_rejections(answer) if each.code == OUT_OF_NETWORK]
    return rows, tuple(dict.fromkeys((*_list_messages(rows), *rejected)))


def _list_rows_asked_for(question: BenefitsQuestion, answer: PayerAnswer) -> Sequence[BenefitRow]:
    """List the rows for the service types that were asked; none if some rows are not kept, so that "every" is true."""
    if answer.rows_left_out:
        return []
    asked = frozenset(question.service_types)
    return [row for row in answer.rows if row.code not in _OTHER_SUBJECTS and asked & set(row.service_types)]


def list_rejections(answer: PayerAnswer) -> Sequence[Rejection]:
    """List all rejections of an answer, those of the rows last."""
    return [*answer.rejections, *(each for row in answer.rows for each in row.rejections)]


def _list_suggestions(
    benefits: BenefitsFact, authorization: AuthorizationFact, network: NetworkFact
) -> Iterable[Suggestion]:
    if benefits.status in {CoverageStatus.INACTIVE, CoverageStatus.INACTIVE_PENDING}:
        yield Suggestion.ASK_FOR_NEW_CARD
    if any(each.rank is PayerRank.PRIMARY for each in benefits.other_payers):
        yield Suggestion.CHECK_PRIMARY_PAYER
    if network.status is NetworkStatus.OUT_OF_NETWORK:
        yield Suggestion.AGREEMENT_NEEDED
    if authorization.need is AuthorizationNeed.REQUIRED and not authorization.number:
        yield Suggestion.SUBMIT_AUTHORIZATION


def _is_about(row: BenefitRow, types: frozenset[str]) -> bool:
    """Whether a row is about one of these service types. A row without a type is about all of them."""
    return row.code not in _OTHER_SUBJECTS and (not row.service_types or bool(types & set(row.service_types)))


def _with_rows(origin: FactOrigin, rows: Iterable[BenefitRow]) -> FactOrigin:
    return replace(origin, rows=tuple(sorted({row.number for row in rows})))


def _list_messages(rows: Iterable[BenefitRow]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for row in rows for text in row.messages))


def _squeeze(text: str) -> str:
    return " ".join(text.casefold().split())
