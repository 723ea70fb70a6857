import json

import pytest

from infra.local.http1 import HttpRequest
from infra.local.mailbox import SentMailbox, format_source

A_MAIL = {
    "mail_id": "m-1",
    "sent_at": "2026-10-10T12:00:00+00:00",
    "from": "notices@clinic.example",
    "to": ["ana@practice.example"],
    "cc": [],
    "bcc": [],
    "reply_to": ["desk@clinic.example"],
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


def arrive(record, **differently):
    with record.open("a") as file:
        file.write(json.dumps(A_MAIL | differently) + "\n")


def ask(mailbox, path, *, query="", method="GET"):
    return mailbox.answer(
        HttpRequest(method=method, path=path, query=query, headers=(), body=b"", peer="127.0.0.1", keeps_alive=True)
    )


def page(mailbox, path, **differently):
    return ask(mailbox, path, **differently).body.decode()


def test_the_newest_mail_is_the_first(mailbox, record):
    """Programs get all that was sent, with the addresses as a header has them."""
    arrive(record)
    arrive(record, mail_id="m-2", to=["ben@practice.example", "eve@practice.example"])

    mails = json.loads(page(mailbox, "/mailbox.json"))

    assert [mail["mail_id"] for mail in mails] == ["m-2", "m-1"]
    assert mails[0]["to"] == "ben@practice.example, eve@practice.example"
    assert {"to", "subject", "text", "html", "sent_at"} <= mails[0].keys()


def test_mail_that_arrives_later_is_seen(mailbox, record):
    """Each mail once, however often one looks."""
    assert json.loads(page(mailbox, "/mailbox.json")) == []
    for count in (1, 2):
        arrive(record, mail_id=f"m-{count}")
        for _ in range(2):
            assert len(json.loads(page(mailbox, "/mailbox.json"))) == count


def test_a_line_in_the_writing_waits_for_its_end(mailbox, record):
    """Half of a mail is not shown."""
    line = json.dumps(A_MAIL)
    record.write_text(line[:40])
    assert mailbox.list_mails() == []
    record.write_text(line + "\n")

    assert mailbox.list_mails() == [A_MAIL]


def test_the_list_leads_to_each_mail(mailbox, record):
    """By a link."""
    arrive(record)

    assert 'href="/mailbox/m-1"' in page(mailbox, "/mailbox")


def test_what_a_mail_says_is_text_on_our_pages(mailbox, record):
    """No part of it becomes a tag of ours."""
    arrive(record, subject="<script>1</script>", text="<b>", to=['"<i>" <a@b.example>'])

    for path, query in (("/mailbox", ""), ("/mailbox/m-1", "view=text"), ("/mailbox/m-1", "view=source")):
        shown = page(mailbox, path, query=query)
        assert not any(tag in shown for tag in ("<script>", "<b>\n", "<i>"))


def test_a_mails_html_is_in_a_frame_that_may_do_nothing(mailbox, record):
    """No script, no form, nothing from another host; only a link, in a new window."""
    arrive(record)

    assert '<iframe src="/mailbox/m-1/html" sandbox="allow-popups' in page(mailbox, "/mailbox/m-1")
    frame = ask(mailbox, "/mailbox/m-1/html")
    policy = dict(frame.headers)["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "allow-scripts" not in policy
    assert "default-src 'none'" in policy
    assert b'<base target="_blank">' in frame.body


def test_a_mail_without_html_shows_its_text(mailbox, record):
    """And offers no empty frame."""
    arrive(record, html="")

    shown = page(mailbox, "/mailbox/m-1")

    assert "<pre>Tomorrow is day 7." in shown
    assert "view=html" not in shown


def test_the_source_is_what_a_mail_program_would_show():
    """All headers, and both parts, legible."""
    shown = format_source(A_MAIL)

    for line in (
        "From: notices@clinic.example",
        "To: ana@practice.example",
        "Reply-To: desk@clinic.example",
        "Subject: Blue Heron: day 7",
        "List-Unsubscribe: <https://clinic.example/preferences>",
        "Tomorrow is day 7.",
    ):
        assert f"{line}\n" in shown
    assert "Content-Type: text/html" in shown


def test_a_line_too_long_for_a_mail_is_wrapped_in_the_source():
    """A line of a mail has at most 998 bytes."""
    assert max(map(len, format_source(A_MAIL | {"html": "x" * 5000}).splitlines())) < 998


@pytest.mark.parametrize("path", ["/mailbox", "/mailbox.json", "/mailbox/m-1", "/mailbox/m-1/html"])
def test_every_page_carries_a_strict_policy(mailbox, record, path):
    """And is kept by nobody."""
    arrive(record)

    headers = dict(ask(mailbox, path).headers)

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_an_unknown_mail_is_404(mailbox):
    """Said on a page."""
    assert ask(mailbox, "/mailbox/nothing").status == 404


def test_mail_can_only_be_read(mailbox):
    """There is nothing to send here."""
    assert ask(mailbox, "/mailbox", method="POST").status == 405


@pytest.mark.parametrize("path", ["/", "/mailboxes", "/mailbox/", "/mailbox/a/b", "/mailbox/..%2f"])
def test_other_paths_are_the_products(mailbox, path):
    """The mailbox answers for its own pages only."""
    assert ask(mailbox, path) is None
