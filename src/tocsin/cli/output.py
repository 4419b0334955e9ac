"""How results reach a person or a program: JSON, tables, times in the reader's zone, progress bars.

Evidence text is adversarial: everything printed goes through `clean`, which removes control and bidirectional characters.
"""

from __future__ import annotations

import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tocsin.model.errors import UsageFault
from tocsin.model.progress import Progress, silent

if TYPE_CHECKING:
    from rich.console import Console

    from tocsin.cli.options import Shared

_KEPT = frozenset("\n\t")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str) -> str:
    """The text with characters that could drive a terminal or hide text made visible as escapes."""
    return "".join(
        c if c in _KEPT or unicodedata.category(c) not in _HIDDEN else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


def json_text(value: Any) -> str:
    """The value as indented JSON; dataclasses, dates and enums included."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode()


@lru_cache
def console(*, stderr: bool = False) -> Console:
    """The terminal. Colour follows NO_COLOR and whether anybody looks; a pipe gets plain text of full width."""
    from rich.console import Console

    class Piped(Console):
        """Leaves it to the door what becomes of a reader that goes away."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    plain = Piped(stderr=stderr, highlight=False, soft_wrap=False)
    return plain if plain.is_terminal else Piped(stderr=stderr, highlight=False, width=140)


def say(text: str = "", style: str | None = None) -> None:
    """Print a line of text as it is: no markup is read in it. A terminal gets it broken between words; a command stays whole."""
    shown = clean(text)
    if console().is_terminal:
        shown = "\n".join(_broken(line, console().width) for line in shown.split("\n"))
    console().print(shown, style=style, markup=False, soft_wrap=True)


def _broken(line: str, width: int) -> str:
    """The line in lines of at most that width, the later ones indented; what is to be copied is left to the terminal."""
    if len(line) <= width or "tocsin " in line:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def heading(text: str) -> None:
    """Print a heading."""
    say()
    say(text, "bold")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = ()) -> None:
    """Print rows under their headings; the columns named in `right` are aligned to the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        grid.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(Text(clean("" if cell is None else str(cell))) for cell in row))
    console().print(grid)


def pairs(items: Iterable[tuple[str, Any]]) -> None:
    """Print names and values, one a line; empty values are left out."""
    kept = [(name, value) for name, value in items if value not in (None, "", (), [])]
    width = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        say(f"  {name:<{width}}  {value}")


def viewer(zone: str | None) -> ZoneInfo | None:
    """The zone to show times in; None is this machine's. Raises UsageFault for an unknown zone."""
    try:
        return ZoneInfo(zone) if zone else None
    except (ZoneInfoNotFoundError, ValueError):
        raise UsageFault(f"no time zone {zone!r}", "use an IANA name such as Europe/Berlin") from None


def moment(at: datetime | None, zone: str | None = None, beside: str | None = None) -> str:
    """The instant in the reader's zone, with the authority's time beside it where that zone reads differently."""
    if at is None:
        return "-"
    here = at.astimezone(viewer(zone))
    text = here.strftime("%Y-%m-%d %H:%M %Z")
    there = at.astimezone(ZoneInfo(beside)) if beside else here
    return text if there.utcoffset() == here.utcoffset() else f"{text} ({there.strftime('%Y-%m-%d %H:%M %Z')})"


def counted(number: int, noun: str, plural: str = "") -> str:
    """How many of what, in words that agree: `1 gap`, `2,000 gaps`, `no gaps`."""
    if number == 1:
        return f"1 {noun}"
    return f"{f'{number:,}' if number else 'no'} {plural or f'{noun}s'}"


def span(length: timedelta | None) -> str:
    """A length of time in at most two units: `3 d 4 h`, `25 min`; with a minus sign when it is over."""
    if length is None:
        return "-"
    seconds = int(abs(length.total_seconds()))
    parts = [
        (seconds // 86_400, "d"),
        (seconds % 86_400 // 3_600, "h"),
        (seconds % 3_600 // 60, "min"),
        (seconds % 60, "s"),
    ]
    shown = [f"{count} {unit}" for count, unit in parts if count][:2] or ["0 s"]
    return ("-" if length < timedelta(0) else "") + " ".join(shown)


def emit(result: Any, shared: Shared, render: Callable[[Any], None]) -> None:
    """Write the result: as JSON when asked, else as `render` shows it."""
    if shared.json:
        sys.stdout.write(json_text(result) + "\n")
    else:
        render(result)


@contextmanager
def bars(shared: Shared) -> Iterator[Progress]:
    """Progress bars on standard error while somebody looks at it; silence otherwise. What ends before it tells anything shows none."""
    if shared.quiet or shared.json or not sys.stderr.isatty():
        yield silent
        return
    with ExitStack() as shown:
        tasks: dict[str, Any] = {}
        begun: list[Any] = []

        def tell(what: str, done: int, total: int | None = None) -> None:
            if not begun:
                begun.append(shown.enter_context(_bars()))
            if what not in tasks:
                tasks[what] = begun[0].add_task(clean(what), total=total)
            begun[0].update(tasks[what], completed=done, total=total)

        yield tell


def _bars() -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Bars(*columns, console=console(stderr=True), transient=True)
