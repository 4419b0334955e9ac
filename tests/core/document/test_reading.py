"""YAML text into values: what is read, what is refused, and that every refusal names its place."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.document.reading import BYTES_MAX, dotted, read
from tocsin.model.errors import BadInput, Place, Problem


def refusal(data: bytes | str) -> Problem:
    """The one problem of a document that cannot be read."""
    with pytest.raises(BadInput) as caught:
        read(data, "policy.yaml")
    (problem,) = caught.value.problems()
    assert problem.place.file == "policy.yaml"
    assert problem.what
    return problem


def flaws(text: str) -> list[tuple[int, int, str]]:
    """Line, column and words of what is wrong in a document that can be read all the same."""
    return [(flaw.place.line, flaw.place.column, flaw.what) for flaw in read(text, "f").problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1", {"a": 1}),
        ("a: 007", {"a": 7}),
        ("a: 0x1F", {"a": 31}),
        ("a: 0o17", {"a": 15}),
        ("a: -12", {"a": -12}),
        ("a: 1_000", {"a": 1000}),
        ("a: 1.5", {"a": 1.5}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: true", {"a": True}),
        ("a: False", {"a": False}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("a: '1'", {"a": "1"}),
        ("a: [x, y]", {"a": ["x", "y"]}),
        ("- x\n- y", ["x", "y"]),
        ("a: 2026-11-24", {"a": date(2026, 11, 24)}),
        ("a: 2026-11-24T09:30:00+01:00", {"a": datetime(2026, 11, 24, 8, 30, tzinfo=UTC)}),
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: >\n  folded\n  text\n", {"a": "folded text\n"}),
    ],
)
def test_yaml_1_2_values_come_as_plain_python(text: str, value: object) -> None:
    assert read(text, "f").value == value


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "NO", "y", "12:30:45", "2026-13-45", "1.2.3"])
def test_words_that_older_yaml_bends_stay_text(word: str) -> None:
    assert read(f"a: {word}", "f").value == {"a": word}


def test_the_code_of_norway_is_not_false() -> None:
    assert read("operates_in: [NO, SE]", "f").value == {"operates_in": ["NO", "SE"]}


def test_a_time_without_offset_stays_naive_so_that_its_reader_can_refuse_it() -> None:
    assert read("a: 2026-11-24 09:30:00", "f").value["a"].tzinfo is None


def test_every_value_and_every_key_has_its_place() -> None:
    document = read("title: x\nroles:\n  - id: a\n    people: [p, q]\n", "policy.yaml")
    assert document.place(("title",)) == Place("policy.yaml", 1, 8, "title")
    assert document.place(("title",), key=True) == Place("policy.yaml", 1, 1, "title")
    assert document.place(("roles", 0, "people", 1)) == Place("policy.yaml", 4, 17, "roles.0.people.1")
    assert document.place(("roles", 0, "people"), key=True) == Place("policy.yaml", 4, 5, "roles.0.people")


def test_what_is_not_there_has_the_place_of_what_is_around_it() -> None:
    document = read("roles:\n  - id: a\n", "policy.yaml")
    assert document.place(("roles", 0, "duties", "detect")) == Place("policy.yaml", 2, 5, "roles.0.duties.detect")
    assert document.place(("nothing",)) == Place("policy.yaml", 1, 1, "nothing")


def test_a_path_is_written_with_dots() -> None:
    assert dotted(("roles", 2, "people")) == "roles.2.people"


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert read(b"\xef\xbb\xbftitle: x", "f").value == {"title": "x"}
    assert read("\ufefftitle: x", "f").value == {"title": "x"}


def test_lines_count_the_same_with_windows_line_ends() -> None:
    assert read(b"a: 1\r\nb: 2\r\n", "f").place(("b",)) == Place("f", 2, 4, "b")


def test_a_byte_that_is_not_utf_8_is_named_with_line_and_column() -> None:
    problem = refusal(b"title: x\nowner: M\xfcller\n")
    assert (problem.place.line, problem.place.column) == (2, 9)
    assert "UTF-8" in problem.what


def test_utf_16_is_refused_as_not_utf_8() -> None:
    assert "UTF-8" in refusal("title: x".encode("utf-16")).what


@pytest.mark.parametrize("text", ["", "   \n\n", "# only a comment\n"])
def test_an_empty_file_is_called_empty(text: str) -> None:
    assert refusal(text).what == "the file is empty"


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("a: 1\n\tb: 2", 2, 1, "this character cannot begin a value"),
        ("a: 1\nb: 'never closed\nc: 2\n", 2, 4, "a quote is opened and never closed"),
        ("a: 1\nb: [1, 2\nc: 3\n", 2, 4, "a bracket is opened and never closed"),
        ("a: b: c", 1, 5, "a second `key: ` in one line"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here"),
        ("a: *nobody", 1, 4, "a value that begins with * refers to nothing"),
        ("a: |\n  x\n y\n", 3, 2, "this line does not fit the indentation around it"),
        ("a: 1\nb\nc: 2\n", 2, 1, "a line that is neither `key: value` nor `- entry`"),
        ("- a\nb: 1\n", 2, 1, "this line does not fit the indentation around it"),
        (" a: 1\nb: 2\n", 2, 1, "the document ended above, and here it goes on"),
        ("{a: ?0}", 1, 5, "a value is missing here, or begins with a special character"),
        ('a: "\\q"', 1, 6, "this backslash means nothing in double quotes"),
        ("a: 1\nb: \x07\n", 2, 4, "the character U+0007 cannot stand here"),
        ("\x00", 1, 1, "the character U+0000 cannot stand here"),
    ],
)
def test_a_mistake_of_yaml_is_told_in_plain_words_with_its_place(text: str, line: int, column: int, what: str) -> None:
    problem = refusal(text)
    assert (problem.place.line, problem.place.column, problem.what) == (line, column, what)
    assert problem.remedy


def test_a_mistake_that_has_no_plain_words_yet_keeps_those_of_the_parser() -> None:
    assert "incompatible YAML document" in refusal("%YAML 9.9\n---\na: 1").what


def test_a_key_that_stands_twice_is_a_mistake_that_names_both_lines() -> None:
    assert flaws("a: 1\nb: 2\na: 3\n") == [(3, 1, "'a' stands here a second time (first in line 1)")]


def test_all_flaws_of_a_document_come_at_once() -> None:
    found = flaws("a: 1\na: 2\nb: !!python/name:os.system x\n? [c]\n: d\ne: .inf\n<<: {f: 1}\n")
    assert [line for line, _, _ in found] == [2, 3, 4, 6, 7]


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!binary", "!custom", "!!set"])
def test_no_tag_makes_an_object(tag: str) -> None:
    document = read(f"a: {tag} 'eA=='", "f")
    assert document.value == {"a": None}
    assert "is not allowed" in document.problems[0].what


@pytest.mark.parametrize("text", ["a: !!python/tuple [1, 2]", "a: !thing {b: 1}", "a: !!omap [b: 1]"])
def test_no_tag_makes_an_object_of_a_list_or_a_mapping(text: str) -> None:
    assert [what for _, _, what in flaws(text)] == [f"the tag {tag} is not allowed" for tag in [flaw_tag(text)]]


def flaw_tag(text: str) -> str:
    written = text.split()[1]
    return written.replace("!!", "tag:yaml.org,2002:") if written.startswith("!!") else written


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf", "1e999"])
def test_a_number_must_be_finite(number: str) -> None:
    assert flaws(f"a: {number}") == [(1, 4, f"{number} is not a finite number")]


def test_merge_keys_are_refused_not_silently_kept() -> None:
    assert flaws("base: &b {x: 1}\nother:\n  <<: *b\n") == [(3, 3, "merging with << is not supported")]


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "too large" in refusal("\n".join(lines)).what


def test_an_alias_to_itself_is_refused() -> None:
    assert "too deeply" in refusal("a: &a [*a]").what


@pytest.mark.parametrize("depth", [60, 5_000])
def test_nesting_has_a_limit(depth: int) -> None:
    assert "too deeply" in refusal("[" * depth + "]" * depth).what


def test_size_has_a_limit_that_is_checked_before_anything_is_parsed() -> None:
    assert "more than 1 MiB" in refusal(b"#" * (BYTES_MAX + 1)).what


def test_the_same_anchor_twice_warns_nobody() -> None:
    assert read("a: &x 1\nb: &x 2\nc: *x", "f").value == {"a": 1, "b": 2, "c": 2}


def places(data: bytes | str) -> list[tuple[int, int]]:
    """The places of a document's parts, or those of its problems when it is refused."""
    try:
        return list(read(data, "f").places.values())
    except BadInput as error:
        return [(problem.place.line, problem.place.column) for problem in error.problems()]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert places(data)


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#%@`,?\n\t 01", max_size=60))
def test_any_yaml_like_text_is_read_or_refused_with_a_place(text: str) -> None:
    found = places(text)
    assert found
    assert all((line > 0) == (column > 0) for line, column in found)


_LEAF = st.one_of(
    st.integers(-(10**6), 10**6),
    st.booleans(),
    st.none(),
    st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), max_size=12),
)
_TREE = st.recursive(
    st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), _LEAF, max_size=4),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_TREE)
def test_json_is_read_as_it_was_written(tree: object) -> None:
    document = read(json.dumps(tree, ensure_ascii=False), "f")
    assert document.value == tree
    assert document.problems == ()
