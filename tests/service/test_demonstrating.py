"""The demo's story does not hang on its seed: what was planted is found, nothing else is, and both fixes are proven."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tocsin.service import demonstrating

STEPS = 30


@pytest.mark.slow
@pytest.mark.parametrize("seed", [12])
def test_another_seed_tells_the_same_story(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demonstrating, "SEED", seed)
    steps: list[tuple[str, int, int | None]] = []
    played = demonstrating.play(tmp_path / "bank", lambda what, done, total=None: steps.append((what, done, total)))
    bias, leak = played.incidents
    assert (played.others, played.verified) == (0, True)
    assert (bias.closed, bias.still_missing) == (True, ())
    assert (leak.closed, leak.still_missing) == (True, ())
    assert "sex" in bias.title
    assert bias.detected.date() == datetime(2026, 10, 15, tzinfo=UTC).date()
    assert leak.detected == datetime(2026, 10, 21, 14, 1, tzinfo=UTC)
    assert all(proof.startswith("Cleared: ") for told in played.incidents for proof in told.proof)
    assert all(Path(path).is_file() for path in bias.report)
    assert steps[-1] == ("a month of traffic", STEPS, STEPS)
