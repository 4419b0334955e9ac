"""The broken workspaces of `broken/`: a sound workspace with a defect laid over it, and what must be said about it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tocsin.adapters.workspace.system_references import Known
from tocsin.detect.detectors import equal_opportunity, group_parity, mean, missing_values, rate, regression_error
from tocsin.law.regime import FactKind

HERE = Path(__file__).parent
SOUND = HERE / "sound"
DEFECTS = sorted(folder.name for folder in (HERE / "broken").iterdir() if folder.is_dir())
EXPECTED = "expected.txt"
KNOWN = Known(
    detectors={
        module.DETECTOR.name: module.DETECTOR
        for module in (group_parity, equal_opportunity, mean, missing_values, rate, regression_error)
    },
    playbooks=frozenset({"any"}),
    facts={
        kind.name: kind
        for kind in (
            FactKind("personal_data", "truth", "Does it process personal data?", ""),
            FactKind("people_affected", "number", "How many people are affected?", ""),
            FactKind("placed_on_market_on", "date", "Since when is it on the market?", ""),
            FactKind("breach_risk", "choice", "How likely is a risk?", "", ("unlikely", "risk", "high")),
            FactKind("register_entry", "text", "Which entry of the register is it?", ""),
        )
    },
)


def sound(root: Path) -> Path:
    """A sound workspace at `root`, without ledger and salt."""
    shutil.copytree(SOUND, root)
    (root / ".tocsin").mkdir()
    (root / ".tocsin" / "format").write_text("1\n")
    return root


def broken(root: Path, defect: str) -> Path:
    """A workspace at `root` with the defect of that name."""
    shutil.copytree(HERE / "broken" / defect, sound(root), dirs_exist_ok=True)
    return root
