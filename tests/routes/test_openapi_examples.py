"""Each operation of the OpenAPI document has examples, and they are as its schemas say.

`test_openapi.py` sends the requests.
"""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from chalicelib.routes.openapi import build_document
from chalicelib.routes.platform.operations import BINARY_TYPES
from chalicelib.routes.route_loader import load_all_operations

NAMES = [operation.name for operation in load_all_operations()]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document, without the text about sign-in."""
    return build_document()


def find_operation(document, name):
    """The description of an operation."""
    [found] = [each for path in document["paths"].values() for each in path.values() if each["operationId"] == name]
    return found


def find_faults(document, schema, value):
    """What is wrong with a value."""
    validator = Draft202012Validator(schema | {"components": document["components"]})
    return [f"{error.json_path}: {error.message[:150]}" for error in validator.iter_errors(value)]


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_has_an_example_of_its_request(document, name):
    """Of its body, and of each parameter that it needs."""
    operation = find_operation(document, name)
    needed = [each for each in operation["parameters"] if each["required"]]

    assert [each["name"] for each in needed if "example" not in each] == []
    assert all("example" in content for content in operation.get("requestBody", {}).get("content", {}).values())


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_has_an_example_of_its_response(document, name):
    """Except one that has no body, or is a file."""
    responses = find_operation(document, name)["responses"]
    contents = {kind: each for status, response in responses.items() if status.startswith("2")
                for kind, each in response.get("content", {}).items() if kind not in BINARY_TYPES}  # fmt: skip

    assert not contents or any("example" in each for each in contents.values())


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_are_valid(document, name):
    """By the schemas next to them."""
    operation = find_operation(document, name)
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    parts = [*operation["parameters"], *(each for body in bodies for each in body.get("content", {}).values())]

    faults = [find_faults(document, part["schema"], part["example"]) for part in parts if "example" in part]
    assert [fault for fault in faults if fault] == []


def test_no_example_has_a_secret(document):
    """A person, or a scanner, could take it for a real one."""
    text = json.dumps(document)

    assert '"secret": "whsec_example"' in text
    assert "eyJhbGci" not in text
    assert "X-Amz-Signature" not in text
