"""Where the audit trail ended, in a bucket of Amazon S3 in which nothing can be changed or deleted.

    checkpoints/<number>-<hash>.json    the head of the checkpoints after each of them

A name says everything, so a list of the names is enough to verify the trail. Each version is locked for years
(Object Lock), also for an administrator of the account. The function that writes heads can neither delete nor
unlock one; if it wrote a false one, the trail would have two heads of the same number.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.aws import get_error_code, translate_aws_errors
from chalicelib.domain.audit.hash_chain import ChainHead
from chalicelib.store.platform.timestamps import to_timestamp

_FOLDER = "checkpoints/"
_KEY = re.compile(r"checkpoints/(?P<seq>[0-9]{12})-(?P<hash>[0-9a-f]{64})\.json", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditHeads:
    """Writes heads once, and lists them. `get_client` returns the client of a service."""

    bucket: str
    get_client: Callable[[str], Any]

    def keep(self, head: ChainHead, *, at: datetime) -> bool:
        """Write the head of the checkpoints. False if it is already there.

        Raises:
            UnavailableError: the service did not respond.
        """
        client = self.get_client("s3")
        try:
            with translate_aws_errors():
                client.put_object(
                    Bucket=self.bucket,
                    Key=_build_key(head),
                    Body=json.dumps({**head._asdict(), "at": to_timestamp(at)}).encode(),
                    ContentType="application/json",
                    IfNoneMatch="*",
                )
        except client.exceptions.ClientError as e:
            if get_error_code(e) == "PreconditionFailed":
                return False
            raise
        return True

    def list_kept(self, *, after: ChainHead | None = None) -> Iterator[ChainHead]:
        """List the heads in order: all, or those after one of them.

        Versions are listed, because a delete marker hides an object from a plain list and removes nothing.

        Raises:
            UnavailableError: the service did not respond.
        """
        pages = self.get_client("s3").get_paginator("list_object_versions")
        start = {"KeyMarker": _build_key(after)} if after else {}
        last = ""
        with translate_aws_errors():
            for page in pages.paginate(Bucket=self.bucket, Prefix=_FOLDER, **start):
                for version in page.get("Versions", ()):
                    found = _KEY.fullmatch(version["Key"])
                    if found and version["Key"] != last:
                        last = version["Key"]
                        yield ChainHead(int(found["seq"]), found["hash"])


def _build_key(head: ChainHead) -> str:
    return f"{_FOLDER}{head.seq:012d}-{head.hash}.json"
