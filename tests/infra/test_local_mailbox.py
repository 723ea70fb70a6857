"""The pages that show the emails of a local run."""

import json

import pytest

from infra.local.http1 import HttpRequest
from infra.local.mailbox import SentMailbox, format_source

MAIL = {
    "mail_id": "m-1",
    "sent_at": "2026-10-10T12:00:00+00:00",
    "from": "notices@clinic.example",
    "to": ["ana@practice.example"],
    "cc": [],
    "bcc": [],
    "reply_to": ["support@clinic.example"],
    "headers": [["List-Unsubscribe", "<https://clinic.example/preferences>"]],
    "subject": "Blue Heron: day 7",
    "text": "Tomorrow is day 7.\n",
    "html": '<html><head></head><body><a href="https://clinic.example">Day 7</a></body></html>',
}


@pytest.fixture
def record(tmp_path):
    return tmp_path / "mail.jsonl"


@pytest.fixture
def mailbox(record):
    return SentMailbox(record)


def add_mail(record, **changes):
    with record.open("a") as file:
        file.write(json.dumps(MAIL | changes) + "\n")


def send_request(mailbox, path, *, query="", method="GET"):
    return mailbox.answer(HttpRequest(method=method, path=path, query=query, headers=(), body=b"", peer="127.0.0.1"))


def get_page(mailbox, path, **request):
    return send_request(mailbox, path, **request).body.decode()


def test_the_json_lists_the_newest_mail_first(mailbox, record):
    """It has all fields, with each list of addresses as one string, as in a header."""
    add_mail(record)
    add_mail(record, mail_id="m-2", to=["ben@practice.example", "eve@practice.example"])

    mails = json.loads(get_page(mailbox, "/mailbox.json"))

    assert [mail["mail_id"] for mail in mails] == ["m-2", "m-1"]
    assert mails[0]["to"] == "ben@practice.example, eve@practice.example"
    assert {"to", "subject", "text", "html", "sent_at"} <= mails[0].keys()


def test_new_mail_appears_exactly_once(mailbox, record):
    assert json.loads(get_page(mailbox, "/mailbox.json")) == []
    for count in (1, 2):
        add_mail(record, mail_id=f"m-{count}")
        for _ in range(2):
            assert len(json.loads(get_page(mailbox, "/mailbox.json"))) == count


def test_an_incomplete_line_is_not_shown_until_it_is_complete(mailbox, record):
    line = json.dumps(MAIL)
    record.write_text(line[:40])
    assert mailbox.list_mails() == []
    record.write_text(line + "\n")

    assert mailbox.list_mails() == [MAIL]


def test_the_list_links_to_each_mail(mailbox, record):
    add_mail(record)

    assert 'href="/mailbox/m-1"' in get_page(mailbox, "/mailbox")


def test_the_pages_escape_the_text_of_a_mail(mailbox, record):
    add_mail(record, subject="<script>1</script>", text="<b>", to=['"<i>" <a@b.example>'])

    for path, query in (("/mailbox", ""), ("/mailbox/m-1", "view=text"), ("/mailbox/m-1", "view=source")):
        page = get_page(mailbox, path, query=query)
        assert not any(tag in page for tag in ("<script>", "<b>\n", "<i>"))


def test_the_html_of_a_mail_is_in_a_sandboxed_frame(mailbox, record):
    """It cannot run scripts, submit forms, or load from other hosts. It can open links in a new window."""
    add_mail(record)

    assert '<iframe src="/mailbox/m-1/html" sandbox="allow-popups' in get_page(mailbox, "/mailbox/m-1")
    frame = send_request(mailbox, "/mailbox/m-1/html")
    policy = dict(frame.headers)["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert b'<base target="_blank">' in frame.body


def test_a_mail_without_html_shows_its_text_and_no_html_view(mailbox, record):
    add_mail(record, html="")

    page = get_page(mailbox, "/mailbox/m-1")

    assert "<pre>Tomorrow is day 7." in page
    assert "view=html" not in page


def test_the_source_has_all_headers_and_both_parts_in_readable_form():
    source = format_source(MAIL)

    for line in (
        "From: notices@clinic.example",
        "To: ana@practice.example",
        "Reply-To: support@clinic.example",
        "Subject: Blue Heron: day 7",
        "List-Unsubscribe: <https://clinic.example/preferences>",
        "Tomorrow is day 7.",
    ):
        assert f"{line}\n" in source
    assert "Content-Type: text/html" in source


def test_a_line_longer_than_998_bytes_is_wrapped_in_the_source():
    assert max(map(len, format_source(MAIL | {"html": "x" * 5000}).splitlines())) < 998


@pytest.mark.parametrize("path", ["/mailbox", "/mailbox.json", "/mailbox/m-1", "/mailbox/m-1/html"])
def test_every_page_has_a_strict_content_security_policy_and_is_not_cached(mailbox, record, path):
    add_mail(record)

    headers = dict(send_request(mailbox, path).headers)

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/mailbox/nothing", 404), ("POST", "/mailbox", 405)])
def test_an_unknown_mail_and_an_unsupported_method_are_rejected(mailbox, method, path, status):
    assert send_request(mailbox, path, method=method).status == status


@pytest.mark.parametrize("path", ["/", "/mailboxes", "/mailbox/", "/mailbox/a/b", "/mailbox/..%2f"])
def test_the_mailbox_does_not_answer_other_paths(mailbox, path):
    assert send_request(mailbox, path) is None


DAMAGED_LINES = [
    b"\xff\xfe\x00",
    b"",
    b"[]",
    b"null",
    b'{"mail_id": "m-3"}',
    json.dumps(MAIL | {"to": "ana@practice.example"}).encode(),
    json.dumps(MAIL | {"to": [1]}).encode(),
    json.dumps(MAIL | {"sent_at": "yesterday"}).encode(),
    json.dumps(MAIL | {"headers": [["X"]]}).encode(),
    json.dumps(MAIL)[:-20].encode(),
]


@pytest.mark.parametrize("line", DAMAGED_LINES, ids=range(len(DAMAGED_LINES)))
def test_a_damaged_line_is_left_out_and_reported(mailbox, record, caplog, line):
    """All pages show the emails before and after it, and the list says that something is missing."""
    add_mail(record)
    with record.open("ab") as file:
        file.write(line + b"\n")
    add_mail(record, mail_id="m-2")

    pages = {
        path: get_page(mailbox, path) for path in ("/mailbox", "/mailbox/m-1", "/mailbox/m-2", "/mailbox/m-2/html")
    }

    assert all("Day 7" in page or "day 7" in page for page in pages.values())
    assert [mail["mail_id"] for mail in json.loads(get_page(mailbox, "/mailbox.json"))] == ["m-2", "m-1"]
    assert "Damaged lines of mail.jsonl that are left out: 1." in pages["/mailbox"]
    assert [r.getMessage() for r in caplog.records] == [f"1 lines of {record} are damaged and are left out"]
