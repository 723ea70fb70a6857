"""Rules of the whole code base that no other tool holds; each test's docstring is the rule."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib import observe, wiring
from chalicelib.routes.platform.problem_codes import PROBLEM_CODES

ROOT = Path(__file__).parents[1]
SHIPPED = (ROOT / "app.py", *sorted((ROOT / "chalicelib").rglob("*.py")))
WRITTEN_BY_HAND = {".css", ".html", ".js", ".md", ".py"}
MOST_LINES = 500

HEAVY = {
    "boto3": "the AWS SDK",
    "botocore.client": "the AWS SDK; its bare package is a version number",
    "botocore.session": "the AWS SDK",
    "chalicelib.catalog.labels": "read by the first screen",
    "chalicelib.domain.eligibility.screen_input": "as that",
    "chalicelib.domain.eligibility.screen": "as that",
    "cryptography": "OpenSSL",
    "email_validator": "reads the public suffix list",
    "icalendar": "reads and writes calendars",
    "jinja2": "a template engine",
    "joserfc": "verifies tokens, and brings OpenSSL along",
    "jsonschema": "for tests",
    "moto": "for tests",
    "requests": "an HTTP client",
    "urllib3": "comes with the AWS SDK",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


def attributes(path: Path) -> set[str]:
    """Every attribute that a module names, such as the methods that it calls."""
    return {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}


def literals(path: Path) -> set[str]:
    """Every text that stands in a module's code."""
    return {
        node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def naming(attribute: str) -> set[str]:
    """The modules that name an attribute."""
    return {name_of(path) for path in SHIPPED if attribute in attributes(path)}


def tracked() -> list[Path]:
    """The files of the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_a_cold_start_loads_nothing_heavy():
    """Importing the app loads no SDK, no crypto and no tool of the tests.

    It also needs no setting: packaging, pages and tests import it anywhere.
    """
    program = "import app, json, sys; print(json.dumps(sorted(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {program}"],
        check=True,
        capture_output=True,
        text=True,
        env={},
    )

    loaded = set(json.loads(told.stdout))
    assert loaded & set(HEAVY) == set()
    assert "chalicelib.routes.referrals.referrals" in loaded


def test_only_the_settings_read_the_environment():
    """`os.environ` and `os.getenv` stand in `chalicelib/settings.py` and nowhere else."""
    readers = naming("environ") | naming("getenv") | naming("putenv")

    assert readers == {"chalicelib/settings.py"}


def test_only_the_wiring_reads_the_clock():
    """The time is an argument; `wiring.now` is where it comes from."""
    clocks = re.compile(r"(datetime|date)\.(now|today|utcnow)|time\.(time|time_ns|localtime|gmtime)")
    readers = {
        name_of(path) for path in SHIPPED if any(clocks.fullmatch(ast.unparse(call.func)) for call in calls(path))
    }

    assert readers == {"chalicelib/wiring.py"}


def test_nothing_scans_a_table():
    """What a table holds is found by a key or an index, whatever its size."""
    scanning = [path for path in SHIPPED if "scan" in attributes(path) or {"scan", "Scan"} & literals(path)]

    assert scanning == []


def test_every_transaction_goes_through_the_ledger():
    """There is one place where several writes become one, and one that knows how it can fail."""
    assert naming("transact_write_items") == {"chalicelib/store/platform/transactions.py"}
    assert naming("batch_write_item") == set()


def test_only_the_store_knows_tables():
    """No other layer names a call of DynamoDB."""
    operations = {"get_item", "put_item", "update_item", "delete_item", "batch_get_item"}
    knowing = {name_of(path) for path in SHIPPED if operations & (attributes(path) | literals(path))}

    assert {"/".join(name.split("/")[:2]) for name in knowing} == {"chalicelib/store"}


def test_every_client_has_time_limits():
    """`chalicelib/clients.py` makes them all, with limits below those of the gateway."""
    assert naming("create_client") == {"chalicelib/clients.py"}


@pytest.mark.parametrize(
    "path", [p for p in tracked() if p.suffix in WRITTEN_BY_HAND and "vendor" not in p.parts], ids=name_of
)
def test_no_file_is_long(path):
    """From 300 lines on, ask whether a file holds two things; 500 is the limit."""
    assert len(path.read_text("utf-8").splitlines()) <= MOST_LINES


def test_no_file_names_a_registry_or_a_place_on_a_disk():
    """What is committed works anywhere."""
    # In pieces, so that they do not find themselves.
    elsewhere = re.compile(
        "|".join(
            ("pypi" + r"\.org", "python" + r"hosted\.", "npm" + r"js\.",
             # Not as a part of an address: there it is somebody else's.
             r"(?<![\w.])/" + "(home|Users|root|work)/", r"C:\\" + "Users")
        ).encode()
    )  # fmt: skip
    found = {
        name_of(path): match.group().decode() for path in tracked() if (match := elsewhere.search(path.read_bytes()))
    }

    assert found == {}


def test_debugging_is_off():
    """With it on, Chalice would answer a bug with its traceback."""
    from app import app

    assert app.debug is False
    assert not [path for path in SHIPPED if "debug" in attributes(path)]


def test_layers_know_only_the_layers_below():
    """The contracts of `pyproject.toml`, by import-linter."""
    told = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert told.returncode == 0, told.stdout


def raised_codes() -> set[str]:
    """The codes that errors are made with, and those that are their defaults."""
    made = {
        call.args[0].value
        for path in SHIPPED
        for call in calls(path)
        if call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
        and re.search(r"(Error|Never|__init__)$", ast.unparse(call.func))
        and re.fullmatch(r"[a-z][a-z_0-9]+", call.args[0].value)
    }
    defaults = {
        default.value
        for node in ast.walk(tree(ROOT / "chalicelib/errors.py"))
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
        for default in node.args.defaults
        if isinstance(default, ast.Constant) and isinstance(default.value, str)
    }
    return made | defaults


def test_every_code_of_a_problem_is_explained():
    """A code that is raised is in the table of the docs page."""
    assert raised_codes() - set(PROBLEM_CODES) == set()


def test_every_code_that_is_explained_is_used():
    """What nothing answers any more leaves the docs."""
    elsewhere = set().union(*(literals(path) for path in SHIPPED if path.name != "codes.py"))

    assert set(PROBLEM_CODES) - elsewhere == set()


def test_only_what_is_on_the_list_is_logged():
    """A log line is an event and ids of an allow-list: a new field is thought about there."""
    named = {
        keyword.arg
        for path in SHIPPED
        for call in calls(path)
        if re.fullmatch(r"log\.(info|warning|error)", ast.unparse(call.func))
        for keyword in call.keywords
    }

    assert named - observe._LOGGABLE == set()
    assert None not in named, "the names of `**fields` cannot be checked"


def test_a_log_refuses_what_is_not_on_its_list():
    """What no test passed by does not slip through either."""
    with pytest.raises(ValueError, match="not a loggable field: patient"):
        observe.log.info("request", patient="Ana Example")


def test_nothing_prints():
    """What is told goes through the log, where it is checked."""
    printing = [path for path in SHIPPED for call in calls(path) if ast.unparse(call.func) == "print"]

    assert printing == []


def test_all_that_is_made_once_can_be_let_go():
    """`wiring.reset` leaves nothing behind that a test or a changed setting could meet again."""
    [reset] = (
        node
        for node in tree(ROOT / "chalicelib/wiring.py").body
        if isinstance(node, ast.FunctionDef) and node.name == "reset"
    )
    kept = {
        name
        for name, made in vars(wiring).items()
        if hasattr(made, "cache_clear") and made.__module__ == wiring.__name__
    }

    assert kept == {node.id for node in ast.walk(reset) if isinstance(node, ast.Name)} - {"made"}
