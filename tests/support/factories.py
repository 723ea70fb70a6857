"""Fictional people, places and referrals that say only what a test cares about."""

import copy
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from chalicelib.domain.referrals.events import derive_id

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
    """A member of a tenant; the same arguments make the same person."""
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
        "alias": "Blue Heron",
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
    "consent_to_share": {"given": True, "on": "2026-10-03"},
    "note": None,
    "submit": True,
}


def build_screen_body(**changed: Any) -> dict[str, Any]:
    """The clinical part of the contract's example, as a screen takes it."""
    body = {"age": 65, "clinical": build_referral_body()["clinical"]}
    return _changed(body, changed)


def build_referral_body(**changed: Any) -> dict[str, Any]:
    """The contract's example of a referral; `section__field` names change what is inside."""
    return _changed(copy.deepcopy(_REFERRAL), changed)


def _changed(body: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    for name, value in changed.items():
        *sections, last = name.split("__")
        place = body
        for section in sections:
            place = place[section]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return body


def build_preferences_body(**changed: Any) -> dict[str, Any]:
    """How somebody wants to be mailed: as the product has it, but for what is said here."""
    usual = dict.fromkeys(("journey", "window", "overdue", "follow_up", "digest"), "at_once")
    usual["check_in"] = "never"
    body: dict[str, Any] = {
        "categories": usual | changed.pop("categories", {}),
        "digest_hour": 7,
        "quiet_hours": None,
        "time_zone": None,
    }
    return body | changed
