"""Documents that are removed, and what was sent another way."""

import pytest

from tests.support import aws_fakes as cloud


def test_a_removed_document_keeps_who_removed_it_and_why(documents):
    """Its files are deleted; both sides see the row."""
    document_id = documents.share()
    answer = documents.remove(document_id, "wrong_document")
    documents.run_tasks()
    seen = documents.get(document_id, documents.api.center)

    assert (answer.status, answer.json["state"]) == (200, "deleted")
    assert (seen["removed"]["reason"]["text"], seen["removed"]["by"]) == (
        "Wrong document",
        documents.api.members["practice"].name,
    )
    assert documents.open(document_id, documents.api.center).json["code"] == "no_file"
    assert documents.list_versions() == documents.list_versions(cloud.DOCUMENTS) == []


def test_only_the_side_that_added_a_document_removes_it(documents):
    """The other side asks for it in a message."""
    document_id = documents.share()

    assert documents.remove(document_id, "duplicate", documents.api.center).json["code"] == "not_your_document"


def test_a_removal_needs_the_current_version(documents):
    """Someone else changed it in the meantime."""
    document_id = documents.share()
    stale = documents.remove(document_id, "duplicate", version=1)
    path = f"{documents.path}/{document_id}?reason=duplicate"

    assert (stale.status, documents.api.practice.send("DELETE", path).status) == (412, 428)


@pytest.mark.parametrize("reason", ["", "malware", "because"])
def test_a_removal_needs_a_reason_of_a_person(documents, reason):
    """A scan removes for its own reason."""
    assert documents.remove(documents.share(), reason).status == 400


def test_a_document_that_a_decision_rests_on_stays(documents):
    """Unless it is another patient's, which is removed at any time."""
    document_id = documents.share()
    documents.api.move_to(documents.referral_id, "accepted")
    refused = documents.remove(document_id, "duplicate")
    offered = [reason["code"] for reason in documents.get(document_id)["may_remove"]]

    assert (refused.status, refused.json["code"]) == (409, "decision_rests_on_it")
    assert offered == ["wrong_patient"]
    assert documents.remove(document_id, "wrong_patient").status == 200


def test_an_upload_can_be_canceled_while_it_is_checked(documents):
    """What comes afterwards opens nothing and leaves nothing."""
    document_id = documents.add()
    version_id = documents.upload(document_id)
    documents.arrive(document_id, version_id)
    assert documents.remove(document_id, "canceled").status == 200
    documents.check(document_id, version_id)
    documents.scan(document_id, version_id)
    documents.run_tasks()

    assert documents.get(document_id)["state"] == "deleted"
    assert documents.list_versions() == documents.list_versions(cloud.DOCUMENTS) == []


def test_a_canceled_upload_gives_its_space_back(documents, monkeypatch):
    """The next file fits."""
    monkeypatch.setattr("chalicelib.store.documents.documents.MAX_FILES", 1)
    documents.remove(documents.add(), "canceled")

    assert documents.announce().status == 201


def test_a_removed_document_cannot_be_removed_again(documents):
    """Nothing is left."""
    document_id = documents.share()
    documents.remove(document_id, "duplicate")

    assert documents.remove(document_id, "duplicate").json["code"] == "already_removed"


def test_a_record_of_a_fax_is_shared_at_once(documents):
    """With what the other side needs to find it."""
    document_id = documents.send_outside(note="Two parts")
    seen = documents.get(document_id, documents.api.center)

    assert (seen["state"], seen["sent"]["channel_label"], seen["sent"]["pages"], seen["note"]) == (
        "sent_outside",
        "Fax",
        12,
        "Two parts",
    )
    assert (seen["file"], seen["may_open"], seen["may_report_arrival"]) == (None, False, True)


def report(documents, document_id, arrival, site=None):
    return (site or documents.api.center).post(f"{documents.path}/{document_id}/arrival", {"arrival": arrival})


def test_the_center_confirms_that_a_fax_arrived(documents):
    """The practice sees who, and is notified."""
    document_id = documents.send_outside()
    answer = report(documents, document_id, "received")
    documents.run_tasks()
    titles = [n["title"] for n in documents.api.practice.get("/v1/notices").json["items"]]

    assert answer.json["sent"]["arrival"] == "received"
    assert documents.get(document_id)["sent"]["arrival_by"] == documents.api.members["center"].name
    assert "A document that you sent was received" in titles


def test_a_fax_that_was_not_found_is_missing_in_the_packet(documents):
    """The practice is asked to send it again; a later report replaces the first one."""
    document_id = documents.send_outside()
    report(documents, document_id, "not_found")
    documents.run_tasks()
    packet = {entry["kind"]: entry["state"] for entry in documents.api.practice.get(documents.path).json["packet"]}
    titles = [n["title"] for n in documents.api.practice.get("/v1/notices").json["items"]]

    assert packet["pathology_report"] == "not_found"
    assert "A document that you sent was not found: send it again" in titles
    assert report(documents, document_id, "received").status == 200


@pytest.mark.parametrize(
    ("make", "site", "status", "code"),
    [
        ("send_outside", "practice", 403, "not_your_document"),
        ("share", "center", 409, "not_sent_outside"),
    ],
)
def test_only_the_other_side_reports_the_arrival_of_what_was_sent_another_way(documents, make, site, status, code):
    """A file is in front of everyone."""
    answer = report(documents, getattr(documents, make)(), "received", getattr(documents.api, site))

    assert (answer.status, answer.json["code"]) == (status, code)


def test_the_same_report_twice_is_refused(documents):
    """No one is notified again."""
    document_id = documents.send_outside()
    report(documents, document_id, "received")

    assert report(documents, document_id, "received").json["code"] == "already_reported"


def test_the_packet_says_what_the_center_has_and_what_is_missing(documents):
    """For the practice, also what is on the way."""
    documents.share(kind="imaging")
    documents.add(kind="blood_counts")
    documents.send_outside()

    def read(site):
        return {entry["kind"]: entry["state"] for entry in site.get(documents.path).json["packet"]}

    assert read(documents.api.practice) == {
        "pathology_report": "sent_outside",
        "imaging": "available",
        "blood_counts": "on_the_way",
        "viral_serology": "missing",
        "echocardiogram": "missing",
        "treatment_summary": "missing",
        "clinic_notes": "missing",
        "insurance_card": "missing",
    }
    assert read(documents.api.center)["blood_counts"] == "missing"
