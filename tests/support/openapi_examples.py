"""Record the examples of the OpenAPI document: `python -m tests.support.openapi_examples`, after the walk changed.

Each example is a request of the walk through every route, with the response that it got. A test compares the
requests with those of a new walk, and the responses with the document.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from chalicelib import routes
from chalicelib.routes.openapi_examples import FILE
from chalicelib.routes.platform.operations import RouteAccess, RouteOperation
from chalicelib.routes.route_loader import load_all_operations
from tests.support.openapi_walk import Exchange, record_walk
from tests.support.shared_clinic import open_shared_clinic

_MAX_ITEMS = 2
_MAX_CHARS = 400
_MAX_LINES = 6

# What an example must not show, although it is only of a test: a reader, or a scanner, could take it for real.
_SECRETS = {
    "access_token": "eyJraWQiOiJleGFtcGxlIn0.example.example",
    "otpauth_url": "otpauth://totp/Example?secret=EXAMPLE",
    "refresh_token": "example-refresh-token",
    "secret": "whsec_example",
}
_UPLOAD = re.compile(r"policy|x-amz-.*", re.IGNORECASE)

_VOLATILE = (
    (re.compile(r"\b\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d\d:\d\d)"), "TIME"),
    (re.compile(r"\b(?:19|20)\d{2}-\d{2}-\d{2}\b"), "DAY"),
    (re.compile(r"\b[a-z]{3,4}_(?:\d{8}T\d{12}_)?[a-z2-7]{26,32}\b"), "ID"),
    (re.compile(r"\b(?:[A-Za-z0-9_-]{43}|[0-9a-f]{64})\b"), "TOKEN"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b"), "UUID"),
)


def find_examples(exchanges: Iterable[Exchange]) -> dict[str, Any]:
    """The example of each operation: its first exchange that succeeded and is not an empty list."""
    by_route: dict[tuple[str, str], list[Exchange]] = {}
    for exchange in exchanges:
        if exchange.answer.status < 300:
            by_route.setdefault((exchange.method.upper(), exchange.route), []).append(exchange)
    chosen = {operation.name: operation for operation in load_all_operations()}
    return {
        name: _to_example(operation, _choose(by_route[operation.method, operation.path]))
        for name, operation in sorted(chosen.items())
    }


def _choose(exchanges: list[Exchange]) -> Exchange:
    return next((each for each in exchanges if '"items":[]' not in each.answer.text), exchanges[0])


def _to_example(operation: RouteOperation, exchange: Exchange) -> dict[str, Any]:
    example: dict[str, Any] = {"parameters": _pick_parameters(operation, exchange.parameters)}
    is_read = operation.body is not None or operation.access is RouteAccess.WEBHOOK_SIGNATURE
    if is_read:
        example["request"] = exchange.body
    example["status"] = str(exchange.answer.status)
    if exchange.answer.text and not operation.file_type:
        example["response"] = _to_response(operation, exchange.answer.text)
    return example


def _pick_parameters(operation: RouteOperation, given: Mapping[str, str]) -> dict[str, str]:
    """The parameters that the document names; the others are headers of every request."""
    names = {part[1:-1] for part in operation.path.split("/") if part.startswith("{")}
    names |= set(operation.query.model_fields) if operation.query else set()
    names |= {"Idempotency-Key"} if operation.needs_idempotency_key else set()
    names |= {"If-Match"} if operation.needs_if_match else set()
    names |= {"webhook-id", "webhook-timestamp"} if operation.path.startswith("/v1/webhooks/") else set()
    return {name: value for name, value in given.items() if name in names}


def _to_response(operation: RouteOperation, text: str) -> Any:
    if operation.response_type is None:
        return "\n".join(text.splitlines()[:_MAX_LINES])
    body = json.loads(text)
    if operation.name == "read_openapi":
        return {name: body[name] for name in ("openapi", "info", "servers")} | {"paths": {}}
    return _shorten(body)


def _shorten(value: Any, name: str = "") -> Any:
    """Leave out what makes an example long, and replace secrets. The result has the same types."""
    if isinstance(value, dict):
        return {key: _shorten(part, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_shorten(part) for part in value[:_MAX_ITEMS]]
    if not isinstance(value, str):
        return value
    if _UPLOAD.fullmatch(name):
        return "example"
    if name == "url":
        value = value.partition("?")[0]
    value = _SECRETS.get(name, value)
    return value if len(value) <= _MAX_CHARS else f"{value[: _MAX_CHARS - 1]}…"


def mask_volatile(value: Any) -> Any:
    """Replace what differs from one walk to the next: times, days, and random ids."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    for pattern, name in _VOLATILE:
        text = pattern.sub(name, text)
    return json.loads(text)


def main() -> None:
    """Write the examples of a new walk."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    with tempfile.TemporaryDirectory() as folder, open_shared_clinic(Path(folder)) as driver:
        examples = find_examples(record_walk(driver))
    text = json.dumps(examples, ensure_ascii=False, indent=1) + "\n"
    (Path(next(iter(routes.__path__))) / FILE).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
