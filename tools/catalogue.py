"""Write what follows from the code and the content, or with --check say which of it is not what they say.

That is the reference pages, `law/compiled.jsonl`, `patterns/compiled.jsonl`
and the snapshots of what the law says (tests/content/snapshots/law).

python tools/catalogue.py [--check]
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from tocsin.adapters.workspace.schema import PolicyFile, SystemFile
from tocsin.cli.app import COMMANDS, EPILOGUE
from tocsin.cli.options import Shared
from tocsin.content.discovery import declared, detector_kinds
from tocsin.content.loaders import (
    forms,
    injection,
    law,
    measured,
    patterns,
    playbooks,
    shipped,
    stories,
    taxonomies,
    vectors,
)
from tocsin.detect.text.calibration import BASE
from tocsin.incident.folding import KINDS
from tocsin.law.interviewing import Story, Told, interview
from tocsin.law.regime import Library, Regime
from tocsin.law.vectors import owed
from tocsin.model import errors
from tocsin.model.errors import BadInput
from tocsin.model.law import Question, worst
from tocsin.model.telemetry import TABLES

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "reference"
SNAPSHOTS = ROOT / "tests" / "content" / "snapshots" / "law"
MADE = "<!-- Made by tools/catalogue.py from the code; do not edit. -->"


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """A Markdown table."""

    def cell(value: Any) -> str:
        return str("" if value is None else value).replace("|", "\\|").replace("\n", " ")

    head = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return [*head, *("| " + " | ".join(map(cell, row)) + " |" for row in rows), ""]


def commands() -> list[str]:
    """Every command with its parameters, from its docstring."""
    lines = ["# Commands", "", EPILOGUE, "", "## What every command takes", ""]
    shared = inspect.getsource(Shared)
    options = re.findall(r"(?:name=\[?\"?(--[\w-]+)|^    (\w+): )[^\n]*\n    \"(.*?)\"", shared, re.MULTILINE)
    lines += table(("option", "meaning"), ((f"`{a or '--' + b.rstrip('_')}`", text) for a, b, text in options))
    for command in COMMANDS:
        module, function = command.function.split(":")
        doc = inspect.getdoc(getattr(importlib.import_module(f"tocsin.cli.commands.{module}"), function)) or ""
        text, _, parameters = doc.partition("Parameters\n----------\n")
        lines += [f"## tocsin {command.name}", "", text.strip(), ""]
        found = re.findall(r"^(\w+)\n((?:    .*\n?)+)", parameters, re.MULTILINE)
        if found:
            lines += table(
                ("parameter", "meaning"), ((f"`{name.rstrip('_')}`", " ".join(body.split())) for name, body in found)
            )
    return lines


def settings() -> list[str]:
    """Every key of policy.yaml and systems/*.yaml."""
    lines = ["# Settings", ""]
    for title, model in (("policy.yaml", PolicyFile), ("systems/&lt;id&gt;.yaml", SystemFile)):
        lines += [f"## {title}", "", *table(("key", "needed", "meaning"), _keys(model, "", set()))]
    lines += ["## Environment", ""]
    variables = {
        "TOCSIN_WORKSPACE": "the workspace, instead of --workspace",
        "TOCSIN_PERSON": "who acts, instead of --as",
        "TOCSIN_ZONE": "the zone in which times are shown, instead of --zone",
        "NO_COLOR": "no colour, see no-color.org",
    }
    return lines + table(("variable", "meaning"), ((f"`{name}`", text) for name, text in variables.items()))


def _keys(model: type[BaseModel], prefix: str, seen: set[type[BaseModel]]) -> Iterable[Sequence[Any]]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        yield f"`{key}`", "yes" if field.is_required() else "", field.description or ""
        for inner in _models(field.annotation):
            if inner not in seen:
                yield from _keys(inner, f"{key}.", {*seen, model})


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def columns() -> list[str]:
    """The two tables of telemetry."""
    lines = ["# Telemetry columns", ""]
    for name, known in TABLES.items():
        rows = ((f"`{c.name}`", c.type, "yes" if c.required else "", c.doc) for c in known)
        lines += [f"## {name}", "", *table(("column", "type", "required", "meaning"), rows)]
    lines += [
        "Predictions also take `group.<name>` (what fairness compares) and `feature.<name>`.",
        "",
        "## Formats",
        "",
    ]
    readers = declared("tocsin.adapters.telemetry.readers", "READER")
    return lines + table(
        ("format", "what is read"), ((f"`{r.name}`", r.doc) for r in sorted(readers.values(), key=lambda r: r.name))
    )


def detectors() -> list[str]:
    """Every detector: what it claims, its parameters, what it cannot see."""
    lines = ["# Detectors", ""]
    for kind in sorted(detector_kinds().values(), key=lambda k: k.name):
        lines += [
            f"## {kind.name}",
            "",
            f"{kind.title}; category `{kind.category}`, watches {kind.table}. {kind.claims}",
            "",
        ]
        rows = (
            (f"`{p.name}`", p.type.__name__, "required" if p.required else f"`{p.default}`", p.doc)
            for p in kind.parameters
        )
        lines += table(("parameter", "type", "default", "meaning"), rows)
        lines += [
            "It cannot see:",
            "",
            *(f"- {line}" for line in kind.blind_spots),
            "",
            f"Sources: {'; '.join(kind.sources)}.",
            "",
        ]
    return lines


def pattern_pages() -> list[str]:
    """Every pattern: what it finds, by which check, how sure, how precise and how often wrong on ordinary texts of each role."""
    texts = ", ".join(f"{count:,} of {_TEXTS_OF[role]}" for role, count in measured.texts().items())
    rows = (
        (
            f"`{p.id}`",
            f"`{p.entity or p.id}`",
            p.title,
            p.kind,
            p.validator,
            ", ".join(p.languages) or "-",
            ", ".join(p.severe_in) or "-",
            p.confidence,
            *_rates(p.id),
            p.source.replace("|", "\\|") or "-",
        )
        for p in patterns.written()
    )
    heads = (
        *("pattern", "finds", "what", "kind", "check", "languages", "severe in", "confidence"),
        *("precision", "user", "assistant", "document", "source"),
    )
    told = [
        f"*User, assistant, document*: expected false alarms per 1,000 texts, on {texts} of six published collections; in",
        "brackets the upper bound of 95 %. What tools return and what is retrieved was measured on documents, calls of tools",
        "on what assistants write. A finding is false unless somebody looked at the value and found it right.",
        "",
        f"*Precision*: the share of findings that are right where {BASE:.0%} of the texts hold an item, all roles together;",
        "in brackets the lower bound of 95 %, from those texts and from the samples of each pattern planted in made-up ones.",
        "",
        "`python benchmarks/pattern_rates.py FOLDER` measures all of it again; `tocsin rules` shows it. No rule declares a",
        "confidence above the upper bound of its precision in any role.",
        "",
    ]
    return ["# Patterns", "", *told, *table(heads, rows)]


_TEXTS_OF = {"user": "users", "assistant": "assistants", "document": "documents"}


def _rates(rule: str) -> list[str]:
    """Precision, and false alarms on texts of users, of assistants and on documents."""
    parts, whole = measured.load().get(rule), measured.whole(rule)
    if not parts or not whole:
        return ["-"] * 4
    precision = whole.precision()
    alarms = ((part.alarms if (part := parts.get(role)) else None) for role in _TEXTS_OF)
    shown = (f"{one.value:.2g} (< {one.high:.2g})" if one else "-" for one in alarms)
    return [f"{precision.value:.3f} (> {precision.low:.3f})", *shown]


def regimes() -> list[str]:
    """Every regime, grouped by jurisdiction: its status, its clocks, how well its source was read and where that stands."""
    library = law.load()
    by_place = groupby(sorted(library.regimes, key=lambda r: (r.jurisdiction, r.id)), key=lambda r: r.jurisdiction)
    grouped = {place: list(found) for place, found in by_place}
    lines = [
        "# Regimes",
        "",
        f"{len(library.regimes)} regimes of {len(grouped)} jurisdictions. This is not legal advice; counsel decides. Each line says",
        "how well the least well read source of the regime was read: P primary text, Q official text quoted, S secondary source,",
        "UNCONFIRMED by nobody yet.",
        "`tocsin law show ID` prints one with every part of it.",
        "",
    ]
    for place, found in grouped.items():
        lines += [f"## {place}", ""]
        rows = ((f"[{r.id}](#{_anchor(r.id)})", r.title, _statuses(r), _read(r), _source(r)) for r in found)
        lines += table(("regime", "duty", "status", "read", "source"), rows)
    for regime in library.regimes:
        lines += _regime(regime)
    lines += [
        "## Forms",
        "",
        *table(("form", "status"), ((f"`{name}`", forms.load(name).status) for name in forms.names())),
    ]
    facts = ((f"`{f.name}`", f.type, f.text) for f in sorted(library.facts.values(), key=lambda f: f.name))
    return [*lines, "## Facts", "", *table(("fact", "type", "question"), facts)]


def _regime(regime: Regime) -> list[str]:
    lines = [
        f"### {regime.id}",
        "",
        f"{regime.title}. {regime.instrument}. Owed by {regime.who}. {_statuses(regime)}.",
        "",
    ]
    rows = ((s.id, s.title, "; ".join(d.label for d in s.deadlines), ", ".join(s.anchors)) for s in regime.stages)
    lines += table(("stage", "what", "by when", "clock starts"), rows)
    read: dict[str, str] = {}
    for c in regime.citations.values():
        read[f"{c.instrument}, {c.pinpoint}"] = f"[{c.confidence}], read {c.read_on}, <{c.url}>"
    return [*lines, *(f"- {cited} {how}" for cited, how in read.items()), ""]


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9_-]", "", name.lower())


def _statuses(regime: Regime) -> str:
    return "; ".join(
        f"{p.status} from {p.valid_from}{f' to {p.valid_to}' if p.valid_to else ''}"
        f"{f' in {chr(44).join(p.countries)}' if p.countries else ''}"
        for p in regime.periods
    )


def _read(regime: Regime) -> str:
    return str(worst(cited.confidence for cited in regime.citations.values()))


def _source(regime: Regime) -> str:
    first = regime.citations[regime.cite[0]]
    return f"[{first.instrument}, {first.pinpoint}]({first.url})"


def law_stories() -> list[str]:
    """The path of questions through each written incident, and what is owed in the end."""
    library, told = law.load(), [(story, interview(story, law.load())) for story in stories.load()]
    lines = [
        "# Ten incidents and their questions",
        "",
        f"What `tocsin law ask` asks in each, of {len(library.regimes)} regimes and {len(library.facts)} facts: always the first",
        "question is answered, until none is open. An answer is *needless* if the later ones made it so; nobody could know before.",
        "The incidents are in `content/stories/law.yaml`; this is not legal advice.",
        "",
    ]
    rows = ((s.title, ", ".join(s.countries), len(t.path), len(t.needless), len(_duties(t))) for s, t in told)
    lines += table(("incident", "where", "questions", "needless", "duties"), rows)
    for story, one in told:
        lines += [f"## {story.title}", "", f"{story.text} In {', '.join(story.countries)}.", ""]
        known = ", ".join(f"{name} = {_shown(value)}" for name, value in story.known.items())
        lines += [f"Known from the inventory: {known or 'nothing'}.", ""]
        for number, question in enumerate(one.path, start=1):
            lines.append(
                f"{number}. {question.text} **{_given(question, story, one)}** ({len(question.decides)} duties)"
            )
        lines += ["", *(f"- {duty}" for duty in _duties(one) or ("Nothing is owed.",)), ""]
    return lines


def _given(question: Question, story: Story, told: Told) -> str:
    if question.fact.startswith("date."):
        return f"{story.later[question.fact.removeprefix('date.')]:%Y-%m-%d %H:%M %Z}"
    needless = ", needless" if question.fact in told.needless else ""
    return f"{_shown(told.case.facts[question.fact].value)}{needless}"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _duties(told: Told) -> list[str]:
    """What is owed in the end by law that binds or is rehearsed; authorities of several countries count once."""
    owed = (o for o in told.owed if o.truth == "yes" and o.status in ("binding", "dormant"))
    lines = (f"`{o.regime}.{o.stage}`: {o.status}, {_local(o.operational_due, o.timezone)}, {o.label}" for o in owed)
    return list(dict.fromkeys(lines))


def snapshots() -> dict[Path, str]:
    """What the law says of every case that was counted by hand, a file a regime: a changed pack shows its effect here."""
    library = law.load()
    return {SNAPSHOTS / f"{regime.id}.txt": "\n".join(_snapshot(regime, library)) + "\n" for regime in library.regimes}


def _snapshot(regime: Regime, library: Library) -> Iterator[str]:
    yield f"{regime.id}: what it says of each of its cases. Made by tools/catalogue.py; do not edit."
    for vector in vectors.load(regime.id):
        yield f"\n{vector.name} ({', '.join(vector.case.countries)})"
        for stage, one in sorted(owed(vector, regime, library).items()):
            due, latest = (_local(at, one.timezone) for at in (one.operational_due, one.legal_latest))
            expected = "".join(f", expected {_local(b.at, one.timezone)}" for b in one.benchmarks)
            to = "; ".join(f"{r.name} [{r.confidence}]" for r in one.recipients)
            certainty = {"yes": "owed", "no": "not owed", "unknown": "possible"}[one.truth]
            yield f"  {stage}: {certainty}, {one.status}, due {due}, latest {latest}{expected}, read {one.confidence}, to {to}"


def _local(at: datetime | None, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %z") if at else "-"


def playbook_pages() -> list[str]:
    """Every playbook and its steps."""
    lines = ["# Playbooks", ""]
    for key, playbook in playbooks.load().items():
        rows = ((f"`{s.slug}`", s.name, s.role, "yes" if s.mandatory else "", s.run) for s in playbook.actions())
        lines += [
            f"## {key}",
            "",
            playbook.description,
            "",
            *table(("step", "what", "role", "mandatory", "built in"), rows),
        ]
    return lines


EVENTS = {
    "workspace": ("workspace_created", "policy_adopted", "system_registered", "system_retired"),
    "telemetry/<system>": ("segment_recorded", "rows_quarantined", "file_ingested"),
    "detect/<system>": ("detection_ran", "window_evaluated", "finding_recorded"),
    "triage": ("finding_triaged",),
    "registered": ("text_registered", "text_forgotten"),
    "incident/<id>": KINDS,
}


def events() -> list[str]:
    """Every kind of event, by stream."""
    lines = [
        "# Events",
        "",
        "Readers skip kinds that they do not know. The bytes are described in [the ledger](../ledger.md).",
        "",
    ]
    for stream, kinds in EVENTS.items():
        lines += [f"## `{stream}`", "", *(f"- `{kind}`" for kind in kinds), ""]
    return lines


def extensions() -> list[str]:
    """Every extension point and what stands behind it now."""
    known, readers = taxonomies.load(), declared("tocsin.adapters.telemetry.readers", "READER")
    rows = [
        ("detector", "`tocsin.detect.detectors`", "`DETECTOR`", ", ".join(sorted(detector_kinds()))),
        ("telemetry format", "`tocsin.adapters.telemetry.readers`", "`READER`", ", ".join(sorted(readers))),
        ("regime", "`content/law/<id>/`", "`pack.yaml`", f"{len(law.load().regimes)} [regimes](regimes.md)"),
        ("form", "`content/law/<id>/forms/`", "YAML", ", ".join(forms.names())),
        ("playbook", "`content/playbooks/`", "CACAO 2.0 JSON", ", ".join(playbooks.load())),
        ("pattern", "`content/patterns/`", "YAML with samples", f"{len(patterns.load().items)} patterns"),
        ("taxonomy", "`content/taxonomies/`", "YAML", ", ".join(known.sources)),
    ]
    note = (
        "Being in the folder is the registration. Other distributions use the entry-point group of the package's name."
    )
    return ["# Extension points", "", note, "", *table(("kind", "where", "what it declares", "there are"), rows)]


def error_page() -> list[str]:
    """The error tree and the exit codes."""
    codes = {name: value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    doc = inspect.getdoc(errors) or ""
    rows = ((value, name.removeprefix("EXIT_").lower().replace("_", " ")) for name, value in codes.items())
    return ["# Errors and exit codes", "", "```", doc, "```", "", *table(("code", "meaning"), rows)]


def injection_page() -> list[str]:
    """What the injection model was made of and what was measured, from its card."""
    card = injection.card()
    found = card["measured"]
    lines = [
        "# The injection model",
        "",
        "Made by `python tools/injection/train.py DATA --write`; see [the model card](../injection-model.md).",
    ]
    lines += [
        "",
        f"Weights: {card['bytes']:,} bytes, digest `{card['digest']}`, seed {card['seed']}.",
        "",
        "## Sources",
        "",
    ]
    rows = ((s["name"], f"`{s['file']}`", s["licence"], s["in_weights"] and "yes", s["rows"]) for s in card["sources"])
    lines += table(("source", "file", "licence", "in the weights", "texts"), rows)
    lines += [
        f"Authored: {card['rows']['authored']:,} texts in {len(card['languages'])} languages ({', '.join(card['languages'])})."
    ]
    for title, key, first in (
        ("together", "summary", "texts"),
        ("by source", "sources", "source"),
        ("with the rules", "together", "source"),
        ("by family", "families", "family"),
        ("by language", "languages", "language"),
    ):
        given = found[key].items() if key == "summary" else ((line[first], line) for line in found[key])
        lines += ["", f"## Out of fold, {title}", ""]
        lines += _measured(first, [{first: name, **line} for name, line in given])
    lines += [
        "## Digests",
        "",
        *table(("input", "SHA-256"), ((f"`{name}`", f"`{digest}`") for name, digest in card["digests"].items())),
    ]
    return lines


def _measured(first: str, lines: list[dict[str, Any]]) -> list[str]:
    def shown(name: str, value: Any) -> Any:
        return f"{value:.1%}" if isinstance(value, float) and name != "auc" else value

    names = [first, *(name for name in lines[0] if name != first)]
    return table(
        [name.replace("_", " ") for name in names], ([shown(name, line[name]) for name in names] for line in lines)
    )


PAGE_MAKERS: dict[str, Callable[[], list[str]]] = {
    "commands": commands,
    "settings": settings,
    "columns": columns,
    "detectors": detectors,
    "patterns": pattern_pages,
    "regimes": regimes,
    "law-stories": law_stories,
    "playbooks": playbook_pages,
    "events": events,
    "extensions": extensions,
    "errors": error_page,
    "injection": injection_page,
}


def pages() -> dict[Path, str]:
    """Every reference page's text by path."""
    made = {PAGES / f"{name}.md": "\n".join([MADE, "", *make()]).rstrip() + "\n" for name, make in PAGE_MAKERS.items()}
    decisions = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    listed = [
        f"- [{path.read_text(encoding='utf-8').splitlines()[0].removeprefix('# ')}]({path.name})" for path in decisions
    ]
    made[ROOT / "docs" / "decisions" / "index.md"] = "\n".join([MADE, "", "# Decisions", "", *listed, ""])
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    made[PAGES / "benchmarks.md"] = f"{MADE}\n\n{results}"
    made[Path(str(patterns.COMPILED))] = patterns.compiled()
    return {Path(str(shipped.SHIPPED.joinpath(shipped.COMPILED))): shipped.compiled(), **made, **snapshots()}


def main() -> int:
    """Write the pages, or check them."""
    try:
        made = pages()
    except BadInput as error:
        print(error, file=sys.stderr)
        return 1
    wrong = [path for path, text in made.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    left = [path for path in SNAPSHOTS.glob("*") if path not in made]
    if "--check" in sys.argv:
        for path in [*wrong, *left]:
            print(f"{path.relative_to(ROOT)} is not what the code says: run python tools/catalogue.py")
        return 1 if wrong or left else 0
    for path in wrong:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(made[path], encoding="utf-8")
    for path in left:
        path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
