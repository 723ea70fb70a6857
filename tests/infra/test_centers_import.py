"""`referrals centers`: what would change is shown, all of it is changed or nothing, and kept."""

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
from chalicelib.store.identity.members_and_tenants import Tenants
from infra.centers.columns import COLUMN_NAMES
from infra.cli import site
from infra.cli.commands import app
from tests.support import stores as shelves
from tests.support.factories import CENTER, CENTER_FACTS, OTHER_CENTER

TEMPLATE = Path(__file__).parents[2] / "docs" / "centers.csv"
GUIDE = TEMPLATE.with_suffix(".md")


@pytest.fixture
def directory(stores, monkeypatch):
    """Two centers, added one by one; reads the directory as a new process would."""
    for center in (CENTER, OTHER_CENTER):
        stores.tenants.add(center, CENTER_FACTS)
    monkeypatch.setattr(wiring, "get_stores", lambda: shelves.restart_stores(stores))
    return lambda: wiring.get_stores().tenants.read_directory().centers


@pytest.fixture
def run(directory, monkeypatch):
    """Runs `referrals centers …`."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(site, "enter_site", lambda: None)

    def running(*arguments, answer=""):
        return CliRunner().invoke(app, ["centers", *map(str, arguments)], input=answer)

    return running


@pytest.fixture
def file(tmp_path):
    """A file of centers, of rows as the template has them with some cells changed."""
    [template, _] = csv.DictReader(io.StringIO(TEMPLATE.read_text()))

    def written(*rows):
        out = io.StringIO()
        table = csv.DictWriter(out, COLUMN_NAMES)
        table.writeheader()
        table.writerows(template | row for row in rows)
        path = tmp_path / "centers.csv"
        path.write_text(out.getvalue())
        return path

    return written


def test_the_template_can_be_imported_and_is_found(run, directory):
    """By whoever has not looked yet; and its centers are fictional."""
    done = run("import", TEMPLATE, "--yes")

    assert done.exit_code == 0, done.stderr
    assert "2 added, 0 changed, 0 unchanged" in done.stdout
    near = zip_codes.find_zip_point("00901")
    assert near
    finder = CenterSearch(wiring.get_stores().tenants)
    found = finder.list_by_distance(CenterCriteria(), origin=near, within_miles=10, limit=9)
    assert [each.center.center_id for each in found] == ["ctr_example_lagoon"]
    assert directory()["ctr_example_prairie"].listing["fictional"] is True


def test_what_would_change_is_shown_before_it_is_asked_for(run, file, directory):
    """Field by field; and no is no."""
    run("import", file({"center_id": "ctr_new"}), "--yes")
    path = file({"center_id": "ctr_new", "accepts_new": "no"}, {"center_id": "ctr_second"})

    asked = run("import", path, answer="n\n")

    assert asked.exit_code == 1
    assert "~ ctr_new" in asked.stdout
    assert "accepts_new: true -> false" in asked.stdout
    assert "+ ctr_second" in asked.stdout
    assert "1 added, 1 changed, 0 unchanged" in asked.stdout
    assert set(directory()) == {"ctr_harbor", "ctr_mesa", "ctr_new"}


def test_a_dry_run_asks_and_changes_nothing(run, file, directory):
    done = run("import", file({"center_id": "ctr_new"}), "--dry-run", "--json")

    told = json.loads(done.stdout)
    assert (done.exit_code, told["added"]) == (0, 1)
    assert told["centers"][0]["fields"]["state"] == [None, "PR"]
    assert "ctr_new" not in set(directory())


def test_the_same_file_again_changes_nothing(run, file, directory):
    path = file({"center_id": "ctr_new"})
    run("import", path, "--yes")

    again = run("import", path)

    assert again.exit_code == 0
    assert "0 added, 0 changed, 1 unchanged" in again.stdout
    assert len(json.loads(run("history", "--json").stdout)) == 1


def test_one_fault_and_nothing_is_changed(run, file, directory):
    """Exit status 2, and the place of the fault."""
    done = run("import", file({"center_id": "ctr_new"}, {"center_id": "ctr_x", "zip": "1"}), "--yes")

    assert done.exit_code == 2
    assert "centers.csv, line 3, column zip: must be a ZIP code" in done.stderr
    assert "1 fault. Nothing was changed." in done.stderr
    assert set(directory()) == {"ctr_harbor", "ctr_mesa"}


def test_faults_are_told_to_programs_too(run, file, directory):
    done = run("import", file({"center_id": "ctr_x", "zip": "1"}), "--json")

    [fault] = json.loads(done.stdout)["faults"]
    assert (done.exit_code, fault["line"], fault["column"]) == (2, 2, "zip")


def test_a_file_that_is_not_there_is_told(run, tmp_path):
    done = run("import", tmp_path / "none.csv")

    assert done.exit_code == 2
    assert "none.csv cannot be read" in done.stderr


def test_the_history_keeps_who_and_when_and_which_version(run, file, directory):
    run("import", file({"center_id": "ctr_new"}), "--yes", "--by", "operator:tess")
    run("import", file({"center_id": "ctr_other"}), "--yes", "--by", "operator:tess")
    changed = {"center_id": "ctr_new", "accepts_new": "no"}
    run("import", file(changed), "--yes", "--by", "operator:otto")

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


def test_each_import_leaves_a_row_in_the_audit_trail(run, file, directory):
    run("import", file({"center_id": "ctr_new"}), "--yes", "--by", "operator:tess")

    [row] = [row for row in shelves.list_rows("audit") if row["action"] == "directory.import"]
    assert (row["actor_id"], row["version"], row["outcome"]) == ("operator:tess", 1, "allowed")


def test_of_two_imports_at_once_the_second_changes_nothing(run, file, directory, monkeypatch):
    """It was shown what is no longer so."""
    before = wiring.get_stores().tenants.read_directory()
    run("import", file({"center_id": "ctr_first"}), "--yes")
    with monkeypatch.context() as patched:
        patched.setattr(Tenants, "read_directory", lambda _: before)
        late = run("import", file({"center_id": "ctr_second"}), "--yes")

    assert late.exit_code == 1
    assert "Somebody else imported meanwhile" in late.stderr
    assert "ctr_first" in set(directory())
    assert "ctr_second" not in set(directory())


def test_more_centers_than_a_transaction_has_writes_change_as_one(run, file, directory):
    """A thousand, on pages that nobody reads before the pointer names them."""
    done = run("import", file(*({"center_id": f"ctr_{n}"} for n in range(1000))), "--yes")

    assert done.exit_code == 0, done.stderr
    assert len(set(directory())) == 1002


def test_an_import_that_dies_on_its_way_changes_nothing(run, file, directory, monkeypatch):
    """Its pages stay behind, and no one reads them; the next import has the number."""

    def dies(*_writes):
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("chalicelib.store.platform.transactions.Transactions.commit", dies)
        run("import", file({"center_id": "ctr_lost"}), "--yes")

    assert set(directory()) == {"ctr_harbor", "ctr_mesa"}
    assert run("import", file({"center_id": "ctr_new"}), "--yes").exit_code == 0
    assert set(directory()) == {"ctr_harbor", "ctr_mesa", "ctr_new"}


def test_a_center_that_is_no_longer_listed_is_still_known(run, file, directory):
    """Referrals name it; the finder does not."""
    run("import", file({"center_id": "ctr_new", "listed": "no"}), "--yes")

    found = CenterSearch(wiring.get_stores().tenants).list_by_name(CenterCriteria(), limit=100)
    assert [each.center.center_id for each in found] == ["ctr_harbor", "ctr_mesa"]
    assert directory()["ctr_new"].listing["listed"] is False


def test_an_import_changes_a_center_that_was_there_before(run, file):
    """Its name and zone too, for its own people as for everybody."""
    row = {"center_id": CENTER.tenant_id, "name": "Harbor Renamed", "time_zone": "America/Denver"}
    run("import", file(row), "--yes")

    tenant = wiring.get_stores().tenants.get(TenantKind.CENTER, CENTER.tenant_id)
    assert tenant == replace(CENTER, name="Harbor Renamed", time_zone="America/Denver")


def test_what_is_exported_can_be_imported(run, file, directory):
    """And would change nothing."""
    run("import", TEMPLATE, "--yes")
    exported = [*csv.DictReader(io.StringIO(run("export").stdout))]
    ours = [row for row in exported if row["center_id"].startswith("ctr_example")]

    again = run("import", file(*ours), "--dry-run")

    assert "0 added, 0 changed, 2 unchanged" in again.stdout


def test_a_center_that_was_never_imported_is_exported_with_its_gaps(run):
    """Whoever fills them in makes it whole."""
    rows = {row["center_id"]: row for row in csv.DictReader(io.StringIO(run("export").stdout))}

    row = rows[CENTER.tenant_id]
    assert row["zip"] == CENTER_FACTS["zip"]
    assert row["products"] == "breyanzi: LBCL FL"
    assert row["capacity_as_of"] == row["source"] == ""


def test_the_guide_explains_every_column():
    """docs/centers.md, and the template has them all."""
    guide = GUIDE.read_text()

    assert [name for name in COLUMN_NAMES if f"`{name}`" not in guide] == []
    assert TEMPLATE.read_text().splitlines()[0].split(",") == [*COLUMN_NAMES]
