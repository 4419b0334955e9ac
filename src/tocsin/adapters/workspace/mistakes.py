"""The mistakes that every kind of reference can make: it names nothing, or one name stands twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from tocsin.document.checking import near
from tocsin.document.reading import Document, Path
from tocsin.model.errors import Problem


def unknown(document: Document, path: Path, name: str, known: Collection[str], noun: str) -> Iterator[Problem]:
    """The problem of a name that is not among the known ones."""
    if name not in known:
        yield Problem(document.place(path), f"there is no {noun} {name!r}", choices(name, known))


def twice(document: Document, names: Sequence[tuple[Path, str]], noun: str) -> Iterator[Problem]:
    """A problem for every name that stands more than once, at its last place."""
    counts = Counter(name for _, name in names)
    last = {name: path for path, name in names}
    for name, count in counts.items():
        if count > 1:
            what = f"the {noun} {name!r} stands here {count} times"
            yield Problem(document.place(last[name]), what, "rename or remove one")


def choices(wrong: str, right: Collection[str]) -> str:
    """What to write instead: the nearest name, or all of them."""
    listed = f"there are: {', '.join(sorted(right))}" if right else "there is none yet"
    return near(wrong, right).removeprefix("; ") or listed
