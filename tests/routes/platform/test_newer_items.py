"""After a rollback: items of a newer release are read if they can be, else refused, and never damaged."""

import json

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.services.notices.outbox_worker import JobFailedError, run_job
from chalicelib.store.platform.dynamo import marshal
from chalicelib.store.platform.item_formats import stamp_format
from chalicelib.version import VERSION
from infra.cli.commands import app
from tests.support.bookings import PATTERNS, build_pattern_body
from tests.support.newer_release import (
    NEW_ATTRIBUTES,
    RELEASE,
    build_referral_key,
    change_encrypted,
    get_raw_row,
    put_in_newer_format,
    read_encrypted,
)
from tests.support.stores import list_rows, list_task_rows

REQUIRED_SINCE_0_1 = {
    *("audited", "created_at", "created_by", "details", "of", "overlay", "part", "practice_id", "reached", "stage"),
    *("stage_since", "summary", "touched", "updated_at", "urgency", "version"),
}
"""Attributes that every release has written. A later one must be optional, or rows of earlier releases are lost."""


@pytest.fixture
def newer(api):
    """A submitted referral in a format that this release does not know, next to one that it knows."""
    api.refer(patient__alias="Umber Heron")
    made = api.refer(patient__alias="Birch Heron", patient__family_name="Other")
    put_in_newer_format("referrals", build_referral_key(made["referral_id"]))
    return made


def test_a_newer_referral_is_refused_until_the_newer_release_is_back(api, newer):
    answer = api.practice.get(f"/v1/referrals/{newer['referral_id']}")

    assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "newer_release", "60")


def test_the_log_says_which_release_wrote_it(api, newer, caplog):
    api.practice.get(f"/v1/referrals/{newer['referral_id']}")

    [refused] = [record for record in caplog.records if record.getMessage() == "stored item refused"]
    assert refused.error == (
        f"release {RELEASE} wrote an item of cart-referrals in format 2; release {VERSION} reads up to format 1"
    )


def test_a_newer_referral_is_never_overwritten(api, newer):
    """By a person, the center's system, a center's member, or the migration."""
    path, before = f"/v1/referrals/{newer['referral_id']}", get_raw_row(*find_row(newer))

    body = {"type": "stage.changed", "occurred_at": newer["updated_at"], "data": {"stage": "received"}}
    answers = [
        api.practice.patch(path, {"note": "Changed."}, version=newer["version"]),
        api.center.post(f"{path}/events", body),
        api.deliver(newer["referral_id"], "received"),
    ]

    assert [answer.status for answer in answers] == [503, 503, 503]
    CliRunner().invoke(app, ["migrate"])
    assert get_raw_row(*find_row(newer)) == before


def find_row(made):
    return "referrals", build_referral_key(made["referral_id"])


def test_a_row_that_was_rewritten_after_it_was_read_is_not_overwritten(api, monkeypatch):
    """By a migration of the newer release, which leaves the version as it is."""
    made = api.refer()
    prepare = type(api.stores.referrals).prepare_save

    def rewrite_first(self, *arguments):
        put_in_newer_format(*find_row(made))
        return prepare(self, *arguments)

    monkeypatch.setattr(type(api.stores.referrals), "prepare_save", rewrite_first)
    answer = api.practice.patch(f"/v1/referrals/{made['referral_id']}", {"note": "x"}, version=made["version"])

    assert (answer.status, answer.json["code"]) == (412, "stale")
    assert get_raw_row(*find_row(made))["schema"] == {"N": "2"}


def test_a_list_row_says_its_format_in_its_summary(api):
    """The lists have only some attributes of a row, and not the number of its format."""
    made = api.refer()
    key = build_referral_key(made["referral_id"])
    change_encrypted(api.stores, key, "summary", lambda summary: summary.update(stamp_format(2)))

    answer = api.practice.get("/v1/referrals")

    assert (answer.status, answer.json["code"]) == (503, "newer_release")


def test_commands_say_which_release_wrote_it(newer):
    result = CliRunner().invoke(app, ["migrate"])

    assert result.exit_code == 1
    assert f"release {RELEASE} wrote an item of cart-referrals in format 2" in result.output
    assert "Referrals checked: 2" in result.output


def test_other_commands_say_it_too(newer, api):
    """`audit verify` reads every referral."""
    result = CliRunner().invoke(app, ["audit", "verify"])

    assert result.exit_code == 1
    assert f"release {RELEASE}" in result.output


def test_a_new_attribute_of_any_type_is_kept(api):
    """In the row of a referral, which a list shows, through a change and steps of the center's system."""
    made = api.refer()
    row = api.stores.referrals.table.get(build_referral_key(made["referral_id"]))
    api.stores.referrals.table.put(row | NEW_ATTRIBUTES)

    assert api.practice.get("/v1/referrals").status == api.center.get("/v1/referrals").status == 200
    path = f"/v1/referrals/{made['referral_id']}"
    assert api.practice.patch(path, {"note": "Changed."}, version=made["version"]).status == 200
    api.move_to(made["referral_id"], "received", "accepted")

    stored = get_raw_row(*find_row(made))
    assert {name: stored[name] for name in NEW_ATTRIBUTES} == marshal(NEW_ATTRIBUTES)


def test_a_new_member_of_the_status_survives_a_replay_of_the_history(api):
    """A correction computes the status from all events."""
    made = api.refer()
    referral_id = made["referral_id"]
    api.move_to(referral_id, "received", "accepted")
    key = build_referral_key(referral_id)
    row = api.stores.referrals.table.get(key)
    overlay = json.loads(row["overlay"]) | {"new": "kept"}
    api.stores.referrals.table.put(row | {"overlay": json.dumps(overlay)})
    change_encrypted(api.stores, key, "details", lambda details: details.update(new="kept", plans={"new": "kept"}))

    event = api.practice.get(f"/v1/referrals/{referral_id}/events").json["items"][0]
    body = {
        "type": "event.corrected",
        "occurred_at": event["occurred_at"],
        "supersedes": event["event_id"],
        "data": {"stage": "accepted", "reason": "Typing error"},
    }
    api.center.post(f"/v1/referrals/{referral_id}/events", body)
    api.move_to(referral_id, "consult_scheduled")

    assert json.loads(api.stores.referrals.table.get(key)["overlay"])["new"] == "kept"
    details = read_encrypted(api.stores, key, "details")
    assert (details["new"], details["plans"]["new"]) == ("kept", "kept")


def test_a_new_member_of_a_pattern_and_of_settings_is_kept_when_a_person_replaces_them(api):
    pattern = api.center.post(PATTERNS, build_pattern_body()).json
    [row] = [row for row in list_rows("slots") if "pattern" in row]
    table = api.stores.slots.table
    table.put(row | {"pattern": json.dumps(json.loads(row["pattern"]) | {"new": "kept"})})

    path = f"{PATTERNS}/{pattern['pattern_id']}"
    assert api.center.put(path, build_pattern_body(minutes=30), version=1).status == 200

    [row] = [row for row in list_rows("slots") if "pattern" in row]
    assert (json.loads(row["pattern"])["new"], json.loads(row["pattern"])["minutes"]) == ("kept", 30)


def test_a_new_attribute_of_a_member_is_kept(api):
    member = api.members["center"]
    table = api.stores.members.table
    table.put(table.get({"subject": member.subject}) | NEW_ATTRIBUTES)

    read = api.stores.members.get_by_subject(member.subject)
    api.stores.transactions.commit(api.stores.members.prepare_save(read.__class__(**as_next_version(read))))

    stored = get_raw_row("members", {"subject": member.subject})
    assert {name: stored[name] for name in NEW_ATTRIBUTES} == marshal(NEW_ATTRIBUTES)


def as_next_version(member):
    return {name: getattr(member, name) for name in member.__dataclass_fields__} | {"version": member.version + 1}


def test_every_attribute_that_came_after_the_first_release_is_optional(api):
    """Without it, lists and the page work. So one more attribute never makes a list a 500."""
    made = api.refer()
    key = build_referral_key(made["referral_id"])
    table = api.stores.referrals.table
    row = table.get(key)
    indexed = {"referral_id", "item", "listed_at", "center_inbox", "schema"}

    for name in row.keys() - REQUIRED_SINCE_0_1 - indexed:
        table.put({other: value for other, value in row.items() if other != name})
        answers = [api.practice.get("/v1/referrals"), api.practice.get(f"/v1/referrals/{made['referral_id']}")]
        assert [answer.status for answer in answers] == [200, 200], name


@pytest.mark.parametrize("name", sorted(REQUIRED_SINCE_0_1 - {"practice_id", "version", "summary"}))
def test_a_row_without_what_every_release_wrote_is_refused_and_not_a_500(api, name):
    made = api.refer()
    key = build_referral_key(made["referral_id"])
    table = api.stores.referrals.table
    table.put({other: value for other, value in table.get(key).items() if other != name})

    answer = api.practice.get(f"/v1/referrals/{made['referral_id']}")

    assert (answer.status, answer.json["code"]) == (503, "unreadable")


def test_an_unknown_status_of_a_newer_release_is_refused(api):
    """A new stage, in a row whose format number did not change."""
    made = api.refer()
    table = api.stores.referrals.table
    row = table.get(build_referral_key(made["referral_id"]))
    table.put(row | {"stage": "second_infusion"})

    answer = api.practice.get(f"/v1/referrals/{made['referral_id']}")

    assert (answer.status, answer.json["code"]) == (503, "unreadable")


def test_an_unknown_kind_of_event_is_refused_and_not_left_out(api):
    made = api.refer()
    [row] = [row for row in list_rows("referrals") if row["item"].startswith("event#")]
    api.stores.referrals.table.put(row | {"type": "gene.sequenced"})

    answer = api.practice.get(f"/v1/referrals/{made['referral_id']}/events")

    assert (answer.status, answer.json["code"]) == (503, "unreadable")


def test_a_newer_task_waits_and_delays_no_other(api, caplog):
    """The job ends as a failure that says so, and the log names the release."""
    for alias in ("Umber Heron", "Birch Heron"):
        api.refer(patient__alias=alias, patient__family_name=f"Sample{alias[0]}")
    first, second = [row for row in list_task_rows() if row["lane"].startswith("event")]
    put_in_newer_format("outbox", {"outbox_id": first["outbox_id"]})
    before = get_raw_row("outbox", {"outbox_id": first["outbox_id"]})

    with pytest.raises(JobFailedError, match="1 tasks can only be read by a newer release"):
        run_job(TaskQueue.EVENT, context=wiring.build_job_context())

    assert get_raw_row("outbox", {"outbox_id": first["outbox_id"]}) == before
    assert get_raw_row("outbox", {"outbox_id": second["outbox_id"]})["state"] == {"S": "done"}
    [line] = [record for record in caplog.records if record.getMessage() == "tasks of a newer release"]
    assert (line.error, line.counts) == (f"release {RELEASE}", {"newer": 1})


def test_many_newer_tasks_hold_back_no_other_of_their_shard(api):
    """A shard is read ten rows at a time, oldest first."""
    for number in range(14):
        api.refer(
            patient__alias=f"Heron {'abcdefghijklmn'[number]}", patient__family_name=f"Name{'abcdefghijklmn'[number]}"
        )
    tasks = sorted((row for row in list_task_rows() if row["lane"].startswith("event")), key=lambda row: row["due_at"])
    for row in tasks:
        api.stores.outbox.table.put(row | {"lane": "event#0"})
    for row in tasks[:13]:
        put_in_newer_format("outbox", {"outbox_id": row["outbox_id"]})

    with pytest.raises(JobFailedError, match="13 tasks"):
        run_job(TaskQueue.EVENT, context=wiring.build_job_context())

    assert get_raw_row("outbox", {"outbox_id": tasks[13]["outbox_id"]})["state"] == {"S": "done"}


def test_a_task_about_a_newer_referral_waits_without_losing_an_attempt(api, newer):
    with pytest.raises(JobFailedError):
        run_job(TaskQueue.EVENT, context=wiring.build_job_context())

    [row] = [row for row in list_task_rows() if row.get("referral_id") == newer["referral_id"]]
    assert (row["state"], row["tries"], row["waits"]) == ("planned", 0, 1)
