"""Monitoring: what the detectors of a system saw, from what the ledger holds. The same ledger gives the same report."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import Any

from tocsin.content.discovery import detector_kinds
from tocsin.detect import fleet
from tocsin.detect.overview import Overview, Scale, Sheet, Source, sheet
from tocsin.detect.streams.converted import Converted
from tocsin.detect.streams.sequence import ContrastSequence
from tocsin.detect.streams.watch import Watch
from tocsin.model.event import Recorded
from tocsin.model.finding import Finding
from tocsin.service import catalogue, detecting
from tocsin.service.desk import Desk
from tocsin.service.scanning import AnyDetector


def overview(desk: Desk, system_id: str) -> Overview:
    """What each detector of the system saw so far; telemetry that was not judged yet is not in it.

    Raises:
        UsageFault: no such system.
    """
    system = desk.system(system_id)
    found = [finding for finding, _ in detecting.findings(desk, [system_id])]
    watchers = zip(system.detectors, detecting.detectors(desk, system), strict=True)
    sheets = tuple(_sheet(desk, choice.kind, watcher, found) for choice, watcher in watchers)
    ends = [past.window.end for one in system.detectors for past in detecting.history(desk, system_id, one.id)[-1:]]
    promises = fleet.told(desk.workspace, detector_kinds())
    sources = _sources(desk.ledger.read(catalogue.stream(system_id)))
    return Overview(system_id, system.name, max(ends, default=None), promises, sheets, sources)


def scale_of(watcher: AnyDetector) -> Scale:
    """The units in which people speak of what the detector counts."""
    watch = watcher.watch if isinstance(watcher, Converted) else watcher
    if not isinstance(watch, Watch):
        return Scale()
    parameters = watch.setting.parameters
    return Scale(*watch.measure.span(parameters), watch.measure.unit(parameters), watch.measure.noun)


def design_of(sequence: Any) -> float:
    """The design effect of the windows that the sequence remembers; one where it keeps none."""
    designs = [past.design for past in sequence.history] if isinstance(sequence, ContrastSequence) else []
    return float(median(designs)) if designs else 1.0


def _sheet(desk: Desk, kind: str, watcher: AnyDetector, found: list[Finding]) -> Sheet:
    history = detecting.history(desk, watcher.system, watcher.id)
    mine = [finding for finding in found if finding.detector == watcher.id]
    design = design_of(detecting.sequence(desk, watcher))
    return sheet(watcher, detector_kinds()[kind], history, mine, design, scale_of(watcher))


def _sources(events: list[Recorded]) -> tuple[Source, ...]:
    """Every file that was read, with what became of its rows."""
    reasons: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event.kind == "rows_quarantined":
            for reason, count in dict(event.data["reasons"]).items():
                reasons[event.data["source"], reason] += count
    return tuple(
        Source(
            str(event.data.get("name") or event.data["source"][:12]),
            event.data["rows"],
            event.data["quarantined"],
            {reason: count for (source, reason), count in sorted(reasons.items()) if source == event.data["source"]},
            event.data["duplicates"],
            event.data.get("left_out", 0),
        )
        for event in events
        if event.kind == "file_ingested"
    )
