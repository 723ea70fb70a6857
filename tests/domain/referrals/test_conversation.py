"""What is open between the two teams, as it follows from the events."""

from datetime import timedelta

import pytest

from chalicelib.domain.referrals.apply_event import decide_event
from chalicelib.domain.referrals.conversation import NO_CONVERSATION, derive_request_id, follow_conversation
from chalicelib.domain.referrals.events import (
    Corrected,
    DocumentDeleted,
    DocumentShared,
    HoldStarted,
    InformationAnswered,
    InformationClosed,
    InformationRequested,
    MessageSent,
)
from chalicelib.domain.referrals.messages import Message, ReadReceipt, list_readers
from chalicelib.domain.referrals.packet import OPTIONAL_ITEMS, REQUIRED_ITEMS
from chalicelib.domain.referrals.requestable_items import ITEM_LABELS, get_item_label, has_repeats
from chalicelib.domain.referrals.stage_changes import Applied, Recorded
from chalicelib.domain.referrals.stages import Actor, Stage
from tests.support.referral_values import (
    HOUR,
    NOON,
    build_context,
    build_event,
    build_referral,
    build_stage_change,
)

ASKED = build_event(InformationRequested, event_id="evt_ask", items=("imaging", "Old slides"))
REQUEST_ID = derive_request_id("evt_ask")


def follow(*events):
    conversation = NO_CONVERSATION
    for event in events:
        conversation = follow_conversation(conversation, event)
    return conversation


def answer(open_items, request_id=REQUEST_ID):
    return build_event(InformationAnswered, actor=Actor.PRACTICE, request_id=request_id, items=1, open_items=open_items)


def share(open_items, request_id=REQUEST_ID):
    return build_event(
        DocumentShared,
        actor=Actor.PRACTICE,
        document_id="doc_1",
        kind="imaging",
        request_id=request_id,
        open_items=open_items,
    )


def remove(open_items, request_id=REQUEST_ID):
    return build_event(
        DocumentDeleted,
        actor=Actor.PRACTICE,
        document_id="doc_1",
        kind="imaging",
        reason="wrong_patient",
        request_id=request_id,
        open_items=open_items,
    )


@pytest.mark.parametrize(
    ("events", "open_items"),
    [
        ([], 0),
        ([ASKED], 2),
        ([build_event(InformationRequested, text="Which regimen?")], 1),
        ([ASKED, answer(1)], 1),
        ([ASKED, answer(1), answer(0)], 0),
        ([ASKED, answer(1, "irq_other")], 2),
        ([ASKED, share(1)], 1),
        ([ASKED, share(1), share(0)], 0),
        ([ASKED, share(None, None)], 2),
        ([ASKED, share(1), remove(2)], 2),
        ([ASKED, share(1), share(0), remove(1)], 1),
        ([ASKED, share(1), remove(None, None)], 1),
        ([ASKED, build_event(InformationClosed, request_id=REQUEST_ID)], 0),
        ([ASKED, build_stage_change(Stage.SUBMITTED)], 2),
        ([build_stage_change(Stage.INFO_REQUESTED)], 0),
        ([build_stage_change(Stage.INFO_REQUESTED, note="Which regimen?")], 1),
        ([build_stage_change(Stage.INFO_REQUESTED, note="Which?"), build_stage_change(Stage.SUBMITTED)], 0),
        (
            [
                build_stage_change(Stage.INFO_REQUESTED, event_id="evt_wrong", note="Which?"),
                build_event(Corrected, supersedes="evt_wrong"),
            ],
            0,
        ),
        ([ASKED, build_event(HoldStarted)], 2),
    ],
)
def test_open_items_follow_from_the_events(events, open_items):
    """Item by item; a new submission answers only what came as a status."""
    assert follow(*events).count_open_items() == open_items


def test_messages_are_counted_by_side():
    """For the number of the next one, and for what is unread."""
    sent = [build_event(MessageSent, actor=actor, message_id="note_1") for actor in (Actor.PRACTICE, Actor.CENTER)]

    conversation = follow(*sent, sent[1])

    assert conversation.last_number == 3
    assert conversation.count_messages_for(Actor.PRACTICE) == 2
    assert conversation.count_messages_for(Actor.CENTER) == 1
    assert conversation.last_message_at == sent[1].recorded_at


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (Stage.SUBMITTED, Stage.INFO_REQUESTED),
        (Stage.RECEIVED, Stage.INFO_REQUESTED),
        (Stage.INFO_REQUESTED, Stage.INFO_REQUESTED),
        (Stage.ACCEPTED, Stage.ACCEPTED),
        (Stage.MONITORING, Stage.MONITORING),
    ],
)
def test_a_request_moves_the_referral_only_where_the_journey_allows_it(stage, expected):
    """Otherwise the stage and everything that follows from it stay."""
    referral = build_referral(stage)

    decision = decide_event(referral, ASKED, build_context())

    assert isinstance(decision, Applied)
    assert decision.referral.stage is expected
    assert (decision.referral.stage_since == referral.stage_since) is (stage is expected)


def test_a_late_request_on_an_ended_referral_is_history():
    """It was true before the ending."""
    ended = build_referral(Stage.DECLINED)

    late = build_event(InformationRequested, NOON - HOUR, text="Which regimen?")

    assert isinstance(decide_event(ended, late, build_context()), Recorded)


def test_every_packet_item_has_a_code():
    """A center can ask for each of them, except for itself."""
    labels = {item.label for item in (*REQUIRED_ITEMS, *OPTIONAL_ITEMS) if item.pointer != "/center_id"}

    assert labels <= set(ITEM_LABELS.values())
    assert get_item_label("clinical_ecog") == "ECOG performance status"
    assert get_item_label("My own item") == "My own item"


@pytest.mark.parametrize(
    ("items", "repeats"),
    [
        (["imaging", "clinical_ecog"], False),
        (["imaging", "imaging"], True),
        (["Old slides", "OLD SLIDES"], True),
        (["clinical_ecog", "ECOG performance status"], True),
    ],
)
def test_two_names_of_one_item_are_a_repeat(items, repeats):
    """The practice would answer it twice."""
    assert has_repeats(items) is repeats


def test_only_the_other_side_reads_and_the_first_time_counts():
    """Of each member, however often."""
    message = Message(
        message_id="note_1",
        number=2,
        side=Actor.CENTER,
        side_number=1,
        sender_id="mem_c",
        sender_name="C",
        sent_at=NOON,
        text="Hello",
    )

    def receipt(number, reader, hours, side=Actor.PRACTICE):
        return ReadReceipt(
            number=number, side=side, reader_id=reader, reader_name=reader, read_at=NOON + timedelta(hours=hours)
        )

    receipts = [
        receipt(1, "too_early", 1),
        receipt(3, "slow", 5),
        receipt(2, "quick", 2),
        receipt(4, "quick", 6),
        receipt(2, "colleague", 1, side=Actor.CENTER),
    ]

    readers = list_readers(message, receipts)

    assert [(reader.reader_id, reader.read_at) for reader in readers] == [
        ("quick", NOON + timedelta(hours=2)),
        ("slow", NOON + timedelta(hours=5)),
    ]
