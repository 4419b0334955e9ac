"""The pictures of the documentation, as SVG.

python tools/plots.py demo WORKSPACE      from a workspace that `tocsin demo` made
python tools/plots.py compas WORKSPACE    from the workspace of the COMPAS walkthrough
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

from tocsin.service.desk import open_desk
from tocsin.service.detecting import findings, history

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "img"
BLUE, ORANGE, RED, GREY = "#1f5f99", "#b35900", "#a11212", "#555555"
STYLE = {
    "svg.hashsalt": "tocsin",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.fonttype": "path",
}


def demo(root: Path) -> None:
    """Approval rates of women and men per day, with the release, the alarm and the fix."""
    with open_desk(root) as desk:
        past = history(desk, "credit-model", "group_parity:sex")
        alarm = next(f for f, _ in findings(desk, ["credit-model"]) if f.level == "alarm")
    days: dict[datetime, dict[str, list[int]]] = {}
    for window, statistics in past:
        day = window.start.replace(hour=0, minute=0)
        for group, (rows, hits) in statistics["groups"].items():
            both = days.setdefault(day, {}).setdefault(group, [0, 0])
            both[0] += rows
            both[1] += hits
    figure, axes = plt.subplots(figsize=(8, 3.4))
    for group, colour, mark in (("male", BLUE, "o"), ("female", ORANGE, "s")):
        shares = [100 * counts[group][1] / counts[group][0] for counts in days.values()]
        axes.plot(list(days), shares, color=colour, marker=mark, markersize=3.5, label=f"{group} applicants")
    release = datetime(2026, 10, 15, 8, tzinfo=UTC)
    axes.axvline(release, color=GREY, linestyle=":", linewidth=1)
    axes.annotate("release 2.3.0", (release, 66.5), xytext=(-4, 0), textcoords="offset points", ha="right", color=GREY)
    hours = (alarm.window.end - release).total_seconds() / 3600
    axes.axvline(alarm.window.end, color=RED, linewidth=1.2)
    axes.annotate(
        f"alarm after {hours:.0f} h", (alarm.window.end, 44), xytext=(5, 0), textcoords="offset points", color=RED
    )
    axes.set(
        ylabel="approved, % of the day",
        ylim=(40, 68),
        title="A credit model turns unfair, is noticed the same morning, and mended",
    )
    axes.xaxis.set_major_formatter(mpl.dates.DateFormatter("%d %b"))
    axes.legend(frameon=False, loc="lower right")
    _save(figure, "demo.svg")


def compas(root: Path) -> None:
    """Evidence per window for the gaps of the false and the true positive rate, with the windows that alarm."""
    figure, axes = plt.subplots(2, 1, figsize=(8, 5), sharex=True)
    with open_desk(root) as desk:
        found = [f for f, _ in findings(desk, ["compas"])]
        for axis, name, title in (
            (axes[0], "predictive_equality:race", "False positive rate, cumulative"),
            (axes[1], "equal_opportunity:race", "True positive rate, cumulative"),
        ):
            past = history(desk, "compas", name)
            for group, colour in (("African-American", ORANGE), ("Caucasian", BLUE)):
                axis.plot(range(1, len(past) + 1), _cumulative(past, group), color=colour, label=group)
            alarms = [f.window.index + 1 for f in found if f.detector == name]
            for number, alarm in enumerate(alarms):
                axis.axvline(
                    alarm, color=RED, linewidth=1.4 if number == 0 else 0.6, linestyle="-" if number == 0 else ":"
                )
            note = f"first alarm: window {alarms[0]}"
            axis.annotate(
                note, (alarms[0], sum(axis.get_ylim()) / 2), xytext=(5, 0), textcoords="offset points", color=RED
            )
            axis.set(ylabel="%", title=title)
    axes[0].legend(frameon=False, loc="right")
    axes[1].set(xlabel="window of 100 people, in order of screening")
    _save(figure, "compas.svg")


def _cumulative(past: list[Any], group: str) -> list[float]:
    pairs = [statistics["groups"].get(group, (0, 0)) for _, statistics in past]
    rows, hits = accumulate(p[0] for p in pairs), accumulate(p[1] for p in pairs)
    return [100 * k / n if n else float("nan") for n, k in zip(rows, hits, strict=True)]


def _save(figure: Any, name: str) -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    figure.tight_layout()
    figure.savefig(IMAGES / name, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    plt.rcParams.update(STYLE)
    {"demo": demo, "compas": compas}[sys.argv[1]](Path(sys.argv[2]))
