"""The health record system of the tests: its keys, its tokens, and hooks for fictional charts."""

import copy
from functools import cache
from typing import Any

from joserfc.jwk import ECKey

from chalicelib import wiring
from infra import ehr as simulated

URL = "https://dashboard.example"
PATIENT_VIEW = "/cds-services/cart-screen-patient-view"
ORDER_SIGN = "/cds-services/cart-screen-order-sign"
ORIGIN = simulated.ORIGIN


@cache
def get_key_pair() -> ECKey:
    """Its key pair, for the whole run."""
    return ECKey.generate_key("P-384", {"kid": "ehr-1", "use": "sig", "alg": "ES384"})


def build_allow_list() -> str:
    """Build the allow-list with this system only."""
    return simulated.build_allow_list(get_key_pair())


def create_token(path: str = PATIENT_VIEW, **other: Any) -> str:
    """Create a new token for a service; `other` are claims that differ."""
    return simulated.create_token(get_key_pair(), audience=URL + path, now=wiring.read_clock(), **other)


def load_hook(name: str = "follicular", *, event: str = "patient-view") -> dict[str, Any]:
    """Load a hook request for a chart; the caller may change it."""
    return copy.deepcopy(simulated.build_hook_request(event, simulated.load_chart(name)))


def call_hook(site: Any, body: Any, *, path: str = PATIENT_VIEW, **headers: str) -> Any:
    """Return the service's response."""
    given = {"Authorization": f"Bearer {create_token(path)}"} | headers
    return site.send("POST", path, body, headers=given)
