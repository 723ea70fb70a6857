"""`referrals restore check` and `repair`: each kind of inconsistency is found, and repaired if a program can."""

import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import process_queue
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from infra.cli.commands import app
from infra.restore.findings import KIND_MEANINGS, FindingKind
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED
from tests.support.bookings import Booker, publish_slot
from tests.support.coverage_driver import play
from tests.support.new_worlds import save_world
from tests.support.shared_clinic import open_shared_clinic
from tests.support.stores import list_rows
from tests.support.table_restores import TableCopies, change_rows, delete_rows


def run(*arguments):
    return CliRunner().invoke(app, ["restore", *arguments])


def list_kinds(*arguments):
    """Return the kinds that a check finds."""
    result = run("check", "--json", *arguments)
    assert result.exit_code in {0, 1}, result.output
    return {each["kind"] for each in json.loads(result.stdout)["findings"]}


def run_jobs(days=0):
    """Run the jobs as some days from now."""
    at = wiring.read_clock() + timedelta(days=days)
    for queue in (TaskQueue.EVENT, TaskQueue.PLAN, TaskQueue.OVERDUE, TaskQueue.MAIL):
        process_queue(queue, context=wiring.build_job_context(at))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """One patient who was infused, with everything that a referral can have, and one whose consultation is booked."""
    with open_shared_clinic(tmp_path_factory.mktemp("world")) as driver:
        context = wiring.build_run_context()
        for member in driver.members.values():
            # The factory adds members directly; an invitation also schedules their digest.
            for write in prepare_digest_writes(None, member, context=context):
                driver.stores.transactions.commit(write)
        driver.infused = driver.refer(patient__alias="Quiet Quail")["referral_id"]
        path = f"/v1/referrals/{driver.infused}"
        driver.practice.post(f"{path}/messages", {"text": "Hello."}, key="message-1")
        driver.move_to(driver.infused, "accepted")
        driver.center.post(f"{path}/information-requests", {"items": ["pathology_report"], "text": None}, key="ask-1")
        file = {"name": "a.pdf", "type": "application/pdf", "size": 1000, "sha256": "0" * 64}
        driver.practice.post(f"{path}/documents", {"kind": "imaging", "file": file}, key="file-1")
        play(driver, path, "verification_requested")
        driver.move_to(driver.infused, *[stage for stage in REQUIRED_STAGES_TO_INFUSED if stage != "accepted"])
        driver.booked = driver.refer(patient__given_name="Bo")["referral_id"]
        driver.move_to(driver.booked, "accepted")
        assert Booker(driver.practice, driver.booked).book(publish_slot(driver)).status == 200
        driver.deliver(driver.booked, "infused", webhook_id="parked-1")
        run_jobs()
        yield save_world(driver)


@pytest.fixture
def world(saved):
    """The world, as it was."""
    return saved.reopen()


def is_item(referral_id, prefix):
    """Whether a raw row is in a referral's partition, under this sort key."""
    return lambda row: row["referral_id"]["S"] == referral_id and row["item"]["S"].startswith(prefix)


def is_any(_row):
    return True


def has_rule(*rules):
    return lambda row: row.get("rule", {}).get("S") in rules


def test_tables_that_nothing_was_done_to_fit_together(world):
    result = run("check")

    assert (result.exit_code, result.stdout) == (0, "All tables fit together.\n")
    assert run("repair").stdout.endswith("For a person: 0\n")


def test_every_kind_has_a_meaning():
    assert set(KIND_MEANINGS) == set(FindingKind)


def set_referral_back(world):
    """Set the table of referrals back to before an event, and nothing else."""
    copies = TableCopies.take()
    world.move_to(world.booked, "consult_completed")
    copies.put_back("referrals")


def lose_the_state_after_an_event(world):
    """The referral's row is set back, and its history is not: a transaction that was restored in half."""
    copies = TableCopies.take()
    world.move_to(world.booked, "consult_completed")
    event = [row for row in list_rows("referrals") if row["item"].startswith("event#")]
    copies.put_back("referrals", "audit", "deliveries", "outbox")
    newest = max((row for row in event if row["referral_id"] == world.booked), key=lambda row: row["recorded_at"])
    world.stores.referrals.table.put(newest)


DAMAGES = {
    FindingKind.UNREADABLE: lambda w: change_rows("referrals", is_item(w.booked, "referral"), details={"B": b"broken"}),
    FindingKind.REFERRAL_MISSING: lambda w: delete_rows("referrals", is_item(w.booked, "referral")),
    FindingKind.EVENT_MISSING: lambda w: delete_rows(
        "referrals", lambda row: is_item(w.booked, "event#")(row) and row["type"]["S"] == "stage.changed"
    ),
    FindingKind.REFERRAL_BEHIND: lose_the_state_after_an_event,
    FindingKind.MESSAGE_MISSING: lambda w: delete_rows("referrals", is_item(w.infused, "message#")),
    FindingKind.AUDIT_AHEAD: set_referral_back,
    FindingKind.AUDIT_BEHIND: lambda w: delete_rows(
        "audit", lambda row: row["referral_id"]["S"] == w.infused and row["entry"]["S"] > "000000000010"
    ),
    FindingKind.DELIVERY_WITHOUT_EVENT: set_referral_back,
    FindingKind.DELIVERY_MISSING: lambda _: delete_rows("deliveries", lambda row: row["webhook_id"]["S"] == "parked-1"),
    FindingKind.DELIVERY_OUTDATED: lambda _: change_rows(
        "deliveries", lambda row: row["status"]["S"] == "applied", status={"S": "parked"}
    ),
    FindingKind.RECORD_WITHOUT_EVENT: lambda w: delete_rows("referrals", is_item(w.infused, "event#")),
    FindingKind.TASK_MISSING: lambda _: delete_rows("outbox", lambda row: row.get("due_on", {}).get("S", "") > "2026"),
    FindingKind.NOTICE_MISSING: lambda _: delete_rows("notices", is_any),
    FindingKind.EMAIL_MISSING: lambda _: delete_rows("outbox", has_rule("mail")),
    FindingKind.ALERT_OUTDATED: lambda _: delete_rows("outbox", has_rule("clock")),
    FindingKind.DIGEST_OUTDATED: lambda _: delete_rows("outbox", has_rule("digest")),
    FindingKind.MEMBER_MISSING: lambda w: delete_rows(
        "members", lambda row: row["member_id"]["S"] == w.members["center_admin"].member_id
    ),
    FindingKind.ROSTER_MISSING: lambda _: delete_rows("roster", is_any),
    FindingKind.ALIAS_MISSING: lambda _: delete_rows("referrals", lambda row: row["item"]["S"] == "alias"),
    FindingKind.LIST_ROW_OUTDATED: lambda w: change_rows(
        "referrals", is_item(w.booked, "referral"), practice_names=None
    ),
    FindingKind.TOTALS_WRONG: lambda w: delete_rows("referrals", is_item(w.infused, "document_totals")),
    FindingKind.COVERAGE_DIFFERS: lambda _: delete_rows("referrals", lambda row: row["item"]["S"] == "coverage"),
    FindingKind.CONSULTATION_DIFFERS: lambda w: delete_rows("referrals", is_item(w.booked, "consultation")),
}
FOR_A_PERSON = {
    FindingKind.UNREADABLE,
    FindingKind.REFERRAL_MISSING,
    FindingKind.EVENT_MISSING,
    FindingKind.MESSAGE_MISSING,
    FindingKind.MEMBER_MISSING,
    FindingKind.COVERAGE_DIFFERS,
    FindingKind.EMAIL_MISSING,
}
"""What no other table has, so that a program cannot repair it."""


@pytest.mark.parametrize("kind", DAMAGES)
def test_each_kind_is_found_and_repaired(world, kind):
    assert DAMAGES[kind](world) != 0
    before = TableCopies.take()

    found = list_kinds()

    assert kind in found
    assert TableCopies.take() == before, "a check wrote something"
    result = run("repair", "--yes")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    remaining = list_kinds() - FOR_A_PERSON - {FindingKind.DELIVERY_MISSING}
    assert remaining == set()
