"""The dashboard's files, the API reference, and the health checks."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from chalicelib import web, wiring
from chalicelib.aws import translate_aws_errors
from chalicelib.errors import NotFoundError
from chalicelib.routes.platform.conditional import matches_tag
from chalicelib.routes.platform.endpoint import ApiResponse, declare_endpoint
from chalicelib.routes.platform.operations import RouteAccess
from chalicelib.routes.platform.request import ApiRequest
from chalicelib.routes.platform.responses import HealthResponse, ReadinessResponse
from chalicelib.store.all_stores import TABLE_NAMES
from chalicelib.version import VERSION

_KEPT = "public, max-age=31536000, immutable"
"""For a file whose address changes with its content: a year, the longest that RFC 2616 14.21 (1999) suggested."""


def build_page_csp(storage_url: str) -> str:
    """Build the content security policy of a page. It can send requests to us, and upload files to one bucket."""
    parts = urlsplit(storage_url)
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"font-src 'self' data:; connect-src 'self' {parts.scheme}://{parts.netloc}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )


@declare_endpoint("GET", "/", access=RouteAccess.PUBLIC)
def read_dashboard(request: ApiRequest) -> ApiResponse[str]:
    """The dashboard."""
    return _serve_page(_load_page("index.html"), request)


@declare_endpoint("GET", "/docs", access=RouteAccess.PUBLIC)
def read_docs(request: ApiRequest) -> ApiResponse[str]:
    """The API reference page."""
    from chalicelib.routes.docs_page import render_docs  # noqa: PLC0415 few requests need it

    settings = wiring.get_settings()
    page = render_docs(
        _load_page("docs.html"), pool_id=settings.identity_pool_id, client_id=settings.identity_client_id
    )
    return _serve_page(page, request)


@declare_endpoint("GET", "/assets/{build}/{package}/{name}", access=RouteAccess.PUBLIC)
def read_asset(request: ApiRequest, build: str, package: str, name: str) -> ApiResponse[str]:
    """Get a dashboard file.

    A browser keeps the files of a build for a year. A page of another build gets the file of this one, and does
    not keep it: during a deployment, both builds answer.
    """
    answer = _serve_file(f"{package}/{name}", request)
    return replace(answer, headers={**answer.headers, "Cache-Control": _KEPT}) if build == _get_build() else answer


@declare_endpoint("GET", "/v1/openapi.json", access=RouteAccess.PUBLIC)
def read_openapi(request: ApiRequest) -> ApiResponse[dict[str, Any]]:  # noqa: ARG001 all views take it
    """The OpenAPI 3.1 document."""
    from chalicelib.routes import openapi  # noqa: PLC0415 few requests need it

    settings = wiring.get_settings()
    sign_in = openapi.describe_sign_in(pool_id=settings.identity_pool_id, client_id=settings.identity_client_id)
    document = openapi.build_document()
    schemes = document["components"]["securitySchemes"]
    schemes = schemes | {"access_token": schemes["access_token"] | {"description": sign_in}}
    body = document | {"components": document["components"] | {"securitySchemes": schemes}}
    return ApiResponse(body=body, headers={"Cache-Control": "public, max-age=300"})


@declare_endpoint("GET", "/health", access=RouteAccess.PUBLIC)
def read_health(request: ApiRequest) -> ApiResponse[HealthResponse]:  # noqa: ARG001 as above
    """Liveness check; touches no other service."""
    commit = wiring.get_settings().commit or None
    return ApiResponse(body={"status": "ok", "version": VERSION, "commit": commit})


@declare_endpoint("GET", "/health/ready", access=RouteAccess.PUBLIC)
def read_readiness(request: ApiRequest) -> ApiResponse[ReadinessResponse]:  # noqa: ARG001 as above
    """Readiness check of each service this one depends on."""
    dependencies = {name: _is_answering(check) for name, check in _CHECKS.items()}
    ready = all(dependencies.values())
    return ApiResponse(body={"ready": ready, "dependencies": dependencies}, status=200 if ready else 503)


def _serve_page(page: str, request: ApiRequest) -> ApiResponse[str]:
    tag = hashlib.sha256(page.encode()).hexdigest()[:32]
    return _serve(page, tag=tag, media_type="text/html; charset=utf-8", request=request)


def _serve_file(name: str, request: ApiRequest) -> ApiResponse[str]:
    """Serve a file that is in the manifest; no other file of the disk can be requested."""
    entry = _load_manifest().get(name)
    if entry is None:
        raise NotFoundError
    return _serve(_load_text(name), tag=entry["sha256"][:32], media_type=entry["type"], request=request)


def _serve(text: str, *, tag: str, media_type: str, request: ApiRequest) -> ApiResponse[str]:
    headers = {
        "Content-Type": media_type,
        "ETag": f'"{tag}"',
        "Cache-Control": "no-cache",
        "Content-Security-Policy": build_page_csp(wiring.get_settings().quarantine_url),
    }
    if matches_tag(request.headers.get("if-none-match", ""), headers["ETag"]):
        return ApiResponse(body="", status=304, headers=headers)
    return ApiResponse(body=text, headers=headers)


def _load_page(name: str) -> str:
    """Load a page, with the addresses of this build's files."""
    return _load_text(name).replace('"assets/', f'"assets/{_get_build()}/')


@cache
def _get_build() -> str:
    """Return what stands for all files together: it changes if one of them does."""
    return hashlib.sha256(_load_text("manifest.json").encode()).hexdigest()[:16]


@cache
def _load_manifest() -> Mapping[str, Mapping[str, str]]:
    manifest: Mapping[str, Mapping[str, str]] = json.loads(_load_text("manifest.json"))
    return manifest


@cache
def _load_text(path: str) -> str:
    return (files(web) / path).read_text(encoding="utf-8")


def _check_tables() -> None:
    for name in TABLE_NAMES:
        wiring.get_stores().tenants.table.client().describe_table(
            TableName=f"{wiring.get_settings().table_prefix}{name}"
        )


def _check_key() -> None:
    wiring.get_stores().encryption.encrypt(b"ready", scope="service", context="ready")


def _check_identity() -> None:
    wiring.get_token_verifier().list_key_ids()


def _check_mail() -> None:
    wiring.get_aws_client("sesv2").get_account()


_CHECKS = {"tables": _check_tables, "key": _check_key, "identity": _check_identity, "mail": _check_mail}


def _is_answering(check: Any) -> bool:
    try:
        with translate_aws_errors():
            check()
    except Exception:  # noqa: BLE001 any failure means not ready; the public response says no more
        return False
    return True
