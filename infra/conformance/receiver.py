"""Receives deliveries as production does, with its code and without its tables, and says what was wrong.

The signature, the limits of the body, the types of events, the rules of the journey, repeats and parked events are
those of `chalicelib`. Not here: rate limits, coverage warnings, and the check of an open information request that
is sent again.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib import catalog
from chalicelib.domain.referrals.events import PARKED_FOR, EventSource, ReferralEvent, StageChange
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.stage_changes import Decision, DecisionContext, Pending, Recorded, Rejected
from chalicelib.domain.referrals.stages import Actor, Stage
from chalicelib.domain.webhooks.signature import ID_PATTERN, verify_signature
from chalicelib.errors import (
    ApiError,
    ConflictError,
    FieldError,
    UnauthenticatedError,
    UnavailableError,
    WebhookIdReusedError,
)
from chalicelib.routes.platform.problems import build_problem
from chalicelib.routes.platform.request import reject_repeated_headers
from chalicelib.routes.referrals.responses import to_report_response
from chalicelib.routes.webhooks.connection_check_body import read_test_event
from chalicelib.routes.webhooks.delivery_reports import (
    SIGNATURE_PARTS,
    DeliveredReport,
    build_delivered_event,
    parse_report,
    read_signature_header,
)
from chalicelib.services.referrals.report_results import (
    ReportResult,
    build_delivery_result,
    build_report_result,
    replay_result,
)
from chalicelib.services.webhooks.connection_checks import TEST_RESULT
from chalicelib.store.platform.idempotency import hash_body
from chalicelib.store.webhooks.delivery_log import Delivery, DeliveryResult, DeliveryStatus
from infra.conformance.event_inbox import EventInbox
from infra.conformance.outcomes import (
    IncomingDelivery,
    Outcome,
    Verdict,
    describe_error,
    describe_recorded,
    describe_waiting,
    list_awaited,
    list_delivery_notes,
    list_notes,
)
from infra.conformance.signature_faults import (
    FaultFound,
    SignatureFault,
    find_fault_without_secret,
    find_signature_fault,
)


@dataclass
class ConformanceReceiver:
    """Receives the deliveries of one center.

    Attributes:
        center_id: The center whose system sends.
        secrets: The valid secrets; empty if signatures are not checked.
        time_zone: The center's time zone, for dates without a time.
        find_submission: Finds when a referral was submitted to the center; None for an unknown one.
        fail_next: Answer the next delivery that would be processed with 503, as if a service had failed.
    """

    center_id: str
    secrets: Sequence[bytes]
    time_zone: str
    find_submission: Callable[[str], datetime | None]
    fail_next: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    inboxes: dict[str, EventInbox] = field(default_factory=dict)
    _log: dict[str, tuple[str, DeliveryResult]] = field(default_factory=dict)
    _parked_since: dict[str, datetime] = field(default_factory=dict)
    _expired: list[tuple[Referral, ReferralEvent]] = field(default_factory=list)
    _webhook_ids: dict[str, str] = field(default_factory=dict)

    def receive(self, incoming: IncomingDelivery) -> Outcome:
        """Receive a delivery, and keep its outcome."""
        outcome = self._answer(incoming)
        self.outcomes.append(outcome)
        return outcome

    def describe_parked(self) -> Mapping[str, str]:
        """Say what each delivery waits for that never applied, by its webhook id."""
        waiting = [(inbox.referral, event) for inbox in self.inboxes.values() for event in inbox.parked]
        return {
            self._webhook_ids[event.event_id]: describe_waiting(referral, event)
            for referral, event in [*waiting, *self._expired]
        }

    def _answer(self, incoming: IncomingDelivery) -> Outcome:
        headers = incoming.by_name
        webhook_id = read_signature_header(headers, "id")
        base = Outcome(
            status=200,
            body="",
            verdict=Verdict.REFUSED,
            webhook_id=webhook_id if ID_PATTERN.fullmatch(webhook_id) else "",
            body_hash=hash_body(incoming.body),
            clock_offset_s=_compute_clock_offset(headers, incoming.received_at),
        )
        try:
            reject_repeated_headers(name for name, _ in incoming.headers)
            fault = self._verify(incoming)
            if fault:
                return _refuse(base, UnauthenticatedError(), (fault.text,), fault=fault.fault)
            ignored = read_test_event(incoming.body)
            if ignored is not None:
                return self._process_test_event(_build_delivery(self.center_id, incoming, base, ignored), base)
            report = parse_report(incoming.body, get_time_zone=lambda: self.time_zone)
            base = replace(base, referral_id=report.referral_id)
            return self._process(report, incoming, base)
        except ApiError as error:
            return _refuse(base, error, tuple(describe_error(error)))

    def _verify(self, incoming: IncomingDelivery) -> FaultFound | None:
        headers = incoming.by_name
        if not self.secrets:
            return find_fault_without_secret(headers, now=incoming.received_at)
        webhook_id, timestamp, signatures = (read_signature_header(headers, part) for part in SIGNATURE_PARTS)
        is_signed = verify_signature(
            webhook_id=webhook_id,
            timestamp=timestamp,
            signatures=signatures,
            body=incoming.body,
            secrets=self.secrets,
            now=incoming.received_at,
        )
        if is_signed:
            return None
        return find_signature_fault(headers, incoming.body, secrets=self.secrets, now=incoming.received_at)

    def _process(self, report: DeliveredReport, incoming: IncomingDelivery, base: Outcome) -> Outcome:
        delivery = _build_delivery(self.center_id, incoming, base, report.ignored)
        event = build_delivered_event(report, delivery, center_name="The center's system")
        base = replace(base, event=event, notes=tuple(list_notes(event, report, base)))
        try:
            return self._process_once(event, delivery, base)
        except ApiError as error:
            return _refuse(base, error, tuple(describe_error(error)))

    def _process_once(self, event: ReferralEvent, delivery: Delivery, base: Outcome) -> Outcome:
        """Decide about a delivery, unless it was decided before."""
        logged = self._find_logged(delivery)
        if self.fail_next and not logged:
            self.fail_next = False
            return _refuse(base, UnavailableError(), (), verdict=Verdict.UNAVAILABLE)
        if logged:
            return _respond(base, replay_result(logged))
        self._webhook_ids[event.event_id] = delivery.webhook_id
        return self._decide(event, delivery, base)

    def _process_test_event(self, delivery: Delivery, base: Outcome) -> Outcome:
        """Log a test event: no referral changes."""
        base = replace(base, notes=tuple(list_delivery_notes(delivery.ignored, base)))
        logged = self._find_logged(delivery)
        if logged:
            return _respond(base, replay_result(logged))
        self._log[delivery.webhook_id] = (delivery.body_hash, TEST_RESULT)
        tested = ReportResult(status=TEST_RESULT.status, referral_id="", event_id="", stage=None)
        return _respond(base, tested)

    def _find_logged(self, delivery: Delivery) -> DeliveryResult | None:
        """Find the result of an earlier delivery with this id.

        Raises:
            WebhookIdReusedError: its body was another one.
        """
        body_hash, _ = self._log.get(delivery.webhook_id, (None, None))
        if body_hash is None:
            return None
        if body_hash != delivery.body_hash:
            raise WebhookIdReusedError
        return self._read_result(delivery.webhook_id)

    def _decide(self, event: ReferralEvent, delivery: Delivery, base: Outcome) -> Outcome:
        inbox = self._open_inbox(event.referral_id, now=delivery.received_at)
        if inbox is None:
            decision: Decision = Pending()
            unknown = "No referral of this center has this ID. In production it waits 24 hours for the referral."
            base = replace(base, problems=(unknown,))
        else:
            waiting = [each.event_id for each in inbox.parked]
            before = inbox.referral
            decision = inbox.receive_event(event)
            kept = {each.event_id for each in inbox.history}
            released = tuple(self._webhook_ids[each] for each in waiting if each in kept)
            base = replace(base, released=released)
            if isinstance(decision, Pending):
                self._parked_since[event.event_id] = delivery.received_at
                base = replace(base, notes=(*base.notes, describe_waiting(before, event)))
        result = build_delivery_result(decision, event)
        if inbox and isinstance(decision, Pending):
            result = replace(result, waiting_for=list_awaited(inbox, event))
        self._log[delivery.webhook_id] = (delivery.body_hash, result)
        if isinstance(decision, Rejected):
            fields = [FieldError(decision.pointer, decision.code, decision.reason)] if decision.pointer else []
            raise ConflictError(decision.code, decision.reason, errors=fields)
        report = replace(build_report_result(decision, event), waiting_for=result.waiting_for)
        if isinstance(decision, Recorded):
            base = replace(base, notes=(*base.notes, describe_recorded(event, report)))
        return _respond(base, report)

    def _read_result(self, webhook_id: str) -> DeliveryResult:
        """Read what the log has about a delivery; one that was parked may have been applied since."""
        result = self._log[webhook_id][1]
        inbox = self.inboxes.get(result.referral_id)
        if result.status is DeliveryStatus.PARKED and inbox and result.event_id in {e.event_id for e in inbox.history}:
            return replace(result, status=DeliveryStatus.APPLIED, stage=inbox.referral.stage, waiting_for=())
        return result

    def _open_inbox(self, referral_id: str, *, now: datetime) -> EventInbox | None:
        inbox = self.inboxes.get(referral_id)
        if inbox is None:
            submitted_at = self.find_submission(referral_id)
            if submitted_at is None:
                return None
            inbox = self._submit(referral_id, submitted_at)
            self.inboxes[referral_id] = inbox
        inbox.context = self._build_context(inbox.referral.current_product_id, now)
        for event in [e for e in inbox.parked if now - self._parked_since[e.event_id] > PARKED_FOR]:
            inbox.parked.remove(event)
            self._expired.append((inbox.referral, event))
        return inbox

    def _submit(self, referral_id: str, submitted_at: datetime) -> EventInbox:
        """Build a fictional referral that a practice submitted to the center."""
        draft = Referral(
            referral_id=referral_id,
            practice_id="prc_conformance",
            center_id=self.center_id,
            product_id=None,
            urgency="routine",
            alias="",
            details={},
            stage=Stage.DRAFT,
            stage_since=submitted_at,
            last_applied_order=None,
            stage_entered_at={Stage.DRAFT: submitted_at},
            window=None,
            created_by="mem_conformance",
            created_at=submitted_at,
            updated_at=submitted_at,
            version=1,
        )
        submission = StageChange(
            event_id="evt_submission",
            referral_id=referral_id,
            stage=Stage.SUBMITTED,
            occurred_at=submitted_at,
            recorded_at=submitted_at,
            actor=Actor.PRACTICE,
            source=EventSource.PRACTICE,
            actor_id="mem_conformance",
            actor_name="The practice",
        )
        inbox = EventInbox(draft, self._build_context(None, submitted_at))
        inbox.receive_event(submission)
        return inbox

    def _build_context(self, product_id: str | None, now: datetime) -> DecisionContext:
        return DecisionContext(
            profile=catalog.get_monitoring_profile(product_id),
            get_profile=catalog.get_monitoring_profile,
            time_zone=self.time_zone,
            now=now,
        )


def _build_delivery(center_id: str, incoming: IncomingDelivery, base: Outcome, ignored: tuple[str, ...]) -> Delivery:
    return Delivery(
        center_id=center_id,
        webhook_id=read_signature_header(incoming.by_name, "id"),
        body_hash=base.body_hash,
        received_at=incoming.received_at,
        ignored=ignored,
    )


def _compute_clock_offset(headers: Mapping[str, str], now: datetime) -> int | None:
    timestamp = read_signature_header(headers, "timestamp")
    is_seconds = timestamp.isascii() and timestamp.isdigit() and len(timestamp) == 10
    return round(now.timestamp() - int(timestamp)) if is_seconds else None


def _respond(base: Outcome, result: ReportResult) -> Outcome:
    answer = json.dumps(to_report_response(result), separators=(",", ":"))
    stage = Stage(result.stage) if result.stage else None
    status = 202 if result.status == "parked" else 200
    return replace(base, status=status, body=answer, verdict=Verdict(result.status), stage=stage)


def _refuse(
    base: Outcome,
    error: ApiError,
    problems: tuple[str, ...],
    *,
    fault: SignatureFault | None = None,
    verdict: Verdict = Verdict.REFUSED,
) -> Outcome:
    response = build_problem(error, "req_conformance")
    return replace(base, status=error.status, body=str(response.body), verdict=verdict, fault=fault, problems=problems)
