"""Signs and sends events as a center's system would, and stores them so that they can be resent."""

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib.domain.webhooks import signature as signing
from infra.cli.site import NoSiteError

TIMEOUT_S = 30
_MAX_DELIVERIES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDelivery:
    """A delivery from a center. A resend has the same ID and the same bytes.

    Attributes:
        stage: The stage of a stage change; the event type of another event.
    """

    center_id: str
    referral_id: str
    stage: str
    webhook_id: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteResponse:
    """The response of the site. `answer` is the decoded JSON, or the text if it is not JSON.

    Attributes:
        retry_after_s: When to send the same again; None if the site did not ask for it.
    """

    status: int
    answer: Any
    retry_after_s: int | None = None


def build_delivery(
    *,
    center_id: str,
    referral_id: str,
    event_type: str,
    occurred_at: datetime,
    sequence: int | None,
    data: Mapping[str, Any],
) -> SignedDelivery:
    """Build a new delivery of an event. Leave out the `data` fields that are None."""
    body: dict[str, Any] = {
        "type": event_type,
        "referral_id": referral_id,
        "occurred_at": occurred_at.isoformat(),
        "data": {k: v for k, v in data.items() if v is not None},
    }
    if sequence is not None:
        body["sequence"] = sequence
    return SignedDelivery(
        center_id=center_id,
        referral_id=referral_id,
        stage=data.get("stage") or event_type,
        webhook_id=f"msg_{secrets.token_hex(12)}",
        body=json.dumps(body),
    )


def post_delivery(delivery: SignedDelivery, *, secret: bytes, url: str, now: datetime) -> SiteResponse:
    """Sign the delivery with the current time and post it to the site.

    Raises:
        NoSiteError: no response from `url`.
    """
    timestamp = str(int(now.timestamp()))
    body = delivery.body.encode()
    signature = signing.sign_delivery(secret, webhook_id=delivery.webhook_id, timestamp=timestamp, body=body)
    return post_json(
        f"{url}/v1/webhooks/centers/{delivery.center_id}",
        body,
        {"webhook-id": delivery.webhook_id, "webhook-timestamp": timestamp, "webhook-signature": signature},
        url=url,
    )


def post_json(address: str, body: bytes, headers: Mapping[str, str], *, url: str) -> SiteResponse:
    """Post JSON to the site and return the response, even if it is an error.

    Raises:
        NoSiteError: no response from `url`.
    """
    request = urllib.request.Request(  # noqa: S310 the site's own address
        address, data=body, headers={"Content-Type": "application/json", **headers}
    )
    # Connect directly to the site. Ignore any proxy of the user.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=TIMEOUT_S) as response:
            return SiteResponse(status=response.status, answer=_read_json(response.read()))
    except urllib.error.HTTPError as error:
        pause = error.headers.get("Retry-After", "")
        retry_after_s = int(pause) if pause.isascii() and pause.isdigit() else None
        return SiteResponse(status=error.code, answer=_read_json(error.read()), retry_after_s=retry_after_s)
    except OSError as error:
        raise NoSiteError(f"No response from {url}: {error}.") from error


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """A file of the deliveries that this machine sent, so that they can be resent. The latest is last."""

    path: Path

    def add(self, delivery: SignedDelivery) -> None:
        """Store the delivery in the file, which only its owner can read."""
        rows = [*self._read_all(), asdict(delivery)][-_MAX_DELIVERIES:]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        self.path.write_text(json.dumps(rows), "utf-8")

    def find_last(self, **filters: str | None) -> SignedDelivery | None:
        """Find the latest delivery that matches the given center, referral, and stage."""
        given = {name: value for name, value in filters.items() if value}
        matches = [row for row in self._read_all() if given.items() <= row.items()]
        return SignedDelivery(**matches[-1]) if matches else None

    def _read_all(self) -> list[dict[str, str]]:
        try:
            rows: list[dict[str, str]] = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return []
        return rows
