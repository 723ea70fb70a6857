"""`referrals centers`: shows the changes, applies all of them or none, and keeps a history."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chalicelib import wiring, zip_codes
from chalicelib.domain.identity.members import TenantKind
from chalicelib.services.centers.search import CenterCriteria, CenterSearch
from chalicelib.store.identity.tenants import Tenants
from infra.centers.columns import COLUMN_NAMES
from infra.cli import site
from infra.cli.commands import app
from infra.list_snapshots import forget_snapshots
from tests.support.factories import CENTER, CENTER_FACTS, OTHER_CENTER
from tests.support.stores import list_rows, restart_stores

TEMPLATE = Path(__file__).parents[2] / "docs" / "centers.csv"
GUIDE = TEMPLATE.with_suffix(".md")


@pytest.fixture
def directory(stores, monkeypatch):
    """Add two centers directly. Returns a function that reads the directory as a new process would."""
    for center in (CENTER, OTHER_CENTER):
        stores.tenants.add(center, CENTER_FACTS)
    monkeypatch.setattr(wiring, "get_stores", lambda: restart_stores(stores))
    return lambda: wiring.get_stores().tenants.read_directory().centers


@pytest.fixture
def run(directory, monkeypatch):
    """Run `referrals centers …`."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(site, "enter_site", lambda: None)

    def run_command(*arguments, answer=""):
        return CliRunner().invoke(app, ["centers", *map(str, arguments)], input=answer)

    return run_command


@pytest.fixture
def write_file(tmp_path):
    """Write a center file. Each row is the template's first row with some cells changed."""
    [template, _] = csv.DictReader(io.StringIO(TEMPLATE.read_text()))

    def write(*rows):
        out = io.StringIO()
        table = csv.DictWriter(out, COLUMN_NAMES)
        table.writeheader()
        table.writerows(template | row for row in rows)
        path = tmp_path / "centers.csv"
        path.write_text(out.getvalue())
        return path

    return write


def test_the_template_can_be_imported_and_its_centers_are_found(run, directory):
    """The search reads the new directory, and the centers of the template are marked as fictional."""
    result = run("import", TEMPLATE, "--yes")

    assert result.exit_code == 0, result.stderr
    assert "2 added, 0 changed, 0 unchanged" in result.stdout
    origin = zip_codes.find_zip_point("00901")
    assert origin
    search = CenterSearch(wiring.get_stores().tenants)
    matches = search.list_by_distance(CenterCriteria(), origin=origin, within_miles=10, limit=9)
    assert [each.center.center_id for each in matches] == ["ctr_example_lagoon"]
    assert directory()["ctr_example_prairie"].listing["fictional"] is True


def test_an_import_shows_the_changed_fields_and_stops_if_declined(run, write_file, directory):
    run("import", write_file({"center_id": "ctr_new"}), "--yes")
    path = write_file({"center_id": "ctr_new", "accepts_new": "no"}, {"center_id": "ctr_second"})

    result = run("import", path, answer="n\n")

    assert result.exit_code == 1
    assert "~ ctr_new" in result.stdout
    assert "accepts_new: true -> false" in result.stdout
    assert "+ ctr_second" in result.stdout
    assert "1 added, 1 changed, 0 unchanged" in result.stdout
    assert set(directory()) == {"ctr_harbor", "ctr_mesa", "ctr_new"}


def test_a_dry_run_does_not_ask_and_changes_nothing(run, write_file, directory):
    result = run("import", write_file({"center_id": "ctr_new"}), "--dry-run", "--json")

    output = json.loads(result.stdout)
    assert (result.exit_code, output["added"]) == (0, 1)
    assert output["centers"][0]["fields"]["state"] == [None, "PR"]
    assert "ctr_new" not in set(directory())


def test_importing_the_same_file_twice_changes_nothing(run, write_file, directory):
    path = write_file({"center_id": "ctr_new"})
    run("import", path, "--yes")

    second = run("import", path)

    assert second.exit_code == 0
    assert "0 added, 0 changed, 1 unchanged" in second.stdout
    assert len(json.loads(run("history", "--json").stdout)) == 1


def test_one_fault_prevents_the_whole_import(run, write_file, directory):
    """The command exits with code 2 and shows where the fault is."""
    result = run("import", write_file({"center_id": "ctr_new"}, {"center_id": "ctr_x", "zip": "1"}), "--yes")

    assert result.exit_code == 2
    assert "centers.csv, line 3, column zip: use a 5-digit ZIP code" in result.stderr
    assert "1 error. No changes made." in result.stderr
    assert set(directory()) == {"ctr_harbor", "ctr_mesa"}


def test_faults_can_be_printed_as_json(run, write_file, directory):
    result = run("import", write_file({"center_id": "ctr_x", "zip": "1"}), "--json")

    [fault] = json.loads(result.stdout)["faults"]
    assert (result.exit_code, fault["line"], fault["column"]) == (2, 2, "zip")


def test_a_missing_file_is_a_usage_error(run, tmp_path):
    result = run("import", tmp_path / "none.csv")

    assert result.exit_code == 2
    assert "none.csv: No such file or directory." in result.stderr


def test_the_history_shows_who_imported_each_version(run, write_file, directory):
    run("import", write_file({"center_id": "ctr_new"}), "--yes", "--by", "operator:tess")
    run("import", write_file({"center_id": "ctr_other"}), "--yes", "--by", "operator:tess")
    changed = {"center_id": "ctr_new", "accepts_new": "no"}
    run("import", write_file(changed), "--yes", "--by", "operator:otto")

    versions = json.loads(run("history", "--json").stdout)
    rows = json.loads(run("history", "ctr_new", "--json").stdout)

    assert [(v["version"], v["by"]) for v in versions] == [
        (1, "operator:tess"),
        (2, "operator:tess"),
        (3, "operator:otto"),
    ]
    assert versions[2]["counts"] == {"added": 0, "changed": 1, "centers": 4}
    assert [(r["version"], r["row_version"], r["by"]) for r in rows] == [
        (1, 1, "operator:tess"),
        (3, 2, "operator:otto"),
    ]
    assert rows[1]["fields"] == {"accepts_new": [True, False]}
    assert "operator:otto  row version 2: accepts_new" in run("history", "ctr_new").stdout


def test_each_import_adds_a_row_to_the_audit_trail(run, write_file, directory):
    run("import", write_file({"center_id": "ctr_new"}), "--yes", "--by", "operator:tess")

    [row] = [row for row in list_rows("audit") if row["action"] == "directory.import"]
    assert (row["actor_id"], row["version"], row["outcome"]) == ("operator:tess", 1, "allowed")


def test_the_second_of_two_concurrent_imports_changes_nothing(run, write_file, directory, monkeypatch):
    """The changes that it showed are out of date."""
    before = wiring.get_stores().tenants.read_directory()
    run("import", write_file({"center_id": "ctr_first"}), "--yes")
    with monkeypatch.context() as patched:
        patched.setattr(Tenants, "read_directory", lambda _: before)
        second = run("import", write_file({"center_id": "ctr_second"}), "--yes")

    assert second.exit_code == 1
    assert "Someone else imported at the same time. No changes made." in second.stderr
    assert "ctr_first" in set(directory())
    assert "ctr_second" not in set(directory())


def test_an_import_can_exceed_the_size_of_a_transaction(run, write_file, directory):
    """The 1,000 centers are on pages that no one reads before the version pointer names them."""
    result = run("import", write_file(*({"center_id": f"ctr_{n}"} for n in range(1000))), "--yes")

    assert result.exit_code == 0, result.stderr
    assert len(set(directory())) == 1002


def test_an_import_that_crashes_changes_nothing(run, write_file, directory, monkeypatch):
    """Its pages remain but no one reads them, and the next import gets the same version number."""

    def crash(*_writes):
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("chalicelib.store.platform.transactions.Transactions.commit", crash)
        run("import", write_file({"center_id": "ctr_lost"}), "--yes")

    assert set(directory()) == {"ctr_harbor", "ctr_mesa"}
    assert run("import", write_file({"center_id": "ctr_new"}), "--yes").exit_code == 0
    assert set(directory()) == {"ctr_harbor", "ctr_mesa", "ctr_new"}


def test_an_unlisted_center_stays_in_the_directory_but_not_in_search(run, write_file, directory):
    """Existing referrals still refer to it."""
    run("import", write_file({"center_id": "ctr_new", "listed": "no"}), "--yes")

    matches = CenterSearch(wiring.get_stores().tenants).list_by_name(CenterCriteria(), limit=100)
    assert [each.center.center_id for each in matches] == ["ctr_harbor", "ctr_mesa"]
    assert directory()["ctr_new"].listing["listed"] is False


def test_an_import_can_change_the_name_and_time_zone_of_an_existing_center(run, write_file):
    """The change also applies to the center's tenant record, so its members see it."""
    row = {"center_id": CENTER.tenant_id, "name": "Harbor Renamed", "time_zone": "America/Denver"}
    run("import", write_file(row), "--yes")

    tenant = wiring.get_stores().tenants.get(TenantKind.CENTER, CENTER.tenant_id)
    assert tenant == replace(CENTER, name="Harbor Renamed", time_zone="America/Denver")


def test_importing_an_export_changes_nothing(run, write_file, directory):
    run("import", TEMPLATE, "--yes")
    exported = [*csv.DictReader(io.StringIO(run("export").stdout))]
    imported = [row for row in exported if row["center_id"].startswith("ctr_example")]

    second = run("import", write_file(*imported), "--dry-run")

    assert "0 added, 0 changed, 2 unchanged" in second.stdout


def test_the_export_leaves_unknown_facts_of_a_center_empty(run):
    """An operator can fill in the empty cells and import the file."""
    rows = {row["center_id"]: row for row in csv.DictReader(io.StringIO(run("export").stdout))}

    row = rows[CENTER.tenant_id]
    assert row["zip"] == CENTER_FACTS["zip"]
    assert row["products"] == "breyanzi: LBCL FL"
    assert row["capacity_as_of"] == row["source"] == ""


def test_the_guide_and_the_template_have_every_column():
    """The guide is docs/centers.md."""
    guide = GUIDE.read_text()

    assert [name for name in COLUMN_NAMES if f"`{name}`" not in guide] == []
    assert TEMPLATE.read_text().splitlines()[0].split(",") == [*COLUMN_NAMES]


def test_a_workbook_is_refused_in_one_sentence(run, tmp_path, directory):
    """Case C1: a renamed .xlsx was a traceback."""
    path = tmp_path / "centers.csv"
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)))
    before = directory()

    result = run("import", path, "--yes")

    assert result.exit_code == 2
    assert "is a workbook" in result.stderr
    assert result.stderr.splitlines()[1:] == ["1 error. No changes made."]
    assert directory().keys() == before.keys()


def test_a_warning_is_shown_and_the_center_is_imported(run, write_file, directory):
    """Case E17."""
    path = write_file({"center_id": "ctr_new", "time_zone": "America/Los_Angeles"})

    result = run("import", path, "--yes")

    assert result.exit_code == 0
    assert "line 2, column time_zone: is not a time zone of PR" in result.stderr
    assert "ctr_new" in directory()


def test_warnings_are_part_of_the_json(run, write_file):
    path = write_file({"center_id": "ctr_new", "zip": "901"})

    result = run("import", path, "--dry-run", "--json")

    assert [(w["line"], w["column"]) for w in json.loads(result.stdout)["warnings"]] == [(2, "zip")]


def test_lists_of_all_organizations_leave_out_the_row_of_the_imported_directory(run, write_file, directory):
    """It is stored next to the centers. The operator's page lists them, and commands go through them."""
    run("import", write_file({}), "--yes")

    listed = wiring.get_stores().tenants.list_by_kind(TenantKind.CENTER)
    assert {tenant.tenant_id for tenant in listed} == {CENTER.tenant_id, OTHER_CENTER.tenant_id}


def test_snapshots_of_lists_are_forgotten_also_for_a_center_that_was_imported(run, write_file, directory):
    """It can have members, and so a list."""
    run("import", write_file({}), "--yes")
    forget_snapshots(wiring.get_stores())

    forgotten = {row["scope_key"].removeprefix("list#") for row in list_rows("idempotency")}
    assert forgotten == set(directory())
    assert len(forgotten) == 3
