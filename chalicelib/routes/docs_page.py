"""The API reference as one HTML page that needs no script, rendered from the OpenAPI document.

The page has every operation with its parameters, fields, examples, refusals and links, and every type once. A script
only opens the part that an address names, and filters the list.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from string import Template
from typing import Any

from chalicelib.routes.openapi import build_document, describe_sign_in

_SCHEMAS = "#/components/schemas/"
_DELIVERED = "Delivered"
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_ITEM = re.compile(r"(?:-|\d+\.) +")


@cache
def render_docs(template: str, *, pool_id: str, client_id: str) -> str:
    """Render the page into its template. The pool and the client tell people who write an app where they sign in."""
    document = build_document()
    return Template(template).substitute(
        introduction="".join(_render_text(document["info"]["description"])),
        sign_in=_render_inline(describe_sign_in(pool_id=pool_id, client_id=client_id)),
        operations="\n".join(_render_groups(document)),
        types="\n".join(_render_types(document["components"]["schemas"])),
        codes="\n".join(
            f'<dt id="problem-{code}"><code>{code}</code></dt><dd>{_render_inline(str(meaning))}</dd>'
            for code, meaning in document["x-problem-codes"].items()
        ),
    )


def _render_groups(document: Mapping[str, Any]) -> Iterator[str]:
    """Render the operations by tag, in the order of the document's tags."""
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    for tag in document["tags"]:
        yield f"<h3>{escape(tag['name'])}</h3><p>{_render_inline(tag['description'])}</p>"
        for path, method, operation in operations:
            if operation["tags"] == [tag["name"]]:
                yield _render_operation(path, method, operation)


def _render_operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    parts = [*_render_text(operation["description"]), *_render_parameters(operation["parameters"])]
    body = operation.get("requestBody")
    if body:
        parts += _render_content("Request body", body)
    for sample in operation.get("x-codeSamples", ()):
        code = escape(sample["source"], quote=False)
        parts.append(f'<h4>{escape(sample["label"])}</h4><pre tabindex="0">{code}</pre>')
    successes = {status: each for status, each in operation["responses"].items() if status < "400"}
    for status, response in successes.items():
        parts += _render_content(f"Response {status}", response)
    refusals = ", ".join(status for status in operation["responses"] if status not in successes)
    parts.append(f'<p>Refusals: {refusals}. The <a href="#codes">codes</a> say why.</p>' if refusals else "")
    links = {link["operationId"] for each in successes.values() for link in each.get("links", {}).values()}
    if links:
        following = ", ".join(f'<a href="#{name}">{name}</a>' for name in sorted(links))
        parts.append(f"<p>What can follow: {following}.</p>")
    return (
        f'<details class="route" id="{operation["operationId"]}"><summary><span class="method">{method.upper()}</span>'
        f'<code>{escape(path)}</code><span class="fine">{_render_inline(operation["summary"])}</span></summary>'
        f'<div class="inside">{"".join(parts)}</div></details>'
    )


def _render_parameters(parameters: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if parameters:
        rows = (
            _render_row(each["name"], f"{each['in']}, {_describe(each['schema'])}", each, is_required=each["required"])
            for each in parameters
        )
        yield f"<table><caption>Parameters</caption><tbody>{''.join(rows)}</tbody></table>"


def _render_content(title: str, message: Mapping[str, Any]) -> Iterator[str]:
    """Render a body: its type, and the example that a test sends or gets."""
    text = message.get("description")
    content = next(iter(message.get("content", {}).items()), None)
    if content is None:
        yield f"<h4>{title}</h4><p>{_render_inline(text or 'No content')}.</p>"
        return
    media_type, media = content
    yield f"<h4>{title}</h4><p>{_describe(media['schema'])} as <code>{escape(media_type)}</code></p>"
    if "example" in media:
        example = json.dumps(media["example"], indent=1, ensure_ascii=False)
        yield f'<pre tabindex="0">{escape(example, quote=False)}</pre>'


def _render_types(schemas: Mapping[str, Any]) -> Iterator[str]:
    """Render each type. Those of a center's delivery are the same, but open to unknown fields, so they refer to it."""
    for name, schema in schemas.items():
        original = name.removeprefix(_DELIVERED)
        if original == name or original not in schemas:
            yield _render_type(name, schema)
            continue
        need = " <code>referral_id</code> is required." if "referral_id" in schema.get("required", ()) else ""
        text = f'The fields of <a href="#type-{original}">{original}</a>. Fields that are not known are ignored.{need}'
        yield f'<section class="type" id="type-{name}"><h3><code>{name}</code></h3><p>{text}</p></section>'


def _render_type(name: str, schema: Mapping[str, Any]) -> str:
    """Render a type: its fields, or what it can be."""
    required = schema.get("required", ())
    rows = "".join(
        _render_row(field, _describe(inner), inner, is_required=field in required)
        for field, inner in schema.get("properties", {}).items()
    )
    content = f"<table><tbody>{rows}</tbody></table>" if rows else f"<p>{_describe(schema)}</p>"
    text = "".join(_render_text(schema.get("description", "")))
    return f'<section class="type" id="type-{name}"><h3><code>{name}</code></h3>{text}{content}</section>'


def _render_row(name: str, kind: str, described: Mapping[str, Any], *, is_required: bool) -> str:
    need = "required" if is_required else "optional"
    text = _render_inline(described.get("description", ""))
    return f'<tr><th scope="row"><code>{escape(name)}</code></th><td>{kind}, {need}</td><td>{text}</td></tr>'


def _describe(schema: Mapping[str, Any]) -> str:
    """Describe what a value can be, as HTML with links to types."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_SCHEMAS)
        return f'<a href="#type-{name}">{name}</a>'
    options = schema.get("anyOf") or schema.get("oneOf")
    if options:
        return " or ".join(_describe(option) for option in options)
    if "enum" in schema:
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    return _describe_by_type(schema)


def _describe_by_type(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"list of {_describe(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"object whose values are {_describe(schema['additionalProperties'])}"
    return escape(str(schema.get("format") or schema.get("type") or "any value"))


def _render_text(text: str) -> Iterator[str]:
    """Render the paragraphs and lists of a description."""
    for block in re.split(r"\n\s*\n", text.strip()):
        items = [line for line in block.splitlines() if _ITEM.match(line)]
        if items and _ITEM.match(block):
            kind = "ul" if block.startswith("-") else "ol"
            rendered = "".join(f"<li>{_render_inline(_ITEM.sub('', each, count=1))}</li>" for each in items)
            yield f"<{kind}>{rendered}</{kind}>"
        elif block:
            yield f"<p>{_render_inline(' '.join(block.split()))}</p>"


def _render_inline(text: str) -> str:
    """Render code and strong text. Everything else stays text."""
    return _INLINE.sub(
        lambda match: f"<code>{match[1]}</code>" if match[1] else f"<strong>{match[2]}</strong>",
        escape(text, quote=False),
    )
