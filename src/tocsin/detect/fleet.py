"""Fleets: what all detectors of a workspace promise together, as a number.

A detector at the e-SR threshold A raises at most H / A false alarms on average in any H windows. With D detectors that see H_i windows
in the time T, thresholds A_i = D H_i add up to at most one false alarm in T, by linearity of expectation: nothing is assumed of how
the detectors depend on each other. The price is log D of evidence. D is rounded up to a power of two: a detector whose threshold
changes begins anew, and so a new neighbour seldom makes it.

Which of the alarms are real is another question, with another promise: of what `named` says, at most one in twenty is false on average,
whatever the detectors have in common (e-BH). A detector that bounds its ever alarming begins anew at every alarm; what it was worth then
times what it is worth now is still an e-value, because each beginning is a fair game given the past.

Source: Shin, Ramdas & Rinaldo, arXiv:2203.03532 (e-SR); Wang & Ramdas, arXiv:2009.02824 (e-BH). With restarts after
each alarm: the statistic less the number of windows is a supermartingale that every alarm lowers by at least A, so E[alarms in H
windows] <= H / A.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from math import ceil, log, log10
from typing import NamedTuple

from tocsin.detect.parameters import complete
from tocsin.detect.streams.explaining import LEVEL, named_by_ebh
from tocsin.model.detector import DetectorKind
from tocsin.model.event import Json
from tocsin.model.finding import Finding
from tocsin.model.policy import DetectorChoice, FalseAlarms, System, Workspace
from tocsin.model.telemetry import Windowing

OWN = ("guarantee", "alpha", "windows_per_false_alarm")
"""A detector that sets one of these has chosen for itself."""
WINDOWS_MIN = 10
LOG_TEN = log(10)
SAME = 1e-3
"""Statistics are rounded to four places."""

Kinds = Mapping[str, DetectorKind]


def given(workspace: Workspace, kinds: Kinds, system: System, choice: DetectorChoice) -> Mapping[str, Json]:
    """The parameters of a detector: its own, and the threshold that the budget of the policy gives it if it chose none."""
    budget = workspace.policy.false_alarms
    if budget is None or not _sharing(kinds, choice):
        return choice.parameters
    streams = _sizes(workspace, kinds, budget)[_purse(budget, system)]
    return {
        **choice.parameters,
        "guarantee": "sr",
        "windows_per_false_alarm": threshold(budget, streams, choice.windowing),
    }


def promise(workspace: Workspace, kinds: Kinds, system: System, choice: DetectorChoice) -> str:
    """What the detector and those that share its budget promise together; empty when it chose for itself."""
    budget = workspace.policy.false_alarms
    if budget is None or not _sharing(kinds, choice):
        return ""
    purse = _purse(budget, system)
    return _words(budget, _sizes(workspace, kinds, budget)[purse], purse)


def told(workspace: Workspace, kinds: Kinds) -> tuple[str, ...]:
    """What the workspace's detectors promise together, a sentence for each budget and for those that chose for themselves."""
    budget, said = workspace.policy.false_alarms, []
    if budget is not None:
        sizes = _sizes(workspace, kinds, budget)
        said += [f"A{_words(budget, count, purse)[1:]}." for purse, count in sorted(sizes.items())]
    own = [
        complete(kinds[choice.kind], choice.parameters)
        for _, choice in _bound(workspace, kinds)
        if budget is None or not _sharing(kinds, choice)
    ]
    return (*said, *alone(own))


def alone(own: Sequence[Mapping[str, Json]]) -> tuple[str, ...]:
    """What detectors with these parameters promise each on its own, in sentences."""
    ever = [float(parameters["alpha"]) for parameters in own if parameters["guarantee"] == "pfa"]
    said = []
    if ever:
        few = _counted(len(ever), "detector")
        said.append(f"Each on its own: of {few}, at most {sum(ever):.2g} on average ever alarm falsely.")
    if rest := sorted(int(one["windows_per_false_alarm"]) for one in own if one["guarantee"] == "sr"):
        each = ", ".join(f"{windows:,}" for windows in rest)
        said.append(f"Each on its own: a false alarm in {each} windows on average, at most.")
    return tuple(said)


class Judged(NamedTuple):
    """A detector after a run: where it stands, what its last window said, and what it found."""

    where: str
    statistics: Mapping[str, Json]
    findings: Sequence[Finding]


def named(judged: Iterable[Judged], level: float = LEVEL) -> tuple[str, ...]:
    """A sentence that says which statements are real, of those that alarmed; none when fewer than two did.

    Detectors that bound their false alarms per window only have no e-value at a time of one's choosing, and are left out.
    """
    worth: dict[str, float] = {}
    alarmed = 0
    for one in judged:
        tested = one.statistics.get("log10_e")
        if isinstance(tested, dict):
            found = {name: _worth(name, float(now), one.findings) for name, now in tested.items()}
            alarmed += sum(times > 0 for _, times in found.values())
            worth |= {f"{one.where} {name}": value for name, (value, _) in found.items()}
    if alarmed < 2:
        return ()
    real = sorted(named_by_ebh({name: value * LOG_TEN for name, value in worth.items()}, level))
    which = f": {'; '.join(real)}" if real else ""
    share = f"at most {level:.0%} of these wrongly on average"
    return (f"Of {len(worth)} statements {alarmed} alarmed and {len(real)} stand out together, {share}{which}.",)


def bounded(kinds: Kinds, workspace: Workspace, system: System, choice: DetectorChoice) -> bool:
    """Whether the detector bounds its ever alarming."""
    parameters = complete(kinds[choice.kind], given(workspace, kinds, system, choice))
    return bool(parameters.get("guarantee") == "pfa")


def _worth(name: str, now: float, findings: Sequence[Finding]) -> tuple[float, int]:
    """(log10 of what the statement is worth over its beginnings, its alarms); an alarm of the last window is what it is worth now."""
    at_alarms = [log10(one.strength.value) for one in findings if one.key == name or one.key.endswith(f":{name}")]
    last = bool(at_alarms) and abs(at_alarms[-1] - now) < SAME
    return sum(at_alarms) + (0.0 if last else now), len(at_alarms)


def threshold(budget: FalseAlarms, streams: int, windowing: Windowing) -> int:
    """Windows per false alarm of one detector of so many: the windows that it sees in the budget's time, times their number."""
    windows = budget.one_in / windowing.every if windowing.every else float(budget.windows)
    return max(WINDOWS_MIN, ceil(windows * rounded(streams)))


def rounded(streams: int) -> int:
    """The number of detectors that the budget is divided by: the next power of two."""
    return 1 << max(streams - 1, 0).bit_length()


def _words(budget: FalseAlarms, streams: int, purse: str) -> str:
    whose = f"the {_counted(streams, 'detector')} of {purse}" if purse else f"all {_counted(streams, 'detector')}"
    shared = f"across {whose} that share the budget, however they depend on each other"
    return f"at most one false alarm in {_time(budget.one_in)} on average {shared}"


def _time(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return _counted(int(days), "day") if days >= 1 and days == int(days) else f"{span / timedelta(hours=1):g} hours"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _sizes(workspace: Workspace, kinds: Kinds, budget: FalseAlarms) -> Counter[str]:
    """How many detectors share each budget."""
    return Counter(_purse(budget, system) for system, choice in _bound(workspace, kinds) if _sharing(kinds, choice))


def _purse(budget: FalseAlarms, system: System) -> str:
    return system.owner if budget.per == "owner" else ""


def _bound(workspace: Workspace, kinds: Kinds) -> Iterator[tuple[System, DetectorChoice]]:
    """The detectors that have a guarantee at all: those that only look for what is registered, for instance, have none."""
    for system in workspace.systems.values():
        for choice in system.detectors:
            if any(parameter.name == "guarantee" for parameter in kinds[choice.kind].parameters):
                yield system, choice


def _sharing(kinds: Kinds, choice: DetectorChoice) -> bool:
    has = any(parameter.name == "guarantee" for parameter in kinds[choice.kind].parameters)
    return has and not any(name in choice.parameters for name in OWN)
