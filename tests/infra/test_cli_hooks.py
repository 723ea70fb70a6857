"""`referrals cds-hook`, against the test API on a real port."""

import json

import pytest
from typer.testing import CliRunner

from chalicelib import wiring
from infra import ehr
from infra.cli.commands import app


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command with a separate data folder that is prepared as `make run` does it."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EHR_CLIENTS", ehr.build_allow_list(ehr.load_or_create_key(tmp_path / "ehr-key.json")))
    wiring.get_settings.cache_clear()
    wiring.get_cds_token_verifier.cache_clear()
    yield lambda *arguments: CliRunner().invoke(app, ["cds-hook", *map(str, arguments)])
    wiring.get_settings.cache_clear()
    wiring.get_cds_token_verifier.cache_clear()


@pytest.mark.usefixtures("local_server")
def test_cards_are_printed_as_text(run):
    result = run("order-sign")

    assert result.exit_code == 0, result.stderr
    assert "CAR T label check, Follicular lymphoma" in result.stdout
    assert "In this order: bendamustine" in result.stdout


@pytest.mark.usefixtures("local_server")
def test_json_output_is_the_unchanged_response(run, tmp_path):
    chart = tmp_path / "chart.json"
    chart.write_text(json.dumps(ehr.load_chart("unrelated")))

    from_file = run("patient-view", "--chart", chart, "--json")
    from_sample = run("patient-view", "--chart", "unrelated")

    assert json.loads(from_file.stdout) == {"status": 200, "answer": {"cards": []}, "retry_after_s": None}
    assert from_sample.stdout.startswith("No cards.")


@pytest.mark.usefixtures("local_server")
def test_an_error_response_is_printed(run, tmp_path):
    chart = dict(ehr.load_chart("unrelated"))
    del chart["prefetch"]["conditions"]
    (tmp_path / "chart.json").write_text(json.dumps(chart))

    result = run("patient-view", "--chart", tmp_path / "chart.json")

    assert result.exit_code == 0
    assert result.stdout.startswith("412")


@pytest.mark.usefixtures("local_server")
@pytest.mark.parametrize("content", [None, "{", "{}", "[]"])
def test_a_file_that_is_not_a_chart_is_a_usage_error(run, tmp_path, content):
    path = tmp_path / "no-chart.json"
    if content is not None:
        path.write_text(content)

    result = run("patient-view", "--chart", path)

    assert result.exit_code == 2
    assert "Cannot read chart" in result.stderr


def test_the_key_of_the_simulated_ehr_is_created_once_and_stays_private(tmp_path):
    path = tmp_path / "ehr-key.json"

    first, second = ehr.load_or_create_key(path), ehr.load_or_create_key(path)

    assert first.as_dict(private=True) == second.as_dict(private=True)
    assert path.stat().st_mode & 0o077 == 0
    assert '"d"' not in ehr.build_allow_list(first)
