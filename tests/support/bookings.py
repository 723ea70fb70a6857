"""Publishes and books consultation times through the API."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from chalicelib import wiring
from tests.support.api_client import ApiAnswer, ApiClient
from tests.support.api_driver import ApiDriver
from tests.support.factories import CENTER

SLOTS = f"/v1/centers/{CENTER.tenant_id}/slots"
PATTERNS = f"/v1/centers/{CENTER.tenant_id}/slot-patterns"


_CALLS = count()


def find_time(*, days: int = 7, minutes: int = 20) -> datetime:
    """Return a whole minute some days ahead, another one with each call, for tests that share a center."""
    later = timedelta(days=days, minutes=minutes + next(_CALLS) % 600)
    return (wiring.read_clock() + later).replace(second=0, microsecond=0)


def build_slot_body(**changed: Any) -> dict[str, Any]:
    """Build a time as a center publishes it."""
    body = {"starts_at": find_time().isoformat(), "minutes": 60, "mode": "in_person", "capacity": 1}
    return {**body, **changed}


def build_pattern_body(**changed: Any) -> dict[str, Any]:
    """Build a weekly pattern."""
    body = {"weekdays": ["monday", "thursday"], "starts": ["09:00", "10:30"], "minutes": 45, "mode": "telehealth"}
    return {**body, **changed}


def publish_slot(driver: ApiDriver, **changed: Any) -> str:
    """Publish one time as the center, and return its id."""
    answer = driver.center.post(SLOTS, build_slot_body(**changed))
    assert answer.status == 201, answer.text
    slot_id: str = answer.json["slot_id"]
    return slot_id


@dataclass
class Booker:
    """A team that books the consultation of a referral, always with the version that it read last."""

    site: ApiClient
    referral_id: str

    @property
    def path(self) -> str:
        """Where the consultation is."""
        return f"/v1/referrals/{self.referral_id}/consultation"

    def read(self) -> Mapping[str, Any]:
        """Return the consultation."""
        answer = self.site.get(self.path)
        assert answer.status == 200, answer.text
        found: Mapping[str, Any] = answer.json
        return found

    def put(self, slot_id: str, state: str, *, version: int | None = None, **more: Any) -> ApiAnswer:
        """Hold or book a time."""
        known = self.read()["version"] if version is None else version
        return self.site.put(self.path, {"slot_id": slot_id, "state": state, **more}, version=known)

    def hold(self, slot_id: str, **more: Any) -> ApiAnswer:
        """Hold a time."""
        return self.put(slot_id, "held", **more)

    def book(self, slot_id: str, **more: Any) -> ApiAnswer:
        """Book a time."""
        return self.put(slot_id, "booked", **more)

    def cancel(self, *, reason: str | None = None, version: int | None = None) -> ApiAnswer:
        """Cancel what is planned, or end the hold."""
        known = self.read()["version"] if version is None else version
        query = f"?reason={reason}" if reason else ""
        return self.site.send("DELETE", f"{self.path}{query}", headers={"If-Match": f'"{known}"'})

    def ask(self, **body: Any) -> ApiAnswer:
        """Ask the center for a time."""
        return self.site.post(f"{self.path}/requests", body)


def refer_accepted(driver: ApiDriver) -> Booker:
    """Refer a patient whom the center accepts, and return the practice as it books."""
    referral_id = driver.refer()["referral_id"]
    driver.move_to(referral_id, "received", "accepted")
    return Booker(driver.practice, referral_id)


def count_free_seats(driver: ApiDriver, slot_id: str) -> int:
    """Count the free seats of a time, as the center sees it."""
    items = driver.center.get(SLOTS).json["items"]
    found: int = next(item["free"] for item in items if item["slot_id"] == slot_id)
    return found
