"""The configuration with which the product asks the simulated payers, and its secrets."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from infra.payers.server import AUTHORIZATION, LOGIN

PAYERS_SECRET = "cart-payers"  # noqa: S105 the name of a secret
CORE_CREDENTIALS = "cart-payer-credentials/core"
JSON_CREDENTIALS = "cart-payer-credentials/json"

_CORE_PAYERS = ("Example Health", "Example Medicare", "Example Advantage")
_JSON_PAYERS = ("Example Mutual", "Example Marketplace Plan", "Example Medicaid")


def build_payers(url: str) -> Sequence[Mapping[str, Any]]:
    """Build the list of payers behind a simulator: half by SOAP, half by the clearing house."""
    common = {"phone": "+18005550100", "out_of_network_phrases": ["not in network"], "production": False}
    core = [
        common
        | {
            "payer_id": _build_id(name),
            "name": name,
            "kind": "core_soap",
            "address": f"{url}/core",
            "electronic_id": "99999",
            "sender_id": LOGIN[0],
            "receiver_id": "PAYERSIM",
            "trace_origin": "9CARTHUB01",
            "credentials": CORE_CREDENTIALS,
        }
        for name in _CORE_PAYERS
    ]
    clearing_house = [
        common
        | {
            "payer_id": _build_id(name),
            "name": name,
            "kind": "clearinghouse_json",
            "address": f"{url}/json",
            "electronic_id": "99999",
            "credentials": JSON_CREDENTIALS,
        }
        for name in _JSON_PAYERS
    ]
    return [*core, *clearing_house]


def build_secrets(url: str) -> Mapping[str, str]:
    """Build every secret by its name: the list of payers, and the credentials of the two formats."""
    return {
        PAYERS_SECRET: json.dumps(build_payers(url)),
        CORE_CREDENTIALS: json.dumps({"username": LOGIN[0], "password": LOGIN[1]}),
        JSON_CREDENTIALS: json.dumps({"authorization": AUTHORIZATION}),
    }


def store_secrets(client: Any, url: str) -> None:
    """Store the secrets, or replace what they held before: the port of the simulator can change."""
    for name, text in build_secrets(url).items():
        try:
            client.put_secret_value(SecretId=name, SecretString=text)
        except client.exceptions.ResourceNotFoundException:
            client.create_secret(Name=name, SecretString=text)


def _build_id(name: str) -> str:
    return name.lower().replace(" ", "-")
