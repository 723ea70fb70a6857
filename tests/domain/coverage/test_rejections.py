"""What a payer's reason means, and who acts."""

import pytest

from chalicelib.domain.coverage.rejections import AnswerLoop, RejectionKind, describe_rejection

BY_KIND = {
    RejectionKind.RETRY: "42 80",
    RejectionKind.SET_UP: "79 41 50 51 43 44",
    RejectionKind.OURS: "T4 04 15 56 57 62 63",
    RejectionKind.CORRECT: "58 71 64 72 65 73 66 74 75 67 77 68 76 78 60 61 52",
    RejectionKind.CALL: "35 33 53 54 55 69 70 98 AE AF AG",
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in BY_KIND.items() for code in codes.split()])
def test_a_reason_says_who_acts(kind, code):
    rejection = describe_rejection(code, follow_up=None, loop=AnswerLoop.SUBSCRIBER)

    assert rejection.kind is kind
    assert code not in rejection.sentence.split()
    assert rejection.sentence.endswith(".")


@pytest.mark.parametrize(
    ("codes", "pointer"),
    [
        ("58 71 60", "/patient/birth_date"),
        ("64 72 75 67 76", "/insurance/member_id"),
        ("65 73 68", "/patient/family_name"),
        ("66 74", "/patient/sex"),
        ("78", "/insurance/group"),
        ("77", "/insurance/subscriber"),
    ],
)
def test_a_reason_names_the_field_to_correct(codes, pointer):
    for code in codes.split():
        assert describe_rejection(code, follow_up="C", loop=AnswerLoop.SUBSCRIBER).pointer == pointer


@pytest.mark.parametrize("code", ["75", "67", "77", "68", "76", "78"])
def test_an_unknown_member_means_to_correct_and_then_to_call(code):
    rejection = describe_rejection(code, follow_up="C", loop=AnswerLoop.SUBSCRIBER)

    assert rejection.then_call
    assert "call the payer" in rejection.sentence


@pytest.mark.parametrize("follow_up", ["N", "S", "Y", "C"])
def test_a_payer_can_stop_our_retries(follow_up):
    rejection = describe_rejection("42", follow_up=follow_up, loop=AnswerLoop.SOURCE)

    assert rejection.kind is RejectionKind.CALL


@pytest.mark.parametrize("follow_up", ["P", "R", None, "?"])
def test_a_payer_that_allows_a_repeat_is_asked_again(follow_up):
    assert describe_rejection("42", follow_up=follow_up, loop=AnswerLoop.SOURCE).kind is RejectionKind.RETRY


@pytest.mark.parametrize(("follow_up", "days"), [("W", 30), ("X", 10)])
def test_a_payer_can_ask_for_a_pause(follow_up, days):
    rejection = describe_rejection("80", follow_up=follow_up, loop=AnswerLoop.SOURCE)

    assert rejection.kind is RejectionKind.CALL
    assert rejection.retry_after_days == days
    assert f"{days} days" in rejection.sentence


@pytest.mark.parametrize("code", ["72", "T4", "79"])
def test_a_payer_that_allows_a_repeat_starts_no_retry_of_ours(code):
    rejection = describe_rejection(code, follow_up="P", loop=AnswerLoop.SUBSCRIBER)

    assert rejection.kind is not RejectionKind.RETRY


@pytest.mark.parametrize("loop", list(AnswerLoop))
def test_an_unknown_reason_is_kept_and_means_to_call(loop):
    rejection = describe_rejection("Q9", follow_up=None, loop=loop)

    assert rejection.kind is RejectionKind.CALL
    assert rejection.code == "Q9"
    assert "Q9" in rejection.sentence


@pytest.mark.parametrize(
    ("follow_up", "again"), [(None, True), ("C", True), ("R", True), ("N", False), ("Y", False), ("W", False)]
)
@pytest.mark.parametrize("code", ["62", "63"])
def test_a_refused_date_is_asked_again_with_today_unless_the_payer_forbids_it(code, follow_up, again):
    assert describe_rejection(code, follow_up=follow_up, loop=AnswerLoop.BENEFIT).ask_again_today is again
