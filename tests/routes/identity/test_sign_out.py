"""Signing out ends access with the next request, on every device, without another call to AWS."""

from datetime import timedelta

import pytest
import time_machine

from chalicelib import wiring
from chalicelib.services.identity.sessions import end_sessions
from chalicelib.store.platform.dynamo import DynamoTable
from tests.support.identity import renew

get = DynamoTable.get


def read_me(client):
    return client.get("/v1/me").status


def sign_out(client):
    return client.send("DELETE", "/v1/sessions").status


def test_an_access_token_stops_working_at_sign_out(every_mfa):
    """S8: not after up to 60 minutes, but with the next request."""
    client = every_mfa.open_session()
    assert read_me(client) == 200

    assert sign_out(client) == 204

    assert read_me(client) == 401


def test_signing_out_ends_the_sessions_on_all_devices(optional_mfa):
    """Of a phone that was lost, for example."""
    with time_machine.travel(wiring.read_clock(), tick=False) as clock:
        phone = optional_mfa.open_session()
        clock.shift(timedelta(seconds=1))
        desktop = optional_mfa.open_session()
        clock.shift(timedelta(seconds=1))

        sign_out(desktop)

        assert [read_me(phone), read_me(desktop)] == [401, 401]


def test_a_renewed_token_belongs_to_the_session_that_ended(optional_mfa):
    """Even if the identity service still renewed it: what counts is when the password was proven."""
    with time_machine.travel(wiring.read_clock(), tick=False) as clock:
        tokens = optional_mfa.sign_in().json
        clock.shift(timedelta(minutes=30))
        renewed = renew(optional_mfa.anyone, tokens["refresh_token"]).json["access_token"]
        clock.shift(timedelta(seconds=1))
        end_sessions(optional_mfa.member.subject, why="test", context=wiring.build_run_context())

        assert read_me(optional_mfa.anyone.with_token(renewed)) == 401


def test_a_person_can_sign_in_again_in_the_same_second(optional_mfa):
    """Times in tokens are whole seconds, and a new session is not the one that ended."""
    with time_machine.travel(wiring.read_clock(), tick=False):
        old = optional_mfa.open_session()
        sign_out(old)

        new = optional_mfa.open_session()

        assert [read_me(old), read_me(new)] == [401, 200]


@pytest.mark.parametrize("seconds", [0, 1])
def test_signing_out_again_and_again_keeps_every_session_ended(optional_mfa, seconds):
    """Also of a program that signs in and out in a loop, many times a second."""
    ended = []
    with time_machine.travel(wiring.read_clock(), tick=False) as clock:
        for _ in range(7):
            ended.append(optional_mfa.open_session())
            clock.shift(timedelta(seconds=seconds))
            sign_out(ended[-1])

        assert [read_me(client) for client in ended] == [401] * 7


def test_an_administrators_change_keeps_ended_sessions_ended(optional_mfa):
    """The member's row is written as a whole, and loses nothing."""
    client = optional_mfa.open_session()
    sign_out(client)
    member = optional_mfa.reload_member()

    changed = optional_mfa.open_admin().patch(
        f"/v1/members/{member.member_id}", {"roles": ["provider"]}, version=member.version
    )

    assert changed.status == 200
    assert read_me(client) == 401


def test_a_change_that_was_read_before_the_sign_out_is_stale(optional_mfa):
    """Otherwise it would open the session again."""
    client, version = optional_mfa.open_session(), optional_mfa.reload_member().version
    sign_out(client)

    changed = optional_mfa.open_admin().patch(
        f"/v1/members/{optional_mfa.member.member_id}", {"roles": ["provider"]}, version=version
    )

    assert (changed.status, read_me(client)) == (412, 401)


def test_a_check_of_a_session_costs_no_further_read(optional_mfa, monkeypatch):
    """Every request reads the member anyway, strongly consistent."""
    client, calls = optional_mfa.open_session(), []

    def count_and_get(table, key):
        calls.append(table.name)
        return get(table, key)

    monkeypatch.setattr(DynamoTable, "get", count_and_get)
    optional_mfa.pool.calls.clear()

    read_me(client)

    assert calls.count("cart-members") == 1
    assert optional_mfa.pool.calls == []


def test_signing_out_leaves_an_audit_row(optional_mfa):
    """Who ended it."""
    sign_out(optional_mfa.open_session())

    assert optional_mfa.list_actions() == [("session.start", "allowed"), ("session.end", "allowed")]


def test_a_row_of_an_earlier_release_can_sign_out(optional_mfa):
    """Rows of the first release have neither a version nor ended sessions."""
    members = optional_mfa.clinic.stores.members
    members.table.update(
        {"subject": optional_mfa.member.subject}, "REMOVE version", when="attribute_exists(subject)", values={}
    )
    client = optional_mfa.open_session()

    assert sign_out(client) == 204
    assert read_me(client) == 401
