"""Checks of the dashboard's files that need no browser."""

import gzip
import hashlib
import json
import posixpath
import re
from graphlib import TopologicalSorter

import pytest

from infra import vendor_web
from infra.vendor_web import VENDOR, WEB

FIRST_LOAD_BYTES = 59_700
"""The worklist, with everything that every page can show: field errors in full sentences, the warning about a
bouncing email, and the address of a notice that survives the sign-in page. The addresses of the pages for
consultation times and their link account for 250 bytes, those of the audit trail for 100, the operator's texts and
sign-in notice for 150, the choice of one of several organizations for 400, the ways to a forgotten password, to
one's own account and to the members for 250, statements in view and one sign-in for all tabs for 550,
and a worklist with views, filters, sorting, cards with a call button and keyboard shortcuts for 9,600,
the menu of saved views for 400, and filters that take several values, with short cards on a phone, for 1,300."""

ALL_BYTES = 282_550
"""All views. Reports about care by both sides account for 2,500 bytes, messages and information requests for
8,200, what people really have to enter about a patient for 1,500, corrections by each side for 12,000,
drafts that are saved while the user types for 1,800, their discard for 1,600, values that are kept although they
are refused for 2,000, the providers and payers of earlier referrals for 3,000, documents for 7,500,
consultation times for both sides for 12,000, the coverage with its 27 forms, the electronic check and the
letter for 13,100, boxed warnings with what may be out of date for 1,500, the entries of a chart for 1,400, an
eligibility check that follows the entries, with histologies and washouts, for 5,000, one person with several
organizations for 1,300, passwords and authenticator apps for 3,800, the members of an organization for 2,400, the
audit trail for administrators for 1,400, and whom to call and what lies ahead on the page of a referral for 2,200.
The worklist grew by 9,600, as above. The page that connects a center's system accounts for 5,000 more than its log
alone, the operator's page for 3,600, the insights for 7,700, saved views for 3,100, the way through a list by
button and key, with accepting and its undoing, for 6,900, and what is known about each person of an organization
for 2,000. The filters of the audit trail and of the delivery log account for 1,700, and a last
day of monitoring that is over but not confirmed for 400. The filters of the people account for 550, filters of the
worklist with several values, with short cards on a phone, for 3,500, a focus that stays on the page when its
button is gone for 700, and the export as an Excel workbook for 600."""

FONT = "vendor/inter.css"
ENTRY = "app/app.js"

_IMPORT = re.compile(r"""(?:from|^import|import\() ?"(\.\.?/[^"]+)\"""", re.MULTILINE)
_STATIC_IMPORT = re.compile(r"""(?:from|^import) ?"(\.\.?/[^"]+)\"""", re.MULTILINE)
# Everything that the page loads by itself. Only a person follows an <a href> to another site.
_LOADS = re.compile(r"""(?:src|action|srcset)=["']?https?:|url\(["']?https?:|import ["(]https?:|@import""")


def list_served_files():
    """Every file that the site serves, by its public name."""
    return {name: WEB / name for name in json.loads((WEB / "manifest.json").read_text())}


def list_imports(name, pattern=_IMPORT):
    """The public names of the modules that a module imports. Types in comments are not loaded."""
    code = re.sub(r"/\*[\s\S]*?\*/", "", list_served_files()[name].read_text())
    paths = pattern.findall(code)
    return {posixpath.normpath(f"{posixpath.dirname(name)}/{path}") for path in paths}


def list_lazy_styles():
    """The style sheets that load with the first of the later pages."""
    match = re.search(r"LAZY_STYLES = \[(.*?)\]", list_served_files()[ENTRY].read_text(), re.DOTALL)
    assert match
    return set(re.findall(r'"([^"]+)"', match[1]))


def list_own_files(*suffixes):
    """The files with these suffixes that are not vendored."""
    return [path for path in list_served_files().values() if path.suffix in suffixes and path.parent != VENDOR]


def compute_compressed_size(names):
    """The compressed size of files, each compressed separately."""
    return sum(len(gzip.compress(list_served_files()[name].read_bytes(), 9)) for name in names)


def list_first_load():
    """The modules that the sign-in page and the worklist need: all static imports from app.js on."""
    loaded, queue = set(), [ENTRY]
    while queue:
        name = queue.pop()
        loaded.add(name)
        queue += [imported for imported in list_imports(name, _STATIC_IMPORT) if imported not in loaded]
    return loaded


def list_styles(page):
    """The style sheets of an HTML page."""
    return set(re.findall(r'stylesheet" href="assets/([^"]+)"', list_served_files()[page].read_text()))


def test_the_manifest_is_current():
    """If not, run: python -m infra.vendor_web --manifest."""
    assert (WEB / "manifest.json").read_text() == vendor_web.build_manifest()


def test_the_vendored_files_are_unchanged():
    """No one edits them by hand, and each package has its license."""
    assert (VENDOR / "SHA256SUMS").read_text() == vendor_web.build_checksums()
    for line in (VENDOR / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest
    assert len(list((VENDOR / "licenses").iterdir())) == len(vendor_web.PACKAGES)


def test_the_type_check_uses_the_versions_that_are_served():
    """The types of a vendored library come from the package of the same version."""
    installed = json.loads((WEB.parents[1] / "package.json").read_text())["devDependencies"]
    vendored = {package.name: package.version for package in vendor_web.PACKAGES}
    typed = vendored.keys() - {"@fontsource-variable/inter", "lucide-static"}

    assert {name: installed[name] for name in typed} == {name: vendored[name] for name in typed}


@pytest.mark.parametrize("name", sorted(name for name in list_served_files() if name.endswith(".js")))
def test_a_module_imports_only_served_files(name):
    """It uses relative paths, so that no import map is needed."""
    assert list_imports(name) <= set(list_served_files())
    assert not re.search(r"""(?:from|^import) ?["'][^."']""", list_served_files()[name].read_text(), re.MULTILINE)


PACKAGES = {path.name for path in WEB.iterdir() if path.is_dir()} - {"vendor", "__pycache__"}


def list_imported_packages(package):
    """The other packages that a package imports, including lazy imports."""
    names = [name for name in list_served_files() if name.startswith(f"{package}/") and name.endswith(".js")]
    packages = {path.partition("/")[0] for name in names for path in list_imports(name)}
    return packages - {package}


def test_a_package_has_the_name_of_its_capability_in_the_other_layers():
    """Only the package `app`, which imports all the others, is not a capability."""
    layers = [WEB.parent / layer for layer in ("domain", "services", "routes", "store")]
    capabilities = {path.name for layer in layers for path in layer.iterdir() if path.is_dir()}

    assert PACKAGES - capabilities == {"app"}


def test_platform_imports_no_other_package():
    """Every package can use it. Only it imports the vendored libraries."""
    users = {package for package in PACKAGES if "vendor" in list_imported_packages(package)}

    assert list_imported_packages("platform") == {"vendor"}
    assert users == {"platform"}


def test_no_package_imports_one_that_imports_it():
    """Imports between packages have no cycle."""
    order = TopologicalSorter({package: list_imported_packages(package) for package in PACKAGES})

    assert list(order.static_order())[-1] == "app"


def test_a_css_class_gets_its_own_rule_in_one_file_only():
    """A second rule in a file that loads later would change pages that are already open."""
    rule = re.compile(r"(?:^|[},])\s*\.([a-z][a-z_-]*)\s*(?=[,{])")
    files_by_class: dict[str, set[str]] = {}
    for path in list_own_files(".css"):
        no_media = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", path.read_text())
        for name in rule.findall(re.sub(r"/\*.*?\*/", "", no_media, flags=re.DOTALL)):
            files_by_class.setdefault(name, set()).add(path.name)
    files_by_class = {name: files - {"print.css"} for name, files in files_by_class.items()}

    assert {name: files for name, files in files_by_class.items() if len(files) > 1} == {}


def test_no_file_loads_anything_from_another_host():
    """Everything comes from the page's own origin."""
    assert [path.name for path in list_served_files().values() if _LOADS.search(path.read_text())] == []


def test_no_file_uses_what_the_content_security_policy_blocks():
    """No inline style or script, and nothing that parses text as markup or code."""
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc"
        r"|<script>|<style|\bstyle=|\bon[a-z]+=\""
    )

    assert [path.name for path in list_own_files(".js", ".html") if forbidden.search(path.read_text())] == []


def test_the_page_preloads_every_module_of_the_first_view():
    """No module has to wait until the browser has read another module."""
    preloaded = re.findall(r'modulepreload" href="assets/([^"]+)"', list_served_files()["index.html"].read_text())

    assert set(preloaded) | {ENTRY} == list_first_load()


def test_the_compressed_size_stays_within_the_budget():
    """Of the first view, and of the whole dashboard. The font is not included."""
    styles = list_styles("index.html") - {FONT}
    scripts = {name for name in list_served_files() if name.endswith(".js")} - {"app/docs.js"}

    assert compute_compressed_size(list_first_load() | styles) <= FIRST_LOAD_BYTES
    assert compute_compressed_size(scripts | styles | list_lazy_styles()) <= ALL_BYTES


def test_the_vendored_icons_are_the_icons_in_use():
    """No icon is missing, and none is unused."""
    vendored = set(re.findall(r'^  "([a-z0-9-]+)":', list_served_files()["vendor/icons.js"].read_text(), re.MULTILINE))
    texts = " ".join(path.read_text() for path in list_own_files(".js"))

    assert {name for name in vendored if f'"{name}"' not in texts} == set()
    assert set(re.findall(r'<\$\{Icon\} name="([a-z0-9-]+)"', texts)) <= vendored


def test_stages_come_from_the_server():
    """With their labels. The code names only the few stages with rules of their own."""
    from chalicelib.domain.referrals.stages import Stage

    hard_coded = {
        (path.name, stage.value)
        for path in list_own_files(".js")
        for stage in Stage
        if re.search(rf'"{stage.value}"', path.read_text())
    }

    phases = {("worklist_table.js", "monitoring"), ("referral_page.js", "follow_up")}
    editable = {(name, "draft") for name in ("worklist_table.js", "referral_page.js")}
    editable |= {("referral_page.js", "info_requested"), ("draft.js", "submitted")}
    files_after_a_death = ("actions.js", "emergency_card.js", "handback.js", "referral_page.js", "status_banner.js")
    deceased = {(name, "deceased") for name in files_after_a_death}
    never_corrected = {("reports.js", "submitted"), ("timeline.js", "submitted")}
    with_first_visit = {("reports.js", "handed_back")}
    discarded = {("discard.js", "withdrawn")}
    coverage_states = {("filter_values.js", "submitted")}
    body_of_an_update = {("connect.js", "received")}
    intake = {("intake.js", stage) for stage in ("submitted", "received", "accepted", "declined")}
    end_not_confirmed = {("dates_ahead.js", stage) for stage in ("infused", "monitoring")}
    milestones = {("figure_tables.js", "submitted"), ("figure_tables.js", "infused")}
    named = (
        body_of_an_update
        | intake
        | end_not_confirmed
        | milestones
        | phases
        | editable
        | deceased
        | never_corrected
        | with_first_visit
        | discarded
        | coverage_states
    )
    assert hard_coded == named


def test_every_reason_for_a_rejected_update_has_a_sentence():
    """The delivery log shows a sentence instead of the error code."""
    domain = WEB.parent / "domain" / "referrals"
    codes = {
        code for path in domain.glob("*.py") for code in re.findall(r'\bRejected\(\s*"([a-z_]+)"', path.read_text())
    }
    page = list_served_files()["webhooks/webhook_deliveries.js"].read_text()
    reasons = re.search(r"REJECTION_REASONS = \{(.*?)\n\};", page, re.DOTALL)
    assert reasons

    assert codes
    assert codes <= set(re.findall(r"^  ([a-z_]+): ", reasons[1], re.MULTILINE))


def test_no_text_says_that_a_patient_is_eligible():
    """Only the treatment center decides."""
    verdict = re.compile(r"[> ](?:not |in)?eligible\b", re.IGNORECASE)

    assert [path.name for path in list_own_files(".js") if verdict.search(path.read_text())] == []
