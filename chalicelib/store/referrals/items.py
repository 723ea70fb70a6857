"""Convert items of the `referrals` table to domain values and back.

Patient data is encrypted with the practice's key (envelope encryption). What decisions, indexes and
jobs need (stage, times, ids) is not encrypted.

Some stored attributes have older names than the fields here:

| attribute             | field                                        |
|-----------------------|----------------------------------------------|
| `told`                | an event, encrypted                          |
| `head`                | `Referral.last_applied_order`                |
| `reached`             | `Referral.stage_entered_at`                  |
| `overlay`             | `Referral.status`                            |
| `audited`             | `Referral.audit_chain_head`                  |
| `touched`             | `Referral.last_writer`                       |
| `part`, `of`          | `Referral.doses_given`, `Referral.dose_total`|
| `care` in `details`   | `Referral.care`                              |
| `plans` in `details`  | `Referral.plans`                             |
| `coverage` in `details` | `Referral.coverage`                        |
| `standing` in summary | `ReferralSummary.stage_summary`              |
| `touched` in summary  | `ReferralSummary.last_writer`                |
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.domain.insights.milestones import MilestoneTimes, list_milestone_times
from chalicelib.domain.referrals.conversation import Conversation
from chalicelib.domain.referrals.events import EVENT_TYPE_BY_CLASS, EventOrder, EventStatus, EventType, ReferralEvent
from chalicelib.domain.referrals.history_start import REFERRED_ON
from chalicelib.domain.referrals.monitoring_window import MonitoringWindow
from chalicelib.domain.referrals.name_search import list_identifiers, list_name_prefixes
from chalicelib.domain.referrals.referral import Referral, ReferralStatus
from chalicelib.domain.referrals.stages import Stage
from chalicelib.domain.referrals.unread import LastWriter
from chalicelib.domain.referrals.worklists import StageSummary, summarize_stage
from chalicelib.errors import ReferralErasedError
from chalicelib.store.platform import codec
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.item_formats import FORMATS, refuse_newer, refuse_unreadable
from chalicelib.store.platform.timestamps import from_timestamp, to_timestamp
from chalicelib.store.referrals.care_items import CARE_MEMBER, care_to_members, read_status_and_care
from chalicelib.store.referrals.coverage_items import COVERAGE_MEMBER, coverage_to_members, read_coverage
from chalicelib.store.referrals.milestone_items import MILESTONES_MEMBER, milestones_to_members, read_milestones
from chalicelib.store.referrals.name_index import build_blind_indexes
from chalicelib.store.referrals.plan_items import PLANS_MEMBER, plans_to_members, read_plans
from chalicelib.store.webhooks.delivery_log import Delivery

REFERRAL_ITEM = "referral"

_REFERRAL_ATTRIBUTES = frozenset(
    {
        *("referral_id", "item", "schema", "version", "practice_id", "center_id", "center_inbox", "listed_at"),
        *("practice_names", "center_names", "product_id", "urgency", "stage", "phase", "owner", "stage_since", "head"),
        *("reached", "window", "overlay", "conversation", "audited", "touched", "part", "of", "created_by"),
        *("created_at", "updated_at", "submitted_at", "summary", "details"),
    }
)
"""The attributes of the current state. Any other one is of a newer release, and is written back unchanged."""

_ENCRYPTED_ATTRIBUTES = ("summary", "details")
_JSON_ATTRIBUTES = frozenset({"overlay", "conversation", "window"})
"""Values in which members of a newer release can come in another order."""

_EVENTS = {name: kind for kind, name in EVENT_TYPE_BY_CLASS.items()}
_StageEnteredAt = dict[Stage, datetime]

_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralSummary:
    """A row of a list: enough to find a referral, not its details."""

    referral_id: str
    practice_id: str
    center_id: str | None
    product_id: str | None
    urgency: str
    alias: str
    patient: Mapping[str, Any]
    disease: str | None
    stage_summary: StageSummary
    updated_at: datetime
    version: int
    last_writer: LastWriter
    identifiers: Sequence[str] = ()
    """The record number, date of birth and phone number, as `name_search` compares them."""
    icd10: str | None = None
    submitted_on: date | None = None
    referred_on: date | None = None
    provider: Mapping[str, Any] = field(default_factory=dict)
    """The `name` and `npi` of the referring provider; empty in rows of earlier releases."""
    milestones: MilestoneTimes | None = None
    """When the referral reached its milestones; None for a draft, and in a row of a release that had none."""

    @property
    def search_names(self) -> Sequence[str]:
        """The names by which the patient can be found."""
        return _list_search_names(self.alias, self.patient)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedDelivery:
    """A delivery that waits for an earlier event.

    Attributes:
        is_unknown_referral: It names a referral that is not, or not yet, known to belong to its
            center.
    """

    delivery: Delivery
    event: ReferralEvent
    is_unknown_referral: bool = False

    @property
    def item_key(self) -> str:
        """The sort key of its row in the referral's partition."""
        prefix = (
            get_unknown_referrals_prefix(self.delivery.center_id)
            if self.is_unknown_referral
            else (f"parked#{self.delivery.center_id}#")
        )
        return f"{prefix}{self.delivery.webhook_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedEvent:
    """An event of the timeline, and whether it was applied or only recorded."""

    event: ReferralEvent
    status: EventStatus


@dataclass(frozen=True, slots=True)
class ReferralItems:
    """Converts values to items and back. Encrypts and decrypts what is about the patient."""

    encryption: EnvelopeEncryption

    def row_to_summary(self, row: Item) -> ReferralSummary | None:
        """Convert one row of a list; decrypts its summary. None if it was erased and came back with a backup.

        Raises:
            NewerItemError: a newer release wrote it, in a format that this release cannot read.
            UnreadableItemError: it is damaged, or has a value that this release does not know.
        """
        with refuse_unreadable("row of a list"):
            try:
                plaintext = self._decrypt(row["summary"], row["practice_id"], f"{row['referral_id']}/summary")
            except ReferralErasedError:
                return None
            summary = json.loads(plaintext)
        # The lists have only some attributes of a row, so its format is in the summary too.
        refuse_newer(summary, newest_format=FORMATS["referrals"], table="referrals")
        with refuse_unreadable("row of a list"):
            return self._to_summary(row, summary)

    def _to_summary(self, row: Item, summary: Mapping[str, Any]) -> ReferralSummary:
        return ReferralSummary(
            referral_id=row["referral_id"],
            practice_id=row["practice_id"],
            center_id=row.get("center_id"),
            product_id=row.get("product_id"),
            urgency=row["urgency"],
            alias=summary["alias"],
            patient=summary["patient"],
            disease=summary["disease"],
            stage_summary=codec.from_members(StageSummary, summary["standing"]),
            updated_at=from_timestamp(row["updated_at"]),
            version=row["version"],
            last_writer=LastWriter(*summary["touched"]),
            identifiers=summary.get("found_by", ()),
            icd10=summary.get("icd10"),
            submitted_on=_apply_if_present(summary.get("submitted_on"), date.fromisoformat),
            referred_on=_apply_if_present(summary.get(REFERRED_ON), date.fromisoformat),
            provider=summary.get("provider") or {},
            milestones=read_milestones(summary.get(MILESTONES_MEMBER)),
        )

    def event_to_item(self, event: ReferralEvent, status: EventStatus, *, scope: str) -> Item:
        """Convert an event to a row of the history. The event is encrypted for `scope`; its time is not."""
        return {
            "referral_id": event.referral_id,
            "item": build_event_key(event),
            "event_id": event.event_id,
            "type": event.type,
            "recorded_at": to_timestamp(event.recorded_at),
            "scope": scope,
            "status": status,
            "told": self._encrypt(
                codec.to_sparse_json(type(event), event).encode(), scope, event.event_id, event.referral_id
            ),
        }

    def parked_to_item(self, parked: ParkedDelivery) -> Item:
        """Convert a parked delivery; its event is encrypted for its center."""
        delivery = parked.delivery
        event_item = self.event_to_item(parked.event, EventStatus.RECORDED, scope=delivery.center_id)
        return event_item | {
            "item": parked.item_key,
            "center_id": delivery.center_id,
            "webhook_id": delivery.webhook_id,
            "body_hash": delivery.body_hash,
            "received_at": to_timestamp(delivery.received_at),
            **({"ignored": list(delivery.ignored)} if delivery.ignored else {}),
        }

    def _encrypt(self, plaintext: bytes, scope: str, context: str, referral_id: str = "") -> bytes:
        return self.encryption.encrypt(plaintext, scope=scope, context=context, referral_id=referral_id)

    def _decrypt(self, ciphertext: bytes, scope: str, context: str) -> bytes:
        return self.encryption.decrypt(ciphertext, scope=scope, context=context)

    def referral_to_item(self, referral: Referral) -> Item:
        """Convert a referral's current state."""
        referral_id, practice_id = referral.referral_id, referral.practice_id
        patient, clinical = referral.details.get("patient") or {}, referral.details.get("clinical") or {}
        provider = referral.details.get("referring_provider") or {}
        summary = {
            "alias": referral.alias,
            "patient": {k: patient.get(k) for k in ("family_name", "given_name", "birth_date", "mrn")},
            "provider": {k: provider.get(k) for k in ("name", "npi")},
            "disease": clinical.get("disease"),
            "icd10": clinical.get("icd10"),
            "submitted_on": referral.submitted_at.date().isoformat() if referral.submitted_at else None,
            "standing": codec.to_sparse_members(StageSummary, summarize_stage(referral)),
            "touched": [referral.last_writer.by, referral.last_writer.after],
            "found_by": sorted(list_identifiers(patient)),
            **({REFERRED_ON: referral.details[REFERRED_ON]} if referral.details.get(REFERRED_ON) else {}),
            **(milestones_to_members(list_milestone_times(referral)) if referral.submitted_at else {}),
        }
        last_order = referral.last_applied_order
        prefixes = list_name_prefixes(_list_search_names(referral.alias, patient)) | list_identifiers(patient)
        inbox = referral.center_id if referral.is_with_center else None
        return {
            **referral.unknown_attributes,
            "referral_id": referral_id,
            "item": REFERRAL_ITEM,
            "practice_names": build_blind_indexes(prefixes, encryption=self.encryption, scope=practice_id),
            "center_names": build_blind_indexes(prefixes, encryption=self.encryption, scope=inbox) if inbox else None,
            "schema": FORMATS["referrals"],
            "version": referral.version,
            "practice_id": practice_id,
            "center_id": referral.center_id,
            "center_inbox": inbox,
            "listed_at": to_timestamp(referral.updated_at),
            "product_id": referral.product_id,
            "urgency": referral.urgency,
            "stage": referral.stage,
            "phase": referral.phase,
            "owner": referral.owner,
            "stage_since": to_timestamp(referral.stage_since),
            "head": codec.to_json(EventOrder, last_order) if last_order else None,
            "reached": codec.to_json(_StageEnteredAt, referral.stage_entered_at),
            "window": codec.to_json(MonitoringWindow, referral.window) if referral.window else None,
            "overlay": codec.to_sparse_json(ReferralStatus, referral.status),
            "conversation": codec.to_sparse_json(Conversation, referral.conversation),
            "audited": codec.to_json(ChainHead, referral.audit_chain_head),
            "touched": codec.to_json(LastWriter, referral.last_writer),
            "part": referral.doses_given,
            "of": referral.dose_total,
            "created_by": referral.created_by,
            "created_at": to_timestamp(referral.created_at),
            "updated_at": to_timestamp(referral.updated_at),
            "submitted_at": to_timestamp(referral.submitted_at) if referral.submitted_at else None,
            "summary": self._encrypt(
                codec.to_compact_json(summary).encode(), practice_id, f"{referral_id}/summary", referral_id
            ),
            "details": self._encrypt(
                codec.to_compact_json(
                    {
                        "alias": referral.alias,
                        **referral.details,
                        **care_to_members(referral.care),
                        **plans_to_members(referral.plans),
                        **coverage_to_members(referral.coverage),
                    }
                ).encode(),
                practice_id,
                f"{referral_id}/details",
                referral_id,
            ),
        }

    def item_to_referral(self, item: Item) -> Referral:
        """Convert the item that `referral_to_item` returned.

        Raises:
            UnreadableItemError: it is damaged, or has a value that this release does not know.
        """
        with refuse_unreadable("referral"):
            return self._to_referral(item)

    def _to_referral(self, item: Item) -> Referral:
        referral_id, practice_id = item["referral_id"], item["practice_id"]
        details = json.loads(self._decrypt(item["details"], practice_id, f"{referral_id}/details"))
        plans = read_plans(details.pop(PLANS_MEMBER, None))
        coverage = read_coverage(details.pop(COVERAGE_MEMBER, None))
        status, care = read_status_and_care(item["overlay"], details.pop(CARE_MEMBER, None))
        return Referral(
            referral_id=referral_id,
            practice_id=practice_id,
            center_id=item.get("center_id"),
            product_id=item.get("product_id"),
            urgency=item["urgency"],
            alias=details.pop("alias"),
            details=details,
            stage=Stage(item["stage"]),
            stage_since=from_timestamp(item["stage_since"]),
            last_applied_order=_apply_if_present(item.get("head"), lambda text: codec.from_json(EventOrder, text)),
            stage_entered_at=codec.from_json(_StageEnteredAt, item["reached"]),
            window=_apply_if_present(item.get("window"), lambda text: codec.from_json(MonitoringWindow, text)),
            status=status,
            care=care,
            plans=plans,
            coverage=coverage,
            conversation=codec.from_json(Conversation, item.get("conversation") or "{}"),
            audit_chain_head=codec.from_json(ChainHead, item["audited"]),
            last_writer=codec.from_json(LastWriter, item["touched"]),
            doses_given=item["part"],
            dose_total=item["of"],
            created_by=item["created_by"],
            created_at=from_timestamp(item["created_at"]),
            updated_at=from_timestamp(item["updated_at"]),
            submitted_at=_apply_if_present(item.get("submitted_at"), from_timestamp),
            version=item["version"],
            unknown_attributes={name: value for name, value in item.items() if name not in _REFERRAL_ATTRIBUTES},
        )

    def is_current_format(self, item: Item) -> bool:
        """Whether the row of a referral is as this release stores it: its attributes, and what they contain."""
        return self._to_comparable(item) == self._to_comparable(self.referral_to_item(self.item_to_referral(item)))

    def _to_comparable(self, item: Item) -> Mapping[str, Any]:
        """The row without what is not stored, and decrypted: each encryption of the same text is different."""
        values = {name: value for name, value in item.items() if value is not None}
        for name in _ENCRYPTED_ATTRIBUTES:
            plaintext = self._decrypt(item[name], item["practice_id"], f"{item['referral_id']}/{name}")
            values[name] = json.loads(plaintext)
        for name in _JSON_ATTRIBUTES & values.keys():
            values[name] = json.loads(values[name])
        # The same moment may have another offset.
        values["summary"]["standing"] = codec.from_members(StageSummary, values["summary"]["standing"])
        return values

    def item_to_parked(self, item: Item) -> ParkedDelivery:
        """Convert the item that `parked_to_item` returned."""
        delivery = Delivery(
            center_id=item["center_id"],
            webhook_id=item["webhook_id"],
            body_hash=item["body_hash"],
            received_at=from_timestamp(item["received_at"]),
            ignored=tuple(item.get("ignored", ())),
        )
        return ParkedDelivery(
            delivery=delivery,
            event=self.item_to_event(item).event,
            is_unknown_referral=item["item"].startswith(get_unknown_referrals_prefix(delivery.center_id)),
        )

    def item_to_event(self, item: Item) -> LoggedEvent:
        """Convert the item that `event_to_item` returned."""
        plaintext = self._decrypt(item["told"], item["scope"], item["event_id"])
        with refuse_unreadable("event"):
            event = codec.from_json(_EVENTS[EventType(item["type"])], plaintext)
            return LoggedEvent(event=event, status=EventStatus(item["status"]))


def build_event_key(event: ReferralEvent) -> str:
    """Build the sort key of an event in its referral's history. Keys sort in replay order."""
    order = event.order
    return f"event#{to_timestamp(order.occurred_at)}#{order.sequence:012d}#{order.event_id}"


def get_unknown_referrals_prefix(center_id: str) -> str:
    """The sort key prefix of a center's deliveries that name a referral not known to be its own.

    `stranger#` sorts after the referral itself, so no decision reads these rows, however many there
    are.
    """
    return f"stranger#{center_id}#"


def _list_search_names(alias: str, patient: Mapping[str, Any]) -> Sequence[str]:
    """List the names by which a patient can be found."""
    names = (alias, patient.get("family_name"), patient.get("given_name"))
    return [name for name in names if name]


def _apply_if_present(value: _T | None, convert: Callable[[_T], _R]) -> _R | None:
    return None if value is None else convert(value)
