"""The steps in docs/deploy.md that erase the files of a patient, on the buckets."""

import re
from pathlib import Path

import pytest

from tests.support import aws_fakes as cloud
from tests.support.document_driver import PDF
from tests.support.stores import get_aws_client

ACCOUNT = "123456789012"
GUIDE = Path(__file__).parents[3] / "docs/deploy.md"


@pytest.fixture
def erase():
    """Do what the guide tells an operator to do for one referral; return how many versions it deleted."""
    text = GUIDE.read_text(encoding="utf-8")
    [places] = re.findall(r"^for place in (.*); do$", text, re.MULTILINE)
    [query] = re.findall(r"--query '(\{Objects: .*\})'", text)

    def delete_versions(referral_id):
        client, deleted = get_aws_client("s3"), 0
        for place in places.replace("ACCOUNT", ACCOUNT).replace("REFERRAL", referral_id).split():
            bucket, _, prefix = place.partition("/")
            pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
            [found] = pages.search(query)
            if found["Objects"]:
                client.delete_objects(Bucket=bucket, Delete=found)
            deleted += len(found["Objects"])
        return deleted

    return delete_versions


def test_the_steps_leave_no_version_of_any_file(documents, erase):
    """Copied twice and hidden by a delete marker; on its way and checked."""
    shared = documents.share()
    key = f"{documents.referral_id}/{shared}"
    get_aws_client("s3").put_object(Bucket=cloud.DOCUMENTS, Key=key, Body=PDF)
    get_aws_client("s3").delete_object(Bucket=cloud.DOCUMENTS, Key=key)
    on_the_way = documents.add()
    documents.check(on_the_way, documents.upload(on_the_way))

    assert len(documents.list_versions(cloud.DOCUMENTS)) == 3
    assert len(documents.list_versions()) == 2
    assert erase(documents.referral_id) == 5
    assert documents.list_versions() == documents.list_versions(cloud.DOCUMENTS) == []
    assert erase(documents.referral_id) == 0


def test_the_steps_leave_the_files_of_another_referral(documents, erase):
    """Only the referral that was named."""
    document_id = documents.share()

    assert erase("ref_" + "a" * 26) == 0
    assert documents.list_versions(cloud.DOCUMENTS) == [f"{documents.referral_id}/{document_id}"]
