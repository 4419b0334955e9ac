"""Detectors for the tests of planning."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tocsin.content.discovery import detector_kinds
from tocsin.detect.parameters import complete
from tocsin.model.detector import Setting
from tocsin.model.telemetry import Windowing

TWO = {"group": "g", "groups": ["a", "b"]}


def watcher(kind: str, **given: Any) -> Any:
    """A detector of this kind over hourly windows."""
    chosen = detector_kinds()[kind]
    setting = Setting(kind, "s", complete(chosen, given), Windowing(every=timedelta(hours=1)), bytes(32), {})
    return chosen.build(setting)
