"""Test data: fictional tenants, members, referrals and request bodies, and how to store them.

The one factory for all tests. `service_driver` uses its data through the services, `api_driver` through the API.
"""

import copy
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from chalicelib.domain.platform.ids import derive_id
from chalicelib.store.all_stores import Stores

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)

PRACTICE = Tenant(tenant_id="prc_cedar", kind=TenantKind.PRACTICE, name="Cedar Oncology", time_zone="America/Chicago")
OTHER_PRACTICE = Tenant(
    tenant_id="prc_maple", kind=TenantKind.PRACTICE, name="Maple Cancer Care", time_zone="America/New_York"
)
CENTER = Tenant(
    tenant_id="ctr_harbor", kind=TenantKind.CENTER, name="Harbor Cell Therapy", time_zone="America/New_York"
)
OTHER_CENTER = Tenant(
    tenant_id="ctr_mesa", kind=TenantKind.CENTER, name="Mesa Cell Therapy", time_zone="America/Phoenix"
)
TENANTS = (PRACTICE, OTHER_PRACTICE, CENTER, OTHER_CENTER)

CENTER_FACTS: dict[str, Any] = {
    "city": "Baltimore",
    "state": "MD",
    "zip": "21201",
    "intake_phone": "+14105550100",
    "after_hours_phone": "+14105550199",
    "accepts_new": True,
    "contacts": [],
    "products": [
        {
            "product_id": "breyanzi",
            "diseases": ["LBCL", "FL"],
            "age_group": "adult",
            "certified_by": "Fictional Board",
            "as_of": "2026-01-01",
        }
    ],
    "fictional": True,
}


def build_member(tenant: Tenant = PRACTICE, *, role: Role = Role.COORDINATOR, n: int = 1, **changed: Any) -> Member:
    """Build a member of a tenant; the same arguments give the same person."""
    name = f"{role} {n} of {tenant.name}"
    return Member(
        **{
            "member_id": derive_id("mem", tenant.tenant_id, role, str(n)),
            "subject": f"sub-{tenant.tenant_id}-{role}-{n}",
            "tenant_id": tenant.tenant_id,
            "kind": tenant.kind,
            "name": name.title(),
            "email": f"{role}{n}@{tenant.tenant_id.replace('_', '-')}.example",
            "roles": frozenset({role}),
        }
        | changed
    )


def add_tenants(stores: Stores, tenants: Iterable[Tenant], *, facts: Mapping[str, Any] = CENTER_FACTS) -> None:
    """Store organizations; each center is listed with `facts`."""
    for tenant in tenants:
        stores.tenants.add(tenant, facts if tenant.kind is TenantKind.CENTER else {})


def add_members(stores: Stores, members: Iterable[Member]) -> None:
    """Store members, each with a place on the roster of the tenant."""
    for member in members:
        stores.members.add(member)


def create_webhook_secret(stores: Stores, center: Tenant, *, now: datetime) -> bytes:
    """Give a center a webhook secret, and return it."""
    new = stores.secrets.prepare_rotate(center.tenant_id, now=now)
    stores.transactions.commit(*new.writes)
    return new.value


_REFERRAL: dict[str, Any] = {
    "patient": {
        "given_name": "Ana",
        "family_name": "Example",
        "birth_date": "1961-04-02",
        "sex": "female",
        "mrn": "A-1009",
        "zip": "77030",
        "phone": "+17135550142",
        "email": None,
        "language": "en",
        # The product proposes one: two open referrals of a practice cannot have the same.
        "alias": None,
        "caregiver": {"name": "Luis Example", "phone": "+17135550143"},
    },
    "clinical": {
        "disease": "LBCL",
        "histology": "DLBCL_NOS",
        "icd10": "C83.398",
        "ecog": 1,
        "hsct_eligible": False,
        "prior_lines": [
            {
                "line": 1,
                "regimen": "R-CHOP",
                "classes": ["anti_cd20", "anthracycline"],
                "started_on": "2026-01-10",
                "ended_on": "2026-05-20",
                "response": "relapsed",
                "event_on": "2026-10-02",
            }
        ],
        "flags": {"active_infection": False, "cns_involvement": False, "autoimmune": False},
    },
    "product_id": "breyanzi",
    "center_id": CENTER.tenant_id,
    "urgency": "routine",
    "referring_provider": {
        "name": "R. Provider",
        "npi": "1234567893",
        "phone": "+17135550100",
        "email": "provider@practice.example",
    },
    "insurance": {"payer": "Example Health", "plan_type": "commercial", "member_id": "XEX0001", "group": "42"},
    "consent_to_share": {"given": True, "on": "2026-08-03", "confirmed": True},
    "note": None,
    "submit": True,
}


def build_screen_body(**changed: Any) -> dict[str, Any]:
    """Build the body of an eligibility check from the clinical part of the contract's example."""
    body = {"age": 65, "clinical": build_referral_body()["clinical"]}
    return _with_changes(body, changed)


def build_referral_body(**changed: Any) -> dict[str, Any]:
    """Build the contract's example of a referral; `section__field=value` changes a field, `...` removes it."""
    return _with_changes(copy.deepcopy(_REFERRAL), changed)


def _with_changes(body: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    if "clinical__disease" in changed:
        # The example's histology is in the list of one disease only.
        changed = {"clinical__histology": "OTHER", **changed}
    for name, value in changed.items():
        *sections, last = name.split("__")
        target = body
        for section in sections:
            target = target[section]
        if value is ...:
            del target[last]
        else:
            target[last] = value
    return body


def build_views_body(*names: str, **query: Any) -> dict[str, Any]:
    """Build saved views of the worklist, all of them with the same query."""
    return {"views": [{"name": name, "query": query or {"worklist": "late", "sort": "due"}} for name in names]}


def build_preferences_body(**changed: Any) -> dict[str, Any]:
    """Build notification preferences: the product's defaults with some changes."""
    defaults = dict.fromkeys(("journey", "window", "overdue", "follow_up", "digest"), "at_once")
    defaults["check_in"] = "never"
    body: dict[str, Any] = {
        "categories": defaults | changed.pop("categories", {}),
        "digest_hour": 7,
        "quiet_hours": None,
        "time_zone": None,
    }
    return body | changed
