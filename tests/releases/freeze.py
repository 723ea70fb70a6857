"""Keep the rows of this release: `python -m tests.releases.freeze`, once before its version is published.

Later releases read them in their tests. Rows of a published release are never written again.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.version import VERSION
from tests.releases import write_document
from tests.support.aws_fakes import PREFIX
from tests.support.log_capture import discard_logs
from tests.support.release_story import dump_rows, write_history
from tests.support.shared_clinic import open_shared_clinic
from tests.support.stores import get_aws_client, get_dynamodb_client


def build_document(driver: Any) -> dict[str, Any]:
    """Write the history with the code of this release, and return its rows."""
    from chalicelib import wiring
    from chalicelib.services.notices.outbox_worker import run_job

    referrals = write_history(driver)
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return dump_rows(
        release=VERSION,
        prefix=PREFIX,
        dynamodb=get_dynamodb_client(),
        kms=get_aws_client("kms"),
        referrals=referrals,
    )


def main() -> None:
    """Write the document of this release."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    discard_logs()
    with tempfile.TemporaryDirectory() as folder, open_shared_clinic(Path(folder)) as driver:
        sys.stdout.write(f"{write_document(build_document(driver)).name}\n")


if __name__ == "__main__":
    main()
