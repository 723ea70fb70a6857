"""Find the routing hints of a referral or a row of a list: facts from the cached directory and the catalog only.

Nothing is stored and no table is read, apart from the directory of centers that is in memory already.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from chalicelib import catalog
from chalicelib.catalog import diagnoses
from chalicelib.catalog.diagnoses import SUBCATEGORIES_BY_DISEASE, list_diseases_for_code
from chalicelib.domain.referrals.history_start import get_referred_on
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.routing_hints import (
    HINTED_PHASES,
    AgeRange,
    CenterOffer,
    ProductLabel,
    RoutingFacts,
    RoutingHint,
    find_routing_hints,
)
from chalicelib.domain.referrals.stages import STAGE_FACTS, Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.referrals.items import ReferralSummary

_UNSPECIFIED_CATEGORIES = frozenset({"C85", "C91", "C96"})
"""ICD-10-CM categories with codes for lymphomas and leukemias without further detail. Such a code decides nothing."""


def find_hints_of_referral(referral: Referral, *, context: RunContext) -> Sequence[RoutingHint]:
    """Find the hints of a referral."""
    clinical, patient = referral.details.get("clinical") or {}, referral.details.get("patient") or {}
    return _find_hints(
        stage=referral.stage,
        birth_date=patient.get("birth_date"),
        referred_on=get_referred_on(referral) or (referral.submitted_at or context.now).date(),
        disease=clinical.get("disease"),
        icd10=clinical.get("icd10"),
        product_id=referral.current_product_id,
        center_id=referral.center_id,
        context=context,
    )


def find_hints_of_row(row: ReferralSummary, *, context: RunContext) -> Sequence[RoutingHint]:
    """Find the hints of a row of a list. Rows of earlier releases have no ICD-10-CM code, and no hint about it."""
    return _find_hints(
        stage=row.stage_summary.stage,
        birth_date=row.patient.get("birth_date"),
        referred_on=row.referred_on or row.submitted_on or (row.stage_summary.referred_at or context.now).date(),
        disease=row.disease,
        icd10=row.icd10,
        product_id=row.stage_summary.product_id or row.product_id,
        center_id=row.center_id,
        context=context,
    )


def _find_hints(
    *,
    stage: Stage,
    birth_date: str | None,
    referred_on: date,
    disease: str | None,
    icd10: str | None,
    product_id: str | None,
    center_id: str | None,
    context: RunContext,
) -> Sequence[RoutingHint]:
    if STAGE_FACTS[stage].phase not in HINTED_PHASES:
        return ()
    facts = RoutingFacts(
        birth_date=birth_date,
        referred_on=referred_on,
        disease=disease,
        disease_name=catalog.DISEASE_NAMES.get(disease or "", disease),
        code_diseases=_list_code_diseases(icd10) if icd10 else (),
        ended_release=_find_ended_release(icd10, context.now.date()) if icd10 else None,
    )
    center = context.stores.tenants.get_center(center_id)
    return find_routing_hints(
        facts,
        center=_read_offer(center.listing) if center else None,
        label=_read_labels().get(product_id or ""),
    )


def _list_code_diseases(icd10: str) -> Sequence[str]:
    """List the diseases that a code can mean.

    A code that is offered for none can mean each disease with codes of the same category, or any disease if
    its category also has codes without detail: a hint about it would often be wrong.
    """
    offered = list_diseases_for_code(icd10)
    category = icd10[:3]
    if offered or category in _UNSPECIFIED_CATEGORIES:
        return offered
    same = [d for d, stems in SUBCATEGORIES_BY_DISEASE.items() if any(stem.startswith(category) for stem in stems)]
    return same or ["other"]


def _find_ended_release(icd10: str, today: date) -> str | None:
    codes = diagnoses.load_code_set()
    return codes.release["name"] if codes.can_be_newer(icd10, today) else None


def _read_offer(listing: Mapping[str, Any]) -> CenterOffer:
    offers = listing.get("products") or []
    age_groups = {offer.get("age_group") for offer in offers}
    shared_age_group = age_groups.pop() if len(age_groups) == 1 else None
    return CenterOffer(
        age_group=listing.get("age_group") or shared_age_group,
        diseases_by_product={offer["product_id"]: offer.get("diseases") or () for offer in offers},
    )


@cache
def _read_labels() -> Mapping[str, ProductLabel]:
    """Read the ages and diseases of each label in the catalog."""
    return {
        product.product_id: ProductLabel(
            product_id=product.product_id,
            name=product.name,
            ages_by_disease={
                indication["disease"]: tuple(_read_ages(row["criteria"]) for row in indication["rows"])
                for indication in product.facts["indications"]
            },
        )
        for product in catalog.load_products().values()
    }


def _read_ages(criteria: Sequence[Mapping[str, Any]]) -> AgeRange:
    least = [rule["age_min"] for rule in criteria if "age_min" in rule]
    most = [rule["age_max"] for rule in criteria if "age_max" in rule]
    return AgeRange(max(least, default=None), min(most, default=None))
