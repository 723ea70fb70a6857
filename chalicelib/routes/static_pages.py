"""The dashboard's files, the docs, and whether we are well."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from chalice import Blueprint

from chalicelib import web, wiring
from chalicelib.aws import answering
from chalicelib.errors import NotFoundError
from chalicelib.routes import openapi
from chalicelib.routes import response_schemas as shapes
from chalicelib.routes.platform.endpoint import Reply, endpoint
from chalicelib.routes.platform.operations import Access
from chalicelib.routes.platform.request import Call
from chalicelib.store.all_stores import TABLES

blueprint = Blueprint(__name__)

PAGE_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'"
)


@endpoint(blueprint, "GET", "/", access=Access.PUBLIC)
def read_dashboard(call: Call) -> Reply:
    """The dashboard."""
    return _file("index.html", call)


@endpoint(blueprint, "GET", "/docs", access=Access.PUBLIC)
def read_docs(call: Call) -> Reply:
    """The readable form of the OpenAPI document."""
    return _file("docs.html", call)


@endpoint(blueprint, "GET", "/assets/{name}", access=Access.PUBLIC)
def read_asset(call: Call, name: str) -> Reply:
    """A file of the dashboard."""
    return _file(name, call)


@endpoint(
    blueprint,
    "GET",
    "/v1/openapi.json",
    returns=dict[str, Any],
    access=Access.PUBLIC,
)
def read_openapi(call: Call) -> Reply:  # noqa: ARG001 every view is called alike
    """The OpenAPI 3.1 document."""
    return Reply(body=openapi.document(), headers={"Cache-Control": "public, max-age=300"})


@endpoint(blueprint, "GET", "/health", returns=shapes.HealthShape, access=Access.PUBLIC)
def read_health(call: Call) -> Reply:  # noqa: ARG001 as above
    """That this function runs. Touches nothing else."""
    commit = wiring.settings().commit or None
    return Reply(body={"status": "ok", "version": openapi.VERSION, "commit": commit})


@endpoint(
    blueprint,
    "GET",
    "/health/ready",
    returns=shapes.ReadinessShape,
    access=Access.PUBLIC,
)
def read_readiness(call: Call) -> Reply:  # noqa: ARG001 as above
    """Which of the services that we depend on answers."""
    dependencies = {name: _answers(check) for name, check in _CHECKS.items()}
    ready = all(dependencies.values())
    return Reply(body={"ready": ready, "dependencies": dependencies}, status=200 if ready else 503)


def _file(name: str, call: Call) -> Reply:
    """A file that the manifest names; nothing else of the disk can be asked for."""
    entry = _manifest().get(name)
    if entry is None:
        raise NotFoundError
    tag = f'"{entry["sha256"][:32]}"'
    headers = {
        "Content-Type": entry["type"],
        "ETag": tag,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": PAGE_CSP,
    }
    if call.headers.get("if-none-match") == tag:
        return Reply(status=304, headers=headers)
    return Reply(body=_text(entry["path"]), headers=headers)


@cache
def _manifest() -> Mapping[str, Mapping[str, str]]:
    listed: Mapping[str, Mapping[str, str]] = json.loads(_text("manifest.json"))
    return listed


@cache
def _text(path: str) -> str:
    return (files(web) / path).read_text(encoding="utf-8")


def _check_tables() -> None:
    for name in TABLES:
        wiring.stores().tenants.table.client().describe_table(
            TableName=f"{wiring.settings().table_prefix}{name}"
        )


def _check_key() -> None:
    wiring.stores().vault.seal(b"ready", scope="service", place="ready")


def _check_identity() -> None:
    wiring.tokens().key_ids()


def _check_mail() -> None:
    wiring.aws("sesv2").get_account()


_CHECKS = {
    "tables": _check_tables,
    "key": _check_key,
    "identity": _check_identity,
    "mail": _check_mail,
}


def _answers(check: Any) -> bool:
    try:
        with answering():
            check()
    except Exception:  # noqa: BLE001 whatever it is, it is not ready; a stranger learns no more
        return False
    return True
