"""Reads the configuration of payers, which operators write. Nothing works with a part of it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.coverage.payers import ConnectionKind, PayerSetup, normalize_payer_name
from chalicelib.services.coverage.payer_secrets import CredentialsError, PayerSecrets
from chalicelib.settings import SettingsError

_PAYER_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}", re.ASCII)
_SERVICE_TYPE = re.compile(r"[A-Z0-9]{1,3}", re.ASCII)
_PARTY = re.compile(r"[A-Z0-9 ]{2,15}", re.ASCII)
_TRACE_ORIGIN = re.compile(r"[19][A-Z0-9]{9}", re.ASCII)
_SECRET_NAME = re.compile(r"[A-Za-z0-9/_+=.@:-]{1,512}", re.ASCII)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_VALID_DAYS = 92
_MAX_PER_SECOND = 50

_FIELDS = {each.name: each for each in fields(PayerSetup)}
_REQUIRED = frozenset(name for name, each in _FIELDS.items() if each.default is MISSING)
_LISTS = frozenset({"names", "out_of_network_phrases", "service_types"})
_FLAGS = frozenset({"many_per_request", "production", "send_group"})
_NUMBERS = {"max_per_second": _MAX_PER_SECOND, "valid_days": _MAX_VALID_DAYS}


CACHE_S = 300
"""Seconds that the configuration stays in memory. After that, a changed one counts everywhere."""


@dataclass(slots=True, kw_only=True)
class PayerDirectory:
    """The configured payers, read from a secret when first needed.

    Attributes:
        secret_name: The secret with the configuration; empty for no payers.
        loopback: As in `parse_payers`.
        read_monotonic: Seconds of a clock that only measures durations.
    """

    secrets: PayerSecrets
    secret_name: str
    loopback: bool
    read_monotonic: Callable[[], float]
    _cache: tuple[float, tuple[PayerSetup, ...]] | None = field(default=None, init=False)

    def list_all(self) -> tuple[PayerSetup, ...]:
        """List all payers; none if no electronic checks are set up.

        Raises:
            SettingsError: the configuration is missing or not valid.
            UnavailableError: Secrets Manager does not respond.
        """
        if not self.secret_name:
            return ()
        now = self.read_monotonic()
        if self._cache is None or now - self._cache[0] >= CACHE_S:
            try:
                text = self.secrets.read_text(self.secret_name)
            except CredentialsError as e:
                raise SettingsError("PAYERS_SECRET names no secret with a text") from e
            self._cache = (now, parse_payers(text, loopback=self.loopback))
        return self._cache[1]


def parse_payers(text: str, *, loopback: bool = False) -> tuple[PayerSetup, ...]:
    """Parse the configuration: a JSON list of objects with the fields of `PayerSetup`.

    Args:
        text: Empty for no payers.
        loopback: Whether an address on this machine, without TLS, is allowed: in a local deployment.

    Raises:
        SettingsError: an entry is not valid. The message names the payer and the field, and no value.
    """
    if not text.strip():
        return ()
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise SettingsError("The payers are not JSON") from e
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SettingsError("The payers are not a JSON list of objects")
    payers = tuple(_parse_payer(row, f"payer {number}", loopback=loopback) for number, row in enumerate(rows, start=1))
    _require(len({payer.payer_id for payer in payers}) == len(payers), "The payers", "one payer_id occurs twice")
    # Otherwise a question about a patient could go to the wrong company.
    names = [each for payer in payers for each in {normalize_payer_name(name) for name in (payer.name, *payer.names)}]
    _require(all(names), "The payers", "a name has no letter or digit")
    _require(len(set(names)) == len(names), "The payers", "two payers share a name")
    return payers


def _parse_payer(row: Mapping[str, Any], where: str, *, loopback: bool) -> PayerSetup:
    unknown, missing = row.keys() - _FIELDS.keys(), _REQUIRED - row.keys()
    _require(not unknown, where, f"unknown: {', '.join(sorted(map(str, unknown)))}")
    _require(not missing, where, f"missing: {', '.join(sorted(missing))}")
    values = {name: _check_type(name, value, where) for name, value in row.items()}
    try:
        kind = ConnectionKind(values["kind"])
    except ValueError:
        raise SettingsError(f"{where}: kind is one of {', '.join(ConnectionKind)}") from None
    payer = PayerSetup(**{**values, "kind": kind})
    _check_payer(payer, where)
    _check_address(payer.address, where, loopback=loopback)
    return payer


def _check_type(name: str, value: Any, where: str) -> Any:
    """Check the type of one field; a list becomes a tuple."""
    if name in _LISTS:
        valid = isinstance(value, list) and all(isinstance(each, str) and each.strip() for each in value)
        _require(valid, where, f"{name} is a list of texts")
        return tuple(value)
    if name in _FLAGS:
        _require(isinstance(value, bool), where, f"{name} is true or false")
    elif name in _NUMBERS:
        valid = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _NUMBERS[name]
        _require(valid, where, f"{name} is a number from 1 to {_NUMBERS[name]}")
    else:
        optional = name not in _REQUIRED
        valid = (optional and value is None) or (isinstance(value, str) and bool(value.strip() or optional))
        _require(valid, where, f"{name} is a text")
    return value


def _check_payer(payer: PayerSetup, where: str) -> None:
    _require(_matches(_PAYER_ID, payer.payer_id), where, "payer_id has small letters, digits and hyphens")
    _require(bool(payer.service_types), where, "service_types is not empty")
    for code in payer.service_types:
        _require(_matches(_SERVICE_TYPE, code), where, "service_types are X12 codes")
    if payer.credentials is not None:
        _require(_matches(_SECRET_NAME, payer.credentials), where, "credentials is the name of a secret")
    if payer.kind is ConnectionKind.CORE_SOAP:
        for name in ("sender_id", "receiver_id"):
            _require(_matches(_PARTY, getattr(payer, name)), where, f"{name} has 2 to 15 capitals and digits")
        _require(_matches(_TRACE_ORIGIN, payer.trace_origin), where, "trace_origin has 10 characters, 1 or 9 first")


def _check_address(address: str, where: str, *, loopback: bool) -> None:
    """Check that the address is one that we may send health data to."""
    try:
        parts = urlsplit(address)
        host, has_port = parts.hostname, parts.port != 0
    except ValueError:
        raise SettingsError(f"{where}: address is not a URL") from None
    plain = loopback and parts.scheme == "http" and host in _LOOPBACK
    _require(parts.scheme == "https" or plain, where, "address starts with https://")
    _require(bool(host) and has_port, where, "address has a host")
    _require(parts.username is None and parts.password is None, where, "address has no credentials")
    _require(not parts.fragment and address.isascii() and address.isprintable() and " " not in address, where,
             "address has only visible ASCII characters")  # fmt: skip


def _matches(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None


def _require(valid: bool, where: str, message: str) -> None:  # noqa: FBT001 the first argument of any check
    if not valid:
        raise SettingsError(f"{where}: {message}")
