"""Documents that answer an item of an information request, and what becomes of the answer with the document."""

import pytest


def ask(documents, *items):
    path = f"/v1/referrals/{documents.referral_id}/information-requests"
    answer = documents.api.center.post(path, {"items": list(items)})
    assert answer.status == 201, answer.text
    return answer.json["request_id"]


def read_item(documents, number=0):
    path = f"/v1/referrals/{documents.referral_id}/information-requests"
    request = documents.api.center.get(path).json["items"][0]
    return request, request["items"][number]


def test_a_document_answers_an_item_once_the_center_can_see_it(documents):
    """Not before: a file that is refused answers nothing."""
    request_id = ask(documents, "imaging", "blood_counts")
    document_id = documents.add(answers={"request_id": request_id, "item_id": "1"})
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    waiting = read_item(documents)[1]["state"]
    documents.scan(document_id, version_id)
    request, item = read_item(documents)

    assert (waiting, item["state"], item["document_id"]) == ("open", "document", document_id)
    assert (request["state"], request["open_items"]) == ("open", 1)


def test_the_last_answer_closes_the_request(documents):
    """And the referral's lists show that nothing is open."""
    request_id = ask(documents, "imaging")
    documents.share(answers={"request_id": request_id, "item_id": "1"})
    referral = documents.api.practice.get(f"/v1/referrals/{documents.referral_id}").json

    assert read_item(documents)[0]["close_reason"] == "answered"
    assert referral["requested_items"] == 0


def test_what_was_sent_by_fax_answers_an_item_at_once(documents):
    """The center can say whether it arrived."""
    request_id = ask(documents, "pathology_report")
    document_id = documents.send_outside(answers={"request_id": request_id, "item_id": "1"})

    assert read_item(documents)[1]["state"] == "sent_separately"
    assert read_item(documents)[1]["document_id"] == document_id


def test_of_two_documents_on_their_way_to_one_item_the_first_answers_it(documents):
    """The second is shared all the same: it was sent, and nothing of it is lost."""
    request_id = ask(documents, "imaging")
    pair = [documents.add(answers={"request_id": request_id, "item_id": "1"}) for _ in range(2)]
    for document_id in reversed(pair):
        version_id = documents.upload(document_id)
        documents.check(document_id, version_id)
        documents.scan(document_id, version_id)

    assert read_item(documents)[1]["document_id"] == pair[1]
    assert [documents.get(document_id)["state"] for document_id in pair] == ["available", "available"]


def test_a_request_that_the_center_closed_meanwhile_stays_closed(documents):
    """The document is shared without an answer."""
    request_id = ask(documents, "imaging")
    document_id = documents.add(answers={"request_id": request_id, "item_id": "1"})
    path = f"/v1/referrals/{documents.referral_id}/information-requests/{request_id}/close"
    assert documents.api.center.post(path, {}).status == 200
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    documents.scan(document_id, version_id)

    assert read_item(documents)[0]["close_reason"] == "closed_by_center"
    assert documents.get(document_id)["state"] == "available"


def count_requested_items(documents):
    return documents.api.practice.get(f"/v1/referrals/{documents.referral_id}").json["requested_items"]


def test_an_item_is_open_again_after_its_document_was_removed(documents):
    """The center asked for it, and has nothing: another patient's file answers no question."""
    document_id = documents.share(answers={"request_id": ask(documents, "imaging"), "item_id": "1"})

    assert documents.remove(document_id, "wrong_patient").status == 200
    request, item = read_item(documents)

    assert (request["state"], item["state"], item["document_id"]) == ("open", "open", None)
    assert count_requested_items(documents) == 1


def test_an_item_is_open_again_after_malware_was_found_in_its_document(documents):
    """The file was withdrawn, so the practice has to send another one."""
    document_id = documents.add(answers={"request_id": ask(documents, "imaging"), "item_id": "1"})
    version_id = documents.upload(document_id)
    documents.check(document_id, version_id)
    documents.scan(document_id, version_id)
    assert read_item(documents)[1]["state"] == "document"
    documents.scan(document_id, version_id, "THREATS_FOUND")

    assert read_item(documents)[1]["state"] == "open"
    assert count_requested_items(documents) == 1


def test_an_item_that_another_document_can_answer_again_takes_that_answer(documents):
    """The request closes a second time."""
    answers = {"request_id": ask(documents, "imaging"), "item_id": "1"}
    documents.remove(documents.share(answers=answers), "wrong_document")
    document_id = documents.share(answers=answers)
    request, item = read_item(documents)

    assert (request["close_reason"], item["document_id"]) == ("answered", document_id)
    assert count_requested_items(documents) == 0


def test_an_item_is_open_while_what_was_sent_another_way_is_not_found(documents):
    """It is answered again when the center finds it after all."""
    document_id = documents.send_outside(answers={"request_id": ask(documents, "imaging"), "item_id": "1"})
    states = []
    for arrival in ("not_found", "received"):
        documents.api.center.post(f"{documents.path}/{document_id}/arrival", {"arrival": arrival})
        states.append((read_item(documents)[1]["state"], count_requested_items(documents)))

    assert states == [("open", 1), ("sent_separately", 0)]


def test_the_removal_of_a_document_that_answered_nothing_opens_nothing(documents):
    """Of two documents for one item, the first answered it."""
    answers = {"request_id": ask(documents, "imaging"), "item_id": "1"}
    first, second = (documents.add(answers=answers) for _ in range(2))
    for document_id in (first, second):
        version_id = documents.upload(document_id)
        documents.check(document_id, version_id)
        documents.scan(document_id, version_id)
    documents.remove(second, "duplicate")

    assert read_item(documents)[1]["document_id"] == first


def test_a_removal_does_not_open_a_request_that_the_center_closed(documents):
    """The center no longer needs the rest of it."""
    request_id = ask(documents, "imaging", "blood_counts")
    document_id = documents.share(answers={"request_id": request_id, "item_id": "1"})
    path = f"/v1/referrals/{documents.referral_id}/information-requests/{request_id}/close"
    documents.api.center.post(path, {})
    documents.remove(document_id, "wrong_document")

    assert read_item(documents)[0]["close_reason"] == "closed_by_center"
    assert count_requested_items(documents) == 0


@pytest.mark.parametrize(
    ("answers", "status"),
    [({"request_id": "irq_x", "item_id": "1"}, 400), ({"item_id": "9"}, 400)],
)
def test_a_document_that_answers_an_unknown_item_names_the_field(documents, answers, status):
    """Nothing is stored."""
    known = {"request_id": ask(documents, "imaging"), "item_id": "1"}
    answer = documents.announce(answers={**known, **answers})

    assert answer.status == status
    assert answer.json["errors"][0]["pointer"].startswith("/answers/")


def test_an_item_that_is_answered_takes_no_second_document(documents):
    """A message can add to it."""
    answers = {"request_id": ask(documents, "imaging", "blood_counts"), "item_id": "1"}
    documents.share(answers=answers)

    assert documents.announce(answers=answers).json["code"] == "item_answered"


def test_an_answer_in_words_cannot_claim_a_document(documents):
    """Only a document gives this answer."""
    request_id = ask(documents, "imaging")
    path = f"/v1/referrals/{documents.referral_id}/information-requests/{request_id}/answer"
    answer = documents.api.practice.post(path, {"items": [{"item_id": "1", "kind": "document"}]})

    assert (answer.status, answer.json["errors"][0]["pointer"]) == (400, "/items/0/kind")
