"""`referrals import`: enters patients who are already on the way, all of them or none, and each only once."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from chalicelib.errors import ConflictError
from chalicelib.services.referrals.report_event import report_by_member
from infra.cli import site
from infra.cli.commands import app
from infra.referral_import import writing
from tests.support import aws_fakes as cloud
from tests.support.api_driver import REQUIRED_STAGES_TO_INFUSED
from tests.support.factories import CENTER, OTHER_CENTER

EXAMPLE = Path(__file__).parents[2] / "docs" / "import-example.csv"

STEPS = REQUIRED_STAGES_TO_INFUSED


def get_day(days_ago):
    """The calendar day some days ago."""
    return (wiring.read_clock() - timedelta(days=days_ago)).date().isoformat()


def build_steps(*, infused_days_ago):
    """The days of all steps to the infusion, one week apart."""
    return {f"{step}_on": get_day(infused_days_ago + 7 * n) for n, step in enumerate(reversed(STEPS))}


NO_STEPS = {f"{step}_on": "" for step in STEPS}


@pytest.fixture
def run(api, monkeypatch):
    """Run `referrals import FILE …` as a member of the practice."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(site, "enter_site", lambda: None)

    def run_command(path, *options, center_member="center", **more):
        emails = ["--member", api.members["practice"].email]
        if center_member:
            emails += ["--center-member", api.members[center_member].email]
        return CliRunner().invoke(app, ["import", str(path), *emails, *options], **more)

    return run_command


@pytest.fixture
def write_file(tmp_path):
    """Write a file. Each row is the example's first row without steps, and with some cells changed."""
    template = next(csv.DictReader(io.StringIO(EXAMPLE.read_text())))
    base = template | NO_STEPS | {"center_id": CENTER.tenant_id, "referred_on": get_day(200)}
    base |= {"consent_to_share.on": get_day(200)}

    def write(*rows):
        out = io.StringIO()
        table = csv.DictWriter(out, list(template))
        table.writeheader()
        for number, row in enumerate(rows, start=1):
            own = {"row_id": f"row-{number}", "patient.mrn": f"B-{number}", "patient.given_name": _spell(number)}
            table.writerow(base | own | row)
        path = tmp_path / "patients.csv"
        path.write_text(out.getvalue())
        return path

    return write


def _spell(number):
    """A name that no other row has."""
    return "Kim" + "".join("abcdefghij"[int(digit)] for digit in str(number))


def list_referrals(api):
    return api.practice.get("/v1/referrals?limit=100").json["items"]


def test_patients_are_entered_with_their_steps(run, write_file, api):
    path = write_file(build_steps(infused_days_ago=20), {"accepted_on": get_day(5)}, {})

    result = run(path)

    assert result.exit_code == 0, result.output
    assert "3 referrals created with 10 steps, 0 imported before." in result.stdout
    rows = {row["patient"]["given_name"]: row for row in list_referrals(api)}
    assert {name: row["stage"] for name, row in rows.items()} == {
        "Kimb": "infused",
        "Kimc": "accepted",
        "Kimd": "submitted",
    }
    infused = api.practice.get(f"/v1/referrals/{rows['Kimb']['referral_id']}").json
    assert infused["window"]["infused_on"] == get_day(20)
    assert infused["referred_on"] == get_day(200)


def test_the_steps_are_reported_by_the_members_who_were_named(run, write_file, api):
    run(write_file({"accepted_on": get_day(5)}))

    [row] = list_referrals(api)
    events = api.practice.get(f"/v1/referrals/{row['referral_id']}/events").json["items"]
    assert {event["stage"]: event["actor_name"] for event in events} == {
        "submitted": api.members["practice"].name,
        "accepted": api.members["center"].name,
    }


def test_a_second_run_creates_nothing(run, write_file, api):
    path = write_file(build_steps(infused_days_ago=20), {})
    run(path)

    result = run(path)

    assert result.exit_code == 0, result.output
    assert "0 referrals created with 0 steps, 2 imported before." in result.stdout
    assert len(list_referrals(api)) == 2


@pytest.mark.parametrize("reported", [0, 1, 2, len(STEPS) - 1])
def test_an_interrupted_import_continues_without_duplicates(run, write_file, api, monkeypatch, reported):
    """After the referral was created, or after any of its steps."""
    path = write_file(build_steps(infused_days_ago=20), {})
    report, calls = report_by_member, []

    def stop(*arguments, **named):
        calls.append(1)
        if len(calls) > reported:
            raise KeyboardInterrupt
        return report(*arguments, **named)

    monkeypatch.setattr(writing, "report_by_member", stop)
    assert run(path).exit_code != 0
    monkeypatch.setattr(writing, "report_by_member", report)

    result = run(path)

    missing = len(STEPS) - reported
    assert f"1 referrals created with {missing} steps, 1 imported before." in result.stdout, result.output
    assert sorted(row["stage"] for row in list_referrals(api)) == ["infused", "submitted"]


@pytest.mark.parametrize("service", ["create_referral", "report_by_member"])
def test_two_imports_of_a_file_at_the_same_time_enter_it_once(run, write_file, api, monkeypatch, service):
    """The second one runs as a whole while the first one is about to write a referral or its first step."""
    path = write_file(build_steps(infused_days_ago=20), {})
    original, second = getattr(writing, service), []

    def run_second_then(*arguments, **named):
        monkeypatch.setattr(writing, service, original)
        second.append(run(path))
        return original(*arguments, **named)

    monkeypatch.setattr(writing, service, run_second_then)

    first = run(path)

    assert [result.exit_code for result in (first, *second)] == [0, 0], first.output + second[0].output
    rows = list_referrals(api)
    assert sorted(row["stage"] for row in rows) == ["infused", "submitted"]
    [infused] = [row["referral_id"] for row in rows if row["stage"] == "infused"]
    events = api.practice.get(f"/v1/referrals/{infused}/events").json["items"]
    assert sorted(event["stage"] for event in events) == sorted(("submitted", *STEPS))


def test_a_new_step_of_a_known_row_is_added(run, write_file, api):
    run(write_file({"accepted_on": get_day(30)}))

    result = run(write_file({"accepted_on": get_day(30), "consult_scheduled_on": get_day(20)}))

    assert "0 referrals created with 1 steps, 1 imported before." in result.stdout, result.output
    assert [row["stage"] for row in list_referrals(api)] == ["consult_scheduled"]


def withdraw(api, *, days_ago):
    """Withdraw the only referral as the practice."""
    [row] = list_referrals(api)
    at = wiring.read_clock() - timedelta(days=days_ago)
    data = {"stage": "withdrawn", "reason_code": "patient_choice"}
    body = {"type": "stage.changed", "occurred_at": at.isoformat(), "data": data}
    answer = api.practice.post(f"/v1/referrals/{row['referral_id']}/events", body)
    assert answer.status == 200, answer.text


def test_a_referral_that_was_closed_meanwhile_does_not_block_the_other_rows(run, write_file, api):
    """Its new step is named and left out."""
    first = {"accepted_on": get_day(30)}
    run(write_file(first))
    withdraw(api, days_ago=10)

    result = run(write_file(first | {"consult_scheduled_on": get_day(5)}, {}))

    assert result.exit_code == 0, result.output
    assert "1 referrals created with 0 steps, 1 imported before." in result.stdout
    assert "column consult_scheduled_on: This referral is closed." in result.stderr
    assert sorted(row["stage"] for row in list_referrals(api)) == ["submitted", "withdrawn"]


def test_a_row_that_was_imported_long_ago_is_not_checked_as_new(run, write_file, monkeypatch):
    """By then, its consent is more than a year old."""
    path = write_file({"accepted_on": get_day(30)})
    run(path)
    later = wiring.read_clock() + timedelta(days=800)
    monkeypatch.setattr(wiring, "read_clock", lambda: later)

    result = run(path)

    assert result.exit_code == 0, result.output
    assert "0 referrals created with 0 steps, 1 imported before." in result.stdout


def test_a_step_of_another_center_is_not_added_to_a_known_referral(run, write_file, api):
    """Which center has the patient changes in the dashboard. The other rows are imported."""
    run(write_file({"accepted_on": get_day(30)}))
    steps = {"accepted_on": get_day(30), "consult_scheduled_on": get_day(5)}

    result = run(write_file({"center_id": OTHER_CENTER.tenant_id, **steps}, {}), center_member="other_center")

    assert result.exit_code == 0, result.output
    assert "The referral is with another center" in result.stderr
    assert sorted(row["stage"] for row in list_referrals(api)) == ["accepted", "submitted"]


def test_a_row_that_is_refused_while_it_is_written_does_not_block_the_others(run, write_file, api, monkeypatch):
    """Someone closed the referral between the check and the step."""
    report = report_by_member

    def refuse_the_first(event, **named):
        monkeypatch.setattr(writing, "report_by_member", report)
        raise ConflictError("closed", "This referral is closed.")

    monkeypatch.setattr(writing, "report_by_member", refuse_the_first)

    result = run(write_file({"accepted_on": get_day(30)}, {"accepted_on": get_day(20)}))

    assert result.exit_code == 1
    assert "line 2: This referral is closed." in result.stderr
    assert sorted(row["stage"] for row in list_referrals(api)) == ["accepted", "submitted"]


def test_a_day_that_changed_since_the_import_is_a_hint(run, write_file):
    """An import adds what is missing. It never changes what a person may have corrected since."""
    first, second, changed_to = get_day(20), get_day(15), get_day(14)
    run(write_file({"row_id": "7", "accepted_on": first, "consult_scheduled_on": second}))
    changed = run(write_file({"row_id": "7", "accepted_on": first, "consult_scheduled_on": changed_to}))

    assert changed.exit_code == 0
    assert "consult_scheduled_on" in changed.stderr
    assert "imported with another date" in changed.stderr
    assert "accepted_on" not in changed.stderr


def test_a_dry_run_writes_nothing(run, write_file, api):
    result = run(write_file(build_steps(infused_days_ago=20)), "--dry-run")

    assert result.exit_code == 0, result.output
    assert "line 2: new, 9 steps, last status infused" in result.stdout
    assert list_referrals(api) == []


def test_a_dry_run_as_json(run, write_file):
    result = run(write_file({"accepted_on": get_day(5)}), "--dry-run", "--json")

    assert json.loads(result.stdout) == {
        "referrals": 1,
        "imported_before": 0,
        "steps": 1,
        "to_check": 0,
        "written": False,
    }


@pytest.mark.parametrize(
    ("cells", "column", "text"),
    [
        ({"patient.birth_date": "31/12/1958x"}, "patient.birth_date", ""),
        ({"patient.zip": ""}, "patient.zip", "Add: Patient's ZIP code"),
        ({"clinical.ecog": "fit"}, "clinical.ecog", "Enter a whole number."),
        ({"clinical.prior_lines.1.classes": "anti_cd20;water"}, "clinical.prior_lines.1.classes", ""),
        ({"consent_to_share.given": "maybe"}, "consent_to_share.given", "Enter yes or no."),
        ({"center_id": "ctr_nowhere"}, "center_id", "Choose a center from the list."),
        ({"product_id": "aspirin"}, "product_id", "Choose a product from the list."),
        ({"referred_on": get_day(-3)}, "referred_on", "This day is in the future."),
        ({"referred_on": get_day(740)}, "referred_on", "more than 2 years ago"),
        ({"referred_on": ""}, "referred_on", "must not be empty"),
        ({"row_id": ""}, "row_id", "must have 1 to 80 characters"),
        ({"accepted_on": "May 4"}, "accepted_on", "Enter a date as YYYY-MM-DD."),
        ({"accepted_on": get_day(-3)}, "accepted_on", "This day is in the future."),
        ({"accepted_on": get_day(210)}, "accepted_on", "before the day of the referral"),
        ({"infused_on": get_day(10)}, "infused_on", ""),
        ({"accepted_on": get_day(10), "consult_scheduled_on": get_day(20)}, "consult_scheduled_on", ""),
    ],
)
def test_an_error_names_its_line_and_column_and_nothing_is_written(run, write_file, api, cells, column, text):
    result = run(write_file({}, cells))

    assert result.exit_code == 2, result.output
    assert f"patients.csv, line 3, column {column}: " in result.stderr
    assert text in result.stderr
    assert "1 error. No changes made." in result.stderr
    assert not [cell for cell in cells.values() if cell and cell in result.output]
    assert list_referrals(api) == []


def test_steps_without_a_member_of_the_center_are_an_error(run, write_file, api):
    result = run(write_file({"accepted_on": get_day(5)}), center_member="other_center")

    assert result.exit_code == 2
    assert "line 2, column accepted_on: This step is the center's. Add --center-member" in result.stderr
    assert list_referrals(api) == []


def test_a_row_without_steps_needs_no_member_of_the_center(run, write_file):
    assert run(write_file({}), center_member=None).exit_code == 0


def test_a_member_of_a_center_cannot_refer(run, write_file, api):
    result = CliRunner().invoke(app, ["import", str(write_file({})), "--member", api.members["center"].email])

    assert result.exit_code == 2
    assert "--member is not an active member of a practice" in result.output


def test_a_repeated_row_id_is_an_error(run, write_file):
    result = run(write_file({"row_id": "same"}, {"row_id": "same"}))

    assert "line 3, column row_id: repeats the ID on line 2" in result.stderr


def test_an_unknown_column_is_an_error_that_does_not_repeat_its_name(run, write_file):
    path = write_file({})
    path.write_text(path.read_text().replace("patient.mrn", "patient.secret"))

    result = run(path)

    assert "column 8 of the header is not a field of a referral" in result.stderr
    assert "secret" not in result.output


def test_the_same_patient_on_two_lines_is_a_hint(run, write_file, api):
    result = run(write_file({"patient.given_name": "Kim"}, {"patient.given_name": "Kim"}))

    assert result.exit_code == 0
    assert "Check: patients.csv, line 3: may be the same patient as line 2" in result.stderr
    assert len(list_referrals(api)) == 2


def test_a_patient_whom_the_practice_referred_before_is_a_hint(run, write_file, api):
    api.refer(patient__given_name="Kim", patient__family_name="Clark", patient__birth_date="1958-03-14")

    result = run(write_file({"patient.given_name": "Kim"}), "--dry-run")

    assert "line 2: may be a patient whom the practice has already referred" in result.stderr


def test_one_bad_date_among_many_rows_is_one_error(run, write_file, api):
    rows = [{"accepted_on": "2026-13-01"} if number == 7_000 else {} for number in range(10_000)]

    result = run(write_file(*rows))

    assert result.exit_code == 2
    assert result.stderr == (
        "patients.csv, line 7002, column accepted_on: Enter a date as YYYY-MM-DD.\n1 error. No changes made.\n"
    )
    assert list_referrals(api) == []


def test_the_example_can_be_imported(run, api, tmp_path):
    path = tmp_path / "example.csv"
    path.write_text(EXAMPLE.read_text())

    result = run(path, "--dry-run")

    assert result.exit_code == 0, result.output
    assert "3 referrals to create, 0 imported before." in result.stdout


def test_a_file_in_utf_16_with_tabs_and_titles_is_read(run, write_file, api):
    """As Excel saves "Unicode Text"."""
    path = write_file({"accepted_on": get_day(5)})
    rows = list(csv.reader(io.StringIO(path.read_text())))
    out = io.StringIO()
    csv.writer(out, delimiter="\t").writerows([[name.replace("_", " ").title() for name in rows[0]], *rows[1:]])
    path.write_bytes(out.getvalue().encode("utf-16"))

    result = run(path)

    assert result.exit_code == 0, result.output
    assert len(list_referrals(api)) == 1


def test_a_workbook_of_patients_is_refused_in_one_sentence(run, tmp_path):
    path = tmp_path / "patients.csv"
    path.write_bytes(b"PK\x03\x04\x00\xff")

    result = run(path)

    assert result.exit_code == 2
    assert "is a workbook" in result.stderr


def test_a_patient_who_was_erased_does_not_come_back(run, write_file, api):
    """The file is imported again, and its other patients are left as they are."""
    cloud.create_buckets()
    path = write_file({}, {})
    run(path)
    gone, kept = (row["referral_id"] for row in list_referrals(api))
    erased = CliRunner().invoke(app, ["erase", gone, "--reason", "patient_request", "--yes"])
    assert erased.exit_code == 0, erased.output

    assert run(path).exit_code == 1

    assert [row["referral_id"] for row in list_referrals(api)] == [kept]
