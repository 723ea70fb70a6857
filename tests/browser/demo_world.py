"""Creates the data of a test through the API, which is faster than through the pages."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.domain.referrals import stages
from infra.world.people import DEMO_PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Request

COORDINATOR = "coordinator@willow.example"
PROVIDER = "provider@willow.example"
CENTER_COORDINATOR = "coordinator@bayou.example"
CENTER_ADMIN = "admin@bayou.example"
CENTER = "Bayou Lark Cell Therapy Center"
PRACTICE = "Willow Bend Hematology Oncology"
NEW_REFERRALS = "#/worklist/new_referrals?sort=patient"
"""The list of what a center has not answered, in the order of the names."""


def get_label(stage: str) -> str:
    """The label of a stage, which the server sends to the pages."""
    return stages.STAGE_FACTS[stages.Stage(stage)].label


def get_action(stage: str) -> str:
    """The label of the action that reports a stage."""
    return stages.STAGE_FACTS[stages.Stage(stage)].action


class DemoWorld:
    """The members and referrals of a running site."""

    def __init__(self, site: str) -> None:
        """Use the site at this address."""
        self.site = site
        self.sessions: dict[str, dict[str, Any]] = {}

    def get_session(self, email: str) -> dict[str, Any]:
        """The tokens of a member, as the dashboard stores them."""
        if email not in self.sessions:
            response = self.call_api("POST", "sessions", {"email": email, "password": DEMO_PASSWORD})
            now_ms = time.time() * 1000
            self.sessions[email] = {
                "access": response["access_token"],
                "refresh": response["refresh_token"],
                "until": now_ms + response["expires_in"] * 1000,
                "since": now_ms,
            }
        return self.sessions[email]

    def note_sign_out(self, request: Request) -> None:
        """Sign in again for the next test: a sign-out on a page ends every session of the person at once."""
        if request.method == "DELETE" and request.url.endswith("/v1/sessions"):
            self.sessions.clear()

    def call_api(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, by: str = "", version: int | None = None
    ) -> dict[str, Any]:
        """Send one request to the API; `version` is the version that a change starts from."""
        request = urllib.request.Request(f"{self.site}/v1/{path}", method=method)
        if by:
            request.add_header("Authorization", f"Bearer {self.get_session(by)['access']}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
            request.add_header("Idempotency-Key", str(uuid.uuid4()))
        if version is not None:
            request.add_header("If-Match", f'"{version}"')
        with urllib.request.urlopen(request, timeout=20) as response:
            content: dict[str, Any] = json.load(response)
        return content

    def create_referral(self, name: str, *, stage: str = "submitted") -> str:
        """Create a referral, bring it to a stage, and return its address."""
        centers = self.call_api("GET", "centers?q=Bayou", by=COORDINATOR)["items"]
        body = _build_referral_body(name, centers[0]["center_id"]) | {"submit": stage != "draft"}
        created = self.call_api("POST", "referrals", body, by=COORDINATOR)
        for step in _list_stages_to(stage):
            self.report_stage(created["referral_id"], step)
        return f"#/referrals/{created['referral_id']}"

    def read_stage(self, path: str) -> str:
        """The status of a referral, as the practice sees it."""
        referral = self.call_api("GET", path.removeprefix("#/"), by=COORDINATOR)
        return str(referral["stage"])

    def report_stage(self, referral: str, stage: str, **data: Any) -> None:
        """Let the center report a stage with the current time."""
        self.report_event(referral, "stage.changed", stage=stage, **data)

    def report_event(self, referral: str, event_type: str, *, by: str = CENTER_COORDINATOR, **data: Any) -> None:
        """Report an event with the current time."""
        referral_id = referral.removeprefix("#/referrals/")
        now = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        event = {"type": event_type, "occurred_at": now, "data": data}
        outcome = self.call_api("POST", f"referrals/{referral_id}/events", event, by=by)
        assert outcome["status"] == "applied", outcome


def _list_stages_to(stage: str) -> list[str]:
    """The center's required stages up to a stage of the main path."""
    submitted = stages.MAIN_PATH.index(stages.Stage.SUBMITTED)
    center_stages = list(stages.MAIN_PATH[submitted + 1 :])
    if stage not in center_stages:
        return []
    before = center_stages[: center_stages.index(stages.Stage(stage))]
    return [*(step for step in before if step not in stages.OPTIONAL_STAGES), stage]


def _build_referral_body(name: str, center_id: str) -> dict[str, Any]:
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
