"""What comments, docstrings and pages name in the code exists."""

import ast
import builtins
import importlib.util
import io
import keyword
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from chalicelib.domain.referrals.events import EventType
from tests.support.source_files import ROOT, SHIPPED, list_tracked_files, parse, relative


class CodeNames:
    """The names that comments and docs may refer to.

    Attributes:
        modules: Dotted paths of our modules and packages.
        members: Per module or class name, the names defined directly in it.
    """

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.members: dict[str, set[str]] = defaultdict(set)
        self.texts: set[str] = set()
        """Each text with a dot: audit actions and types, which pages name as well."""
        for top in ("app.py", "chalicelib", "infra", "tests"):
            for path in sorted((ROOT / top).rglob("*.py")) or [ROOT / top]:
                dotted = relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                self.modules.add(dotted)
                self.modules.update(dotted.rsplit(".", n)[0] for n in range(1, dotted.count(".") + 1))
                tree = parse(path)
                self._collect(tree.body, dotted.rpartition(".")[2])
                if path in SHIPPED:
                    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
                    self.texts.update(text for text in constants if isinstance(text, str) and "." in text)

    def _collect(self, body: list[ast.stmt], owner: str) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.members[owner].add(node.name)
                self.members[owner].update(
                    each.attr
                    for each in ast.walk(node)
                    if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
                )
            elif isinstance(node, ast.ClassDef):
                self.members[owner].add(node.name)
                self._collect(node.body, node.name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                self.members[owner].update((each.asname or each.name).partition(".")[0] for each in node.names)
            else:
                self.members[owner].update(
                    each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                )

    def has(self, dotted: str) -> bool:
        """Whether a dotted name leads to a module of ours, or to something defined in one."""
        parts = dotted.split(".")
        if dotted in self.texts or self._is_module(parts):
            return True
        for split in range(1, len(parts)):
            owner, names = parts[:split], parts[split:]
            if not (self._is_module(owner) or owner[-1] in self.members):
                continue
            place = owner[-1]
            for name in names:
                if name not in self.members[place]:
                    break
                place = name
            else:
                return True
        return False

    def _is_module(self, parts: list[str]) -> bool:
        tail = ".".join(parts)
        return any(module == tail or module.endswith(f".{tail}") for module in self.modules)


FILE_SUFFIXES = {"py", "js", "css", "html", "json", "md", "txt", "csv", "toml", "pdf", "zip", "ts", "svg", "bin", "in"}
FILE_SUFFIXES |= {"yml", "yaml", "ics", "sh", "jsonl", "log", "xml", "png", "example"}
OUTSIDE_NAMES = re.compile(
    r"(data|details|self|cls|answer|event|item|row|request|response|CodeDeployDefault|cognito|dynamodb|sesv2|kms|aws|lambda|www)\b.*"
)
"""Names of JSON members, of local values, of AWS and of hosts: no name of ours, so not checked here."""


def list_quoted_names(path: Path) -> Iterator[str]:
    """The dotted names between backquotes in the comments and docstrings of a module, or in a page."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        docstrings = [
            ast.get_docstring(node) or ""
            for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        ]
        comments = [
            token.string
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type == tokenize.COMMENT
        ]
        text = "\n".join(docstrings + comments)
    else:
        text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?:\(\))?`", text)


def is_outside_name(dotted: str) -> bool:
    """Whether a name belongs to Python, a library, an event type or a file."""
    first, _, rest = dotted.partition(".")
    if dotted in set(EventType) or dotted.rpartition(".")[2] in FILE_SUFFIXES or OUTSIDE_NAMES.fullmatch(dotted):
        return True
    if hasattr(builtins, first) or keyword.iskeyword(first):
        return True
    ours = first in {"app", "chalicelib", "infra", "tests"}
    return not ours and importlib.util.find_spec(first) is not None and bool(rest)


def test_dotted_names_in_comments_and_docs_exist():
    """A comment or a page that names something in the code leads there."""
    names = CodeNames()
    pages = [path for path in list_tracked_files({".md"}) if path.name != "CHANGELOG.md"]
    code = [path for path in list_tracked_files({".py"}) if "simulation" not in path.parts]
    missing = {
        f"{relative(path)}: {name}"
        for path in (*code, *pages)
        for name in list_quoted_names(path)
        if not is_outside_name(name) and not names.has(name)
    }

    assert missing == set()


def test_the_check_of_dotted_names_finds_a_wrong_one():
    """A check that cannot fail would prove nothing."""
    names = CodeNames()

    assert names.has("wiring.reset")
    assert names.has("domain.referrals.stages.Stage")
    assert names.has("Stage.INFUSED")
    assert not names.has("domain.referral.decide")
    assert not names.has("Stage.NO_SUCH_STAGE")
