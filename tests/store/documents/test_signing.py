"""Signatures, compared with those of botocore, which is another implementation."""

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import botocore.config
import botocore.session
import pytest
import time_machine

from chalicelib.store.documents.signing import SigningIdentity, sign_link, sign_upload_form

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
PLAIN = SigningIdentity("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", "us-east-1")
SESSION = PLAIN._replace(token="session/token+with==signs")
IDENTITIES = [PLAIN, SESSION]
URL = "https://files-bucket.s3.us-east-1.amazonaws.com"


def create_reference(identity):
    session = botocore.session.Session()
    session.set_credentials(identity.access_key, identity.secret_key, identity.token or None)
    config = botocore.config.Config(
        signature_version="s3v4", s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"}
    )
    return session.create_client("s3", region_name=identity.region, config=config)


def build_form(identity=PLAIN):
    return sign_upload_form(
        "files-bucket",
        URL,
        "uploads/a/b",
        content_type="application/pdf",
        max_bytes=99,
        lifetime=timedelta(minutes=10),
        now=NOW,
        identity=identity,
    )


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_form_has_the_signature_that_botocore_computes(identity):
    """Of the same policy."""
    form = build_form(identity)
    policy = json.loads(base64.b64decode(form.fields["policy"]))
    signed = ("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token")
    with time_machine.travel(NOW, tick=False):
        reference = create_reference(identity).generate_presigned_post(
            "files-bucket",
            "uploads/a/b",
            Fields={"Content-Type": "application/pdf", "success_action_status": "201"},
            Conditions=[
                c for c in policy["conditions"] if isinstance(c, list) or not set(c) & {"bucket", "key", *signed}
            ],
            ExpiresIn=600,
        )
    expected = json.loads(base64.b64decode(reference["fields"]["policy"]))

    assert {k: v for k, v in form.fields.items() if k not in {"policy", "x-amz-signature"}} == {
        k: v for k, v in reference["fields"].items() if k not in {"policy", "x-amz-signature"}
    }
    assert policy["expiration"] == expected["expiration"] == "2026-11-02T12:10:00Z"
    assert sorted(map(str, policy["conditions"])) == sorted(map(str, expected["conditions"]))


def test_the_policy_allows_only_the_key_the_type_and_the_size():
    """Every field of the form is in it, so none can be changed or added."""
    form = build_form()
    policy = json.loads(base64.b64decode(form.fields["policy"]))

    assert ["content-length-range", 1, 99] in policy["conditions"]
    assert {"key": "uploads/a/b"} in policy["conditions"]
    assert {"Content-Type": "application/pdf"} in policy["conditions"]
    assert set(form.fields) - {"policy", "x-amz-signature"} <= {
        name for condition in policy["conditions"] if isinstance(condition, dict) for name in condition
    }


@pytest.mark.parametrize("identity", IDENTITIES)
def test_a_link_is_the_one_that_botocore_signs(identity):
    """With quotes, spaces and slashes in the parameters."""
    parameters = {
        "versionId": "v/1+2",
        "response-content-disposition": 'attachment; filename="imaging 2026.pdf"',
        "response-cache-control": "no-store",
    }
    link = sign_link(
        URL, "ref_1/doc_2", parameters=parameters, lifetime=timedelta(seconds=60), now=NOW, identity=identity
    )
    with time_machine.travel(NOW, tick=False):
        reference = create_reference(identity).generate_presigned_url(
            "get_object",
            Params={
                "Bucket": "files-bucket",
                "Key": "ref_1/doc_2",
                "VersionId": parameters["versionId"],
                "ResponseContentDisposition": parameters["response-content-disposition"],
                "ResponseCacheControl": "no-store",
            },
            ExpiresIn=60,
        )

    assert urlsplit(link).path == urlsplit(reference).path
    assert parse_qs(urlsplit(link).query) == parse_qs(urlsplit(reference).query)
