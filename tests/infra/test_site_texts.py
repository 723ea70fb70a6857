"""`python -m infra.site_texts` and `make package TEXTS=…`: an operator's own texts."""

import sys

import pytest

from infra import site_texts


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command, and return its exit code and what it printed."""

    def run_command(*arguments):
        monkeypatch.setattr(sys, "argv", ["site_texts", *map(str, arguments)])
        try:
            site_texts.main()
        except SystemExit as ended:
            output = capsys.readouterr()
            return ended.code, output.out + output.err
        return 0, capsys.readouterr().out

    return run_command


def test_the_first_run_writes_the_shipped_texts_to_edit(run, tmp_path):
    """They can be used as they are."""
    folder = tmp_path / "texts"

    code, printed = run(folder)

    assert code == 0
    assert "make package TEXTS=" in printed
    assert sorted(path.name for path in folder.iterdir()) == [
        *("accessibility.txt", "privacy.txt", "security.txt", "sign-in.txt", "terms.txt")
    ]


def test_the_pages_show_the_texts_of_the_operator(run, tmp_path):
    """A text that the folder does not have is the shipped one."""
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "terms.txt").write_text("Our terms\n\nBe kind.\n")

    run(folder, "--out", tmp_path / "pages")

    assert "<h1>Our terms</h1>\n<p>Be kind.</p>" in (tmp_path / "pages" / "terms.html").read_text()
    assert "<h1>Privacy notice</h1>" in (tmp_path / "pages" / "privacy.html").read_text()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("imprint.txt", b"Imprint\n\nx", "imprint.txt: not a text of this site."),
        ("terms.txt", b"\xff\xfeT\x00", "terms.txt: cannot be read as UTF-8 text."),
        ("terms.txt", b"Terms", "terms.txt: There is no text below the title."),
        ("terms.txt", b"Terms\n\n<p>x</p>", "terms.txt, line 3: HTML is shown as it is written."),
        ("privacy.txt", b"Privacy\n\nCall [phone].", "privacy.txt, line 3: a place in brackets is not filled in."),
        ("sign-in.txt", b" \n", "sign-in.txt: 0 characters."),
        ("sign-in.txt", b"x" * 401, "sign-in.txt: 401 characters."),
    ],
)
def test_a_text_that_cannot_be_shown_is_refused_with_its_line(run, tmp_path, name, content, problem):
    """Before anything is deployed."""
    (tmp_path / name).write_bytes(content)

    code, printed = run(tmp_path)

    assert code == 1
    assert problem in printed


def test_the_bundle_gets_the_texts_of_the_folder(tmp_path):
    """With or without the mark that some editors write first."""
    folder, target = tmp_path / "mine", tmp_path / "bundle"
    folder.mkdir()
    target.mkdir()
    (target / "terms.txt").write_text("Shipped\n\nx")
    (folder / "terms.txt").write_bytes(b"\xef\xbb\xbfOur terms\n\nBe kind.")

    site_texts.copy_texts(folder, target)

    assert (target / "terms.txt").read_text() == "Our terms\n\nBe kind."


def test_the_bundle_is_not_made_with_a_text_that_cannot_be_used(tmp_path):
    """Nothing is copied."""
    folder, target = tmp_path / "mine", tmp_path / "bundle"
    folder.mkdir()
    target.mkdir()
    (folder / "terms.txt").write_text("Our terms\n\nBe kind.")
    (folder / "privacy.txt").write_text("Only a title")

    with pytest.raises(site_texts.TextsError, match="There is no text below the title"):
        site_texts.copy_texts(folder, target)
    assert list(target.iterdir()) == []
