"""`referrals cds-hook`, against a site in this process that is really listened to."""

import json

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from infra import ehr
from infra.cli.commands import app


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command with a data folder of its own, as `make run` prepares one."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EHR_CLIENTS", ehr.build_allow_list(ehr.load_or_create_key(tmp_path / "ehr-key.json")))
    wiring.get_settings.cache_clear()
    wiring.get_cds_token_verifier.cache_clear()
    yield lambda *arguments: CliRunner().invoke(app, ["cds-hook", *map(str, arguments)])
    wiring.get_settings.cache_clear()
    wiring.get_cds_token_verifier.cache_clear()


@pytest.mark.usefixtures("local_server")
def test_cards_are_printed_as_a_person_reads_them(run):
    result = run("order-sign")

    assert result.exit_code == 0, result.stderr
    assert "CAR T label check, Follicular lymphoma" in result.stdout
    assert "In this order: bendamustine" in result.stdout


@pytest.mark.usefixtures("local_server")
def test_for_programs_the_answer_comes_as_it_is(run, tmp_path):
    chart = tmp_path / "chart.json"
    chart.write_text(json.dumps(ehr.load_chart("unrelated")))

    from_file = run("patient-view", "--chart", chart, "--json")
    shipped = run("patient-view", "--chart", "unrelated")

    assert json.loads(from_file.stdout) == {"status": 200, "answer": {"cards": []}}
    assert shipped.stdout.startswith("No cards")


@pytest.mark.usefixtures("local_server")
def test_a_refusal_is_printed(run, tmp_path):
    told = dict(ehr.load_chart("unrelated"))
    del told["prefetch"]["conditions"]
    (tmp_path / "chart.json").write_text(json.dumps(told))

    result = run("patient-view", "--chart", tmp_path / "chart.json")

    assert result.exit_code == 0
    assert result.stdout.startswith("412")


@pytest.mark.usefixtures("local_server")
@pytest.mark.parametrize("content", [None, "{", "{}", "[]"])
def test_a_file_that_is_no_chart_is_not_understood(run, tmp_path, content):
    path = tmp_path / "no-chart.json"
    if content is not None:
        path.write_text(content)

    result = run("patient-view", "--chart", path)

    assert result.exit_code == 2
    assert "is no chart" in result.stderr


def test_the_key_of_the_simulated_system_is_its_own(tmp_path):
    path = tmp_path / "ehr-key.json"

    first, again = ehr.load_or_create_key(path), ehr.load_or_create_key(path)

    assert first.as_dict(private=True) == again.as_dict(private=True)
    assert path.stat().st_mode & 0o077 == 0
    assert '"d"' not in ehr.build_allow_list(first)
