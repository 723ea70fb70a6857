"""The configuration of payers: what operators may write, and what every mistake is called."""

import json

import pytest

from chalicelib.domain.coverage.payers import ConnectionKind
from chalicelib.services.coverage.payer_setups import CACHE_S, PayerDirectory, parse_payers
from chalicelib.settings import SettingsError
from infra.payers import setups
from tests.support.payers import KnownSecrets

URL = "http://127.0.0.1:8470"
SOAP = {
    "payer_id": "example-health",
    "name": "Example Health",
    "kind": "core_soap",
    "address": "https://payer.example/core",
    "electronic_id": "99999",
    "sender_id": "CARTHUB",
    "receiver_id": "PAYERSIM",
    "trace_origin": "9CARTHUB01",
}
JSON = {
    "payer_id": "example-mutual",
    "name": "Example Mutual",
    "kind": "clearinghouse_json",
    "address": "https://clearing.example/eligibility?version=3",
    "electronic_id": "88888",
}


def parse(*rows, **options):
    return parse_payers(json.dumps(rows), **options)


def test_no_configuration_means_no_payers():
    assert parse_payers("") == parse_payers(" \n") == parse_payers("[]") == ()


def test_both_kinds_of_payers_are_read_with_their_defaults():
    soap, clearing_house = parse(SOAP, JSON)

    assert (soap.kind, clearing_house.kind) == (ConnectionKind.CORE_SOAP, ConnectionKind.CLEARINGHOUSE_JSON)
    assert soap.service_types == ("30",)
    assert soap.production is True
    assert soap.credentials is None


def test_every_field_can_be_set():
    [payer] = parse(
        SOAP
        | {
            "names": ["EH"],
            "phone": "+18005550100",
            "credentials": "cart-payer-credentials/eh",
            "service_types": ["30", "78"],
            "many_per_request": True,
            "send_group": True,
            "valid_days": 7,
            "out_of_network_phrases": ["not in network"],
            "max_per_second": 2,
            "production": False,
        }
    )

    assert payer.names == ("EH",)
    assert payer.service_types == ("30", "78")
    assert (payer.valid_days, payer.max_per_second, payer.production) == (7, 2, False)


def test_the_payers_of_a_local_run_are_valid_only_in_a_local_deployment():
    text = json.dumps(setups.build_payers(URL))

    assert len(parse_payers(text, loopback=True)) == 6
    with pytest.raises(SettingsError, match="https"):
        parse_payers(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"address": "http://payer.example/core"}, "https"),
        ({"address": "ftp://payer.example/core"}, "https"),
        ({"address": "payer.example/core"}, "https"),
        ({"address": "https:///core"}, "host"),
        ({"address": "https://user:secret@payer.example/core"}, "credentials"),
        ({"address": "https://payer.example:port/core"}, "not a URL"),
        ({"address": "https://payer.example/core#part"}, "visible ASCII"),
        ({"address": "https://payer.example/co re"}, "visible ASCII"),
        ({"address": "https://payer.example/\r\nX: y"}, "visible ASCII"),
        ({"address": "https://p\u00e1yer.example/core"}, "visible ASCII"),
        ({"kind": "fax"}, "kind is one of core_soap, clearinghouse_json"),
        ({"payer_id": "Example Health"}, "payer_id"),
        ({"name": " "}, "name is a text"),
        ({"sender_id": "cart*hub"}, "sender_id"),
        ({"receiver_id": "A" * 16}, "receiver_id"),
        ({"trace_origin": "CARTHUB"}, "trace_origin"),
        ({"service_types": []}, "service_types"),
        ({"service_types": ["30^78"]}, "service_types"),
        ({"service_types": "30"}, "service_types is a list"),
        ({"names": [""]}, "names is a list"),
        ({"credentials": "../other secret"}, "credentials is the name"),
        ({"credentials": {"password": "hunter2"}}, "credentials is a text"),
        ({"valid_days": 0}, "valid_days"),
        ({"valid_days": True}, "valid_days"),
        ({"max_per_second": "5"}, "max_per_second"),
        ({"production": "no"}, "production is true or false"),
        ({"password": "hunter2"}, "unknown: password"),
    ],
)
def test_a_wrong_value_is_named_without_being_shown(change, message):
    with pytest.raises(SettingsError, match=message) as error:
        parse(JSON, SOAP | change, loopback=True)

    assert str(error.value).startswith("payer 2:")
    assert "hunter2" not in str(error.value)
    assert "secret@" not in str(error.value)


@pytest.mark.parametrize("name", ["payer_id", "name", "kind", "address", "electronic_id"])
def test_a_missing_field_is_named(name):
    row = {key: value for key, value in JSON.items() if key != name}

    with pytest.raises(SettingsError, match=f"missing: {name}"):
        parse(row)


@pytest.mark.parametrize("text", ["{", '{"payers": []}', "[1]", "[" * 100_000])
def test_a_configuration_of_another_shape_is_refused(text):
    with pytest.raises(SettingsError, match="payers"):
        parse_payers(text)


def test_one_payer_cannot_be_configured_twice():
    with pytest.raises(SettingsError, match="twice"):
        parse(JSON, JSON)


@pytest.mark.parametrize("changes", [{"name": "EXAMPLE-HEALTH"}, {"names": ["example health"]}])
def test_two_payers_cannot_share_a_name(changes):
    with pytest.raises(SettingsError, match="share a name"):
        parse(SOAP, JSON | changes)


def test_a_payer_can_repeat_its_own_name():
    assert parse(SOAP | {"names": ["EXAMPLE HEALTH", "E.H."]})[0].names == ("EXAMPLE HEALTH", "E.H.")


def test_a_name_without_letters_is_refused():
    with pytest.raises(SettingsError, match="no letter"):
        parse(JSON | {"names": ["--"]})


class Clock:
    def __init__(self):
        self.seconds = 1_000.0

    def read(self):
        return self.seconds


def build_directory(secrets, *, name=setups.PAYERS_SECRET, clock=None, loopback=True):
    return PayerDirectory(secrets=secrets, secret_name=name, loopback=loopback, read_monotonic=(clock or Clock()).read)


def test_a_site_without_payers_reads_no_secret():
    assert build_directory(KnownSecrets({}), name="").list_all() == ()


def test_a_changed_configuration_counts_after_some_minutes():
    secrets, clock = KnownSecrets({setups.PAYERS_SECRET: json.dumps([SOAP])}), Clock()
    directory = build_directory(secrets, clock=clock)
    assert len(directory.list_all()) == 1
    secrets.values[setups.PAYERS_SECRET] = json.dumps([SOAP, JSON])

    assert len(directory.list_all()) == 1
    clock.seconds += CACHE_S
    assert len(directory.list_all()) == 2


def test_a_missing_configuration_is_an_error_and_not_an_empty_list():
    with pytest.raises(SettingsError, match="PAYERS_SECRET"):
        build_directory(KnownSecrets({})).list_all()


def test_production_refuses_payers_on_this_machine():
    secrets = KnownSecrets(setups.build_secrets(URL))

    with pytest.raises(SettingsError, match="https"):
        build_directory(secrets, loopback=False).list_all()
