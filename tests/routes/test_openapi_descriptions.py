"""A developer can read the OpenAPI document, and generate a client from it."""

import copy
from typing import Any

import pytest

from chalicelib.routes.openapi import build_document


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document, without the text about sign-in."""
    return copy.deepcopy(build_document())


def test_every_field_is_described(document):
    """A1: a developer needs no other page to know what a field means."""
    schemas = document["components"]["schemas"]
    fields = {
        (name, field): part for name, each in schemas.items() for field, part in each.get("properties", {}).items()
    }

    assert [key for key, part in fields.items() if not part.get("description")] == []
    assert len(fields) > 1500


def test_every_operation_and_parameter_is_described(document):
    """A1: as for fields."""
    operations = {f"{m} {path}": each for path, item in document["paths"].items() for m, each in item.items()}
    parameters = {f"{name} {each['name']}": each for name, operation in operations.items()
                  for each in operation["parameters"]}  # fmt: skip

    assert [name for name, each in parameters.items() if not each.get("description")] == []
    assert [name for name, each in operations.items() if not (each.get("summary") and each.get("description"))] == []


def test_every_group_of_operations_is_described(document):
    """A1: a reader of the document sees what each group is for, and how to begin."""
    used = {tag for path in document["paths"].values() for each in path.values() for tag in each["tags"]}

    assert {each["name"] for each in document["tags"] if each["description"]} == used
    assert "`POST /v1/sessions`" in document["info"]["description"]


def walk_schemas(part):
    """Yield each object in a part of the document."""
    if isinstance(part, dict):
        yield part
        for each in part.values():
            yield from walk_schemas(each)
    elif isinstance(part, list):
        for each in part:
            yield from walk_schemas(each)


def test_limits_have_the_names_of_json_schema(document):
    """A2: `ge` and `le` are names of our validator."""
    names = {name for schema in document["components"]["schemas"].values() for part in walk_schemas(schema)
             for name, value in part.items() if not isinstance(value, dict)}  # fmt: skip

    assert names & {"ge", "gt", "le", "lt", "min_length", "max_length"} == set()
    assert {"minimum", "maximum", "minLength", "maxLength"} <= names


def test_no_field_of_a_body_has_a_default(document):
    """A3: a generator of types makes a field with a default one that must be sent. Its text has the value."""
    schemas = document["components"]["schemas"]

    assert [part for part in walk_schemas(schemas) if "default" in part] == []
    assert schemas["ReferralRequest"]["properties"]["urgency"]["description"].endswith('If left out: `"routine"`.')
    assert set(schemas["ReferralRequest"].get("required", ())) == set()


def list_value_schemas(schema):
    """List the schema of each value of a parameter. A parameter can take one value, or one value or a list."""
    if schema.get("type") == "array":
        return list_value_schemas(schema["items"])
    return [each for part in schema["anyOf"] for each in list_value_schemas(part)] if "anyOf" in schema else [schema]


def test_parameters_have_the_limits_that_the_server_checks(document):
    """A4: a value that the document allows is not refused for its form."""
    found = {each["name"]: each["schema"] for path in document["paths"].values() for operation in path.values()
             for each in operation["parameters"]}  # fmt: skip

    assert found["Idempotency-Key"] == {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
    assert found["If-Match"]["pattern"] == '^(W/)?"[0-9]{1,9}"$'
    assert found["cursor"] == {"type": "string", "maxLength": 2048, "pattern": "^[A-Za-z0-9_-]+$"}
    assert found["near"] == {"type": "string", "pattern": r"^(?:\d{5}(-\d{4})?)$"}
    assert found["referral_id"]["pattern"] == "^ref_[a-z2-7]{26}$"
    values = [each for schema in found.values() for each in list_value_schemas(schema)]
    others = [schema for schema in values if not {"pattern", "maxLength", "enum", "$ref"} & schema.keys()]
    assert all(
        schema.get("format") or schema.get("const") or schema["type"] in {"boolean", "integer"} for schema in others
    )


def test_every_operation_lists_the_statuses_that_a_gateway_and_the_routes_send(document):
    """A4: 431 for large headers everywhere, and 428 where a version is needed."""
    operations = [each for path in document["paths"].values() for each in path.values()]
    versioned = [each for each in operations if any(part["name"] == "If-Match" for part in each["parameters"])]

    assert all({"400", "429", "431", "500", "503"} <= each["responses"].keys() for each in operations)
    assert versioned
    assert all({"409", "412", "428"} <= each["responses"].keys() for each in versioned)
    texts = [response["description"] for response in document["components"]["responses"].values()]
    assert all(texts)
    assert len(set(texts)) == len(texts)
