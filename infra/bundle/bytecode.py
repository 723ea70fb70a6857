"""Compile what ships, because Lambda cannot keep what it compiles.

A function's folder is read-only: without bytecode in the bundle each cold start would compile
every module again. The bytecode is not checked against its source (PEP 552), since an archive
resets the times that Python would compare.

Run as a program of its own, `python bytecode.py FOLDER`: marshal's output depends on what else a
process has loaded and on how it hashes.
"""

import ast
import importlib.util
import marshal
import os
import subprocess
import sys
from pathlib import Path

_OWN = ("app.py", "chalicelib")
_LAMBDA_ROOT = "/var/task"
_UNCHECKED_HASH = (1).to_bytes(4, "little")


def compile_in_subprocess(root: Path) -> None:
    """Compile all below `root` in a process of its own."""
    subprocess.run(
        # A line is enough in a traceback. Columns would be a quarter of all bytecode.
        [sys.executable, "-X", "no_debug_ranges", __file__, str(root)],
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )


def compile_all(root: Path) -> None:
    """Let bytecode stand for every source: a third of the size, and nothing of ours prints it.

    Our docstrings stay, since the OpenAPI document is made of them.
    """
    for source in sorted(root.rglob("*.py")):
        tree = ast.parse(source.read_bytes())
        if source.relative_to(root).parts[0] not in _OWN:
            _drop_docstrings(tree)
        source.with_suffix(".pyc").write_bytes(_compile_file(source, root, tree))
        source.unlink()


def _compile_file(source: Path, root: Path, tree: ast.Module) -> bytes:
    where = f"{_LAMBDA_ROOT}/{source.relative_to(root).as_posix()}"
    code = compile(tree, where, "exec", dont_inherit=True)
    check = importlib.util.source_hash(source.read_bytes())
    return importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + check + marshal.dumps(code)


def _drop_docstrings(tree: ast.Module) -> None:
    """Take away what `-OO` would, but leave the assertions in."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())) as docstring, *rest]:
                    node.body = rest or [ast.copy_location(ast.Pass(), docstring)]


if __name__ == "__main__":
    compile_all(Path(sys.argv[1]))
