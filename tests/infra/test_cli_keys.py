"""`referrals secrets` and `referrals keys`: a leaked secret ends at once, and keys change while people work."""

import json
from base64 import b64decode
from functools import partial

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from infra.cli.commands import app
from tests.support import aws_fakes as cloud
from tests.support import faults
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import CENTER, PRACTICE, build_views_body
from tests.support.stores import get_aws_client, list_rows, restart_stores


def run(*arguments):
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result


def rotate_secret(*arguments):
    report = json.loads(run("secrets", "rotate", "--center", CENTER.tenant_id, "--yes", "--json", *arguments).stdout)
    return b64decode(report["secret"].removeprefix("whsec_"))


@pytest.fixture
def warm_api(api):
    """An API that has the center's secrets in memory, and a referral."""
    referral_id = api.refer()["referral_id"]
    assert api.deliver(referral_id, "received").status == 200
    return api, referral_id


def test_a_leaked_secret_is_refused_at_once(warm_api):
    """Also by functions that have it in memory: another process rotated it."""
    api, referral_id = warm_api
    warm = wiring.get_stores().secrets
    cached = dict(warm._cache)
    leaked = api.secrets[CENTER.tenant_id]

    new = rotate_secret("--now")
    warm._cache.update(cached)

    assert api.deliver(referral_id, "accepted", secret=leaked).status == 401
    assert api.deliver(referral_id, "accepted", secret=new).status == 200
    assert api.deliver(referral_id, "consult_scheduled", secret=leaked).status == 401


def test_a_wrong_signature_costs_no_read(warm_api):
    """No one can make the product read its tables without a secret."""
    api, referral_id = warm_api

    with faults.inject_faults(faults.plan_never) as calls:
        assert api.deliver(referral_id, "accepted", secret=b"not the secret of this center").status == 401

    assert "Query" not in calls.operations


def test_an_earlier_secret_stays_valid_for_the_grace_period(warm_api):
    api, referral_id = warm_api
    earlier = api.secrets[CENTER.tenant_id]

    new = rotate_secret("--grace", "2")

    assert api.deliver(referral_id, "accepted", secret=earlier).status == 200
    assert api.deliver(referral_id, "consult_scheduled", secret=new).status == 200
    rotate_secret("--now")
    assert api.deliver(referral_id, "consult_completed", secret=earlier).status == 401


def test_secrets_are_listed_without_their_values(warm_api):
    _, _ = warm_api
    value = rotate_secret("--now")

    result = run("secrets", "list", "--center", CENTER.tenant_id, "--json")

    rows = json.loads(result.stdout)
    assert [row["valid"] for row in rows] == [False, True]
    assert set(rows[0]) == {"secret_id", "created_at", "expires_at", "valid"}
    assert value.hex() not in result.output


def test_a_rotation_asks_and_is_in_the_audit_trail(warm_api):
    before = list_rows("webhook_secrets")
    refused = CliRunner().invoke(app, ["secrets", "rotate", "--center", CENTER.tenant_id], input="n\n")
    assert (refused.exit_code, list_rows("webhook_secrets")) == (1, before)

    rotate_secret("--now")

    [row] = [row for row in list_rows("audit") if row.get("action") == "webhook_secret.revoke"]
    assert (row["subject"], row["tenant_id"]) == (f"center#{CENTER.tenant_id}", CENTER.tenant_id)


def read_pages(api, referral_id):
    paths = (
        f"/v1/referrals/{referral_id}",
        f"/v1/referrals/{referral_id}/events",
        "/v1/referrals?q=Exam",
        "/v1/notices",
        "/v1/views",
    )
    return [site.get(path).text for site in (api.practice, api.center) for path in paths]


@pytest.fixture
def infused(api):
    """A referral with every kind of row, and what both teams see of it."""
    referral_id = api.refer(patient__alias="Quiet Quail")["referral_id"]
    api.practice.post(f"/v1/referrals/{referral_id}/messages", {"text": "Hello."})
    for site in (api.practice, api.center):
        for owner in ("mine", "shared"):
            assert site.put(f"/v1/views/{owner}", build_views_body("Late"), version=0).status == 200
    api.move_to(referral_id, *STAGES_TO_INFUSED)
    api.deliver(referral_id, "returned", sequence=None)
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return referral_id, read_pages(api, referral_id)


@pytest.mark.parametrize("tenant", [PRACTICE.tenant_id, CENTER.tenant_id])
def test_keys_are_rotated_and_every_row_is_encrypted_again(api, infused, tenant):
    referral_id, pages = infused

    run("keys", "rotate", tenant, "--yes")

    wiring.reset()
    assert read_pages(api, referral_id) == pages
    again = run("keys", "reencrypt", tenant, "--yes")
    assert again.stdout.endswith("encrypted again: 0\n")
    assert int(again.stdout.split("checked: ")[1].split(";")[0]) >= 3
    api.practice.post(f"/v1/referrals/{referral_id}/messages", {"text": "Still works."})
    assert api.practice.get("/v1/referrals?q=Quiet").json["items"] != []


def test_functions_with_the_earlier_keys_in_memory_read_and_write_during_a_rotation(api, infused):
    """They find the new generation when they meet a row that has it."""
    referral_id, pages = infused
    warm = restart_stores(api.stores)
    warm.referrals.get(referral_id)

    run("keys", "rotate", PRACTICE.tenant_id, "--yes")

    assert warm.referrals.get(referral_id) is not None
    assert read_pages(api, referral_id) == pages


def test_a_rotation_that_is_interrupted_is_completed_by_reencrypting(api, infused):
    referral_id, pages = infused
    with faults.inject_faults(faults.plan_fault_at(30, faults.FaultMode.CRASH_AFTER)), pytest.raises(BaseException):  # noqa: B017 a simulated crash
        CliRunner().invoke(app, ["keys", "rotate", PRACTICE.tenant_id, "--yes"], catch_exceptions=False)

    wiring.reset()
    assert read_pages(api, referral_id) == pages
    run("keys", "reencrypt", PRACTICE.tenant_id, "--yes")
    assert run("keys", "reencrypt", PRACTICE.tenant_id, "--yes").stdout.endswith("encrypted again: 0\n")
    wiring.reset()
    assert read_pages(api, referral_id) == pages


def test_rows_of_an_earlier_release_get_a_key_for_each_referral(api, monkeypatch):
    """They have the practice's key until then, and both are read."""
    real = EnvelopeEncryption.encrypt
    with monkeypatch.context() as patch:
        patch.setattr(
            EnvelopeEncryption, "encrypt", lambda self, text, **how: real(self, text, **how | {"referral_id": ""})
        )
        referral_id = api.refer()["referral_id"]
    page = api.practice.get(f"/v1/referrals/{referral_id}").text

    run("keys", "reencrypt", PRACTICE.tenant_id, "--yes")

    wiring.reset()
    assert api.practice.get(f"/v1/referrals/{referral_id}").text == page
    [row] = [row for row in list_rows("referrals") if row["item"] == "referral"]
    is_current = partial(api.stores.encryption.is_current, scope=PRACTICE.tenant_id, referral_id=referral_id)
    assert is_current(row["summary"])
    assert is_current(row["details"])


def test_another_kms_key_encrypts_the_data_keys_and_reading_works_meanwhile(api, infused):
    referral_id, pages = infused
    new_key = cloud.create_key()
    scopes = [row for row in list_rows("keys") if "data_key" in row]
    with faults.inject_faults(faults.plan_fault_at(8, faults.FaultMode.CRASH_AFTER)), pytest.raises(BaseException):  # noqa: B017 a simulated crash
        CliRunner().invoke(app, ["keys", "rewrap", "--to", new_key, "--yes"], catch_exceptions=False)
    wiring.reset()
    assert read_pages(api, referral_id) == pages

    result = run("keys", "rewrap", "--to", new_key, "--yes")

    assert f"Data keys checked: {len(scopes)}" in result.stdout
    get_aws_client("kms").disable_key(KeyId=api.stores.encryption.kms_key_id)
    wiring.reset()
    assert read_pages(api, referral_id) == pages
    assert run("keys", "rewrap", "--to", new_key, "--yes").stdout.endswith("encrypted with the new key: 0\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("secrets", "list", "--center", "ctr_unknown"),
        ("secrets", "rotate", "--center", CENTER.tenant_id, "--grace", "-1", "--yes"),
        ("keys", "rotate", "prc_unknown", "--yes"),
        ("keys", "rewrap", "--to", "00000000-0000-0000-0000-000000000000", "--yes"),
    ],
)
def test_what_does_not_exist_is_refused(api, arguments):
    before = list_rows("audit")

    assert CliRunner().invoke(app, arguments).exit_code == 2
    assert list_rows("audit") == before
