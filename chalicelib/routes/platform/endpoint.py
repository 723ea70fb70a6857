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
from chalicelib.errors import ApiError
from chalicelib.observe import log
from chalicelib.routes.platform import cors as sharing
from chalicelib.routes.platform import problems
from chalicelib.routes.platform.operations import OPERATIONS, RouteAccess, RouteOperation
from chalicelib.routes.platform.request import (
    get_or_create_request_id,
    parse_arguments,
    parse_request,
    validate_path_params,
)
from chalicelib.store.webhooks.idempotency import StoredResponse


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResponse:
    """An answer. `body` of None is no content, and text stands for itself."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


RouteHandler = Callable[..., ApiResponse]


def declare_endpoint(
    blueprint: Blueprint,
    method: str,
    path: str,
    *,
    response_schema: Any = None,
    status: int = 200,
    access: RouteAccess = RouteAccess.MEMBER,
    needs_idempotency_key: bool = False,
    needs_if_match: bool = False,
) -> Callable[[RouteHandler], RouteHandler]:
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

    def declare(view: RouteHandler) -> RouteHandler:
        hints = typing.get_type_hints(view)
        operation = RouteOperation(
            method=method,
            path=path,
            name=view.__name__,
            summary=(inspect.getdoc(view) or "").partition("\n")[0].rstrip("."),
            access=access,
            body=hints.get("body"),
            query=hints.get("query"),
            response_schema=response_schema,
            status=status,
            needs_idempotency_key=needs_idempotency_key,
            needs_if_match=needs_if_match,
        )
        OPERATIONS.append(operation)

        def handle(**path_parameters: str) -> Response:
            return _handle_request(operation, view, blueprint.current_request, path_parameters)

        # No media type is named here: the framework would answer 415 to whoever asks, before
        # we know who that is.
        blueprint.route(path, methods=[method], name=view.__name__, content_types=[])(handle)
        return view

    return declare


def _handle_request(
    operation: RouteOperation, view: RouteHandler, request: Any, path_parameters: Mapping[str, str]
) -> Response:
    started = wiring.read_monotonic()
    request_id = get_or_create_request_id(request.headers)
    reply = _call_view(operation, view, request, path_parameters, request_id)
    if operation.allows_cors:
        reply.headers.update(sharing.build_cors_headers(request.headers))
    log.info(
        "request",
        request_id=request_id,
        method=operation.method,
        route=operation.path,
        status=reply.status_code,
        ms=round((wiring.read_monotonic() - started) * 1000, 1),
    )
    return reply


def _call_view(
    operation: RouteOperation, view: RouteHandler, request: Any, path_parameters: Mapping[str, str], request_id: str
) -> Response:
    try:
        call = parse_request(operation, request, request_id)
        validate_path_params(operation, path_parameters)
        arguments = parse_arguments(operation, request, call)
        reply = view(call, **path_parameters, **arguments)
        return _render_response(reply, request_id)
    except ApiError as e:
        return problems.build_problem(e, request_id)
    except Exception as e:  # noqa: BLE001 the last resort: nothing of the request may reach the log
        log.error("unexpected", request_id=request_id, error=type(e).__name__, where=_find_error_location(e))
        return problems.build_internal_error(request_id)


def _to_json(value: Any) -> str:
    return "" if value is None else json.dumps(value, separators=(",", ":"))


def _render_response(response: ApiResponse, request_id: str) -> Response:
    text = response.body if isinstance(response.body, str) else _to_json(response.body)
    headers: dict[str, str | list[str]] = {
        "Content-Type": "application/json",
        "X-Request-Id": request_id,
        **response.headers,
    }
    return Response(body=text, status_code=response.status, headers=headers)


def from_stored_response(stored: StoredResponse) -> ApiResponse:
    """An answer that may be the repeat of an earlier one, and then says so."""
    headers = dict(stored.headers)
    if stored.replayed:
        headers["Idempotent-Replayed"] = "true"
    return ApiResponse(body=stored.body, status=stored.status, headers=headers)


def _find_error_location(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find a bug, and nothing of the data."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"


def build_gateway_problem(status: int, code: str, request_id: str, *, allow: str = "") -> dict[str, Any]:
    """The answer of a gateway that refuses before any function runs."""
    response = problems.build_gateway_problem_body(status, code, request_id)
    if allow:
        response.headers["Allow"] = allow
    return problems.add_security_headers(response.to_dict())
