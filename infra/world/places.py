"""Practices and centers of the sample data.

Cities and ZIP codes are real, so that distances and time zones are realistic. Everything else is
invented. None of these organizations exists, and no one certified them.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.catalog import load_products
from chalicelib.domain.identity.members import Tenant, TenantKind
from chalicelib.domain.platform.ids import derive_id

CERTIFIED_BY = "Fictional Board of Cell Therapy (invented for this demonstration)"
CERTIFIED_AS_OF = "2026-07-01"
CAPACITY_AS_OF = "2026-11-20T15:00:00Z"
PAYERS_AS_OF = "2026-10-01"
SOURCE = "Invented for this demonstration"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOrganization:
    """An organization: a practice or a center.

    Attributes:
        handle: Short name for the command line and for email addresses.
        area: Telephone area code of the city. Numbers end in 555-01xx, which is reserved for fiction.
    """

    handle: str
    kind: TenantKind
    name: str
    city: str
    state: str
    zip: str
    time_zone: str
    area: str

    @property
    def tenant_id(self) -> str:
        """The same ID each time the sample data is created."""
        prefix = {TenantKind.PRACTICE: "prc", TenantKind.CENTER: "ctr"}[self.kind]
        return derive_id(prefix, "fictional world", self.handle)

    @property
    def tenant(self) -> Tenant:
        """The tenant record of the product."""
        return Tenant(tenant_id=self.tenant_id, kind=self.kind, name=self.name, time_zone=self.time_zone)

    def build_phone(self, line: int) -> str:
        """Build a phone number of this organization. `line` is a number from 0 to 99."""
        return f"+1{self.area}55501{line:02d}"

    @property
    def listing(self) -> Mapping[str, Any]:
        """The directory entry of the organization."""
        return {
            "city": self.city,
            "state": self.state,
            "zip": self.zip,
            "phone": self.build_phone(0),
            "fictional": True,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCenter(DemoOrganization):
    """A treatment center.

    Attributes:
        offers: The IDs of the products that it offers.
        age_group: The patients that it treats: `adult`, `pediatric`, or `all`.
        days_to_consultation: Days until it sees a new patient. None if it did not report a number.
        payers: The payers whose networks it belongs to.
        feeds: Whether its own system reports by webhook. Otherwise its members report on the dashboard.
        sparse: Whether its reports omit the optional stages.
    """

    offers: tuple[str, ...]
    age_group: str
    accepts_new: bool
    days_to_consultation: int | None
    payers: tuple[str, ...]
    feeds: bool
    sparse: bool

    @property
    def listing(self) -> Mapping[str, Any]:
        """The directory entry of the center."""
        return {
            "city": self.city,
            "state": self.state,
            "zip": self.zip,
            "intake_phone": self.build_phone(10),
            "after_hours_phone": self.build_phone(19),
            "accepts_new": self.accepts_new,
            "age_group": self.age_group,
            "products": [self._build_offer(product_id) for product_id in self.offers],
            "contacts": [
                {"role": "intake", "name": "Intake desk", "phone": self.build_phone(10)},
                {"role": "coordinator", "name": "Referral coordinator", "phone": self.build_phone(11)},
            ],
            "capacity": {"days_to_consultation": self.days_to_consultation, "as_of": CAPACITY_AS_OF},
            "payer_networks": [{"payer": payer, "as_of": PAYERS_AS_OF} for payer in self.payers],
            "source": SOURCE,
            "verified_on": CERTIFIED_AS_OF,
            "fictional": True,
        }

    def _build_offer(self, product_id: str) -> Mapping[str, Any]:
        indications = load_products()[product_id].facts["indications"]
        return {
            "product_id": product_id,
            "diseases": [
                indication["disease"]
                for indication in indications
                if self.age_group in ("all", indication["age_group"])
            ],
            "age_group": self.age_group,
            "certified_by": CERTIFIED_BY,
            "as_of": CERTIFIED_AS_OF,
        }


def _read_rows(kind: TenantKind) -> Iterator[dict[str, str]]:
    with (Path(__file__).with_name("places.csv")).open(newline="") as table:
        yield from (row for row in csv.DictReader(table) if row["kind"] == kind)


def _read_common_fields(row: Mapping[str, str]) -> dict[str, Any]:
    names = ("handle", "name", "city", "state", "zip", "time_zone", "area")
    return {"kind": TenantKind(row["kind"])} | {name: row[name] for name in names}


PRACTICES: Sequence[DemoOrganization] = tuple(
    DemoOrganization(**_read_common_fields(row)) for row in _read_rows(TenantKind.PRACTICE)
)

CENTERS: Sequence[DemoCenter] = tuple(
    DemoCenter(
        **_read_common_fields(row),
        offers=tuple(row["offers"].split()),
        age_group=row["age_group"],
        accepts_new=row["accepts_new"] == "yes",
        days_to_consultation=int(row["days"]) if row["days"] else None,
        payers=tuple(row["payers"].split("; ")) if row["payers"] else (),
        feeds=row["feeds"] == "yes",
        sparse=row["sparse"] == "yes",
    )
    for row in _read_rows(TenantKind.CENTER)
)

OPERATOR = Tenant(
    tenant_id=derive_id("opr", "fictional world"),
    kind=TenantKind.OPERATOR,
    name="Operator of this demonstration",
    time_zone="UTC",
)

_PRACTICES = {name: practice for practice in PRACTICES for name in (practice.handle, practice.tenant_id)}
_CENTERS = {name: center for center in CENTERS for name in (center.handle, center.tenant_id)}


def find_practice(name: str) -> DemoOrganization:
    """Find a practice by its handle or its ID.

    Raises:
        KeyError: the sample data has no such practice.
    """
    return _PRACTICES[name]


def find_center(name: str) -> DemoCenter:
    """Find a center by its handle or its ID.

    Raises:
        KeyError: the sample data has no such center.
    """
    return _CENTERS[name]
