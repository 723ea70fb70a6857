"""Checks an operator's texts, and shows them as pages: `python -m infra.site_texts FOLDER --out PAGES`.

The folder has a file `NAME.txt` for each text that it replaces: `terms`, `privacy`, `security`, `accessibility`
and `sign-in`. `make package TEXTS=FOLDER` puts them into the bundle. `chalicelib.routes.site_texts` has the format.
"""

import argparse
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from chalicelib import texts as shipped
from chalicelib.routes.site_texts import PAGES, SIGN_IN, parse_text, render_page

SHIPPED = Path(next(iter(shipped.__path__)))
NOTICE_LIMIT = 400
"""Characters. A longer notice moves the button of the sign-in form off a phone's screen."""


class TextsError(Exception):
    """The texts cannot be used."""


def list_problems(folder: Path) -> list[str]:
    """List what is wrong with the texts of a folder, in plain words."""
    if not folder.is_dir():
        return [f"{folder} is not a folder."]
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    known = {f"{name}.txt" for name in (*PAGES, SIGN_IN)}
    unknown = [f"{name}: not a text of this site. The texts are {', '.join(sorted(known))}." for name in names
               if name not in known]  # fmt: skip
    if not names:
        return ["The folder has no text."]
    return unknown + [problem for name in names if name in known for problem in _check_file(folder / name)]


def _check_file(path: Path) -> Iterator[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        yield f"{path.name}: cannot be read as UTF-8 text."
        return
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"<[a-z/!]", line, re.IGNORECASE):
            yield f"{path.name}, line {number}: HTML is shown as it is written. Use plain text."
        if re.search(r"\[[^\]]+\]", line):
            yield f"{path.name}, line {number}: a place in brackets is not filled in."
    if path.stem == SIGN_IN:
        notice = " ".join(text.split())
        if not 0 < len(notice) <= NOTICE_LIMIT:
            yield f"{path.name}: {len(notice)} characters. The notice needs 1 to {NOTICE_LIMIT}."
        return
    try:
        parse_text(text)
    except ValueError as error:
        yield f"{path.name}: {error}"


def copy_texts(folder: Path, target: Path) -> None:
    """Copy the texts of a folder over the shipped ones.

    Raises:
        TextsError: a text cannot be used; nothing was copied.
    """
    if problems := list_problems(folder):
        raise TextsError("\n".join(problems))
    for path in folder.glob("[!.]*.txt"):
        (target / path.name).write_text(path.read_text(encoding="utf-8-sig"), encoding="utf-8")


def write_pages(folder: Path, out: Path) -> None:
    """Write the pages as the site would show them."""
    out.mkdir(parents=True, exist_ok=True)
    sources = {name: folder / f"{name}.txt" for name in PAGES}
    pages = {
        name: parse_text((path if path.exists() else SHIPPED / path.name).read_text(encoding="utf-8-sig"))
        for name, path in sources.items()
    }
    for name in PAGES:
        (out / f"{name}.html").write_text(render_page(pages, name), encoding="utf-8")


def main() -> None:
    """Check a folder, and write its pages if asked."""
    parser = argparse.ArgumentParser(prog="python -m infra.site_texts", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder with your texts; it is created with the shipped ones")
    parser.add_argument("--out", type=Path, help="folder for the pages, to look at them in a browser")
    arguments = parser.parse_args()
    if not arguments.folder.exists():
        shutil.copytree(SHIPPED, arguments.folder, ignore=shutil.ignore_patterns("*.py", "*.html", "__pycache__"))
        print(f"The shipped texts are now in {arguments.folder}. Edit them, and run this command again.")
    if problems := list_problems(arguments.folder):
        parser.exit(1, "\n".join(problems) + "\n")
    if arguments.out:
        write_pages(arguments.folder, arguments.out)
    print("The texts can be used: make package TEXTS=…")


if __name__ == "__main__":
    main()
