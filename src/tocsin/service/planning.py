"""Planning: how soon each detector of a system would find a change, from its settings and the telemetry so far or volumes assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tocsin.content.discovery import detector_kinds
from tocsin.detect import windows
from tocsin.detect.parameters import complete, misfits
from tocsin.detect.planning import power as powers
from tocsin.detect.planning.power import Advice, Plan, Planned
from tocsin.detect.planning.scenarios import Assumed, Scenario, scenario, seen, supposed
from tocsin.model.detector import Setting
from tocsin.model.errors import UsageFault
from tocsin.model.policy import System
from tocsin.model.progress import Progress, silent
from tocsin.model.telemetry import Windowing
from tocsin.service import catalogue, detecting
from tocsin.service.desk import Desk
from tocsin.service.scanning import AnyDetector

WINDOWS_SEEN = 60
"""The newest windows that say what the traffic is like."""
DAY = timedelta(days=1)
WITHIN_MAX = 400
CORRELATION_MAX = 0.95
SHARES_SLACK = 1.001


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan is asked for."""

    assumed: Assumed = field(default_factory=Assumed)
    windows_a_day: float | None = None
    within: int = powers.WITHIN
    """Windows."""
    sizes: tuple[float, ...] = ()
    """Of changes beyond what is accepted, in the units of each detector; empty: sizes that suit the traffic."""

    def __post_init__(self) -> None:
        for name, value, low, high in self._bounds():
            if value is not None and not low <= value <= high:
                raise UsageFault(f"{name} is {value:g}", f"it must lie between {low:g} and {high:g}")
        shares = self.assumed.shares
        if shares and (len(shares) == 1 or sum(shares) > SHARES_SLACK):
            told = ", ".join(f"{share:g}" for share in shares)
            raise UsageFault(
                f"the groups' shares of the rows are {told}", "name two groups or more, and no more than 1 in all"
            )

    def _bounds(self) -> list[tuple[str, float | None, float, float]]:
        """(name, value, least, most) of every number."""
        given = self.assumed
        return [
            ("rows in a window", given.rows, 1, 1e9),
            ("the rate", given.rate, 1e-6, 1 - 1e-6),
            ("units", given.units, 1, 1e9),
            ("the correlation of the rows of a unit", given.correlation, 0, CORRELATION_MAX),
            ("the shock of a window", given.shock, 0, 2),
            ("windows a day", self.windows_a_day, 1e-3, 1e5),
            ("the number of windows within which a change is to be found", self.within, 1, WITHIN_MAX),
            *(("a group's share of the rows", share, 1e-4, 1 - 1e-4) for share in given.shares),
            *(("the size of a change", size, 1e-9, 1e9) for size in self.sizes),
        ]


def plan(desk: Desk, system_id: str, asked: Asked, progress: Progress = silent) -> Plan:
    """What each detector of the system would find, and how soon.

    Raises:
        UsageFault: no such system, it has no detectors, or nothing is known of its volumes.
        Refused: a segment is missing or was changed.
    """
    system, done = desk.system(system_id), []
    watchers = detecting.detectors(desk, system)
    for number, (choice, watcher) in enumerate(zip(system.detectors, watchers, strict=True)):
        progress("simulating", number, len(watchers))
        states, hours = _recent(desk, system, watcher)
        done.append(_planned(watcher, choice.kind, asked, states, hours))
    if not done:
        raise UsageFault(f"{system_id} has no detectors", "name some in its file, or map its telemetry")
    if not any(one.power for one in done) and not any(one.windows_seen for one in done) and not asked.assumed.rows:
        raise UsageFault(
            f"nothing is known of how many rows {system_id} has", "ingest telemetry, or give --rows and --rate"
        )
    return Plan(system_id, asked.within, tuple(done))


def plan_kind(kind: str, given: Mapping[str, Any], asked: Asked) -> Plan:
    """What one detector with these parameters would find on the traffic assumed; no workspace is needed.

    Raises:
        UsageFault: no such kind, parameters that it does not have, or no rows and rate.
    """
    known = detector_kinds()
    if kind not in known or known[kind].content:
        plain = ", ".join(sorted(name for name, one in known.items() if not one.content))
        raise UsageFault(f"{kind!r} is no kind of detector that can be planned", f"there are: {plain}")
    wrong = [f"{misfit.what}: {misfit.remedy}" for misfit in misfits(known[kind], given)]
    if wrong:
        raise UsageFault("; ".join(wrong), f"see the page on detectors: {kind}")
    if asked.assumed.rows is None or asked.assumed.rate is None:
        raise UsageFault("rows in a window and their rate are needed", "give --rows and --rate, or --system")
    cut = (
        Windowing(every=DAY / asked.windows_a_day) if asked.windows_a_day else Windowing(rows=round(asked.assumed.rows))
    )
    watcher = known[kind].build(Setting(kind, "planned", complete(known[kind], given), cut, bytes(32), {}))
    planned = _planned(watcher, kind, asked, (), None)
    if planned.power is None:
        raise UsageFault(
            f"nothing can be said of {kind}: {planned.reason}", "plan a detector of rates, means or groups"
        )
    return Plan("", asked.within, (planned,))


def _planned(watcher: AnyDetector, kind: str, asked: Asked, states: Sequence[Any], hours: float | None) -> Planned:
    """One detector on what was seen and what is assumed."""
    length = 24 / asked.windows_a_day if asked.windows_a_day else _hours(watcher.windowing) or hours
    head = (watcher.id, kind, length, watcher.windowing.rows)
    found = scenario(watcher, supposed(watcher, seen(watcher, states), asked.assumed))
    if isinstance(found, str):
        return Planned(*head, windows_seen=len(states), reason=found)
    for size in asked.sizes:
        if size >= found.room:
            what = f"a change of {size:g} beyond {found.accepted:g} is more than {watcher.id} can see"
            raise UsageFault(what, f"take one below {found.room:g}")
    return Planned(
        *head,
        guarantee=found.claim,
        power=powers.power(found, asked.within, asked.sizes),
        advice=_advice(found, asked, length),
        windows_seen=len(states),
    )


def _advice(found: Scenario, asked: Asked, hours: float | None) -> Advice:
    rows_a_day = found.rows * 24 / hours if hours else None
    return powers.advice(found, rows_a_day, min(asked.sizes) if asked.sizes else None)


def _hours(windowing: Windowing) -> float | None:
    return windowing.every / timedelta(hours=1) if windowing.every else None


def _recent(desk: Desk, system: System, watcher: AnyDetector) -> tuple[list[Any], float | None]:
    """The states of the newest whole windows (the last one is not), and how many hours one lasts where windows are cut by rows."""
    segments = [s for s in catalogue.segments(desk.ledger, system.id) if s.table == watcher.table]
    if not segments:
        return [], None
    last, first = max(s.last for s in segments), min(s.first for s in segments)
    every, rows = watcher.windowing.every, sum(s.rows for s in segments)
    hours = (last - first) / timedelta(hours=1) / rows * (watcher.windowing.rows or 0) or None
    since = _since(every, last) if every else first
    states = list(detecting.window_states(desk, system.id, watcher.id, since))
    return (states[:-1] or states)[-WINDOWS_SEEN:], None if every else hours


def _since(every: timedelta, last: datetime) -> datetime:
    """The start of the newest windows of time; the one in which the last row lies is not whole."""
    size = every // timedelta(microseconds=1)
    return windows.at((windows.micros(last) // size - WINDOWS_SEEN) * size)
