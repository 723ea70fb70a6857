"""The OpenAPI 3.1 document, made from the declared routes and nothing else."""

from functools import cache
from typing import Annotated, Any, Union, get_args

from pydantic import Field, RootModel, TypeAdapter, create_model
from pydantic.json_schema import JsonSchemaMode

from chalicelib.routes.platform.fields import Identifier
from chalicelib.routes.platform.operations import OPERATIONS, Access, Operation
from chalicelib.routes.platform.problem_codes import CODES
from chalicelib.routes.referrals.event_bodies import AnyReport
from chalicelib.routes.response_schemas import ProblemShape, ReadinessShape

VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"

_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.PUBLIC: [],
    Access.SIGNED: [{"webhook_signature": []}],
    Access.EHR: [{"ehr_token": []}],
    Access.TOPIC: [],
    Access.HOLDER: [],
    Access.MEMBER: [{"access_token": []}],
}


@cache
def document() -> dict[str, Any]:
    """The whole document. Made once; takes some 30 ms."""
    definitions: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    for operation in OPERATIONS:
        told = _operation(operation, definitions)
        paths.setdefault(operation.path, {})[operation.method.lower()] = told
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CAR T Referral Dashboard",
            "version": VERSION,
            "summary": "Refer a patient for CAR T evaluation, and follow what becomes of it.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "x-problem-codes": CODES,
        "components": {
            "schemas": dict(sorted(definitions.items())),
            "securitySchemes": {
                "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "ehr_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "CDS Hooks 2.0: signed by a health record of the allow-list",
                },
                "webhook_signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "webhook-signature",
                    "description": "Standard Webhooks 1.0: HMAC-SHA256 over id.timestamp.body",
                },
            },
        },
    }


def _operation(operation: Operation, definitions: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.removeprefix("/v1").strip("/").partition("/")[0] or "pages"],
        "security": _SECURITY[operation.access],
        "parameters": _parameters(operation, definitions),
        "responses": _responses(operation, definitions),
    }
    # The one body that a view reads by itself, after it has verified the signature over it.
    body = _delivery_body() if operation.access is Access.SIGNED else operation.body
    if body is not None:
        schema = _schema(body, "validation", definitions)
        told["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return told


def _delivery_body() -> Any:
    """What a center's system sends: a report, with the referral that it is about."""
    told: dict[str, Any] = {"referral_id": (Identifier, ...)}
    reports = get_args(get_args(AnyReport)[0])
    about = [create_model(f"Delivered{one.__name__}", __base__=one, **told) for one in reports]
    union: Any = Union[tuple(about)]  # noqa: UP007 made of what is only known here
    body: Any = RootModel[Annotated[union, Field(discriminator="type")]]
    body.__name__ = "DeliveryBody"
    return body


def _parameters(operation: Operation, definitions: dict[str, Any]) -> list[dict[str, Any]]:
    told = [
        _parameter(part[1:-1], "path", required=True)
        for part in operation.path.split("/")
        if part.startswith("{")
    ]
    if operation.keyed:
        told.append(_parameter("Idempotency-Key", "header", required=True))
    if operation.matched:
        told.append(_parameter("If-Match", "header", required=True))
    if operation.access is Access.SIGNED:
        told += [
            _parameter(name, "header", required=True)
            for name in ("webhook-id", "webhook-timestamp")
        ]
    if operation.query is not None:
        _schema(operation.query, "validation", definitions)
        model = definitions.pop(operation.query.__name__)
        for name, schema in model["properties"].items():
            told.append({"name": name, "in": "query", "required": False, "schema": schema})
    return told


def _parameter(name: str, where: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": where, "required": required, "schema": {"type": "string"}}


def _responses(operation: Operation, definitions: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done"}
    if operation.returns is not None:
        schema = _schema(operation.returns, "serialization", definitions)
        success["content"] = {"application/json": {"schema": schema}}
    problem = {
        "description": "Refused; `code` says why",
        "content": {
            "application/problem+json": {
                "schema": _schema(ProblemShape, "serialization", definitions)
            }
        },
    }
    told = {str(operation.status): success} | dict.fromkeys(sorted(_refusals(operation)), problem)
    if operation.access is Access.SIGNED:
        told["202"] = success | {"description": "Parked until what must come before arrives"}
    if operation.returns is None and operation.status == 200:
        success["content"] = {"*/*": {"schema": {"type": "string"}}}
        told["304"] = {"description": "Not changed since it was sent with this ETag"}
    if operation.returns is ReadinessShape:
        told["503"] = success | {
            "description": "Not ready; `dependencies` says what does not answer"
        }
    return told


def _refusals(operation: Operation) -> set[str]:
    codes = {"400", "429", "500", "503"}
    if operation.access not in {Access.PUBLIC, Access.HOLDER}:
        codes |= {"401"}
    if operation.path == "/v1/sessions" or operation.path.startswith("/v1/sessions/"):
        codes |= {"401"}
    if operation.access is Access.MEMBER:
        codes |= {"403"}
    if "{" in operation.path:
        codes |= {"404"}
    if operation.body is not None or operation.access is Access.SIGNED:
        codes |= {"409", "413", "415"}
    if operation.access is Access.TOPIC:
        codes |= {"413"}
    if operation.access is Access.EHR:
        codes |= {"412"}
    if operation.keyed:
        codes |= {"409", "422"}
    if operation.matched:
        codes |= {"409", "412", "428"}
    return codes


def _schema(model: Any, mode: JsonSchemaMode, definitions: dict[str, Any]) -> dict[str, Any]:
    """Put a type's schema and those of its parts among the components; returns the reference."""
    told = TypeAdapter(model).json_schema(ref_template=_REF, mode=mode)
    definitions.update(told.pop("$defs", {}))
    definitions[model.__name__] = told
    return {"$ref": _REF.format(model=model.__name__)}
