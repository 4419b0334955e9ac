"""How long the law takes: the whole library for one incident, cold and warm, its questions, and ten thousand open incidents again.

Before anything is measured, every regime is compared with its cases that were counted by hand. Incidents are those cases, each moved by
some hours, so that no two are the same. CPU time, one process.

    python benchmarks/law.py [incidents]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import median

from tocsin.content.loaders import law, vectors
from tocsin.law.asking import questions
from tocsin.law.obligations import obligations
from tocsin.law.regime import Library
from tocsin.model.law import Case, Fact
from tocsin.service.lawbook import check

RESULT = Path(__file__).parent / "results" / "law.md"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ANCHORS = dict.fromkeys(
    ("aware", "aware.provider", "aware.deployer", "aware.controller", "determined", "detected"), NOW
)
COLD = """
from datetime import datetime, timezone
from tocsin.content.loaders import law
from tocsin.law.obligations import obligations
from tocsin.model.law import Case
now = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
assert obligations(Case({}, {"aware.controller": now}, ("DE",), now), law.load())
"""


def case(*countries: str, **answers: object) -> Case:
    """An incident in these countries with these answers; its clocks have started."""
    facts = {name: Fact(name, value, "benchmark", "benchmark", NOW) for name, value in answers.items()}
    return Case(facts, ANCHORS, countries, NOW)


def cold(program: str, times: int = 5) -> float:
    """CPU seconds of a fresh interpreter that runs the program, the best of some."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(times))


def warm(work: Callable[[], object], times: int = 30) -> str:
    """CPU milliseconds of the work: the median and the best of some."""

    def once() -> float:
        begin = time.process_time()
        work()
        return (time.process_time() - begin) * 1_000

    work()
    took = [once() for _ in range(times)]
    return f"{median(took):.1f} ms (best {min(took):.1f})"


def incidents(library: Library, count: int) -> Iterator[Case]:
    """So many incidents, each with other instants."""
    known = [vector.case for regime in library.regimes for vector in vectors.load(regime.id)]
    for number, one in enumerate(islice(cycle(known), count)):
        moved = timedelta(hours=number // len(known))
        yield replace(one, anchors={name: at + moved for name, at in one.anchors.items()}, as_of=one.as_of + moved)


def main() -> None:
    """Measure, print, and keep the result."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    checked, library = check(), law.load()
    assert not checked.faults
    places = tuple(code for code in library.places if code != "EU")
    answered = case("DE", organization_kinds=[], personal_data_breach=True, organization_is_controller=True)
    everywhere = case(*places)
    cases = list(incidents(library, count))
    begin = time.process_time()
    owed = sum(len(obligations(one, library)) for one in cases)
    again = time.process_time() - begin
    python = sys.version.split()[0]
    clocks = len(obligations(everywhere, library))
    lines = [
        "## Law",
        "",
        f"`python benchmarks/law.py {count}`, Python {python}, {checked.regimes} regimes, {checked.cases} cases: no differences.",
        "",
        "| what | CPU time |",
        "|---|---|",
        f"| cold: a fresh interpreter, imports, the library, one incident in one country | {cold(COLD):.2f} s |",
        f"| of it, an interpreter that does nothing | {cold('pass'):.2f} s |",
        f"| warm: one incident in one country, nothing answered | {warm(lambda: obligations(case('DE'), library))} |",
        f"| warm: the same, the breach and the kind of organization answered | {warm(lambda: obligations(answered, library))} |",
        f"| warm: one incident, no country known: every regime is possible | {warm(lambda: obligations(case(), library))} |",
        f"| warm: one incident in all {len(places)} places at once ({clocks} clocks) | {warm(lambda: obligations(everywhere, library))} |",
        f"| its open questions, one country, nothing answered | {warm(lambda: questions(case('DE'), library))} |",
        f"| {count:,} open incidents again ({owed:,} duties) | {again:.1f} s ({again / count * 1_000:.2f} ms each) |",
    ]
    print("\n".join(lines))
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
