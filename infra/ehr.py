"""A simulated health record system: it has a key pair and charts of fictional people.

`make run` lists it as the one system that may ask for CDS Hooks cards, and `referrals cds-hook`
asks as it would. Nothing here ships.
"""

import json
import secrets
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
    """The key pair in a file that only its owner may read; made the first time."""
    if path.exists():
        return ECKey.import_key(json.loads(path.read_text("utf-8")))
    made = ECKey.generate_key("P-384", {"kid": secrets.token_hex(8), "use": "sig", "alg": "ES384"})
    path.touch(mode=0o600)
    path.write_text(json.dumps(made.as_dict(private=True)), "utf-8")
    return made


def build_allow_list(pair: ECKey) -> str:
    """The allow-list that names this system alone, as EHR_CLIENTS has it."""
    keys = {"keys": [pair.as_dict(private=False)]}
    return json.dumps([{"iss": ISSUER, "name": NAME, "origins": [ORIGIN], "keys": keys}])


def create_token(pair: ECKey, *, audience: str, now: datetime, **other: Any) -> str:
    """A token for one call of one service."""
    issued = int(now.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": audience,
        "iat": issued,
        "exp": issued + TOKEN_LIFETIME_S,
        "jti": secrets.token_hex(16),
    }
    header = {"alg": "ES384", "typ": "JWT", "kid": pair.kid}
    return jwt.encode(header, claims | other, pair, algorithms=["ES384"])


def load_chart(name: str) -> Mapping[str, Any]:
    """A fictional chart, or one in a file: `prefetch`, and `draftOrders` where it has any.

    Raises:
        FileNotFoundError: there is neither.
    """
    shipped = CHARTS / f"{name}.json"
    content: Mapping[str, Any] = json.loads((shipped if shipped.exists() else Path(name)).read_text("utf-8"))
    return content


def build_hook_request(hook: str, chart: Mapping[str, Any]) -> dict[str, Any]:
    """What the system sends when a hook fires over a chart."""
    patient_id = chart["prefetch"]["patient"]["id"]
    context = {"userId": "Practitioner/fictional", "patientId": patient_id}
    if hook == "order-sign":
        context["draftOrders"] = chart.get("draftOrders", {"resourceType": "Bundle", "entry": []})
    identity = secrets.token_hex(16)
    parts = (identity[:8], identity[8:12], identity[12:16], identity[16:20], identity[20:])
    return {"hook": hook, "hookInstance": "-".join(parts), "context": context, "prefetch": chart["prefetch"]}
