"""Creates the stories in the product, through the same services that people and centers use."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.domain.identity.members import Member, Role, TenantKind, build_membership_key
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource, ReferralEvent, StageChange
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.routes.referrals.new_referrals import REFERRAL_SECTIONS
from chalicelib.routes.referrals.request_bodies import ReferralRequest
from chalicelib.services.handback import package as handback_packages
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.create import NewReferral, create_referral
from chalicelib.services.referrals.report_event import report_by_member, report_by_system, report_by_webhook
from chalicelib.store.all_stores import Stores
from chalicelib.store.platform.idempotency import IdempotentRequest, StoredResponse, hash_body
from chalicelib.store.platform.transactions import ConditionFailedError
from chalicelib.store.webhooks.delivery_log import Delivery
from infra.world.accounts import Accounts
from infra.world.backdating import BackdatedAlertRows, BackdatedOutbox, UnlimitedRates
from infra.world.care import DatedCareNote, list_care_notes
from infra.world.consultations import ConsultationPlayer
from infra.world.conversations import ConversationPlayer
from infra.world.corrections import apply_correction, find_correction
from infra.world.coverage import CoveragePlayer
from infra.world.documents import DocumentPlayer
from infra.world.packages import build_package
from infra.world.patients import build_packet
from infra.world.people import MEMBERS, find_member_by_role
from infra.world.places import CENTERS, OPERATOR, PRACTICES, DemoCenter, find_center, find_practice
from infra.world.products import find_named_product, find_requested_product
from infra.world.stories import NOTES, REASONS, Story
from infra.world.timeline import Step, build_steps, compute_draft_time

RECENT = timedelta(days=1)
"""Notices about events of this period are still sent. They are the first emails of a demonstration."""

_STAGES_WITH_PACKAGE = frozenset({Stage.HANDBACK_READY, Stage.HANDED_BACK})
"""The center writes the transition-of-care summary at the first of these stages. Sparse reports omit the first one."""

Progress = Callable[[str], None]


def seed_world(
    *, stores: Stores, accounts: Accounts, now: datetime, progress: Progress, stories: Sequence[Story]
) -> None:
    """Create the sample data as of `now`.

    A second call with the same `now` finishes what an earlier call started and changes nothing else.
    """
    _create_organizations(stores, now=now)
    members = _create_members(stores, accounts, now=now)
    progress(f"{len(members)} people in {len(PRACTICES)} practices and {len(CENTERS)} centers")
    backdated_stores = stores.replace(
        outbox=BackdatedOutbox(stores.outbox.table, now - RECENT),
        overdue_alerts=BackdatedAlertRows(stores.overdue_alerts.table, now - RECENT),
        rate_limits=UnlimitedRates(stores.rate_limits.table),
    )
    for number, story in enumerate(stories, start=1):
        _StoryPlayer(story=story, members=members, stores=backdated_stores, now=now).play()
        if number % 20 == 0 or number == len(stories):
            progress(f"{number} of {len(stories)} referrals")
    referral_ids = {story.number: derive_referral_id(story) for story in stories}
    ConsultationPlayer(members=members, stores=backdated_stores, now=now).play(stories, referral_ids)


def validate_sections(sections: Mapping[str, Any]) -> Mapping[str, Any]:
    """Validate the sections as strictly as the API does, and return them as it stores them."""
    body = ReferralRequest.model_validate_json(json.dumps(sections))
    values = json.loads(body.model_dump_json())
    return {name: values[name] for name in REFERRAL_SECTIONS}


def derive_referral_id(story: Story) -> str:
    """Return the referral's ID, which is the same each time the sample data is created."""
    return derive_id("ref", "fictional world", str(story.number))


def _compute_first_visit(step: Step) -> date | None:
    """Return the date one week after the patient returned to the practice."""
    return step.at.date() + timedelta(days=7) if step.stage is Stage.HANDED_BACK else None


def _create_organizations(stores: Stores, *, now: datetime) -> None:
    for organization in (*PRACTICES, *CENTERS):
        stores.tenants.add(organization.tenant, organization.listing)
    stores.tenants.add(OPERATOR, {"fictional": True})
    for center in CENTERS:
        if not stores.secrets.list_valid(center.tenant_id, now=now):
            stores.transactions.commit(*stores.secrets.prepare_rotate(center.tenant_id, now=now).writes)


def _create_members(stores: Stores, accounts: Accounts, *, now: datetime) -> dict[str, Member]:
    """Create all members, and return them by handle."""
    members = {}
    for account in MEMBERS:
        member = account.to_member(accounts.ensure_account(account))
        # An earlier attempt may have created some of them.
        with suppress(ConditionFailedError):
            stores.transactions.commit(
                *stores.members.prepare_add(member),
                *prepare_digest_writes(None, member, context=RunContext(stores, now)),
            )
        members[account.handle] = member
    _add_second_membership(members, stores, now=now)
    return members


def _add_second_membership(members: Mapping[str, Member], stores: Stores, *, now: datetime) -> None:
    """Make one provider a member of another practice, too, so that a person can be seen who works in two places."""
    account = find_member_by_role("mesa", Role.PROVIDER)
    practice = find_practice("marsh").tenant
    member_id = derive_id("mem", "fictional world", account.handle, practice.tenant_id)
    member = replace(
        members[account.handle],
        subject=build_membership_key(members[account.handle].person, member_id),
        member_id=member_id,
        tenant_id=practice.tenant_id,
    )
    with suppress(ConditionFailedError):
        stores.transactions.commit(
            *stores.members.prepare_add_later(member),
            *prepare_digest_writes(None, member, context=RunContext(stores, now)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _StoryPlayer:
    """Creates one referral and reports its events."""

    story: Story
    members: dict[str, Member]
    stores: Stores
    now: datetime

    @property
    def referral_id(self) -> str:
        return derive_referral_id(self.story)

    @property
    def center(self) -> DemoCenter:
        return find_center(self.story.center)

    def play(self) -> None:
        steps = build_steps(self.story, self.center, now=self.now)
        referral = self.stores.referrals.get(self.referral_id)
        if referral is None:
            self._create_referral(steps)
        last_order = referral.last_applied_order if referral else None
        reports: list[tuple[int, Step | DatedCareNote]] = [
            *enumerate(steps[1:], start=1),
            *enumerate(list_care_notes(self.story, steps, now=self.now), start=1),
        ]
        for number, report in sorted(reports, key=lambda numbered: numbered[1].at):
            # Skip the events that an earlier attempt already reported.
            if last_order is None or report.at > last_order.occurred_at:
                if isinstance(report, DatedCareNote):
                    self._report_care(report, number)
                    continue
                if report.stage in _STAGES_WITH_PACKAGE:
                    self._write_package(report)
                self._report(report, number)
                self._correct(report)
        members = {
            TenantKind.PRACTICE: self._get_member(self.story.practice, Role.COORDINATOR),
            TenantKind.CENTER: self._get_member(self.story.center, Role.COORDINATOR),
        }
        for player in (ConversationPlayer, CoveragePlayer, DocumentPlayer):
            player(
                story_number=self.story.number,
                referral_id=self.referral_id,
                members=members,
                stores=self.stores,
                now=self.now,
            ).play()

    def _correct(self, step: Step) -> None:
        correction = find_correction(self.story.number, step.stage)
        if correction is None:
            return
        is_practice = correction.side is TenantKind.PRACTICE
        member = self._get_member(self.story.practice if is_practice else self.story.center, Role.COORDINATOR)
        at = step.at.astimezone(UTC)
        apply_correction(correction, self.referral_id, member, at=at, stores=self.stores)

    def _create_referral(self, steps: Sequence[Step]) -> None:
        at = compute_draft_time(self.story, steps, now=self.now)
        practice = find_practice(self.story.practice)
        sections = build_packet(
            self.story.number,
            disease=self.story.disease,
            practice=practice,
            referred_on=at.date(),
            child=self.story.child,
        )
        member = self._get_member(self.story.practice, Role.COORDINATOR)
        create_referral(
            NewReferral(
                details=validate_sections(sections),
                alias=None,
                product_id=find_requested_product(self.story),
                center_id=self.center.tenant_id,
                urgency="urgent" if self.story.urgent else "routine",
            ),
            submit=bool(steps),
            referral_id=self.referral_id,
            member=member,
            request=self._build_request(member, "POST /v1/referrals", "create"),
            build_response=lambda _: StoredResponse(status=201, headers={}, body={"referral_id": self.referral_id}),
            context=RunContext(self.stores, at.astimezone(UTC)),
        )

    def _report(self, step: Step, sequence: int) -> None:
        match step.reporter:
            case Actor.SYSTEM:
                self._report_by_system(step)
            case Actor.CENTER if self.center.feeds:
                self._report_by_feed(step, sequence)
            case Actor.CENTER:
                self._report_by_member(step, self._get_member(self.story.center, Role.CLINICIAN))
            case Actor.PRACTICE:
                self._report_by_member(step, self._get_member(self.story.practice, Role.PROVIDER))

    def _write_package(self, step: Step) -> None:
        referral = self.stores.referrals.get(self.referral_id)
        if referral is None or handback_packages.get_latest_handback(referral, stores=self.stores):
            return
        at = step.at.astimezone(UTC)
        proposal = handback_packages.propose_package(referral, context=RunContext(self.stores, at))
        handback_packages.write_handback(
            self.referral_id,
            build_package(self.story.number, proposal=proposal, on=step.at.date()),
            version=0,
            member=self._get_member(self.story.center, Role.CLINICIAN),
            context=RunContext(self.stores, at),
        )

    def _report_by_member(self, step: Step, member: Member) -> None:
        request = self._build_report_request(member, f"{step.stage}-{step.at:%Y%m%dT%H%M%S}")
        change = self._build_change(
            step,
            event_id=derive_id("evt", request.scope_key),
            source=EventSource(member.kind),
            actor_id=member.member_id,
            actor_name=member.name,
        )
        self._send_report(change, member, request)

    def _report_care(self, dated: DatedCareNote, number: int) -> None:
        """Report an adverse event, a relapse or bridging therapy as a person of either side."""
        is_center = dated.note.reporter is Actor.CENTER
        member = (
            self._get_member(self.story.center, Role.CLINICIAN)
            if is_center
            else self._get_member(self.story.practice, Role.PROVIDER)
        )
        request = self._build_report_request(member, f"care-{number}")
        event = dated.note.event(
            event_id=derive_id("evt", request.scope_key),
            referral_id=self.referral_id,
            occurred_at=dated.at,
            recorded_at=dated.at.astimezone(UTC),
            actor=dated.note.reporter,
            source=EventSource(member.kind),
            actor_id=member.member_id,
            actor_name=member.name,
            **dated.note.fields,
        )
        self._send_report(event, member, request)

    def _build_report_request(self, member: Member, key: str) -> IdempotentRequest:
        return self._build_request(member, f"POST /v1/referrals/{self.referral_id}/events", key)

    def _send_report(self, event: ReferralEvent, member: Member, request: IdempotentRequest) -> None:
        report_by_member(
            event,
            member=member,
            request=request,
            build_response=lambda outcome: StoredResponse(
                status=200, headers={}, body={"referral_id": outcome.referral_id}
            ),
            context=RunContext(self.stores, event.recorded_at),
        )

    def _report_by_feed(self, step: Step, sequence: int) -> None:
        center_id = self.center.tenant_id
        webhook_id = derive_id("msg", self.referral_id, str(sequence))
        change = self._build_change(
            step,
            event_id=derive_id("evt", center_id, webhook_id),
            source=EventSource.CENTER_FEED,
            actor_id=f"feed:{center_id}",
            actor_name=self.center.name,
            sequence=sequence,
        )
        delivery = Delivery(
            center_id=center_id,
            webhook_id=webhook_id,
            body_hash=hash_body(webhook_id.encode()),
            received_at=change.recorded_at,
        )
        report_by_webhook(change, delivery=delivery, context=RunContext(self.stores, change.recorded_at))

    def _report_by_system(self, step: Step) -> None:
        change = self._build_change(
            step,
            event_id=derive_id("evt", self.referral_id, step.stage),
            source=EventSource.SYSTEM,
            actor_id="system",
            actor_name="CAR T Referral Dashboard",
        )
        report_by_system(change, context=RunContext(self.stores, step.at.astimezone(UTC)))

    def _build_change(
        self,
        step: Step,
        *,
        event_id: str,
        source: EventSource,
        actor_id: str,
        actor_name: str,
        sequence: int | None = None,
    ) -> StageChange:
        return StageChange(
            event_id=event_id,
            referral_id=self.referral_id,
            stage=step.stage,
            occurred_at=step.at,
            recorded_at=step.at.astimezone(UTC),
            actor=step.reporter,
            source=source,
            actor_id=actor_id,
            actor_name=actor_name,
            sequence=sequence,
            part=step.part,
            of=step.of,
            local_date=step.local_date,
            first_visit_on=_compute_first_visit(step),
            product_id=find_named_product(self.story, step.stage),
            reason_code=REASONS.get(step.stage),
            note=NOTES.get(step.stage),
        )

    def _get_member(self, organization: str, role: Role) -> Member:
        return self.members[find_member_by_role(organization, role).handle]

    def _build_request(self, member: Member, route: str, key: str) -> IdempotentRequest:
        return IdempotentRequest(
            member_id=member.member_id,
            tenant_id=member.tenant_id,
            route=route,
            key=f"fictional-world-{self.story.number}-{key}",
            body=b"",
        )
