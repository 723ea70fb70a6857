"""Fetches what other services publish over HTTPS: signing keys, and certificates of Amazon SNS."""

import json
from typing import Any

from chalicelib import budget

KEYS_TIMEOUT_S = 2
"""How long a request waits for keys or a certificate at most."""

MAX_FETCHED_BYTES = 64 * 1024
"""The most bytes that we read of a certificate, which has about 2,000."""


def fetch_jwks(address: str) -> Any:
    """Fetch a JWKS document. The address is one of our settings, never one that a token names.

    Raises:
        OSError: the host does not respond.
        ValueError: the response is not JSON.
    """
    # HTTP and TLS are a tenth of a cold start that needs no AWS client.
    from urllib.request import urlopen  # noqa: PLC0415

    with urlopen(address, timeout=_get_timeout_s()) as response:  # noqa: S310 see above
        return json.load(response)


def fetch_from_sns(address: str) -> bytes:
    """Fetch an address of Amazon SNS. Redirects are not followed, so no other host is reached.

    Raises:
        OSError: the address does not exist, or the host does not respond.
    """
    from http.client import HTTPException, HTTPSConnection  # noqa: PLC0415 as above
    from urllib.parse import urlsplit  # noqa: PLC0415 as above

    parts = urlsplit(address)
    connection = HTTPSConnection(parts.netloc, timeout=_get_timeout_s())
    try:
        connection.request("GET", f"{parts.path}?{parts.query}" if parts.query else parts.path)
        response = connection.getresponse()
        if response.status != 200:
            raise ConnectionError(f"responded with {response.status}")
        return response.read(MAX_FETCHED_BYTES)
    except HTTPException as e:
        raise ConnectionError from e
    finally:
        connection.close()


def _get_timeout_s() -> float:
    return max(0.1, min(KEYS_TIMEOUT_S, budget.get_remaining_s()))
