"""Traffic of the bank with a fault and, after it, with or without a fix: small, the same every time, and worked out by hand."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.service.banks import ASSISTANT, CREDIT, START, Clock
from tocsin.service.desk import Desk
from tocsin.service.detecting import detect
from tocsin.service.ingesting import ingest
from tocsin.service.triage import triage

ROWS = 400
"""Of one hour; half of them women."""
FAULT = START - timedelta(hours=8)
LEAK = "Your IBAN is DE89 3704 0044 0532 0130 00"


class Rates(NamedTuple):
    """Shares of positive decisions, in percent."""

    women: int
    men: int


UNFAIR, FAIR, HARDLY_BETTER = Rates(30, 60), Rates(62, 60), Rates(45, 60)


def decided(desk: Desk, since: datetime, hours: int, rates: Rates) -> None:
    """So many hours of decisions come in, each applicant once."""
    path = desk.root / f"credit-{since:%d%H}.csv"
    with path.open("w", newline="", encoding="utf-8") as target:
        lines = csv.writer(target)
        lines.writerow(["application_id", "decided_at", "applicant_id", "model_version", "score", "approved",
                        "second_look", "sex", "age_band", "income_eur", "part_time"])  # fmt: skip
        for row in range(hours * ROWS):
            at = since + timedelta(hours=1) * (row / ROWS)
            woman, turn = (
                row % 2 == 0,
                (row // 2 * 37) % 100,
            )  # 37 and 100 share no factor: every turn comes once in 100
            approved = turn < (rates.women if woman else rates.men)
            name = f"{since:%d%H}{row}"
            lines.writerow([f"A{name}", at.isoformat(), f"P{name}", "2.3.0", 0.5, str(approved).lower(), "",
                            "female" if woman else "male", "30-59", 40_000, 0])  # fmt: skip
    ingest(desk, CREDIT, [path])


def said(desk: Desk, since: datetime, hours: int, text: str, rows: int = 500) -> None:
    """So many hours of answers by the assistant; the first of each hour is this text."""
    path = desk.root / f"assistant-{since:%d%H}.jsonl"
    with path.open("w", encoding="utf-8") as target:
        for row in range(hours * rows):
            at = since + timedelta(hours=1) * (row / rows)
            name = f"{since:%d%H}{row}"
            line: dict[str, object] = {
                "time": at.isoformat(),
                "id": f"m{name}",
                "session": f"s{name}",
                "customer": f"c{name}",
            }
            line |= {"role": "assistant", "text": text if row % rows == 0 else "You can change it in the app."}
            line |= {"tool": None, "arguments": None, "model": "nordhafen-assist-4.1"}
            line |= {"tokens_in": 40, "tokens_out": 20, "latency_ms": 900}
            target.write(json.dumps(line) + "\n")
    ingest(desk, ASSISTANT, [path])


def judged(desk: Desk) -> tuple[str, ...]:
    """What the detectors and triage open on what came in."""
    detect(desk, close_until=desk.clock())
    return triage(desk).opened


def biased(desk: Desk) -> str:
    """The incident of six unfair hours."""
    decided(desk, FAULT, 6, UNFAIR)
    (opened,) = judged(desk)
    return opened


def leaking(desk: Desk) -> str:
    """The incident of an hour in which the assistant tells somebody's account number."""
    said(desk, FAULT, 1, LEAK)
    (opened,) = judged(desk)
    return opened


def after_the_fix(desk: Desk, clock: Clock, rates: Rates, hours: int = 12) -> None:
    """So many hours after `START`, from which the fix is in force, and the clock behind them."""
    clock.move(hours=hours)
    decided(desk, START, hours, rates)
