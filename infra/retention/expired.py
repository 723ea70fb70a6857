"""Find and remove what is older than its retention period.

A row stays, however old it is, while anything still needs it:

- a referral that is open, or has a task that is still planned: a monitoring window, a safety notice up to the
  fifteenth year, an email that waits, a failed task that waits for a person;
- the notices, emails, tasks and deliveries of a referral that is not closed: a later notice says what was sent
  before, and a repeated update must be recognized;
- a referral that an open one continues;
- the record of a minor, until the patient's thirtieth birthday.

Audit rows are never removed: they are chained and counted, and hold no health data.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.domain.referrals.monitoring_window import MonitoringWindow
from chalicelib.domain.referrals.stages import TERMINAL_STAGES, Stage
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import Item
from chalicelib.store.platform.timestamps import to_timestamp
from chalicelib.store.referrals.items import REFERRAL_ITEM
from infra.erasure.erase import ErasureReason, erase_referrals
from infra.retention.settings import MINORS_KEPT_UNTIL_AGE, RetainedKind
from infra.scanning import scan_table

_BATCH = 100
_ADULT_AGE = 18
_REPEATING_RULES = frozenset({"clock", "digest"})
"""Rows that are set again and again: the next overdue alert of a referral, and the next digest of a member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """What is older than its retention period, and needed by nothing: ids of referrals, and keys of rows by kind."""

    referral_ids: Sequence[str]
    keys: Mapping[RetainedKind, Sequence[Mapping[str, str]]]

    def count(self) -> Mapping[RetainedKind, int]:
        """Count them by kind."""
        return {RetainedKind.CLOSED_REFERRALS: len(self.referral_ids)} | {
            kind: len(keys) for kind, keys in self.keys.items()
        }


def find_expired(days: Mapping[RetainedKind, int], *, context: RunContext) -> Expired:
    """Find what can be removed. Reads whole tables, and writes nothing."""
    stores, now = context.stores, context.now
    before = {kind: to_timestamp(now - timedelta(days=number)) for kind, number in days.items()}
    tasks = list(scan_table(stores.outbox.table))
    waiting = {str(row.get("referral_id")) for row in tasks if "lane" in row}
    waiting |= {each for row in tasks if "lane" in row for each in row.get("listed", ())}
    unclosed, expired = set[str](), list[str]()
    for row in scan_table(stores.referrals.table, "#item = :state", {"state": REFERRAL_ITEM}, names={"#item": "item"}):
        if Stage(row["stage"]) not in TERMINAL_STAGES or row["referral_id"] in waiting:
            unclosed.add(row["referral_id"])
        elif row["stage_since"] < before[RetainedKind.CLOSED_REFERRALS] and _is_expired(row, now, stores=stores):
            expired.append(row["referral_id"])
    notices = scan_table(stores.notices.table, "created_at < :day", {"day": before[RetainedKind.NOTICES]})
    deliveries = scan_table(stores.delivery_log.table, "received_at < :day", {"day": before[RetainedKind.DELIVERIES]})
    keys = {
        RetainedKind.NOTICES: _list_keys(notices, ("member_id", "notice_id"), unclosed),
        RetainedKind.DELIVERIES: _list_keys(deliveries, ("center_id", "webhook_id"), unclosed),
        **{
            kind: _list_keys(_list_finished(tasks, before[kind], is_mail=is_mail), ("outbox_id",), unclosed)
            for kind, is_mail in ((RetainedKind.EMAILS, True), (RetainedKind.TASKS, False))
        },
    }
    return Expired(referral_ids=_without_continued(expired, unclosed, stores=stores), keys=keys)


def remove_expired(expired: Expired, *, actor_id: str, context: RunContext) -> Iterator[tuple[str, int]]:
    """Remove what was found. Yields what was removed, batch by batch; a run that is stopped can be repeated.

    A closed referral is erased like a patient, with an audit row. Its keys stay, because backups expire too.
    """
    for first in range(0, len(expired.referral_ids), _BATCH):
        batch = expired.referral_ids[first : first + _BATCH]
        steps = erase_referrals(
            batch, ErasureReason.RETENTION_ENDED, actor_id=actor_id, destroy_keys=False, context=context
        )
        for _ in steps:
            continue
        yield RetainedKind.CLOSED_REFERRALS, len(batch)
    tables = {
        RetainedKind.NOTICES: context.stores.notices.table,
        RetainedKind.DELIVERIES: context.stores.delivery_log.table,
        RetainedKind.EMAILS: context.stores.outbox.table,
        RetainedKind.TASKS: context.stores.outbox.table,
    }
    for kind, keys in expired.keys.items():
        for key in keys:
            tables[kind].delete(key)
        yield kind, len(keys)


def _is_expired(row: Item, now: datetime, *, stores: Stores) -> bool:
    """Whether nothing about the patient keeps a closed referral that is old enough."""
    referral = stores.referrals.items.item_to_referral(row)
    if referral.window and max(referral.window.ends_on, *_list_days(referral.window)) >= now.date():
        return False
    patient = referral.details.get("patient") or {}
    born = date.fromisoformat(patient["birth_date"]) if patient.get("birth_date") else None
    if born is None or _compute_age(born, referral.created_at.date()) >= _ADULT_AGE:
        return True
    return _compute_age(born, now.date()) >= MINORS_KEPT_UNTIL_AGE


def _list_days(window: MonitoringWindow) -> Iterator[date]:
    return (milestone.on for milestone in window.milestones)


def _without_continued(expired: Sequence[str], unclosed: AbstractSet[str], *, stores: Stores) -> Sequence[str]:
    """Leave out what an open referral continues: it is the same patient."""
    kept = []
    for referral_id in expired:
        referral = stores.referrals.get(referral_id)
        if referral and referral.status.continued_by not in unclosed:
            kept.append(referral_id)
    return kept


def _list_finished(tasks: Sequence[Item], before: str, *, is_mail: bool) -> Iterator[Item]:
    """List the finished tasks, or the finished emails, that were due before a time."""
    for row in tasks:
        if row["rule"] in _REPEATING_RULES or "lane" in row or (row["rule"] == "mail") is not is_mail:
            continue
        if str(row["planned_for"]) < before:
            yield row


def _list_keys(rows: Iterator[Item], key: Sequence[str], unclosed: AbstractSet[str]) -> Sequence[Mapping[str, str]]:
    return [
        {name: row[name] for name in key}
        for row in rows
        if row.get("referral_id", "") not in unclosed and not unclosed & set(row.get("listed", ()))
    ]


def _compute_age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
