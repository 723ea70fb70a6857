"""Every refusal reads as plain sentences, because the dashboard shows its text as it is."""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from chalicelib.routes.openapi import build_document
from chalicelib.routes.platform.field_messages import FALLBACK_MESSAGE, MESSAGES, describe_error
from chalicelib.routes.platform.operations import RouteAccess, RouteOperation
from chalicelib.routes.route_loader import load_all_operations
from tests.support import ehr

OPERATIONS = load_all_operations()

ROOT = Path(__file__).parents[3]
SNAKE_CASE = re.compile(r"[A-Za-z0-9]+_[A-Za-z0-9]")
FORBIDDEN = ("Input should", "Value error", "Field required", "Extra inputs", FALLBACK_MESSAGE)
BAD_VALUES: tuple[Any, ...] = (
    "",
    "not one of ours!",
    "a hidden\u200bmark",
    "x" * 10_000,
    "2026-02-30",
    "2026-02-30T25:00:00Z",
    "1800-01-01",
    -1,
    7.5,
    10**9,
    True,
    None,
    [],
    ["x"] * 200,
    {},
)
"""Each takes the place of every value of a request in turn."""


def find_faults(text: str) -> list[str]:
    """What a person should not read."""
    return SNAKE_CASE.findall(text) + [phrase for phrase in FORBIDDEN if phrase in text]


def build_bad_bodies(schema: Mapping[str, Any], bad: Any) -> Iterator[Any]:
    """A body by its schema in which each value is `bad`: one for each branch of a union at its top."""
    schema = resolve(schema)
    if "oneOf" in schema:
        for branch in schema["oneOf"]:
            yield fill(branch, bad)
    else:
        yield fill(schema, bad)


def resolve(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = build_document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    return found


def fill(schema: Mapping[str, Any], bad: Any) -> Any:
    schema = resolve(schema)
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        return fill(options[0], bad)
    if "const" in schema:
        return schema["const"]  # The type of an event: with another one, the rest would not be looked at.
    if schema.get("properties"):
        return {name: fill(member, bad) for name, member in schema["properties"].items()} | {"no_such_field": bad}
    if schema.get("type") == "array" and "properties" in resolve(schema["items"]):
        return [fill(schema["items"], bad)]
    return bad


def send(world: Any, operation: RouteOperation, body: Any) -> Any:
    # Text that can be no id is answered with 404 before the body is read.
    path = re.sub(r"\{\w+\}", "x", operation.path.replace("{referral_id}", f"ref_{'a' * 26}"))
    if operation.access is RouteAccess.WEBHOOK_SIGNATURE:
        return world.deliver_raw(json.dumps(body).encode())
    if operation.access is RouteAccess.CDS_CALLER:
        return ehr.call_hook(world.anyone, body, path=path)
    headers = {"Idempotency-Key": "key", "If-Match": '"1"'}
    return world.practice.send(operation.method, path, body, headers=headers)


def list_texts(answer: Any) -> list[str]:
    """What the dashboard shows of a problem."""
    problem = answer.json
    return [problem["detail"], *(error["message"] for error in problem["errors"])]


WITH_BODY = [o for o in OPERATIONS if o.body is not None or o.access is RouteAccess.WEBHOOK_SIGNATURE]
WITH_QUERY = [o for o in OPERATIONS if o.query is not None]


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda o: o.name)
def test_a_refused_body_is_explained_in_plain_words(shared_api, operation):
    """For every field of every request, whatever is wrong with it."""
    described = build_document()["paths"][operation.path][operation.method.lower()]
    schema = described["requestBody"]["content"]["application/json"]["schema"]
    texts: set[str] = set()

    for bad in BAD_VALUES:
        for body in (*build_bad_bodies(schema, bad), bad):
            answer = send(shared_api, operation, body)
            if answer.status == 400:
                texts |= set(list_texts(answer))

    assert len(texts) > 1
    assert {text: faults for text in texts if (faults := find_faults(text))} == {}
    assert [text for text in texts if not text.endswith((".", "…"))] == []


@pytest.mark.parametrize("operation", WITH_QUERY, ids=lambda o: o.name)
def test_a_refused_query_is_explained_in_plain_words(shared_api, operation):
    """The same for the parameters in an address."""
    described = build_document()["paths"][operation.path][operation.method.lower()]
    path = re.sub(r"\{\w+\}", "x", operation.path)
    names = [parameter["name"] for parameter in described["parameters"] if parameter["in"] == "query"]
    texts: set[str] = set()

    for bad in ("", "%21", "0", "9999999", "x" * 3000, "2026-02-30T25:00:00Z"):
        query = "&".join(f"{name}={bad}" for name in (*names, "no_such_field"))
        texts |= set(list_texts(shared_api.practice.get(f"{path}?{query}")))

    assert {text: faults for text in texts if (faults := find_faults(text))} == {}


@pytest.mark.parametrize("kind", MESSAGES)
def test_each_message_can_be_written_with_what_pydantic_knows(kind):
    """A limit in a message is one that comes with the error."""
    limits = {"ge": 1, "gt": 0, "le": 5000, "min_length": 8, "max_length": 4000}

    text = describe_error({"type": kind, "ctx": limits, "msg": "Input should be something"})

    assert "{" not in text
    assert find_faults(text) == []


def list_written_refusals() -> Iterator[tuple[str, str]]:
    """Every text with which code refuses a request, and its place in the code."""
    for path in sorted((ROOT / "chalicelib").rglob("*.py")):
        for call in (n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)):
            name = ast.unparse(call.func).rsplit(".", 1)[-1]
            if name.endswith("Error") or name == "Rejected":
                for text in call.args[2 if name == "FieldError" else 1 :]:
                    if isinstance(text, ast.Constant | ast.JoinedStr):
                        yield f"{path.relative_to(ROOT)}:{call.lineno}", ast.unparse(text)


def test_every_refusal_that_is_written_in_code_is_plain():
    """Also those that no request above provokes."""
    texts = dict(list_written_refusals())

    assert len(texts) > 30
    assert {place: text for place, text in texts.items() if SNAKE_CASE.search(re.sub(r"\{.*?\}", "", text))} == {}
