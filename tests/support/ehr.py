"""The health record system of the tests: its keys, its tokens, and hooks over fictional charts."""

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
def pair() -> ECKey:
    """Its key pair, for the whole run."""
    return ECKey.generate_key("P-384", {"kid": "ehr-1", "use": "sig", "alg": "ES384"})


def setting() -> str:
    """The allow-list that names it alone."""
    return simulated.setting(pair())


def token(path: str = PATIENT_VIEW, **other: Any) -> str:
    """A fresh token for a service; `other` are claims that differ."""
    return simulated.token(pair(), audience=URL + path, now=wiring.now(), **other)


def hook(name: str = "follicular", *, event: str = "patient-view") -> dict[str, Any]:
    """A hook over a chart, free to be changed."""
    return copy.deepcopy(simulated.hook_of(event, simulated.chart(name)))


def ask(site: Any, body: Any, *, path: str = PATIENT_VIEW, **headers: str) -> Any:
    """What the service answers."""
    given = {"Authorization": f"Bearer {token(path)}"} | headers
    return site.send("POST", path, body, headers=given)
