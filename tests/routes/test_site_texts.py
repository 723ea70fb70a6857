"""The operator's texts: their pages, and the notice of the sign-in page."""

import re

import pytest

from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from chalicelib.routes.site_texts import PAGES, parse_text, render_page


@pytest.mark.parametrize("name", PAGES)
def test_a_text_is_a_page_without_scripts(shared_api, name):
    """Anyone can read it, also without an account."""
    page = shared_api.anyone.get(f"/legal/{name}")

    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "<script" not in page.text


@pytest.mark.parametrize("name", PAGES)
def test_a_text_shows_the_statements_and_links_to_the_others(shared_api, name):
    """The two statements are on every page."""
    page = shared_api.anyone.get(f"/legal/{name}").text

    assert re.findall(r'href="([^"]+)"', page) == [*(other for other in PAGES if other != name), "../"]
    assert all(statement.replace("'", "&#x27;") in page for statement in (*DISCLAIMERS, EMERGENCY_NOTE))


@pytest.mark.parametrize("name", ["imprint", "terms.txt", "sign-in", "page.html", "..%2fterms"])
def test_only_the_texts_can_be_read(shared_api, name):
    """A name is looked up in a list."""
    assert shared_api.anyone.get(f"/legal/{name}").status == 404


def test_the_dashboard_gets_the_links_and_the_notice_of_the_sign_in_page(shared_api):
    """With the request that it makes first anyway."""
    body = shared_api.anyone.get("/v1/statements").json

    assert [text["path"] for text in body["texts"]] == [f"legal/{name}" for name in PAGES]
    assert all(shared_api.anyone.get(f"/{text['path']}").text.count(f"<h1>{text['title']}<") for text in body["texts"])
    assert body["sign_in_notice"].startswith("For authorized use only.")


def test_a_text_is_read_as_paragraphs_lists_and_headings():
    """Lines of one paragraph belong together, and nothing in them is HTML."""
    text = parse_text("Terms\n\nOne\nline.\n\n## Who & what\n- a <b>\n- second\n  line\n\nEnd.\n")
    page = render_page(dict.fromkeys(PAGES, text), "terms")

    assert "<h1>Terms</h1>\n<p>One line.</p>\n<h2>Who &amp; what</h2>\n" in page
    assert "<ul><li>a &lt;b&gt;</li><li>second line</li></ul>\n<p>End.</p>" in page


@pytest.mark.parametrize("source", ["", "   \n", "Only a title", "## Heading first\n\nText."])
def test_a_text_without_a_title_or_content_is_refused(source):
    """An empty page would look like an error of the site."""
    with pytest.raises(ValueError, match="title"):
        parse_text(source)
