"""`referrals restore check` and `repair`: each kind of inconsistency is found, and repaired if a program can."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.identity.members import Role, build_membership_key
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import process_queue
from chalicelib.services.notices.weekly_digest import prepare_digest_writes
from chalicelib.store.documents.files import DocumentFiles
from chalicelib.store.platform.dynamo import unmarshal
from infra.cli.commands import app
from infra.cli.site import OPERATOR_VARIABLE
from infra.restore.findings import KIND_MEANINGS, FindingKind
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED, ApiDriver
from tests.support.bookings import Booker, publish_slot
from tests.support.coverage_driver import play
from tests.support.factories import CENTER, OTHER_CENTER, OTHER_PRACTICE, PRACTICE, build_member
from tests.support.new_worlds import save_world
from tests.support.shared_clinic import open_shared_clinic
from tests.support.stores import get_dynamodb_client, list_rows, restart_stores
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


@dataclass
class RestoredDriver(ApiDriver):
    """The API, with the ids of the two referrals."""

    infused: str = ""
    booked: str = ""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """One patient who was infused, with everything that a referral can have, and one whose consultation is booked."""
    with open_shared_clinic(tmp_path_factory.mktemp("world")) as clinic:
        driver = RestoredDriver(clinic.stores, clinic.anyone, clinic.members, clinic.secrets)
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
def world(saved, monkeypatch):
    """The world, as it was. It has no buckets, so an erasure finds no files."""
    monkeypatch.setenv(OPERATOR_VARIABLE, "jo")
    monkeypatch.setattr(DocumentFiles, "remove_referral", lambda *_: 0)
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


def erase(referral_id):
    result = CliRunner().invoke(app, ["erase", referral_id, "--reason", "patient_request", "--yes"])
    assert result.exit_code == 0, result.output


def set_back_an_erasure(world, *tables):
    """Set tables back to before an erasure: everything but the keys and the audit trail, or some of them."""
    copies = TableCopies.take()
    erase(world.booked)
    copies.put_back(*(tables or [name for name in copies.rows if name not in {"keys", "audit"}]))
    restart_stores(world.stores)
    wiring.reset()


def join(world, person, tenant):
    """Make a person a member of an organization, and return the member."""
    members, known = world.stores.members, world.stores.members.list_for_person(person)
    member = build_member(tenant, role=Role.ADMIN, n=len(known) + 70)
    member = replace(member, subject=build_membership_key(person, member.member_id) if known else person)
    writes = members.prepare_add_later(member) if known else members.prepare_add(member)
    world.stores.transactions.commit(*writes)
    return member


def lose_the_list_of_memberships(world):
    """A person of three organizations loses the row that lists the second and the third."""
    for tenant in (PRACTICE, CENTER, OTHER_PRACTICE):
        join(world, "sub-several", tenant)
    return delete_rows("members", lambda row: row["subject"]["S"].startswith("person#"))


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
    FindingKind.ERASED_RETURNED: set_back_an_erasure,
    FindingKind.MEMBER_MISSING: lambda w: delete_rows(
        "members", lambda row: row["member_id"]["S"] == w.members["center_admin"].member_id
    ),
    FindingKind.MEMBERSHIPS_DIFFER: lose_the_list_of_memberships,
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
    FindingKind.ERASED_RETURNED,
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


def test_an_erased_patient_is_no_finding(world):
    """Nor is an update of a center that never had the referral."""
    erase(world.booked)
    assert world.deliver(world.booked, "received", center=OTHER_CENTER).json["status"] == "parked"

    result = run("check")

    assert (result.exit_code, result.stdout) == (0, "All tables fit together.\n")


@pytest.mark.parametrize(
    "tables",
    [
        (),
        ("referrals",),
        ("referrals", "keys"),
        ("referrals", "outbox", "notices", "deliveries", "slots"),
        ("deliveries", "idempotency"),
    ],
    ids="-".join,
)
def test_erase_restored_completes_a_restore_to_before_an_erasure(world, tables):
    """The check names the command, the repair brings no one back, and afterward all tables fit together."""
    set_back_an_erasure(world, *tables)

    if "referrals" in tables or not tables:
        result = run("check")
        assert f"{world.booked}  " in result.stdout
        assert "Run `referrals erase-restored`." in result.stdout
        assert result.exit_code == 1
    run("repair", "--yes")
    restored = CliRunner().invoke(app, ["erase-restored", "--yes"])
    assert restored.exit_code == 0, restored.output
    run("repair", "--yes")

    assert list_kinds() == set()
    assert [row["item"] for row in list_rows("referrals") if row["referral_id"] == world.booked] == ["erased"]
    assert not [row for row in list_rows("notices") if row.get("referral_id") == world.booked]


@pytest.mark.parametrize("table", ["outbox", "notices"])
def test_erase_restored_finds_what_came_back_in_another_table(world, table):
    """The row of the erasure is still there, and no referral."""
    set_back_an_erasure(world, table)

    listed = CliRunner().invoke(app, ["erase-restored", "--dry-run"])
    CliRunner().invoke(app, ["erase-restored", "--yes"])

    assert world.booked in listed.stdout
    assert not [row for row in list_rows(table) if row.get("referral_id") == world.booked]
    assert CliRunner().invoke(app, ["erase-restored", "--dry-run"]).stdout.endswith(": 0\n")


def test_a_repair_lists_a_persons_memberships_again(world):
    """In the order of their keys: the order of joining is lost."""
    lose_the_list_of_memberships(world)
    assert len(world.stores.members.list_for_person("sub-several")) == 1

    run("repair", "--yes")

    members = world.stores.members.list_for_person("sub-several")
    assert {each.tenant_id for each in members} == {PRACTICE.tenant_id, CENTER.tenant_id, OTHER_PRACTICE.tenant_id}
    assert members[0].tenant_id == PRACTICE.tenant_id


def test_a_listed_membership_that_does_not_exist_is_taken_from_the_list(world):
    """Otherwise no one can reset the person's sign-in. The roster says who has to be invited again."""
    join(world, "sub-several", PRACTICE)
    lost, kept = join(world, "sub-several", CENTER), join(world, "sub-several", OTHER_PRACTICE)
    delete_rows("members", lambda row: row["subject"]["S"] == lost.subject)

    assert list_kinds() == {FindingKind.MEMBERSHIPS_DIFFER, FindingKind.MEMBER_MISSING}
    run("repair", "--yes")

    [row] = [row for row in list_rows("members") if row["subject"].startswith("person#")]
    assert row["memberships"] == [kept.subject]
    assert list_kinds() == {FindingKind.MEMBER_MISSING}


@pytest.mark.parametrize("table", ["members", "roster"])
def test_a_repair_finds_members_again_whose_sign_in_was_reset_since(world, table):
    """The roster and the member name different accounts, so no list of the organization has the member."""
    member = join(world, "sub-several", PRACTICE)
    copies = TableCopies.take()
    moved = world.stores.members.prepare_move([member], person="sub-new")
    world.stores.transactions.commit(*moved)
    copies.put_back(table)

    assert list_kinds() == {FindingKind.ROSTER_MISSING}
    run("repair", "--yes")

    found = world.stores.members.get_by_member_id(PRACTICE.tenant_id, member.member_id)
    assert found.subject == ("sub-several" if table == "members" else "sub-new")
    assert list_kinds() == set()


def test_an_unreadable_referral_does_not_stop_the_check(world):
    DAMAGES[FindingKind.UNREADABLE](world)
    delete_rows("outbox", lambda row: row.get("referral_id", {}).get("S") == world.infused and "due_on" in row)

    assert {FindingKind.UNREADABLE, FindingKind.TASK_MISSING} <= list_kinds()


def test_an_email_that_the_log_shows_as_sent_is_not_sent_again(world, tmp_path):
    """The outbox is set back to before it was sent."""
    copies = TableCopies.take()
    mail = next(row for row in list_rows("outbox") if row["rule"] == "mail" and row["state"] == "done")
    lane = {"lane": {"S": f"mail#{mail['outbox_id']}"}, "state": {"S": "planned"}}
    change_rows("outbox", lambda row: row["outbox_id"]["S"] == mail["outbox_id"], **lane)
    line = {"message": "email sent", "outbox_id": mail["outbox_id"], "member_id": mail["member_id"]}
    log = tmp_path / "sent.log"
    log.write_text(f"START RequestId\n{json.dumps(line | {'notice_ids': mail['notice_ids']})}\n")

    assert FindingKind.EMAIL_ALREADY_SENT in list_kinds("--sent-log", str(log))
    assert FindingKind.EMAIL_ALREADY_SENT not in list_kinds()
    run("repair", "--yes", "--sent-log", str(log))

    row = world.stores.outbox.table.get({"outbox_id": mail["outbox_id"]})
    assert (row["state"], "lane" in row) == ("done", False)
    assert copies.rows["notices"] == TableCopies.take().rows["notices"]


@pytest.mark.parametrize("with_log", [False, True])
def test_without_the_log_only_critical_notices_are_emailed_again(world, tmp_path, with_log):
    critical = next(row for row in list_rows("notices") if "mail_id" in row)
    change_rows("notices", lambda row: row["notice_id"]["S"] == critical["notice_id"], category={"S": "critical"})
    delete_rows("outbox", has_rule("mail"))
    log = tmp_path / "sent.log"
    log.write_text("")

    run("repair", "--yes", *(("--sent-log", str(log)) if with_log else ()))

    planned = {row["outbox_id"] for row in list_rows("outbox") if row["rule"] == "mail"}
    unread = {row["mail_id"] for row in list_rows("notices") if "mail_id" in row}
    assert planned == (unread if with_log else {critical["mail_id"]})


def test_a_repair_asks_and_leaves_an_audit_row(world):
    DAMAGES[FindingKind.TASK_MISSING](world)
    before = TableCopies.take()

    refused = CliRunner().invoke(app, ["restore", "repair"], input="n\n")
    assert (refused.exit_code, TableCopies.take()) == (1, before)
    assert CliRunner().invoke(app, ["restore", "repair"], input="y\n").exit_code == 0

    assert "restore.repair" in {row.get("action") for row in list_rows("audit")}


def test_audit_verify_explains_rows_that_a_restore_lost(world):
    DAMAGES[FindingKind.AUDIT_BEHIND](world)
    run("repair", "--yes")

    result = CliRunner().invoke(app, ["audit", "verify"])

    assert result.exit_code == 1
    assert "lost in a restore" in result.stdout


def test_a_plan_prints_the_commands_of_this_deployment(world):
    client, recovery = get_dynamodb_client(), {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName="cart-outbox", PointInTimeRecoverySpecification=recovery)
    backups = client.describe_continuous_backups(TableName="cart-outbox")["ContinuousBackupsDescription"]
    latest = backups["PointInTimeRecoveryDescription"]["LatestRestorableDateTime"]
    at = datetime.fromtimestamp(latest, UTC)

    result = run("plan", at.isoformat(), "--table", "outbox", "--export-to", "copies")

    lines = result.stdout.splitlines()
    source = "--source-table-name cart-outbox --target-table-name cart-restored-outbox"
    assert f"aws dynamodb restore-table-to-point-in-time {source} --restore-date-time {at:%Y-%m-%dT%H:%M:%SZ}" in lines
    assert "referrals restore copy outbox --from cart-restored-outbox" in lines
    assert any("StreamViewType=KEYS_ONLY" in line for line in lines)
    assert any(line.startswith("aws dynamodb export-table-to-point-in-time") for line in lines)


def test_a_plan_refuses_a_time_that_a_table_did_not_keep(world):
    result = run("plan", "2020-01-01T00:00:00Z", "--table", "slots")

    assert (result.exit_code, result.stderr) == (1, "cart-slots keeps no point-in-time recovery.\n")


def test_a_plan_refuses_a_table_that_does_not_exist(world):
    assert run("plan", "2026-11-29T14:05:00Z", "--table", "patients").exit_code == 2


def test_a_restored_table_is_copied_back(world):
    """What was written since is removed, what was changed is as it was, and the table keeps its settings."""
    client, now = get_dynamodb_client(), TableCopies.take()
    settings = {"PointInTimeRecoveryEnabled": True}
    client.update_continuous_backups(TableName="cart-outbox", PointInTimeRecoverySpecification=settings)
    client.restore_table_to_point_in_time(SourceTableName="cart-outbox", TargetTableName="cart-restored-outbox")
    world.move_to(world.booked, "consult_completed")
    delete_rows("outbox", has_rule("clock"))

    assert run("copy", "outbox", "--from", "cart-restored-outbox", "--dry-run").exit_code == 0
    assert run("copy", "outbox", "--from", "cart-restored-outbox", "--yes").stdout.endswith("Copied.\n")

    def by_id(rows):
        return sorted((unmarshal(row) for row in rows), key=lambda row: row["outbox_id"])

    assert by_id(TableCopies.take().rows["outbox"]) == by_id(now.rows["outbox"])
    again = run("copy", "outbox", "--from", "cart-restored-outbox", "--yes")
    assert again.stdout == "cart-outbox: 0 rows to write, 0 to remove\n"


def test_a_repair_makes_the_counts_of_long_lists_again(world):
    """The snapshot of a list may be of a later time than its restored referrals."""
    table = world.stores.list_snapshots.table
    table.put({"scope_key": f"list#{PRACTICE.tenant_id}", "content": b"of later"})

    assert run("repair", "--yes").exit_code == 0
    assert "content" not in (table.get({"scope_key": f"list#{PRACTICE.tenant_id}"}) or {})
