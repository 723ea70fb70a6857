"""One request, as a view needs it: who is asking, and what the headers say."""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib import wiring
from chalicelib.domain.identity.members import Member
from chalicelib.domain.platform.ids import ID_PATTERNS
from chalicelib.errors import (
    FieldError,
    MalformedError,
    NotAcceptableError,
    NotFoundError,
    PreconditionRequiredError,
    UnauthenticatedError,
    UnsupportedMediaTypeError,
)
from chalicelib.routes.platform.fields import StrictModel
from chalicelib.routes.platform.operations import (
    MEMBERSHIP_HEADER,
    PDF_TYPE,
    XLSX_TYPE,
    EarlyRead,
    RouteAccess,
    RouteOperation,
)
from chalicelib.routes.platform.validation import parse_body, parse_query
from chalicelib.services.identity.access_tokens import TokenSession
from chalicelib.services.identity.memberships import (
    UsedMembership,
    find_member_within_limit,
    require_open_session,
    start_own_reads,
)
from chalicelib.services.platform.parallel_calls import ParallelCalls
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.platform.idempotency import IdempotentRequest

MAX_KEY_CHARS = 255
"""Length of an Idempotency-Key. Source: the limit that clients of Stripe's API are used to."""

_SAFE_PATTERN = re.compile(r"[A-Za-z0-9_.-]{1,200}", re.ASCII)

_STRICT_PATTERNS = {"referral_id": ID_PATTERNS["referral_id"]}
"""Names whose values reach stores and the audit trail as they are, so nothing else than an id may pass."""

_ACCEPT_CODES = {PDF_TYPE: "accept_pdf", XLSX_TYPE: "accept_xlsx"}

_SINGLE_HEADERS = frozenset(
    {
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "svix-id",
        "svix-signature",
        "svix-timestamp",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        MEMBERSHIP_HEADER.lower(),
    }
)
"""Headers that decide something. If one is sent twice, one reader could use the first and another
reader the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request, as a view needs it."""

    request_id: str
    method: str
    route: str
    headers: Mapping[str, str]
    raw_body: bytes
    now: datetime
    gateway_context: Mapping[str, Any]
    signed_in: Member | None
    idempotency_key: str
    version: int
    calls: ParallelCalls
    signed_in_person: str = ""

    @property
    def person(self) -> str:
        """The identity service's id of the person who is asking, on a route that needs no membership."""
        if not self.signed_in_person:
            raise UnauthenticatedError
        return self.signed_in_person

    @property
    def member(self) -> Member:
        """The person who is asking."""
        if self.signed_in is None:
            raise UnauthenticatedError
        return self.signed_in

    @property
    def access_token(self) -> str:
        """The token with which the person is asking. It was verified."""
        return _read_bearer_token(self.headers)

    @property
    def context(self) -> RunContext:
        """The tables, and the time of this request."""
        return RunContext(wiring.get_stores(), self.now, self.calls)

    @property
    def idempotent_request(self) -> IdempotentRequest:
        """The POST as the idempotency records see it: with the ids in its path."""
        return IdempotentRequest(
            member_id=self.member.member_id,
            tenant_id=self.member.tenant_id,
            route=f"{self.method} {self.gateway_context.get('path') or self.route}",
            key=self.idempotency_key,
            body=self.raw_body,
        )


def parse_request(operation: RouteOperation, chalice_request: Any, request_id: str, calls: ParallelCalls) -> ApiRequest:
    """Authenticate the caller first, then read the headers; the body is not read yet."""
    given = chalice_request.to_original_event().get("multiValueHeaders") or {}
    reject_repeated_headers(name for name, values in given.items() for _ in values)
    headers = chalice_request.headers
    now = wiring.read_clock()
    member = None
    if operation.access is RouteAccess.MEMBER:
        session, context = _verify_session(headers, now), RunContext(wiring.get_stores(), now, calls)
        reads_own = operation.early_read is EarlyRead.OWN
        if operation.early_read and not reads_own:
            _start_early_read(operation.early_read, chalice_request, context=context)
        member = _find_member(session, headers, start_reads=start_own_reads if reads_own else None, context=context)
    person = _authenticate_limited_person(headers, now) if operation.access is RouteAccess.PERSON else ""
    if operation.access is RouteAccess.CDS_CALLER:
        _verify_ehr_token(operation, chalice_request, now)
    _require_json(operation, headers)
    return ApiRequest(
        request_id=request_id,
        method=operation.method,
        route=operation.path,
        headers=headers,
        raw_body=chalice_request.raw_body,
        now=now,
        gateway_context=chalice_request.context,
        signed_in=member,
        idempotency_key=_read_idempotency_key(headers) if operation.needs_idempotency_key else "",
        version=_read_if_match(headers) if operation.needs_if_match else 0,
        calls=calls,
        signed_in_person=person,
    )


def validate_path_params(operation: RouteOperation, path_parameters: Mapping[str, str]) -> None:
    """Reject path parameters that cannot be one of our ids or files before any lookup."""
    patterns = {**dict.fromkeys(path_parameters, _SAFE_PATTERN), **_STRICT_PATTERNS}
    if all(patterns[name].fullmatch(value) for name, value in path_parameters.items()):
        return
    # On a signed route, a name that does not exist cannot have signed the request.
    raise UnauthenticatedError if operation.access is RouteAccess.WEBHOOK_SIGNATURE else NotFoundError


def reject_repeated_headers(names: Iterable[str]) -> None:
    """Refuse a header that was sent twice; the framework itself would keep the last one.

    Args:
        names: The name of each header that was sent, in any case.
    """
    sent = [name.lower() for name in names]
    if any(sent.count(name) > 1 for name in _SINGLE_HEADERS):
        raise MalformedError("header_twice", "A header appears more than once.")


def _verify_ehr_token(operation: RouteOperation, chalice_request: Any, now: datetime) -> None:
    """Verify an EHR's token: it is valid for this service only, and only once."""
    from chalicelib.services.ehr.cds_token_replay import verify_ehr_token_once  # noqa: PLC0415 few requests need it

    path = operation.path.format(**(chalice_request.uri_params or {}))
    address = wiring.get_settings().public_url + path
    verify_ehr_token_once(
        _read_bearer_token(chalice_request.headers),
        audiences={address, address.removesuffix("/feedback")},
        verifier=wiring.get_cds_token_verifier(),
        context=RunContext(wiring.get_stores(), now),
    )


def _read_bearer_token(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError
    return token


def _verify_session(headers: Mapping[str, str], now: datetime) -> TokenSession:
    """Verify the access token, and return the session that it belongs to."""
    token = _read_bearer_token(headers)
    return wiring.get_token_verifier().verify_session(token, now=now)


def _authenticate_limited_person(headers: Mapping[str, str], now: datetime) -> str:
    """Find who is asking on a route that needs no membership. A session that ended is refused here."""
    session = _verify_session(headers, now)
    context = RunContext(wiring.get_stores(), now)
    require_open_session(context.stores.members.get_by_subject(session.subject), session)
    enforce_rate_limit(f"person#{session.subject}", wiring.get_member_rate_limit(), context=context)
    return session.subject


def _find_member(
    session: TokenSession,
    headers: Mapping[str, str],
    *,
    start_reads: Callable[[UsedMembership, RunContext], None] | None,
    context: RunContext,
) -> Member:
    """Find the membership that the request uses.

    A session that ended, a disabled member and a locked organization are refused here.
    """
    return find_member_within_limit(
        session,
        headers.get(MEMBERSHIP_HEADER),
        rate_limit=wiring.get_member_rate_limit(),
        last_members=wiring.get_last_members(),
        context=context,
        start_reads=start_reads,
    )


def _start_early_read(read: EarlyRead, chalice_request: Any, *, context: RunContext) -> None:
    """Start to read the referral of the path, if it can exist. Nothing of it is used before the member is checked."""
    referral_id = (chalice_request.uri_params or {}).get("referral_id", "")
    if ID_PATTERNS["referral_id"].fullmatch(referral_id):
        context.calls.start_early(getattr(context.stores.referrals, read), referral_id)


def _require_json(operation: RouteOperation, headers: Mapping[str, str]) -> None:
    """Accept JSON only. A form on another site can send text without a CORS preflight, but not JSON."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if operation.body is not None and media_type != "application/json":
        raise UnsupportedMediaTypeError("not_json", "Send the request with Content-Type: application/json.")


def _read_idempotency_key(headers: Mapping[str, str]) -> str:
    key = headers.get("idempotency-key", "")
    if not (1 <= len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
        error = FieldError(
            "Idempotency-Key", "missing", f"Send an Idempotency-Key of 1 to {MAX_KEY_CHARS} printable characters."
        )
        raise MalformedError(
            "idempotency_key_missing", "This request requires an Idempotency-Key header.", errors=[error]
        )
    return key


def _read_if_match(headers: Mapping[str, str]) -> int:
    tag = headers.get("if-match", "")
    if not tag:
        raise PreconditionRequiredError
    digits = tag.strip().removeprefix("W/").strip('"')
    # A tag that we never issued belongs to no version: it is stale, not malformed.
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1


def parse_arguments(operation: RouteOperation, chalice_request: Any, request: ApiRequest) -> dict[str, Any]:
    """Parse what the view takes in addition to the request: `query` and `body`.

    Raises:
        MalformedError: what was sent is not valid.
        NotAcceptableError: the response is a file, and `Accept` does not begin with its media type.
    """
    arguments: dict[str, Any] = {}
    if operation.query is not None or chalice_request.query_params:
        arguments["query"] = parse_query(operation.query or StrictModel, chalice_request.query_params)
        if operation.query is None:
            del arguments["query"]
    if operation.body is not None:
        arguments["body"] = parse_body(operation.body, request.raw_body)
    if operation.file_type:
        _require_accepted(operation.file_type, request)
    return arguments


def _require_accepted(file_type: str, request: ApiRequest) -> None:
    """API Gateway decides by the first type of `Accept` whether it sends a body as bytes or as base64 text."""
    first = request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    if first != file_type:
        raise NotAcceptableError(_ACCEPT_CODES[file_type], f"Send the header Accept: {file_type}.")


def get_or_create_request_id(headers: Mapping[str, str]) -> str:
    """The caller's own request id if it is harmless, or a new one."""
    given = headers.get("x-request-id", "")
    is_harmless = 8 <= len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum()
    return given if is_harmless else f"req_{secrets.token_hex(12)}"
