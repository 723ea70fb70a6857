"""What an operator wants to add: organizations with their first administrators, from arguments or a CSV file."""

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import available_timezones

from chalicelib.domain.identity.members import ROLES_BY_TENANT_KIND, Role, Tenant, TenantKind
from chalicelib.domain.platform.ids import derive_id
from chalicelib.errors import MalformedError
from chalicelib.routes.identity.request_bodies import InviteRequest
from chalicelib.routes.platform.validation import validate_json
from chalicelib.services.identity.members import Invitation
from chalicelib.store.all_stores import Stores
from infra.centers.saved_files import SheetError, SheetFault, decode_table, fit_row, list_rows, normalize_header

REQUIRED_COLUMNS = (
    "kind",
    "organization_id",
    "name",
    "time_zone",
    "administrator_name",
    "administrator_email",
    "administrator_roles",
)
"""All columns of a file, in the order of the template `docs/organizations.csv`. A file has them in any order."""

MAX_ROWS = 1_000
"""More organizations than an operator adds at once. A file with more rows is the wrong file."""

MAX_BYTES = 1_000_000

_PRACTICE_ID = re.compile(r"prc_[a-z0-9_]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedOrganization:
    """An organization that should exist, and the administrator whom it should have."""

    tenant: Tenant
    administrator: Invitation


class RowError(Exception):
    """A row is not valid. `faults` has pairs of a column and a message; the messages never repeat the cells."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        """Store all faults of the row."""
        super().__init__("; ".join(f"{column}: {message}" for column, message in faults))
        self.faults = tuple(faults)


def parse_row(cells: Mapping[str, str], *, stores: Stores) -> RequestedOrganization:
    """Parse what describes one organization.

    Args:
        cells: By `REQUIRED_COLUMNS`; empty if not given.
        stores: Where the center directory is: a center must be in it.

    Raises:
        RowError: lists every fault.
    """
    if cells["kind"] not in (TenantKind.PRACTICE, TenantKind.CENTER):
        raise RowError([("kind", "use practice or center")])
    kind = TenantKind(cells["kind"])
    faults: list[tuple[str, str]] = []
    tenant = _parse_center(cells, faults, stores) if kind is TenantKind.CENTER else _parse_practice(cells, faults)
    administrator = parse_administrator(
        cells["administrator_name"], cells["administrator_email"], cells["administrator_roles"], kind, faults
    )
    if faults or tenant is None or administrator is None:
        raise RowError(faults)
    return RequestedOrganization(tenant=tenant, administrator=administrator)


def parse_administrator(
    name: str, email: str, roles: str, kind: TenantKind, faults: list[tuple[str, str]]
) -> Invitation | None:
    """Parse an administrator as the API parses an invitation. Adds what is wrong to `faults`."""
    more_roles = [role.strip() for role in roles.split(";") if role.strip()]
    allowed = sorted(ROLES_BY_TENANT_KIND[kind] - {Role.ADMIN})
    if not set(more_roles) <= {*allowed, Role.ADMIN.value}:
        faults.append(("administrator_roles", f"leave it empty, or use {' or '.join(allowed)}"))
        more_roles = []
    body = {"name": name, "email": email, "roles": [*{*more_roles, Role.ADMIN.value}]}
    try:
        parsed = validate_json(InviteRequest, json.dumps(body).encode())
    except MalformedError as error:
        faults += [(f"administrator_{each.pointer.split('/')[1]}", each.message) for each in error.errors]
        return None
    return Invitation(name=parsed.name, email=parsed.email, roles=frozenset(parsed.roles))


def _parse_practice(cells: Mapping[str, str], faults: list[tuple[str, str]]) -> Tenant | None:
    count = len(faults)
    name = " ".join(cells["name"].split())
    # The same name gives the same id, so that a repeat finds the practice and does not add another one.
    tenant_id = cells["organization_id"] or derive_id("prc", "organization", name.casefold())
    if not 1 <= len(name) <= 200 or not name.isprintable():
        faults.append(("name", "enter the name of the practice, in 200 characters or fewer"))
    if cells["time_zone"] not in available_timezones():
        faults.append(("time_zone", "use an IANA time zone, such as America/Chicago"))
    if not _PRACTICE_ID.fullmatch(tenant_id):
        faults.append(("organization_id", "leave it empty, or use prc_ followed by up to 60 of a-z, 0-9 and _"))
    if len(faults) > count:
        return None
    return Tenant(tenant_id=tenant_id, kind=TenantKind.PRACTICE, name=name, time_zone=cells["time_zone"])


def _parse_center(cells: Mapping[str, str], faults: list[tuple[str, str]], stores: Stores) -> Tenant | None:
    center = stores.tenants.read_directory().centers.get(cells["organization_id"])
    if center is None:
        faults.append(
            ("organization_id", "no such center in the directory. Add it with `referrals centers import` first")
        )
        return None
    faults += [
        (column, "the directory has another one. Leave it empty, or change the directory first")
        for column in ("name", "time_zone")
        if cells[column] and cells[column] != getattr(center.tenant, column)
    ]
    return center.tenant


def parse_sheet(raw: bytes, *, stores: Stores) -> Sequence[RequestedOrganization]:
    """Parse a file.

    Raises:
        SheetError: lists every fault of every row, or the one fault that prevents reading the rows.
    """
    found: list[RequestedOrganization] = []
    faults: list[SheetFault] = []
    first_lines: dict[str, int] = {}
    for line, cells in _list_rows(raw):
        try:
            requested = parse_row(cells, stores=stores)
        except RowError as error:
            faults += [SheetFault(line=line, column=column, message=message) for column, message in error.faults]
            continue
        first = first_lines.setdefault(requested.tenant.tenant_id, line)
        if first != line:
            message = f"repeats the organization on line {first}. Add further administrators with `administrator`"
            faults.append(SheetFault(line=line, column="organization_id", message=message))
        found.append(requested)
    if faults:
        raise SheetError(faults)
    return found


def _list_rows(raw: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    rows = list_rows(_decode(raw))
    try:
        line, header = next(rows, (1, []))
        names = normalize_header(header)
        if sorted(names) != sorted(REQUIRED_COLUMNS):
            raise _build_error(line, f"has other columns than {', '.join(REQUIRED_COLUMNS)}")
        count = 0
        for count, (row_line, cells) in enumerate(rows, start=1):
            if count > MAX_ROWS:
                raise _build_error(row_line, f"has more than {MAX_ROWS:,} rows. Is this the right file?")
            fitted = fit_row(cells, len(names))
            fitted += [""] * (len(names) - len(fitted))
            if len(fitted) != len(names):
                raise _build_error(row_line, f"has {len(fitted)} cells, but the header has {len(names)}")
            yield row_line, {name: cell.strip() for name, cell in zip(names, fitted, strict=True)}
        if not count:
            raise _build_error(line, "has a header but no organizations")
    except csv.Error as error:
        raise _build_error(getattr(error, "line", 1), f"cannot be read as CSV ({error})") from error


def _decode(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise _build_error(1, f"has more than {MAX_BYTES:,} bytes. Is this the right file?")
    try:
        return decode_table(raw)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _build_error(line, "is not UTF-8. Save the file as CSV UTF-8") from None


def _build_error(line: int, message: str) -> SheetError:
    return SheetError([SheetFault(line=line, column=None, message=message)])
