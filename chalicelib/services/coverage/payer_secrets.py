"""The secrets of payer connections, from AWS Secrets Manager: never in the environment, in logs or in a table."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chalicelib.aws import RefusedByAwsError, translate_aws_errors

_NOT_PERMITTED = frozenset({"AccessDenied", "AccessDeniedException"})
"""Usually about this one secret, whose name an operator wrote."""

_MAX_CHARS = 64 * 1024
"""The largest secret. Source: AWS Secrets Manager quotas, 65,536 bytes."""


class CredentialsError(Exception):
    """A secret is missing or not valid. The text never contains its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayerCredentials:
    """How we prove who we are. At least one of the three ways.

    Attributes:
        username: For a UsernameToken, with `password`.
        certificate: PEM of a client certificate with its chain, with `private_key`.
        authorization: The value of the Authorization header, such as `Bearer …`.
        trusted_ca: PEM of the authority that signed the payer's certificate, if it is not a public one.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    certificate: str | None = None
    private_key: str | None = field(default=None, repr=False)
    authorization: str | None = field(default=None, repr=False)
    trusted_ca: str | None = None

    @property
    def login(self) -> tuple[str, str] | None:
        """Name and password; None if a certificate or a header identifies us."""
        return (self.username, self.password) if self.username and self.password else None


NO_CREDENTIALS = PayerCredentials()


def parse_credentials(text: str) -> PayerCredentials:
    """Parse a secret: a JSON object with the fields of `PayerCredentials`.

    Raises:
        CredentialsError: it is not valid.
    """
    try:
        values = json.loads(text)
        credentials = PayerCredentials(**values)
    except (ValueError, TypeError, RecursionError):
        # Not the cause: its message could quote the secret.
        raise CredentialsError("not a JSON object of credentials") from None
    if not all(value is None or isinstance(value, str) for value in values.values()):
        raise CredentialsError("a credential is not a text")
    if bool(credentials.username) != bool(credentials.password):
        raise CredentialsError("a username needs a password")
    if bool(credentials.certificate) != bool(credentials.private_key):
        raise CredentialsError("a certificate needs a private key")
    header = credentials.authorization
    if header is not None and not (header.isascii() and header.isprintable() and header.strip()):
        raise CredentialsError("authorization is not the value of a header")
    if not (credentials.username or credentials.certificate or header):
        raise CredentialsError("no credential is set")
    return credentials


@dataclass(frozen=True, slots=True)
class PayerSecrets:
    """Reads secrets by their names. They are not cached, so a new one counts from the next request on."""

    client: Callable[[], Any]

    def read_text(self, name: str) -> str:
        """Read the text of a secret.

        Raises:
            CredentialsError: there is no such secret, it has no text, or we may not read it.
            UnavailableError: Secrets Manager does not respond, or our own credentials have ended.
        """
        client = self.client()
        try:
            with translate_aws_errors():
                answer = client.get_secret_value(SecretId=name)
        except (client.exceptions.ResourceNotFoundException, client.exceptions.InvalidRequestException):
            raise CredentialsError("the secret does not exist") from None
        except RefusedByAwsError as error:
            if error.reason not in _NOT_PERMITTED:
                raise
            raise CredentialsError(f"the secret cannot be read: {error.reason}") from None
        except client.exceptions.ClientError as error:
            # What is left after transient failures: the key of the secret.
            raise CredentialsError(f"the secret cannot be read: {error.response['Error']['Code']}") from None
        text = answer.get("SecretString")
        if not text or len(text) > _MAX_CHARS:
            raise CredentialsError("the secret has no text")
        return str(text)

    def read_credentials(self, name: str | None) -> PayerCredentials:
        """Read the credentials of a payer; none are needed if it names no secret."""
        return NO_CREDENTIALS if name is None else parse_credentials(self.read_text(name))
