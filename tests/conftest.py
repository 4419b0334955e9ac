"""What holds for every test."""

from __future__ import annotations

import pytest

from tocsin.adapters.workspace import reading


@pytest.fixture(autouse=True)
def _the_same_salt(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workspaces get one salt: which bucket a person falls into, and so how strong evidence is, does not change from run to run."""
    if "own_salt" in request.keywords:
        return
    monkeypatch.setattr(reading, "fresh_salt", lambda: bytes(range(reading.SALT_BYTES)))
