"""A simulated EHR with a key pair and charts of fictional patients.

`make run` allows only this EHR to call the CDS Hooks services, and `referrals cds-hook` calls them as
this EHR would. This module does not ship.
"""

import json
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

ISSUER = "https://ehr.simulated.example"
NAME = "Simulated health record"
ORIGIN = "https://ehr.simulated.example"
TOKEN_LIFETIME_S = 240

CHARTS = Path(__file__).with_name("charts")
SERVICES = {"patient-view": "cart-screen-patient-view", "order-sign": "cart-screen-order-sign"}


def load_or_create_key(path: Path) -> ECKey:
    """Load the key pair from a file that only its owner can read. Create the file the first time."""
    if path.exists():
        return ECKey.import_key(json.loads(path.read_text("utf-8")))
    pair = ECKey.generate_key("P-384", {"kid": secrets.token_hex(8), "use": "sig", "alg": "ES384"})
    path.touch(mode=0o600)
    path.write_text(json.dumps(pair.as_dict(private=True)), "utf-8")
    return pair


def build_allow_list(pair: ECKey) -> str:
    """Build the value of EHR_CLIENTS that allows only this EHR."""
    keys = {"keys": [pair.as_dict(private=False)]}
    return json.dumps([{"iss": ISSUER, "name": NAME, "origins": [ORIGIN], "keys": keys}])


def create_token(pair: ECKey, *, audience: str, now: datetime, **other_claims: Any) -> str:
    """Create a token for one call of one service."""
    issued = int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "iat": issued,
        "exp": issued + TOKEN_LIFETIME_S,
        "jti": secrets.token_hex(16),
    }
    header = {"alg": "ES384", "typ": "JWT", "kid": pair.kid}
    return jwt.encode(header, claims | other_claims, pair, algorithms=["ES384"])


def load_chart(name: str) -> Mapping[str, Any]:
    """Load a sample chart, or a chart from a file. It has `prefetch`, and `draftOrders` if there are any.

    Raises:
        FileNotFoundError: neither exists.
    """
    sample = CHARTS / f"{name}.json"
    content: Mapping[str, Any] = json.loads((sample if sample.exists() else Path(name)).read_text("utf-8"))
    return content


def build_hook_request(hook: str, chart: Mapping[str, Any]) -> dict[str, Any]:
    """Build the request that the EHR sends when a hook fires for a chart."""
    patient_id = chart["prefetch"]["patient"]["id"]
    context = {"userId": "Practitioner/fictional", "patientId": patient_id}
    if hook == "order-sign":
        context["draftOrders"] = chart.get("draftOrders", {"resourceType": "Bundle", "entry": []})
    return {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context, "prefetch": chart["prefetch"]}
