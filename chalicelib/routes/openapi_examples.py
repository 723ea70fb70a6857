"""The examples of the OpenAPI document: requests that a test sends, with the responses that they got.

`python -m tests.support.openapi_examples` records them. They are read only for the document.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from chalicelib import routes

FILE: Final = "openapi_examples.json"
"""The recorded examples, next to the routes."""


@cache
def _load_examples() -> Mapping[str, Mapping[str, Any]]:
    text = (files(routes) / FILE).read_text(encoding="utf-8")
    examples: Mapping[str, Mapping[str, Any]] = json.loads(text)
    return examples


def add_examples(operation: dict[str, Any]) -> None:
    """Add the recorded exchange to the description of an operation: its parameters, its body and its response."""
    example = _load_examples().get(operation["operationId"], {})
    for parameter in operation["parameters"]:
        if parameter["name"] in example.get("parameters", {}):
            parameter["example"] = _read_value(example["parameters"][parameter["name"]], parameter["schema"])
    if "request" in example and "requestBody" in operation:
        operation["requestBody"]["content"]["application/json"]["example"] = example["request"]
    if "response" in example:
        [content] = operation["responses"][example["status"]]["content"].values()
        content["example"] = example["response"]


def _read_value(text: str, schema: Mapping[str, Any]) -> Any:
    """A value as its schema has it. All parameters arrive as text."""
    return json.loads(text) if schema.get("type") in {"boolean", "integer"} else text
