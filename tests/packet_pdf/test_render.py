"""The PDF of a referral, read back with a second library."""

import re
import string

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.eligibility.disclaimers import DISCLAIMERS, EMERGENCY_NOTE
from packet_pdf import render as renderer
from packet_pdf.render import UNPRINTABLE_NOTE, RenderError, render
from tests.support.packet_pages import build_lines, build_page, open_pdf, read_pages

LONG = "W" * 200
"""The longest text of one line that the API accepts, without a place to break it."""

LONGEST = {
    "patient__given_name": LONG,
    "patient__family_name": LONG,
    "patient__mrn": LONG,
    "patient__email": f"{'w' * 64}@{'w' * 180}.example",
    "patient__caregiver": {"name": LONG, "relation": LONG, "phone": "+17135550143;ext=1234567"},
    "referring_provider__name": LONG,
    "referring_provider__email": f"{'w' * 64}@{'w' * 180}.example",
    "insurance__payer": LONG,
    "insurance__member_id": LONG,
    "insurance__group": LONG,
    "note": "word " * 800,
    "clinical__prior_lines": build_lines(30, regimen="W" * 180),
}


def test_a_usual_referral_fits_one_letter_page():
    """And says so: page 1 of 1."""
    pdf = render(build_page(note="Call the daughter first."))

    [page] = open_pdf(pdf).pages
    assert [float(value) for value in page.mediabox] == [0, 0, 612, 792]
    assert "page 1 of 1" in read_pages(pdf)[0]


def test_the_pdf_is_made_to_pdf_ua_1_and_tagged():
    """With a language and a title that readers show: what a screen reader needs."""
    reader = open_pdf(render(build_page()))
    root = reader.trailer["/Root"]

    assert root["/MarkInfo"]["/Marked"].value
    assert root["/StructTreeRoot"]
    assert root["/Lang"] == "en-US"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value
    assert reader.metadata.title == "CAR T referral: Ana Example"
    assert "<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data().decode()


def list_tags(node):
    kinds = [str(node["/S"])] if "/S" in node else []
    children = node.get("/K", [])
    for reference in children if isinstance(children, list) else [children]:
        child = reference.get_object()
        if isinstance(child, dict) and ("/S" in child or "/K" in child):
            kinds += list_tags(child)
    return kinds


def test_headings_and_the_header_cells_of_the_table_are_tagged():
    """So that a reader can jump to a section, and hears which column a cell belongs to."""
    tags = list_tags(open_pdf(render(build_page())).trailer["/Root"]["/StructTreeRoot"])

    assert tags.count("/H1") == 1
    assert tags.count("/H2") >= 8
    assert tags.count("/TH") == 4
    assert tags.count("/TD") == 4


def test_all_fonts_are_embedded():
    """A fax machine or another computer has none of them."""
    page = open_pdf(render(build_page(patient__family_name="王 محمد 김"))).pages[0]
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    descriptors = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"] for font in fonts]

    assert len(fonts) >= 5
    assert all("/FontFile2" in each or "/FontFile3" in each for each in descriptors)


def test_text_is_black_on_white():
    """Gray becomes dots on a fax. The page sets no color but black, and fills nothing."""
    content = open_pdf(render(build_page())).pages[0].get_contents().get_data().decode("latin-1")
    colors = re.findall(r"([\d. ]+) (?:g|G|rg|RG|k|K|sc|SC|scn|SCN)\b", content)

    assert colors
    assert {float(value) for color in colors for value in color.split()} == {0.0}


def test_no_text_is_smaller_than_10_points():
    """However much the referral says."""
    sizes = set()
    for page in open_pdf(render(build_page(**LONGEST))).pages:
        page.extract_text(
            visitor_text=lambda text, _cm, tm, _font, size: sizes.update([size * abs(tm[3])] if text.strip() else [])
        )

    assert min(sizes) >= 10


def test_the_same_page_gives_the_same_bytes():
    """A copy that was sent can be compared."""
    page = build_page(note="A note.")

    assert render(page) == render(page)


def test_every_page_has_the_emergency_line_the_two_statements_and_when_it_was_made():
    """A fax can lose a page."""
    pages = read_pages(render(build_page(note="word " * 400, clinical__prior_lines=build_lines(40))))

    assert len(pages) > 1
    for number, text in enumerate(pages, start=1):
        assert all(statement in text for statement in (EMERGENCY_NOTE, *DISCLAIMERS))
        assert "Made Nov 29, 2026, 10:15 AM CST" in text
        assert "May be out of date after Nov 30, 2026, 10:15 AM CST" in text
        assert f"page {number} of {len(pages)}" in text


def test_markup_in_a_name_is_plain_text():
    """Nothing that a person types is evaluated."""
    name = '#import "x.typ" #read("/etc/passwd") $x^2$ *bold* @ref <label> \\n // no comment'
    text = read_pages(render(build_page(patient__family_name=name)))[0]

    assert f"Name: Ana {name}" in text


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Nguyễn Thị Ánh", "Nguyễn Thị Ánh"),
        ("Nguye\u0302\u0303n", "Nguyễn"),
        ("Łukasz Żółć", "Łukasz Żółć"),
        ("Ελένη Μαρία", "Ελένη Μαρία"),
        ("Олена Ґудзь", "Олена Ґудзь"),
        ("王小明", "王小明"),
        ("佐藤 さくら", "佐藤 さくら"),
        ("김철수", "김철수"),
    ],
)
def test_a_name_in_another_script_is_printed_as_it_is(name, read):
    """In the font that has it, with accents composed."""
    text = read_pages(render(build_page(patient__family_name=name)))[0]

    assert f"Name: Ana {read} " in text
    assert "[?]" not in text


@pytest.mark.parametrize("name", ["محمد العربي", "יעל כהן", "प्रिया शर्मा", "สมชาย"])
def test_a_name_in_a_shaped_script_is_printed(name):
    """Letters join and move in these scripts, so that only the letters are compared."""
    text = read_pages(render(build_page(patient__family_name=name)))[0]

    assert set(name) <= set(text)
    assert "[?]" not in text


def test_a_character_that_no_font_has_is_marked_and_explained():
    """The page is made all the same; the screen has the text."""
    text = read_pages(render(build_page(patient__family_name="Doe \U00012000 ᏣᎳᎩ")))[0]

    assert "Name: Ana Doe [?] [?][?][?]" in text
    assert UNPRINTABLE_NOTE in text
    assert UNPRINTABLE_NOTE not in read_pages(render(build_page()))[0]


@settings(max_examples=40, deadline=None)
@given(
    st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Co", "Cn"]), min_size=1, max_size=60
    ).filter(str.strip)
)
def test_any_text_gives_a_page(text):
    """No name and no note may stop the page."""
    assert render(build_page(patient__family_name=text, note=text))


def test_a_note_of_2000_characters_moves_to_page_2_in_full():
    """The first page says where it is."""
    note = (f"A{string.ascii_lowercase[:24]} " * 80)[:2000].strip()
    first, second = read_pages(render(build_page(note=note)))

    assert "Note See page 2." in first
    assert note in second


def test_forty_lines_of_therapy_are_all_printed():
    """On the pages after the first, which says how many there are and which one is the last."""
    first, *rest = read_pages(render(build_page(clinical__prior_lines=build_lines(40))))

    assert (
        "40 in all, the last one R-CHOP no. 40 (Anti-CD20, Anthracycline): Relapsed, Oct 2, 2026. See page 2." in first
    )
    assert "R-CHOP no. 1 " not in first
    assert all(f"R-CHOP no. {number} (" in " ".join(rest) for number in range(1, 41))


def test_what_does_not_fit_moves_in_a_fixed_order():
    """The longer the sections are, the more of the order is on page 2, and never out of order."""
    page, moved = build_page(), set()
    for lines in range(1, 40, 2):
        section = {"place": "wide", "moved": "See page 2.", "text": ["word"] * lines}
        movable = [{**section, "heading": f"Section {number}", "moves": number} for number in (3, 1, 4, 2)]
        first, *rest = read_pages(render({**page, "sections": movable}))
        numbers = re.findall(r"Section (\d)", " ".join(rest))
        kept = re.findall(r"Section (\d) word", first)
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
        assert sorted(kept + numbers) == ["1", "2", "3", "4"]
        moved.add(len(numbers))

    assert {0, 1, 2, 3} <= moved


def test_the_longest_values_are_printed_in_full():
    """Nothing is cut and nothing is shrunk."""
    text = "".join("".join(page.split()) for page in read_pages(render(build_page(**LONGEST))))

    assert text.count("W" * 180) >= 30
    assert LONG * 2 in text
    assert "word" * 800 in text.replace("Note", "")


@pytest.mark.parametrize("email", ["patient__email", "referring_provider__email"])
def test_an_email_address_is_broken_within_its_column(email):
    """It has no space, and would run over the other column, or off the page."""
    address = f"{'w' * 40}@{'w' * 30}.example"
    page = open_pdf(render(build_page(**{email: address}))).pages[0].extract_text()
    # A column is 246 points wide, and a "w" 7.9.
    broken = [word for word in page.split() if "www" in word]

    assert "".join(broken) == address
    assert max(map(len, broken)) <= 31


def test_a_first_page_that_overflows_has_the_statements_on_each_of_its_pages():
    """The longest names fill more than a page by themselves."""
    for name in (LONG, "W " * 100):
        for text in read_pages(render(build_page(**LONGEST | {"patient__given_name": name}))):
            assert all(statement in text for statement in (EMERGENCY_NOTE, *DISCLAIMERS))
            assert "May be out of date after Nov 30, 2026, 10:15 AM CST" in text


def test_a_font_that_is_missing_is_an_error(monkeypatch, tmp_path):
    """By itself, the typesetter would make a page without text."""
    empty = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(tmp_path)])
    monkeypatch.setattr(renderer, "_load_fonts", lambda: empty)

    with pytest.raises(RenderError):
        render(build_page())


def test_an_error_has_no_text_of_the_page(monkeypatch):
    """Lambda logs it, with its cause."""
    monkeypatch.setattr(renderer, "replace_unprintable", str)

    with pytest.raises(RenderError) as failure:
        render(build_page(patient__family_name="Canary \U00012000"))

    assert "Canary" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__
