"""What is still to verify with a payer, by plan type, as data. Every answer is entered by a person with its source.

Source:
    The items of public benefit verification forms for cell therapy (read 2026-11-28), combined by this product.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.domain.coverage.track import CoverageTrack, EnteredFacts

ALL_PLANS = frozenset[str]()
"""An item of every plan type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One item: its code in the API, and the question to the payer.

    Attributes:
        plan_types: The plan types that it belongs to; empty for all.
    """

    item: str
    label: str
    plan_types: frozenset[str] = ALL_PLANS


_NOT_ORIGINAL_MEDICARE = frozenset(
    {"commercial", "marketplace", "medicaid", "medicare_advantage", "tricare", "va", "other"}
)
_EMPLOYER = frozenset({"commercial"})

CHECKLIST: Sequence[ChecklistItem] = (
    ChecklistItem(item="product_covered", label="Product covered for this indication"),
    ChecklistItem(item="indication_policy", label="Medical policy: link and date of its revision"),
    ChecklistItem(item="benefit_bucket", label="Benefit that CAR T falls under: medical, transplant or pharmacy"),
    ChecklistItem(item="site_of_care", label="Site of care: inpatient, outpatient, or both"),
    ChecklistItem(item="second_coverage", label="Second coverage, and which one pays first"),
    ChecklistItem(item="case_manager", label="Case manager, name and phone"),
    ChecklistItem(item="travel_benefit", label="Travel and lodging benefit, cap and mileage"),
    ChecklistItem(
        item="center_network",
        label="Network status of the center, and whether a center of excellence is required",
        plan_types=_NOT_ORIGINAL_MEDICARE,
    ),
    ChecklistItem(
        item="authorization_form",
        label="Authorization: form, channel and usual time",
        plan_types=_NOT_ORIGINAL_MEDICARE,
    ),
    ChecklistItem(item="cost_share", label="Deductible, out-of-pocket limit and coinsurance: how much is left"),
    ChecklistItem(
        item="plan_in_january",
        label="Plan year: when it ends, and whether the patient keeps this plan",
        plan_types=frozenset({"commercial", "marketplace", "medicare_advantage", "other"}),
    ),
    ChecklistItem(
        item="funding", label="Self-funded or fully insured, and who administers the plan", plan_types=_EMPLOYER
    ),
    ChecklistItem(
        item="out_of_network_benefit",
        label="Out-of-network benefit, if the center is not in the network",
        plan_types=frozenset({"commercial", "marketplace", "other"}),
    ),
    ChecklistItem(
        item="medicaid_state",
        label="Whether the plan covers treatment at a center in another state",
        plan_types=frozenset({"medicaid"}),
    ),
    ChecklistItem(
        item="ncd_label",
        label="NCD 110.24: label or compendia use, confirmed with the center",
        plan_types=frozenset({"medicare_ffs", "medicare_advantage"}),
    ),
    ChecklistItem(
        item="supplement",
        label="Supplement (Medigap) or other coverage for what Medicare does not pay",
        plan_types=frozenset({"medicare_ffs"}),
    ),
    ChecklistItem(
        item="military_referral",
        label="Referral or approval by the military or VA facility",
        plan_types=frozenset({"tricare", "va"}),
    ),
)
"""All items, in the order in which people ask for them."""


@dataclass(frozen=True, slots=True)
class CheckedItem:
    """An item of a referral's checklist, with its answer under the current plan; None if it is still to verify."""

    item: ChecklistItem
    answer: EnteredFacts | None


def list_checklist(plan_type: str | None, track: CoverageTrack) -> Sequence[CheckedItem]:
    """List the items of a plan type with their answers. An answer about an earlier plan does not count."""
    return [
        CheckedItem(item, _find_answer(item, track))
        for item in CHECKLIST
        if not item.plan_types or plan_type in item.plan_types
    ]


def _find_answer(item: ChecklistItem, track: CoverageTrack) -> EnteredFacts | None:
    answer = track.checklist.get(item.item)
    return answer if answer and answer.plan_version == track.plan_version else None
