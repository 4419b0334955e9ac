"""What every detector with a change-time process has in common: its binding to a system, and its guarantee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
        return f"{told}; a statement about the traffic served"
