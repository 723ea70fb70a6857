"""Reports what becomes known about a referral in a year, as the practice's people or as the center's system."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import (
    Corrected,
    EventSource,
    HoldEnded,
    HoldStarted,
    PlanChanged,
    ReferralEvent,
    Reopened,
    StageChange,
    ToxicityNoticed,
    WindowExtended,
)
from chalicelib.domain.referrals.plan_terms import PlanKind
from chalicelib.domain.referrals.reason_codes import ReasonCode
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.errors import UnavailableError
from chalicelib.services.referrals import report_event as journey
from chalicelib.store.platform.idempotency import StoredResponse, hash_body
from chalicelib.store.webhooks.delivery_log import Delivery
from tests.simulation.known_events import AGAIN, KnownEvent, ReferralHistory
from tests.simulation.year_members import YearMembers
from tests.simulation.year_payer import MEMBERS
from tests.support.faults import SimulatedCrash
from tests.support.service_driver import ServiceDriver

_LETTERS = str.maketrans("0123456789", "abcdefghij")
"""Spells the numbers of an alias with letters, because a long number could be a record number."""

_BY_PRACTICE = frozenset({"submitted", "withdrawn", "handed_back"})

_OTHER_EVENTS: Mapping[str, tuple[type[ReferralEvent], Mapping[str, Any]]] = {
    "hold_started": (HoldStarted, {}),
    "hold_ended": (HoldEnded, {}),
    "toxicity": (ToxicityNoticed, {"kind": "crs"}),
    "reopened": (Reopened, {"note": "Reported in error."}),
}

_MAY_REPEAT = frozenset({"monitoring", "planned", "extended"})
"""Reports that may bring nothing new. The product opens monitoring itself, and the center's report repeats it.
Whether another one is news shows in the notices."""

TRIES = 30
"""How often a sender sends again before this search gives up; faults are rarer than that."""


@dataclass(slots=True)
class Reporter:
    """Reports what becomes known about one referral, again and again until it is answered."""

    course: ReferralHistory
    staff: YearMembers
    _sent: int = 0
    _known: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """The id and the true time of the first report of each status."""
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
            may_repeat = news.what in _MAY_REPEAT or news.what.endswith(AGAIN)
            if status not in {"applied", "duplicate"} and not (may_repeat and status == "recorded"):
                self.illegal.append(f"{news.what} is {status}")
            return
        self.illegal.append(f"{news.what} is never answered")

    def _reported(self, news: KnownEvent, driver: ServiceDriver) -> str:
        if news.what not in _BY_PRACTICE and not news.is_by_practice:
            return self._delivered(news, driver)
        member = self.staff.people[self.course.practice.tenant_id][0]
        key = f"{self.course.name} {self._sent}"
        if news.what == "submitted":
            alias = key.translate(_LETTERS)
            changed: dict[str, Any] = {"center_id": self.course.center.tenant_id, "patient__alias": alias}
            changed |= {"product_id": self.course.requested}
            changed |= {"insurance__member_id": MEMBERS[len(self.course.news) % len(MEMBERS)]}
            driver.refer(self.referral_id, key=key, member=member, **changed)
            return "applied"
        request = driver.build_request(member, f"POST /v1/referrals/{self.referral_id}/events", key)
        sender: dict[str, Any] = {"actor": Actor.PRACTICE, "source": EventSource.PRACTICE}
        sender |= {"actor_id": member.member_id, "actor_name": member.name}
        answer = journey.report_by_member(
            self._event(news, derive_id("evt", request.scope_key), driver.now, sender),
            member=member,
            request=request,
            build_response=lambda result: StoredResponse(status=200, headers={}, body={"status": result.status}),
            context=driver.context,
        )
        return str(answer.body["status"])

    def _delivered(self, news: KnownEvent, driver: ServiceDriver) -> str:
        center_id = self.course.center.tenant_id
        webhook_id = f"{self.course.name}-{self._sent}"
        sender: dict[str, Any] = {"actor": Actor.CENTER, "source": EventSource.CENTER_FEED}
        sender |= {"actor_id": f"feed:{center_id}", "actor_name": self.course.center.name}
        event = self._event(news, derive_id("evt", center_id, webhook_id), driver.now, sender)
        if news.part == 1:
            self._known.setdefault(news.what, (event.event_id, event.occurred_at))
        delivery = Delivery(
            center_id=center_id, webhook_id=webhook_id, body_hash=hash_body(webhook_id.encode()), received_at=driver.now
        )
        return journey.report_by_webhook(event, delivery=delivery, context=driver.context).status

    def _event(self, news: KnownEvent, event_id: str, now: datetime, sender: Mapping[str, Any]) -> ReferralEvent:
        common: dict[str, Any] = {"event_id": event_id, "referral_id": self.referral_id, "recorded_at": now, **sender}
        common["occurred_at"] = news.at if news.what == "corrected" else news.true_at
        if news.what in _OTHER_EVENTS:
            kind, more = _OTHER_EVENTS[news.what]
            return kind(**common, **more)
        if news.ends_on:
            return WindowExtended(**common, ends_on=news.ends_on)
        if news.what == "planned":
            canceled = news.planned_for is None
            return PlanChanged(**common, plan=PlanKind(news.plan), canceled=canceled, **_list_date_fields(news))
        if news.what == "corrected":
            wrong_id, true_at = self._known[news.corrects]
            right = news.true_at if news.corrects == "infused" else true_at
            fields = common | {"occurred_at": right, "stage": Stage(news.corrects), "product_id": news.product_id}
            return Corrected(**common, supersedes=wrong_id, replacement=StageChange(**fields))
        of = 2 if self.course.is_split and news.what == "infused" else 1
        common |= {"part": news.part, "of": of, "product_id": news.product_id}
        common |= {"reason_code": ReasonCode.NO_SHOW} if news.is_no_show else {}
        return StageChange(**common, stage=Stage(news.stage), **_list_date_fields(news))


def _list_date_fields(news: KnownEvent) -> Mapping[str, Any]:
    is_time = isinstance(news.planned_for, datetime)
    return {"starts_at" if is_time else "on": news.planned_for, "place": news.place}
