"""Report events of referrals.

A module of its own: the bodies of all kinds of events are a third of what this route imports, and no other route of
a person needs them.
"""

from chalicelib.domain.identity.members import TenantKind
from chalicelib.domain.platform.ids import derive_id
from chalicelib.domain.referrals.events import EventSource
from chalicelib.errors import NotFoundError
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.operations import EarlyRead
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.referrals import responses
from chalicelib.routes.referrals.event_bodies import EventRequest
from chalicelib.routes.referrals.reported_events import EventReporter, build_event, require_same_referral
from chalicelib.routes.referrals.response_types import ReportResultResponse
from chalicelib.services.referrals.report_event import report_by_member
from chalicelib.services.referrals.report_results import ReportResult
from chalicelib.store.platform.idempotency import StoredResponse


@declare_endpoint(
    "POST",
    "/v1/referrals/{referral_id}/events",
    needs_idempotency_key=True,
    early_read=EarlyRead.DECISION,
)
def report_event(request: ApiRequest, referral_id: str, body: EventRequest) -> ApiResponse[ReportResultResponse]:
    """Report an event; the only way to change a referral's stage."""

    def build_response(result: ReportResult) -> StoredResponse:
        return StoredResponse(status=200, headers={}, body=responses.to_report_response(result))

    require_same_referral(body.root, referral_id)
    event = build_event(body.root, referral_id=referral_id, reporter=_build_reporter(request))
    stored = report_by_member(
        event,
        member=request.member,
        is_old_date_confirmed=body.root.confirm_old_date,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)


def _build_reporter(request: ApiRequest) -> EventReporter:
    """The signed-in member as the reporter; the event's id comes from the Idempotency-Key.

    Raises:
        NotFoundError: an operator belongs to neither organization and sees no referral.
    """
    member = request.member
    if member.kind is TenantKind.OPERATOR:
        raise NotFoundError
    return EventReporter(
        event_id=derive_id("evt", request.idempotent_request.scope_key),
        actor=member.actor,
        source=EventSource.PRACTICE if member.kind is TenantKind.PRACTICE else EventSource.CENTER,
        actor_id=member.member_id,
        actor_name=member.name,
        recorded_at=request.now,
    )
