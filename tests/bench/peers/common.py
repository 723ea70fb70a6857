"""What both peers do in the same way: check tokens and signatures, and read and write with boto3's resource.

They do less than the product, as in the guides of their libraries: nothing is encrypted by the function, no rate limit
is charged, no audit row is written, and no event is replayed.
"""

import base64
import hashlib
import hmac
import os
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

import boto3
import jwt
from boto3.dynamodb.conditions import Key
from pydantic import BaseModel, Field

PREFIX = os.environ["TABLE_PREFIX"]

dynamodb = boto3.resource("dynamodb", endpoint_url=os.environ.get("AWS_ENDPOINT_URL"))
members = dynamodb.Table(f"{PREFIX}members")
referrals = dynamodb.Table(f"{PREFIX}referrals")
signing_keys = jwt.PyJWKClient(os.environ["IDENTITY_JWKS_URL"])
webhook_secret = base64.b64decode(os.environ["WEBHOOK_SECRET"])


InvalidTokenError = jwt.InvalidTokenError


class NotSignedInError(Exception):
    """The token or the signature is not valid."""


class Patient(BaseModel):
    """Whom the referral is about."""

    given_name: str = Field(min_length=1, max_length=100)
    family_name: str = Field(min_length=1, max_length=100)
    birth_date: date
    mrn: str | None = Field(default=None, max_length=50)
    phone: str | None = None
    email: str | None = None


class Clinical(BaseModel):
    """What the center needs to know."""

    disease: str
    icd10: str | None = None
    histology: str | None = None
    ecog: int | None = Field(default=None, ge=0, le=4)
    prior_lines: list[dict[str, Any]] = []
    labs: dict[str, Any] = {}


class Provider(BaseModel):
    """Who refers."""

    name: str = Field(min_length=1, max_length=200)
    npi: str = Field(pattern=r"^\d{10}$")
    phone: str | None = None


class NewReferral(BaseModel):
    """The body of a submission."""

    patient: Patient
    clinical: Clinical
    referring_provider: Provider
    insurance: dict[str, Any] | None = None
    consent_to_share: dict[str, Any] | None = None
    center_id: str | None = None
    product_id: str | None = None
    urgency: Literal["routine", "urgent"] = "routine"


class StageEvent(BaseModel):
    """The body of a delivery."""

    type: Literal["stage.changed"]
    referral_id: str
    occurred_at: datetime
    data: dict[str, Any]


def find_member(authorization: str) -> dict[str, Any]:
    """Find the member whom an access token belongs to."""
    scheme, _, token = authorization.partition(" ")
    if scheme != "Bearer":
        raise NotSignedInError
    key = signing_keys.get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token, key.key, algorithms=["RS256"], issuer=os.environ["IDENTITY_ISSUER"], options={"verify_aud": False}
    )
    member: dict[str, Any] = members.get_item(Key={"subject": claims["sub"]}, ConsistentRead=True)["Item"]
    return member


def list_referrals(member: dict[str, Any], limit: int) -> list[dict[str, Any]]:
    """List the referrals of the member's practice, latest change first."""
    found = referrals.query(
        IndexName="by_practice",
        KeyConditionExpression=Key("practice_id").eq(member["tenant_id"]),
        ScanIndexForward=False,
        Limit=limit,
    )
    return [{name: row[name] for name in ("referral_id", "urgency", "listed_at")} for row in found["Items"]]


def submit_referral(member: dict[str, Any], body: NewReferral) -> dict[str, Any]:
    """Store a new referral."""
    item = {
        "referral_id": f"ref_{uuid.uuid4().hex}",
        "item": "referral",
        "practice_id": member["tenant_id"],
        "stage": "submitted",
        "created_at": datetime.now(UTC).isoformat(),
        **body.model_dump(mode="json"),
    }
    referrals.put_item(Item=item, ConditionExpression="attribute_not_exists(referral_id)")
    return item


def receive_event(headers: Mapping[str, str], raw: bytes, body: StageEvent) -> dict[str, Any]:
    """Store a stage change that a center's system signed."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + raw
    expected = base64.b64encode(hmac.digest(webhook_secret, signed, hashlib.sha256)).decode()
    if not hmac.compare_digest(f"v1,{expected}", headers["webhook-signature"]):
        raise NotSignedInError
    referrals.update_item(
        Key={"referral_id": body.referral_id, "item": "referral"},
        UpdateExpression="SET stage = :stage",
        ConditionExpression="attribute_exists(referral_id)",
        ExpressionAttributeValues={":stage": body.data["stage"]},
    )
    return {"referral_id": body.referral_id, "stage": body.data["stage"]}
