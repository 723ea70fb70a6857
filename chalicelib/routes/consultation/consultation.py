"""The consultation of a referral: hold, book, move and cancel a time, or ask the center for one."""

from chalicelib import wiring
from chalicelib.domain.consultation.consultation import TimeRequest
from chalicelib.domain.consultation.invitations import InvitationMethod, build_invitation
from chalicelib.domain.consultation.patterns import Weekday
from chalicelib.errors import NotFoundError
from chalicelib.mail.invitation import build_appointment_file
from chalicelib.routes.consultation.request_bodies import (
    BookingState,
    CancelQuery,
    ConsultationRequest,
    TimeRequestBody,
)
from chalicelib.routes.consultation.responses import (
    ConsultationResponse,
    build_consultation_etag,
    to_consultation_response,
)
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.consultation import ask, book, view
from chalicelib.services.consultation.view import ConsultationView
from chalicelib.store.platform.idempotency import StoredResponse


@declare_endpoint("GET", "/v1/referrals/{referral_id}/consultation")
def read_consultation(request: ApiRequest, referral_id: str) -> ApiResponse[ConsultationResponse]:
    """Get the consultation of a referral: what is planned, held, or asked for."""
    return _respond(view.read_consultation(referral_id, member=request.member, context=request.context), request)


@declare_endpoint("PUT", "/v1/referrals/{referral_id}/consultation", needs_if_match=True)
def put_consultation(
    request: ApiRequest, referral_id: str, body: ConsultationRequest
) -> ApiResponse[ConsultationResponse]:
    """Hold a consultation time for 10 minutes, book it, or move the booking to it."""
    if body.state is BookingState.HELD:
        held = book.hold_slot(
            referral_id, body.slot_id, version=request.version, member=request.member, context=request.context
        )
        return _respond(held, request)
    booked = book.book_slot(
        referral_id,
        body.slot_id,
        version=request.version,
        note=body.note,
        may_move=body.reschedule,
        member=request.member,
        context=request.context,
    )
    return _respond(booked, request)


@declare_endpoint("DELETE", "/v1/referrals/{referral_id}/consultation", needs_if_match=True)
def cancel_consultation(request: ApiRequest, referral_id: str, query: CancelQuery) -> ApiResponse[ConsultationResponse]:
    """Cancel the consultation; if none is planned, end the hold."""
    canceled = book.cancel_consultation(
        referral_id,
        version=request.version,
        reason=query.reason,
        member=request.member,
        context=request.context,
    )
    return _respond(canceled, request)


@declare_endpoint(
    "POST",
    "/v1/referrals/{referral_id}/consultation/requests",
    status=201,
    needs_idempotency_key=True,
)
def request_consultation_time(
    request: ApiRequest, referral_id: str, body: TimeRequestBody
) -> ApiResponse[ConsultationResponse]:
    """Ask the center for a consultation time, because no published one fits (referring practices)."""
    wanted = TimeRequest(
        asked_at=request.now,
        asked_by=request.member.name,
        preferred_days=tuple(day for day in Weekday if day in body.preferred_days),
        earliest_on=body.earliest_on,
        part_of_day=body.part_of_day,
        mode=body.mode,
        note=body.note,
    )

    def build_response(asked: ConsultationView) -> StoredResponse:
        response = to_consultation_response(asked, member_id=request.member.member_id)
        return StoredResponse(status=201, headers=build_consultation_etag(asked), body=response)

    stored = ask.ask_for_time(
        referral_id,
        wanted,
        member=request.member,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("GET", "/v1/referrals/{referral_id}/consultation.ics")
def download_consultation(request: ApiRequest, referral_id: str) -> ApiResponse[str]:
    """Download the planned consultation as an iCalendar file, without clinical details."""
    found = view.read_consultation(referral_id, member=request.member, context=request.context)
    appointment = found.consultation.appointment
    if appointment is None or not appointment.is_open:
        raise NotFoundError
    text = build_appointment_file(
        build_invitation(appointment, InvitationMethod.REQUEST),
        alias=found.referral.alias,
        link=wiring.get_settings().public_url,
        # When it last changed, not when it was requested: the same appointment gives the same bytes.
        stamped_at=appointment.booked_at,
    )
    headers = {
        "Content-Type": "text/calendar; charset=utf-8",
        "Content-Disposition": 'attachment; filename="consultation.ics"',
    }
    return ApiResponse(body=text, headers=headers)


def _respond(found: ConsultationView, request: ApiRequest) -> ApiResponse[ConsultationResponse]:
    body = to_consultation_response(found, member_id=request.member.member_id)
    return ApiResponse(body=body, headers=build_consultation_etag(found))
