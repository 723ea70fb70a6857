"""Translates the errors of AWS services: a failure that the caller cannot help becomes `UnavailableError`."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalicelib.errors import UnavailableError

_TRANSIENT = frozenset(
    {
        # SES accepts no email now, from anyone.
        "AccountSuspendedException",
        "MailFromDomainNotVerifiedException",
        "SendingPausedException",
        "TooManyRequestsException",
        # A service is busy or broken.
        "InternalServerError",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)

_REFUSED = frozenset(
    {
        # Our credentials have ended or were replaced, or the clock of this machine is wrong.
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        # A permission is missing, or was withdrawn.
        "AccessDenied",
        "AccessDeniedException",
        # The encryption key is disabled, or about to be deleted.
        "DisabledException",
        "KMSInvalidStateException",
        "KeyUnavailableException",
    }
)
"""The service works, but refuses us. An operator has to help; until then a repeat does no harm."""


class RefusedByAwsError(UnavailableError):
    """AWS refuses us: our credentials, a permission, or the encryption key. `reason` is the code of the service."""

    def __init__(self, reason: str) -> None:
        """Keep the code for the log. The caller gets the same response as in an outage."""
        super().__init__()
        self.reason = reason


class ExpectedRefusalError(Exception):
    """AWS refused what the caller knows may be refused, such as a write whose condition does not hold."""

    def __init__(self, response: Mapping[str, Any]) -> None:
        """Keep the response of the service, with its reasons."""
        super().__init__()
        self.response = response


@contextmanager
def translate_aws_errors(expected: Collection[str] = ()) -> Iterator[None]:
    """Turn a failure of an AWS service into `UnavailableError`, if a later repeat can succeed.

    Other failures (such as a wrong request) are our bugs and are raised unchanged.

    Args:
        expected: The codes of refusals that become `ExpectedRefusalError`.
    """
    # This import runs only after a client exists, so it adds nothing to a cold start without one.
    from botocore import exceptions as botocore_errors  # noqa: PLC0415

    try:
        yield
    except botocore_errors.ClientError as e:
        code = get_error_code(e)
        if code in expected:
            raise ExpectedRefusalError(e.response) from e
        if code in _REFUSED:
            raise RefusedByAwsError(code) from e
        if code in _TRANSIENT or e.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise UnavailableError from e
        raise
    except (
        botocore_errors.CredentialRetrievalError,
        botocore_errors.NoCredentialsError,
        botocore_errors.PartialCredentialsError,
    ) as e:
        raise RefusedByAwsError(type(e).__name__) from e
    except (
        botocore_errors.ConnectionError,
        botocore_errors.HTTPClientError,
        botocore_errors.IncompleteReadError,
    ) as e:
        raise UnavailableError from e


def get_error_code(error: Exception) -> str:
    """The code of an AWS service's error; empty for another error."""
    # A timeout of botocore also has the attribute: None.
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
