"""A report as PDF: tagged for screen readers, every value on its pages, and hostile text never more than text."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pypdf
import pytest
import typst

from tocsin.adapters.documents import pdf
from tocsin.model.errors import EnvironmentFault


def _field(value: str = "", **changes: Any) -> dict[str, Any]:
    plain = {
        "no": "1.1",
        "label": "What",
        "type": "text",
        "value": value,
        "gap": "",
        "options": [],
        "ticked": [],
        "note": "",
    }
    return plain | changes


def _form(*fields: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body = {
        "form": "eu/form",
        "title": "A report",
        "version": "1.0 (draft)",
        "status": "Not binding.",
        "source": "Commission draft, template 1.0.0",
        "heading": {"Incident": "INC-2026-0001, a title", "Version of this report": "3", "Due": "2026-10-30 23:59 CET"},
        "sections": [{"no": "1", "title": "Administrative", "fields": list(fields)}],
        "gaps": [f"{entry['no']} {entry['label']}: {entry['gap']}" for entry in fields if entry["gap"]],
        "notices": ["No admission of liability."],
        "prepared_at": "2026-11-02T12:04:05Z",
    }
    return body | changes


def _read(data: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(data))


def _text(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in _read(data).pages)


def _squeezed(text: str) -> str:
    return "".join(text.split())


class TestAccessible:
    def test_it_is_tagged_titled_and_says_its_language(self) -> None:
        root: Any = _read(pdf.report(_form(_field("x")))).trailer["/Root"]
        assert root["/MarkInfo"]["/Marked"]
        assert root["/StructTreeRoot"]["/K"]
        assert root["/Lang"] == "en"
        assert root["/ViewerPreferences"]["/DisplayDocTitle"]

    def test_it_claims_the_standard_and_carries_title_and_keywords(self) -> None:
        reader = _read(pdf.report(_form(_field("x"))))
        assert b"pdfuaid:part>1" in reader.trailer["/Root"]["/Metadata"].get_data()  # type: ignore[index]
        assert reader.metadata is not None
        assert reader.metadata.title == "A report"
        assert "eu/form" in str(reader.metadata["/Keywords"])

    def test_it_is_made_for_archives_and_says_so_in_its_metadata(self) -> None:
        metadata = _read(pdf.report(_form(_field("x")))).trailer["/Root"]["/Metadata"].get_data()  # type: ignore[index]
        assert b"<pdfaid:part>2</pdfaid:part>" in metadata
        assert b"<pdfaid:conformance>A</pdfaid:conformance>" in metadata

    def test_its_date_is_that_of_the_report_in_both_places(self) -> None:
        reader = _read(pdf.report(_form(_field("x"))))
        assert b"<xmp:CreateDate>2026-11-02T12:04:05Z<" in reader.trailer["/Root"]["/Metadata"].get_data()  # type: ignore[index]
        assert reader.metadata is not None
        assert reader.metadata.creation_date == datetime(2026, 11, 2, 12, 4, 5, tzinfo=UTC)

    def test_colours_are_defined_and_fonts_are_embedded(self) -> None:
        reader = _read(pdf.report(_form(_field("x", options=["x", "y"], ticked=["x"]))))
        (intent,) = reader.trailer["/Root"]["/OutputIntents"]  # type: ignore[index]
        assert intent["/S"] == "/GTS_PDFA1"
        assert "/DestOutputProfile" in intent
        fonts = [font.get_object() for font in reader.pages[0]["/Resources"]["/Font"].values()]  # type: ignore[index]
        assert fonts
        for font in fonts:
            (descendant,) = font["/DescendantFonts"]
            descriptor = descendant.get_object()["/FontDescriptor"]
            assert {"/FontFile2", "/FontFile3"} & set(descriptor)
            assert "/ToUnicode" in font

    def test_nothing_in_it_acts_or_is_encrypted(self) -> None:
        data = pdf.report(_form(_field("https://example.eu/form")))
        assert not any(word in data for word in (b"/JavaScript", b"/Launch", b"/EmbeddedFile", b"/Encrypt", b"/URI"))

    def test_headings_and_tables_are_tagged_as_such(self) -> None:
        kinds: set[str] = set()

        def gather(node: Any) -> None:
            entry = node.get_object()
            if isinstance(entry, list):
                for child in entry:
                    gather(child)
            elif isinstance(entry, dict):
                kinds.add(str(entry.get("/S")))
                if "/K" in entry:
                    gather(entry["/K"])

        gather(_read(pdf.report(_form(_field("x")))).trailer["/Root"]["/StructTreeRoot"])  # type: ignore[index]
        assert {"/H1", "/H2", "/Table", "/TR", "/TH", "/TD", "/L", "/LI"} <= kinds

    def test_the_same_data_gives_the_same_bytes(self) -> None:
        assert pdf.report(_form(_field("x"))) == pdf.report(_form(_field("x")))


class TestContent:
    def test_every_value_stands_on_the_page(self) -> None:
        text = _text(pdf.report(_form(_field("Nordhafen Bank AG"), _field("a first line\na second", label="Nature"))))
        for part in ("A report", "1.0 (draft)", "Not binding.", "INC-2026-0001, a title", "2026-10-30 23:59 CET",
                     "Administrative", "Nordhafen Bank AG", "a first line", "a second", "Nature",
                     "No admission of liability.", "Commission draft, template 1.0.0", "1 of 1", "eu/form"):  # fmt: skip
            assert part in text

    def test_the_heading_keeps_its_order(self) -> None:
        text = _text(pdf.report(_form(_field("x"))))
        assert text.index("Incident INC") < text.index("Version of this report 3") < text.index("Due 2026")

    def test_a_gap_stands_in_its_field_and_in_the_list(self) -> None:
        text = _text(pdf.report(_form(_field(gap="not known yet"))))
        assert "Incomplete: 1 required field is not known yet." in text
        assert "Gap: not known yet" in text
        assert "1.1 What: not known yet" in text

    def test_a_report_without_gaps_says_so(self) -> None:
        text = _text(pdf.report(_form(_field("x"))))
        assert "No required field is missing." in text
        assert "Incomplete" not in text

    def test_an_empty_field_that_may_be_empty_says_so(self) -> None:
        assert "What not given" in _text(pdf.report(_form(_field())))

    def test_an_empty_field_says_when_it_would_be_asked_for(self) -> None:
        assert "What not given; asked for if any" in _text(pdf.report(_form(_field(note="asked for if any"))))
        boxes = _field(options=["Yes", "No"], note="asked for if any")
        assert "asked for if any" in _text(pdf.report(_form(boxes)))
        assert "asked for" not in _text(pdf.report(_form(_field("x", note="asked for if any"))))

    def test_boxes_are_ticked_and_not_ticked(self) -> None:
        text = _text(pdf.report(_form(_field("Yes", options=["Yes", "No"], ticked=["Yes"]))))
        assert "\u2612 Yes" in text.replace("\n", " ")
        assert "\u2610 No" in text.replace("\n", " ")

    def test_a_long_text_goes_over_pages_and_each_page_says_whose_it_is(self) -> None:
        reader = _read(pdf.report(_form(_field("\n".join(f"line {number}" for number in range(200))))))
        assert len(reader.pages) > 3
        for number, page in enumerate(reader.pages[1:], start=2):
            text = page.extract_text()
            assert "INC-2026-0001, a title" in text
            assert "Report version 3" in text
            assert f"{number} of {len(reader.pages)}" in text
        assert "line 199" in _text(pdf.report(_form(_field("\n".join(f"line {number}" for number in range(200))))))


MARKUP = (
    "#panic[no]",
    "*bold* _italic_ `code` $x^2$",
    "@ref <label> // comment",
    '#import "/etc/passwd": *',
    "= not a heading",
    '"; #sys.inputs',
    "\\u{1F600} \\ ~ --",
    "<script>alert(1)</script>",
)


class TestHostile:
    @pytest.mark.parametrize("text", MARKUP)
    def test_markup_stays_text(self, text: str) -> None:
        read = _squeezed(_text(pdf.report(_form(_field(text)))))
        assert _squeezed(text) in read

    @pytest.mark.parametrize("text", MARKUP)
    def test_markup_stays_text_in_title_heading_label_gap_and_notice(self, text: str) -> None:
        body = _form(_field(label=text, gap=text), title=text, heading={"Incident": text}, notices=[text])
        assert _squeezed(_text(pdf.report(body))).count(_squeezed(text)) >= 5

    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("a\x00b", "a\\u0000b"),
            ("a\x1b[2Jb", "a\\u001b[2Jb"),
            ("a\u202eb", "a\\u202eb"),
            ("a\u200bb", "a\\u200bb"),
            ("a\ufffeb", "a\\ufffeb"),
            ("a\ue000b", "a\\ue000b"),
            ("a\U000e0041b", "a\\U000e0041b"),
            ("a\rb", "a\\u000db"),
        ],
    )
    def test_what_would_be_hidden_is_shown_as_its_code_point(self, text: str, shown: str) -> None:
        assert shown in _text(pdf.report(_form(_field(text))))

    def test_line_ends_of_windows_and_tabs_are_white_space(self) -> None:
        text = _text(pdf.report(_form(_field("one\r\ntwo\tthree"))))
        assert "\\u" not in text
        assert "two three" in " ".join(text.split())

    def test_a_very_long_word_breaks_and_is_whole(self) -> None:
        word = "".join(chr(ord("a") + number % 26) for number in range(700))
        data = pdf.report(_form(_field(word)))
        assert word in _squeezed(_text(data)).replace("\u200b", "")

    def test_european_letters_are_shown(self) -> None:
        text = "Zürich Łódź Çeşme Ærø Þór €5 „Anführung“ Ελλάδα Київ"
        assert _squeezed(text) in _squeezed(_text(pdf.report(_form(_field(text)))))

    @pytest.mark.parametrize("text", ["東京", "한국", "\U0001f642"])
    def test_what_the_shipped_fonts_lack_is_shown_in_a_font_of_the_machine_or_as_its_code_point(
        self, text: str
    ) -> None:
        codes = "".join(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in text)
        read = _squeezed(_text(pdf.report(_form(_field(f"before {text} after")))))
        assert any(f"before{shown}after" in read for shown in (text, codes))

    def test_thousands_of_characters_without_a_font_do_not_stop_a_report(self) -> None:
        text = " a ".join(chr(0x13000 + number) for number in range(300))
        read = _squeezed(_text(pdf.report(_form(_field(text)))))
        assert "a" in read
        assert "\\U0001312b" in read or chr(0x1312B) in read


class TestFaults:
    def test_a_refusal_of_typst_says_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> bytes:
            raise RuntimeError("out of ink")

        monkeypatch.setattr(typst, "compile", refuse)
        with pytest.raises(EnvironmentFault, match="cannot be written: out of ink") as told:
            pdf.report(_form(_field("x")))
        assert "use the JSON of the form" in told.value.remedy

    def test_a_character_that_is_never_shown_ends_in_a_fault_and_not_in_a_circle(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calls: list[bool] = []

        def refuse(*_: object, ignore_system_fonts: bool, **__: object) -> bytes:
            calls.append(ignore_system_fonts)
            raise RuntimeError('the text `"é"` could not be displayed')

        monkeypatch.setattr(typst, "compile", refuse)
        with pytest.raises(EnvironmentFault, match="could not be displayed"):
            pdf.report(_form(_field("é")))
        assert (calls[0], calls[-1], len(calls)) == (True, True, 2 + pdf.ATTEMPTS)
