"""A small world for tests: who is there, and how to talk as each of them."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from chalicelib import wiring
from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from chalicelib.domain.referrals.stages import OPTIONAL_STAGES, Stage
from chalicelib.domain.webhooks import signature as signing
from chalicelib.store.all_stores import Stores
from tests.support import factories, tokens
from tests.support.api_client import ApiAnswer, ApiClient
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE


@dataclass
class ApiDriver:
    """The tests' tenants and the site in front of them."""

    stores: Stores
    anyone: ApiClient
    members: dict[str, Member] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)

    def get_site_for(self, member: Member) -> ApiClient:
        """The site as a member uses it."""
        return self.anyone.with_token(tokens.create_token(member.subject))

    @property
    def practice(self) -> ApiClient:
        """A coordinator of the practice that refers."""
        return self.get_site_for(self.members["practice"])

    @property
    def center(self) -> ApiClient:
        """A coordinator of the center that is referred to."""
        return self.get_site_for(self.members["center"])

    @property
    def other_practice(self) -> ApiClient:
        """A coordinator of a practice that has nothing to do with it."""
        return self.get_site_for(self.members["other_practice"])

    @property
    def other_center(self) -> ApiClient:
        """A coordinator of a center that has nothing to do with it."""
        return self.get_site_for(self.members["other_center"])

    def refer(self, **changed: Any) -> dict[str, Any]:
        """Refer a patient, and hand back the answer's body."""
        answer = self.practice.post("/v1/referrals", factories.build_referral_body(**changed))
        assert answer.status == 201, answer.text
        return answer.json

    def deliver(
        self,
        referral_id: str,
        stage: str,
        *,
        at: str | None = None,
        webhook_id: str | None = None,
        center: Tenant = CENTER,
        secret: bytes | None = None,
        sequence: int | None = None,
        **data: Any,
    ) -> ApiAnswer:
        """Push a stage change as the center's system would."""
        body: dict[str, Any] = {
            "type": "stage.changed",
            "referral_id": referral_id,
            "occurred_at": at or wiring.read_clock().isoformat(),
            "data": {"stage": stage, **data},
        }
        if sequence is not None:
            body["sequence"] = sequence
        return self.deliver_raw(json.dumps(body).encode(), webhook_id=webhook_id, center=center, secret=secret)

    def deliver_raw(
        self,
        body: bytes,
        *,
        webhook_id: str | None = None,
        center: Tenant = CENTER,
        secret: bytes | None = None,
        timestamp: str | None = None,
        **headers: str,
    ) -> ApiAnswer:
        """Push any bytes, signed."""
        self._sent = getattr(self, "_sent", 0) + 1
        chosen = webhook_id or f"msg_{self._sent}"
        stamp = timestamp or str(int(time.time()))
        signature = signing.sign_delivery(
            secret or self.secrets[center.tenant_id], webhook_id=chosen, timestamp=stamp, body=body
        )
        given = {"webhook-id": chosen, "webhook-timestamp": stamp, "webhook-signature": signature}
        path = f"/v1/webhooks/centers/{center.tenant_id}"
        return self.anyone.send("POST", path, body, headers=given | headers)

    def move_to(self, referral_id: str, *stages: str) -> None:
        """Push stage after stage."""
        for stage in stages:
            answer = self.deliver(referral_id, stage)
            assert answer.json["status"] == "applied", f"{stage}: {answer.text}"

    def stage_of(self, referral_id: str) -> str:
        """Where a referral stands."""
        return self.practice.get(f"/v1/referrals/{referral_id}").json["stage"]


STAGES_TO_INFUSED = (
    "received",
    "accepted",
    "consult_scheduled",
    "consult_completed",
    "center_proceed",
    "apheresis_scheduled",
    "apheresis_completed",
    "manufacturing_started",
    "released",
    "product_shipped",
    "product_received",
    "lymphodepletion_started",
    "infused",
)


REQUIRED_STAGES_TO_INFUSED = tuple(stage for stage in STAGES_TO_INFUSED if Stage(stage) not in OPTIONAL_STAGES)
"""What a center's feed tells that leaves out what it may."""


def open_api_driver() -> ApiDriver:
    """Fill the tables with two practices and two centers."""
    from app import app

    wiring.reset()
    stores = wiring.get_stores()
    clinic = ApiDriver(stores, ApiClient(app))
    for tenant in factories.TENANTS:
        facts = factories.CENTER_FACTS if tenant.kind is TenantKind.CENTER else {}
        stores.tenants.add(tenant, facts)
    for handle, tenant, role in (
        ("practice", PRACTICE, Role.COORDINATOR),
        ("practice_admin", PRACTICE, Role.ADMIN),
        ("center", CENTER, Role.COORDINATOR),
        ("other_practice", OTHER_PRACTICE, Role.COORDINATOR),
        ("other_center", OTHER_CENTER, Role.COORDINATOR),
    ):
        clinic.members[handle] = factories.build_member(tenant, role=role)
        stores.members.add(clinic.members[handle])
    for center in (CENTER, OTHER_CENTER):
        made = stores.secrets.prepare_rotate(center.tenant_id, now=wiring.read_clock())
        stores.transactions.commit(*made.writes)
        clinic.secrets[center.tenant_id] = made.value
    return clinic
