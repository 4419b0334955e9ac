"""YAML text into plain values, with the line and column of every one of them.

YAML 1.2 through ruamel.yaml's composer, so that no tag ever makes an object. Duplicate keys, anchors that multiply, deep
nesting and unknown tags are mistakes of the document, told with their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from tocsin.model.errors import BadInput, Place, Problem

BYTES_MAX = 1 << 20
"""No policy is larger, and a megabyte takes some six seconds to read."""
DEPTH_MAX = 40
NODES_MAX = 200_000
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A read document: its value and the places of its parts by path (of a key's value, and of the key itself)."""

    file: str
    value: Any
    places: Mapping[Path, tuple[int, int]]
    key_places: Mapping[Path, tuple[int, int]]
    problems: tuple[Problem, ...] = ()
    """What is wrong with the document as such: keys that stand twice, forbidden tags."""

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where the part at `path` stands; of the nearest part around it when it is not there itself."""
        field = dotted(path)
        for end in range(len(path), -1, -1):
            places = self.key_places if key and end == len(path) else self.places
            if path[:end] in places:
                line, column = places[path[:end]]
                return Place(self.file, line, column, field)
        return Place(self.file, field=field)


def dotted(path: Path) -> str:
    """The path as people write it: `roles.2.people`."""
    return ".".join(str(part) for part in path)


def read(data: bytes | str, file: str) -> Document:
    """The document in the bytes.

    Raises:
        BadInput: it is not UTF-8, not YAML, too large or too deep; with line and column.
    """
    text = _decoded(data, file)
    node = _composed(text, file)
    if node is None:
        raise BadInput.at(Place(file), "the file is empty", "start from an example of `tocsin init`")
    walk = _Walk(file)
    value = walk.value(node, (), 0)
    return Document(file, value, walk.places, walk.key_places, tuple(walk.problems))


def _decoded(data: bytes | str, file: str) -> str:
    if len(data) > BYTES_MAX:
        raise BadInput.at(Place(file), f"the file has more than {BYTES_MAX >> 20} MiB", "split it")
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - (data.rfind(b"\n", 0, error.start) + 1) + 1
        raise BadInput.at(Place(file, line, column), "this byte is not UTF-8", "save the file as UTF-8") from None


def _composed(text: str, file: str) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.allow_duplicate_keys = True
    yaml.composer.warn_double_anchors = False
    try:
        node: Node | None = yaml.compose(text)
        return node
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        place = Place(file, line, error.position - text.rfind("\n", 0, error.position))
        raise BadInput.at(
            place, f"the character U+{ord(text[error.position]):04X} cannot stand here", "remove it"
        ) from None
    except MarkedYAMLError as error:
        raise BadInput([_syntax(error, file)]) from None
    except RecursionError:
        raise BadInput.at(Place(file), TOO_DEEP, "flatten it") from None
    except (YAMLError, ValueError) as error:
        raise BadInput.at(Place(file), f"this is not YAML: {error}", "check quotes and indentation") from None


TOO_DEEP = "the document is nested too deeply"
_SYNTAX = (
    (
        "that cannot start any token",
        "this character cannot begin a value",
        "indent with spaces, not tabs, or use quotes",
    ),
    ("mapping values are not allowed", "a second `key: ` in one line", "put text that contains a colon in quotes"),
    ("unexpected end of stream", "a quote is opened and never closed", "close it"),
    ("expected ',' or", "a bracket is opened and never closed", "close it, and part its entries by commas"),
    (
        "expected <block end>",
        "this line does not fit the indentation around it",
        "align it with its neighbours, or close a quote above it",
    ),
    ("could not find expected ':'", "a line that is neither `key: value` nor `- entry`", "add the colon"),
    ("expected the node content", "a value is missing here, or begins with a special character", "put it in quotes"),
    ("undefined alias", "a value that begins with * refers to nothing", "put it in quotes"),
    (
        "expected '<document start>'",
        "the document ended above, and here it goes on",
        "align this line with the first one",
    ),
    ("another document", "a second document begins here", "keep one document in a file"),
    ("unknown escape", "this backslash means nothing in double quotes", "use single quotes"),
)
"""What the parser says -> what is wrong and what to do, in plain words."""
_BEGUN_EARLIER = ("unexpected end of stream", "expected ',' or", "could not find expected ':'")
"""Mistakes that the user finds where the thing begins, not where the parser gave up."""


def _syntax(error: MarkedYAMLError, file: str) -> Problem:
    said = f"{error.problem or ''} {error.context or ''}"
    begun = error.context_mark if any(part in said for part in _BEGUN_EARLIER) else None
    mark = begun or error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    for part, what, remedy in _SYNTAX:
        if part in said:
            return Problem(place, what, remedy)
    return Problem(place, error.problem or "this is not YAML", "check quotes, colons and indentation near here")


class _Walk:
    """Turns composed nodes into values while it writes down where each stands."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path, tuple[int, int]] = {}
        self.key_places: dict[Path, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def value(self, node: Node, path: Path, depth: int) -> Any:
        self.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if depth > DEPTH_MAX:
            raise BadInput.at(self._at(node), TOO_DEEP, "flatten it; an alias must not contain itself")
        if len(self.places) > NODES_MAX:
            raise BadInput.at(self._at(node), "the document grows too large here", "use fewer aliases, or split it")
        if str(node.tag).rsplit(":", 1)[-1] not in _KNOWN_TAGS:
            self.problems.append(Problem(self._at(node, path), f"the tag {node.tag} is not allowed", "remove it"))
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self.value(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: MappingNode, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else None
            if key is None:
                self.problems.append(
                    Problem(self._at(key_node), "a key must be plain text", "write it without brackets")
                )
            elif key == "<<":
                self.problems.append(
                    Problem(self._at(key_node), "merging with << is not supported", "write the keys out")
                )
            elif key in result:
                first = self.key_places[(*path, key)][0]
                what = f"{key!r} stands here a second time (first in line {first})"
                self.problems.append(Problem(self._at(key_node, (*path, key)), what, "keep one of the two"))
            else:
                self.key_places[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
                result[key] = self.value(value_node, (*path, key), depth + 1)
        return result

    def _scalar(self, node: Node) -> Any:
        with suppress(ValueError):
            value = _SCALARS[str(node.tag).rsplit(":", 1)[-1]](node.value)
            if isinstance(value, float) and not isfinite(value):
                self.problems.append(Problem(self._at(node), f"{node.value} is not a finite number", "write a number"))
            return value
        return str(node.value)

    def _at(self, node: Node, path: Path = ()) -> Place:
        return Place(self.file, node.start_mark.line + 1, node.start_mark.column + 1, dotted(path))


def _integer(text: str) -> int:
    return (
        int(text.replace("_", ""), 0)
        if not text.lstrip("+-").startswith("0") or "x" in text or "o" in text
        else int(text)
    )


def _instant(text: str) -> date | datetime:
    if len(text) == 10:
        return date.fromisoformat(text)
    at = datetime.fromisoformat(text.replace(" ", "T", 1))
    return at if at.tzinfo is None else at.astimezone(UTC)


_SCALARS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": _integer,
    "float": lambda text: float(
        text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan").replace(".NaN", "nan")
    ),
    "timestamp": _instant,
}
_KNOWN_TAGS = frozenset({*_SCALARS, "map", "seq"})
