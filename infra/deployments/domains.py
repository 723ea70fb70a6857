"""The two changes of a domain that take effect only after a second step: of the sender, and of the dashboard.

A sender whose domain has no DKIM stops all email. An address of API Gateway that is turned off stays open until the
stage is deployed again.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session

STAGE = "api"


def list_sender_problems(session: Session, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """List why email could not be sent after an update; nothing if the domain of the sender stays or can send.

    Args:
        session: The account and region.
        before: The parameters of the stack.
        after: The parameters that it would have.
    """
    domain = after["MailFrom"].rpartition("@")[2]
    if before["MailFrom"].rpartition("@")[2] == domain:
        return
    identity = _read_identity(session, domain)
    if identity is None:
        yield (
            f"Amazon SES does not know {domain}, so no email could be sent. First create its identity (aws sesv2 "
            f"create-email-identity --email-identity {domain}) and publish its DKIM records."
        )
    elif not identity.get("VerifiedForSendingStatus"):
        tokens = identity.get("DkimAttributes", {}).get("Tokens", ())
        records = "".join(f"\n  {each}._domainkey.{domain} CNAME {each}.dkim.amazonses.com" for each in tokens)
        yield f"{domain} is not verified yet, so no email could be sent. Publish its DKIM records and wait.{records}"
    elif after.get("CreateMailIdentity") != "false":
        yield f"The identity of {domain} exists already. Deploy with CreateMailIdentity=false."


def must_close_default_address(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether an update gave the dashboard a host of its own, so that the default address must be closed."""
    return bool(after.get("CertificateArn")) and not before.get("CertificateArn")


def close_default_address(session: Session, api_id: str) -> None:
    """Deploy the stage again, so that API Gateway stops to respond at its default address."""
    gateway: Any = session.create_client("apigateway")
    gateway.create_deployment(restApiId=api_id, stageName=STAGE, description="Close the default address")


def _read_identity(session: Session, domain: str) -> Mapping[str, Any] | None:
    ses: Any = session.create_client("sesv2")
    try:
        identity: Mapping[str, Any] = ses.get_email_identity(EmailIdentity=domain)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        return None
    return identity
