"""Compiles the modules of the bundle, because Lambda cannot store bytecode.

A function's folder is read-only. Without bytecode in the bundle, each cold start would compile every
module again. The bytecode is not checked against its source (PEP 552), because an archive resets the
times that Python would compare.

This module runs as a separate program, `python bytecode.py FOLDER`, because marshal's output depends on
the other modules of a process and on its hash seed.
"""

import ast
import importlib.util
import marshal
import os
import subprocess
import sys
from pathlib import Path

_OWN_CODE = ("app.py", "chalicelib", "document_check", "packet_pdf")
_ROUTES = Path("chalicelib/routes")
_LAMBDA_ROOT = "/var/task"
_UNCHECKED_HASH = (1).to_bytes(4, "little")


def compile_in_subprocess(root: Path) -> None:
    """Compile all modules below `root` in a separate process."""
    subprocess.run(
        # A traceback needs line numbers only. Column numbers would be a quarter of all bytecode.
        [sys.executable, "-X", "no_debug_ranges", __file__, str(root)],
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )


def compile_all(root: Path) -> None:
    """Replace every source file with its bytecode, which has a third of the size.

    Tracebacks then show no source lines, which the product does not need. The docstrings that the OpenAPI
    document uses stay: those of views and of classes in routes, and of our enumerations, which are fields there.
    """
    for source in sorted(root.rglob("*.py")):
        tree = ast.parse(source.read_bytes())
        path = source.relative_to(root)
        _drop_docstrings(tree, is_own=path.parts[0] in _OWN_CODE, is_route=_ROUTES in path.parents)
        source.with_suffix(".pyc").write_bytes(_compile_file(source, root, tree))
        source.unlink()


def _compile_file(source: Path, root: Path, tree: ast.Module) -> bytes:
    path = f"{_LAMBDA_ROOT}/{source.relative_to(root).as_posix()}"
    code = compile(tree, path, "exec", dont_inherit=True)
    source_hash = importlib.util.source_hash(source.read_bytes())
    return importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + source_hash + marshal.dumps(code)


def _drop_docstrings(tree: ast.Module, *, is_own: bool, is_route: bool) -> None:
    """Remove docstrings as `-OO` does, except those in the OpenAPI document, but keep the assertions."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(bases=bases) if is_route or (is_own and any("Enum" in ast.unparse(b) for b in bases)):
                continue
            case ast.FunctionDef(decorator_list=[_, *_]) if is_route:
                continue
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                _drop_docstring(node)


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())) as docstring, *rest]:
            node.body = rest or [ast.copy_location(ast.Pass(), docstring)]


if __name__ == "__main__":
    compile_all(Path(sys.argv[1]))
