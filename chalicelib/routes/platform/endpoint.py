"""How a route is declared and how its request is handled.

A route is declared once. The signature of its view defines its input: `request` is the caller's
request, `body` and `query` are parsed by the model that annotates them, and every other name is a
path parameter. The return type `ApiResponse[X]` defines the response. The same declaration makes
the OpenAPI document, the test that finds a route without a guard, and the table from which
`route_loader` knows which module to import for a request.
"""

import inspect
import json
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import NoneType
from typing import Any, Generic, TypeVar

from chalice import Response

from chalicelib import metrics, wiring
from chalicelib.aws import RefusedByAwsError
from chalicelib.errors import ApiError, StoredItemError
from chalicelib.observe import log
from chalicelib.routes.platform import cors, problems
from chalicelib.routes.platform.operations import EarlyRead, RouteAccess, RouteOperation, add_declared
from chalicelib.routes.platform.refusals import AUDITED_REFUSALS, record_route_refusal
from chalicelib.routes.platform.request import (
    get_or_create_request_id,
    parse_arguments,
    parse_request,
    validate_path_params,
)
from chalicelib.services.platform.parallel_calls import ParallelCalls
from chalicelib.store.platform.idempotency import StoredResponse

_Body = TypeVar("_Body")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResponse(Generic[_Body]):
    """A response. A `body` of None has no content; text and bytes are sent as they are."""

    body: _Body
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


RouteHandler = Callable[..., ApiResponse[Any]]


def declare_endpoint(
    method: str,
    path: str,
    *,
    status: int = 200,
    access: RouteAccess = RouteAccess.MEMBER,
    needs_idempotency_key: bool = False,
    needs_if_match: bool = False,
    early_read: EarlyRead | None = None,
    file_type: str | None = None,
) -> Callable[[RouteHandler], RouteHandler]:
    """Declare a route. `python -m infra.route_table` adds it to the table.

    Args:
        method: The HTTP method.
        path: The path, with `{names}` that the view takes.
        status: The status of success.
        access: Who may call it.
        needs_idempotency_key: It needs an `Idempotency-Key`.
        needs_if_match: It needs `If-Match`.
        early_read: What to read of the referral in the path while the member is checked. It stays encrypted, and
            nothing of it is used, until the service has checked that this member can see it.
        file_type: The media type of the file that it sends as bytes.
    """

    def declare(view: RouteHandler) -> RouteHandler:
        hints = typing.get_type_hints(view)
        summary, _, description = (inspect.getdoc(view) or "").partition("\n")
        operation = RouteOperation(
            method=method,
            path=path,
            name=view.__name__,
            summary=summary.rstrip("."),
            description=description.strip(),
            access=access,
            body=hints.get("body"),
            query=hints.get("query"),
            response_type=_get_response_type(hints["return"]),
            status=status,
            needs_idempotency_key=needs_idempotency_key,
            needs_if_match=needs_if_match,
            file_type=file_type,
            early_read=early_read,
            family=metrics.find_route_family(view.__module__),
            view=view,
        )
        add_declared(operation)
        return view

    return declare


def _get_response_type(returned: Any) -> Any:
    """The type of the JSON body that a view returns; None if it returns text, bytes or nothing."""
    [body_type] = typing.get_args(returned)
    return None if body_type in (bytes, str, NoneType) else body_type


def handle_request(
    operation: RouteOperation, chalice_request: Any, path_parameters: Mapping[str, str], *, started: float
) -> Response:
    """Handle a request of a declared route.

    Args:
        operation: The route.
        chalice_request: The request, as the framework has it.
        path_parameters: The values of the names in the path.
        started: When the request arrived, on the monotonic clock.
    """
    request_id = get_or_create_request_id(chalice_request.headers)
    response = _call_view(operation, chalice_request, path_parameters, request_id)
    if operation.allows_cors:
        response.headers.update(cors.build_cors_headers(chalice_request.headers))
    elif operation.allows_apps:
        response.headers.update(cors.build_app_cors_headers(chalice_request.headers))
    ms = round((wiring.read_monotonic() - started) * 1000, 1)
    log.info(
        "request",
        request_id=request_id,
        method=operation.method,
        route=operation.path,
        status=response.status_code,
        ms=ms,
    )
    metrics.count_request(operation.family, status=response.status_code, ms=ms, is_sign_in=operation.is_sign_in)
    return response


def _call_view(
    operation: RouteOperation,
    chalice_request: Any,
    path_parameters: Mapping[str, str],
    request_id: str,
) -> Response:
    try:
        # The block ends when every call has ended that the request started. One that failed ends the request.
        with ParallelCalls(wiring.get_call_threads) as calls:
            request = parse_request(operation, chalice_request, request_id, calls)
            try:
                validate_path_params(operation, path_parameters)
                arguments = parse_arguments(operation, chalice_request, request)
                response = operation.view(request, **path_parameters, **arguments)
            except AUDITED_REFUSALS as refusal:
                record_route_refusal(refusal, operation, path_parameters, request=request)
                raise
        return _render_response(response, request_id)
    except ApiError as e:
        if isinstance(e, RefusedByAwsError):
            log.error("refused by AWS", request_id=request_id, error=e.reason, where=_find_error_location(e))
        if isinstance(e, StoredItemError):
            log.error("stored item refused", request_id=request_id, error=str(e))
        return problems.build_problem(e, request_id)
    except Exception as e:  # noqa: BLE001 the last resort: no part of the request may reach the log
        log.error("unexpected", request_id=request_id, error=type(e).__name__, where=_find_error_location(e))
        return problems.build_internal_error(request_id)


def refuse_without_module(
    error: Exception, route: str, chalice_request: Any, *, family: metrics.RouteFamily, ms: float
) -> Response:
    """Answer and log a request whose module could not be imported. The next request tries again."""
    request_id = get_or_create_request_id(chalice_request.headers)
    where = _find_error_location(error)
    log.error("import failed", request_id=request_id, route=route, error=type(error).__name__, where=where)
    metrics.count_request(family, status=500, ms=ms, is_sign_in=False)
    return problems.build_internal_error(request_id)


def _to_json(value: Any) -> str:
    return "" if value is None else json.dumps(value, separators=(",", ":"))


def _render_response(response: ApiResponse[Any], request_id: str) -> Response:
    body = response.body if isinstance(response.body, bytes | str) else _to_json(response.body)
    headers: dict[str, str | list[str]] = {
        "Content-Type": "application/json",
        "X-Request-Id": request_id,
        **response.headers,
    }
    return Response(body=body, status_code=response.status, headers=headers)


def from_stored_response(stored: StoredResponse) -> ApiResponse[Any]:
    """Build the response to a POST with an idempotency key; a replayed one says so in a header."""
    headers = dict(stored.headers)
    if stored.replayed:
        headers["Idempotent-Replayed"] = "true"
    return ApiResponse(body=stored.body, status=stored.status, headers=headers)


def _find_error_location(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find a bug, and no part of the data."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return "unknown"
    return f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}"


def build_gateway_problem(status: int, code: str, request_id: str, *, allow: str = "") -> dict[str, Any]:
    """Build the response of a gateway that refuses a request before any function runs."""
    response = problems.build_gateway_problem_body(status, code, request_id)
    if allow:
        response.headers["Allow"] = allow
    return problems.add_security_headers(response.to_dict())
