"""Tables, a key and an email identity in this process, created from the production template."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session

from tests.support import ehr, tokens

TEMPLATE = Path(__file__).parents[2] / "infra" / "resources.json"
PREFIX = "cart-"
QUARANTINE, DOCUMENTS = "cart-quarantine-123456789012", "cart-documents-123456789012"
AUDIT_HEADS = "cart-audit-heads-123456789012"
SENDER = "notices@dashboard.example"
TOPIC = "arn:aws:sns:us-east-1:123456789012:cart-mail-events"
_ACCOUNT, _REGION = "123456789012", "us-east-1"  # Moto's own region, and that of the environment


def build_environment(jwks_url: str) -> dict[str, str]:
    """Build the environment of a function, with the tests' own token issuer."""
    return {
        "TABLE_PREFIX": PREFIX,
        "KMS_KEY_ID": "set-by-clinic",
        "IDENTITY_POOL_ID": "us-east-1_test",
        "IDENTITY_CLIENT_ID": tokens.CLIENT_ID,
        "IDENTITY_ISSUER": tokens.ISSUER,
        "IDENTITY_JWKS_URL": jwks_url,
        "MAIL_FROM": SENDER,
        "MAIL_CONFIGURATION_SET": "",
        "MAIL_TOPIC": TOPIC,
        "FEED_LIMIT": "",
        "MEMBER_LIMIT": "",
        "PUBLIC_URL": "https://dashboard.example",
        "DEPLOYMENT": "test",
        "COMMIT": "",
        "EHR_CLIENTS": ehr.build_allow_list(),
        "PAYERS_SECRET": "",
        "PACKET_FUNCTION": f"{PREFIX}packet-pdf",
        "AUDIT_HEADS_BUCKET": AUDIT_HEADS,
        # Faults are injected by the number of a call, so calls need an order.
        "CALL_THREADS": "0",
        "QUARANTINE_BUCKET": QUARANTINE,
        "QUARANTINE_URL": f"https://{QUARANTINE}.s3.us-east-1.amazonaws.com",
        "DOCUMENTS_BUCKET": DOCUMENTS,
        "DOCUMENTS_URL": f"https://{DOCUMENTS}.s3.us-east-1.amazonaws.com",
    }


def load_template() -> dict[str, Any]:
    """Load the template that production is created from."""
    return json.loads(TEMPLATE.read_text(encoding="utf-8"))


def load_table_properties() -> dict[str, dict[str, Any]]:
    """Return each table's properties by its name without the prefix, with intrinsics resolved."""
    tables = [r for r in load_template()["Resources"].values() if r.get("Type") == "AWS::DynamoDB::Table"]
    return {_named(t["Properties"]["TableName"]): t["Properties"] for t in tables}


def _named(name: Any) -> str:
    text = name["Fn::Sub"] if isinstance(name, dict) else name
    return text.replace("${Prefix}", "")


def _client(service: str) -> Any:
    """Return a client that outlives a test, because creating one costs more than most tests."""
    own = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper().replace('-', '_')}")
    return _made(service, own or os.environ.get("AWS_ENDPOINT_URL"))


@cache
def _made(service: str, endpoint: str | None) -> Any:
    return botocore.session.Session().create_client(service, endpoint_url=endpoint)


def create_tables() -> None:
    """Create every table of the template."""
    from tests.support.moto_patches import patch_moto

    patch_moto()
    client = _client("dynamodb")
    for name, wanted in load_table_properties().items():
        kept = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
        client.create_table(TableName=f"{PREFIX}{name}", **{k: wanted[k] for k in kept if k in wanted})


def create_buckets() -> None:
    """Create the two buckets of documents, with versions, as in the template."""
    client = _client("s3")
    for bucket in (QUARANTINE, DOCUMENTS):
        client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def create_audit_heads() -> None:
    """Create the bucket for the ends of the audit trail, locked as in the template, and empty."""
    from moto.s3.models import s3_backends

    existing = s3_backends[_ACCOUNT]["aws"].buckets.get(AUDIT_HEADS)
    if existing:
        existing.keys.clear()  # As no one could do on AWS.
        return
    client = _client("s3")
    client.create_bucket(Bucket=AUDIT_HEADS, ObjectLockEnabledForBucket=True)
    lock = load_template()["Resources"]["AuditHeadsBucket"]["Properties"]["ObjectLockConfiguration"]
    retention = {"Mode": lock["Fn::If"][1]["Rule"]["DefaultRetention"]["Mode"], "Days": 2_192}
    client.put_object_lock_configuration(
        Bucket=AUDIT_HEADS,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}},
    )


def clear_tables() -> None:
    """Delete all rows and sent email; faster than creating the tables again."""
    from moto.dynamodb.models import dynamodb_backends

    for table in dynamodb_backends[_ACCOUNT][_REGION].tables.values():
        table.items.clear()
    _mails().clear()


def dump_tables() -> str:
    """All rows of all tables, as text."""
    client = _client("dynamodb")
    return str([client.scan(TableName=PREFIX + name)["Items"] for name in load_table_properties()])


def forget_rate_limits() -> None:
    """Let every member send again: tests that share a member would otherwise reach the limit together.

    The API also remembers calls that it has not charged yet. Under a lower limit, they would cost more than it has.
    """
    from moto.dynamodb.models import dynamodb_backends

    from chalicelib import wiring

    wiring.get_stores().rate_limits._callers.clear()
    dynamodb_backends[_ACCOUNT][_REGION].tables[f"{PREFIX}allowances"].items.clear()


def forget_tasks() -> None:
    """Drop all tasks: a worker at a later time would also run those of other tests."""
    from moto.dynamodb.models import dynamodb_backends

    dynamodb_backends[_ACCOUNT][_REGION].tables[f"{PREFIX}outbox"].items.clear()


def create_key() -> str:
    """Create the key that wraps data keys."""
    return _client("kms").create_key()["KeyMetadata"]["KeyId"]


def verify_sender() -> None:
    """Let the mail service send with our sender address."""
    _client("sesv2").create_email_identity(EmailIdentity=SENDER)


def list_sent_mail() -> list[Any]:
    """Return the email that the mail service accepted, oldest first."""
    return list(_mails())


def _mails() -> list[Any]:
    from moto.ses.models import ses_backends

    return ses_backends[_ACCOUNT][_REGION].sent_messages
