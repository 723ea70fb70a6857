"""Events as a center's own system would send them: signed, posted, and remembered for a repeat."""

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
_KEPT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDelivery:
    """What a center sends: a repeat has the same id and the same bytes."""

    center_id: str
    referral_id: str
    stage: str
    webhook_id: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteResponse:
    """What the site answered."""

    status: int
    answer: Any


def build_delivery(
    *,
    center_id: str,
    referral_id: str,
    stage: str,
    occurred_at: datetime,
    sequence: int | None,
    data: Mapping[str, Any],
) -> SignedDelivery:
    """A new delivery of a stage change. What `data` has as None is left out."""
    body: dict[str, Any] = {
        "type": "stage.changed",
        "referral_id": referral_id,
        "occurred_at": occurred_at.isoformat(),
        "data": {"stage": stage} | {k: v for k, v in data.items() if v is not None},
    }
    if sequence is not None:
        body["sequence"] = sequence
    return SignedDelivery(
        center_id=center_id,
        referral_id=referral_id,
        stage=stage,
        webhook_id=f"msg_{secrets.token_hex(12)}",
        body=json.dumps(body),
    )


def post_delivery(delivery: SignedDelivery, *, secret: bytes, url: str, now: datetime) -> SiteResponse:
    """Sign the delivery at this moment and hand it to the site.

    Raises:
        NoSiteError: nobody answers at `url`.
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
    """POST JSON to the site and read whatever it says.

    Raises:
        NoSiteError: nobody answers at `url`.
    """
    request = urllib.request.Request(  # noqa: S310 the site's own address
        address, data=body, headers={"Content-Type": "application/json", **headers}
    )
    # Straight to the site: a proxy of the person's has no business with it.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=TIMEOUT_S) as answer:
            return SiteResponse(status=answer.status, answer=_read_json(answer.read()))
    except urllib.error.HTTPError as refusal:
        return SiteResponse(status=refusal.code, answer=_read_json(refusal.read()))
    except OSError as error:
        raise NoSiteError(f"Nobody answers at {url}: {error}.") from error


def _read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """What was sent from here, so that it can be sent again. The latest is last."""

    path: Path

    def remember(self, delivery: SignedDelivery) -> None:
        """Keep it, readable by nobody else."""
        kept = [*self._read_all(), asdict(delivery)][-_KEPT:]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        self.path.write_text(json.dumps(kept), "utf-8")

    def find_last(self, **filters: str | None) -> SignedDelivery | None:
        """The latest delivery, or the latest of the center, referral or stage that is named."""
        named = {name: value for name, value in filters.items() if value}
        fitting = [row for row in self._read_all() if named.items() <= row.items()]
        return SignedDelivery(**fitting[-1]) if fitting else None

    def _read_all(self) -> list[dict[str, str]]:
        try:
            rows: list[dict[str, str]] = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return []
        return rows
