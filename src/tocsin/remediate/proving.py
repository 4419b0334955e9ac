"""What must be proven after a fix, on which telemetry, and what the proofs amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tocsin.model.errors import Refused
from tocsin.model.finding import Clearance, Finding
from tocsin.model.incident import CorrectiveAction

ALPHA = 0.05
"""Error level of one proof: the probability of ever clearing a fault that is still there."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the telemetry since the fix says of one finding."""

    finding: str
    title: str
    detector: str
    since: datetime
    clearance: Clearance


@dataclass(frozen=True, slots=True)
class Verdict:
    """All proofs of an incident."""

    incident: str
    proofs: tuple[Proof, ...]

    @property
    def passed(self) -> bool:
        """Whether every finding is proven gone."""
        return all(proof.clearance.passed for proof in self.proofs)


def effective_from(actions: Sequence[CorrectiveAction], now: datetime) -> datetime:
    """The instant from which the fix as a whole is in force: the latest of its actions.

    Raises:
        Refused: no action says when it took effect, or it lies in the future.
    """
    instants = [action.effective_from for action in actions if action.effective_from]
    if not instants:
        raise Refused(
            "no corrective action says from when it is effective", remedy="add one with --action and --effective"
        )
    if max(instants) > now:
        raise Refused(
            f"the fix takes effect on {max(instants):%Y-%m-%d %H:%M} UTC, which is still to come",
            remedy="verify after that",
        )
    return max(instants)


def begins(effective: datetime, finding: Finding) -> datetime:
    """The instant from which telemetry counts for this finding.

    Rows from before the window in which it fired prove nothing about the fix, even when an action claims to be older.
    """
    return max(effective, finding.window.start)


def shares(findings: Sequence[str], alpha: float = ALPHA) -> Mapping[str, float]:
    """The error level of each proof, so that all of them together err with probability at most `alpha` (Bonferroni)."""
    return {finding: alpha / len(findings) for finding in findings}
