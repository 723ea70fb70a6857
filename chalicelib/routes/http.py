"""What every route has in common: who is asking, what was sent, and how it is answered.

A route is declared once. Its signature says what it takes: `call` is the caller, `body` and
`query` are parsed by the model that annotates them, and any other name stands in the path. The
same declaration makes the OpenAPI document and the test that no route is left unguarded.
"""

import inspect
import json
import re
import secrets
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from chalice import Blueprint, Response
from pydantic import ValidationError

from chalicelib import wiring
from chalicelib.domain.members import Member
from chalicelib.errors import (
    DashboardError,
    Fault,
    ForbiddenError,
    MalformedError,
    MediaTypeError,
    NotFoundError,
    PreconditionMissingError,
    UnauthenticatedError,
)
from chalicelib.observe import log
from chalicelib.routes import problems, strict_json
from chalicelib.routes.fields import Body
from chalicelib.store.receipts import Answer, Request

MAX_KEY_CHARS = 255
"""Length of an Idempotency-Key. Source: what clients of Stripe's API are used to."""


_TAME = re.compile(r"[A-Za-z0-9_.-]{1,80}", re.ASCII)


class Access(StrEnum):
    """Who may call a route at all. What the caller may see is decided in the service."""

    PUBLIC = "public"
    SIGNED = "signed"
    """A center's system, by its signature over the body."""
    MEMBER = "member"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A route as it was declared."""

    method: str
    path: str
    name: str
    summary: str
    access: Access
    body: type[Body] | None
    query: type[Body] | None
    returns: Any
    status: int
    keyed: bool
    matched: bool


OPERATIONS: list[Operation] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request, as a route needs it."""

    request_id: str
    method: str
    route: str
    headers: Mapping[str, str]
    raw_body: bytes
    now: datetime
    context: Mapping[str, Any]
    signed_in: Member | None = None
    idempotency_key: str = ""
    version: int = 0

    @property
    def member(self) -> Member:
        """The person who is asking."""
        if self.signed_in is None:
            raise UnauthenticatedError
        return self.signed_in

    @property
    def as_request(self) -> Request:
        """The POST as idempotency sees it: with the ids that stand in its path."""
        return Request(
            member_id=self.member.member_id,
            tenant_id=self.member.tenant_id,
            route=f"{self.method} {self.context.get('path') or self.route}",
            key=self.idempotency_key,
            body=self.raw_body,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer. `body` of None is no content, and text stands for itself."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


View = Callable[..., Reply]


def endpoint(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    returns: Any = None,
    status: int = 200,
    access: Access = Access.MEMBER,
    keyed: bool = False,
    matched: bool = False,
) -> Callable[[View], View]:
    """Declare a route.

    Args:
        blueprint: Where it is registered.
        method: The HTTP method.
        path: The path, with `{names}` that the view takes.
        returns: The type of the answer's body, for the OpenAPI document.
        status: The status of success.
        access: Who may call it.
        keyed: It needs an `Idempotency-Key`.
        matched: It needs `If-Match`.
    """

    def declare(view: View) -> View:
        hints = typing.get_type_hints(view)
        operation = Operation(
            method=method,
            path=path,
            name=view.__name__,
            summary=(inspect.getdoc(view) or "").partition("\n")[0].rstrip("."),
            access=access,
            body=hints.get("body"),
            query=hints.get("query"),
            returns=returns,
            status=status,
            keyed=keyed,
            matched=matched,
        )
        OPERATIONS.append(operation)

        def handle(**path_parameters: str) -> Response:
            return _handle(operation, view, blueprint.current_request, path_parameters)

        blueprint.route(path, methods=[method], name=view.__name__)(handle)
        return view

    return declare


def _handle(
    operation: Operation, view: View, request: Any, path_parameters: Mapping[str, str]
) -> Response:
    started = wiring.monotonic()
    request_id = request_id_of(request.headers)
    reply = _answered(operation, view, request, path_parameters, request_id)
    log.info(
        "request",
        request_id=request_id,
        method=operation.method,
        route=operation.path,
        status=reply.status_code,
        ms=round((wiring.monotonic() - started) * 1000, 1),
    )
    return reply


def _answered(
    operation: Operation,
    view: View,
    request: Any,
    path_parameters: Mapping[str, str],
    request_id: str,
) -> Response:
    try:
        call = _call(operation, request, request_id)
        _require_tame(path_parameters)
        arguments = _arguments(operation, request, call)
        reply = view(call, **path_parameters, **arguments)
        return _rendered(reply, request_id)
    except DashboardError as e:
        return problems.refusal(e, request_id)
    except Exception as e:  # noqa: BLE001 the last resort: nothing of the request may reach the log
        log.error("unexpected", request_id=request_id, error=type(e).__name__, where=_where(e))
        return problems.failure(request_id)


def _call(operation: Operation, request: Any, request_id: str) -> Call:
    headers = request.headers
    now = wiring.now()
    member = _member(headers, now) if operation.access is Access.MEMBER else None
    _require_json(operation, headers)
    return Call(
        request_id=request_id,
        method=operation.method,
        route=operation.path,
        headers=headers,
        raw_body=request.raw_body,
        now=now,
        context=request.context,
        signed_in=member,
        idempotency_key=_key(headers) if operation.keyed else "",
        version=_version(headers) if operation.matched else 0,
    )


def _require_tame(path_parameters: Mapping[str, str]) -> None:
    """No id or file of ours looks otherwise, so nothing else is ever asked of a table or a disk."""
    if not all(_TAME.fullmatch(value) for value in path_parameters.values()):
        raise NotFoundError


def _member(headers: Mapping[str, str], now: datetime) -> Member:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError
    subject = wiring.tokens().subject(token, now=now)
    member = wiring.stores().members.get(subject)
    if member is None or not member.active:
        raise ForbiddenError("not_a_member", "Nobody here has given you access, or it has ended.")
    return member


def _require_json(operation: Operation, headers: Mapping[str, str]) -> None:
    """A form on another site can send text, but not JSON, without asking first."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if operation.body is not None and media_type != "application/json":
        raise MediaTypeError("not_json", "Send Content-Type: application/json.")


def _key(headers: Mapping[str, str]) -> str:
    key = headers.get("idempotency-key", "")
    if not (1 <= len(key) <= MAX_KEY_CHARS and key.isascii() and key.isprintable()):
        fault = Fault("Idempotency-Key", "missing", "Send a key of 1 to 255 printable characters")
        raise MalformedError(
            "idempotency_key_missing", "This request needs an Idempotency-Key.", faults=[fault]
        )
    return key


def _version(headers: Mapping[str, str]) -> int:
    tag = headers.get("if-match", "")
    if not tag:
        raise PreconditionMissingError
    digits = tag.strip().removeprefix("W/").strip('"')
    # A tag that we never gave is of no version: stale, not malformed.
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else -1


def _arguments(operation: Operation, request: Any, call: Call) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if operation.query is not None or request.query_params:
        arguments["query"] = parsed_query(operation.query or Body, request.query_params)
        if operation.query is None:
            del arguments["query"]
    if operation.body is not None:
        arguments["body"] = parsed_body(operation.body, call.raw_body)
    return arguments


def parsed_body(model: type[Body], raw: bytes) -> Body:
    """The body as `model` reads it.

    Raises:
        MalformedError: names everything that is wrong, and repeats nothing of it.
    """
    strict_json.read(raw)
    return _validated(model, raw)


def parsed_query(model: type[Body], parameters: Any) -> Body:
    """The query parameters as `model` reads them; one that is sent twice is refused."""
    given = {name: parameters.getlist(name) for name in (parameters or {})}
    twice = [name for name, values in given.items() if len(values) > 1]
    if twice:
        raise MalformedError("parameter_twice", "A parameter was sent more than once.")
    return _validated(model, json.dumps({k: v[0] for k, v in given.items()}).encode())


def _validated(model: type[Body], raw: bytes) -> Body:
    try:
        return model.model_validate_json(raw)
    except ValidationError as e:
        errors = e.errors(include_url=False, include_context=False, include_input=False)
        faults = [
            Fault(_pointer(error["loc"], error["type"]), error["type"], error["msg"])
            for error in errors
        ]
        raise MalformedError("malformed", "Some fields are not right.", faults=faults) from None


def _pointer(path: Sequence[str | int], kind: str) -> str:
    """Where a fault is. The name of an unknown field is the sender's text: shown only if tame."""
    steps = [str(step) for step in path]
    if kind == "extra_forbidden" and not (steps[-1].isidentifier() and len(steps[-1]) <= 40):
        steps[-1] = "…"
    return "".join(f"/{step}" for step in steps)


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, separators=(",", ":"))


def _rendered(reply: Reply, request_id: str) -> Response:
    text = reply.body if isinstance(reply.body, str) else _json(reply.body)
    headers: dict[str, str | list[str]] = {
        "Content-Type": "application/json",
        "X-Request-Id": request_id,
        **reply.headers,
    }
    return Response(body=text, status_code=reply.status, headers=headers)


def replied(answer: Answer) -> Reply:
    """An answer that may be the repeat of an earlier one, and then says so."""
    headers = dict(answer.headers)
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    return Reply(body=answer.body, status=answer.status, headers=headers)


def request_id_of(headers: Mapping[str, str]) -> str:
    """The caller's own id of the request if it is tame, else a new one."""
    given = headers.get("x-request-id", "")
    tame = 8 <= len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum()
    return given if tame else f"req_{secrets.token_hex(12)}"


def _where(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find a bug, and nothing of the data."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"


def gateway_refusal(status: int, code: str, request_id: str, *, allow: str = "") -> dict[str, Any]:
    """The answer of a gateway that refuses before any function runs."""
    response = problems.of(status, code, request_id)
    if allow:
        response.headers["Allow"] = allow
    return problems.with_security(response.to_dict())
