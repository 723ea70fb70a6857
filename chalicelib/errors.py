"""Every error that we raise on purpose.

DashboardError
├── MalformedError            400  the request cannot be read as what the contract describes
├── UnauthenticatedError      401  no, or no valid, proof of who is asking
├── ForbiddenError            403  known, but this is not for this role
├── NotFoundError             404  not there, or another tenant's: the same answer
├── RefusedError              409  understood, but the state of things does not allow it
├── StaleError                412  somebody else wrote since this was read
├── PrefetchMissingError      412  a health record asked, and did not send what it is about
├── TooLargeError             413  more bytes than a request may carry
├── MediaTypeError            415  not JSON
├── KeyReusedError            422  an Idempotency-Key came back with another body
├── PreconditionMissingError  428  a change without If-Match
├── TooManyError              429  slow down
└── UnavailableError          503  ours is failing; nothing is half done

An error's text never holds what the caller sent: it ends up in answers and in logs.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a request, where it stands and what it is called.

    `pointer` is an RFC 6901 JSON pointer into the body, or the name of a header or parameter.
    """

    pointer: str
    code: str
    message: str


class ApiError(Exception):
    """The root of all errors that have an answer of their own."""

    status = 500
    title = "Something went wrong on our side"

    def __init__(self, code: str, detail: str, *, errors: Sequence[FieldError] = ()) -> None:
        """Say what is refused: a stable lower_snake `code`, and a sentence for a person."""
        super().__init__(code)
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)


class MalformedError(ApiError):
    """The request is not what the contract describes."""

    status = 400
    title = "The request is malformed"


class UnauthenticatedError(ApiError):
    """Nobody we know is asking. Always one text, so that nothing can be learned from it."""

    status = 401
    title = "Sign in first"

    def __init__(self, code: str = "unauthenticated") -> None:
        """Refuse without saying which part of the proof was wrong."""
        super().__init__(code, "The credentials are missing or not valid.")


class ForbiddenError(ApiError):
    """The caller is known, and this is not for the caller's role."""

    status = 403
    title = "Not for your role"


class NotFoundError(ApiError):
    """There is nothing there, or it is another tenant's. One text for both."""

    status = 404
    title = "Not found"

    def __init__(self) -> None:
        """Refuse with the same words whatever the reason."""
        super().__init__("not_found", "There is nothing here, or nothing that you may see.")


class ConflictError(ApiError):
    """Understood, and refused by how things stand."""

    status = 409
    title = "Refused as things stand"


class PreconditionFailedError(ApiError):
    """Another writer got there first; nothing was written."""

    status = 412
    title = "Changed since you read it"

    def __init__(self) -> None:
        """Ask the caller to read again."""
        super().__init__("stale", "It has changed since you read it. Read it again, then decide.")


class PrefetchMissingError(ApiError):
    """A health record asked for cards without what they are made of; we fetch nothing ourselves."""

    status = 412
    title = "Send the prefetched resources"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        """Name what is missing."""
        detail = "This service needs prefetched resources; errors[] names each."
        super().__init__("prefetch_missing", detail, errors=errors)


class PayloadTooLargeError(ApiError):
    """More bytes than a request may carry."""

    status = 413
    title = "Too large"


class UnsupportedMediaTypeError(ApiError):
    """The body does not say that it is JSON."""

    status = 415
    title = "Only JSON is understood"


class IdempotencyKeyReusedError(ApiError):
    """An Idempotency-Key that was already used for another request."""

    status = 422
    title = "Idempotency-Key already used"

    def __init__(self) -> None:
        """Ask for a new key."""
        super().__init__(
            "idempotency_key_reused", "This Idempotency-Key belongs to an earlier request with another body."
        )


class PreconditionRequiredError(ApiError):
    """A change was sent without saying which version it changes."""

    status = 428
    title = "If-Match is required"

    def __init__(self) -> None:
        """Ask for the version."""
        super().__init__("if_match_missing", "Send If-Match with the ETag of what you read.")


class RateLimitedError(ApiError):
    """More requests than this caller may make."""

    status = 429
    title = "Slow down"

    def __init__(self, code: str, detail: str, *, retry_after_s: int = 5) -> None:
        """Say after how many seconds it is worth trying again."""
        super().__init__(code, detail)
        self.retry_after_s = retry_after_s


class UnavailableError(ApiError):
    """Something that we depend on did not answer; nothing is half done; try again."""

    status = 503
    title = "Try again in a moment"
    retry_after_s = 5

    def __init__(self, code: str = "unavailable") -> None:
        """Promise that a repeat is safe."""
        super().__init__(code, "A part of the service did not answer. A repeat is safe.")
