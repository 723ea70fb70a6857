"""Every error that we raise on purpose.

ApiError
├── MalformedError             400  the request does not match the API contract
├── UnauthenticatedError       401  the caller did not prove who they are
├── ForbiddenError             403  the caller is known, but the role does not allow this
├── NotFoundError              404  missing, or another tenant's: the same response for both
├── NotAcceptableError         406  the response has a type that the request does not accept
├── ConflictError              409  understood, but the current state does not allow it
│   ├── ReferralErasedError    409  it is about a patient who was erased; a repeat cannot succeed
│   └── WebhookIdReusedError   409  a webhook id was sent again with another body
├── PreconditionFailedError    412  someone else changed it after the caller read it
├── PrefetchMissingError       412  an EHR request came without the FHIR resources it is about
├── PayloadTooLargeError       413  more bytes than a request may contain
├── UnsupportedMediaTypeError  415  not JSON
├── IdempotencyKeyReusedError  422  an Idempotency-Key was sent again with another body
├── PreconditionRequiredError  428  a change without If-Match
├── RateLimitedError           429  too many requests
└── UnavailableError           503  a dependency failed; nothing is half done

The text of an error never contains what the caller sent, because it appears in responses and logs.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error in a request: where it is, its code, and a message.

    `pointer` is an RFC 6901 JSON pointer into the body, or the name of a header or parameter.
    """

    pointer: str
    code: str
    message: str


class ApiError(Exception):
    """The base class of all errors that have a response of their own."""

    status = 500
    title = "Something went wrong on our side"

    is_audited = False
    """Whether the audit trail has a row about this refusal, so that a request leaves only one."""

    def __init__(self, code: str, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        """Set a stable snake_case `code` for programs, and a `detail` sentence for people."""
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)


class MalformedError(ApiError):
    """The request does not match the API contract."""

    status = 400
    title = "The request is not valid"


class UnauthenticatedError(ApiError):
    """The caller did not prove who they are. Always the same text, so that it reveals nothing."""

    status = 401
    title = "Sign in to continue"

    def __init__(self, code: str = "unauthenticated", detail: str | None = None) -> None:
        """Never reveal which part of the credentials was wrong. `detail` is for someone who proved a password."""
        super().__init__(code, detail or "You are not signed in, or your session ended. Sign in again.")


class ForbiddenError(ApiError):
    """The caller is known, but the caller's role does not allow this."""

    status = 403
    title = "Your role does not include this"


class NotFoundError(ApiError):
    """The resource does not exist, or belongs to another tenant. The same text for both."""

    status = 404
    title = "Not found"

    def __init__(self) -> None:
        """Use the same text for every reason."""
        super().__init__(
            "not_found", "Not found. It may have been removed, or your organization does not have access to it."
        )


class NotAcceptableError(ApiError):
    """The response would have a type that the request does not accept."""

    status = 406
    title = "Another format was requested"


class ConflictError(ApiError):
    """The request is understood, but the current state does not allow it."""

    status = 409
    title = "Not possible right now"


class WebhookIdReusedError(ConflictError):
    """A center's system used the id of an earlier delivery for another body; the first one counts."""

    def __init__(self) -> None:
        """Use the code that senders know."""
        super().__init__("webhook_id_reused", "This webhook-id belongs to an earlier delivery.")


class ReferralErasedError(ConflictError):
    """The referral was erased, and its key was destroyed. Nothing about the patient can be read or written.

    Not 410: to Standard Webhooks that means that a sender must stop sending anything to this address.
    """

    def __init__(self) -> None:
        """Use one text for everyone."""
        super().__init__("referral_erased", "This referral was erased. Stop sending updates about it.")


class PreconditionFailedError(ApiError):
    """Someone else changed the resource first; nothing was written."""

    status = 412
    title = "Changed by someone else"

    def __init__(self) -> None:
        """Ask the caller to read the latest version."""
        super().__init__(
            "stale", "Someone changed this after you opened it. Reload to see the latest version, then try again."
        )


class PrefetchMissingError(ApiError):
    """An EHR requested cards without the prefetched resources; we fetch nothing ourselves."""

    status = 412
    title = "Prefetched resources are missing"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        """Name each missing resource in `errors`."""
        detail = "Required prefetch resources are missing; see errors[]."
        super().__init__("prefetch_missing", detail, errors=errors)


class PayloadTooLargeError(ApiError):
    """The request has more bytes than allowed."""

    status = 413
    title = "Request too large"


class UnsupportedMediaTypeError(ApiError):
    """The Content-Type of the body is not JSON."""

    status = 415
    title = "Send JSON"


class IdempotencyKeyReusedError(ApiError):
    """The Idempotency-Key was already used for a different request."""

    status = 422
    title = "Idempotency-Key already used"

    def __init__(self) -> None:
        """Ask for a new key."""
        super().__init__(
            "idempotency_key_reused",
            "This Idempotency-Key was already used for a different request. Use a new key.",
        )


class PreconditionRequiredError(ApiError):
    """A change was sent without the version that it changes."""

    status = 428
    title = "If-Match is required"

    def __init__(self) -> None:
        """Ask for the version."""
        super().__init__("if_match_missing", "Send If-Match with the ETag from your last read.")


class RateLimitedError(ApiError):
    """The caller sent more requests than allowed."""

    status = 429
    title = "Too many requests"

    def __init__(self, code: str, detail: str, *, retry_after_s: int = 5) -> None:
        """Set after how many seconds a retry can succeed."""
        super().__init__(code, detail)
        self.retry_after_s = retry_after_s


class UnavailableError(ApiError):
    """A service that we depend on did not respond; nothing is half done; the caller can retry."""

    status = 503
    title = "Temporarily unavailable"
    retry_after_s = 5

    def __init__(self, code: str = "unavailable", detail: str | None = None) -> None:
        """Confirm that it is safe to repeat the request, or say it in `detail` for one feature."""
        super().__init__(code, detail or "The dashboard is temporarily unavailable. Try again; it is safe to repeat.")


class StoredItemError(UnavailableError):
    """What is stored cannot be read by this release. It is neither treated as absent nor overwritten.

    Its text is for operators, and names no key and no content.
    """

    retry_after_s = 60
