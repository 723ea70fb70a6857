"""The OpenAPI 3.1 document, generated from the declared routes and nothing else."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Union, get_args

from pydantic import Field, RootModel, TypeAdapter, create_model
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core.core_schema import AfterValidatorFunctionSchema

from chalicelib.routes.field_texts import FieldTexts, load_field_texts
from chalicelib.routes.openapi_examples import add_examples
from chalicelib.routes.openapi_parameters import (
    build_header_parameters,
    build_path_parameters,
    build_query_parameters,
)
from chalicelib.routes.openapi_responses import HEADERS, build_refusals, build_responses
from chalicelib.routes.openapi_texts import CALLERS, INTRODUCTION, TAGS
from chalicelib.routes.platform.fields import ReferralId
from chalicelib.routes.platform.operations import RouteAccess, RouteOperation
from chalicelib.routes.platform.problem_codes import PROBLEM_CODES
from chalicelib.routes.platform.responses import ProblemResponse
from chalicelib.routes.referrals.event_bodies import AnyEventRequest
from chalicelib.routes.route_loader import load_all_operations
from chalicelib.routes.webhooks.connection_check_body import ConnectionTestRequest
from chalicelib.routes.webhooks.samples import LANGUAGES, load_samples
from chalicelib.version import VERSION

_REF = "#/components/schemas/{model}"

_SECURITY: dict[RouteAccess, list[dict[str, list[str]]]] = {
    RouteAccess.PUBLIC: [],
    RouteAccess.WEBHOOK_SIGNATURE: [{"webhook_signature": []}],
    RouteAccess.CDS_CALLER: [{"ehr_token": []}],
    RouteAccess.SNS_SIGNATURE: [],
    RouteAccess.LINK_HOLDER: [],
    RouteAccess.PERSON: [{"access_token": []}],
    RouteAccess.MEMBER: [{"access_token": []}],
}


@cache
def build_document() -> dict[str, Any]:
    """The whole document. It is built once."""
    definitions: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    texts = load_field_texts()
    for operation in load_all_operations():
        described = _build_operation(operation, definitions, texts)
        paths.setdefault(operation.path, {})[operation.method.lower()] = described
    refusals = build_refusals(_add_schema(ProblemResponse, "serialization", definitions))
    _describe_fields(definitions, texts)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "CAR T Referral Dashboard",
            "version": VERSION,
            "summary": "Refer a patient for CAR T evaluation and follow the referral.",
            "description": INTRODUCTION,
            "contact": {"name": "The operator of this site"},
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": dict(sorted(paths.items())),
        "x-problem-codes": PROBLEM_CODES,
        "components": {
            "schemas": dict(sorted(definitions.items())),
            "responses": refusals,
            "headers": HEADERS,
            "securitySchemes": {
                "access_token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "ehr_token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "CDS Hooks 2.0 JWT, signed by an EHR on the allow list",
                },
                "webhook_signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "webhook-signature",
                    "description": (
                        "Standard Webhooks 1.0: `v1,` and the HMAC-SHA256 in base64 over the `webhook-id`, the "
                        "`webhook-timestamp` and the body, joined by periods. `receive_delivery` describes each step."
                    ),
                },
            },
        },
    }


def describe_sign_in(*, pool_id: str, client_id: str) -> str:
    """Describe where access tokens come from, for people who write an app."""
    return (
        f"An access token of the Amazon Cognito user pool `{pool_id}` for the app client `{client_id}`, which has no "
        "secret. Sign in with `POST /v1/sessions`, or with a client library of Cognito by USER_SRP_AUTH. "
        "Sign out with `DELETE /v1/sessions`: only this also ends the access token."
    )


def _build_operation(operation: RouteOperation, definitions: dict[str, Any], texts: FieldTexts) -> dict[str, Any]:
    answered = None
    if operation.response_type is not None:
        answered = _add_schema(operation.response_type, "serialization", definitions)
    document: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": "\n\n".join(_list_paragraphs(operation)),
        "tags": [
            operation.path.removeprefix("/v1").strip("/").partition("/")[0].removesuffix(".csv").removesuffix(".xlsx")
            or "pages"
        ],
        "security": _SECURITY[operation.access],
        "parameters": _build_parameters(operation, definitions, texts),
        "responses": build_responses(operation, answered),
    }
    schema = None
    if operation.access is RouteAccess.WEBHOOK_SIGNATURE:
        # The only body that a view parses itself, after it has verified the signature over it.
        schema = _add_open_schema(_build_delivery_type(), definitions)
        document["x-codeSamples"] = [
            {"lang": language, "label": LANGUAGES[language], "source": code}
            for language, code in load_samples().items()
        ]
    elif operation.body is not None:
        schema = _add_schema(operation.body, "validation", definitions)
    if schema is not None:
        document["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    add_examples(document)
    return document


def _list_paragraphs(operation: RouteOperation) -> Iterator[str]:
    """What an operation does, and who can call it."""
    yield f"{operation.summary}."
    if operation.description:
        yield operation.description
    yield CALLERS[operation.access]


def _describe_fields(definitions: dict[str, Any], texts: FieldTexts) -> None:
    """Add the text of each field.

    A default becomes part of the text: generators of types make a field with a `default` one that must be sent.
    """
    for model, schema in definitions.items():
        described = texts.get(model) or texts.get(model.removeprefix("Delivered"), {})
        for name, field in schema.get("properties", {}).items():
            if name in described:
                field.setdefault("description", described[name])
            default = field.pop("default", None)
            if isinstance(default, bool | float | int | str):
                field["description"] += f" If left out: `{json.dumps(default)}`."


def _build_delivery_type() -> Any:
    """The body that a center's system sends: an event with the id of its referral, or a test event."""
    referral_id = Annotated[ReferralId, Field(description="The referral that the event is about.")]
    extra_fields: dict[str, Any] = {"referral_id": (referral_id, ...)}
    events = get_args(get_args(AnyEventRequest)[0])
    delivered = [create_model(f"Delivered{event.__name__}", __base__=event, **extra_fields) for event in events]
    union: Any = Union[(*delivered, ConnectionTestRequest)]
    delivery: Any = RootModel[Annotated[union, Field(discriminator="type")]]
    delivery.__name__ = "DeliveryRequest"
    return delivery


def _build_parameters(
    operation: RouteOperation, definitions: dict[str, Any], texts: FieldTexts
) -> list[dict[str, Any]]:
    parameters = [*build_path_parameters(operation), *build_header_parameters(operation)]
    if operation.query is not None:
        _add_schema(operation.query, "validation", definitions)
        name = operation.query.__name__
        parameters += build_query_parameters(definitions.pop(name), texts, name)
    return parameters


def _add_schema(model: Any, mode: JsonSchemaMode, definitions: dict[str, Any]) -> dict[str, Any]:
    """Add a type's schema and those of its parts to the components; return the reference to it."""
    schema = TypeAdapter(model).json_schema(ref_template=_REF, mode=mode, schema_generator=_PatternSchema)
    definitions.update(schema.pop("$defs", {}))
    if not isinstance(model, type):
        return schema  # A plain `dict[str, Any]` has no name to refer to.
    definitions[model.__name__] = schema
    return {"$ref": _REF.format(model=model.__name__)}


def _add_open_schema(model: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """Add the schemas of a body whose unknown members are ignored, under names of their own."""
    closed: dict[str, Any] = {}
    _add_schema(model, "validation", closed)
    names = {name: name if name.startswith("Deliver") else f"Delivered{name}" for name in closed}
    for name, schema in closed.items():
        # Generators of clients name a type by its title, and leave out the second one of a title.
        definitions[names[name]] = _open_schema(schema, names) | {"title": names[name]}
    return {"$ref": _REF.format(model=model.__name__)}


def _open_schema(schema: Any, names: Mapping[str, str]) -> Any:
    """Copy a schema so that it allows unknown members and refers to the copies of its parts."""
    if isinstance(schema, list):
        return [_open_schema(part, names) for part in schema]
    if isinstance(schema, str):
        name = schema.removeprefix(_REF.format(model=""))
        return _REF.format(model=names[name]) if name != schema else schema
    if not isinstance(schema, dict):
        return schema
    is_closed = schema.get("additionalProperties") is False
    return {
        name: _open_schema(part, names)
        for name, part in schema.items()
        if not (is_closed and name == "additionalProperties")
    }


class _PatternSchema(GenerateJsonSchema):
    """Publishes the pattern that a validator of ours checks."""

    def function_after_schema(self, schema: AfterValidatorFunctionSchema) -> JsonSchemaValue:
        """Add the pattern to the schema of the text."""
        published = super().function_after_schema(schema)
        pattern = getattr(schema["function"]["function"], "pattern", None)
        return published | {"pattern": pattern} if pattern else published
