"""Which other sites' pages may read an answer (CORS): those of allow-listed health records.

CDS Hooks clients that run in a browser call from the health record's own origin. No cookie is
ever involved, so an answer allows no credentials; who is asking is told by the token alone.
"""

from collections.abc import Mapping

from chalicelib import wiring

CORS_METHODS = "GET, POST, OPTIONS"
CORS_HEADERS = "Authorization, Content-Type, X-Request-Id"
PREFLIGHT_CACHE_S = 600


def build_cors_headers(request_headers: Mapping[str, str]) -> dict[str, str]:
    """What an answer says to the browser of whoever asked; `Vary` always, for caches."""
    cors_headers = {"Vary": "Origin"}
    origin = request_headers.get("origin", "")
    if origin and origin in wiring.get_cds_token_verifier().allowed_origins():
        cors_headers["Access-Control-Allow-Origin"] = origin
        cors_headers["Access-Control-Expose-Headers"] = "X-Request-Id"
    return cors_headers


def answer_preflight(request_headers: Mapping[str, str]) -> dict[str, str]:
    """What a browser wants to know before it sends a token."""
    cors_headers = build_cors_headers(request_headers)
    if "Access-Control-Allow-Origin" in cors_headers:
        cors_headers["Access-Control-Allow-Methods"] = CORS_METHODS
        cors_headers["Access-Control-Allow-Headers"] = CORS_HEADERS
        cors_headers["Access-Control-Max-Age"] = str(PREFLIGHT_CACHE_S)
    return cors_headers
