"""Serves the receiver on this machine, so that a center's staging system can point its webhook sender at it."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.routes.platform.problems import build_gateway_problem_body
from infra.conformance.outcomes import IncomingDelivery, Outcome, Verdict
from infra.conformance.receiver import ConformanceReceiver
from infra.local.http1 import Headers, HttpRequest, HttpResponse, RequestRejectedError

_JSON = (("Content-Type", "application/json"),)
_PROBLEM = (("Content-Type", "application/problem+json"),)
RETRY_AFTER_S = 2


@dataclass
class ConformanceEndpoint:
    """Answers the requests of a sender.

    Attributes:
        receiver: Decides about deliveries.
        read_clock: The time.
        on_outcome: Is called with each outcome, one at a time.
        on_rejected: Is called with a sentence about a request that is no delivery.
    """

    receiver: ConformanceReceiver
    read_clock: Callable[[], datetime]
    on_outcome: Callable[[Outcome], None]
    on_rejected: Callable[[str], None]
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def path(self) -> str:
        """The path of the webhook."""
        return f"/v1/webhooks/centers/{self.receiver.center_id}"

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        with self._lock:
            if request.path != self.path:
                return self._reject(404, "not_found", f"This address is not the webhook. Use {self.path}.")
            if request.method != "POST":
                return self._reject(405, "method_not_allowed", "Send deliveries with POST.")
            incoming = IncomingDelivery(headers=request.headers, body=request.body, received_at=self.read_clock())
            was_applied = any(outcome.verdict is Verdict.APPLIED for outcome in self.receiver.outcomes)
            outcome = self.receiver.receive(incoming)
            if outcome.verdict is Verdict.APPLIED and not was_applied:
                self.receiver.fail_next = True
            self.on_outcome(outcome)
        headers: Headers = _JSON if outcome.status < 400 else _PROBLEM
        if outcome.verdict is Verdict.UNAVAILABLE:
            headers = (*headers, ("Retry-After", str(RETRY_AFTER_S)))
        return HttpResponse(status=outcome.status, headers=headers, body=outcome.body.encode())

    def answer_rejected(self, error: RequestRejectedError) -> HttpResponse:
        """Answer a request that could not be parsed."""
        with self._lock:
            return self._reject(error.status, error.code, f"The HTTP request itself was refused: {error.code}.")

    def _reject(self, status: int, code: str, text: str) -> HttpResponse:
        self.on_rejected(text)
        body = build_gateway_problem_body(status, code, "req_conformance").body
        content = body if isinstance(body, str) else json.dumps(body)
        return HttpResponse(status=status, headers=_PROBLEM, body=content.encode())
