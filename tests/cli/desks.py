"""Commands on the bank's workspace, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.service.banks import bank, found, record
from tests.service.mended import FAIR, biased, decided
from tocsin.cli import app
from tocsin.service.triage import triage

INCIDENT = "INC-2026-0001"
Typed = Callable[..., tuple[int, str, str]]


def workspace(folder: Path) -> Path:
    """The bank with an incident of bias that rests on a made-up finding."""
    with bank(folder) as (desk, _):
        record(desk, found())
        triage(desk)
        return desk.root


def with_traffic(folder: Path) -> Path:
    """The bank with an incident of bias in its telemetry, and twelve fair hours after it."""
    with bank(folder) as (desk, clock):
        biased(desk)
        decided(desk, clock.now, 12, FAIR)
        return desk.root


def typing(root: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Type a command: exit code, standard output, standard error."""

    def go(*argv: str, as_: str = "okafor") -> tuple[int, str, str]:
        code = app.run([*argv, "-C", str(root), "--as", as_])
        out, err = capsys.readouterr()
        return code, out, err

    return go


def told(out: str) -> Any:
    """What a command printed with --json."""
    return json.loads(out)
