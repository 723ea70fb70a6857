"""Which other sites' pages can read a response (CORS): those of EHRs on the allow list, and of configured apps.

CDS Hooks clients that run in a browser call from the EHR's own origin, and an app for phones from an origin such as
`capacitor://localhost`. No cookie is ever involved, so a response allows no credentials; only the token says who is
asking. Origins are compared exactly: no pattern, no `*`, no `null`.
"""

from collections.abc import Collection, Mapping

from chalicelib import wiring

CORS_METHODS = "GET, POST, OPTIONS"
CORS_HEADERS = "Authorization, Content-Type, X-Request-Id"
PREFLIGHT_CACHE_S = 600

APP_CORS_HEADERS = (
    "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Membership, X-Request-Id"
)
"""What an app can send."""

APP_EXPOSED_HEADERS = "ETag, Idempotent-Replayed, Link, Location, Retry-After, X-Request-Id"
"""What an app can read, besides the body."""


def list_app_origins() -> frozenset[str]:
    """The origins of apps that can call the API from a browser. None by default."""
    return frozenset(wiring.get_settings().app_origins.split())


def build_cors_headers(request_headers: Mapping[str, str]) -> dict[str, str]:
    """Build the headers that the browser of an EHR reads; `Vary` is always set, for caches."""
    return _build_headers(request_headers, wiring.get_cds_token_verifier().allowed_origins(), "X-Request-Id")


def answer_preflight(request_headers: Mapping[str, str]) -> dict[str, str]:
    """Build the headers of a preflight response: what a browser asks before it sends a token."""
    return _allow(build_cors_headers(request_headers), methods=CORS_METHODS, headers=CORS_HEADERS)


def build_app_cors_headers(request_headers: Mapping[str, str]) -> dict[str, str]:
    """Build the headers that an app reads. None while no app is configured."""
    origins = list_app_origins()
    return _build_headers(request_headers, origins, APP_EXPOSED_HEADERS) if origins else {}


def answer_app_preflight(request_headers: Mapping[str, str], methods: Collection[str]) -> dict[str, str]:
    """Build the headers of a preflight response for an app. None for another origin."""
    cors_headers = build_app_cors_headers(request_headers)
    if "Access-Control-Allow-Origin" not in cors_headers:
        return {}
    return _allow(cors_headers, methods=", ".join(sorted(methods)), headers=APP_CORS_HEADERS)


def _build_headers(request_headers: Mapping[str, str], origins: Collection[str], exposed: str) -> dict[str, str]:
    cors_headers = {"Vary": "Origin"}
    origin = request_headers.get("origin", "")
    if origin and origin in origins:
        cors_headers["Access-Control-Allow-Origin"] = origin
        cors_headers["Access-Control-Expose-Headers"] = exposed
    return cors_headers


def _allow(cors_headers: dict[str, str], *, methods: str, headers: str) -> dict[str, str]:
    if "Access-Control-Allow-Origin" in cors_headers:
        cors_headers["Access-Control-Allow-Methods"] = methods
        cors_headers["Access-Control-Allow-Headers"] = headers
        cors_headers["Access-Control-Max-Age"] = str(PREFLIGHT_CACHE_S)
    return cors_headers
