"""Which other sites' pages can read a response (CORS): those of EHRs on the allow list.

CDS Hooks clients that run in a browser call from the EHR's own origin. No cookie is ever involved,
so a response allows no credentials; only the token says who is asking.
"""

from collections.abc import Mapping

from chalicelib import wiring

CORS_METHODS = "GET, POST, OPTIONS"
CORS_HEADERS = "Authorization, Content-Type, X-Request-Id"
PREFLIGHT_CACHE_S = 600


def build_cors_headers(request_headers: Mapping[str, str]) -> dict[str, str]:
    """Build the headers that the caller's browser reads; `Vary` is always set, for caches."""
    cors_headers = {"Vary": "Origin"}
    origin = request_headers.get("origin", "")
    if origin and origin in wiring.get_cds_token_verifier().allowed_origins():
        cors_headers["Access-Control-Allow-Origin"] = origin
        cors_headers["Access-Control-Expose-Headers"] = "X-Request-Id"
    return cors_headers


def answer_preflight(request_headers: Mapping[str, str]) -> dict[str, str]:
    """Build the headers of a preflight response: what a browser asks before it sends a token."""
    cors_headers = build_cors_headers(request_headers)
    if "Access-Control-Allow-Origin" in cors_headers:
        cors_headers["Access-Control-Allow-Methods"] = CORS_METHODS
        cors_headers["Access-Control-Allow-Headers"] = CORS_HEADERS
        cors_headers["Access-Control-Max-Age"] = str(PREFLIGHT_CACHE_S)
    return cors_headers
