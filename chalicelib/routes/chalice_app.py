"""The application object: Chalice with one request per thread and one format of refusals."""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from chalice import Chalice, Response

from chalicelib import budget, wiring
from chalicelib.routes.platform import cors, problems
from chalicelib.routes.platform.request import get_or_create_request_id

_CODE_BY_STATUS = {
    400: "malformed",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "not_json",
}

_request: ContextVar[Any] = ContextVar("request", default=None)
_context: ContextVar[Any] = ContextVar("context", default=None)


class ReferralApp(Chalice):
    """A Chalice app in which each thread has its own request; Chalice keeps it on the app itself.

    Refusals that Chalice makes before a view runs (405, 415) become problem details, and every
    response gets the security headers. HEAD is answered like GET, without the body.
    """

    @property
    def current_request(self) -> Any:
        """The request of this thread."""
        return _request.get()

    @current_request.setter
    def current_request(self, value: Any) -> None:
        _request.set(value)

    @property
    def lambda_context(self) -> Any:
        """The Lambda context of this thread."""
        return _context.get()

    @lambda_context.setter
    def lambda_context(self, value: Any) -> None:
        _context.set(value)

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Handle one API Gateway event."""
        preflight = self._answer_app_preflight(event)
        if preflight is not None:
            return problems.add_security_headers(preflight)
        is_head = self._is_head_of_readable(event)
        with budget.limit_time(_get_time_budget(context), clock=wiring.read_monotonic):
            response = super().__call__(_as_get(event) if is_head else event, context)
        if response["statusCode"] >= 400:
            response = _to_problem(response, event)
        if is_head:
            response = {**response, "body": ""}
        elif response["statusCode"] == 405:
            response["headers"]["Allow"] = list_allowed_methods(self.routes.get(event.get("resource"), ()))
        return problems.add_security_headers(response)

    def _answer_app_preflight(self, event: Any) -> dict[str, Any] | None:
        """The response to what a browser asks before it sends an app's request; None if it is something else."""
        path = event.get("resource")
        methods = self.routes.get(path, ())
        if event.get("httpMethod") != "OPTIONS" or "OPTIONS" in methods:
            return None
        headers = cors.answer_app_preflight(_lower_names(event), methods)
        from chalicelib.routes.route_loader import load_operation  # noqa: PLC0415 a local run opens its log first

        if not headers or not any(load_operation(method, path).allows_apps for method in methods):
            return None
        sent: dict[str, str | list[str]] = {**headers, "X-Request-Id": get_or_create_request_id(_lower_names(event))}
        preflight: dict[str, Any] = Response(body="", status_code=204, headers=sent).to_dict()
        return preflight

    def _is_head_of_readable(self, event: Any) -> bool:
        """Whether a program asks with HEAD for what it could read with GET (RFC 9110, section 9.3.2)."""
        return event.get("httpMethod") == "HEAD" and "GET" in self.routes.get(event.get("resource"), ())


def list_allowed_methods(declared: Iterable[str]) -> str:
    """The `Allow` header of a path: its declared methods, and HEAD where GET is declared."""
    methods = set(declared)
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _lower_names(event: Any) -> dict[str, str]:
    """The headers of an event, with lowercase names."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def _as_get(event: Any) -> dict[str, Any]:
    """The same request with GET."""
    return {**event, "httpMethod": "GET", "requestContext": {**event["requestContext"], "httpMethod": "GET"}}


def _get_time_budget(context: Any) -> float:
    """The time that a request can take: ten seconds, or what its Lambda function has left."""
    left_ms = getattr(context, "get_remaining_time_in_millis", None)
    if left_ms is None:
        return budget.MAX_BUDGET_S
    return min(budget.MAX_BUDGET_S, float(left_ms()) / 1000 - budget.MARGIN_S)


def _to_problem(response: dict[str, Any], event: Any) -> dict[str, Any]:
    if "X-Request-Id" in response["headers"]:  # A view's own response; the framework's has none.
        return response
    lowered = _lower_names(event)
    status = response["statusCode"]
    code = _CODE_BY_STATUS.get(status, "internal" if status >= 500 else "refused")
    problem: dict[str, Any] = problems.build_gateway_problem_body(
        status, code, get_or_create_request_id(lowered)
    ).to_dict()
    if "Allow" in response["headers"]:
        problem["headers"]["Allow"] = response["headers"]["Allow"]
    return problem
