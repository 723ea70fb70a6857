"""Makes what a test needs through the API, which is quicker than through the pages."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.referrals import stages
from infra.world.people import DEMO_PASSWORD
from tests.support.api_driver import STAGES_TO_INFUSED

COORDINATOR = "coordinator@willow.example"
CENTER_COORDINATOR = "coordinator@bayou.example"
CENTER_ADMIN = "admin@bayou.example"
CENTER = "Bayou Lark Cell Therapy Center"

# Every stage that a center reports on the way to monitoring, the optional ones too.
MAIN_LINE = (*STAGES_TO_INFUSED, "monitoring")


class DemoWorld:
    """The people and referrals of a running site."""

    def __init__(self, site: str) -> None:
        """Begin with nothing but the site's address."""
        self.site = site
        self.sessions: dict[str, dict[str, Any]] = {}

    def session(self, email: str) -> dict[str, Any]:
        """The tokens of a member, as the dashboard keeps them."""
        if email not in self.sessions:
            granted = self.ask("POST", "sessions", {"email": email, "password": DEMO_PASSWORD})
            now_ms = time.time() * 1000
            self.sessions[email] = {
                "access": granted["access_token"],
                "refresh": granted["refresh_token"],
                "until": now_ms + granted["expires_in"] * 1000,
                "since": now_ms,
            }
        return self.sessions[email]

    def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, by: str = "", version: int | None = None
    ) -> dict[str, Any]:
        """One request to the API; `version` is what a change was made from."""
        request = urllib.request.Request(f"{self.site}/v1/{path}", method=method)
        if by:
            request.add_header("Authorization", f"Bearer {self.session(by)['access']}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
            request.add_header("Idempotency-Key", str(uuid.uuid4()))
        if version is not None:
            request.add_header("If-Match", f'"{version}"')
        with urllib.request.urlopen(request, timeout=20) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def referral(self, name: str, *, reached: str = "submitted") -> str:
        """The address of a new referral that has come as far as `reached`."""
        centers = self.ask("GET", "centers?q=Bayou", by=COORDINATOR)["items"]
        body = _whole_referral(name, centers[0]["center_id"]) | {"submit": reached != "draft"}
        made = self.ask("POST", "referrals", body, by=COORDINATOR)
        for stage in _way_to(reached):
            self.move(made["referral_id"], stage)
        return f"#/referrals/{made['referral_id']}"

    def move(self, referral: str, stage: str, **data: Any) -> None:
        """Record a stage by the center, now."""
        self.report(referral, "stage.changed", stage=stage, **data)

    def report(self, referral: str, event_type: str, *, by: str = CENTER_COORDINATOR, **data: Any) -> None:
        """Report what happened, now."""
        referral_id = referral.removeprefix("#/referrals/")
        now = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        event = {"type": event_type, "occurred_at": now, "data": data}
        outcome = self.ask("POST", f"referrals/{referral_id}/events", event, by=by)
        assert outcome["status"] == "applied", outcome


def _way_to(reached: str) -> list[str]:
    """The center's stages up to one of the main line, without those that it may leave out."""
    sent = stages.MAIN_PATH.index(stages.Stage.SUBMITTED)
    line = list(stages.MAIN_PATH[sent + 1 :])
    if reached not in line:
        return []
    before = line[: line.index(stages.Stage(reached))]
    return [*(stage for stage in before if stage not in stages.OPTIONAL_STAGES), reached]


def _whole_referral(name: str, center_id: str) -> dict[str, Any]:
    return {
        "patient": {
            "given_name": "Ana",
            "family_name": name,
            "birth_date": "1961-04-02",
            "sex": "female",
            "zip": "79106",
            "phone": "+18065550142",
        },
        "clinical": {
            "disease": "LBCL",
            "histology": "DLBCL_NOS",
            "ecog": 1,
            "prior_lines": [{"line": 1, "regimen": "R-CHOP", "classes": ["anti_cd20"]}],
        },
        "referring_provider": {"name": "R. Provider", "npi": "1234567893", "phone": "+18065550101"},
        "insurance": {"payer": "Example Health", "member_id": "XEX0001"},
        "consent_to_share": {"given": True, "on": "2026-10-03"},
        "center_id": center_id,
        "product_id": "breyanzi",
    }
