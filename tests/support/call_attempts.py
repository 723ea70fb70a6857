"""Every attempt of a call to AWS, below the repeats of botocore's clients and of our own calls."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from botocore import endpoint

from chalicelib import direct_calls

Answer = tuple[tuple[Any, Any] | None, Exception | None]
"""The response with what it says, or the error of the connection."""

Intercept = Callable[[Any, str, Callable[[], Answer]], Answer]
"""Answers a request of an operation. The last argument sends it."""


@contextmanager
def intercept_attempts(answer: Intercept) -> Iterator[None]:
    """Let `answer` answer every attempt. It can send the request, once or several times."""
    of_client: Any = getattr(endpoint.Endpoint, "_get_response")  # noqa: B009 the stubs do not know it
    of_direct_call = direct_calls.DirectClient._get_response

    def answer_client(self: Any, request: Any, model: Any, context: Any) -> Answer:
        return answer(request, model.name, lambda: of_client(self, request, model, context))

    def answer_direct_call(self: Any, request: Any) -> Answer:
        return answer(request, read_operation(request), lambda: of_direct_call(self, request))

    with (
        patch.object(endpoint.Endpoint, "_get_response", answer_client),
        patch.object(direct_calls.DirectClient, "_get_response", answer_direct_call),
    ):
        yield


def read_operation(request: Any) -> str:
    """Read which operation a request of a JSON service calls."""
    target = request.headers["X-Amz-Target"]
    return (target.decode() if isinstance(target, bytes) else str(target)).rpartition(".")[2]


@contextmanager
def record_attempts() -> Iterator[list[tuple[str, bytes]]]:
    """Record the operation and the body of every attempt."""
    sent: list[tuple[str, bytes]] = []

    def answer(request: Any, operation: str, send: Callable[[], Answer]) -> Answer:
        sent.append((operation, request.body))
        return send()

    with intercept_attempts(answer):
        yield sent


@contextmanager
def replace_pauses(sleep: Callable[[float], object]) -> Iterator[None]:
    """Let the pauses between attempts call `sleep`."""
    paused: Any = SimpleNamespace(sleep=sleep)
    with patch.object(endpoint, "time", paused), patch.object(direct_calls, "time", paused):
        yield
