"""How a route is declared and answered.

A route is declared once. Its signature says what it takes: `call` is the caller, `body` and
`query` are parsed by the model that annotates them, and any other name stands in the path. The
same declaration makes the OpenAPI document and the test that no route is left unguarded.
"""

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chalice import Blueprint, Response

from chalicelib import wiring
from chalicelib.errors import DashboardError
from chalicelib.observe import log
from chalicelib.routes.platform import cors as sharing
from chalicelib.routes.platform import problems
from chalicelib.routes.platform.operations import OPERATIONS, Access, Operation
from chalicelib.routes.platform.request import arguments_of, received, request_id_of, require_tame
from chalicelib.store.webhooks.idempotency import Answer


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

        # No media type is named here: the framework would answer 415 to whoever asks, before
        # we know who that is.
        blueprint.route(path, methods=[method], name=view.__name__, content_types=[])(handle)
        return view

    return declare


def _handle(
    operation: Operation, view: View, request: Any, path_parameters: Mapping[str, str]
) -> Response:
    started = wiring.monotonic()
    request_id = request_id_of(request.headers)
    reply = _answered(operation, view, request, path_parameters, request_id)
    if operation.shared:
        reply.headers.update(sharing.headers(request.headers))
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
        call = received(operation, request, request_id)
        require_tame(operation, path_parameters)
        arguments = arguments_of(operation, request, call)
        reply = view(call, **path_parameters, **arguments)
        return _rendered(reply, request_id)
    except DashboardError as e:
        return problems.refusal(e, request_id)
    except Exception as e:  # noqa: BLE001 the last resort: nothing of the request may reach the log
        log.error("unexpected", request_id=request_id, error=type(e).__name__, where=_where(e))
        return problems.failure(request_id)


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
