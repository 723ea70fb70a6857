"""What the dashboard's files promise without being run. Needs no browser."""

import gzip
import hashlib
import json
import re

import pytest

from infra import vendor_web
from infra.vendor_web import VENDOR, WEB

FIRST_LOAD_BYTES = 41_500
"""Of which 250 say on every page that mail to a member comes back, when it does."""
ALL_BYTES = 126_000
"""Of which 5,500 are three pages: one's notices, how to be mailed of them, and a referral's."""
FONT = "inter.css"
LATER_STYLES = "case.css"

_IMPORT = re.compile(r"""(?:from|^import|import\() ?"\./([^"]+)\"""", re.MULTILINE)
_STATIC_IMPORT = re.compile(r"""(?:from|^import) ?"\./([^"]+)\"""", re.MULTILINE)
# Everything that loads; an <a href> to another site is followed by a person, not by the page.
_LOADS = re.compile(r"""(?:src|action|srcset)=["']?https?:|url\(["']?https?:|import ["(]https?:|@import""")


def served():
    """Every file that may be asked for, by its public name."""
    listed = json.loads((WEB / "manifest.json").read_text())
    return {name: WEB / entry["path"] for name, entry in listed.items()}


def own_files(*suffixes):
    """The files that are written here."""
    return [path for path in served().values() if path.suffix in suffixes and path.parent == WEB]


def zipped(names):
    """What files weigh on their way to the browser."""
    return sum(len(gzip.compress(served()[name].read_bytes(), 9)) for name in names)


def first_load():
    """What the sign-in and the worklist need: the modules reached from app.js, and the styles."""
    reached, waiting = set(), ["app.js"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        found = _STATIC_IMPORT.findall(served()[name].read_text())
        waiting += [each for each in found if each not in reached]
    return reached


def styles_of(page):
    """The style sheets that a page asks for."""
    return set(re.findall(r'stylesheet" href="assets/([^"]+)"', served()[page].read_text()))


def test_the_manifest_is_current():
    """Else: python -m infra.vendor_web --manifest."""
    assert (WEB / "manifest.json").read_text() == vendor_web.build_manifest()


def test_the_vendored_files_are_those_that_were_vendored():
    """Nobody edits them by hand; each package's licence lies beside them."""
    assert (VENDOR / "SHA256SUMS").read_text() == vendor_web.build_checksums()
    for line in (VENDOR / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    assert len(list((VENDOR / "licenses").iterdir())) == len(vendor_web.PACKAGES)


@pytest.mark.parametrize("name", sorted(name for name in served() if name.endswith(".js")))
def test_a_module_imports_only_what_is_served(name):
    """By flat, relative names, so that no import map is needed."""
    text = served()[name].read_text()

    assert set(_IMPORT.findall(text)) <= set(served())
    assert not re.search(r"""(?:from|^import) ?["'][^."']""", text, re.MULTILINE)


def test_no_file_loads_anything_from_another_host():
    """Everything comes from the page's own origin."""
    guilty = [path.name for path in served().values() if _LOADS.search(path.read_text())]

    assert guilty == []


def test_nothing_is_written_that_the_policy_would_stop():
    """No inline style or script, nothing that parses markup or text as code."""
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
        r"|<script>|<style|\bstyle=|\bon[a-z]+=\""
    )

    assert [p.name for p in own_files(".js", ".html") if forbidden.search(p.read_text())] == []


def test_the_page_asks_early_for_all_that_the_first_view_needs():
    """No module waits for another one to be read before it is asked for."""
    preloaded = re.findall(r'modulepreload" href="assets/([^"]+)"', served()["index.html"].read_text())

    assert set(preloaded) | {"app.js"} == first_load()


def test_the_weight_stays_within_the_budget():
    """Compressed one by one, the font apart: the first view, and the whole dashboard."""
    styles = styles_of("index.html") - {FONT}
    scripts = {name for name in served() if name.endswith(".js")} - {"docs.js"}

    assert zipped(first_load() | styles) <= FIRST_LOAD_BYTES
    assert zipped(scripts | styles | {LATER_STYLES}) <= ALL_BYTES


def test_no_file_is_long():
    """A place to ask whether two things live in one room."""
    assert [p.name for p in own_files(".js", ".css") if len(p.read_text().splitlines()) > 300] == []


def test_every_icon_that_is_carried_is_used():
    """And every icon that is used is carried."""
    carried = set(re.findall(r'^  "([a-z0-9-]+)":', served()["icons.js"].read_text(), re.MULTILINE))
    texts = " ".join(path.read_text() for path in own_files(".js"))

    assert {name for name in carried if f'"{name}"' not in texts} == set()
    assert set(re.findall(r'<\$\{Icon\} name="([a-z0-9-]+)"', texts)) <= carried


def test_stages_are_never_hard_coded():
    """They come from the server, with their labels; few are named, by what only they allow."""
    from chalicelib.domain.referrals.stages import Stage

    named = {
        (path.name, stage.value)
        for path in own_files(".js")
        for stage in Stage
        if re.search(rf'"{stage.value}"', path.read_text())
    }

    phases = {("worklist.js", "monitoring")}
    editable = {(name, "draft") for name in ("worklist.js", "referral.js")}
    editable |= {("referral.js", "info_requested"), ("draft.js", "submitted")}
    final = {("actions.js", "deceased")}
    never_corrected = {("reports.js", "submitted")}
    assert named == phases | editable | final | never_corrected


def test_the_word_eligible_is_never_a_verdict():
    """The one eligibility decision is the center's."""
    verdict = re.compile(r"[> ](?:not |in)?eligible\b", re.IGNORECASE)

    assert [path.name for path in own_files(".js") if verdict.search(path.read_text())] == []
