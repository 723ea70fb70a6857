"""The links of the OpenAPI document lead to operations, with everything that these need."""

import pytest

from chalicelib.routes.openapi import build_document

DOCUMENT = build_document()
OPERATIONS = {each["operationId"]: each for path in DOCUMENT["paths"].values() for each in path.values()}
LINKS = [
    (name, status, link)
    for name, operation in OPERATIONS.items()
    for status, response in operation["responses"].items()
    for link in response.get("links", {}).values()
]


def find_pointer(schema, pointer):
    """Follow a JSON pointer into a schema; None if it leads nowhere."""
    for step in pointer.strip("/").split("/"):
        while "$ref" in schema:
            schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        schema = schema.get("properties", {}).get(step)
        if schema is None:
            return None
    return schema


@pytest.mark.parametrize(("name", "status", "link"), LINKS, ids=lambda part: part if isinstance(part, str) else "link")
def test_a_link_names_parameters_of_its_target_and_where_they_are(name, status, link):
    """In the path of the request, in a header of the response, or in its body."""
    target, response = OPERATIONS[link["operationId"]], OPERATIONS[name]["responses"][status]
    known = {each["name"]: each for each in target["parameters"]}

    for parameter, source in link["parameters"].items():
        assert parameter in known
        kind, _, place = source.partition("#") if "#" in source else source.rpartition(".")
        if kind == "$response.body":
            assert find_pointer(response["content"]["application/json"]["schema"], place) is not None, source
        elif kind == "$response.header":
            assert place in response["headers"], source
        else:
            assert kind == "$request.path"
            assert place in {each["name"] for each in OPERATIONS[name]["parameters"] if each["in"] == "path"}


def test_a_link_gives_all_that_identifies_its_target():
    """The caller adds only keys, filters and bodies of their own."""
    for _, _, link in LINKS:
        needed = {each["name"] for each in OPERATIONS[link["operationId"]]["parameters"] if each["in"] == "path"}

        assert needed <= link["parameters"].keys(), link


def test_the_main_path_is_linked():
    """From a new referral to its events, documents and messages, and from each page to the next."""
    links = OPERATIONS["create_referral"]["responses"]["201"]["links"]

    assert {"read_referral", "list_events", "report_event", "add_document", "send_message"} <= links.keys()
    paged = {name for name, each in OPERATIONS.items() if any(part["name"] == "cursor" for part in each["parameters"])}
    assert {name for name, _, link in LINKS if "cursor" in link["parameters"]} == paged


def test_the_delivery_of_a_center_is_described_where_it_arrives():
    """The product calls no one, so the document has no `webhooks`: those are calls that a provider makes."""
    delivery = OPERATIONS["receive_delivery"]

    assert "webhooks" not in DOCUMENT
    assert delivery["security"] == [{"webhook_signature": []}]
    assert {"webhook-id", "webhook-timestamp"} <= {each["name"] for each in delivery["parameters"] if each["required"]}
    assert DOCUMENT["components"]["securitySchemes"]["webhook_signature"]["name"] == "webhook-signature"
    for word in ("HMAC-SHA256", "whsec_", "base64", "the exact bytes of the body", "send the same delivery again"):
        assert word in delivery["description"]
