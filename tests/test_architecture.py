"""Rules for the whole code base that no other tool checks. Each test's docstring is the rule."""

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib import observe, wiring
from chalicelib.domain.referrals.alias import BIRDS, COLORS
from chalicelib.routes.platform import problem_codes
from chalicelib.routes.route_table import VIEWS
from tests.support.source_files import ROOT, SHIPPED, list_tracked_files, parse, relative

LAYERS = ("domain", "services", "store", "routes", "web")
CAPABILITIES = {
    "referrals",
    "webhooks",
    "operations",
    "insights",
    "coverage",
    "eligibility",
    "ehr",
    "centers",
    "notices",
    "handback",
    "identity",
    "audit",
    "documents",
    "consultation",
    "platform",
}
WRITTEN_BY_HAND = {".css", ".html", ".js", ".md", ".py"}
MAX_LINES = 500

SLOW_IMPORTS = {
    "PIL": "images; only the function that checks files has it",
    "boto3": "the AWS SDK",
    "botocore.client": "the AWS SDK; the bare package is only a version number",
    "botocore.session": "the AWS SDK",
    "chalicelib.catalog.labels": "loaded by the first eligibility check",
    "chalicelib.domain.eligibility.screen": "loaded by the first eligibility check",
    "chalicelib.domain.eligibility.screen_input": "loaded by the first eligibility check",
    "cryptography": "OpenSSL",
    "email_validator": "loads the public suffix list",
    "icalendar": "reads and writes calendars",
    "jinja2": "a template engine",
    "joserfc": "verifies tokens, and loads OpenSSL",
    "jsonschema": "for tests",
    "moto": "for tests",
    "pikepdf": "PDF files; only the function that checks files has it",
    "requests": "an HTTP client",
    "typst": "sets PDFs; only a function of its own has it",
    "urllib3": "part of the AWS SDK",
}


def list_calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(parse(path)) if isinstance(node, ast.Call))


def list_attributes(path: Path) -> set[str]:
    """Every attribute name in a module, such as the methods that it calls."""
    return {node.attr for node in ast.walk(parse(path)) if isinstance(node, ast.Attribute)}


def list_strings(path: Path) -> set[str]:
    """Every string constant in a module."""
    return {
        node.value for node in ast.walk(parse(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def list_modules_using(attribute: str) -> set[str]:
    """The shipped modules that use an attribute of this name."""
    return {relative(path) for path in SHIPPED if attribute in list_attributes(path)}


def list_loaded_modules(program: str) -> set[str]:
    """The modules that a new process has after it ran a program, without any setting."""
    program += "; import json, sys; print(json.dumps(sorted(sys.modules)))"
    finished = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {program}"],
        check=True,
        capture_output=True,
        text=True,
        env={},
    )
    return set(json.loads(finished.stdout))


@pytest.mark.parametrize(
    "program",
    ["import app", "from chalicelib.routes import route_loader; route_loader.load_all_operations()"],
    ids=["start", "all-routes"],
)
def test_a_cold_start_imports_nothing_slow(program):
    """Importing the app, or the modules of all routes, loads no SDK, no cryptography and no test tool.

    The import also needs no setting: packaging, static pages and tests import the app anywhere.
    """
    assert list_loaded_modules(program) & set(SLOW_IMPORTS) == set()


def test_a_cold_start_imports_no_module_of_a_route():
    """Each is imported with its first request."""
    modules = {f"chalicelib.routes.{view.rpartition('.')[0]}" for view in VIEWS.values()}

    loaded = list_loaded_modules("import app")

    assert "chalicelib.routes.route_table" in loaded
    assert loaded & modules == set()


def test_only_the_settings_module_reads_the_environment():
    """`os.environ` and `os.getenv` appear in `chalicelib/settings.py` and nowhere else."""
    readers = list_modules_using("environ") | list_modules_using("getenv") | list_modules_using("putenv")

    assert readers == {"chalicelib/settings.py"}


def test_only_the_wiring_module_reads_the_clock():
    """The time is an argument everywhere else; it comes from `wiring.read_clock`."""
    clock = re.compile(r"(datetime|date)\.(now|today|utcnow)|time\.(time|time_ns|localtime|gmtime)")
    readers = {
        relative(path) for path in SHIPPED if any(clock.fullmatch(ast.unparse(call.func)) for call in list_calls(path))
    }

    assert readers == {"chalicelib/wiring.py"}


def test_no_code_scans_a_table():
    """Rows are found by a key or an index, however large the table is."""
    scanning = [path for path in SHIPPED if "scan" in list_attributes(path) or {"scan", "Scan"} & list_strings(path)]

    assert scanning == []


def test_every_transaction_goes_through_the_transactions_module():
    """One module combines several writes into one commit, and knows how a commit can fail."""
    assert list_modules_using("transact_write_items") == {"chalicelib/store/platform/transactions.py"}
    assert list_modules_using("batch_write_item") == set()


def test_only_the_store_calls_dynamodb():
    """No other layer names an operation of DynamoDB, besides the client that has them."""
    operations = {"get_item", "put_item", "update_item", "delete_item", "batch_get_item"}
    callers = {relative(path) for path in SHIPPED if operations & (list_attributes(path) | list_strings(path))}
    callers.remove("chalicelib/direct_calls.py")

    assert {"/".join(name.split("/")[:2]) for name in callers} == {"chalicelib/store"}


def test_every_client_has_time_limits():
    """Two modules reach AWS, with limits shorter than the gateway's."""
    assert list_modules_using("create_client") == {"chalicelib/sdk_clients.py"}
    senders = {relative(path) for path in SHIPPED if "botocore.httpsession" in path.read_text("utf-8")}
    assert senders == {"chalicelib/direct_transport.py"}


def test_no_file_is_long():
    """From 300 lines on, ask whether a file holds two things; 500 is the limit."""
    lines = {
        relative(path): len(path.read_text("utf-8").splitlines())
        for path in list_tracked_files(WRITTEN_BY_HAND)
        if "vendor" not in path.parts
    }

    assert {name: count for name, count in lines.items() if count > MAX_LINES} == {}


def test_every_layer_has_packages_with_the_same_names():
    """Someone who knows one layer knows them all."""
    packages = {
        (layer, folder.name)
        for layer in LAYERS
        for folder in (ROOT / "chalicelib" / layer).iterdir()
        if folder.is_dir() and folder.name != "__pycache__"
    }

    unknown = {pair for pair in packages if pair[1] not in CAPABILITIES}
    assert unknown == {("web", "app"), ("web", "vendor")}, "web/app joins all pages; web/vendor holds libraries"
    assert {name for _, name in packages} >= CAPABILITIES


def test_every_test_is_in_the_package_of_its_module():
    """Tests of a layer are in folders named like its packages."""
    folders = {
        relative(path.parent)
        for layer in LAYERS
        for path in (ROOT / "tests" / layer).rglob("test_*.py")
        if path.parent.name not in CAPABILITIES
    }

    assert folders <= {"tests/routes"}


def test_no_two_public_classes_share_a_name():
    """A class name leads to one place."""
    places = defaultdict(list)
    for path in (*SHIPPED, *sorted((ROOT / "infra").rglob("*.py"))):
        for node in parse(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(relative(path))

    assert {name: files for name, files in places.items() if len(files) > 1} == {}


OLD_WORDS = {"anew", "desk", "said", "shelves", "somebody", "told", "whoever"}
"""Words of an earlier style. A plain word of the field is easier to find and to understand."""

PUBLISHED_NAMES = {"told", "told_at"}
"""Members of responses, which stay as they are."""


def list_names(path):
    """The names that a module gives: of its classes, functions, parameters, variables and attributes."""
    for node in ast.walk(parse(path)):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.arg(arg=name) | ast.Attribute(attr=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


def test_names_use_plain_words():
    """No name has a word of an earlier style in it."""
    names = {(name, relative(path)) for path in list_tracked_files({".py"}) for name in list_names(path)}
    old = {pair for pair in names if OLD_WORDS & set(re.split(r"_|(?<=[a-z])(?=[A-Z])", pair[0].lower()))}

    assert {pair for pair in old if pair[0] not in PUBLISHED_NAMES} == set()


PROPOSED_ALIAS = re.compile(rf"\b({'|'.join(COLORS)}) ({'|'.join(BIRDS)})\b")


def test_route_tests_name_patients_as_no_proposal_does():
    """A referral of another test in the shared organization may have any proposed alias."""
    route_tests = (ROOT / "tests" / "routes").rglob("*.py")

    assert [relative(path) for path in route_tests if PROPOSED_ALIAS.search(path.read_text("utf-8"))] == []


def test_no_file_names_a_package_registry_or_a_path_of_one_machine():
    """Committed files work anywhere."""
    # In pieces, so that the patterns do not match themselves.
    forbidden = re.compile(
        "|".join(
            ("pypi" + r"\.org", "python" + r"hosted\.", "npm" + r"js\.",
             # Not inside a URL: there it is a path of another site.
             r"(?<![\w.])/" + "(home|Users|root|work)/", r"C:\\" + "Users")
        ).encode()
    )  # fmt: skip
    found = {
        relative(path): match.group().decode()
        for path in list_tracked_files()
        if (match := forbidden.search(path.read_bytes()))
    }

    assert found == {}


def test_debug_mode_is_off():
    """In debug mode, Chalice would answer an error with its traceback."""
    from app import app

    assert app.debug is False
    assert not [path for path in SHIPPED if "debug" in list_attributes(path)]


def test_import_contracts_hold():
    """The contracts of `pyproject.toml`, checked by import-linter."""
    finished = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stdout


def list_raised_codes() -> set[str]:
    """The problem codes that errors and rejections are created with, and those that are defaults."""
    created = {
        call.args[0].value
        for path in SHIPPED
        for call in list_calls(path)
        if call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
        and re.search(r"(Error|Rejected|__init__)$", ast.unparse(call.func))
        and re.fullmatch(r"[a-z][a-z_0-9]+", call.args[0].value)
    }
    defaults = {
        default.value
        for node in ast.walk(parse(ROOT / "chalicelib/errors.py"))
        if isinstance(node, ast.FunctionDef) and node.name == "__init__"
        for default in node.args.defaults
        if isinstance(default, ast.Constant) and isinstance(default.value, str)
    }
    return created | defaults


def test_every_raised_problem_code_is_documented():
    """A code that the product can return is in the table of the API reference."""
    assert list_raised_codes() - set(problem_codes.PROBLEM_CODES) == set()


def test_every_documented_problem_code_is_used():
    """A code that nothing returns leaves the API reference."""
    own_file = Path(problem_codes.__file__)
    elsewhere = set().union(*(list_strings(path) for path in SHIPPED if path != own_file))

    assert set(problem_codes.PROBLEM_CODES) - elsewhere == set()


def test_only_listed_fields_are_logged():
    """A log line is an event and listed ids; a new field is reviewed where the list is."""
    fields = {
        each.arg
        for path in SHIPPED
        for call in list_calls(path)
        if re.fullmatch(r"log\.(info|warning|error)", ast.unparse(call.func))
        for each in call.keywords
    }

    assert fields - observe._LOGGABLE == set()
    assert None not in fields, "the names of `**fields` cannot be checked"


def test_the_log_refuses_a_field_that_is_not_listed():
    """A field that no test logged is refused too."""
    with pytest.raises(ValueError, match="not a loggable field: patient"):
        observe.log.info("request", patient="Ana Example")


def test_shipped_code_does_not_print():
    """All output goes through the log, where its fields are checked."""
    printing = [path for path in SHIPPED for call in list_calls(path) if ast.unparse(call.func) == "print"]

    assert printing == []


def test_wiring_reset_clears_every_cached_object():
    """`wiring.reset` leaves nothing that another test or a changed setting could meet again."""
    [reset] = (
        node
        for node in parse(ROOT / "chalicelib/wiring.py").body
        if isinstance(node, ast.FunctionDef) and node.name == "reset"
    )
    cached = {
        name
        for name, value in vars(wiring).items()
        if hasattr(value, "cache_clear") and value.__module__ == wiring.__name__
    }

    assert cached <= {node.id for node in ast.walk(reset) if isinstance(node, ast.Name)}
