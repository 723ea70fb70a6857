"""What every call of an AWS service has in common: its trouble."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.errors import UnavailableError

_TRANSIENT = frozenset(
    {
        # SES takes mail from nobody just now, whatever the mail.
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
    """Turn an AWS service's trouble into `UnavailableError`.

    What is not transient (a wrong key, a missing permission) is our bug and passes through.
    """
    # Only reached once a client exists, so this costs nothing at a cold start without one.
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004, PLC0415

    try:
        yield
    except ClientError as e:
        answer = e.response
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if answer["Error"].get("Code") in _TRANSIENT or status >= 500:
            raise UnavailableError from e
        raise
    except (ConnectionError, HTTPClientError) as e:
        raise UnavailableError from e
