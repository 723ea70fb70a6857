"""Documents through the API: add, check, share, open, remove, and what the other side sees."""

import json
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pikepdf
import pytest

from chalicelib import wiring
from chalicelib.domain.documents.limits import MAX_FILE_BYTES
from tests.support import aws_fakes as cloud
from tests.support import stores as store_tools
from tests.support.document_driver import NAME, PDF
from tests.support.stores import get_aws_client
from tests.support.uploaded_files import build_image, build_pdf


def list_audited(referral_id):
    rows = [row for row in store_tools.list_rows("audit") if row["subject"].startswith(referral_id)]
    return [(row["action"], row["outcome"]) for row in rows]


def test_a_new_file_gets_a_form_for_exactly_its_key_and_type(documents):
    """For ten minutes, and never for another key."""
    answer = documents.announce()
    document, form = answer.json["document"], answer.json["upload"]

    assert (document["state"], document["version"]) == ("awaiting_upload", 1)
    assert answer.headers["etag"] == '"1"'
    assert answer.headers["location"] == f"{documents.path}/{document['document_id']}"
    assert form["url"] == f"https://{cloud.QUARANTINE}.s3.us-east-1.amazonaws.com"
    assert form["fields"]["key"] == documents.build_key(document["document_id"])
    assert form["fields"]["Content-Type"] == "application/pdf"


def test_a_repeated_announcement_makes_one_document(documents):
    """The same key gets the same response, with the same form."""
    body = {"kind": "imaging", "file": {"name": NAME, "type": "application/pdf", "size": 9, "sha256": "a" * 64}}
    first = documents.api.practice.post(documents.path, body, key="once")
    again = documents.api.practice.post(documents.path, body, key="once")

    assert again.json == first.json
    assert len(documents.api.practice.get(documents.path).json["items"]) == 1


def test_a_file_that_passes_is_shared_with_the_center(documents):
    """With its pages, and with a generated name in the link."""
    document_id = documents.share()
    seen = documents.get(document_id, documents.api.center)

    assert (seen["state"], seen["kind_label"], seen["file"]["pages"]) == (
        "available",
        "Last PET-CT or other imaging, with images or report",
        2,
    )
    assert seen["may_open"] is True
    assert seen["may_remove"] == []


@pytest.mark.parametrize("steps", [(), ("arrive",), ("arrive", "check"), ("arrive", "scan"), ("scan",)])
def test_the_center_sees_nothing_of_a_file_that_is_not_shared(documents, steps):
    """Not even that it exists: the same bytes as for a document that never was."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    for step in steps:
        getattr(documents, step)(document_id, version_id)
    hidden = documents.api.center.get(f"{documents.path}/{document_id}")
    unknown = documents.api.center.get(f"{documents.path}/doc_{'a' * 26}")

    assert hidden.status == unknown.status == 404
    assert {**hidden.json, "request_id": ""} == {**unknown.json, "request_id": ""}
    assert documents.open(document_id, documents.api.center).status == 404
    assert documents.api.center.get(documents.path).json["items"] == []


def test_a_shared_file_leaves_nothing_in_quarantine(documents):
    """Only the copy that passed stays, in the other bucket."""
    document_id = documents.share()
    documents.run_tasks()

    assert documents.list_versions() == []
    assert documents.list_versions(cloud.DOCUMENTS) == [f"{documents.referral_id}/{document_id}"]


def test_the_link_reads_exactly_the_copy_that_was_checked(documents):
    """With its version, for 60 seconds, as a download that no browser opens on a page."""
    document_id = documents.share()
    answer = documents.open(document_id, documents.api.center)
    link = urlsplit(answer.json["url"])
    query = {name: values[0] for name, values in parse_qs(link.query).items()}
    stored = get_aws_client("s3").head_object(Bucket=cloud.DOCUMENTS, Key=f"{documents.referral_id}/{document_id}")

    assert answer.status == 201
    assert answer.json["expires_in_s"] == int(query["X-Amz-Expires"]) == 60
    assert query["versionId"] == stored["VersionId"]
    assert query["response-content-type"] == "application/pdf"
    today = wiring.read_clock().date().isoformat()
    assert query["response-content-disposition"] == f'attachment; filename="imaging-{today}.pdf"'
    assert ("document.opened", "allowed") in list_audited(documents.referral_id)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(PDF, "application/pdf"), (build_image("PNG"), "image/png"), (build_image("JPEG"), "image/jpeg")],
)
def test_a_link_can_show_a_pdf_or_an_image_in_a_tab(documents, content, media_type):
    """Of the same version, with its own type, for the same 60 seconds."""
    document_id = documents.share(content, file={"type": media_type})
    shown, stored = (
        {name: values[0] for name, values in parse_qs(urlsplit(answer.json["url"]).query).items()}
        for answer in (documents.open(document_id, query="?display=inline"), documents.open(document_id))
    )

    assert documents.get(document_id)["may_view"] is True
    assert shown["response-content-disposition"].startswith('inline; filename="imaging-')
    assert shown["response-content-type"] == media_type
    assert (shown["versionId"], shown["X-Amz-Expires"]) == (stored["versionId"], "60")


def test_a_link_that_shows_a_file_is_audited_like_a_download(documents):
    """One row for each."""
    document_id = documents.share()
    documents.open(document_id, documents.api.center, "?display=inline")
    documents.open(document_id, documents.api.center)

    assert list_audited(documents.referral_id).count(("document.opened", "allowed")) == 2


def test_a_file_that_browsers_cannot_show_is_only_downloaded(documents):
    """A TIFF, the usual type of a stored fax. The refusal is audited."""
    document_id = documents.share(build_image("TIFF"), file={"type": "image/tiff"})
    seen = documents.get(document_id)
    refused = documents.open(document_id, query="?display=inline")

    assert (seen["may_open"], seen["may_view"]) == (True, False)
    assert (refused.status, refused.json["code"]) == (409, "not_viewable")
    assert ("document.opened", "not_viewable") in list_audited(documents.referral_id)
    assert documents.open(document_id).status == 201


@pytest.mark.parametrize("query", ["?display=page", "?display=", "?display=inline&display=download", "?show=inline"])
def test_a_link_is_not_made_for_an_unknown_display(documents, query):
    """Nothing is guessed."""
    assert documents.open(documents.share(), query=query).status == 400


def test_a_file_that_is_not_shared_cannot_be_viewed(documents):
    """Not even by its sender."""
    document_id = documents.add()

    assert documents.get(document_id)["may_view"] is False
    assert documents.open(document_id, query="?display=inline").json["code"] == "no_file"


@pytest.mark.parametrize("query", ["", "?display=inline"])
def test_no_link_names_the_file(documents, query):
    """The original name is only in the document itself."""
    url = documents.open(documents.share(), query=query).json["url"]

    assert not {"Ana", "Example", "Scan"} & set(url.replace("%20", " ").replace("-", " ").split())


def test_a_file_without_a_copy_gives_no_link(documents):
    """It is still checked."""
    answer = documents.open(documents.add())

    assert (answer.status, answer.json["code"]) == (409, "no_file")


def test_what_runs_in_a_file_is_reported_as_removed(documents):
    """The reader knows that the copy differs from the original."""

    def add_script(pdf):
        action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        pdf.Root.OpenAction = pdf.make_indirect(action)

    content = build_pdf(1, add_script)
    document_id = documents.share(content)

    assert documents.get(document_id)["file"]["removed"] == ["action", "script"]


def test_an_image_is_shared_as_an_image(documents):
    """With its own type."""
    content = build_image("PNG")
    document_id = documents.share(content, file={"type": "image/png", "name": "card.png"}, kind="insurance_card")
    query = parse_qs(urlsplit(documents.open(document_id).json["url"]).query)

    assert query["response-content-type"] == ["image/png"]


@pytest.mark.parametrize(
    ("content", "media_type", "code"),
    [
        (b"MZ" + bytes(300), "application/pdf", "wrong_type"),
        (build_image("PNG"), "application/pdf", "other_type"),
        (PDF[:-60], "application/pdf", "damaged"),
        (PDF, "text/html", "wrong_type"),
    ],
)
def test_a_refused_file_keeps_its_reason_and_nothing_else(documents, content, media_type, code):
    """The sender sees a sentence; the file is gone from both buckets."""
    document_id = documents.add(content)
    documents.check(document_id, documents.upload(document_id, content, media_type))
    documents.run_tasks()
    document = documents.get(document_id)

    assert (document["state"], document["rejected_because"]["code"]) == ("rejected", code)
    assert document["rejected_because"]["text"].endswith(".")
    assert documents.list_versions() == documents.list_versions(cloud.DOCUMENTS) == []


def test_another_file_than_the_announced_one_is_refused(documents):
    """The bytes that arrived are not those whose digest the browser sent."""
    document_id = documents.add(PDF)
    documents.check(document_id, documents.upload(document_id, build_pdf(3)))

    assert documents.get(document_id)["rejected_because"]["code"] == "changed"


def test_the_sender_is_notified_of_a_rejection_and_the_center_is_not(documents):
    """No title has a name in it."""
    document_id = documents.add()
    documents.scan(document_id, documents.upload(document_id), "THREATS_FOUND")
    documents.run_tasks()
    titles = {
        side: [n["title"] for n in site.get("/v1/notices").json["items"] if n["referral_id"] == documents.referral_id]
        for side, site in (("practice", documents.api.practice), ("center", documents.api.center))
    }

    assert "A file with malware was deleted: inform your IT team" in titles["practice"]
    assert not [title for title in titles["center"] if "file" in title or "document" in title]


def test_the_center_is_notified_of_a_shared_document(documents):
    """And the practice, which added it, is not."""
    documents.share()
    documents.run_tasks()
    titles = [
        [n["title"] for n in site.get("/v1/notices").json["items"] if n["referral_id"] == documents.referral_id]
        for site in (documents.api.center, documents.api.practice)
    ]

    assert "A document was added" in titles[0]
    assert "A document was added" not in titles[1]


def test_the_timeline_has_the_document_without_its_name(documents):
    """The kind is enough."""
    documents.share()
    answer = documents.api.center.get(f"/v1/referrals/{documents.referral_id}/events")
    (entry,) = [entry for entry in answer.json["items"] if entry["type"] == "document.shared"]

    assert (entry["stage_label"], entry["data"]["kind"], entry["actor_name"]) == (
        "Document added",
        "imaging",
        documents.api.members["practice"].name,
    )
    assert NAME not in answer.text


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"size": 0}, "/file/size"),
        ({"size": MAX_FILE_BYTES + 1}, "/file/size"),
        ({"type": "text/html"}, "/file/type"),
        ({"sha256": "A" * 64}, "/file/sha256"),
        ({"sha256": "a" * 63}, "/file/sha256"),
        ({"name": ""}, "/file/name"),
        ({"name": "x" * 300 + ".pdf"}, "/file/name"),
        ({"name": "a\nContent-Type: text/html"}, "/file/name"),
        ({"name": "scan\u202egpj.exe"}, "/file/name"),
    ],
)
def test_a_file_that_cannot_be_announced_names_the_field(documents, changed, pointer):
    """Also a name with a line break, or with a mark that reverses its direction."""
    answer = documents.announce(file=changed)

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, pointer)


def test_exactly_25_megabytes_can_be_announced(documents):
    """And not one byte more."""
    assert documents.announce(file={"size": 25 * 1024 * 1024}).status == 201


@pytest.mark.parametrize(
    "name", ["scan \u200fana\u200e.pdf", 'a"; filename="b.exe', "R\u00f6ntgen \u738b.pdf", "x" * 200]
)
def test_an_unusual_name_is_kept_and_never_leaves_the_document(documents, name):
    """Direction marks that no word needs are dropped; quotes stay in the name, and reach no header."""
    document_id = documents.share(file={"name": name})
    query = parse_qs(urlsplit(documents.open(document_id).json["url"]).query)

    assert documents.get(document_id)["file"]["name"] == name.replace("\u200f", "").replace("\u200e", "")
    assert query["response-content-disposition"][0].startswith('attachment; filename="imaging-')


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"kind": "imaging"}, "/file"),
        ({"kind": "selfie", "sent": {"channel": "fax", "sent_on": "2026-01-02"}}, "/kind"),
        ({"kind": "imaging", "sent": {"channel": "pigeon", "sent_on": "2026-01-02"}}, "/sent/channel"),
        ({"kind": "imaging", "sent": {"channel": "fax", "sent_on": "2199-01-02"}}, "/sent/sent_on"),
        ({"kind": "imaging", "sent": {"channel": "fax", "sent_on": "2026-01-02", "pages": 0}}, "/sent/pages"),
    ],
)
def test_a_document_that_says_too_little_names_the_field(documents, body, pointer):
    """Nothing is stored."""
    answer = documents.api.practice.post(documents.path, body)

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, pointer)


def test_a_file_and_a_fax_at_once_are_refused(documents):
    """A document is one of the two."""
    answer = documents.announce(sent={"channel": "fax", "sent_on": "2026-01-02"})

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/file")


def test_a_draft_has_no_documents(shared_api, documents):
    """No center can read it."""
    draft = shared_api.refer(submit=False)["referral_id"]
    answer = shared_api.practice.post(
        f"/v1/referrals/{draft}/documents", {"kind": "imaging", "sent": {"channel": "fax", "sent_on": "2026-01-02"}}
    )

    assert (answer.status, answer.json["code"]) == (409, "not_submitted")


def test_a_closed_referral_takes_no_document(documents):
    """A message is still possible."""
    documents.api.move_to(documents.referral_id, "declined")

    assert documents.announce().json["code"] == "referral_closed"


def test_a_file_that_passes_after_the_referral_ended_is_not_shared(documents):
    """It is removed, and its sender sees why."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    documents.api.move_to(documents.referral_id, "declined")
    documents.scan(document_id, version_id)
    documents.run_tasks()

    assert documents.get(document_id)["rejected_because"]["code"] == "referral_closed"
    assert documents.list_versions() == documents.list_versions(cloud.DOCUMENTS) == []


def withdraw_consent(documents):
    path = f"/v1/referrals/{documents.referral_id}"
    version = documents.api.practice.get(path).json["version"]
    consent = {"given": False, "withdrawn_on": wiring.read_clock().date().isoformat()}
    answer = documents.api.practice.patch(path, {"consent_to_share": consent}, version=version)
    assert answer.status == 200, answer.text


def test_a_practice_without_consent_adds_no_document(documents):
    """The page says what to record."""
    withdraw_consent(documents)

    assert documents.announce().json["code"] == "no_consent"
    assert "consent" in documents.api.practice.get(documents.path).json["why_not"]


def test_a_file_is_not_shared_after_consent_was_withdrawn(documents):
    """The withdrawal came while the file was checked."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.scan(document_id, version_id)
    withdraw_consent(documents)
    documents.check(document_id, version_id)

    assert documents.get(document_id)["rejected_because"]["code"] == "consent_withdrawn"


def test_a_referral_has_at_most_30_files_on_the_way_or_shared(documents, monkeypatch):
    """A rejected file gives its space back."""
    monkeypatch.setattr("chalicelib.store.documents.documents.MAX_FILES", 2)
    first = documents.add()
    documents.add()
    full = documents.announce()
    documents.scan(first, documents.upload(first), "THREATS_FOUND")

    assert (full.status, full.json["code"]) == (409, "no_space")
    assert documents.announce().status == 201


def test_the_files_of_a_referral_have_a_total_size(documents):
    """Ten files of 25 MB fill it."""
    big = {"size": MAX_FILE_BYTES}
    answers = [documents.announce(file=big).status for _ in range(11)]

    assert answers == [201] * 10 + [409]


@pytest.mark.parametrize("site", ["other_practice", "other_center"])
def test_another_tenant_finds_no_document(documents, site):
    """The same 404 as for a referral that does not exist."""
    document_id = documents.share()
    stranger = getattr(documents.api, site)
    answers = [
        stranger.get(documents.path),
        stranger.get(f"{documents.path}/{document_id}"),
        documents.announce(site=stranger),
        documents.open(document_id, stranger),
        documents.remove(document_id, "duplicate", stranger, version=1),
        stranger.post(f"{documents.path}/{document_id}/arrival", {"arrival": "received"}),
    ]

    assert {answer.status for answer in answers} == {404}
    assert {answer.json["detail"] for answer in answers} == {stranger.get("/v1/referrals/ref_x").json["detail"]}


def test_a_document_of_another_referral_is_not_found(shared_api, documents):
    """Also for a member who sees both referrals."""
    document_id = documents.share()
    other = shared_api.refer()["referral_id"]

    assert shared_api.practice.get(f"/v1/referrals/{other}/documents/{document_id}").status == 404
    assert shared_api.practice.post(f"/v1/referrals/{other}/documents/{document_id}/links", {}).status == 404


def test_a_center_adds_a_document_for_the_practice(documents):
    """Such as a report of the consultation."""
    document_id = documents.share(site=documents.api.center, kind="other")

    assert documents.get(document_id, documents.api.practice)["side"] == "center"


def test_names_and_notes_are_stored_encrypted(documents):
    """Also what was removed or refused."""
    documents.share(note="Zebrafinch9")
    rows = [
        row for row in store_tools.list_raw_rows("referrals") if documents.referral_id in json.dumps(row, default=str)
    ]

    assert rows
    assert not [row for row in rows if NAME in str(row) or "Zebrafinch9" in str(row)]


def test_every_access_is_audited(documents):
    """Also the refused ones."""
    document_id = documents.share()
    documents.open(document_id, documents.api.center)
    documents.api.center.get(documents.path)
    documents.open(document_id, documents.api.other_center)
    documents.remove(document_id, "duplicate", documents.api.center)
    documents.remove(document_id, "duplicate")

    assert {
        ("document.added", "allowed"),
        ("document.checked", "allowed"),
        ("document.shared", "allowed"),
        ("document.opened", "allowed"),
        ("document.opened", "not_found"),
        ("document.list", "allowed"),
        ("document.deleted", "not_your_document"),
        ("document.deleted", "allowed"),
    } <= set(list_audited(documents.referral_id))


def test_a_person_cannot_report_a_document_as_an_event(documents):
    """Only a document makes one."""
    event = {
        "type": "document.shared",
        "occurred_at": wiring.read_clock().isoformat(),
        "data": {"document_id": "doc_x", "kind": "imaging"},
    }

    assert documents.api.practice.post(f"/v1/referrals/{documents.referral_id}/events", event).status == 400


def test_an_upload_that_never_came_is_given_up_after_an_hour(documents):
    """Its sender sees that it did not arrive."""
    document_id = documents.add()
    documents.run_tasks(after=timedelta(minutes=59))
    waiting = documents.get(document_id)["state"]
    documents.run_tasks(after=timedelta(minutes=61))

    assert (waiting, documents.get(document_id)["rejected_because"]["code"]) == ("awaiting_upload", "not_uploaded")
