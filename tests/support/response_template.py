"""The template with which stored responses are compressed: what the responses to all submissions have in common.

A new version: `python -m tests.support.response_template > chalicelib/store/response_template_<version>.txt`, and raise
`TEMPLATE_VERSION`. Earlier templates stay, because stored responses need them for 30 days.
"""

import json
import os
import re
import sys
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.api_client import ApiClient
from tests.support.canaries import build_canary_body
from tests.support.factories import OTHER_CENTER, build_referral_body
from tests.support.log_capture import discard_logs
from tests.support.shared_clinic import open_shared_clinic

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z?)?")


def read_response(practice: ApiClient, body: dict[str, Any]) -> dict[str, Any]:
    """Submit a referral, and return the response as it is stored."""
    answer = practice.post("/v1/referrals", body)
    assert answer.status == 201, answer.text
    names = ("Location", "ETag")
    headers = {name: answer.headers[name.lower()] for name in names}
    return {"status": answer.status, "headers": headers, "body": answer.json}


def find_common(one: Any, other: Any) -> Any:
    """Keep what two values have in common; of two texts the beginning."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: find_common(value, other.get(name)) for name, value in one.items()}
    if isinstance(one, list) and isinstance(other, list):
        return [find_common(*pair) for pair in zip(one, other, strict=False)]
    if isinstance(one, str) and isinstance(other, str):
        same = takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
        return "".join(char for char, _ in same)
    return one if one == other else None


def main() -> None:
    """Print the template."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    discard_logs()
    with TemporaryDirectory() as folder, open_shared_clinic(Path(folder)) as clinic:
        usual = read_response(clinic.practice, build_referral_body())
        other = read_response(clinic.other_practice, build_canary_body(center_id=OTHER_CENTER.tenant_id))
    text = json.dumps(find_common(usual, other), separators=(",", ":"))
    sys.stdout.write(_TIME.sub("20", text))


if __name__ == "__main__":
    main()
