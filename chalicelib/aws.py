"""Translates the errors of AWS services: a transient failure becomes `UnavailableError`."""

from collections.abc import Iterator
from contextlib import contextmanager

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
        "ServiceUnavailable",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)


@contextmanager
def translate_aws_errors() -> Iterator[None]:
    """Turn a transient failure of an AWS service into `UnavailableError`.

    Other failures (a wrong key, a missing permission) are our bugs and are raised unchanged.
    """
    # This import runs only after a client exists, so it adds nothing to a cold start without one.
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004, PLC0415

    try:
        yield
    except ClientError as e:
        response = e.response
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if response["Error"].get("Code") in _TRANSIENT or status >= 500:
            raise UnavailableError from e
        raise
    except (ConnectionError, HTTPClientError) as e:
        raise UnavailableError from e


def get_error_code(error: Exception) -> str:
    """The code of an AWS service's error; empty for another error."""
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
