"""`referrals erase`: no trace of the patient is left, other patients are untouched, and an interruption is harmless."""

import json
import zlib
from contextlib import suppress
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.domain.platform import key_tree
from chalicelib.services.notices.outbox_worker import run_job
from chalicelib.store.all_stores import TABLE_NAMES
from chalicelib.store.notices.outbox import Outbox
from chalicelib.store.platform.envelope_encryption import EnvelopeEncryption
from chalicelib.store.platform.idempotency import TEMPLATE_VERSION, _decompress
from infra.cli.commands import app
from tests.support import aws_fakes as cloud
from tests.support import faults
from tests.support.canaries import build_canary_body, find_canaries
from tests.support.factories import CENTER, OTHER_CENTER, PRACTICE
from tests.support.leak_probe import play_referral
from tests.support.stores import dump_tables, get_aws_client, list_rows, restart_stores

OF_THE_PRACTICE = frozenset(
    {"provider_name", "provider_npi", "provider_phone", "provider_email", "payer", "change_payer", "view_name"}
)
"""The practice's own directory of the providers and payers that it used, and its saved views: not about the patient."""

TABLES = [name for name in TABLE_NAMES if name != "audit"]

QUIET = ("erase", "--reason", "patient_request", "--ticket", "REQ-17", "--yes")


def erase(referral_id, *arguments):
    return CliRunner().invoke(app, [*QUIET, referral_id, *arguments])


@pytest.fixture
def plaintexts(monkeypatch):
    """What was encrypted, by its ciphertext: all that anyone who has the keys could read."""
    result: dict[bytes, bytes] = {}
    real = EnvelopeEncryption.encrypt

    def encrypt(self, plaintext, **how):
        ciphertext = real(self, plaintext, **how)
        result[ciphertext] = plaintext
        return ciphertext

    monkeypatch.setattr(EnvelopeEncryption, "encrypt", encrypt)
    return result


def list_everything(plaintexts):
    """Everything that the tables contain, with every value decrypted."""
    values = [value for name in TABLE_NAMES for row in list_rows(name) for value in row.values()]
    return b"\n".join(open_value(value, plaintexts) for value in values)


def open_value(value, plaintexts):
    if not isinstance(value, bytes):
        return str(value).encode()
    plaintext = plaintexts.get(value, value)
    return decompress(plaintext)


def decompress(plaintext):
    """A stored response is compressed; anything else stays as it is."""
    try:
        return _decompress(plaintext, template=TEMPLATE_VERSION)
    except zlib.error:
        return plaintext


def list_objects():
    client = get_aws_client("s3")
    found = []
    for bucket in (cloud.QUARANTINE, cloud.DOCUMENTS):
        answer = client.list_object_versions(Bucket=bucket)
        found += [*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())]
    return found


def read_front_doors(api, referral_id):
    """What both teams see of a referral and of their lists."""
    return [
        site.get(path).text
        for site in (api.practice, api.center)
        for path in (
            f"/v1/referrals/{referral_id}",
            f"/v1/referrals/{referral_id}/events",
            f"/v1/referrals/{referral_id}/messages",
            "/v1/referrals",
            "/v1/referrals/counts",
        )
    ]


def test_no_canary_of_the_patient_is_left_anywhere(api, plaintexts):
    """After a whole life with every kind of row, file, email, task and stored response."""
    cloud.create_buckets()
    referral_id = play_referral(api)
    get_aws_client("s3").put_object(Bucket=cloud.DOCUMENTS, Key=f"{referral_id}/doc_a", Body=b"one version")
    get_aws_client("s3").put_object(Bucket=cloud.DOCUMENTS, Key=f"{referral_id}/doc_a", Body=b"another version")
    get_aws_client("s3").put_object(Bucket=cloud.QUARANTINE, Key=f"uploads/{referral_id}/doc_b", Body=b"an upload")
    before = find_canaries(list_everything(plaintexts))
    assert before >= {"family_name", "mrn", "alias", "feed_note", "handback_lot", "conversation_message"}

    report = json.loads(erase(referral_id, "--json").stdout)
    for other in report["other_referrals"]:
        assert erase(other).exit_code == 0

    assert find_canaries(list_everything(plaintexts)) - OF_THE_PRACTICE == set()
    mentions = [row for name in TABLES for row in list_rows(name) if referral_id in str(row)]
    assert [row["item"] for row in mentions] == ["erased"]
    assert [each["Key"] for each in list_objects() if referral_id in each["Key"]] == []


def test_other_patients_are_untouched(api, plaintexts):
    cloud.create_buckets()
    other = api.refer(patient__alias="Calm Crane", patient__family_name="Other", patient__birth_date="1950-01-01")
    api.move_to(other["referral_id"], "received", "accepted")
    gone = api.refer()["referral_id"]
    api.move_to(gone, "received", "accepted")
    get_aws_client("s3").put_object(Bucket=cloud.DOCUMENTS, Key=f"{other['referral_id']}/doc_a", Body=b"x")
    rows = {name: [row for row in list_rows(name) if other["referral_id"] in str(row)] for name in TABLES}
    pages = read_front_doors(api, other["referral_id"])[:3]

    erase(gone)

    for name, before in rows.items():
        assert [row for row in list_rows(name) if other["referral_id"] in str(row)] == before, name
    assert read_front_doors(api, other["referral_id"])[:3] == pages
    assert len(list_objects()) == 1
    assert CliRunner().invoke(app, ["migrate", "--json"]).exit_code == 0
    api.move_to(other["referral_id"], "consult_scheduled")


def test_both_teams_no_longer_see_the_patient(api):
    cloud.create_buckets()
    referral_id = api.refer(patient__alias="Quiet Quail")["referral_id"]
    api.move_to(referral_id, "received")
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    assert api.center.get("/v1/notices").json["items"] or api.practice.get("/v1/notices").json["items"]

    erase(referral_id)

    for site in (api.practice, api.center):
        assert site.get(f"/v1/referrals/{referral_id}").status == 404
        assert site.get("/v1/referrals").json["items"] == []
        assert site.get("/v1/referrals?q=Quiet").json["items"] == []
        assert site.get("/v1/notices").json["items"] == []
        assert all(count == 0 for count in list_numbers(site.get("/v1/referrals/counts").json))
    body = {"patient__alias": "Quiet Quail", "patient__family_name": "Other", "patient__birth_date": "1950-01-01"}
    api.refer(**body)


def list_numbers(value):
    if isinstance(value, dict):
        return [number for inner in value.values() for number in list_numbers(inner)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


def test_the_audit_trail_says_who_erased_what_and_why_and_stays_intact(api):
    cloud.create_buckets()
    referral_id = api.refer()["referral_id"]
    kept = [row for row in list_rows("audit") if referral_id in str(row)]

    erase(referral_id)

    rows = [row for row in list_rows("audit") if referral_id in str(row)]
    assert [row for row in rows if row in kept] == kept
    [erased] = [row for row in rows if row not in kept]
    assert (erased["action"], erased["reason"]) == ("referral.erase", "patient_request REQ-17")
    assert erased["actor_id"].startswith("operator:")
    assert CliRunner().invoke(app, ["audit", "verify"]).exit_code == 0


def test_a_backup_without_the_key_is_unreadable_and_the_patient_is_erased_again(api):
    """Every row as it was before, except the keys. Both teams' lists still work."""
    cloud.create_buckets()
    referral_id = api.refer()["referral_id"]
    kept = api.refer(patient__alias="Calm Crane", patient__family_name="Other")["referral_id"]
    rows = [row for row in list_rows("referrals") if row["referral_id"] == referral_id]
    erase(referral_id)
    api.stores.referrals.table.delete({"referral_id": referral_id, "item": "erased"})
    for row in rows:
        api.stores.referrals.table.put(row)
    wiring.reset()

    assert restart_stores(api.stores).referrals.get(referral_id) is None
    for site in (api.practice, api.center):
        assert site.get(f"/v1/referrals/{referral_id}").status == 404
        assert [row["referral_id"] for row in site.get("/v1/referrals").json["items"]] == [kept]
        assert site.get("/v1/referrals/counts").status == 200
    assert api.deliver(referral_id, "received").status != 500
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    result = CliRunner().invoke(app, ["erase-restored", "--yes"])
    assert result.stdout == f"{referral_id}\nErased again: 1\n"
    rows = [row for row in list_rows("referrals") if row["referral_id"] == referral_id]
    assert [row["item"] for row in rows] == ["erased"]
    assert CliRunner().invoke(app, ["erase-restored", "--yes"]).stdout.startswith("Erased referrals that a backup")


def test_an_update_about_an_erased_referral_is_refused_and_notifies_no_one(api):
    cloud.create_buckets()
    referral_id = api.refer()["referral_id"]
    api.deliver(referral_id, "received", webhook_id="msg_again")
    erase(referral_id)
    tables, mails = {name: rows for name, rows in dump_tables().items() if name != "audit"}, len(cloud.list_sent_mail())

    for webhook_id in ("msg_again", "msg_new"):
        answer = api.deliver(referral_id, "accepted", webhook_id=webhook_id)
        assert (answer.status, answer.json["code"]) == (409, "referral_erased")
    for queue in TaskQueue:
        run_job(queue, context=wiring.build_job_context())

    assert {name: rows for name, rows in dump_tables().items() if name not in {"audit", "jobs"}} == {
        name: rows for name, rows in tables.items() if name != "jobs"
    }
    assert len(cloud.list_sent_mail()) == mails
    refused = [row for row in list_rows("audit") if row.get("outcome") == "referral_erased"]
    assert len(refused) == 2


@pytest.mark.parametrize("queue", [TaskQueue.EVENT, TaskQueue.PLAN, TaskQueue.OVERDUE])
def test_a_run_that_claimed_a_task_before_the_erasure_ends_calmly(api, monkeypatch, queue):
    """It writes nothing that a second erasure does not remove, sends nothing, and does not fail."""
    cloud.create_buckets()
    referral_id = api.refer()["referral_id"]
    api.deliver(referral_id, "consult_completed")
    real_claim = Outbox.claim
    erased: list[int] = []

    def erase_after_claim(self, row, *, now):
        claim = real_claim(self, row, now=now)
        if not erased:
            erased.append(erase(referral_id).exit_code)
        return claim

    monkeypatch.setattr(Outbox, "claim", erase_after_claim)
    later = wiring.read_clock() + timedelta(days=40)
    mails = len(cloud.list_sent_mail())

    run_job(queue, context=wiring.build_job_context(later))

    assert erased == [0]
    assert len(cloud.list_sent_mail()) == mails
    assert erase(referral_id).exit_code == 0
    left = [row for name in TABLES for row in list_rows(name) if referral_id in str(row)]
    assert [row["item"] for row in left] == ["erased"]


def test_a_center_that_never_had_the_referral_learns_nothing(api):
    cloud.create_buckets()
    referral_id = api.refer()["referral_id"]
    erase(referral_id)

    answer = api.deliver(referral_id, "received", center=OTHER_CENTER)
    unknown = api.deliver("ref_" + "a" * 26, "received", center=OTHER_CENTER)

    assert (answer.status, answer.json["status"]) == (unknown.status, unknown.json["status"]) == (202, "parked")


def test_an_erasure_that_is_interrupted_anywhere_completes_when_it_is_repeated(api, plaintexts):
    """At each fifth call to AWS, before it or after it."""
    cloud.create_buckets()
    with faults.inject_faults(faults.plan_never) as calls:
        erase(refer_canary(api))
    assert len(calls.operations) > 20

    for number in range(1, len(calls.operations) + 1, 5):
        mode = (faults.FaultMode.CRASH_BEFORE, faults.FaultMode.CRASH_AFTER)[number % 2]
        referral_id = refer_canary(api)
        with faults.inject_faults(faults.plan_fault_at(number, mode)), suppress(BaseException):
            erase(referral_id)

        wiring.reset()
        result = erase(referral_id)

        assert result.exit_code == 0, (number, mode, result.output)
        assert find_canaries(list_everything(plaintexts)) - OF_THE_PRACTICE == set(), (number, mode)
        rows = [row for row in list_rows("audit") if row["referral_id"] == referral_id]
        assert [row["action"] for row in rows].count("referral.erase") == 1, (number, mode)


def refer_canary(api):
    """A patient with a canary in each field, whom both teams were notified about."""
    referral_id = api.practice.post("/v1/referrals", build_canary_body()).json["referral_id"]
    api.move_to(referral_id, "received")
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    return referral_id


def test_a_dry_run_and_a_refusal_write_nothing(api):
    referral_id = api.refer()["referral_id"]
    before = dump_tables()

    planned = erase(referral_id, "--dry-run")
    refused = CliRunner().invoke(app, [*QUIET[:-1], referral_id], input="n\n")

    assert (planned.exit_code, refused.exit_code) == (0, 1)
    assert dump_tables() == before
    assert referral_id in planned.stdout


def test_the_referrals_that_continue_each_other_are_erased_together(api):
    """They are one patient; another referral with the same name is only named."""
    cloud.create_buckets()
    first = api.refer()["referral_id"]
    same = api.refer()["referral_id"]
    event = {"type": "stage.changed", "occurred_at": wiring.read_clock().isoformat(), "data": {"stage": "withdrawn"}}
    assert api.practice.post(f"/v1/referrals/{first}/events", event).status == 200
    second = api.refer(continues=first)["referral_id"]

    report = json.loads(erase(second, "--json").stdout)

    assert (set(report["referrals"]), report["other_referrals"]) == ({first, second}, [same])
    assert [row["referral_id"] for row in api.practice.get("/v1/referrals").json["items"]] == [same]


@pytest.mark.parametrize("arguments", [("--reason", "because"), ("--ticket", "Ana Example")], ids=["reason", "ticket"])
def test_what_the_audit_trail_may_not_hold_is_refused(api, arguments):
    referral_id = api.refer()["referral_id"]

    assert erase(referral_id, *arguments).exit_code == 2
    assert api.practice.get(f"/v1/referrals/{referral_id}").status == 200


def test_a_referral_that_never_existed_is_not_erased(api):
    assert erase("ref_" + "b" * 26).exit_code == 2


def test_a_tenant_with_too_many_destroyed_keys_is_reported_and_a_rotation_helps(api, monkeypatch):
    """Everything is deleted all the same."""
    cloud.create_buckets()
    gone, next_one = api.refer()["referral_id"], api.refer(patient__family_name="Other")["referral_id"]
    monkeypatch.setattr(key_tree, "MAX_BYTES", 1500)
    assert erase(gone).exit_code == 0

    result = erase(next_one)

    assert (result.exit_code, "too many erased patients" in result.output) == (1, True)
    assert api.practice.get("/v1/referrals").json["items"] == []
    assert CliRunner().invoke(app, ["keys", "rotate", PRACTICE.tenant_id, "--yes"]).exit_code == 0
    assert CliRunner().invoke(app, ["keys", "rotate", CENTER.tenant_id, "--yes"]).exit_code == 0
    assert erase(next_one).exit_code == 0
