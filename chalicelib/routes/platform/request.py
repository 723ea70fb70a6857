"""One request, as a route needs it: who is asking, and what was sent."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

from chalicelib import wiring
from chalicelib.domain.identity.members import Member
from chalicelib.errors import (
    FieldError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    PreconditionRequiredError,
    UnauthenticatedError,
    UnsupportedMediaTypeError,
)
from chalicelib.routes.platform import strict_json
from chalicelib.routes.platform.fields import StrictModel
from chalicelib.routes.platform.operations import RouteAccess, RouteOperation
from chalicelib.services.platform.rate_limit import enforce_rate_limit
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.webhooks.idempotency import IdempotentRequest

_Model = TypeVar("_Model", bound=BaseModel)

MAX_KEY_CHARS = 255
"""Length of an Idempotency-Key. Source: what clients of Stripe's API are used to."""


_SAFE_PATTERN = re.compile(r"[A-Za-z0-9_.-]{1,200}", re.ASCII)

_SINGLE_HEADERS = frozenset(
    {
        "authorization",
        "content-type",
        "idempotency-key",
        "if-match",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    }
)
"""Headers that decide something. Of two, one reader may take the first and another the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """One request, as a route needs it."""

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

    @property
    def member(self) -> Member:
        """The person who is asking."""
        if self.signed_in is None:
            raise UnauthenticatedError
        return self.signed_in

    @property
    def context(self) -> RunContext:
        """The tables, and the time of this request."""
        return RunContext(wiring.get_stores(), self.now)

    @property
    def idempotent_request(self) -> IdempotentRequest:
        """The POST as idempotency sees it: with the ids that stand in its path."""
        return IdempotentRequest(
            member_id=self.member.member_id,
            tenant_id=self.member.tenant_id,
            route=f"{self.method} {self.gateway_context.get('path') or self.route}",
            key=self.idempotency_key,
            body=self.raw_body,
        )


def parse_request(operation: RouteOperation, chalice_request: Any, request_id: str) -> ApiRequest:
    """The request as a call: who is asking is settled before anything that was sent is read."""
    _reject_repeated_headers(chalice_request)
    headers = chalice_request.headers
    now = wiring.read_clock()
    member = _authenticate_member(headers, now) if operation.access is RouteAccess.MEMBER else None
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
    )


def validate_path_params(operation: RouteOperation, path_parameters: Mapping[str, str]) -> None:
    """No id or file of ours looks otherwise, so nothing else is ever asked of a table or a disk."""
    if all(_SAFE_PATTERN.fullmatch(value) for value in path_parameters.values()):
        return
    # Where a signature is asked for, a name that nobody has cannot have signed.
    raise UnauthenticatedError if operation.access is RouteAccess.WEBHOOK_SIGNATURE else NotFoundError


def _reject_repeated_headers(chalice_request: Any) -> None:
    """Refuse what was sent twice; the framework itself would keep the last."""
    given = chalice_request.to_original_event().get("multiValueHeaders") or {}
    sent = [name.lower() for name, values in given.items() for _ in values]
    if any(sent.count(name) > 1 for name in _SINGLE_HEADERS):
        raise MalformedError("header_twice", "A header was sent more than once.")


def _verify_ehr_token(operation: RouteOperation, chalice_request: Any, now: datetime) -> None:
    """Take a health record system's token, which is for this very address and good once."""
    from chalicelib.services.ehr.cds_token_replay import verify_ehr_token_once  # noqa: PLC0415 few requests need it

    called = operation.path.format(**(chalice_request.uri_params or {}))
    verify_ehr_token_once(
        _read_bearer_token(chalice_request.headers),
        audience=wiring.get_settings().public_url + called,
        verifier=wiring.get_cds_token_verifier(),
        context=RunContext(wiring.get_stores(), now),
    )


def _read_bearer_token(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError
    return token


def _authenticate_member(headers: Mapping[str, str], now: datetime) -> Member:
    token = _read_bearer_token(headers)
    subject = wiring.get_token_verifier().verify(token, now=now)
    member = wiring.get_stores().members.get_by_subject(subject)
    if member is None or not member.active:
        raise ForbiddenError("not_a_member", "Nobody here has given you access, or it has ended.")
    subject = f"member#{member.member_id}"
    enforce_rate_limit(subject, wiring.get_member_rate_limit(), context=RunContext(wiring.get_stores(), now))
    return member


def _require_json(operation: RouteOperation, headers: Mapping[str, str]) -> None:
    """A form on another site can send text, but not JSON, without asking first."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if operation.body is not None and media_type != "application/json":
        raise UnsupportedMediaTypeError("not_json", "Send Content-Type: application/json.")


def _read_idempotency_key(headers: Mapping[str, str]) -> str:
    key = headers.get("idempotency-key", "")
    if not (1 <= len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
        fault = FieldError("Idempotency-Key", "missing", "Send a key of 1 to 255 printable characters")
        raise MalformedError("idempotency_key_missing", "This request needs an Idempotency-Key.", errors=[fault])
    return key


def _read_if_match(headers: Mapping[str, str]) -> int:
    tag = headers.get("if-match", "")
    if not tag:
        raise PreconditionRequiredError
    digits = tag.strip().removeprefix("W/").strip('"')
    # A tag that we never gave is of no version: stale, not malformed.
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1


def parse_arguments(operation: RouteOperation, chalice_request: Any, request: ApiRequest) -> dict[str, Any]:
    """What the view asks for beside the call: the parsed `query` and `body`."""
    arguments: dict[str, Any] = {}
    if operation.query is not None or chalice_request.query_params:
        arguments["query"] = parse_query(operation.query or StrictModel, chalice_request.query_params)
        if operation.query is None:
            del arguments["query"]
    if operation.body is not None:
        arguments["body"] = parse_body(operation.body, request.raw_body)
    return arguments


def parse_body(model: type[_Model], raw: bytes) -> _Model:
    """The body as `model` reads it.

    Raises:
        MalformedError: names everything that is wrong, and repeats nothing of it.
    """
    strict_json.parse_json(raw, limit=getattr(model, "max_bytes", strict_json.MAX_BYTES))
    return validate_json(model, raw)


def parse_query(model: type[StrictModel], parameters: Any) -> StrictModel:
    """The query parameters as `model` reads them; one that is sent twice is refused."""
    given = {name: parameters.getlist(name) for name in (parameters or {})}
    twice = [name for name, values in given.items() if len(values) > 1]
    if twice:
        raise MalformedError("parameter_twice", "A parameter was sent more than once.")
    return validate_json(model, json.dumps({k: v[0] for k, v in given.items()}).encode())


def validate_json(model: type[_Model], raw: bytes) -> _Model:
    """JSON as `model` reads it; the errors name fields and repeat nothing."""
    try:
        return model.model_validate_json(raw)
    except ValidationError as e:
        errors = e.errors(include_url=False, include_context=False, include_input=False)
        faults = [
            FieldError(_build_pointer(_format_error_path(model, error), error["type"]), error["type"], error["msg"])
            for error in errors
        ]
        raise MalformedError("malformed", "Some fields are not right.", errors=faults) from None


def _format_error_path(model: type[BaseModel], error: Any) -> Sequence[str | int]:
    """The way to a fault in what was sent; of a choice by `type`, pydantic names the type first."""
    if not issubclass(model, RootModel):
        return error["loc"]  # type: ignore[no-any-return]
    return ("type",) if error["type"].startswith("union_tag") else error["loc"][1:]


def _build_pointer(path: Sequence[str | int], kind: str) -> str:
    """Where a fault is. The name of an unknown field is the sender's text: shown only if tame."""
    steps = [str(step) for step in path]
    if kind == "extra_forbidden" and not (steps[-1].isidentifier() and len(steps[-1]) <= 40):
        steps[-1] = "…"
    return "".join(f"/{step}" for step in steps)


def get_or_create_request_id(headers: Mapping[str, str]) -> str:
    """The caller's own id of the request if it is tame, else a new one."""
    given = headers.get("x-request-id", "")
    tame = 8 <= len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum()
    return given if tame else f"req_{secrets.token_hex(12)}"
