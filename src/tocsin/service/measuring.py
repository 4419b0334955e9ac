"""Measure: the figures of incident response, read from the ledger."""

from __future__ import annotations

from tocsin.measure.figures import Figures, Times, figures, times
from tocsin.model.incident import Incident
from tocsin.service import duties, incidents
from tocsin.service.desk import Desk


def measure(desk: Desk) -> Figures:
    """All incidents in numbers, as of now."""
    every = incidents.every(desk)
    owed = (obligation for incident in every for obligation in duties.of(desk, incident).obligations)
    return figures(every, owed, desk.clock())


def of(incident: Incident) -> Times:
    """The times of one incident."""
    return times(incident)
