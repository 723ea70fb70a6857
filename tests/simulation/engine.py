"""Real tables for the simulation: the local cloud, or DynamoDB Local next to it, removed afterwards."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

from chalicelib import wiring
from infra.local import cloud as local_cloud
from infra.local import environment, stack
from tests.simulation.raw_sdk_transport import use_raw_transport
from tests.simulation.section_protocol import DYNAMODB_LOCAL, LOCAL_CLOUD
from tests.support import aws_fakes as cloud
from tests.support import tokens

DYNAMODB_LOCAL_URL = "DYNAMODB_LOCAL_URL"
"""Names the address of a DynamoDB Local that a person has started. It is never downloaded:
its license is between AWS and people with an AWS account."""


@contextmanager
def run_engine(engine: str = LOCAL_CLOUD) -> Iterator[Path]:
    """Open the product's tables, key and email for this process; yield the folder of the email.

    Everything is removed afterwards. A process can have one at a time.
    """
    address = os.environ.get(DYNAMODB_LOCAL_URL, "")
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ):
        data_dir = Path(folder)
        with local_cloud.run_cloud(data_dir, saving=False) as there:
            environment.apply_environment(environment.build_product_environment(there.endpoint))
            deployed = stack.deploy(there.endpoint, public_url="https://dashboard.example", mail_from=cloud.SENDER)
            ours = cloud.build_environment(tokens.write_jwks(data_dir / "jwks.json"))
            os.environ.update(deployed | _replaced(ours))
            _verify_sender()
            if engine == DYNAMODB_LOCAL:
                _use_dynamodb_local(address)
            wiring.reset()
            # DynamoDB Local gets requests as the product sends them.
            with use_raw_transport() if engine == LOCAL_CLOUD else nullcontext():
                try:
                    yield data_dir
                finally:
                    wiring.reset()


def _replaced(ours: dict[str, str]) -> dict[str, str]:
    """Use the tests' own token issuer, no rate limits, and one call after another: none of them is searched here.

    A search sends as many requests as it can, with a clock that it sets back between tries. A fault has the number of
    a call.
    """
    kinds = ("IDENTITY_", "FEED_LIMIT", "MEMBER_LIMIT", "CALL_THREADS")
    return {name: value for name, value in ours.items() if name.startswith(kinds)}


def _verify_sender() -> None:
    wiring.get_aws_client("sesv2").create_email_identity(EmailIdentity=cloud.SENDER)


def _use_dynamodb_local(address: str) -> None:
    """Create the tables there again, and send only DynamoDB's requests there."""
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = address
    # It keeps the tables of each access key apart, and so those of two processes.
    os.environ["AWS_ACCESS_KEY_ID"] = f"prove{os.getpid()}"
    wiring.reset()
    client = wiring.get_dynamodb_client()
    for name in client.list_tables()["TableNames"]:
        client.delete_table(TableName=name)
    cloud.create_tables()
