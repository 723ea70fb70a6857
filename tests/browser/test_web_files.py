"""What the dashboard's files promise without being run. Needs no browser."""

import gzip
import hashlib
import json
import posixpath
import re
from graphlib import TopologicalSorter

import pytest

from infra import vendor_web
from infra.vendor_web import VENDOR, WEB

FIRST_LOAD_BYTES = 43_000
"""Of which 250 say on every page that mail to a member comes back, when it does. Formatting and
longer names account for 1,200."""
ALL_BYTES = 136_000
"""Of which 5,500 are three pages: one's notices, how to be mailed of them, and a referral's.
Formatting, longer names and a style sheet and an API module per package account for 9,500."""
FONT = "vendor/inter.css"
ENTRY = "app/app.js"

_IMPORT = re.compile(r"""(?:from|^import|import\() ?"(\.\.?/[^"]+)\"""", re.MULTILINE)
_STATIC_IMPORT = re.compile(r"""(?:from|^import) ?"(\.\.?/[^"]+)\"""", re.MULTILINE)
# Everything that loads; an <a href> to another site is followed by a person, not by the page.
_LOADS = re.compile(r"""(?:src|action|srcset)=["']?https?:|url\(["']?https?:|import ["(]https?:|@import""")


def served():
    """Every file that may be asked for, by its public name."""
    return {name: WEB / name for name in json.loads((WEB / "manifest.json").read_text())}


def imports_of(name, pattern=_IMPORT):
    """The public names of what a module imports."""
    found = pattern.findall(served()[name].read_text())
    return {posixpath.normpath(f"{posixpath.dirname(name)}/{path}") for path in found}


def later_styles():
    """The style sheets that load with the first of the later pages."""
    listed = re.search(r"LAZY_STYLES = \[(.*?)\]", served()[ENTRY].read_text(), re.DOTALL)
    assert listed
    return set(re.findall(r'"([^"]+)"', listed[1]))


def own_files(*suffixes):
    """The files that are written here."""
    return [path for path in served().values() if path.suffix in suffixes and path.parent != VENDOR]


def zipped(names):
    """What files weigh on their way to the browser."""
    return sum(len(gzip.compress(served()[name].read_bytes(), 9)) for name in names)


def first_load():
    """What the sign-in and the worklist need: the modules reached from app.js, and the styles."""
    reached, waiting = set(), [ENTRY]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += [each for each in imports_of(name, _STATIC_IMPORT) if each not in reached]
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


def test_the_type_check_uses_the_versions_that_are_served():
    """The types of a vendored library come from the package of the same version."""
    listed = json.loads((WEB.parents[1] / "package.json").read_text())["devDependencies"]
    vendored = {package.name: package.version for package in vendor_web.PACKAGES}
    typed = vendored.keys() - {"@fontsource-variable/inter", "lucide-static"}

    assert {name: listed[name] for name in typed} == {name: vendored[name] for name in typed}


@pytest.mark.parametrize("name", sorted(name for name in served() if name.endswith(".js")))
def test_a_module_imports_only_what_is_served(name):
    """By relative paths, so that no import map is needed."""
    assert imports_of(name) <= set(served())
    assert not re.search(r"""(?:from|^import) ?["'][^."']""", served()[name].read_text(), re.MULTILINE)


PACKAGES = {path.name for path in WEB.iterdir() if path.is_dir()} - {"vendor", "__pycache__"}


def imported_packages(package):
    """The other packages that a package imports, also on demand."""
    names = [name for name in served() if name.startswith(f"{package}/") and name.endswith(".js")]
    found = {path.partition("/")[0] for name in names for path in imports_of(name)}
    return found - {package}


def test_a_package_is_named_like_its_capability_in_the_other_layers():
    """Only `app`, which knows all the others, belongs to the dashboard alone."""
    layers = [WEB.parent / layer for layer in ("domain", "services", "routes", "store")]
    capabilities = {path.name for layer in layers for path in layer.iterdir() if path.is_dir()}

    assert PACKAGES - capabilities == {"app"}


def test_platform_imports_no_other_package():
    """Every package may use it. Only it imports the vendored libraries."""
    users = {package for package in PACKAGES if "vendor" in imported_packages(package)}

    assert imported_packages("platform") == {"vendor"}
    assert users == {"platform"}


def test_no_package_imports_one_that_imports_it():
    """The packages have an order, so that each can be read after those that it needs."""
    order = TopologicalSorter({package: imported_packages(package) for package in PACKAGES})

    assert list(order.static_order())[-1] == "app"


def test_a_css_class_gets_its_own_rule_in_one_file_only():
    """A second meaning in a file that loads later would change pages that are already open."""
    rule = re.compile(r"(?:^|[},])\s*\.([a-z][a-z_-]*)\s*(?=[,{])")
    homes: dict[str, set[str]] = {}
    for path in own_files(".css"):
        no_media = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", path.read_text())
        for name in rule.findall(re.sub(r"/\*.*?\*/", "", no_media, flags=re.DOTALL)):
            homes.setdefault(name, set()).add(path.name)
    homes = {name: files - {"print.css"} for name, files in homes.items()}

    assert {name: files for name, files in homes.items() if len(files) > 1} == {}


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

    assert set(preloaded) | {ENTRY} == first_load()


def test_the_weight_stays_within_the_budget():
    """Compressed one by one, the font apart: the first view, and the whole dashboard."""
    styles = styles_of("index.html") - {FONT}
    scripts = {name for name in served() if name.endswith(".js")} - {"app/docs.js"}

    assert zipped(first_load() | styles) <= FIRST_LOAD_BYTES
    assert zipped(scripts | styles | later_styles()) <= ALL_BYTES


def test_every_icon_that_is_carried_is_used():
    """And every icon that is used is carried."""
    carried = set(re.findall(r'^  "([a-z0-9-]+)":', served()["vendor/icons.js"].read_text(), re.MULTILINE))
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
    editable = {(name, "draft") for name in ("worklist.js", "referral_page.js")}
    editable |= {("referral_page.js", "info_requested"), ("draft.js", "submitted")}
    final = {("actions.js", "deceased")}
    never_corrected = {("reports.js", "submitted")}
    assert named == phases | editable | final | never_corrected


def test_the_word_eligible_is_never_a_verdict():
    """The one eligibility decision is the center's."""
    verdict = re.compile(r"[> ](?:not |in)?eligible\b", re.IGNORECASE)

    assert [path.name for path in own_files(".js") if verdict.search(path.read_text())] == []
