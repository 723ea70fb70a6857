"""The API reference is complete without a script: what `curl` gets is the whole reference."""

import re
from html import unescape

import pytest

from chalicelib.routes.openapi import build_document

TAG = re.compile(r"<[^>]+>")


def read_text(html):
    """The text of a part of the page, without its markup."""
    return unescape(TAG.sub("", html.replace("</th>", " ").replace("<th", " <th")))


@pytest.fixture(scope="module")
def page(shared_api):
    """The page as it is sent."""
    answer = shared_api.anyone.get("/docs")
    assert answer.status == 200
    return answer.text


@pytest.fixture(scope="module")
def parts(page):
    """The part of each operation, by its name."""
    found = re.findall(r'<details class="route" id="(\w+)">(.*?)</details>', page, flags=re.DOTALL)
    return {name: read_text(part) for name, part in found}


@pytest.fixture(scope="module")
def types(page):
    """The part of each type, by its name."""
    found = re.findall(r'<section class="type" id="type-(\w+)">(.*?)</section>', page, flags=re.DOTALL)
    return {name: read_text(part) for name, part in found}


def list_operations():
    return [
        (path, method.upper(), operation)
        for path, methods in build_document()["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_is_there_with_its_path_and_summary(parts):
    missing = [
        operation["operationId"]
        for path, method, operation in list_operations()
        if not all(
            text in parts[operation["operationId"]] for text in (method, path, operation["summary"].replace("`", ""))
        )
    ]

    assert missing == []


def test_every_parameter_is_there(parts):
    missing = [
        (operation["operationId"], parameter["name"])
        for _, _, operation in list_operations()
        for parameter in operation["parameters"]
        if f" {parameter['name']} " not in parts[operation["operationId"]]
    ]

    assert missing == []


def test_every_field_is_there(types):
    """Those of a center's delivery are the fields of another type, to which they refer."""
    schemas = build_document()["components"]["schemas"]
    missing = [
        (name, field)
        for name, schema in schemas.items()
        if name.removeprefix("Delivered") == name or name.removeprefix("Delivered") not in schemas
        for field in schema.get("properties", {})
        if f" {field} " not in types[name]
    ]

    assert missing == []
    assert schemas.keys() == types.keys()


def test_an_operation_names_the_types_of_its_request_and_response_and_what_can_follow(page):
    [part] = re.findall(r'id="create_referral">(.*?)</details>', page, flags=re.DOTALL)

    links = set(re.findall(r'href="#([\w-]+)"', part))
    assert {"type-ReferralRequest", "type-NewReferralResponse", "list_events", "codes"} <= links


def test_every_link_of_the_page_leads_to_a_part_of_it(page):
    links = set(re.findall(r'href="#([^"]+)"', page))
    names = re.findall(r' id="([^"]+)"', page)

    assert links - set(names) == set()
    assert len(names) == len(set(names))


def test_the_page_explains_every_code_and_where_to_sign_in(page):
    document = build_document()

    assert {f"problem-{code}" for code in document["x-problem-codes"]} <= set(re.findall(r'id="([^"]+)"', page))
    assert "Amazon Cognito user pool" in page


def test_nothing_is_left_for_a_script(page):
    assert "Loading" not in page
    without_examples = re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)
    assert re.findall(r"\$[a-z_]+", TAG.sub("", without_examples)) == []
