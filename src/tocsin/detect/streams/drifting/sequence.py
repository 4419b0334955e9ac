"""The sequence state of drift detectors: first windows gathered and cut, then the reference, then one change-time process."""

from __future__ import annotations

import msgspec

from tocsin.detect.streams.drifting.cutting import Cut, Gathered
from tocsin.detect.streams.profile import Profile
from tocsin.detect.streams.sequence import HISTORY, Process
from tocsin.model.errors import BadInput, Place

VERSION = 1


class Moment(msgspec.Struct, frozen=True, array_like=True):
    """A judged window: its number, start in microseconds, design effect, and rows per cell."""

    index: int
    start: int
    design: float
    counts: tuple[int, ...]


class DriftSequence(msgspec.Struct, frozen=True, array_like=True):
    """Everything that is known before the next window."""

    gathered: Gathered = Gathered()
    cut: Cut | None = None
    profile: Profile = Profile()
    """Of the directions, in their order."""
    before: tuple[int, ...] = ()
    """Rows per cell of the reference."""
    processes: dict[str, Process] = {}
    history: tuple[Moment, ...] = ()

    def remembering(self, moment: Moment, processes: dict[str, Process]) -> DriftSequence:
        """The sequence after a judged window."""
        history = (*self.history, moment)[-HISTORY:]
        return msgspec.structs.replace(self, processes=processes, history=history)


def to_bytes(sequence: DriftSequence) -> bytes:
    """Versioned bytes."""
    return msgspec.msgpack.encode((VERSION, sequence), order="deterministic")


def from_bytes(data: bytes) -> DriftSequence:
    """The inverse of `to_bytes`. Raises BadInput for damaged bytes or an unknown version."""
    try:
        version, sequence = msgspec.msgpack.decode(data, type=tuple[int, DriftSequence])
    except msgspec.DecodeError as error:
        what = f"these bytes are no sequence of a drift detector: {error}"
        raise BadInput.at(Place("sequence state"), what, "evaluate the windows again") from None
    if version != VERSION:
        raise BadInput.at(Place("sequence state"), f"version {version} is not known", "upgrade Tocsin")
    return sequence
