"""Connections to simulated payers, through real sockets."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from chalicelib.domain.coverage.payers import AttemptIds, ConnectionKind
from chalicelib.services.coverage.connections import open_connection
from chalicelib.services.coverage.payer_http import HttpLimits
from chalicelib.services.coverage.payer_secrets import CredentialsError, parse_credentials
from infra.payers import setups
from tests.support.payer_answers import ANSWERED_AT, PAYER, a_question

SOAP, JSON = ConnectionKind.CORE_SOAP, ConnectionKind.CLEARINGHOUSE_JSON
PATHS = {SOAP: "/core", JSON: "/json"}
CREDENTIALS = {SOAP: setups.CORE_CREDENTIALS, JSON: setups.JSON_CREDENTIALS}
QUICK = HttpLimits(connect_s=2, read_s=5)

_numbers = itertools.count(1)


class KnownSecrets:
    """Secrets in memory, by name."""

    def __init__(self, values=None):
        self.values = dict(setups.build_secrets("http://127.0.0.1:1") if values is None else values)

    def read_text(self, name):
        if name not in self.values:
            raise CredentialsError("the secret does not exist")
        return self.values[name]

    def read_credentials(self, name):
        return parse_credentials(self.read_text(name))


def connect(url, kind, *, secrets=None, limits=QUICK, **changes):
    """A connection to the payer at an address, by one of the two protocols."""
    values = {"kind": kind, "address": url + PATHS[kind], "credentials": CREDENTIALS[kind], **changes}
    return open_connection(
        replace(PAYER, **values),
        secrets=cast("Any", secrets or KnownSecrets()),
        read_clock=lambda: ANSWERED_AT + timedelta(seconds=1),
        limits=limits,
    )


def build_ids():
    """New ids for an attempt."""
    number = next(_numbers)
    return AttemptIds(
        control_number=number, payload_id=f"payload-{number}", sent_at=datetime(2026, 11, 28, 14, 5, tzinfo=UTC)
    )


def ask(url, kind, question=None, **options):
    """Ask once, and return the exchange."""
    return connect(url, kind, **options).ask(question or a_question(member_id="XEX0001"), ids=build_ids())
