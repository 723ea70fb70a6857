"""The local cloud in its own process. Each start takes a fifth of a second."""

import contextlib
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from chalicelib import clients
from infra.local import cloud, environment, stack
from tests.support import client_contract
from tests.support.damaged_folders import replace_file

TABLE = "notes"


@pytest.fixture
def start_cloud(tmp_path):
    """Start the local cloud on the same folder each time. All processes are killed after the test."""
    clouds = []

    def start():
        clouds.append(cloud.start_cloud(tmp_path))
        return clouds[-1]

    yield start
    for each in clouds:
        with each.process:
            each.process.kill()


@pytest.fixture
def create_client(monkeypatch):
    """Create clients of a local cloud, without any settings of this machine."""
    for name, value in environment.build_product_environment("").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)

    def create(service, local_cloud):
        return get_session().create_client(service, endpoint_url=local_cloud.endpoint)

    return create


def save_notes(dynamodb, *notes):
    if TABLE not in dynamodb.list_tables()["TableNames"]:
        dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "note", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "note", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    for note in notes:
        dynamodb.put_item(TableName=TABLE, Item={"note": {"S": note}})


def read_notes(dynamodb):
    return {item["note"]["S"] for item in dynamodb.scan(TableName=TABLE)["Items"]}


def get_newest_checkpoint(folder):
    current = folder / "state" / "current"
    return current.read_text() if current.exists() else ""


def wait_for_checkpoint(folder, previous):
    give_up_at = time.monotonic() + 60  # A busy machine is slow to start the writer.
    while get_newest_checkpoint(folder) == previous:
        assert time.monotonic() < give_up_at, "no checkpoint"
        time.sleep(0.05)


def list_listening_addresses(process_id):
    """List the addresses on which a process listens, in the format of Linux."""
    sockets = set()
    for descriptor in Path(f"/proc/{process_id}/fd").glob("*"):
        with contextlib.suppress(OSError):
            sockets.add(descriptor.readlink().name.strip("socket:[]"))
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/{process_id}/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in sockets}


def test_the_cloud_listens_on_one_loopback_address_only(start_cloud, create_client):
    """This also holds after the use of services that would open more ports."""
    local_cloud = start_cloud()
    create_client("iot", local_cloud).list_things()
    create_client("transfer", local_cloud).list_servers()

    port = int(local_cloud.endpoint.rpartition(":")[2])
    assert list_listening_addresses(local_cloud.process.pid) == {f"0100007F:{port:04X}"}


def test_a_clean_stop_keeps_all_data_users_and_keys(start_cloud, create_client, tmp_path):
    local_cloud = start_cloud()
    save_notes(create_client("dynamodb", local_cloud), "a", "b")
    pool = create_client("cognito-idp", local_cloud).create_user_pool(PoolName="people")["UserPool"]["Id"]
    key = create_client("kms", local_cloud).create_key()["KeyMetadata"]["KeyId"]
    ciphertext = create_client("kms", local_cloud).encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    local_cloud.stop()

    restarted = start_cloud()

    assert read_notes(create_client("dynamodb", restarted)) == {"a", "b"}
    assert create_client("cognito-idp", restarted).describe_user_pool(UserPoolId=pool)["UserPool"]
    assert create_client("kms", restarted).decrypt(CiphertextBlob=ciphertext)["Plaintext"] == b"secret"
    assert not (tmp_path / "tmp").exists() or not list((tmp_path / "tmp").iterdir())


def test_a_token_is_still_valid_after_a_restart(start_cloud, create_client):
    """The signing keys are kept, so that no one has to sign in again."""
    local_cloud = start_cloud()
    identity = create_client("cognito-idp", local_cloud)
    pool = identity.create_user_pool(PoolName="people")["UserPool"]["Id"]

    def read_keys(running):
        with urllib.request.urlopen(f"{running.endpoint}/{pool}/.well-known/jwks.json") as response:
            return json.load(response)

    keys = read_keys(local_cloud)
    local_cloud.stop()
    restarted = start_cloud()
    save_notes(create_client("dynamodb", restarted), "a")
    restarted.stop()

    assert read_keys(start_cloud()) == keys


def test_a_kill_keeps_the_last_checkpoint(start_cloud, create_client, tmp_path):
    """A change is on disk within five seconds, without any request."""
    local_cloud = start_cloud()
    previous = get_newest_checkpoint(tmp_path)
    save_notes(create_client("dynamodb", local_cloud), "a")
    wait_for_checkpoint(tmp_path, previous)
    os.kill(local_cloud.process.pid, signal.SIGKILL)
    local_cloud.wait()

    assert read_notes(create_client("dynamodb", start_cloud())) == {"a"}


def test_a_kill_during_a_checkpoint_keeps_the_previous_one(start_cloud, create_client, tmp_path):
    """A checkpoint is valid once its name is published, which is the last step."""
    local_cloud = start_cloud()
    save_notes(create_client("dynamodb", local_cloud), "a")
    local_cloud.stop()
    incomplete = tmp_path / "state" / str(int(get_newest_checkpoint(tmp_path)) + 1)
    incomplete.mkdir()
    (incomplete / "dynamodb.json").write_text('{"__ministack_format__": 2, "payload": {"tab')

    assert read_notes(create_client("dynamodb", start_cloud())) == {"a"}


@pytest.mark.parametrize("name", ["dynamodb.json", "current"])
def test_unreadable_data_is_never_taken_for_empty(start_cloud, create_client, tmp_path, name):
    """The start is refused, nothing is changed, and after the printed command the data is there again."""
    local_cloud = start_cloud()
    save_notes(create_client("dynamodb", local_cloud), "a")
    previous = get_newest_checkpoint(tmp_path)
    wait_for_checkpoint(tmp_path, previous)
    local_cloud.stop()
    state = tmp_path / "state"
    damaged = state / "current" if name == "current" else state / get_newest_checkpoint(tmp_path) / name
    replace_file(damaged, lambda file: file.write_bytes(b""))
    before = {file: file.read_bytes() for file in state.rglob("*") if file.is_file()}

    with pytest.raises(cloud.CloudError, match=f"{name} is empty. Nothing was changed") as refused:
        start_cloud()

    assert {file: file.read_bytes() for file in state.rglob("*") if file.is_file()} == before
    [command] = [line for line in str(refused.value).splitlines() if line.startswith("  printf")]
    subprocess.run(["/bin/sh", "-c", command], check=True)
    assert read_notes(create_client("dynamodb", start_cloud())) == {"a"}


def test_data_that_the_cloud_cannot_load_is_refused(start_cloud, create_client, tmp_path):
    """The file is whole and its format is known, but its content is not that of the service."""
    local_cloud = start_cloud()
    save_notes(create_client("dynamodb", local_cloud), "a")
    local_cloud.stop()
    checkpoint = tmp_path / "state" / get_newest_checkpoint(tmp_path)
    other = '{"__ministack_format__": 2, "payload": {"tables": {"__scoped__": true, "data": [1]}}}'
    replace_file(checkpoint / "dynamodb.json", lambda file: file.write_text(other))
    (checkpoint / "manifest").unlink()

    with pytest.raises(cloud.CloudError, match="dynamodb cannot be read by this version"):
        start_cloud()

    assert (checkpoint / "dynamodb.json").read_text() == other


def test_on_a_full_disk_nothing_is_answered_until_there_is_space(start_cloud, create_client, tmp_path):
    """Not even a read, because the product writes an audit row for it. What was answered is not lost."""
    local_cloud = start_cloud()
    dynamodb = create_client("dynamodb", local_cloud)
    save_notes(dynamodb, "a")
    wait_for_checkpoint(tmp_path, "")
    resource.prlimit(local_cloud.process.pid, resource.RLIMIT_FSIZE, (512, resource.RLIM_INFINITY))
    save_notes(dynamodb, "b")
    wait_until(lambda: is_refused(lambda: dynamodb.describe_table(TableName=TABLE)))
    assert is_refused(lambda: save_notes(dynamodb, "c"))

    resource.prlimit(local_cloud.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_until(lambda: not is_refused(lambda: dynamodb.describe_table(TableName=TABLE)))
    os.kill(local_cloud.process.pid, signal.SIGKILL)
    local_cloud.wait()

    assert read_notes(create_client("dynamodb", start_cloud())) == {"a", "b"}


def is_refused(call):
    try:
        call()
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    return False


def wait_until(condition):
    give_up_at = time.monotonic() + 60  # A busy machine is slow.
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


MAX_LOSS_S = 10
"""As README says."""


def test_a_kill_under_load_loses_no_more_than_readme_says(start_cloud, create_client, tmp_path):
    """Clients write without a pause. Each write that was answered ten seconds before the kill is there."""
    local_cloud = start_cloud()
    save_notes(create_client("dynamodb", local_cloud))
    written, stopping = {}, threading.Event()

    def write(client_number):
        dynamodb = create_client("dynamodb", local_cloud)
        for number in itertools.count():
            note = f"{client_number} {number} {'x' * 2000}"
            try:
                save_notes(dynamodb, note)
            except (BotoCoreError, ClientError):
                return
            written[note] = time.monotonic()
            if stopping.is_set():
                return

    with ThreadPoolExecutor(4) as threads:
        for client_number in range(4):
            threads.submit(write, client_number)
        for _ in range(3):
            wait_for_checkpoint(tmp_path, get_newest_checkpoint(tmp_path))
        os.kill(local_cloud.process.pid, signal.SIGKILL)
        killed_at = time.monotonic()
        stopping.set()
    kept = read_all_notes(create_client("dynamodb", start_cloud()))

    lost = [killed_at - at for note, at in written.items() if note not in kept]
    assert len(written) > 10
    assert max(lost, default=0) < MAX_LOSS_S


def read_all_notes(dynamodb):
    pages = dynamodb.get_paginator("scan").paginate(TableName=TABLE)
    return {item["note"]["S"] for page in pages for item in page["Items"]}


def test_reading_does_not_write_a_checkpoint(start_cloud, create_client, tmp_path):
    """The disk of an idle laptop can sleep."""
    local_cloud = start_cloud()
    save_notes(create_client("dynamodb", local_cloud), "a")
    local_cloud.stop()
    previous = get_newest_checkpoint(tmp_path)
    restarted = start_cloud()
    read_notes(create_client("dynamodb", restarted))
    time.sleep(2.5)

    assert get_newest_checkpoint(tmp_path) == previous


def test_the_cloud_stops_cleanly_when_the_process_that_started_it_is_killed(tmp_path, create_client, start_cloud):
    """No process remains, and no confirmed write is lost."""
    code = (
        "import sys, time; from pathlib import Path; from infra.local import cloud; "
        "c = cloud.start_cloud(Path(sys.argv[1])); print(c.endpoint, flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        endpoint = starter.stdout.readline().strip()
        save_notes(get_session().create_client("dynamodb", endpoint_url=endpoint), "a")
        starter.kill()

    assert read_notes(create_client("dynamodb", start_cloud())) == {"a"}
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{endpoint}/_ministack/health", timeout=5)


def test_mail_is_on_disk_before_the_sender_gets_the_response(start_cloud, create_client, tmp_path):
    """Even a kill loses no mail, and the record has the headers of the request."""
    local_cloud = start_cloud()
    ses = create_client("sesv2", local_cloud)
    ses.create_email_identity(EmailIdentity="clinic.example")
    ses.send_email(
        FromEmailAddress="notices@clinic.example",
        ReplyToAddresses=["support@clinic.example"],
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
    os.kill(local_cloud.process.pid, signal.SIGKILL)

    [line] = (tmp_path / "mail.jsonl").read_text().splitlines()
    recorded = json.loads(line)
    assert (recorded["to"], recorded["subject"]) == (["ana@practice.example"], "Day 7")
    assert recorded["reply_to"] == ["support@clinic.example"]
    assert recorded["headers"] == [["X-Notice", "day_7"]]
    assert recorded["tags"] == {"mail_id": "mail_1"}


def test_a_mail_has_the_tags_of_its_own_request_only(start_cloud, create_client, tmp_path):
    """An invitation also sends a mail. It has no tags, whatever is sent next."""
    local_cloud = start_cloud()
    cognito, ses = create_client("cognito-idp", local_cloud), create_client("sesv2", local_cloud)
    pool = cognito.create_user_pool(PoolName="members", UsernameAttributes=["email"])
    cognito.admin_create_user(
        UserPoolId=pool["UserPool"]["Id"],
        Username="bo@practice.example",
        UserAttributes=[{"Name": "email", "Value": "bo@practice.example"}],
        DesiredDeliveryMediums=["EMAIL"],
    )
    ses.create_email_identity(EmailIdentity="clinic.example")
    ses.send_email(
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


def test_an_incomplete_last_line_of_the_mail_record_is_removed_at_the_next_start(start_cloud, tmp_path):
    """Otherwise the next mail would be appended to it."""
    (tmp_path / "mail.jsonl").write_text('{"mail_id": "1"}\n{"mail_id": "2", "sub')

    start_cloud()

    assert (tmp_path / "mail.jsonl").read_text() == '{"mail_id": "1"}\n'


def test_files_and_their_versions_survive_a_restart(start_cloud, create_client):
    """A document that was shared can be opened after the next start."""
    local_cloud = start_cloud()
    s3 = create_client("s3", local_cloud)
    s3.create_bucket(Bucket="files")
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="files", Key="a/b", Body=b"record")["VersionId"]
    local_cloud.stop()
    restarted = create_client("s3", start_cloud())

    assert restarted.get_object(Bucket="files", Key="a/b", VersionId=version)["Body"].read() == b"record"


@pytest.mark.parametrize(
    "header", [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "none"), ("Host", "evil.example")]
)
def test_a_request_from_a_browser_is_rejected(start_cloud, header):
    """Any web page can send requests to loopback. These headers show that a browser sent the request."""
    request = urllib.request.Request(f"{start_cloud().endpoint}/_ministack/health")
    request.add_header(*header)

    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)

    assert raised.value.code == 403
    raised.value.close()


def test_deploying_the_stack_twice_changes_nothing(start_cloud, create_client):
    """The stack has production's tables, identities, key, and mail settings."""
    local_cloud = start_cloud()

    def deploy():
        return stack.deploy(
            local_cloud.endpoint, public_url="http://127.0.0.1:1", mail_from="notices@referrals.example"
        )

    first = deploy()
    second = deploy()

    tables = create_client("dynamodb", local_cloud).list_tables()["TableNames"]
    assert {"cart-referrals", "cart-outbox", "cart-audit"} <= set(tables)
    assert first == second
    assert first["IDENTITY_ISSUER"].endswith(first["IDENTITY_POOL_ID"])
    assert first["IDENTITY_JWKS_URL"].startswith(local_cloud.endpoint)
    assert first["MAIL_FROM"] == "notices@referrals.example"


def test_direct_calls_and_clients_of_botocore_get_the_same_answers(tmp_path, monkeypatch):
    """From a service that checks each signature."""
    with cloud.run_cloud(tmp_path, enforce_policies=True, saving=False) as local_cloud:
        for name, value in environment.build_product_environment(local_cloud.endpoint).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
        kinds = (clients.create_aws_client, clients.create_sdk_client)
        (rows, keys), (stock_rows, stock_keys) = ((create("dynamodb"), create("kms")) for create in kinds)
        key_id = client_contract.prepare(stock_rows, stock_keys)

        assert client_contract.call_rows(rows) == client_contract.call_rows(stock_rows)
        assert client_contract.call_keys(keys, stock_keys, key_id) == client_contract.call_keys(
            stock_keys, keys, key_id
        )
