"""Rows of every release are read, found, changed and processed by this one."""

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.version import VERSION
from infra.cli.commands import app
from tests.releases import list_releases, read_document
from tests.support import aws_fakes as cloud
from tests.support import tokens
from tests.support.release_story import find_subjects, list_failed_reads, load_rows
from tests.support.stores import get_aws_client, get_dynamodb_client


@pytest.fixture(scope="module", params=list_releases())
def document(request):
    return read_document(request.param)


@pytest.fixture
def world(api, document, monkeypatch):
    """The rows of a release in the tables of this one."""
    cloud.clear_tables()
    key_id = wiring.get_stores().encryption.kms_key_id
    load_rows(
        document,
        prefix=cloud.PREFIX,
        dynamodb=get_dynamodb_client(),
        kms=get_aws_client("kms"),
        kms_key_id=key_id,
    )
    wiring.reset()
    api.stores = wiring.get_stores()
    return api


@pytest.fixture
def sites(world, document):
    """The first coordinators of the practice that referred and of the center."""
    return {
        kind: world.anyone.with_token(tokens.create_token(next(iter(find_subjects(document, kind)))))
        for kind in ("practice", "center")
    }


def test_everything_is_read(sites, document):
    assert list_failed_reads(sites, document["referrals"]) == []


def test_a_referral_goes_on(sites, document):
    """A submitted one is accepted, and the draft is changed and submitted."""
    submitted, draft = (f"/v1/referrals/{document['referrals'][name]}" for name in ("submitted", "draft"))
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "received"}}
    assert sites["center"].post(f"{submitted}/events", event).status == 200

    version = sites["practice"].get(draft).json["version"]
    changed = sites["practice"].patch(draft, {"note": "From a later release."}, version=version)
    assert changed.status == 200, changed.text


def test_its_jobs_and_commands_find_nothing_wrong(world):
    for queue in TaskQueue:
        run_job(queue, context=wiring.build_job_context())

    for arguments in (["audit", "verify"], ["migrate"]):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, f"{arguments}: {result.output}"


def test_a_migrated_referral_is_found_by_date_of_birth(world, sites):
    CliRunner().invoke(app, ["migrate"])

    assert len(sites["practice"].get("/v1/referrals?q=1961-04-02").json["items"]) == 1


def test_the_rows_of_this_release_are_kept():
    """`python -m tests.releases.freeze` keeps them."""
    assert VERSION in list_releases()


def test_a_document_has_rows_of_every_kind_that_is_rewritten(document):
    """A kind that no document has is not tested."""
    kinds = {row["item"]["S"].partition("#")[0] for row in document["tables"]["referrals"]}
    assert {"referral", "event", "parked"} <= kinds
    assert all(document["tables"][name] for name in ("audit", "deliveries", "members", "notices", "outbox"))
