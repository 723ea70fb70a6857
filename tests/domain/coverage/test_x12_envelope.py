"""The envelope: sizes, delimiters, counts and control numbers, and what damaged bytes do to our reader."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.coverage.rows import AttemptFailure, PayerAnswer
from chalicelib.domain.coverage.x12_envelope import MAX_BYTES, MAX_SEGMENTS, read_interchange
from chalicelib.domain.coverage.x12_error import X12Error
from chalicelib.domain.coverage.x12_read import read_x12_response
from tests.support import x12_interchanges as samples
from tests.support.payer_answers import ANSWERED_AT
from tests.support.x12_readers import read_with_pyx12

VALID = samples.AUTHORIZATION_REQUIRED


def refuse(text):
    """The reason for which the envelope is refused, after checking that no data is in the error."""
    with pytest.raises(X12Error) as error:
        read_interchange(text if isinstance(text, bytes) else text.encode())
    assert "EXAMPLE" not in str(error.value)
    return error.value.reason


def change(old, new, text=VALID):
    assert text.count(old) == 1
    return text.replace(old, new)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        # Size.
        ("", "empty"),
        (" \r\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (VALID + " " * MAX_BYTES, "too_large"),
        (samples.build_subscriber("EB*1**30~" * MAX_SEGMENTS), "too_many_segments"),
        # Not X12, or only the start of it.
        ("<html><body>Service unavailable</body></html>", "no_isa"),
        ("ISA", "truncated"),
        (VALID[:105], "truncated"),
        (VALID[:106], "truncated"),
        (VALID[:-1], "truncated"),
        (VALID[: VALID.index("GE*1")], "truncated"),
        (VALID[: VALID.index("IEA*1")], "truncated"),
        # Widths of the ISA segment.
        (change("CARTHUB        ", "CARTHUB       "), "isa_width"),
        (change("PAYERSIM       *ZZ", "PAYERSIM        *ZZ"), "isa_width"),
        # Delimiters.
        (samples.use_delimiters(VALID, component="|"), "isa_width"),
        (samples.use_delimiters(VALID, component="~", terminator="~"), "delimiters"),
        (samples.use_delimiters(VALID, component="A"), "delimiters"),
        (samples.use_delimiters(VALID, repetition="0"), "delimiters"),
        (samples.use_delimiters(VALID, component="§"), "delimiters"),
        (samples.use_delimiters(VALID, repetition=">"), "delimiters"),
        # Version and usage.
        (change("*00501*", "*00401*"), "version"),
        (change("*0*T*:", "*0*X*:"), "usage_indicator"),
        (change("ST*271*0001*005010X279A1", "ST*271*0001*005010X279"), "version"),
        # Control numbers and counts.
        (change("IEA*1*000000905", "IEA*1*000000906"), "interchange_control_number"),
        (change("IEA*1*", "IEA*2*"), "group_count"),
        (change("GE*1*1", "GE*1*2"), "group_control_number"),
        (change("GE*1*1", "GE*2*1"), "set_count"),
        (change("SE*24*0001", "SE*23*0001"), "segment_count"),
        (change("SE*24*0001", "SE*25*0001"), "segment_count"),
        (change("SE*24*0001", "SE*X*0001"), "segment_count"),
        (change("SE*24*0001", "SE*²*0001"), "segment_count"),
        (change("SE*24*0001", "SE*24*0002"), "set_control_number"),
        (change("SE*24*0001", "SE"), "set_control_number"),
        (change("MSG*CAR T THERAPY REQUIRES PRIOR AUTHORIZATION CALL 8005550100~", ""), "segment_count"),
        # Structure.
        (change("SE*24*0001~", ""), "set_structure"),
        (change("ST*271*0001*005010X279A1~", ""), "set_count"),
        (change("BHT*", "ISA*"), "set_structure"),
        (change("GS*HB", "GX*HB"), "group_count"),
        (VALID[:106] + "IEA*0*000000905~", "empty_interchange"),
        (VALID[:106] + "IEA*1*000000905~", "group_count"),
        (change("EB*CB**78", "EB*CB\n**78"), "control_character"),
        (change("EB*CB**78", "EB*CB\x00**78"), "control_character"),
        (change("EB*CB**78", "~EB*CB**78"), "empty_segment"),
        (change("EB*CB**78", "eb*CB**78"), "segment_name"),
        (change("EB*CB**78", "EBENEFIT*CB**78"), "segment_name"),
    ],
)
def test_an_interchange_that_is_not_what_it_says_is_refused(text, reason):
    assert refuse(text) == reason


def test_two_transaction_sets_are_refused():
    start, end = VALID.index("ST*"), VALID.index("GE*1*1")
    second = VALID[start:end].replace("*0001", "*0002")
    text = VALID[:end] + second + VALID[end:].replace("GE*1*1", "GE*2*1")

    assert refuse(text) == "several_sets"


def test_two_groups_are_refused():
    start, end = VALID.index("GS*"), VALID.index("IEA*")
    text = VALID[:end] + VALID[start:end] + VALID[end:].replace("IEA*1", "IEA*2")

    assert refuse(text) == "group_structure"


def test_an_oversized_answer_is_refused_before_it_is_read():
    text = samples.build_subscriber("EB*1**30~" + f"MSG*{'A' * 260}~" * 1_200)

    assert len(text) > 300_000
    assert refuse(text) == "too_large"


def test_an_acknowledgment_can_come_before_the_answer():
    text = VALID[:106] + "TA1*000000905*261128*1405*A*000~" + VALID[106:]

    interchange = read_interchange(text.encode())
    assert [each.name for each in interchange.acknowledgments] == ["TA1"]
    assert interchange.set_code == "271"


@pytest.mark.parametrize("cut", range(107, len(VALID) - 1, 7))
def test_every_truncation_is_refused(cut):
    assert refuse(VALID[:cut]) in {"truncated", "segment_name"}


def test_pyx12_names_the_same_truncation():
    _, errors = read_with_pyx12(samples.TRUNCATED.rpartition("~")[0] + "~")

    assert errors, "a parser that is silent here would be no second opinion"


# ---- Damaged bytes: any result is fine, except another exception than X12Error.

CORPUS = [
    text.encode()
    for text in (
        *samples.ANSWERS.values(),
        samples.ACCEPTED_999,
        samples.REJECTED_999,
        samples.build_ta1("R", "006"),
        samples.use_delimiters(samples.AUTHORIZATION_REQUIRED),
    )
]


def survive(raw):
    """Read anything; return whether it was taken for a valid response."""
    try:
        result = read_x12_response(raw, trace_id=samples.TRACE_ID, production=False, answered_at=ANSWERED_AT)
    except X12Error:
        return False
    assert isinstance(result, PayerAnswer | AttemptFailure)
    return True


@given(st.binary(max_size=400))
def test_any_bytes_raise_only_our_error(raw):
    assert not survive(raw)


@given(st.sampled_from(CORPUS), st.binary(max_size=30), st.integers(0, 3_000), st.integers(0, 40))
@settings(max_examples=300)
def test_replaced_bytes_raise_only_our_error(raw, inserted, start, length):
    start = min(start, len(raw))

    survive(raw[:start] + inserted + raw[start + length :])


@given(st.sampled_from(CORPUS), st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_mixed_segments_raise_only_our_error(raw, shuffler):
    segments = raw.split(b"~")
    for _ in range(shuffler.randint(1, 4)):
        place, other = shuffler.randrange(len(segments)), shuffler.randrange(len(segments))
        segments[place], segments[other] = segments[other], segments[place]

    survive(b"~".join(segments))


@given(st.sampled_from(CORPUS), st.text(alphabet="*^:~A0\n\x85 ", min_size=1, max_size=4), st.integers(0, 105))
def test_a_damaged_isa_segment_raises_only_our_error(raw, damage, place):
    survive(raw[:place] + damage.encode() + raw[place + len(damage) :])


def test_many_small_mutations_raise_only_our_error():
    dice = random.Random(20_261_128)  # noqa: S311 the same mutations in each run
    accepted = 0
    for _ in range(4_000):
        raw = bytearray(dice.choice(CORPUS))
        for _ in range(dice.randint(1, 6)):
            place = dice.randrange(len(raw))
            raw[place] = dice.choice(b"*^:~0129AZ \n\r\x00\xff'|>")
        accepted += survive(bytes(raw))

    assert 0 < accepted < 3_500, "some mutations change only a name, most break the structure"
