"""The OpenAPI document is valid, complete, and true for real responses."""

import copy
import json

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import app
from chalicelib import wiring
from chalicelib.routes.platform.operations import PDF_TYPE, XLSX_TYPE, RouteAccess
from chalicelib.routes.platform.problem_codes import PROBLEM_CODES
from chalicelib.routes.route_loader import load_all_operations
from tests.support import factories
from tests.support.openapi_examples import find_examples, mask_volatile
from tests.support.openapi_walk import record_walk

OPERATIONS = load_all_operations()
FILE_STARTS = {PDF_TYPE: b"%PDF-", XLSX_TYPE: b"PK\x03\x04"}


@pytest.fixture(scope="module")
def document(shared_api):
    """The document as the API serves it."""
    return shared_api.anyone.get("/v1/openapi.json").json


@pytest.fixture(scope="module")
def exchanges(shared_api):
    """The requests and responses of a walk through every route, with refusals."""
    return record_walk(shared_api)


@pytest.fixture(scope="module")
def recorded_responses(exchanges):
    """The responses of the walk."""
    return [(each.method, each.route, each.answer) for each in exchanges]


def test_the_document_is_valid(document):
    """By the specification's own schema, with every reference resolved."""
    OpenAPIV31SpecValidator(document).validate()

    assert document["openapi"] == "3.1.0"


def test_the_document_says_where_tokens_come_from(document):
    """A5: an app that signs in with a client library of Cognito needs the pool and the client."""
    described = document["components"]["securitySchemes"]["access_token"]["description"]

    settings = wiring.get_settings()
    assert f"`{settings.identity_pool_id}`" in described
    assert f"`{settings.identity_client_id}`" in described
    assert "USER_SRP_AUTH" in described


def test_the_document_has_every_route_and_no_other(document):
    """It is made from the same declarations that the app uses."""
    result = {(m.upper(), path) for path, item in document["paths"].items() for m in item}

    assert result == {(m, path) for path, methods in app.routes.items() for m in methods}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.name)
def test_a_route_is_described_as_it_is_declared(document, operation):
    """Its security, path parameters, headers and body."""
    result = document["paths"][operation.path][operation.method.lower()]

    needed = {p["name"] for p in result["parameters"] if p["required"]}
    in_path = {part[1:-1] for part in operation.path.split("/") if part.startswith("{")}
    headers = {"Idempotency-Key"} if operation.needs_idempotency_key else set()
    headers |= {"If-Match"} if operation.needs_if_match else set()
    in_query = (
        {name for name, each in operation.query.model_fields.items() if each.is_required()}
        if operation.query
        else set()
    )
    signed = operation.access is RouteAccess.WEBHOOK_SIGNATURE
    headers |= {"webhook-id", "webhook-timestamp"} if signed else set()
    security: dict[RouteAccess, list[dict[str, list[str]]]] = {
        RouteAccess.PUBLIC: [],
        RouteAccess.WEBHOOK_SIGNATURE: [{"webhook_signature": []}],
        RouteAccess.CDS_CALLER: [{"ehr_token": []}],
        RouteAccess.SNS_SIGNATURE: [],
        RouteAccess.LINK_HOLDER: [],
        RouteAccess.PERSON: [{"access_token": []}],
        RouteAccess.MEMBER: [{"access_token": []}],
    }
    assert result["security"] == security[operation.access]
    assert needed == in_path | headers | in_query
    assert ("requestBody" in result) is (operation.body is not None or signed)
    assert result["summary"]
    assert result["operationId"] == operation.name


def test_the_document_explains_every_problem_code(document):
    """A program finds each code with what to do about it."""
    assert document["x-problem-codes"] == PROBLEM_CODES


def close_schemas(document):
    """Limit every object in the document to the members that it names."""
    strict = copy.deepcopy(document)
    for schema in strict["components"]["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return strict


def list_faults(document, operation, answer):
    """Return the differences between a response and its operation."""
    result = operation["responses"].get(str(answer.status))
    if result is None:
        return [f"status {answer.status} is not documented"]
    if "$ref" in result:
        result = document["components"]["responses"][result["$ref"].rpartition("/")[2]]
    if "content" not in result:
        return [] if not answer.text else ["a body that is not documented"]
    if "*/*" in result["content"]:
        return []
    media_type = answer.headers["content-type"]
    if media_type not in result["content"]:
        return [f"media type {media_type} is not documented"]
    schema = result["content"][media_type]["schema"]
    if media_type in FILE_STARTS:
        return [] if answer.content.startswith(FILE_STARTS[media_type]) else [f"not a file of type {media_type}"]
    validator = Draft202012Validator(schema | {"components": document["components"]})
    found = validator.iter_errors(json.loads(answer.text))
    return [f"{error.json_path}: {error.message[:150]}" for error in found]


def test_every_response_matches_the_document(document, recorded_responses):
    """Status, media type, and each member of the body: none missing, none extra."""
    strict = close_schemas(document)

    wrong = {
        f"{method} {path} {answer.status}: {fault}"
        for method, path, answer in recorded_responses
        if answer.status != 405
        for fault in list_faults(strict, strict["paths"][path][method], answer)
    }
    assert sorted(wrong) == []


def test_every_response_has_the_headers_that_the_document_names(document, exchanges):
    """An `ETag` for the next change, where the new object is, and the number of the request."""
    sometimes = {"Idempotent-Replayed", "Link"}
    for each in [each for each in exchanges if each.answer.status < 300]:
        response = document["paths"][each.route][each.method]["responses"][str(each.answer.status)]
        named = response["headers"].keys() - sometimes

        assert {name for name in named if name.lower() not in each.answer.headers} == set(), each.route
        assert ("location" in each.answer.headers) is ("Location" in named), each.route


def test_every_route_succeeded_in_the_walk(recorded_responses):
    """The walk has to visit each new route too."""
    succeeded = {(method.upper(), path) for method, path, answer in recorded_responses if answer.status < 400}

    assert succeeded == {(o.method, o.path) for o in OPERATIONS}


def test_the_examples_are_requests_that_were_sent(document, exchanges):
    """A1: each succeeded, with other ids and days. After a change: `python -m tests.support.openapi_examples`."""
    for name, example in find_examples(exchanges).items():
        [operation] = [
            each for path in document["paths"].values() for each in path.values() if each["operationId"] == name
        ]
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})

        assert mask_volatile(content.get("example")) == mask_volatile(example.get("request")), name
        assert operation["responses"][example["status"]], name


def test_each_operation_lists_its_success_status_once(document):
    """A route has one way to succeed; a delivery may also be parked."""
    for operation in OPERATIONS:
        result = document["paths"][operation.path][operation.method.lower()]["responses"]
        good = {status for status in result if int(status) < 400}
        waits = {"202"} if operation.access is RouteAccess.WEBHOOK_SIGNATURE else set()

        assert good - {"304"} == {str(operation.status)} | waits


def test_each_type_has_a_title_of_its_own(document):
    """openapi-python-client names a class by the title, and leaves out the second one and all that refers to it."""
    titles = [schema["title"] for schema in document["components"]["schemas"].values() if "title" in schema]

    assert len(titles) == len(set(titles))


def list_narrowed_references(value):
    """List the references that have a list of values next to them."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) and {"$ref", "enum"} <= value.keys() else []
    return own + [found for part in parts for found in list_narrowed_references(part)]


def test_no_list_of_values_is_next_to_a_reference(document):
    """Generators of types read the reference only, so a client could send a value that is always refused."""
    assert list_narrowed_references(document) == []


def test_the_contracts_example_matches_the_document(document):
    """The contract's own example of a referral is valid by the schema."""
    content = document["paths"]["/v1/referrals"]["post"]["requestBody"]["content"]
    schema = content["application/json"]["schema"] | {"components": document["components"]}

    validator = Draft202012Validator(schema)
    assert list(validator.iter_errors(factories.build_referral_body())) == []
    assert list(validator.iter_errors(factories.build_referral_body() | {"stage": "accepted"})) != []
    assert list(validator.iter_errors(factories.build_referral_body(patient__sex="f"))) != []
