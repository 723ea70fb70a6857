"""Runs within the code of an earlier release: it reads the rows that the environment names, through its own API.

`test_earlier_code` copies it into a checkout of that release, whose modules it imports.
"""

import json
import os
from pathlib import Path
from typing import Any

import botocore.session

from chalicelib import wiring
from tests.support import aws_fakes as cloud
from tests.support import tokens
from tests.support.release_story import find_subjects, list_failed_reads, load_rows


def test_read(api):
    document = json.loads(Path(os.environ["ROWS"]).read_text("utf-8"))
    session = botocore.session.Session()
    dynamodb: Any = session.create_client("dynamodb")
    kms: Any = session.create_client("kms")
    known = {name.removeprefix(cloud.PREFIX) for name in dynamodb.list_tables()["TableNames"]}
    document["tables"] = {name: rows for name, rows in document["tables"].items() if name in known}
    for name in known:
        _empty(dynamodb, f"{cloud.PREFIX}{name}")
    load_rows(document, prefix=cloud.PREFIX, dynamodb=dynamodb, kms=kms, kms_key_id=os.environ["KMS_KEY_ID"])
    wiring.reset()
    sites = {
        kind: api.anyone.with_token(tokens.create_token(next(iter(find_subjects(document, kind)))))
        for kind in ("practice", "center")
    }
    failed = list_failed_reads(sites, document["referrals"])
    Path(os.environ["FAILED"]).write_text(json.dumps(failed), encoding="utf-8")


def _empty(dynamodb, table):
    keys = [key["AttributeName"] for key in dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]]
    for row in dynamodb.scan(TableName=table)["Items"]:
        dynamodb.delete_item(TableName=table, Key={name: row[name] for name in keys})
