"""The one error tree.

    TocsinError
    ├── UsageFault          exit 2   the command asks for something that does not exist or cannot be asked
    ├── BadInput            exit 3   the user's data is wrong: every problem at once, each with its place
    ├── EnvironmentFault    exit 4   the world failed: disk full, file locked, a component missing; try again later
    ├── Conflict            exit 5   somebody else changed the same thing first; nothing was written
    └── Refused             exit 1   a rule says no (a check failed, an illegal step); says what is missing

Exit 0 is success, exit 70 an error of Tocsin's own (any exception outside this tree), 130 an interrupt.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXIT_OK = 0
EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_BAD_INPUT = 3
EXIT_ENVIRONMENT = 4
EXIT_CONFLICT = 5
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where in the user's data: file, 1-based line and column (0: unknown) and a dotted field path."""

    file: str = ""
    line: int = 0
    column: int = 0
    field: str = ""

    def __str__(self) -> str:
        spot = self.file
        if self.line:
            spot += f":{self.line}" + (f":{self.column}" if self.column else "")
        return f"{spot} ({self.field})" if self.field and spot else spot or self.field


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where it is, what is wrong, and what to do about it."""

    place: Place
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        where = str(self.place)
        text = f"{where}: {self.what}" if where else self.what
        return f"{text} — {self.remedy}" if self.remedy else text


class TocsinError(Exception):
    """Anything that Tocsin tells its user on purpose. `exit_code` is what the command line returns."""

    exit_code = EXIT_REFUSED

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what} — {remedy}" if remedy else what)
        self.what = what
        self.remedy = remedy

    def problems(self) -> Sequence[Problem]:
        """Every problem that the error carries, at least one."""
        return (Problem(Place(), self.what, self.remedy),)


class UsageFault(TocsinError):
    """The request itself is wrong: an unknown id, an option that contradicts another."""

    exit_code = EXIT_USAGE


class BadInput(TocsinError):
    """The user's data is wrong. Carries all problems found, in file order."""

    exit_code = EXIT_BAD_INPUT

    def __init__(self, problems: Iterable[Problem]) -> None:
        self._problems = tuple(sorted(problems))
        if not self._problems:
            raise AssertionError("BadInput needs at least one problem")
        super().__init__("\n".join(str(problem) for problem in self._problems))

    def problems(self) -> Sequence[Problem]:
        """Every problem found, sorted by place."""
        return self._problems

    @classmethod
    def at(cls, place: Place, what: str, remedy: str = "") -> BadInput:
        """The common case of a single problem."""
        return cls([Problem(place, what, remedy)])


class EnvironmentFault(TocsinError):
    """The world failed (disk full, lock held, component missing). Nothing acknowledged was lost; trying again is safe."""

    exit_code = EXIT_ENVIRONMENT


class Conflict(TocsinError):
    """A compare-and-swap lost: the stream moved on since it was read. Read again and retry."""

    exit_code = EXIT_CONFLICT


class Refused(TocsinError):
    """A rule of the policy, the law or the life cycle says no; `missing` lists what would turn it into a yes."""

    exit_code = EXIT_REFUSED

    def __init__(self, what: str, missing: Sequence[str] = (), remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.missing = tuple(missing)
