"""YAML text into plain values, with the line and column of every one of them.

YAML 1.2 through ruamel.yaml's composer, so that no tag ever makes an object. Duplicate keys, anchors that multiply, deep
nesting and unknown tags are mistakes of the document, told with their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from tocsin.model.errors import BadInput, Place, Problem

BYTES_MAX = 4 << 20
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
    yaml = YAML(typ="rt", pure=True)
    yaml.allow_duplicate_keys = True
    try:
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        raise BadInput.at(place, error.problem or "this is not YAML", _hint(text, place)) from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise BadInput.at(Place(file), f"this is not YAML: {error}", "check quotes and indentation") from None
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


def _hint(text: str, place: Place) -> str:
    lines = text.splitlines()
    line = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    return "indent with spaces, not with tabs" if "\t" in line else "check quotes, colons and indentation near here"


class _Walk:
    """Turns composed nodes into values while it writes down where each stands."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path, tuple[int, int]] = {}
        self.key_places: dict[Path, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def value(self, node: Node, path: Path, depth: int) -> Any:
        self.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if depth > DEPTH_MAX or len(self.places) > NODES_MAX:
            raise BadInput.at(self._at(node), "the document is nested too deeply or too large", "flatten or split it")
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
            elif key in result:
                first = self.key_places[(*path, key)][0]
                what = f"{key!r} stands here a second time (first in line {first})"
                self.problems.append(Problem(self._at(key_node, (*path, key)), what, "keep one of the two"))
            else:
                self.key_places[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
                result[key] = self.value(value_node, (*path, key), depth + 1)
        return result

    def _scalar(self, node: Node) -> Any:
        kind = str(node.tag).rsplit(":", 1)[-1]
        if kind in _SCALARS:
            with suppress(ValueError):
                return _SCALARS[kind](node.value)
            return str(node.value)
        self.problems.append(Problem(self._at(node), f"the tag {node.tag} is not allowed", "remove it"))
        return None

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
