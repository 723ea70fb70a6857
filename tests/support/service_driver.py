"""Drives the services directly, at a chosen time: no API, no token, no signature."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource, ReferralEvent, StageChange
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.mail import MailMessage
from chalicelib.services.notices import outbox_worker as duties
from chalicelib.services.platform.run_context import JobContext, RunContext
from chalicelib.services.referrals import create as intake
from chalicelib.services.referrals import report_event as journey
from chalicelib.services.referrals.report_results import ReportResult
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse, hash_body
from chalicelib.store.referrals.items import LoggedEvent
from chalicelib.store.webhooks.delivery_log import Delivery
from tests.support import factories
from tests.support import stores as store_tools
from tests.support.factories import CENTER, NOON, PRACTICE, build_member

_CENTERS = [tenant for tenant in factories.TENANTS if tenant.kind is TenantKind.CENTER]
MINUTE = timedelta(minutes=1)
LINK = "https://dashboard.example"
SENDER = "notices@dashboard.example"

ALIAS = "Blue Heron"
"""The alias of the referral that most tests follow; others get a free one."""

_SECTIONS = ("patient", "clinical", "referring_provider", "insurance", "consent_to_share", "note")

STAGES_TO_LYMPHODEPLETION = (
    "accepted",
    "consult_scheduled",
    "consult_completed",
    "center_proceed",
    "apheresis_scheduled",
    "apheresis_completed",
    "manufacturing_started",
    "lymphodepletion_started",
)
"""From submission to the day before the infusion, without the optional stages."""


@dataclass
class MailRecorder:
    """A mail service that records what it accepts."""

    accepted: list[tuple[MailMessage, str]] = field(default_factory=list)

    def send(self, message: MailMessage, *, tag: str) -> str:
        """Accept an email."""
        self.accepted.append((message, tag))
        return f"mail-{len(self.accepted)}"

    def read_quota_used(self) -> float:
        """Read the part of a quota of 200 that was used, in percent."""
        return len(self.accepted) / 2

    @property
    def list_recipients(self) -> list[str]:
        """The recipients, once for each email."""
        return sorted(message.to for message, _ in self.accepted)


@dataclass
class FailingMailer(MailRecorder):
    """A mail service that fails for the addresses that contain `refused`."""

    refused: str = ""
    error: Exception = field(default_factory=lambda: KeyError("Ana Example"))

    def send(self, message: MailMessage, *, tag: str) -> str:
        """Accept an email, unless its address is refused."""
        if self.refused and self.refused in message.to:
            raise self.error
        return super().send(message, tag=tag)


@dataclass
class ServiceDriver:
    """Practices and centers that use the services; each step is a minute later."""

    stores: Stores
    now: datetime = NOON
    postbox: MailRecorder = field(default_factory=MailRecorder)

    @property
    def context(self) -> RunContext:
        """The run context of the next step."""
        return RunContext(self.stores, self.now)

    def build_job_context(self, now: datetime | None = None) -> JobContext:
        """Build the context of a job, now or at another time."""
        return JobContext(self.stores, now or self.now, mailer=self.postbox, sign_in_url=LINK, sender=SENDER)

    def restart(self) -> "ServiceDriver":
        """Return a driver of the same tables in a function with empty caches."""
        return replace(self, stores=store_tools.restart_stores(self.stores))

    def refer(
        self,
        referral_id: str = "ref_1",
        *,
        key: str = "key-1",
        member: Member | None = None,
        submit: bool = True,
        **changed: Any,
    ) -> StoredResponse:
        """Create a referral from the contract's example, as a practice does."""
        body = factories.build_referral_body(**changed)
        member = member or build_member(PRACTICE)
        return intake.create_referral(
            intake.NewReferral(
                details={name: body[name] for name in _SECTIONS},
                alias=body["patient"].get("alias") or (ALIAS if referral_id == "ref_1" else None),
                product_id=body["product_id"],
                center_id=body["center_id"],
                urgency=body["urgency"],
            ),
            submit=submit,
            referral_id=referral_id,
            member=member,
            request=self.build_request(member, "POST /v1/referrals", key),
            build_response=lambda r: StoredResponse(status=201, headers={}, body={"referral_id": r.referral_id}),
            context=self.context,
        )

    def build_request(self, member: Member, route: str, key: str, body: bytes = b"{}") -> IdempotentRequest:
        """Build a POST as the routes pass it to a service."""
        return IdempotentRequest(
            member_id=member.member_id, tenant_id=member.tenant_id, route=route, key=key, body=body
        )

    def deliver(
        self,
        stage: str,
        *,
        referral_id: str = "ref_1",
        at: datetime | None = None,
        webhook_id: str | None = None,
        center: Tenant = CENTER,
        body: bytes | None = None,
        **more: Any,
    ) -> ReportResult:
        """Report a stage change as a center's system."""
        at = at or self.now
        webhook_id = webhook_id or f"msg-{stage}-{at:%H%M%S}-{more.get('part', 1)}"
        change = StageChange(
            event_id=derive_id("evt", center.tenant_id, webhook_id),
            referral_id=referral_id,
            stage=Stage(stage),
            occurred_at=at,
            recorded_at=self.now,
            actor=Actor.CENTER,
            source=EventSource.CENTER_FEED,
            actor_id=f"feed:{center.tenant_id}",
            actor_name=center.name,
            **more,
        )
        delivery = Delivery(
            center_id=center.tenant_id,
            webhook_id=webhook_id,
            body_hash=hash_body(body if body is not None else repr(change.order).encode()),
            received_at=self.now,
        )
        return journey.report_by_webhook(change, delivery=delivery, context=self.context)

    def deliver_event(self, event: ReferralEvent, *, webhook_id: str) -> ReportResult:
        """Report any event as a center's system."""
        event = replace(event, event_id=derive_id("evt", CENTER.tenant_id, webhook_id))
        delivery = Delivery(
            center_id=CENTER.tenant_id,
            webhook_id=webhook_id,
            body_hash=hash_body(repr(event.order).encode()),
            received_at=self.now,
        )
        return journey.report_by_webhook(event, delivery=delivery, context=self.context)

    def report(
        self,
        stage: str,
        *,
        referral_id: str = "ref_1",
        member: Member | None = None,
        key: str = "event-1",
        at: datetime | None = None,
        body: bytes = b"{}",
        **more: Any,
    ) -> StoredResponse:
        """Report a stage as a person of either side."""
        member = member or build_member(CENTER)
        request = self.build_request(member, f"POST /v1/referrals/{referral_id}/events", key, body)
        change = StageChange(
            event_id=derive_id("evt", request.scope_key),
            referral_id=referral_id,
            stage=Stage(stage),
            occurred_at=at or self.now,
            recorded_at=self.now,
            actor=member.actor,
            source=EventSource(member.kind.value),
            actor_id=member.member_id,
            actor_name=member.name,
            **more,
        )
        return journey.report_by_member(
            change,
            member=member,
            request=request,
            build_response=lambda o: StoredResponse(
                status=200, headers={}, body={"status": o.status, "stage": o.stage}
            ),
            context=self.context,
        )

    def move_to(self, *stages: str, referral_id: str = "ref_1") -> None:
        """Report stage after stage as the center's system, a minute apart."""
        for stage in stages:
            self.now += MINUTE
            outcome = self.deliver(stage, referral_id=referral_id)
            assert outcome.status == "applied", f"{stage}: {outcome}"

    def run_queue(self, lane: TaskQueue, *, now: datetime | None = None) -> Mapping[str, int]:
        """Run a scheduled job."""
        return duties.process_queue(lane, context=self.build_job_context(now))

    def run_stream(self, *outbox_ids: str, now: datetime | None = None) -> Mapping[str, int]:
        """Process new outbox rows, as the table's stream does."""
        return duties.process_committed(outbox_ids, context=self.build_job_context(now))

    def get_referral(self, referral_id: str = "ref_1") -> Referral:
        """Return a referral."""
        found = self.stores.referrals.get(referral_id)
        assert found is not None, referral_id
        return found

    def list_events(self, referral_id: str = "ref_1") -> list[LoggedEvent]:
        """Return the events, ordered by when they were true."""
        events, _ = self.stores.referrals.list_timeline(referral_id, limit=100, start=None)
        return list(events)[::-1]

    def list_parked_stages(self, referral_id: str = "ref_1") -> list[str]:
        """Return the stages of parked events, including those for unknown referrals."""
        store = self.stores.referrals
        _, parked = store.get_with_parked(referral_id)
        early = [p for c in _CENTERS for p in store.list_parked_for_unknown(referral_id, c.tenant_id)]
        return sorted(_get_event_name(p.event) for p in (*parked, *early))


def _get_event_name(event: ReferralEvent) -> str:
    """Return the stage of a stage change, or the type of another event."""
    return event.stage.value if isinstance(event, StageChange) else event.type.value


def open_service_driver(stores: Stores) -> ServiceDriver:
    """Store two practices and two centers with their people, and return a driver of their services."""
    factories.add_tenants(stores, factories.TENANTS)
    people = [
        build_member(tenant, role=role) for tenant in factories.TENANTS for role in (Role.COORDINATOR, Role.ADMIN)
    ]
    # In one transaction, because each test opens a driver.
    stores.transactions.commit(*(write for member in people for write in stores.members.prepare_add(member)))
    return ServiceDriver(stores)


def refer_first(driver: ServiceDriver) -> ServiceDriver:
    """Submit the referral that most tests follow."""
    driver.refer()
    driver.now = driver.now.replace(second=30)
    return driver
