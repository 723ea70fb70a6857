"""Which other sites' pages may read an answer (CORS): those of allow-listed health records.

CDS Hooks clients that run in a browser call from the health record's own origin. No cookie is
ever involved, so an answer allows no credentials; who is asking is told by the token alone.
"""

from collections.abc import Mapping

from chalicelib import wiring

METHODS = "GET, POST, OPTIONS"
HEADERS = "Authorization, Content-Type, X-Request-Id"
KEPT_S = 600


def headers(asked: Mapping[str, str]) -> dict[str, str]:
    """What an answer says to the browser of whoever asked; `Vary` always, for caches."""
    told = {"Vary": "Origin"}
    origin = asked.get("origin", "")
    if origin and origin in wiring.ehrs().origins():
        told["Access-Control-Allow-Origin"] = origin
        told["Access-Control-Expose-Headers"] = "X-Request-Id"
    return told


def preflight(asked: Mapping[str, str]) -> dict[str, str]:
    """What a browser wants to know before it sends a token."""
    told = headers(asked)
    if "Access-Control-Allow-Origin" in told:
        told["Access-Control-Allow-Methods"] = METHODS
        told["Access-Control-Allow-Headers"] = HEADERS
        told["Access-Control-Max-Age"] = str(KEPT_S)
    return told
