"""What every detector with a change-time process has in common: its binding to a system, and its guarantee."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any

from tocsin.detect.streams import counts
from tocsin.detect.streams import sequence as sequences
from tocsin.detect.streams.counts import GroupCounts
from tocsin.detect.streams.sequence import ContrastSequence, Process
from tocsin.detect.streams.wrappers import Guarantee, promise
from tocsin.model.detector import Parameter, Setting
from tocsin.model.telemetry import Windowing

GUARANTEE: tuple[Parameter, ...] = (
    Parameter(
        "guarantee",
        str,
        "pfa",
        "pfa: a bound on ever alarming falsely; sr: one false alarm per so many windows",
        ("pfa", "sr"),
    ),
    Parameter(
        "alpha", float, 0.05, "for pfa: the share of unchanged streams that may ever alarm", low=0.0001, high=0.5
    ),
    Parameter("windows_per_false_alarm", int, 2000, "for sr: windows per accepted false alarm", low=10),
)
"""The parameters that choose the guarantee."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A detector's binding."""

    setting: Setting

    @property
    def id(self) -> str:
        """Its id in the system file."""
        return self.setting.id

    @property
    def system(self) -> str:
        """The system that is watched."""
        return self.setting.system

    @property
    def windowing(self) -> Windowing:
        """How the stream is cut."""
        return self.setting.windowing

    @property
    def guarantee(self) -> Guarantee:
        """Which promise is kept."""
        return "sr" if self.get("guarantee") == "sr" else "pfa"

    def get(self, name: str) -> Any:
        """A parameter's value."""
        return self.setting.parameters[name]

    def threshold(self) -> float:
        """What the statistic of a process with the whole budget is compared with."""
        return float(self.get("windows_per_false_alarm")) if self.guarantee == "sr" else 1 / float(self.get("alpha"))

    def claim(self) -> str:
        """The promise in words, with its estimand."""
        told = promise(self.guarantee, float(self.get("alpha")), int(self.get("windows_per_false_alarm")))
        together = f"; together, {self.setting.shared}" if self.setting.shared else ""
        return f"{told}{together}; a statement about the traffic served"


@dataclass(frozen=True, slots=True)
class Counting(Bound):
    """A binding whose window state is `GroupCounts` and whose sequence state is `ContrastSequence`."""

    @property
    def buckets(self) -> int:
        """Buckets that units fall into; one when the window is the unit."""
        return int(self.get("buckets")) if self.get("unit") == "auto" else 1

    def zero(self) -> GroupCounts:
        """No rows."""
        return counts.zero(self.buckets)

    def merge(self, left: GroupCounts, right: GroupCounts) -> GroupCounts:
        """The counts of both."""
        return counts.merged(left, right)

    def to_bytes(self, state: GroupCounts) -> bytes:
        """Versioned bytes."""
        return counts.to_bytes(state)

    def from_bytes(self, data: bytes) -> GroupCounts:
        """The inverse of `to_bytes`."""
        return counts.from_bytes(data)

    def begin(self) -> ContrastSequence:
        """No window yet."""
        return ContrastSequence()

    def sequence_to_bytes(self, sequence: ContrastSequence) -> bytes:
        """Versioned bytes."""
        return sequences.to_bytes(sequence)

    def sequence_from_bytes(self, data: bytes) -> ContrastSequence:
        """The inverse of `sequence_to_bytes`."""
        return sequences.from_bytes(data)

    def log_threshold(self, process: Process) -> float:
        """What the process must reach for its first alarm: its share of the budget counts."""
        return log(self.threshold() / process.share)

    def bar(self, process: Process) -> float:
        """What it must reach for its next one."""
        return process.bar(self.log_threshold(process))
