"""Documents of a referral: files that go directly to storage, and records of what was sent another way."""

from chalicelib.domain.documents.document import Document
from chalicelib.domain.referrals.referral import Referral
from chalicelib.routes.documents.document_bodies import (
    ArrivalBody,
    DeletionQuery,
    DocumentBody,
    LinkQuery,
    to_new_document,
)
from chalicelib.routes.documents.document_responses import (
    AddedDocumentResponse,
    DocumentLinkResponse,
    DocumentResponse,
    DocumentsResponse,
    build_document_etag,
    to_document_response,
    to_documents_response,
    to_link_response,
    to_upload_form_response,
)
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint, from_stored_response
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.services.documents import add, change, read
from chalicelib.store.documents.signing import UploadForm
from chalicelib.store.platform.idempotency import StoredResponse


@declare_endpoint("GET", "/v1/referrals/{referral_id}/documents")
def list_documents(request: ApiRequest, referral_id: str) -> ApiResponse[DocumentsResponse]:
    """List the documents of a referral, newest first, its saved letter, and what is missing of the packet."""
    referral, listed, letter = read.list_documents(referral_id, member=request.member, context=request.context)
    return ApiResponse(body=to_documents_response(referral, listed, letter, request.member))


@declare_endpoint("POST", "/v1/referrals/{referral_id}/documents", status=201, needs_idempotency_key=True)
def add_document(request: ApiRequest, referral_id: str, body: DocumentBody) -> ApiResponse[AddedDocumentResponse]:
    """Add a document: get the form to upload a file, or record what was sent another way."""

    def build_response(referral: Referral, document: Document, form: UploadForm | None) -> StoredResponse:
        added: AddedDocumentResponse = {
            "document": to_document_response(document, referral, request.member),
            "upload": to_upload_form_response(form),
        }
        location = f"/v1/referrals/{referral_id}/documents/{document.document_id}"
        return StoredResponse(status=201, headers={"Location": location, **build_document_etag(document)}, body=added)

    stored = add.add_document(
        referral_id,
        to_new_document(body),
        member=request.member,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)


@declare_endpoint("GET", "/v1/referrals/{referral_id}/documents/{document_id}")
def get_document(request: ApiRequest, referral_id: str, document_id: str) -> ApiResponse[DocumentResponse]:
    """Get one document, and where its check is."""
    referral, document = read.get_document(referral_id, document_id, member=request.member, context=request.context)
    return ApiResponse(
        body=to_document_response(document, referral, request.member), headers=build_document_etag(document)
    )


@declare_endpoint(
    "POST",
    "/v1/referrals/{referral_id}/documents/{document_id}/links",
    status=201,
    needs_idempotency_key=True,
)
def create_document_link(
    request: ApiRequest, referral_id: str, document_id: str, query: LinkQuery
) -> ApiResponse[DocumentLinkResponse]:
    """Create a link that downloads or shows the file, valid for 60 seconds; each link is in the audit trail."""
    # Not stored as an idempotent response: a repeat needs a link that is still valid.
    url = read.create_link(referral_id, document_id, query.display, member=request.member, context=request.context)
    return ApiResponse(body=to_link_response(url), status=201)


@declare_endpoint("DELETE", "/v1/referrals/{referral_id}/documents/{document_id}", needs_if_match=True)
def remove_document(
    request: ApiRequest, referral_id: str, document_id: str, query: DeletionQuery
) -> ApiResponse[DocumentResponse]:
    """Remove a document of your own team, with a reason; its files are deleted, and the record of it stays."""
    referral, document = change.remove_document(
        referral_id,
        document_id,
        query.reason,
        version=request.version,
        member=request.member,
        context=request.context,
    )
    return ApiResponse(
        body=to_document_response(document, referral, request.member), headers=build_document_etag(document)
    )


@declare_endpoint(
    "POST",
    "/v1/referrals/{referral_id}/documents/{document_id}/arrival",
    needs_idempotency_key=True,
)
def report_document_arrival(
    request: ApiRequest, referral_id: str, document_id: str, body: ArrivalBody
) -> ApiResponse[DocumentResponse]:
    """Report whether a document that the other team sent another way was received, or was not found."""

    def build_response(referral: Referral, document: Document) -> StoredResponse:
        response = to_document_response(document, referral, request.member)
        return StoredResponse(status=200, headers=build_document_etag(document), body=response)

    stored = change.report_arrival(
        referral_id,
        document_id,
        body.arrival,
        member=request.member,
        request=request.idempotent_request,
        build_response=build_response,
        context=request.context,
    )
    return from_stored_response(stored)
