"""The people of a year: tenants in several zones, their email preferences, and what they report."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.domain.identity.members import Member, Role, Tenant
from chalicelib.domain.notices.mail_timing import MailTiming, Preferences, QuietHours
from chalicelib.domain.notices.notice_rules import Category
from chalicelib.domain.referrals.events import (
    Corrected,
    EventSource,
    HoldEnded,
    HoldStarted,
    ReferralEvent,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
    derive_id,
)
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import UnavailableError
from chalicelib.services.referrals import report_event as journey
from chalicelib.store.all_stores import Stores
from chalicelib.store.webhooks.idempotency import Delivery, hash_body
from tests.simulation.random_histories import CENTERS, PRACTICES, KnownEvent, ReferralHistory
from tests.support import factories
from tests.support.faults import SimulatedCrash
from tests.support.service_driver import ServiceDriver

_FACTS = factories.CENTER_FACTS | {
    "products": [
        factories.CENTER_FACTS["products"][0] | {"product_id": product_id} for product_id in ("breyanzi", "aucatzyl")
    ]
}

_LETTERS = str.maketrans("0123456789", "abcdefghij")
"""Spells the numbers of an alias with letters, because a long number could be a record number."""

_BY_PRACTICE = frozenset({"submitted", "withdrawn", "handed_back"})

_TURNED_OFF = (
    {Category.WINDOW: MailTiming.DAILY, Category.STATUS_UPDATE: MailTiming.DAILY},
    {Category.FOLLOW_UP: MailTiming.NEVER, Category.CHECK_IN: MailTiming.AT_ONCE},
    {Category.WINDOW: MailTiming.NEVER},
)

_BESIDE: Mapping[str, tuple[type[ReferralEvent], Mapping[str, Any]]] = {
    "hold_started": (HoldStarted, {}),
    "hold_ended": (HoldEnded, {}),
    "toxicity": (ToxicityNoticed, {"kind": "crs"}),
    "reopened": (Reopened, {"note": "Reported in error."}),
}

TRIES = 30
"""How often a sender sends again before this search gives up; faults are rarer than that."""


@dataclass(frozen=True)
class YearMembers:
    """The members of each tenant, and their email preferences."""

    people: Mapping[str, Sequence[Member]]
    wishes: Mapping[str, Preferences]

    @cached_property
    def zones(self) -> Mapping[str, ZoneInfo]:
        """The time zone of each member."""
        zones = {tenant.tenant_id: ZoneInfo(tenant.time_zone) for tenant in (*PRACTICES, *CENTERS)}
        return {member.member_id: zones[tenant_id] for tenant_id, people in self.people.items() for member in people}

    def wants_mail(self, member_id: str, category: str) -> bool:
        """Whether a member wants email of a category."""
        usual = MailTiming.NEVER if category == "check_in" else MailTiming.AT_ONCE
        chosen = self.wishes[member_id].timings.get(Category(category), usual)
        return category == "critical" or chosen is not MailTiming.NEVER


def create_members(stores: Stores, drawn: random.Random) -> YearMembers:
    """Create the practices and the centers, with one or two people each."""
    people: dict[str, list[Member]] = {}
    wishes: dict[str, Preferences] = {}
    tenants = (*PRACTICES, *CENTERS)
    factories.add_tenants(stores, tenants, facts=_FACTS)
    for tenant in tenants:
        people[tenant.tenant_id] = list(_people_of(tenant, drawn))
        factories.add_members(stores, people[tenant.tenant_id])
        for member in people[tenant.tenant_id]:
            wishes[member.member_id] = _wishes(drawn)
            _, saving = stores.recipients.prepare_save(member.member_id, wishes[member.member_id], version=0)
            stores.transactions.commit(saving)
    return YearMembers(people, wishes)


def _people_of(tenant: Tenant, drawn: random.Random) -> Sequence[Member]:
    """A coordinator, and in some places one who is also its administrator."""
    both = frozenset({Role.COORDINATOR, Role.ADMIN})
    second = replace(factories.build_member(tenant, n=2), roles=both)
    return [factories.build_member(tenant), *([second] if drawn.random() < 0.3 else [])]


def _wishes(drawn: random.Random) -> Preferences:
    quiet = QuietHours(time(21), time(6, 30)) if drawn.random() < 0.3 else None
    timings = drawn.choice([{}, {}, *_TURNED_OFF])
    return Preferences(timings=timings, digest_hour=drawn.randrange(24), quiet_hours=quiet)


@dataclass(slots=True)
class Reporter:
    """Reports what becomes known about one referral, again and again until it is answered."""

    course: ReferralHistory
    staff: YearMembers
    _sent: int = 0
    _infusion: str = ""
    illegal: list[str] = field(default_factory=list)

    @property
    def referral_id(self) -> str:
        """Return the side that reports it."""
        return derive_id("ref", self.course.name)

    def report(self, news: KnownEvent, driver: ServiceDriver) -> None:
        """Report it, as the practice's people or as the center's system."""
        self._sent += 1
        for _ in range(TRIES):
            try:
                status = self._reported(news, driver)
            except (SimulatedCrash, UnavailableError):
                continue
            # The product opened monitoring itself, so the center's report only repeats it.
            if status not in {"applied", "duplicate"} and not (news.what == "monitoring" and status == "recorded"):
                self.illegal.append(f"{news.what} is {status}")
            return
        self.illegal.append(f"{news.what} is never answered")

    def _reported(self, news: KnownEvent, driver: ServiceDriver) -> str:
        if news.what not in _BY_PRACTICE:
            return self._delivered(news, driver)
        member = self.staff.people[self.course.practice.tenant_id][0]
        key = f"{self.course.name} {self._sent}"
        if news.what == "submitted":
            alias = key.translate(_LETTERS)
            changed: dict[str, Any] = {"center_id": self.course.center.tenant_id, "patient__alias": alias}
            changed |= {"product_id": self.course.product_id}
            driver.refer(self.referral_id, key=key, member=member, **changed)
            return "applied"
        answer = driver.report(news.what, referral_id=self.referral_id, member=member, key=key)
        return str(answer.body["status"])

    def _delivered(self, news: KnownEvent, driver: ServiceDriver) -> str:
        center_id = self.course.center.tenant_id
        webhook_id = f"{self.course.name}-{self._sent}"
        event = self._event(news, derive_id("evt", center_id, webhook_id), driver.now)
        if news.what == "infused" and news.part == 1:
            self._infusion = event.event_id
        delivery = Delivery(
            center_id=center_id, webhook_id=webhook_id, body_hash=hash_body(webhook_id.encode()), received_at=driver.now
        )
        return journey.report_by_webhook(event, delivery=delivery, context=driver.context).status

    def _event(self, news: KnownEvent, event_id: str, now: datetime) -> ReferralEvent:
        result: dict[str, Any] = {
            "event_id": event_id,
            "referral_id": self.referral_id,
            "occurred_at": news.true_at,
            "recorded_at": now,
            "actor": Actor.CENTER,
            "source": EventSource.CENTER_FEED,
            "actor_id": f"feed:{self.course.center.tenant_id}",
            "actor_name": self.course.center.name,
        }
        if news.what in _BESIDE:
            kind, more = _BESIDE[news.what]
            return kind(**result, **more)
        if news.ends_on:
            return WindowExtended(**result, ends_on=news.ends_on)
        if news.what == "corrected":
            right = StageChange(**result, stage=Stage.INFUSED)
            result["occurred_at"] = news.at
            return Corrected(**result, supersedes=self._infusion, replacement=right)
        of = 2 if self.course.is_split and news.what == "infused" else 1
        return StageChange(**result, stage=Stage(news.what), part=news.part, of=of)
