"""Items of the `referrals` table, and the values they stand for.

What is about the patient is sealed with the practice's key; what decisions, indexes and jobs
need (stage, times, ids) stands in clear.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.domain.audit.hash_chain import Head
from chalicelib.domain.referrals.events import TYPES, Event, EventStatus, EventType, Order
from chalicelib.domain.referrals.monitoring_window import Window
from chalicelib.domain.referrals.name_search import beginnings
from chalicelib.domain.referrals.referral import Overlay, Referral
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.referrals.unread import Touch
from chalicelib.domain.referrals.worklists import Standing, standing_of
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.envelope_encryption import Vault
from chalicelib.store.platform.timestamps import instant, parsed
from chalicelib.store.referrals.name_index import marked
from chalicelib.store.webhooks.idempotency import Delivery

HEAD = "referral"

_EVENTS = {name: kind for kind, name in TYPES.items()}
_Reached = dict[Stage, datetime]

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A row of a list: what a person needs to find a referral, not what is in it."""

    referral_id: str
    practice_id: str
    center_id: str | None
    product_id: str | None
    urgency: str
    alias: str
    patient: Mapping[str, Any]
    disease: str | None
    standing: Standing
    updated_at: datetime
    version: int
    touched: Touch

    @property
    def names(self) -> Sequence[str]:
        """What the patient is found by."""
        return _names(self.alias, self.patient)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A delivery that waits for what must come before it.

    Attributes:
        stranger: It names a referral that is not, or not yet, known to be its center's.
    """

    delivery: Delivery
    event: Event
    stranger: bool = False

    @property
    def place(self) -> str:
        """Where it stands in the referral's partition."""
        prefix = (
            strangers_place(self.delivery.center_id)
            if self.stranger
            else (f"parked#{self.delivery.center_id}#")
        )
        return f"{prefix}{self.delivery.webhook_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An event of the timeline, and what became of it."""

    event: Event
    status: EventStatus


@dataclass(frozen=True, slots=True)
class ReferralItems:
    """Turns values into items and back."""

    vault: Vault

    def summary(self, row: Item) -> Summary:
        """One row of a list, opened."""
        plain = self._opened(row["summary"], row["practice_id"], f"{row['referral_id']}/summary")
        told = json.loads(plain)
        return Summary(
            referral_id=row["referral_id"],
            practice_id=row["practice_id"],
            center_id=row.get("center_id"),
            product_id=row.get("product_id"),
            urgency=row["urgency"],
            alias=told["alias"],
            patient=told["patient"],
            disease=told["disease"],
            standing=codec.load(Standing, json.dumps(told["standing"])),
            updated_at=parsed(row["updated_at"]),
            version=row["version"],
            touched=Touch(*told["touched"]),
        )

    def event_item(self, event: Event, status: EventStatus, *, scope: str) -> Item:
        """An event as a row of the history: what happened is sealed for `scope`, when is not."""
        order = event.order
        place = f"event#{instant(order.occurred_at)}#{order.sequence:012d}#{order.event_id}"
        return {
            "referral_id": event.referral_id,
            "item": place,
            "event_id": event.event_id,
            "type": event.type,
            "recorded_at": instant(event.recorded_at),
            "scope": scope,
            "status": status,
            "told": self._sealed(codec.dump(type(event), event).encode(), scope, event.event_id),
        }

    def parked_item(self, parked: Parked) -> Item:
        """A delivery that came too early, its note sealed for its center."""
        delivery = parked.delivery
        waiting = self.event_item(parked.event, EventStatus.RECORDED, scope=delivery.center_id)
        return waiting | {
            "item": parked.place,
            "center_id": delivery.center_id,
            "webhook_id": delivery.webhook_id,
            "body_hash": delivery.body_hash,
            "received_at": instant(delivery.received_at),
        }

    def _sealed(self, plain: bytes, scope: str, place: str) -> bytes:
        return self.vault.seal(plain, scope=scope, place=place)

    def _opened(self, sealed: bytes, scope: str, place: str) -> bytes:
        return self.vault.open(sealed, scope=scope, place=place)

    def item(self, referral: Referral) -> Item:
        """A referral as it stands."""
        rid, practice = referral.referral_id, referral.practice_id
        patient = referral.details.get("patient") or {}
        told = {
            "alias": referral.alias,
            "patient": {k: patient.get(k) for k in ("family_name", "given_name", "birth_date")},
            "disease": (referral.details.get("clinical") or {}).get("disease"),
            "standing": json.loads(codec.dump(Standing, standing_of(referral))),
            "touched": [referral.touched.by, referral.touched.after],
        }
        head = referral.head
        names = beginnings(_names(referral.alias, patient))
        inbox = referral.center_id if referral.is_with_center else None
        return {
            "referral_id": rid,
            "item": HEAD,
            "practice_names": marked(names, vault=self.vault, scope=practice),
            "center_names": marked(names, vault=self.vault, scope=inbox) if inbox else None,
            "schema": 1,
            "version": referral.version,
            "practice_id": practice,
            "center_id": referral.center_id,
            "center_inbox": inbox,
            "listed_at": instant(referral.updated_at),
            "product_id": referral.product_id,
            "urgency": referral.urgency,
            "stage": referral.stage,
            "phase": referral.phase,
            "owner": referral.owner,
            "stage_since": instant(referral.stage_since),
            "head": codec.dump(Order, head) if head else None,
            "reached": codec.dump(_Reached, referral.reached),
            "window": codec.dump(Window, referral.window) if referral.window else None,
            "overlay": codec.dump(Overlay, referral.overlay),
            "audited": codec.dump(Head, referral.audited),
            "touched": codec.dump(Touch, referral.touched),
            "part": referral.part,
            "of": referral.of,
            "created_by": referral.created_by,
            "created_at": instant(referral.created_at),
            "updated_at": instant(referral.updated_at),
            "submitted_at": instant(referral.submitted_at) if referral.submitted_at else None,
            "summary": self._sealed(_text(told).encode(), practice, f"{rid}/summary"),
            "details": self._sealed(
                _text({"alias": referral.alias, **referral.details}).encode(),
                practice,
                f"{rid}/details",
            ),
        }

    def referral(self, item: Item) -> Referral:
        """The inverse of `item`."""
        rid, practice = item["referral_id"], item["practice_id"]
        details = json.loads(self._opened(item["details"], practice, f"{rid}/details"))
        return Referral(
            referral_id=rid,
            practice_id=practice,
            center_id=item.get("center_id"),
            product_id=item.get("product_id"),
            urgency=item["urgency"],
            alias=details.pop("alias"),
            details=details,
            stage=Stage(item["stage"]),
            stage_since=parsed(item["stage_since"]),
            head=_if(item.get("head"), lambda text: codec.load(Order, text)),
            reached=codec.load(_Reached, item["reached"]),
            window=_if(item.get("window"), lambda text: codec.load(Window, text)),
            overlay=codec.load(Overlay, item["overlay"]),
            audited=codec.load(Head, item["audited"]),
            touched=codec.load(Touch, item["touched"]),
            part=item["part"],
            of=item["of"],
            created_by=item["created_by"],
            created_at=parsed(item["created_at"]),
            updated_at=parsed(item["updated_at"]),
            submitted_at=_if(item.get("submitted_at"), parsed),
            version=item["version"],
        )

    def parked(self, item: Item) -> Parked:
        """The inverse of `parked_item`."""
        delivery = Delivery(
            center_id=item["center_id"],
            webhook_id=item["webhook_id"],
            body_hash=item["body_hash"],
            received_at=parsed(item["received_at"]),
        )
        return Parked(
            delivery=delivery,
            event=self.event(item).event,
            stranger=item["item"].startswith(strangers_place(delivery.center_id)),
        )

    def event(self, item: Item) -> LoggedEvent:
        """The inverse of `event_item`."""
        told = self._opened(item["told"], item["scope"], item["event_id"])
        event = codec.load(_EVENTS[EventType(item["type"])], told)
        return LoggedEvent(event=event, status=EventStatus(item["status"]))


def strangers_place(center_id: str) -> str:
    """Where a center's deliveries stand that name a referral not known to be its own.

    Behind the referral itself, where no decision reads, however many there are.
    """
    return f"stranger#{center_id}#"


def _names(alias: str, patient: Mapping[str, Any]) -> Sequence[str]:
    """What a patient is found by."""
    found = (alias, patient.get("family_name"), patient.get("given_name"))
    return [name for name in found if name]


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _if(value: _T | None, then: Callable[[_T], _R]) -> _R | None:
    return None if value is None else then(value)
