"""With the real local cloud, in its own process. Each start takes a fifth of a second."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from botocore.session import get_session

from infra.local import cloud, environment, stack

TABLE = "notes"


@pytest.fixture
def start_cloud_on(tmp_path):
    """Starts the local cloud on one folder, again and again; each is gone at the end."""
    clouds = []

    def start():
        clouds.append(cloud.start_cloud(tmp_path))
        return clouds[-1]

    yield start
    for each in clouds:
        with each.process:
            each.process.kill()


@pytest.fixture
def make_client(monkeypatch):
    """Makes clients of a local cloud, with nothing of this machine's settings."""
    for name, value in environment.build_product_environment("").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)

    def of(service, there):
        return get_session().create_client(service, endpoint_url=there.endpoint)

    return of


def keep(dynamodb, *notes):
    if TABLE not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "note", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "note", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    for note in notes:
        dynamodb.put_item(TableName=TABLE, Item={"note": {"S": note}})


def kept(dynamodb):
    return {item["note"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]}


def newest_checkpoint(folder):
    current = folder / "state" / "current"
    return current.read_text() if current.exists() else ""


def wait_for_a_checkpoint(folder, before):
    give_up_at = time.monotonic() + 15
    while newest_checkpoint(folder) == before:
        assert time.monotonic() < give_up_at, "no checkpoint"
        time.sleep(0.05)


def listening(process_id):
    """The addresses that a process listens on, as Linux tells them."""
    of_the_process = set()
    for descriptor in Path(f"/proc/{process_id}/fd").glob("*"):
        with contextlib.suppress(OSError):
            of_the_process.add(descriptor.readlink().name.strip("socket:[]"))
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/{process_id}/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in of_the_process}


def test_it_listens_on_one_loopback_address_only(start_cloud_on, make_client):
    """Also after the services were used that would like to open more."""
    there = start_cloud_on()
    make_client("iot", there).list_things()
    make_client("transfer", there).list_servers()

    port = int(there.endpoint.rpartition(":")[2])
    assert listening(there.process.pid) == {f"0100007F:{port:04X}"}


def test_a_clean_stop_keeps_everything(start_cloud_on, make_client, tmp_path):
    """Whatever was answered is there at the next start, users and keys too."""
    there = start_cloud_on()
    keep(make_client("dynamodb", there), "a", "b")
    pool = make_client("cognito-idp", there).create_user_pool(PoolName="people")["UserPool"]["Id"]
    key = make_client("kms", there).create_key()["KeyMetadata"]["KeyId"]
    sealed = make_client("kms", there).encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    there.stop()

    again = start_cloud_on()

    assert kept(make_client("dynamodb", again)) == {"a", "b"}
    assert make_client("cognito-idp", again).describe_user_pool(UserPoolId=pool)["UserPool"]
    assert make_client("kms", again).decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"
    assert not (tmp_path / "tmp").exists() or not list((tmp_path / "tmp").iterdir())


def test_a_token_is_still_good_after_a_restart(start_cloud_on, make_client):
    """The keys that it was signed with are kept, so nobody has to sign in again."""
    there = start_cloud_on()
    identity = make_client("cognito-idp", there)
    pool = identity.create_user_pool(PoolName="people")["UserPool"]["Id"]

    def keys(at):
        with urllib.request.urlopen(f"{at.endpoint}/{pool}/.well-known/jwks.json") as answer:
            return json.load(answer)

    before = keys(there)
    there.stop()
    again = start_cloud_on()
    keep(make_client("dynamodb", again), "a")
    again.stop()

    assert keys(start_cloud_on()) == before


def test_a_kill_keeps_the_last_checkpoint(start_cloud_on, make_client, tmp_path):
    """What was written is on disk within five seconds, without anybody asking."""
    there = start_cloud_on()
    before = newest_checkpoint(tmp_path)
    keep(make_client("dynamodb", there), "a")
    wait_for_a_checkpoint(tmp_path, before)
    os.kill(there.process.pid, signal.SIGKILL)
    there.wait()

    assert kept(make_client("dynamodb", start_cloud_on())) == {"a"}


def test_a_kill_in_the_middle_of_a_checkpoint_leaves_the_one_before(start_cloud_on, make_client, tmp_path):
    """A checkpoint counts when it is named, which is the last thing that happens to it."""
    there = start_cloud_on()
    keep(make_client("dynamodb", there), "a")
    there.stop()
    half = tmp_path / "state" / str(int(newest_checkpoint(tmp_path)) + 1)
    half.mkdir()
    (half / "dynamodb.json").write_text('{"__ministack_format__": 2, "payload": {"tab')

    assert kept(make_client("dynamodb", start_cloud_on())) == {"a"}


def test_a_checkpoint_follows_a_change_only(start_cloud_on, make_client, tmp_path):
    """Reading writes nothing, so an idle laptop's disk may sleep."""
    there = start_cloud_on()
    keep(make_client("dynamodb", there), "a")
    there.stop()
    before = newest_checkpoint(tmp_path)
    again = start_cloud_on()
    kept(make_client("dynamodb", again))
    time.sleep(2.5)

    assert newest_checkpoint(tmp_path) == before


def test_it_ends_cleanly_when_its_starter_is_killed(tmp_path, make_client, start_cloud_on):
    """No cloud is left behind, and nothing that it had answered is lost."""
    code = (
        "import sys, time; from pathlib import Path; from infra.local import cloud; "
        "c = cloud.start(Path(sys.argv[1])); print(c.endpoint, flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        endpoint = starter.stdout.readline().strip()
        keep(get_session().create_client("dynamodb", endpoint_url=endpoint), "a")
        starter.kill()

    assert kept(make_client("dynamodb", start_cloud_on())) == {"a"}
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5)


def test_mail_is_on_disk_before_its_sender_hears_of_it(start_cloud_on, make_client, tmp_path):
    """So that not even a kill loses one, and its own headers are there."""
    there = start_cloud_on()
    mail = make_client("sesv2", there)
    mail.create_email_identity(EmailIdentity="clinic.example")
    mail.send_email(
        FromEmailAddress="notices@clinic.example",
        ReplyToAddresses=["desk@clinic.example"],
        EmailTags=[{"Name": "mail_id", "Value": "mail_1"}],
        Destination={"ToAddresses": ["ana@practice.example"]},
        Content={
            "Simple": {
                "Subject": {"Data": "Day 7"},
                "Body": {"Text": {"Data": "Tomorrow."}},
                "Headers": [{"Name": "X-Notice", "Value": "day_7"}],
            }
        },
    )
    os.kill(there.process.pid, signal.SIGKILL)

    [line] = (tmp_path / "mail.jsonl").read_text().splitlines()
    recorded = json.loads(line)
    assert (recorded["to"], recorded["subject"]) == (["ana@practice.example"], "Day 7")
    assert recorded["reply_to"] == ["desk@clinic.example"]
    assert recorded["headers"] == [["X-Notice", "day_7"]]
    assert recorded["tags"] == {"mail_id": "mail_1"}


def test_a_mail_has_the_tags_of_its_own_request(start_cloud_on, make_client, tmp_path):
    """The mail that an invitation makes by the way has none, whatever is sent next."""
    there = start_cloud_on()
    identities, mail = make_client("cognito-idp", there), make_client("sesv2", there)
    pool = identities.create_user_pool(PoolName="members", UsernameAttributes=["email"])
    identities.admin_create_user(
        UserPoolId=pool["UserPool"]["Id"],
        Username="bo@practice.example",
        UserAttributes=[{"Name": "email", "Value": "bo@practice.example"}],
        DesiredDeliveryMediums=["EMAIL"],
    )
    mail.create_email_identity(EmailIdentity="clinic.example")
    mail.send_email(
        FromEmailAddress="notices@clinic.example",
        EmailTags=[{"Name": "mail_id", "Value": "mail_1"}],
        Destination={"ToAddresses": ["ana@practice.example"]},
        Content={"Simple": {"Subject": {"Data": "Day 7"}, "Body": {"Text": {"Data": "Now."}}}},
    )

    lines = (tmp_path / "mail.jsonl").read_text().splitlines()
    assert {(mail["to"][0], mail["tags"].get("mail_id")) for mail in map(json.loads, lines)} == {
        ("bo@practice.example", None),
        ("ana@practice.example", "mail_1"),
    }


def test_half_a_line_of_mail_is_cut_off_at_the_next_start(start_cloud_on, tmp_path):
    """What a kill left of it would spoil the next mail."""
    (tmp_path / "mail.jsonl").write_text('{"mail_id": "1"}\n{"mail_id": "2", "sub')

    start_cloud_on()

    assert (tmp_path / "mail.jsonl").read_text() == '{"mail_id": "1"}\n'


@pytest.mark.parametrize(
    "header", [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "none"), ("Host", "evil.example")]
)
def test_a_page_in_a_browser_cannot_use_the_cloud(start_cloud_on, header):
    """Any page may send requests to loopback; these say that a browser sent them."""
    request = urllib.request.Request(f"{start_cloud_on().endpoint}/_ministack/health")
    request.add_header(*header)

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)

    assert refused.value.code == 403
    refused.value.close()


def test_the_stack_of_production_is_made_once(start_cloud_on, make_client):
    """Tables, identities, key and mail settings; doing it again changes none of them."""
    there = start_cloud_on()

    def deploy():
        return stack.deploy(there.endpoint, public_url="http://127.0.0.1:1", mail_from="notices@referrals.example")

    first = deploy()
    second = deploy()

    tables = make_client("dynamodb", there).list_tables()["TableNames"]
    assert {"cart-referrals", "cart-outbox", "cart-audit"} <= set(tables)
    assert first == second
    assert first["IDENTITY_ISSUER"].endswith(first["IDENTITY_POOL_ID"])
    assert first["IDENTITY_JWKS_URL"].startswith(there.endpoint)
    assert first["MAIL_FROM"] == "notices@referrals.example"
