"""Everything that README and the docs name exists: commands, options, files, links, names in code."""

import importlib
import re
from pathlib import Path
from typing import Any

import typer.main

from infra.cli.commands import app as command_line

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = typer.main.get_command(command_line)


def relative(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def without_blocks(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def list_code(text: str) -> set[str]:
    """Return everything in code: between backquotes, and in blocks a line at a time."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    joined = "\n".join(blocks).replace("\\\n", " ")
    lines = {line.partition("#")[0].strip() for line in joined.splitlines()}
    return lines | set(re.findall(r"`([^`\n]+)`", without_blocks(text)))


def list_commands(text: str) -> set[str]:
    """Return whole command lines, split at `&&`."""
    return {part.strip() for code in list_code(text) for part in code.split("&&")}


def list_make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))


def list_options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


def drop_options_before_command(words: list[str]) -> list[str]:
    """Remove the options between `referrals` and the command, with their values. An unknown one stays."""
    options = {name: parameter for parameter in COMMAND.params for name in parameter.opts}
    while len(words) > 1 and words[1] in options:
        has_value = not options[words[1]].is_flag  # type: ignore[attr-defined]
        words = [words[0], *words[3 if has_value else 2 :]]
    return words


def test_the_readme_has_at_most_150_lines():
    """No one reads a longer one."""
    assert len(README.splitlines()) <= 150


def test_every_make_target_in_the_docs_exists():
    """`make something` does something."""
    asked = {
        (relative(page), words[1])
        for page in PAGES
        for command in list_commands(page.read_text("utf-8"))
        if (words := command.split())[:1] == ["make"] and len(words) > 1
    }
    targets = list_make_targets()

    assert {(page, target) for page, target in asked if "=" not in target and target not in targets} == set()


def test_the_readme_names_the_make_targets_for_newcomers():
    """Run, test, check, bench and package."""
    result = {command.split()[1] for command in list_commands(README) if command.startswith("make ")}

    assert {"run", "test", "check", "bench", "package"} <= result


def is_known_command(line: str) -> bool:
    """Tell whether a line that calls `referrals` names a command and options that exist."""
    group: Any = COMMAND
    words = drop_options_before_command(line.split())
    if len(words) == 1 or words[1] == "…":
        return True
    command = group.commands.get(words[1])
    while command is not None and hasattr(command, "commands") and len(words) > 2:
        words = words[1:]
        command = command.commands.get(words[1])
    options = {word.partition("=")[0] for word in words if word.startswith("--")}
    return command is not None and options <= list_options(command) | {"--help"}


def test_every_command_in_the_docs_exists():
    """`referrals something --option` is a command with that option."""
    lines = {(relative(page), line) for page in PAGES for line in list_commands(page.read_text("utf-8")) if line}
    calls = {(page, line) for page, line in lines if Path(line.split()[0]).name == "referrals"}

    assert len(calls) > 50
    assert {(page, line) for page, line in calls if not is_known_command(line)} == set()


def test_every_file_in_the_docs_exists():
    """A path in code leads to a file or a folder; files that a run creates are listed here."""
    made_by_a_run = (".local", ".venv", "dist/", "requirements.txt")
    beginnings = (".chalice/", ".ci/", "app.py", "chalicelib/", "docs/", "infra/", "tests/")
    named = {
        (relative(page), code)
        for page in PAGES
        for code in list_code(page.read_text("utf-8"))
        if code.startswith((*beginnings, "LICENSE", "NOTICE", "Makefile", "pyproject.toml"))
        and not re.search(r"[ <>{}*…]", code)
    }

    missing = {(page, code) for page, code in named if not (ROOT / code.partition("::")[0]).exists()}
    assert {(page, code) for page, code in missing if not code.startswith(made_by_a_run)} == set()


def test_every_local_link_in_the_docs_exists():
    """A link or an image of the repository exists; other links name their own site."""
    links = {
        (page, link)
        for page in PAGES
        for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page.read_text("utf-8")))
        if not re.match(r"(https?:|mailto:|#)", link)
    }

    assert {
        (relative(page), link) for page, link in links if not (page.parent / link.partition("#")[0]).exists()
    } == set()


def test_the_names_in_the_recipes_exist():
    """The names in the recipes are names in the code."""
    stages = importlib.import_module("chalicelib.domain.referrals.stages")
    moves = importlib.import_module("chalicelib.domain.referrals.transitions")
    organizations = importlib.import_module("chalicelib.store.identity.tenants")
    secrets = importlib.import_module("chalicelib.store.webhooks.secrets")

    assert {"`Stage`", "`STAGE_FACTS`", "`Tenants.add`", "`WebhookSecrets.prepare_rotate`"} <= set(
        re.findall(r"`[\w.]+`", README)
    )
    assert stages.STAGE_FACTS.keys() == set(stages.Stage) == moves.TRANSITIONS.keys()
    assert callable(organizations.Tenants.add)
    assert callable(secrets.WebhookSecrets.prepare_rotate)


def test_the_variables_in_the_readme_are_read():
    """`PORT` and `DATA_DIR` change what README says."""
    reading = "".join(path.read_text("utf-8") for path in (ROOT / "infra/local").glob("*.py"))

    for variable in ("PORT", "DATA_DIR"):
        assert f"`{variable}`" in README
        assert f'"{variable}"' in reading


def test_every_decision_has_its_own_number():
    """Decisions are counted, and none is overwritten."""
    pages = sorted(path.name for path in (ROOT / "docs/decisions").glob("[0-9]*.md"))
    numbers = [int(page.partition("-")[0]) for page in pages]

    assert numbers == list(range(1, len(pages) + 1))
