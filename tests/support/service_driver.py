"""The services by themselves, at a time of our choice: no API, no token, no signature."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.identity.members import Member, Role, Tenant, TenantKind
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.referrals.events import EventSource, ReferralEvent, StageChange, derive_id
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.mail import MailMessage
from chalicelib.services.notices import outbox_worker as duties
from chalicelib.services.platform.run_context import JobContext, RunContext
from chalicelib.services.referrals import create as intake
from chalicelib.services.referrals import report_event as journey
from chalicelib.services.referrals.report_event import ReportResult
from chalicelib.store.all_stores import Stores
from chalicelib.store.referrals.items import LoggedEvent
from chalicelib.store.webhooks.idempotency import Delivery, IdempotentRequest, StoredResponse, hash_body
from tests.support import factories
from tests.support import stores as shelves
from tests.support.factories import CENTER, NOON, PRACTICE, build_member

_CENTERS = [tenant for tenant in factories.TENANTS if tenant.kind is TenantKind.CENTER]
MINUTE = timedelta(minutes=1)
LINK = "https://dashboard.example"

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
"""From submission to the day before the infusion, as a sparse feed reports it."""


@dataclass
class MailRecorder:
    """A mail service that keeps what it takes."""

    taken: list[tuple[MailMessage, str]] = field(default_factory=list)

    def send(self, message: MailMessage, *, tag: str) -> str:
        """Take a mail."""
        self.taken.append((message, tag))
        return f"mail-{len(self.taken)}"

    @property
    def list_recipients(self) -> list[str]:
        """Who got one, once for each."""
        return sorted(message.to for message, _ in self.taken)


@dataclass
class FailingMailer(MailRecorder):
    """A mail service that fails over the mail to some people, if it is told to."""

    refused: str = ""
    error: Exception = field(default_factory=lambda: KeyError("Ana Example"))

    def send(self, message: MailMessage, *, tag: str) -> str:
        """Take a mail, unless it is to somebody who is refused."""
        if self.refused and self.refused in message.to:
            raise self.error
        return super().send(message, tag=tag)


@dataclass
class ServiceDriver:
    """Practices and centers that work with the stores; each step is a minute later."""

    stores: Stores
    now: datetime = NOON
    postbox: MailRecorder = field(default_factory=MailRecorder)

    @property
    def context(self) -> RunContext:
        """The tables, and the time of the next step."""
        return RunContext(self.stores, self.now)

    def build_job_context(self, now: datetime | None = None) -> JobContext:
        """What a job works with now, or at another time."""
        return JobContext(self.stores, now or self.now, mailer=self.postbox, sign_in_url=LINK)

    def restart(self) -> "ServiceDriver":
        """The same tables, in a function that remembers nothing."""
        return replace(self, stores=shelves.restart_stores(self.stores))

    def refer(
        self,
        referral_id: str = "ref_1",
        *,
        key: str = "key-1",
        member: Member | None = None,
        submit: bool = True,
        **changed: Any,
    ) -> StoredResponse:
        """Write a referral of the contract's example, as a practice does."""
        body = factories.build_referral_body(**changed)
        member = member or build_member(PRACTICE)
        return intake.create_referral(
            intake.NewReferral(
                details={name: body[name] for name in _SECTIONS},
                alias=body["patient"].get("alias"),
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
        """A POST as the front hands it over."""
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
        """Take a delivery of a center's feed."""
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
        """Take a delivery of whatever kind; its event is made for the center's feed."""
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
        """Let a center report stage after stage, a minute apart."""
        for stage in stages:
            self.now += MINUTE
            outcome = self.deliver(stage, referral_id=referral_id)
            assert outcome.status == "applied", f"{stage}: {outcome}"

    def run_queue(self, lane: TaskQueue, *, now: datetime | None = None) -> Mapping[str, int]:
        """Run a scheduled job."""
        return duties.process_queue(lane, context=self.build_job_context(now))

    def run_stream(self, *outbox_ids: str, now: datetime | None = None) -> Mapping[str, int]:
        """Hand over what the outbox's stream tells."""
        return duties.process_committed(outbox_ids, context=self.build_job_context(now))

    def get_referral(self, referral_id: str = "ref_1") -> Referral:
        """A referral as it stands."""
        found = self.stores.referrals.get(referral_id)
        assert found is not None, referral_id
        return found

    def list_events(self, referral_id: str = "ref_1") -> list[LoggedEvent]:
        """What happened, in the order of truth."""
        events, _ = self.stores.referrals.list_timeline(referral_id, limit=100, start=None)
        return list(events)[::-1]

    def list_parked_stages(self, referral_id: str = "ref_1") -> list[str]:
        """The stages of deliveries that wait, those of strangers as well."""
        store = self.stores.referrals
        _, parked = store.get_with_parked(referral_id)
        early = [p for c in _CENTERS for p in store.list_parked_for_unknown(referral_id, c.tenant_id)]
        return sorted(_name_of(p.event) for p in (*parked, *early))


def _name_of(event: ReferralEvent) -> str:
    """The stage that it tells of, or else its type."""
    return event.stage.value if isinstance(event, StageChange) else event.type.value


def open_service_driver(stores: Stores) -> ServiceDriver:
    """A desk in front of two practices and two centers with their people."""
    for tenant in factories.TENANTS:
        facts = factories.CENTER_FACTS if tenant.kind is TenantKind.CENTER else {}
        stores.tenants.add(tenant, facts)
    people = [
        build_member(tenant, role=role) for tenant in factories.TENANTS for role in (Role.COORDINATOR, Role.ADMIN)
    ]
    stores.transactions.commit(*(write for member in people for write in stores.members.prepare_add(member)))
    return ServiceDriver(stores)
