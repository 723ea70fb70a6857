"""Hints that a referral may be for another center or product, or that its facts contradict each other.

A hint blocks nothing and says nothing about whether CAR T is right for a patient: that is the center's
decision. It compares what was entered with the center's directory entry, the product's label and the code
list. A fact that is unknown gives no hint. Hints are computed when a referral is read, so they follow
every change of its facts, its product and the directory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.platform.partial_dates import parse_partial_date
from chalicelib.domain.referrals.stages import Phase

HINTED_PHASES = frozenset(
    {Phase.ELIGIBILITY, Phase.REFERRAL, Phase.CONSULTATION, Phase.COLLECTION, Phase.MANUFACTURING}
)
"""While these last, the center, the product or the code can still be changed for this treatment."""

ADULT_AGE = 18
"""From this age in years a patient counts as an adult. Source: the US labels of all products, as in the catalog."""

OLDEST_YOUNG_ADULT = 25
"""Up to this age in years, centers for children may treat young adults. Source: the label of Kymriah for
B-cell ALL ("up to 25 years of age"), revised 2025-06, the oldest age that a pediatric indication names."""


class RoutingHintKind(StrEnum):
    """What does not fit. The codes are part of the API."""

    CENTER_DOES_NOT_OFFER_PRODUCT = "center_does_not_offer_product"
    CENTER_DOES_NOT_LIST_DISEASE = "center_does_not_list_disease"
    CENTER_TREATS_ADULTS_ONLY = "center_treats_adults_only"
    CENTER_TREATS_CHILDREN_ONLY = "center_treats_children_only"
    PRODUCT_NOT_LABELED_FOR_DISEASE = "product_not_labeled_for_disease"
    PATIENT_AGE_OUTSIDE_LABEL = "patient_age_outside_label"
    CODE_DOES_NOT_MATCH_DISEASE = "code_does_not_match_disease"
    CODE_NOT_IN_KNOWN_RELEASE = "code_not_in_known_release"


class RoutingHint(NamedTuple):
    """One hint: what does not fit, the field to check, and a sentence for both sides."""

    kind: RoutingHintKind
    pointer: str
    message: str


class AgeRange(NamedTuple):
    """Ages in years, both included; None is no limit."""

    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingFacts:
    """What was entered. None means unknown.

    Attributes:
        birth_date: A whole or partial date, such as "1961-04-02" or "1961".
        referred_on: The day of the referral; the age counts on this day.
        disease_name: In words, for sentences.
        code_diseases: The diseases that the ICD-10-CM code is offered for; empty if there is no code, or if
            the code does not decide.
        ended_release: The name of the code release of this site, if it has ended and does not have the code.
    """

    birth_date: str | None
    referred_on: date
    disease: str | None
    disease_name: str | None
    code_diseases: Sequence[str] = ()
    ended_release: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CenterOffer:
    """The center's directory entry.

    Attributes:
        age_group: `adult`, `pediatric` or `all`; None if the entry does not say it.
        diseases_by_product: What it offers; empty if the entry lists no products.
    """

    age_group: str | None
    diseases_by_product: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductLabel:
    """The label of the product that the referral is about: for each disease, the ages of each indication row."""

    product_id: str
    name: str
    ages_by_disease: Mapping[str, Sequence[AgeRange]]


def find_routing_hints(
    facts: RoutingFacts, *, center: CenterOffer | None, label: ProductLabel | None
) -> Sequence[RoutingHint]:
    """Find what does not fit, in the order of the kinds.

    Args:
        facts: What was entered.
        center: None if no center is chosen, or the directory does not know it.
        label: None if no product is named, or the catalog does not know it.
    """
    ages = _compute_possible_ages(facts.birth_date, facts.referred_on)
    found = [
        *(_compare_with_center(facts, ages, center, label) if center else ()),
        *(_compare_with_label(facts, ages, label) if label else ()),
    ]
    if facts.disease and facts.code_diseases and facts.disease not in facts.code_diseases:
        text = (
            f"The ICD-10-CM code belongs to another disease than {facts.disease_name}. Check the code and the disease."
        )
        found.append(RoutingHint(RoutingHintKind.CODE_DOES_NOT_MATCH_DISEASE, "/clinical/icd10", text))
    if facts.ended_release:
        text = (
            f"The ICD-10-CM code is not in {facts.ended_release}, the newest release that this site has. That release"
            " has ended. Check the code in the current release."
        )
        found.append(RoutingHint(RoutingHintKind.CODE_NOT_IN_KNOWN_RELEASE, "/clinical/icd10", text))
    return found


def _compare_with_center(
    facts: RoutingFacts, ages: range | None, center: CenterOffer, label: ProductLabel | None
) -> Iterator[RoutingHint]:
    offers = center.diseases_by_product
    if label and offers and label.product_id not in offers:
        text = (
            f"The center's directory entry does not list {label.name}. Ask the center whether it offers this product."
        )
        yield RoutingHint(RoutingHintKind.CENTER_DOES_NOT_OFFER_PRODUCT, "/center_id", text)
    elif offers and facts.disease:
        listed = [offers[label.product_id]] if label else list(offers.values())
        is_labeled = label is None or facts.disease in label.ages_by_disease
        if is_labeled and all(listed) and not any(facts.disease in diseases for diseases in listed):
            what = f"{label.name} for {facts.disease_name}" if label else facts.disease_name
            text = f"The center's directory entry does not list {what}. Ask the center whether it treats this disease."
            yield RoutingHint(RoutingHintKind.CENTER_DOES_NOT_LIST_DISEASE, "/center_id", text)
    if ages is None:
        return
    if center.age_group == "adult" and ages[-1] < ADULT_AGE:
        text = f"The directory lists this center for adults only, and the patient is younger than {ADULT_AGE}."
        yield RoutingHint(RoutingHintKind.CENTER_TREATS_ADULTS_ONLY, "/center_id", text)
    if center.age_group == "pediatric" and ages[0] > OLDEST_YOUNG_ADULT:
        text = f"The directory lists this center for children only, and the patient is older than {OLDEST_YOUNG_ADULT}."
        yield RoutingHint(RoutingHintKind.CENTER_TREATS_CHILDREN_ONLY, "/center_id", text)


def _compare_with_label(facts: RoutingFacts, ages: range | None, label: ProductLabel) -> Iterator[RoutingHint]:
    if facts.disease is None:
        return
    ranges = label.ages_by_disease.get(facts.disease)
    if ranges is None:
        text = f"The label of {label.name} does not name {facts.disease_name}. Check the product and the disease."
        yield RoutingHint(RoutingHintKind.PRODUCT_NOT_LABELED_FOR_DISEASE, "/product_id", text)
    elif ages is not None and ranges and not any(_can_be_within(ages, each) for each in ranges):
        described = " or ".join(dict.fromkeys(map(_describe_range, ranges)))
        text = (
            f"The label of {label.name} for {facts.disease_name} is for patients {described}. "
            "Check the date of birth and the product."
        )
        yield RoutingHint(RoutingHintKind.PATIENT_AGE_OUTSIDE_LABEL, "/product_id", text)


def _can_be_within(ages: range, limits: AgeRange) -> bool:
    return (limits.most is None or ages[0] <= limits.most) and (limits.least is None or ages[-1] >= limits.least)


def _describe_range(limits: AgeRange) -> str:
    if limits.most is None:
        return f"aged {limits.least or 0} or older"
    return f"aged {limits.most} or younger" if limits.least is None else f"aged {limits.least} to {limits.most}"


def _compute_possible_ages(birth_date: str | None, on: date) -> range | None:
    """Compute the ages in years that the patient can have on a day; None if the date of birth does not say it."""
    try:
        born = parse_partial_date(birth_date or "")
    except ValueError:
        return None
    if born is None:
        return None
    first, last = born
    youngest, oldest = _compute_age(last, on), _compute_age(first, on)
    return range(youngest, oldest + 1) if oldest >= 0 else None


def _compute_age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
