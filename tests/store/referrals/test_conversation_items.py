"""Counts of messages and requests are stored with the referral, and rows of earlier releases stay readable."""

import json

import pytest

from chalicelib.domain.referrals.conversation import NO_CONVERSATION, Conversation, OpenRequest
from chalicelib.domain.referrals.events import EventStatus
from chalicelib.domain.referrals.information_requests import AnswerKind, InformationRequest, ItemAnswer, RequestedItem
from chalicelib.domain.referrals.stages import Stage
from tests.support.referral_values import NOON, build_referral, build_stage_change

CONVERSATION = Conversation(
    open_requests=(OpenRequest(request_id="irq_1", open_items=2, with_status=True),),
    practice_messages=3,
    center_messages=1,
    last_message_at=NOON,
)
REQUEST = InformationRequest(
    request_id="irq_1",
    text="Zebratext",
    items=(
        RequestedItem(item_id="1", item="imaging"),
        RequestedItem(
            item_id="2",
            item="Zebraitem",
            answer=ItemAnswer(kind=AnswerKind.NONE, text="Zebrawhy", answered_at=NOON, answered_by="A. Person"),
        ),
    ),
    requested_at=NOON,
    requested_by="Harbor Cell Therapy",
)


@pytest.fixture
def items(stores):
    """Converts referrals to rows and back."""
    return stores.referrals.items


def test_the_counts_are_read_as_they_were_stored(items):
    """Open requests, messages by side, and the time of the last one."""
    referral = build_referral(Stage.ACCEPTED, conversation=CONVERSATION)

    assert items.item_to_referral(items.referral_to_item(referral)) == referral


def test_a_referral_of_an_earlier_release_has_no_conversation(items):
    """Its row lacks the attribute, and its summary lacks the counts."""
    row = items.referral_to_item(build_referral(Stage.INFO_REQUESTED))
    del row["conversation"]
    summary = json.loads(items._decrypt(row["summary"], row["practice_id"], f"{row['referral_id']}/summary"))
    for name in ("requested_items", "practice_messages", "center_messages", "last_message_at"):
        summary["standing"].pop(name, None)
    row["summary"] = items._encrypt(json.dumps(summary).encode(), row["practice_id"], f"{row['referral_id']}/summary")

    stage_summary = items.row_to_summary(row).stage_summary

    assert items.item_to_referral(row).conversation == NO_CONVERSATION
    assert (stage_summary.requested_items, stage_summary.last_message_at) == (0, None)
    assert stage_summary.awaits_information is True


def test_a_status_of_an_earlier_release_without_a_note_stays_readable(items):
    """It was accepted then; it is refused now only when it is sent."""
    change = build_stage_change(Stage.INFO_REQUESTED)

    entry = items.item_to_event(items.event_to_item(change, EventStatus.APPLIED, scope="prc_cedar"))

    assert entry.event == change


def test_a_request_is_encrypted_and_read_as_it_was_stored(stores):
    """With its items, its text and its answers."""
    requests = stores.information_requests
    stores.transactions.commit(requests.prepare_add("ref_1", REQUEST, scope="prc_cedar"))

    row = str(requests.table.get({"referral_id": "ref_1", "item": "information#irq_1"}))

    assert requests.get("ref_1", "irq_1", scope="prc_cedar") == REQUEST
    assert "Zebra" not in row
    assert "imaging" not in row
