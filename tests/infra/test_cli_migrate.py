"""`referrals migrate`: referrals of earlier releases get their search index and the row of their alias."""

import json
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.referrals import replay
from chalicelib.domain.referrals.alias_checks import normalize_alias
from chalicelib.domain.referrals.monitoring_window import to_local_day
from chalicelib.services.referrals import count
from chalicelib.services.referrals.aliases import prepare_first_claim
from chalicelib.store.referrals.referrals import Referrals
from chalicelib.version import VERSION
from infra.cli.commands import app
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.factories import CENTER, OTHER_PRACTICE, PRACTICE, build_referral_body
from tests.support.stores import list_rows

KEY = {"item": "referral"}


def run(*arguments):
    return CliRunner().invoke(app, ["migrate", *arguments])


def store_as_earlier_release(api, referral_id):
    """Store a referral as the release before the search index and the aliases did."""
    stores = api.stores
    table, items = stores.referrals.table, stores.referrals.items
    row = table.get({"referral_id": referral_id, **KEY})
    summary_context = f"{referral_id}/summary"
    summary = json.loads(items.encryption.decrypt(row["summary"], scope=row["practice_id"], context=summary_context))
    alias = summary["alias"]
    for name in ("found_by", "icd10", "submitted_on"):
        del summary[name]
    row["summary"] = items.encryption.encrypt(
        json.dumps(summary).encode(), scope=row["practice_id"], context=summary_context
    )
    for name in ("practice_names", "center_names", "conversation"):
        row.pop(name, None)
    table.put(row)
    stores.transactions.commit(stores.aliases.prepare_give_up(normalize_alias(alias), practice_id=row["practice_id"]))


def count_found(client, text):
    return len(client.get(f"/v1/referrals?q={text}").json["items"])


@pytest.fixture
def old_referral(api):
    """A referral as an earlier release stored it."""
    made = api.refer(patient__alias="Quiet Quail", clinical__icd10="C90.02")
    store_as_earlier_release(api, made["referral_id"])
    return made


def test_an_old_referral_is_found_after_the_migration(api, old_referral):
    assert count_found(api.practice, "1961-04-02") == 0
    assert api.practice.get("/v1/referrals").json["items"][0]["routing_hints"] == []

    result = run()

    assert (result.exit_code, result.stdout) == (0, "Referrals checked: 1; rewritten: 1; with a problem: 0\n")
    for typed in ("1961-04-02", "A-1009", "7135550142", "Exam"):
        assert count_found(api.practice, typed) == count_found(api.center, typed) == 1, typed
    row = api.practice.get("/v1/referrals").json["items"][0]
    assert row["routing_hints"] == ["code_does_not_match_disease"]


def test_counts_of_long_lists_are_made_again_after_the_migration(api, old_referral, monkeypatch):
    """Their snapshots may be of rows that were rewritten."""
    monkeypatch.setattr(count, "MIN_ROWS_OF_SNAPSHOT", 0)
    for client in (api.practice, api.center):
        client.get("/v1/referrals/counts")
    dry = run("--dry-run") and list_snapshots()
    run()

    assert [("content" in row) for row in dry] == [True, True]
    assert [row["scope_key"] for row in list_snapshots() if "content" in row] == []


def list_snapshots():
    """The rows of snapshots of lists."""
    return [row for row in list_rows("idempotency") if row["scope_key"].startswith("list#")]


def test_the_alias_of_an_old_referral_is_taken(api, old_referral):
    run()

    body = {"patient__alias": "Quiet Quail", "patient__family_name": "Other", "patient__birth_date": "1950-01-01"}
    answer = api.practice.post("/v1/referrals", build_referral_body(**body))
    assert (answer.status, answer.json["code"]) == (409, "alias_in_use")


def test_nothing_that_people_see_changes(api, old_referral):
    """Neither the version nor the history, and no one is notified."""
    path = f"/v1/referrals/{old_referral['referral_id']}"
    before = api.practice.get(path)
    events, tasks = api.practice.get(f"{path}/events").json, len(list_rows("outbox"))

    run()

    after = api.practice.get(path)
    assert (after.json, after.headers["etag"]) == (before.json, before.headers["etag"])
    assert api.practice.get(f"{path}/events").json == events
    assert len(list_rows("outbox")) == tasks


def test_a_rewrite_is_in_the_audit_trail_and_the_trail_stays_intact(api, old_referral):
    run()

    admin = api.get_client_for(api.members["practice_admin"])
    rows = admin.get(f"/v1/referrals/{old_referral['referral_id']}/audit").json["items"]
    migrated = [row for row in rows if row["action"] == "referral.migrate"]
    assert [(row["actor_id"], row["version"]) for row in migrated] == [
        ("operator:command-line", old_referral["version"])
    ]
    assert CliRunner().invoke(app, ["audit", "verify"]).exit_code == 0


def test_a_second_run_has_nothing_to_do(api, old_referral):
    run()
    rows = list_rows("referrals")

    result = json.loads(run("--json").stdout)

    assert result == {"dry_run": False, "checked": 1, "rewritten": 0, "problems": []}
    assert list_rows("referrals") == rows


def test_a_referral_of_this_release_is_up_to_date_at_every_point_of_its_journey(api):
    referral_id = api.refer()["referral_id"]
    api.practice.post(f"/v1/referrals/{referral_id}/messages", {"text": "Hello."})
    for stage in STAGES_TO_INFUSED:
        api.move_to(referral_id, stage)

        assert run().stdout == "Referrals checked: 1; rewritten: 0; with a problem: 0\n", stage


def test_a_dry_run_writes_nothing(api, old_referral):
    rows = list_rows("referrals"), list_rows("audit")

    result = run("--dry-run")

    assert result.stdout == "Referrals checked: 1; would be rewritten: 1; with a problem: 0\n"
    assert (list_rows("referrals"), list_rows("audit")) == rows


def test_an_alias_of_another_patient_is_reported_and_not_overwritten(api, old_referral):
    other = api.refer(patient__alias="Quiet Quail", patient__family_name="Other", patient__birth_date="1950-01-01")

    result = run("--json")

    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert [(each["referral_id"], each["is_alias_in_use"]) for each in report["problems"]] == [
        (old_referral["referral_id"], True)
    ]
    assert count_found(api.practice, "1961-04-02") == 1
    assert (
        api.stores.aliases.find_holder(normalize_alias("Quiet Quail"), practice_id=PRACTICE.tenant_id)
        == other["referral_id"]
    )


def test_a_change_in_the_meantime_is_not_overwritten(api, old_referral, monkeypatch):
    """Someone edits the referral between the read and the write of the migration."""
    path = f"/v1/referrals/{old_referral['referral_id']}"
    edits: list[Any] = []

    def edit_first(referral, *, stores):
        if not edits:
            edits.append(api.practice.patch(path, {"note": "In between."}, version=referral.version))
        return prepare_first_claim(referral, stores=stores)

    monkeypatch.setattr("chalicelib.services.referrals.migrate.prepare_first_claim", edit_first)
    run()

    assert edits[0].status == 200, edits[0].text
    assert api.practice.get(path).json["note"] == "In between."
    assert count_found(api.practice, "1961-04-02") == 1


def test_a_closed_referral_gives_no_alias_row(api, old_referral):
    path = f"/v1/referrals/{old_referral['referral_id']}"
    body = {"type": "stage.changed", "occurred_at": old_referral["updated_at"], "data": {"stage": "withdrawn"}}
    api.practice.post(f"{path}/events", body)
    store_as_earlier_release(api, old_referral["referral_id"])

    run()

    assert count_found(api.practice, "1961-04-02") == 1
    assert api.stores.aliases.find_holder(normalize_alias("Quiet Quail"), practice_id=PRACTICE.tenant_id) is None


def stop_after(referral_id, monkeypatch):
    """Stop the run when it comes to a referral, as Ctrl-C does."""
    read = Referrals.get_with_format

    def stop(self, each):
        if each == referral_id:
            raise KeyboardInterrupt
        return read(self, each)

    monkeypatch.setattr(Referrals, "get_with_format", stop)


def test_a_run_that_was_stopped_goes_on_after_the_last_practice_that_it_finished(api, old_referral, monkeypatch):
    body = build_referral_body(patient__alias="Silver Owl")
    later = api.other_practice.post("/v1/referrals", body).json["referral_id"]
    assert OTHER_PRACTICE.tenant_id > PRACTICE.tenant_id
    with monkeypatch.context() as patch:
        stop_after(later, patch)
        run()

    resumed = run()

    assert resumed.stdout == "Referrals checked: 1; rewritten: 0; with a problem: 0\n"
    assert resumed.stderr == "Practice 2 of 2; referrals checked: 1; old ones: 0\n"
    assert count_found(api.practice, "1961-04-02") == 1


def test_a_run_after_a_finished_one_begins_at_the_first_practice(api, old_referral):
    run()

    assert run().stderr.startswith("Practice 1 of 2;")


@pytest.mark.parametrize("option", ["--from-start", "--dry-run"])
def test_a_run_can_begin_at_the_first_practice(api, old_referral, option):
    api.stores.migration_progress.record_practice(OTHER_PRACTICE.tenant_id, release=VERSION)

    assert run(option).stderr.startswith("Practice 1 of 2;")


def test_a_stopped_run_of_an_earlier_release_counts_for_nothing(api, old_referral):
    api.stores.migration_progress.record_practice(OTHER_PRACTICE.tenant_id, release="0.2.0")

    assert "Referrals checked: 1; rewritten: 1" in run().stdout


def tell_days_ago(days):
    """A moment some days ago, as a system writes it."""
    return (wiring.read_clock() - timedelta(days=days)).isoformat()


def correct_infusion(api, referral_id, wrong, *, days_ago):
    """Correct the report of the infusion."""
    right = {"type": "stage.changed", "occurred_at": tell_days_ago(days_ago), "data": {"stage": "infused"}}
    body = {
        "type": "event.corrected",
        "referral_id": referral_id,
        "occurred_at": tell_days_ago(0),
        "data": {"supersedes": wrong, "replacement": right},
    }
    answer = api.deliver_raw(json.dumps(body).encode())
    assert answer.json["status"] == "applied", answer.text


@pytest.fixture
def corrected_infusion(api, monkeypatch):
    """A referral of release 0.4.0, in which a repeat of a wrong infusion day counted more than the correction."""
    referral_id = api.refer(referred_on=tell_days_ago(60)[:10])["referral_id"]
    for days, stage in zip(range(50, 0, -1), STAGES_TO_INFUSED, strict=False):
        answer = api.deliver(referral_id, stage, at=tell_days_ago(days))
        assert answer.json["status"] == "applied", answer.text
    api.deliver(referral_id, "infused", at=tell_days_ago(days - 1))
    with monkeypatch.context() as earlier_release:
        earlier_release.setattr(replay, "_move_repeats", lambda events, *_: events)
        correct_infusion(api, referral_id, answer.json["event_id"], days_ago=days - 3)
    return referral_id, answer.json["event_id"], days - 3


def get_infusion_day(api, referral_id):
    return api.practice.get(f"/v1/referrals/{referral_id}").json["window"]["infused_on"]


def test_wrong_monitoring_days_of_an_earlier_release_are_listed(api, corrected_infusion):
    """A person corrects them, because both teams must learn of the new dates."""
    referral_id, _, _ = corrected_infusion
    before = get_infusion_day(api, referral_id)

    result = run()

    assert result.exit_code == 1
    assert f"{referral_id}  {PRACTICE.tenant_id}  its status or monitoring days do not match" in result.stdout
    assert get_infusion_day(api, referral_id) == before


def test_another_correction_sets_the_monitoring_days_right(api, corrected_infusion):
    """With the day that the first correction had."""
    referral_id, wrong, days_ago = corrected_infusion

    correct_infusion(api, referral_id, wrong, days_ago=days_ago)

    assert run().exit_code == 0
    day = to_local_day(wiring.read_clock() - timedelta(days=days_ago), CENTER.time_zone)
    assert get_infusion_day(api, referral_id) == day.isoformat()
