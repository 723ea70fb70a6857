"""A referral as a one-page PDF, to hand over or to fax."""

from chalicelib import wiring
from chalicelib.domain.referrals.packet_facts import PatientNaming
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.fields import StrictModel
from chalicelib.routes.platform.operations import PDF_TYPE
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.referrals.packet_pdf import make_packet_pdf

_FILE_NAME = "referral-packet.pdf"
"""Without the patient's name or alias: names of files end up in lists of downloads and in logs of proxies."""


class PacketQuery(StrictModel):
    """How the page names the patient. With `alias`, it leaves out everything else that says who the patient is."""

    patient: PatientNaming = PatientNaming.NAME
    """How the page names the patient: by name, or only by alias."""


@declare_endpoint("GET", "/v1/referrals/{referral_id}/packet.pdf", file_type=PDF_TYPE)
def download_packet(request: ApiRequest, referral_id: str, query: PacketQuery) -> ApiResponse[bytes]:
    """Download a referral as a one-page PDF, to hand over or to fax."""
    pdf = make_packet_pdf(
        referral_id,
        naming=query.patient,
        member=request.member,
        request_id=request.request_id,
        renderer=wiring.get_packet_renderer(),
        context=request.context,
    )
    headers = {"Content-Type": PDF_TYPE, "Content-Disposition": f'attachment; filename="{_FILE_NAME}"'}
    return ApiResponse(body=pdf, headers=headers)
