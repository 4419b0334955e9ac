"""Erase: destroy the evidence of an incident when it may no longer be kept. The ledger says so and still verifies."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.incident.deciding import Wish
from tocsin.model.errors import Refused, UsageFault
from tocsin.model.incident import Phase
from tocsin.service import incidents
from tocsin.service.desk import Desk


@dataclass(frozen=True, slots=True)
class Erased:
    """How many pieces of evidence nobody can read any more."""

    incident: str
    pieces: int


def erase(desk: Desk, incident_id: str, reason: str) -> Erased:
    """Record the erasure, then destroy the key; interrupted in between, running it again finishes it.

    Raises:
        UsageFault: no reason is given.
        Refused: the incident is open, or nothing is left to erase.
    """
    if not reason.strip():
        raise UsageFault("an erasure needs its reason", "add --because TEXT")
    incident = incidents.find(desk, incident_id)
    if incident.phase is not Phase.CLOSED:
        raise Refused(f"{incident_id} is open: its evidence may not be destroyed yet", remedy="close it first")
    pieces = len(desk.evidence.pointers(incident_id))
    if not pieces:
        raise Refused(f"{incident_id} has no evidence that could be erased")
    incidents.act(desk, incident_id, lambda _: [Wish("evidence_erased", {"pieces": pieces, "reason": reason.strip()})])
    return Erased(incident_id, desk.evidence.erase(incident_id))
