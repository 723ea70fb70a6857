"""Creates AWS clients with time limits, which never take an unreadable response for an empty one.

Requests call DynamoDB and KMS without a client of botocore, where the environment allows it, because creating
one is most of a cold start (docs/decisions/0086-direct-calls.md). Everything else uses botocore's clients.
"""

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from chalicelib import settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def create_dynamodb_client() -> "DynamoDBClient":
    """Create a DynamoDB client that returns the JSON of the service without conversion."""
    return cast("DynamoDBClient", create_aws_client("dynamodb"))


def create_aws_client(service: str) -> Any:
    """Create a client of a service."""
    endpoint = settings.find_direct_endpoint(service)
    if endpoint is None:
        return create_sdk_client(service)
    from chalicelib.direct_calls import DirectClient  # noqa: PLC0415 botocore is half of a cold start

    return DirectClient(service, endpoint, create_sdk_client=partial(create_sdk_client, service))


def create_sdk_client(service: str) -> Any:
    """Create a client of botocore."""
    from chalicelib import sdk_clients  # noqa: PLC0415 botocore is half of a cold start

    return sdk_clients.create_sdk_client(service)


def load_signing_identity() -> tuple[str, str, str, str]:
    """Load the access key, the secret key, the session token and the region of this function.

    The token is empty if the credentials have none.
    """
    from chalicelib import sdk_clients  # noqa: PLC0415 botocore is half of a cold start

    return sdk_clients.load_signing_identity()
