"""Which characters the fonts can print, and that the fonts are those that were reviewed."""

import hashlib

import pytest

from packet_pdf.characters import FONTS, LATIN_FONT, OTHER_FONTS, _load_characters, replace_unprintable


def test_the_fonts_are_the_reviewed_files():
    """By their sums, and no other font is in the folder."""
    listed = dict(line.split()[::-1] for line in (FONTS / "SHA256SUMS").read_text().splitlines())

    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FONTS.glob("*.ttf")} == listed
    assert {LATIN_FONT, "NotoSans-Bold.ttf", *OTHER_FONTS} == set(listed)


@pytest.mark.parametrize(
    ("font", "text"),
    [
        (LATIN_FONT, "AzÀÿŁłĐđẠỹЖяҐ“”µ½"),
        ("NotoSansArabic-Regular.ttf", "محمدپچ"),
        ("NotoSansHebrew-Regular.ttf", "אבגתּ"),
        ("NotoSansDevanagari-Regular.ttf", "कखगज्ञ"),
        ("NotoSansThai-Regular.ttf", "กขฃ"),
        ("DroidSansFallbackFull.ttf", "王李張さア"),
        ("NanumGothicCoding-Regular.ttf", "김가힣"),
    ],
)
def test_a_font_has_the_letters_of_its_script(font, text):
    """Read from the font's own table."""
    assert {ord(char) for char in text} <= _load_characters(font)


def test_a_font_does_not_have_the_letters_of_another_script():
    """A wrong reading would find all of them."""
    assert ord("王") not in _load_characters(LATIN_FONT)
    assert ord("ב") not in _load_characters("NotoSansArabic-Regular.ttf")
    assert 0xFFFF not in _load_characters("DroidSansFallbackFull.ttf")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("Zoë\nÁnh", "Zoë\nÁnh"),
        ("e\u0301", "é"),
        ("a\U00012000b", "a[?]b"),
        ("", ""),
    ],
)
def test_only_what_no_font_has_is_replaced(text, printed):
    """Accents are composed first, and line breaks are kept."""
    assert replace_unprintable(text) == printed
