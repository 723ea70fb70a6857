"""Compares docs/storage.md with the code: every Query has its line, and every index its readers."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.audit.verification import verify_audit_trail
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.services.platform.run_context import RunContext
from chalicelib.store.all_stores import TABLE_NAMES
from chalicelib.store.platform.dynamo import DynamoTable
from tests.support import aws_fakes as cloud
from tests.support import faults
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.shared_clinic import open_shared_clinic

DOCUMENT = Path(__file__).parents[1] / "docs" / "storage.md"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with open_shared_clinic(tmp_path_factory.mktemp("storage")) as clinic:
        yield clinic


def list_documented_indexes():
    """Yield the tables and indexes of the first table of the document; no index is the table."""
    text = DOCUMENT.read_text("utf-8").partition("## Reads")[2].partition("\n## ")[0]
    for line in text.splitlines():
        if not line.startswith("| ") or line.startswith(("| who", "| ---")):
            continue
        _, tables, indexes, *_ = [cell.strip() for cell in line.strip("|").split("|")]
        for table in tables.split(", "):
            for index in indexes.split(", "):
                yield table, index or None


def list_template_indexes():
    """Yield the indexes of the template."""
    for table, properties in cloud.load_table_properties().items():
        for index in properties.get("GlobalSecondaryIndexes", ()):
            yield table, index["IndexName"]


@pytest.fixture
def queried_indexes(monkeypatch):
    """The tables and indexes that are read by Query from now on."""
    asked = set()
    real = DynamoTable.query

    def query(self, *arguments, **how):
        asked.add((self.name.removeprefix(cloud.PREFIX), how.get("index")))
        return real(self, *arguments, **how)

    monkeypatch.setattr(DynamoTable, "query", query)
    return asked


REFERRALS_MADE = 2


def write_everything(world):
    """Move a referral from draft to infusion, by people and by the center's system, with early deliveries."""
    draft = world.refer(submit=False)["referral_id"]
    world.practice.patch(f"/v1/referrals/{draft}", {"urgency": "urgent"}, version=1)
    referral_id = world.refer()["referral_id"]
    world.deliver(referral_id, "infused")
    world.move_to(referral_id, *STAGES_TO_INFUSED[:-1])
    world.deliver(referral_id, "consult_scheduled", at=wiring.read_clock().isoformat())
    return referral_id


def read_everything(world, referral_id):
    """Read every list and page that people see, and run each job."""
    admin = world.get_client_for(world.members["practice_admin"])
    center_admin = world.get_client_for(world.members["center_admin"])
    center_id = world.members["center"].tenant_id
    infused = world.refer()["referral_id"]
    world.move_to(infused, *STAGES_TO_INFUSED)
    for site, path in (
        (world.practice, f"/v1/referrals/{referral_id}"),
        (world.practice, f"/v1/referrals/{referral_id}/events"),
        (world.practice, "/v1/referrals?q=exa"),
        (world.center, "/v1/referrals"),
        (world.center, "/v1/referrals/counts"),
        (world.practice, "/v1/notices"),
        (world.practice, f"/v1/referrals/{infused}/notices"),
        (world.practice, "/v1/centers"),
        (world.practice, f"/v1/referrals/{infused}/handback"),
        (world.practice, f"/v1/referrals/{infused}/follow-up"),
        (admin, "/v1/members"),
        (admin, f"/v1/referrals/{referral_id}/audit"),
        (admin, "/v1/audit"),
        (center_admin, f"/v1/centers/{center_id}/deliveries"),
    ):
        answer = site.get(path)
        assert answer.status == 200, f"{path}: {answer.text}"
    for site in (world.practice, world.center):
        feed = urlsplit(site.post("/v1/me/calendar", None).json["url"]).path
        assert world.anyone.get(feed).status == 200
    for lane in TaskQueue:
        run_job(lane, context=wiring.build_job_context())
    verify_audit_trail(context=RunContext(world.stores, wiring.read_clock()), first_day=wiring.read_clock().date())


def test_the_document_lists_the_indexes_of_the_template():
    """No more and no fewer."""
    assert {(table, index) for table, index in list_documented_indexes() if index} == set(list_template_indexes())


def test_every_table_is_documented():
    """A table without readers would not be needed."""
    assert {table for table, _ in list_documented_indexes()} == set(TABLE_NAMES)


def test_every_query_is_documented_and_nothing_scans(world, queried_indexes):
    """Whatever people, centers' systems and jobs do."""
    with faults.inject_faults(faults.plan_never) as calls:
        read_everything(world, write_everything(world))

    assert queried_indexes <= set(list_documented_indexes())
    assert {index for _, index in queried_indexes if index} == {index for _, index in list_template_indexes()}
    assert "Scan" not in calls.operations


def test_no_decision_reads_an_index(world, queried_indexes):
    """An index may lag: a draft, a submission, events, parked deliveries and their application.

    A new referral reads its practice's list for a hint at the same patient, which decides nothing.
    """
    write_everything(world)

    assert {index for _, index in queried_indexes} <= {None, "by_practice"}
    assert sum(index is not None for _, index in queried_indexes) <= REFERRALS_MADE


def test_every_index_name_is_a_constant_in_the_code():
    """No index name comes from a caller."""
    package = Path(__file__).parents[1] / "chalicelib"
    named = set()
    for path in package.rglob("*.py"):
        named |= set(re.findall(r'\bindex="(\w+)"', path.read_text("utf-8")))
    lists = (package / "services" / "referrals" / "search.py").read_text("utf-8")
    named |= set(re.findall(r'return "(by_\w+)" if', lists))
    named |= set(re.findall(r'else "(by_\w+)"', lists))

    assert named == {index for _, index in list_template_indexes()}
