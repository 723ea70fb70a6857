"""A referral as a one-page PDF, to hand over or to fax. It is made for each request and stored nowhere."""

from collections.abc import Mapping
from typing import Protocol

from chalicelib import catalog
from chalicelib.domain.documents.packet_documents import PacketDocumentState, list_packet_documents
from chalicelib.domain.identity.members import Member, TenantKind
from chalicelib.domain.platform.copying import replace
from chalicelib.domain.platform.rate_limit import PACKETS_PER_MEMBER
from chalicelib.domain.referrals.packet_facts import Facts, PatientNaming
from chalicelib.domain.referrals.packet_page import PacketPage, PacketSource, build_packet_page
from chalicelib.domain.referrals.referral import Referral
from chalicelib.domain.referrals.requestable_items import get_item_label
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.services.platform.run_context import RunContext
from chalicelib.services.referrals.access import build_member_audit_entry, get_visible_or_404
from chalicelib.services.referrals.consent_checks import get_practice_day

_READ = "packet.read"

_DOCUMENT_STATES: Mapping[PacketDocumentState, str] = {
    PacketDocumentState.AVAILABLE: "In the dashboard",
    PacketDocumentState.SENT_OUTSIDE: "Sent another way",
    PacketDocumentState.ON_THE_WAY: "Being uploaded or checked",
    PacketDocumentState.NOT_FOUND: "Sent another way, not found by the center",
    PacketDocumentState.MISSING: "Missing",
}


class PacketRenderer(Protocol):
    """Sets a page."""

    def render(self, page: PacketPage) -> bytes:
        """Set a page and return the PDF.

        Raises:
            UnavailableError: it did not respond in time, or failed.
        """


def make_packet_pdf(
    referral_id: str,
    *,
    naming: PatientNaming,
    member: Member,
    request_id: str,
    renderer: PacketRenderer,
    context: RunContext,
) -> bytes:
    """Make the PDF of a referral, for a member of one of its two tenants.

    The audit row is written before the page is made, so that no page leaves without one.

    Args:
        referral_id: The referral.
        naming: Whether the page has the patient's name, or only the alias.
        member: Who reads it.
        request_id: The id of the request, for the audit row.
        renderer: What sets the page.
        context: The tables and the time.

    Raises:
        NotFoundError: no such referral, or another tenant's.
        RateLimitedError: the member made too many pages.
        UnavailableError: the page could not be set now.
    """
    referral = get_visible_or_404(referral_id, member, _READ, context=context)
    enforce_rate_limit(f"packet#{member.member_id}", PACKETS_PER_MEMBER, context=context)
    entry = build_member_audit_entry(referral, member, _READ, context.now)
    context.stores.audit_log.append(replace(entry, request_id=request_id))
    source = _load_source(referral, naming, member, context=context)
    return renderer.render(build_packet_page(source))


def _load_source(referral: Referral, naming: PatientNaming, member: Member, *, context: RunContext) -> PacketSource:
    tenants = context.stores.tenants
    practice = tenants.get_cached(TenantKind.PRACTICE, referral.practice_id)
    center = tenants.get_center(referral.center_id)
    reader = center.tenant if center and member.kind is TenantKind.CENTER else practice
    disease = (referral.details.get("clinical") or {}).get("disease")
    return PacketSource(
        referral=referral,
        practice_name=practice.name if practice else "the referring practice",
        center_name=center.tenant.name if center else None,
        center_listing=center.listing if center else {},
        disease_name=catalog.DISEASE_NAMES.get(disease, disease) if disease else "",
        products=_list_products(referral),
        documents=_list_documents(referral, member, context=context),
        naming=naming,
        made_at=context.now,
        time_zone=reader.time_zone if reader else "UTC",
        today=get_practice_day(referral.practice_id, context=context),
    )


def _list_products(referral: Referral) -> Facts:
    """The product that the practice requested, and what the center planned and gave."""
    named = referral.status.products
    labeled = [
        ("Requested product", referral.product_id),
        ("Planned product", named.planned),
        ("Given product", named.given),
    ]
    products = catalog.load_products()
    return [
        (label, products[product_id].name if product_id in products else product_id)
        for label, product_id in labeled
        if product_id
    ]


def _list_documents(referral: Referral, member: Member, *, context: RunContext) -> Facts:
    """The documents of the packet by state, as this side sees them."""
    stored = context.stores.documents.list_for_referral(referral.referral_id, scope=referral.practice_id)
    packet = list_packet_documents(document for document in stored if document.is_visible_to(member.actor))
    by_state = {
        label: "; ".join(get_item_label(document.kind) for document in packet if document.state is state)
        for state, label in _DOCUMENT_STATES.items()
    }
    return [(label, names) for label, names in by_state.items() if names]
