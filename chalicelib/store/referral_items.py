"""Items of the `referrals` table, and the values they stand for.

What is about the patient is sealed with the practice's key; what decisions, indexes and jobs
need (stage, times, ids) stands in clear.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from chalicelib.domain.events import EventStatus, Order, Source, StageChange
from chalicelib.domain.referral import Referral
from chalicelib.domain.stages import Actor, Stage
from chalicelib.domain.window import Anchor, MonitoringProfile, Window
from chalicelib.store.dynamo import Item
from chalicelib.store.instants import instant, parsed
from chalicelib.store.receipts import Delivery
from chalicelib.store.vault import Vault

HEAD = "referral"

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
    stage: Stage
    stage_since: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A delivery that waits for what must come before it."""

    delivery: Delivery
    change: StageChange


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An event of the timeline, and what became of it."""

    change: StageChange
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
            stage=Stage(row["stage"]),
            stage_since=parsed(row["stage_since"]),
            updated_at=parsed(row["updated_at"]),
            version=row["version"],
        )

    def event_item(self, change: StageChange, status: EventStatus, *, scope: str) -> Item:
        """An event as a row of the history, its note sealed for `scope`."""
        order = change.order
        place = f"event#{instant(order.occurred_at)}#{order.sequence:012d}#{order.event_id}"
        note = change.note
        return {
            "referral_id": change.referral_id,
            "item": place,
            "event_id": change.event_id,
            "stage": change.stage,
            "occurred_at": instant(change.occurred_at),
            "recorded_at": instant(change.recorded_at),
            "actor": change.actor,
            "source": change.source,
            "actor_id": change.actor_id,
            "actor_name": change.actor_name,
            "sequence": change.sequence,
            "part": change.part,
            "of": change.of,
            "local_date": change.local_date.isoformat() if change.local_date else None,
            "reason_code": change.reason_code,
            "scope": scope,
            "status": status,
            "note": self._sealed(note.encode(), scope, change.event_id) if note else None,
        }

    def parked_item(self, parked: Parked) -> Item:
        """A delivery that came too early, its note sealed for its center."""
        delivery = parked.delivery
        waiting = self.event_item(parked.change, EventStatus.RECORDED, scope=delivery.center_id)
        return waiting | {
            "item": parked_place(delivery.center_id, delivery.webhook_id),
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
        }
        head = referral.head
        return {
            "referral_id": rid,
            "item": HEAD,
            "schema": 1,
            "version": referral.version,
            "practice_id": practice,
            "center_id": referral.center_id,
            "center_inbox": referral.center_id if referral.is_with_center else None,
            "listed_at": instant(referral.updated_at),
            "product_id": referral.product_id,
            "urgency": referral.urgency,
            "stage": referral.stage,
            "phase": referral.phase,
            "owner": referral.owner,
            "stage_since": instant(referral.stage_since),
            "head": _text([instant(head.occurred_at), head.sequence, head.event_id])
            if head
            else None,
            "reached": _text({s: instant(at) for s, at in referral.reached.items()}),
            "window": _text(_window_told(referral.window)) if referral.window else None,
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
            head=_if(item.get("head"), _head),
            reached={Stage(s): parsed(at) for s, at in json.loads(item["reached"]).items()},
            window=_if(item.get("window"), _window),
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
        return Parked(delivery=delivery, change=self.event(item).change)

    def event(self, item: Item) -> LoggedEvent:
        """The inverse of `event_item`."""
        sealed = item.get("note")
        note = self._opened(sealed, item["scope"], item["event_id"]) if sealed else None
        change = StageChange(
            event_id=item["event_id"],
            referral_id=item["referral_id"],
            stage=Stage(item["stage"]),
            occurred_at=parsed(item["occurred_at"]),
            recorded_at=parsed(item["recorded_at"]),
            actor=Actor(item["actor"]),
            source=Source(item["source"]),
            actor_id=item["actor_id"],
            actor_name=item["actor_name"],
            sequence=item.get("sequence"),
            part=item["part"],
            of=item["of"],
            local_date=_if(item.get("local_date"), date.fromisoformat),
            reason_code=item.get("reason_code"),
            note=note.decode() if note else None,
        )
        return LoggedEvent(change=change, status=EventStatus(item["status"]))


def parked_place(center_id: str, webhook_id: str) -> str:
    """Where a waiting delivery stands in the referral's partition."""
    return f"parked#{center_id}#{webhook_id}"


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _if(value: _T | None, then: Callable[[_T], _R]) -> _R | None:
    return None if value is None else then(value)


def _head(text: str) -> Order:
    occurred_at, sequence, event_id = json.loads(text)
    return Order(parsed(occurred_at), sequence, event_id)


def _window_told(window: Window) -> Mapping[str, Any]:
    told = asdict(window)
    told["infused_on"] = window.infused_on.isoformat()
    told["profile"]["label_as_of"] = window.profile.label_as_of.isoformat()
    return told


def _window(text: str) -> Window:
    told = json.loads(text)
    profile = told["profile"]
    profile["label_as_of"] = date.fromisoformat(profile["label_as_of"])
    profile["anchor"] = Anchor(profile["anchor"])
    return Window(
        time_zone=told["time_zone"],
        infused_on=date.fromisoformat(told["infused_on"]),
        profile=MonitoringProfile(**profile),
    )
