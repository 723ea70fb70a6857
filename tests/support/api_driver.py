"""Drives the API as each member of a small world, and as a center's system."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from chalicelib import wiring
from chalicelib.domain.identity.members import Member, Role, Tenant
from chalicelib.domain.referrals.stages import OPTIONAL_STAGES, Stage
from chalicelib.domain.webhooks import signature as signing
from chalicelib.store.all_stores import Stores
from tests.support import factories, tokens
from tests.support.api_client import ApiAnswer, ApiClient
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE


@dataclass
class ApiDriver:
    """The tests' tenants, and the API as each of them uses it."""

    stores: Stores
    anyone: ApiClient
    members: dict[str, Member] = field(default_factory=dict)
    secrets: dict[str, bytes] = field(default_factory=dict)

    def get_client_for(self, member: Member) -> ApiClient:
        """Return a client that sends a member's token."""
        return self.anyone.with_token(tokens.create_token(member.person))

    @property
    def practice(self) -> ApiClient:
        """A coordinator of the practice that refers."""
        return self.get_client_for(self.members["practice"])

    @property
    def center(self) -> ApiClient:
        """A coordinator of the center that is referred to."""
        return self.get_client_for(self.members["center"])

    @property
    def other_practice(self) -> ApiClient:
        """A coordinator of a practice that is not involved."""
        return self.get_client_for(self.members["other_practice"])

    @property
    def other_center(self) -> ApiClient:
        """A coordinator of a center that is not involved."""
        return self.get_client_for(self.members["other_center"])

    def refer(self, **changed: Any) -> dict[str, Any]:
        """Refer a patient, and return the response body."""
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
        """Send a signed stage change as the center's system."""
        # An information request must say what the center needs.
        needed = {"note": "Please send the pathology report."} if stage == "info_requested" else {}
        body: dict[str, Any] = {
            "type": "stage.changed",
            "referral_id": referral_id,
            "occurred_at": at or wiring.read_clock().isoformat(),
            "data": {"stage": stage, **needed, **data},
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
        """Send any bytes, signed."""
        self._sent = getattr(self, "_sent", 0) + 1
        chosen_id = webhook_id or f"msg_{self._sent}"
        stamp = timestamp or str(int(time.time()))
        signature = signing.sign_delivery(
            secret or self.secrets[center.tenant_id], webhook_id=chosen_id, timestamp=stamp, body=body
        )
        signed = {"webhook-id": chosen_id, "webhook-timestamp": stamp, "webhook-signature": signature}
        path = f"/v1/webhooks/centers/{center.tenant_id}"
        return self.anyone.send("POST", path, body, headers=signed | headers)

    def move_to(self, referral_id: str, *stages: str) -> None:
        """Send stage after stage."""
        for stage in stages:
            answer = self.deliver(referral_id, stage)
            assert answer.json["status"] == "applied", f"{stage}: {answer.text}"

    def get_stage(self, referral_id: str) -> str:
        """Return the stage of a referral."""
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
"""The stages that a center's system cannot skip."""


def open_api_driver() -> ApiDriver:
    """Store two practices and two centers with their people, and return a driver of the API."""
    from app import app

    wiring.reset()
    stores = wiring.get_stores()
    driver = ApiDriver(stores, ApiClient(app))
    factories.add_tenants(stores, factories.TENANTS)
    driver.members |= {
        handle: factories.build_member(tenant, role=role)
        for handle, tenant, role in (
            ("practice", PRACTICE, Role.COORDINATOR),
            ("practice_admin", PRACTICE, Role.ADMIN),
            ("center", CENTER, Role.COORDINATOR),
            ("other_practice", OTHER_PRACTICE, Role.COORDINATOR),
            ("other_center", OTHER_CENTER, Role.COORDINATOR),
        )
    }
    factories.add_members(stores, driver.members.values())
    driver.secrets |= {
        center.tenant_id: factories.create_webhook_secret(stores, center, now=wiring.read_clock())
        for center in (CENTER, OTHER_CENTER)
    }
    return driver
