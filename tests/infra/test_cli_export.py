"""`referrals export` and `import-tenant`: an empty deployment with the import answers like the one that it is from."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from functools import cache
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from app import app as chalice_app
from chalicelib import wiring
from chalicelib.domain.documents.document import CleanedFile
from chalicelib.domain.identity.members import build_membership_key
from chalicelib.domain.notices.tasks import TaskQueue
from chalicelib.routes.notices.preferences import PREFERENCES_PATH
from chalicelib.services.notices.outbox_worker import run_job
from infra.cli.commands import app
from infra.tenant_export.container import read_records
from tests.support import aws_fakes as cloud
from tests.support import factories, faults, tokens
from tests.support.api_driver import STAGES_TO_INFUSED
from tests.support.document_driver import DocumentDriver, SentEvents
from tests.support.factories import CENTER, OTHER_PRACTICE, PRACTICE, build_member, build_views_body
from tests.support.stores import get_aws_client, list_rows

SECRET = "correct horse battery staple"
OF_ONE_REFERRAL = sorted(
    path
    for path, methods in chalice_app.routes.items()
    if "GET" in methods and path.startswith("/v1/referrals/{referral_id}") and path.count("{") == 1
)
OF_THE_TENANT = (
    *("/v1/referrals", "/v1/referrals?q=Exam", "/v1/referrals/counts", "/v1/notices", "/v1/members", "/v1/me"),
    *("/v1/centers", "/v1/practice-directory", "/v1/views", "/v1/me/calendar", PREFERENCES_PATH),
)
NOT_COMPARED = {"/v1/referrals/{referral_id}/packet.pdf"}
"""Set by a function of its own, from what the other answers have."""


def run(*arguments):
    return CliRunner().invoke(app, arguments)


@pytest.fixture(autouse=True)
def buckets(api):
    cloud.create_buckets()


@pytest.fixture
def passphrase(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text(f"{SECRET}\n")
    return str(path)


@pytest.fixture
def clock(monkeypatch):
    """One moment for all that is read, so that answers can be compared."""
    moment = wiring.read_clock() + timedelta(minutes=5)
    return lambda: monkeypatch.setattr(wiring, "read_clock", lambda: moment)


def fill_practice(api):
    """Referrals with every kind of row; one of them in monitoring, one erased."""
    infused, draft, gone = (refer(api, name) for name in ("Exam", "Draft", "Gone"))
    path = f"/v1/referrals/{infused}"
    api.practice.post(f"{path}/messages", {"text": "Is bridging planned?"})
    document = {"kind": "pathology_report", "sent": {"channel": "fax", "sent_on": "2026-11-01", "to": "+14105550188"}}
    api.practice.post(f"{path}/documents", document)
    api.move_to(infused, *STAGES_TO_INFUSED)
    api.practice.post("/v1/me/calendar", None)
    for owner in ("mine", "shared"):
        api.practice.send("PUT", f"/v1/views/{owner}", build_views_body("Late"), headers={"If-Match": '"0"'})
    run_job(TaskQueue.EVENT, context=wiring.build_job_context())
    assert run("erase", gone, "--reason", "duplicate", "--yes").exit_code == 0
    return infused, draft, gone


def refer(api, name):
    return api.refer(patient__family_name=name, submit=name != "Draft")["referral_id"]


def read_everything(api, referral_ids):
    """Every answer that members of the practice can get."""
    admin = api.get_client_for(api.members["practice_admin"])
    answers = {}
    for handle, site in (("coordinator", api.practice), ("admin", admin)):
        for path in OF_THE_TENANT:
            answers[handle, path] = read(site, path)
        for referral_id in referral_ids:
            for route in OF_ONE_REFERRAL:
                if route not in NOT_COMPARED:
                    path = route.replace("{referral_id}", referral_id)
                    answers[handle, path] = read(site, path)
    return answers


def read(site, path):
    answer = site.get(path)
    # Each error has the id of its request, and each cursor is encrypted for itself.
    text = re.sub(r'req_[0-9a-f]+|(?<="next_cursor":")[^"]+', "…", answer.text)
    return answer.status, answer.headers.get("etag"), text


def open_empty_deployment(monkeypatch):
    """Other tables, another KMS key, empty buckets."""
    cloud.clear_tables()
    client = get_aws_client("s3")
    for bucket in (cloud.QUARANTINE, cloud.DOCUMENTS):
        found = client.list_object_versions(Bucket=bucket)
        for row in (*found.get("Versions", ()), *found.get("DeleteMarkers", ())):
            client.delete_object(Bucket=bucket, Key=row["Key"], VersionId=row["VersionId"])
    monkeypatch.setenv("KMS_KEY_ID", cloud.create_key())
    wiring.reset()


def export(tmp_path, passphrase, tenant=PRACTICE.tenant_id):
    file = tmp_path / "tenant.export"
    result = run("export", "--tenant", tenant, "--to", str(file), "--passphrase-file", passphrase, "--yes")
    assert result.exit_code == 0, result.output
    return file


def import_tenant(file, passphrase, *arguments):
    return run("import-tenant", str(file), "--passphrase-file", passphrase, "--yes", *arguments)


def test_an_empty_deployment_with_the_import_gives_the_same_answers(api, tmp_path, passphrase, clock, monkeypatch):
    referral_ids = fill_practice(api)
    clock()
    file = export(tmp_path, passphrase)
    before = read_everything(api, referral_ids)
    assert sum(status == 200 for status, _, _ in before.values()) > 40

    open_empty_deployment(monkeypatch)
    result = import_tenant(file, passphrase)

    assert result.exit_code == 0, result.output
    after = read_everything(api, referral_ids)
    assert {key: (value, before[key]) for key, value in after.items() if value != before[key]} == {}
    assert run("audit", "verify").exit_code == 0
    assert [row["reason"][:8] for row in list_rows("audit") if row.get("action") == "tenant.import"] == ["exported"]


def test_an_import_makes_the_counts_of_long_lists_again(api, tmp_path, passphrase, monkeypatch):
    """The list of a center gets the practice's referrals, with the old times of their changes."""
    api.refer()
    file = export(tmp_path, passphrase)
    open_empty_deployment(monkeypatch)
    table = wiring.get_stores().list_snapshots.table
    table.put({"scope_key": f"list#{CENTER.tenant_id}", "content": b"of before"})
    import_tenant(file, passphrase)

    [row] = [row for row in list_rows("idempotency") if row["scope_key"] == f"list#{CENTER.tenant_id}"]
    assert "content" not in row


def test_work_goes_on_in_the_new_deployment(api, tmp_path, passphrase, monkeypatch):
    """What was planned stays planned, a repeated request is recognized, and an erased patient stays erased."""
    infused, draft, gone = fill_practice(api)
    planned = {row["outbox_id"] for row in list_rows("outbox") if "lane" in row and row.get("referral_id") == infused}
    file = export(tmp_path, passphrase)
    open_empty_deployment(monkeypatch)
    import_tenant(file, passphrase)

    assert planned <= {row["outbox_id"] for row in list_rows("outbox") if "lane" in row}
    assert api.practice.patch(f"/v1/referrals/{draft}", {"urgency": "urgent"}, version=1).status == 200
    assert api.practice.post(f"/v1/referrals/{infused}/messages", {"text": "Hello again."}).status == 201
    assert wiring.get_stores().erasures.get(gone) is not None
    run_job(TaskQueue.PLAN, context=wiring.build_job_context())


def test_a_document_opens_in_the_new_deployment(api, tmp_path, passphrase, monkeypatch):
    referral_id = api.refer()["referral_id"]
    stored = get_aws_client("s3").put_object(Bucket=cloud.DOCUMENTS, Key="other", Body=b"of another tenant")
    documents = DocumentDriver(api, referral_id, SentEvents())
    document_id = share_document(api, documents)
    file = export(tmp_path, passphrase)
    open_empty_deployment(monkeypatch)

    assert import_tenant(file, passphrase).exit_code == 0

    document = wiring.get_stores().documents.get(referral_id, document_id, scope=PRACTICE.tenant_id)
    assert document
    assert document.stored
    opened = get_aws_client("s3").get_object(
        Bucket=cloud.DOCUMENTS, Key=f"{referral_id}/{document_id}", VersionId=document.stored.version_id
    )
    assert opened["Body"].read() == b"the checked copy"
    assert stored["VersionId"] != document.stored.version_id


def share_document(api, documents):
    """A document that is available, without the check function."""
    document_id = documents.add()
    stores = api.stores
    read_document = stores.documents.get(documents.referral_id, document_id, scope=PRACTICE.tenant_id)
    put = get_aws_client("s3").put_object(
        Bucket=cloud.DOCUMENTS, Key=f"{documents.referral_id}/{document_id}", Body=b"the checked copy"
    )
    copy = CleanedFile(version_id=put["VersionId"], size=16, sha256="0" * 64, pages=1)
    shared = replace(read_document, stored=copy)
    stores.transactions.commit(
        stores.documents.prepare_save(documents.referral_id, shared, read=read_document, scope=PRACTICE.tenant_id)
    )
    return document_id


def test_the_file_reveals_nothing_without_the_passphrase(api, tmp_path, passphrase):
    api.refer(patient__family_name="Qvortrup")
    file = export(tmp_path, passphrase)

    content = file.read_bytes()

    header = json.loads(content.partition(b"\n")[0])
    assert header["tenant_id"] == PRACTICE.tenant_id
    assert b"Qvortrup" not in content
    assert PRACTICE.name.encode() not in content
    assert file.stat().st_mode & 0o077 == 0


def test_nothing_of_another_tenant_is_in_the_file(api, tmp_path, passphrase):
    """The directory of centers is public."""
    api.refer()
    other = api.other_practice.post("/v1/referrals", {"submit": False, "patient": {"family_name": "Hidden"}})
    assert other.status == 201, other.text
    file = export(tmp_path, passphrase)

    records = [json.dumps(record) for record in read_records(file, passphrase=SECRET) if record.get("table") != "audit"]

    assert not [
        record for record in records if OTHER_PRACTICE.tenant_id in record or other.json["referral_id"] in record
    ]
    assert not [record for record in records if api.members["center"].email in record]


def test_an_import_into_a_deployment_that_has_the_tenant_changes_nothing(api, tmp_path, passphrase):
    api.refer()
    file = export(tmp_path, passphrase)
    before = list_rows("referrals"), list_rows("audit"), list_rows("keys")

    result = import_tenant(file, passphrase)

    assert (result.exit_code, "has prc_cedar already" in result.output) == (2, True)
    assert (list_rows("referrals"), list_rows("audit"), list_rows("keys")) == before


@pytest.mark.parametrize("damage", ["cut", "changed", "swapped", "passphrase"])
def test_nothing_is_written_from_a_file_that_is_damaged(api, tmp_path, passphrase, monkeypatch, damage):
    api.refer()
    file = export(tmp_path, passphrase)
    content = bytearray(file.read_bytes())
    if damage == "cut":
        del content[-40:]
    elif damage == "changed":
        content[-40] ^= 1
    elif damage == "swapped":
        content[:200] = content[:200].replace(b"2026", b"2027")
    else:
        (tmp_path / "passphrase").write_text("another passphrase that is long")
    file.write_bytes(content)
    open_empty_deployment(monkeypatch)

    assert import_tenant(file, passphrase).exit_code == 2
    assert list_rows("referrals") == list_rows("keys") == []


def test_an_import_that_is_interrupted_completes_when_it_is_repeated(api, tmp_path, passphrase, monkeypatch):
    api.refer()
    file = export(tmp_path, passphrase)
    before = [row for row in list_rows("referrals") if row["item"] == "referral"]
    open_empty_deployment(monkeypatch)
    with faults.inject_faults(faults.plan_fault_at(12, faults.FaultMode.CRASH_AFTER)), pytest.raises(BaseException):  # noqa: B017 a simulated crash
        CliRunner().invoke(
            app,
            ["import-tenant", str(file), "--passphrase-file", passphrase, "--yes"],
            catch_exceptions=False,
        )

    wiring.reset()
    result = import_tenant(file, passphrase)

    assert result.exit_code == 0, result.output
    assert [row for row in list_rows("referrals") if row["item"] == "referral"] == before


def test_an_export_asks_and_is_in_the_audit_trail(api, tmp_path, passphrase):
    file = tmp_path / "refused.export"
    refused = CliRunner().invoke(app, ["export", "--tenant", PRACTICE.tenant_id, "--to", str(file)], input="n\n")
    assert (refused.exit_code, file.exists()) == (1, False)

    export(tmp_path, passphrase)

    [row] = [row for row in list_rows("audit") if row.get("action") == "tenant.export"]
    assert row["subject"] == f"tenant#{PRACTICE.tenant_id}"


def test_a_center_takes_its_own_records_and_no_referral(api, tmp_path, passphrase, monkeypatch):
    referral_id = api.refer()["referral_id"]
    api.deliver(referral_id, "received", webhook_id="msg_own")
    directory = api.center.get("/v1/centers").text
    file = export(tmp_path, passphrase, tenant=CENTER.tenant_id)
    open_empty_deployment(monkeypatch)

    assert import_tenant(file, passphrase).exit_code == 0

    assert api.center.get("/v1/centers").text == directory
    assert wiring.get_stores().delivery_log.get_entry(CENTER.tenant_id, "msg_own") is not None
    assert list_rows("referrals") == []
    secrets = wiring.get_stores().secrets.list_valid(CENTER.tenant_id, now=wiring.read_clock())
    assert api.secrets[CENTER.tenant_id] in secrets


@pytest.fixture
def accounts(monkeypatch):
    """The addresses that were invited. The new user pool gives each of them one person."""
    invited = []

    def create_account(email, **_pool):
        invited.append(email)
        return f"new-{email}"

    service = SimpleNamespace(create_account=create_account)
    monkeypatch.setattr(wiring, "get_identity_service", cache(lambda: service))
    return invited


def join(api, person, *tenants):
    """Make a person a member of organizations, in this order, and return the members."""
    joined = []
    for tenant in tenants:
        member = build_member(tenant, n=7, email="quill@shared.example", name=f"Dr. Quill at {tenant.name}")
        store = wiring.get_stores().members
        known = store.list_for_person(person)
        member = replace(member, subject=build_membership_key(person, member.member_id) if known else person)
        writes = store.prepare_add_later(member) if known else store.prepare_add(member)
        wiring.get_stores().transactions.commit(*writes)
        joined.append(member)
    return joined


def list_memberships(api, person):
    """What the person's app lists."""
    items = api.anyone.with_token(tokens.create_token(person)).get("/v1/memberships").json["items"]
    return [(item["member_id"], item["name"]) for item in items]


IN_EITHER_ORDER = pytest.mark.parametrize(
    "order", [(PRACTICE, CENTER), (CENTER, PRACTICE)], ids=["exported-first", "exported-later"]
)
"""The exported membership is the one with the person's id as its key, or one with a key of its own."""


@IN_EITHER_ORDER
@pytest.mark.parametrize("has_new_pool", [True, False], ids=["create-accounts", "same-pool"])
def test_a_person_of_several_organizations_arrives_with_one(
    api, tmp_path, passphrase, monkeypatch, accounts, order, has_new_pool
):
    """The export says nothing about the other organization, and the person can act in this one."""
    joined = {member.tenant_id: member for member in join(api, "sub-quill", *order)}
    member = joined[PRACTICE.tenant_id]
    file = export(tmp_path, passphrase)
    open_empty_deployment(monkeypatch)

    result = import_tenant(file, passphrase, *(["--create-accounts"] if has_new_pool else []))

    assert result.exit_code == 0, result.output
    person = f"new-{member.email}" if has_new_pool else "sub-quill"
    assert list_memberships(api, person) == [(member.member_id, member.name)]
    client = api.anyone.with_token(tokens.create_token(person))
    assert client.get("/v1/me").json["member_id"] == member.member_id
    assert client.with_membership(member.member_id).get("/v1/me").status == 200
    assert accounts.count(member.email) == has_new_pool


@IN_EITHER_ORDER
@pytest.mark.parametrize("has_new_pool", [True, False], ids=["create-accounts", "same-pool"])
def test_a_person_whom_the_new_deployment_knows_gets_a_further_membership(
    api, tmp_path, passphrase, monkeypatch, accounts, order, has_new_pool
):
    """After those that the person has there, which stay as they are."""
    person = "new-quill@shared.example" if has_new_pool else "sub-quill"
    joined = {member.tenant_id: member for member in join(api, "sub-quill", *order)}
    file = export(tmp_path, passphrase)
    open_empty_deployment(monkeypatch)
    factories.add_tenants(wiring.get_stores(), [OTHER_PRACTICE])
    [known] = join(api, person, OTHER_PRACTICE)

    result = import_tenant(file, passphrase, *(["--create-accounts"] if has_new_pool else []))

    assert result.exit_code == 0, result.output
    imported = joined[PRACTICE.tenant_id]
    assert list_memberships(api, person) == [(known.member_id, known.name), (imported.member_id, imported.name)]
    client = api.anyone.with_token(tokens.create_token(person))
    for member in (known, imported):
        assert client.with_membership(member.member_id).get("/v1/me").json["name"] == member.name
    roster = {row["member_id"]: row["subject"] for row in list_rows("roster")}
    assert roster[imported.member_id] == build_membership_key(person, imported.member_id)


def test_organizations_that_are_imported_one_after_the_other_share_their_people(
    api, tmp_path, passphrase, monkeypatch, accounts
):
    """Each person gets one account, which opens both."""
    at_practice, at_center = join(api, "sub-quill", PRACTICE, CENTER)
    files = [export(tmp_path / name, passphrase, tenant) for name, tenant in folders(tmp_path)]
    open_empty_deployment(monkeypatch)

    for file in files:
        assert import_tenant(file, passphrase, "--create-accounts").exit_code == 0

    names = [(each.member_id, each.name) for each in (at_center, at_practice)]
    assert list_memberships(api, f"new-{at_practice.email}") == names
    stored = {row["member_id"]: row["subject"] for row in list_rows("members") if "member_id" in row}
    assert {row["member_id"]: row["subject"] for row in list_rows("roster")} == stored


def folders(tmp_path):
    """A folder for the file of each organization, the center first."""
    for tenant in (CENTER, PRACTICE):
        (tmp_path / tenant.tenant_id).mkdir()
        yield tenant.tenant_id, tenant.tenant_id


def test_a_disabled_member_gets_no_account(api, tmp_path, passphrase, monkeypatch, accounts):
    """The membership arrives, and stays disabled."""
    disabled = build_member(n=9, active=False)
    factories.add_members(api.stores, [disabled])
    file = export(tmp_path, passphrase)
    open_empty_deployment(monkeypatch)

    import_tenant(file, passphrase, "--create-accounts")

    stored = wiring.get_stores().members.get_by_member_id(PRACTICE.tenant_id, disabled.member_id)
    assert stored == disabled
    assert disabled.email not in accounts


def test_an_interrupted_import_with_accounts_adds_each_membership_once(
    api, tmp_path, passphrase, monkeypatch, accounts
):
    """After the commits of the first two."""
    join(api, "sub-quill", CENTER, PRACTICE)
    file = export(tmp_path, passphrase)
    open_empty_deployment(monkeypatch)
    join(api, "new-quill@shared.example", OTHER_PRACTICE)
    arguments = ("import-tenant", str(file), "--passphrase-file", passphrase, "--yes", "--create-accounts")
    for _ in range(2):
        plan = faults.plan_nth_fault("TransactWriteItems", 1, faults.FaultMode.CRASH_AFTER)
        with faults.inject_faults(plan), pytest.raises(faults.SimulatedCrash):
            CliRunner().invoke(app, arguments, catch_exceptions=False)

    assert import_tenant(file, passphrase, "--create-accounts").exit_code == 0

    members = wiring.get_stores().members
    assert len(members.list_for_person("new-quill@shared.example")) == 2
    roster = [row["member_id"] for row in list_rows("roster") if row["tenant_id"] == PRACTICE.tenant_id]
    assert sorted(roster) == sorted(each.member_id for each in members.list_for_tenant(PRACTICE.tenant_id))
