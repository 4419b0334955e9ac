"""The research data that may lie beside the repository. Tests that need it run when it is there and are skipped when not."""

from __future__ import annotations

from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared"


def shared(path: str) -> Path:
    """The file at `path` in the research folder; skips the calling test when the folder is not there."""
    found = _BESIDE / path
    if not found.exists():
        pytest.skip(f"needs ../shared/{path}")
    return found
