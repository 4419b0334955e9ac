"""Detectors for a system that names none: what its columns allow, with tolerances that leave small differences alone.

A choice for the first weeks, not a policy: name the detectors in the system's file as soon as somebody knows what matters. A
detector that needs to be told something (a limit, the categories that are known) is never chosen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from tocsin.model.event import Json
from tocsin.model.policy import DetectorChoice, System, TelemetryMapping, Workspace
from tocsin.model.telemetry import FEATURE, GROUP, TABLES, Windowing

TOLERANCE = 0.05
"""Differences between groups up to five points are left alone: base rates differ nearly everywhere."""
DRIFTING: Mapping[str, Json] = {"tolerance": 0.1, "tolerance_in": "psi"}
"""Drift up to a population stability index of a tenth is left alone."""
FEATURES_MAX = 20
"""Features that are watched for drift: the budget of false alarms is shared, and each detector makes all others slower."""
DAILY, HOURLY = Windowing(every=timedelta(days=1)), Windowing(every=timedelta(hours=1))
_BY_COLUMNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("error_rate", ("decision", "label")),
    ("calibration", ("score", "label")),
    ("estimated_error", ("decision", "score")),
    ("prompt_injection", ("role", "text")),
    ("personal_data", ("role", "text")),
    ("refusals", ("role", "text")),
    ("failed_calls", ("role", "error")),
    ("slow_answers", ("role", "latency_ms")),
    ("tokens", ("role", "tokens_in")),
)
"""Detector -> the columns that it needs."""


def chosen(telemetry: TelemetryMapping) -> tuple[DetectorChoice, ...]:
    """The detectors that suit these columns: days for predictions, hours for interactions."""
    mapped = _columns(telemetry)
    windowing = DAILY if telemetry.table == "predictions" else HOURLY
    plain = (kind for kind, needed in _BY_COLUMNS if mapped.issuperset(needed))
    return (
        *(DetectorChoice(kind, kind, {}, windowing) for kind in plain),
        *_fairness(mapped, windowing),
        *_drift(telemetry, windowing),
    )


def completed(workspace: Workspace) -> Workspace:
    """The workspace with detectors for the systems that map telemetry and name none."""
    systems = {name: _watched(system) for name, system in workspace.systems.items()}
    return replace(workspace, systems=systems)


def told(workspace: Workspace) -> tuple[str, ...]:
    """Which detectors are chosen for which systems, a sentence for each; `workspace` is as its files say."""
    return tuple(
        f"{name} names no detectors: its columns choose {', '.join(choice.id for choice in found)}."
        for name, system in sorted(workspace.systems.items())
        if not system.detectors and (found := _watched(system).detectors)
    )


def _watched(system: System) -> System:
    if system.detectors or system.telemetry is None:
        return system
    return replace(system, detectors=chosen(system.telemetry))


def _columns(telemetry: TelemetryMapping) -> set[str]:
    """The columns that rows may have: of traces all of the table, as they need no mapping."""
    if telemetry.format == "otlp":
        return {column.name for column in TABLES[telemetry.table]}
    return set(telemetry.provided)


def _drift(telemetry: TelemetryMapping, windowing: Windowing) -> Iterator[DetectorChoice]:
    """Of a model with features: each of the first ones, and its scores."""
    features = sorted(column for column in telemetry.columns if column.startswith(FEATURE))[:FEATURES_MAX]
    if features and "score" in telemetry.columns:
        yield DetectorChoice("prediction_drift", "prediction_drift", dict(DRIFTING), windowing)
    for column in features:
        kind = "numeric_drift" if telemetry.columns[column].type == "number" else "categorical_drift"
        parameters: dict[str, Json] = {"column": column, **DRIFTING}
        yield DetectorChoice(kind, f"{kind}:{column.removeprefix(FEATURE)}", parameters, windowing)


def _fairness(mapped: Collection[str], windowing: Windowing) -> Iterator[DetectorChoice]:
    """For every group: equalized odds where labels are known, parity where they are not."""
    if "decision" not in mapped:
        return
    kind = "equalized_odds" if "label" in mapped else "group_parity"
    for column in sorted(column for column in mapped if column.startswith(GROUP)):
        group = column.removeprefix(GROUP)
        parameters: dict[str, Json] = {"group": group, "tolerance": TOLERANCE}
        yield DetectorChoice(kind, f"{kind}:{group}", parameters, windowing)
