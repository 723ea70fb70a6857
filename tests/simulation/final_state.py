"""Compares what a year left in the tables with what had to be sent."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from chalicelib.domain.identity.members import Role
from chalicelib.domain.notices.mail_timing import MailTiming
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.dynamo import Item, unmarshal
from chalicelib.store.platform.timestamps import from_timestamp
from tests.simulation.alert_oracle import RULES, People
from tests.simulation.consultation_oracle import REMINDER
from tests.simulation.final_facts import (
    SeenFacts,
    find_wrong_details,
    find_wrong_facts,
    read_details,
    read_seen_facts,
)
from tests.simulation.final_notices import is_coverage_or_document_rule
from tests.simulation.notice_key import NoticeKey
from tests.simulation.notice_oracle import NoticeFate, NoticeOracle
from tests.simulation.oracle_rules import SCHEDULE
from tests.simulation.year_members import YearMembers
from tests.support.aws_fakes import PREFIX

_NAMES = {
    "hold.started": "hold_started",
    "hold.ended": "hold_ended",
    "toxicity.noticed": "toxicity",
    "window.extended": "extended",
    "referral.reopened": "reopened",
    "event.corrected": "corrected",
    "death.corrected": "death_corrected",
}
SEVEN = time(7)
_MOVED = ("Corrected: ", "New date: ")
_UNNAMED = "Product not named: longest label minimum"
_OF_A_LABEL = frozenset({"daily_monitoring_ends", "label_minimum_ends", "driving_minimum_ends"})
"""Notices that say where their day comes from."""


@dataclass(slots=True)
class AcceptedMail:
    """An acceptance by the mail service, in a run that may have met a fault on its email."""

    at: datetime
    met_a_fault: bool = False


@dataclass(frozen=True)
class FinalState:
    """The notices and emails of the referrals that are compared."""

    staff: YearMembers
    oracles: Mapping[str, NoticeOracle]
    sent: Mapping[str, Sequence[AcceptedMail]]
    notices: Sequence[Item]
    tasks: Mapping[str, Item]
    mails: Mapping[str, Item]
    details: Mapping[str, str]
    seen: Mapping[str, SeenFacts | None]

    @classmethod
    def read(
        cls,
        stores: Stores,
        staff: YearMembers,
        oracles: Mapping[str, NoticeOracle],
        sent: Mapping[str, Sequence[AcceptedMail]],
    ) -> "FinalState":
        """Read the tables."""
        rows = {row["outbox_id"]: row for row in _scanned(stores, "outbox")}
        notices = [row for row in _scanned(stores, "notices") if row["referral_id"] in oracles]
        return cls(
            staff,
            oracles,
            sent,
            notices,
            {each: row for each, row in rows.items() if row["rule"] != "mail"},
            {each: row for each, row in rows.items() if row["rule"] == "mail" and (row["member_id"] in staff.wishes)},
            read_details(stores, notices),
            {referral_id: read_seen_facts(stores, referral_id) for referral_id in oracles},
        )

    def find_violations(self) -> Iterator[str]:
        """Yield each notice and each email that is lost, doubled, early or superfluous."""
        about: dict[str, list[Item]] = defaultdict(list)
        for notice in self.notices:
            about[notice["referral_id"]].append(notice)
        for referral_id, oracle in self.oracles.items():
            facts = find_wrong_facts(oracle, self.seen[referral_id])
            for wrong in (*self._wrong_about(oracle, about[referral_id]), *facts):
                yield f"{oracle.course.name}: {wrong}"
        yield from self._wrong_mails()
        for task_id, row in self.tasks.items():
            if row["referral_id"] in self.oracles and row["state"] == "parked":
                yield f"{task_id} is parked: {row['rule']}"

    def _wrong_about(self, oracle: NoticeOracle, notices: Sequence[Item]) -> Iterator[str]:
        result: dict[NoticeKey, list[Item]] = defaultdict(list)
        rung: list[Item] = []
        for notice in notices:
            if notice["rule"] in RULES:
                rung.append(notice)
            elif not is_coverage_or_document_rule(notice["rule"]):
                result[self._key(oracle, notice)].append(notice)
        yield from self._wrong_rings(oracle, rung)
        for key in result.keys() - oracle.fates.keys():
            yield f"{_name_notice(key)} was never due"
        for key, fate in oracle.fates.items():
            for wrong in self._wrong_fate(oracle, fate, result[key]):
                yield f"{_name_notice(key)} {wrong}"
        yield from _wrong_titles(oracle, result)
        yield from find_wrong_details(oracle, result, self.details)

    def _wrong_fate(self, oracle: NoticeOracle, fate: NoticeFate, notices: Sequence[Item]) -> Iterator[str]:
        """Return who was notified, how often and when."""
        people = self._people(oracle, frozenset((side, False) for side in fate.sides))
        times = Counter(notice["member_id"] for notice in notices)
        if times.keys() - people:
            yield "was sent to someone else"
        if max(times.values(), default=0) > 1:
            yield f"was sent {max(times.values())} times"
        if fate.must_be_sent and people - times.keys():
            yield f"was not sent to {len(people - times.keys())} of {len(people)}"
        for notice in notices:
            at = from_timestamp(notice["created_at"])
            if at not in fate.sent_at:
                yield f"was sent at {at}, but must not be sent"
            if notice["category"] != fate.category:
                yield f"is of {notice['category']}"

    def _wrong_rings(self, oracle: NoticeOracle, notices: Sequence[Item]) -> Iterator[str]:
        """Return who was notified of an overdue stage, how often, when, and late since when."""
        left = {notice["notice_id"]: notice for notice in notices}
        for ring in oracle.rings.list_alerts:
            of_it = [
                left.pop(notice["notice_id"])
                for notice in notices
                if notice["rule"] == ring.rule and from_timestamp(notice["created_at"]) in ring.sent_at
            ]
            times = Counter(notice["member_id"] for notice in of_it)
            must, may = (self._people(oracle, who) for who in (ring.must_hear, ring.may_hear))
            text = f"{ring.rule} of {min(ring.sent_at)}"
            if times.keys() - may:
                yield f"{text} was sent to someone else"
            if must - times.keys():
                yield f"{text} was not sent to {len(must - times.keys())} of {len(must)}"
            if max(times.values(), default=0) > 1:
                yield f"{text} was sent {max(times.values())} times"
            for notice in of_it:
                day = ring.sent_at[from_timestamp(notice["created_at"])]
                if f"since {day:%B} {day.day}, {day.year}" not in notice["title"]:
                    yield f"{text} says {notice['title']!r}, late since {day}"
        for notice in left.values():
            yield f"{notice['rule']} rang at {notice['created_at']}, when it was not to"

    def _people(self, oracle: NoticeOracle, who: People) -> set[str]:
        """Return the members of a side, or its leads; where it has no leads, all of them."""
        tenants = {"practice": oracle.course.practice, "center": oracle.course.center}
        found: set[str] = set()
        for side, is_led in who:
            people = self.staff.people[tenants[side].tenant_id]
            leading = [member for member in people if Role.ADMIN in member.roles]
            found |= {member.member_id for member in (is_led and leading) or people}
        return found

    def _wrong_mails(self) -> Iterator[str]:
        holding: Counter[str] = Counter()
        for mail_id, mail in self.mails.items():
            if "merged_into" in mail:
                continue
            holding.update(mail["notice_ids"])
            yield from (f"{mail_id} {wrong}" for wrong in self._wrong_mail(mail))
            yield from (f"{mail_id} {wrong}" for wrong in self._wrong_hours(mail))
        canceled = {each for mail in self.mails.values() if self._is_cancellation(mail) for each in mail["notice_ids"]}
        for notice in self.notices:
            # A calendar learns that the consultation is canceled, also after a death.
            is_kept_back = notice["notice_id"] not in canceled and self._is_about_the_dead(notice)
            wanted = self.staff.wants_mail(notice["member_id"], notice["category"]) and not is_kept_back
            if holding[notice["notice_id"]] != wanted:
                name = self.oracles[notice["referral_id"]].course.name
                times = holding[notice["notice_id"]]
                yield f"{name}: {notice['rule']} is in {times} mails and wanted in {int(wanted)}"
        for mail_id in self.sent.keys() - self.mails.keys():
            yield f"{mail_id} was sent and is no mail"

    def _wrong_mail(self, mail: Item) -> Iterator[str]:
        """Check that there is one copy, and at most one more for each run that met a fault while sending."""
        copies = self.sent.get(mail["outbox_id"], ())
        if mail["state"] == "skipped" and mail["why"] == "ended":
            if copies or not self._says_nothing(mail, at=from_timestamp(mail["finished_at"])):
                yield "was skipped, and has something to say"
            return
        if mail["state"] == "skipped" and mail["why"] == "superseded":
            if copies or not self._has_later_invitation(mail):
                yield "was skipped for a later invitation, and there is none"
            return
        if mail["state"] != "done":
            yield f"is {mail['state']} in the end"
        if not copies:
            yield "was never sent"
        for sent in copies:
            if self._says_nothing(mail, at=sent.at):
                yield f"was sent at {sent.at}, after the referral had ended"
        if not all(sent.met_a_fault for sent in copies[:-1]):
            yield f"was sent {len(copies)} times, and no fault explains it"

    def _has_later_invitation(self, mail: Item) -> bool:
        """Whether its reader got a later email about a consultation of the same patient."""
        about = {self._by_id[notice_id]["referral_id"] for notice_id in mail["notice_ids"]}
        return any(
            other["member_id"] == mail["member_id"]
            # After an outage, one run plans what was due one after the other.
            and _get_order(other) > _get_order(mail)
            and other["outbox_id"] in self.sent
            and about & {self._by_id[notice_id]["referral_id"] for notice_id in other["notice_ids"]}
            for other in self.mails.values()
        )

    def _says_nothing(self, mail: Item, *, at: datetime) -> bool:
        """Whether all that an email is about was overtaken by the end of a referral."""
        about = [self._by_id[notice_id] for notice_id in mail["notice_ids"]]
        if not about or self._is_cancellation(mail):
            return False
        return all(
            self.oracles[each["referral_id"]].is_overtaken(each["category"], self._became_known(each), at=at)
            for each in about
        )

    def _is_cancellation(self, mail: Item) -> bool:
        """Whether an email cancels the consultation in a calendar. An ending cancels it too."""
        rules = {self._by_id[notice_id]["rule"] for notice_id in mail["notice_ids"]}
        return mail["kind"] == "invitation" and "consultation.canceled" in rules

    def _is_about_the_dead(self, notice: Item) -> bool:
        """Whether the patient's death became known between an event and its notice: no email is about the event."""
        died = self.oracles[notice["referral_id"]].find_death_before(from_timestamp(notice["created_at"]))
        return died is not None and notice["category"] != "critical" and self._became_known(notice) <= died

    def _became_known(self, notice: Item) -> datetime:
        """When an event was reported; for a notice about a day, when it was written."""
        return from_timestamp(
            notice["created_at"] if _is_of_a_day(notice) else self.tasks[notice["outbox_id"]]["planned_for"]
        )

    def _wrong_hours(self, mail: Item) -> Iterator[str]:
        """An email about a day comes from 7 AM on in the reader's zone, or at the hour that the reader chose."""
        zone, wishes = self.staff.zones[mail["member_id"]], self.staff.wishes[mail["member_id"]]
        planned = from_timestamp(mail["planned_for"]).astimezone(zone)
        ends = wishes.quiet_hours.ends if wishes.quiet_hours else None
        about = [self._by_id[notice_id] for notice_id in mail["notice_ids"]]
        # An email about an event comes at any hour, and a day that was in the evening before may join it.
        # Emails that are combined were due before.
        may_be_at_night = mail["kind"] == "gathered" or not all(map(_is_of_a_day, about))
        for notice in about:
            if not _is_of_a_day(notice) or wishes.get_timing(Category(notice["category"])) is MailTiming.DAILY:
                continue
            if planned.time() < SEVEN and planned.time() != ends and not may_be_at_night:
                yield f"is planned for {planned}, and {notice['rule']} is about a day"
            # The row of an overdue alert is set again for the next one, so its day is that of the notice.
            task = self.tasks.get(notice["outbox_id"])
            created = from_timestamp(notice["created_at"]).astimezone(zone).date()
            on = date.fromisoformat(task["due_on"]) if task else created
            morning = datetime.combine(on, SEVEN, zone)
            for sent in self.sent.get(mail["outbox_id"], ()):
                if sent.at < morning:
                    yield f"was sent at {sent.at.astimezone(zone)}, before the morning of {on}"

    @cached_property
    def _by_id(self) -> Mapping[str, Item]:
        return {notice["notice_id"]: notice for notice in self.notices}

    def _key(self, oracle: NoticeOracle, notice: Item) -> NoticeKey:
        task = self.tasks[notice["outbox_id"]]
        if task["rule"] == REMINDER:
            reminder = oracle.visits.reminders.get(task["outbox_id"])
            return reminder.key if reminder else NoticeKey(REMINDER, date.fromisoformat(task["due_on"]))
        if task["rule"] in SCHEDULE:
            return NoticeKey(task["rule"], date.fromisoformat(task["due_on"]))
        what = task.get("stage") or _NAMES.get(task["rule"], task["rule"])
        return NoticeKey(str(what), from_timestamp(task["planned_for"]))


def _get_order(mail: Item) -> tuple[str, str]:
    return mail["planned_for"], mail.get("late_since", "")


def _is_of_a_day(notice: Item) -> bool:
    is_planned = notice["rule"] in SCHEDULE or notice["rule"] in RULES or notice["rule"] == REMINDER
    return is_planned or (notice["rule"].startswith("coverage_") and notice["category"] != "critical")


def _wrong_titles(oracle: NoticeOracle, result: Mapping[NoticeKey, Sequence[Item]]) -> Iterator[str]:
    """A notice for a day that was sent before and moved says so; so does a notice that is days late."""
    zone = ZoneInfo(oracle.course.center.time_zone)
    first = {key: min(from_timestamp(n["created_at"]) for n in found) for key, found in result.items() if found}
    for key, found in result.items():
        if key.rule not in SCHEDULE or not found:
            continue
        earlier = [other for other in first if _replaced(other, key) and first[other] < first[key]]
        # A run may have died between sending and marking: then no one knows of it.
        is_known = any(other in oracle.fates and oracle.fates[other].must_be_sent for other in earlier)
        for notice in found:
            late_by = from_timestamp(notice["created_at"]).astimezone(zone).date() - key.day
            says_so = notice["title"].startswith(_MOVED)
            if key.rule in _OF_A_LABEL and (_UNNAMED in notice["title"]) is oracle.is_product_named(
                from_timestamp(notice["created_at"])
            ):
                yield f"{_name_notice(key)} says {notice['title']!r}, and the product is {oracle.products.current}"
            if (says_so and not earlier) or (is_known and not says_so):
                yield f"{_name_notice(key)} says {notice['title']!r}"
            if ("(was due " in notice["title"]) is not (late_by > timedelta(days=1)):
                yield f"{_name_notice(key)} says {notice['title']!r}, {late_by.days} days late"


def _replaced(other: NoticeKey, key: NoticeKey) -> bool:
    """Whether two notices say the same about two days. Another return is not a correction."""
    return other.rule == key.rule and key.rule != "handback_unacknowledged"


def _name_notice(key: NoticeKey) -> str:
    return f"{key.rule} of {key.day}"


def _scanned(stores: Stores, table: str) -> Iterator[Item]:
    scan = stores.referrals.table.client().get_paginator("scan")
    for page in scan.paginate(TableName=f"{PREFIX}{table}", ConsistentRead=True):
        yield from map(unmarshal, page["Items"])
