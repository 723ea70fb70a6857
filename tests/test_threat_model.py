"""The threat model names a test for each attack, and each of them exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security" / "threat-model.md"
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text("utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_the_page_names_exists(file, name):
    """Under this name, in this file."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))

    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_attack_names_a_test():
    """A row without a test would be a claim that nobody checks."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if re.match(r"\| (?!attack|---)", line)]
    attacks = [row for row in rows if row.count("|") == 4 and "`tests/" in row]
    attackers = rows[: rows.index(next(row for row in rows if "`tests/" in row))]

    assert len(attacks) + len(attackers) == len(rows)
