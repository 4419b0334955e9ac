"""Modules of python-stdnum without their clock: some ask whether a person is born or a year has come, and would answer otherwise tomorrow.

What is found in a text must not depend on the day. So these modules are loaded once more, as copies of which nobody else knows, in which it
is always the last day of `REFERENCE`.
"""

from __future__ import annotations

import datetime
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType, SimpleNamespace
from typing import Self

REFERENCE = 2030
"""Some years ahead of this release, so that it knows the numbers that are given out while it is in use."""


class _Date(datetime.date):
    @classmethod
    def today(cls) -> Self:
        return cls(REFERENCE, 12, 31)


class _Datetime(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return cls(REFERENCE, 12, 31, tzinfo=tz)

    @classmethod
    def today(cls) -> Self:
        return cls(REFERENCE, 12, 31)


_CALENDAR = SimpleNamespace(**{**vars(datetime), "date": _Date, "datetime": _Datetime})
_INSTEAD = {id(datetime): _CALENDAR, id(datetime.date): _Date, id(datetime.datetime): _Datetime}


@lru_cache(maxsize=512)
def steady(name: str) -> ModuleType:
    """The module of this name; where it, or one of python-stdnum that it imports, knows dates, a copy in which the day is fixed.

    Raises:
        ModuleNotFoundError: there is none of this name.
    """
    module = import_module(name)
    instead = _instead(module)
    spec = find_spec(name)
    if not instead or spec is None or spec.loader is None:
        return module
    copy = module_from_spec(spec)
    spec.loader.exec_module(copy)
    vars(copy).update(instead)
    return copy


def _instead(module: ModuleType) -> dict[str, object]:
    """What a copy of the module holds in place of what this one does, by name."""
    instead = dict[str, object]()
    for name, value in vars(module).items():
        if id(value) in _INSTEAD:
            instead[name] = _INSTEAD[id(value)]
        elif (
            isinstance(value, ModuleType)
            and value.__name__.startswith("stdnum.")
            and steady(value.__name__) is not value
        ):
            instead[name] = steady(value.__name__)
    return instead
