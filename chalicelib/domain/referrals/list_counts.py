"""How many referrals of a tenant there are: by phase, by worklist, and by what lists can be filtered by."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from chalicelib.domain.referrals.stages import STAGE_FACTS, Phase, Stage
from chalicelib.domain.referrals.worklists import Worklist


class FilterValues(NamedTuple):
    """The values of one referral by which lists can be filtered. A value that is None is not counted."""

    practice_id: str
    center_id: str | None
    product_id: str | None
    provider_npi: str | None
    provider_name: str


@dataclass(frozen=True, slots=True)
class ListCounts:
    """How many referrals of a tenant there are: by phase, by worklist, and by the value of each filter."""

    phases: Counter[Phase] = field(default_factory=Counter)
    worklists: Counter[Worklist] = field(default_factory=Counter)
    stages: Counter[Stage] = field(default_factory=Counter)
    centers: Counter[str] = field(default_factory=Counter)
    practices: Counter[str] = field(default_factory=Counter)
    products: Counter[str] = field(default_factory=Counter)
    providers: Counter[str] = field(default_factory=Counter)
    provider_names: dict[str, str] = field(default_factory=dict)

    def add_stage(self, stage: Stage, worklists: Iterable[Worklist], number: int = 1) -> None:
        """Add referrals of a stage, which are on these worklists."""
        self.stages[stage] += number
        self.phases[STAGE_FACTS[stage].phase] += number
        for name in worklists:
            self.worklists[name] += number

    def add_values(self, values: FilterValues, number: int = 1) -> None:
        """Add referrals with these values. The first name of a provider stays, so add the latest change first."""
        self.practices[values.practice_id] += number
        if values.center_id:
            self.centers[values.center_id] += number
        if values.product_id:
            self.products[values.product_id] += number
        if values.provider_npi:
            self.providers[values.provider_npi] += number
            self.provider_names.setdefault(values.provider_npi, values.provider_name or values.provider_npi)
