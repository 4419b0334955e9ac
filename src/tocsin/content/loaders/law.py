"""The library of regimes: being a folder of `content/law/` with a `pack.yaml` is the registration. Reads and lints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal, get_type_hints

from pydantic import Field, create_model

from tocsin.content.loaders.calendars import calendar
from tocsin.content.loaders.conditions import Malformed, condition
from tocsin.document.checking import Strict, Zone, checked
from tocsin.law.conditions import Condition
from tocsin.law.counting import Deadline
from tocsin.law.regime import Dated, FactKind, Library, Period, Place, Regime, Rerouting, Stage, Switch
from tocsin.model.errors import BadInput, Problem
from tocsin.model.errors import Place as Spot
from tocsin.model.law import ANCHORS, Citation, Confidence, Recipient, Status

READ_ON = date(2026, 11, 23)


class _CitationFile(Strict):
    instrument: str
    pinpoint: str
    url: str
    confidence: Confidence
    read_on: date = READ_ON


class _FactFile(Strict):
    type: Literal["truth", "number", "text", "choice", "date"]
    text: str
    help: str
    choices: tuple[str, ...] = ()
    cite: _CitationFile


class _FactsFile(Strict):
    facts: dict[str, _FactFile]
    definitions: dict[str, Any]


class _RecipientFile(Strict):
    name: str
    country: str = ""
    channel: str = ""
    confidence: Confidence


class _PlaceFile(Strict):
    zone: Zone
    registers: dict[str, tuple[_RecipientFile, ...]]


class _PlacesFile(Strict):
    as_of: date
    places: dict[str, _PlaceFile]


class _PeriodFile(Strict):
    status: Status
    valid_from: date
    valid_to: date | None = None
    when: Any = None
    note: str = ""


_DEFAULTS = {field.name: ... if field.default is MISSING else field.default for field in fields(Deadline)}
_Counting: Any = create_model(  # type: ignore[call-overload]
    "_Counting", __base__=Strict, **{name: (hint, _DEFAULTS[name]) for name, hint in get_type_hints(Deadline).items()}
)
"""The counting part of a deadline in a pack: the fields of `law.counting.Deadline` as they are."""


class _DeadlineFile(_Counting):  # type: ignore[misc]
    label: str
    valid_from: date
    valid_to: date | None = None
    when: Any = None
    cite: tuple[str, ...] = ()


class _StageFile(Strict):
    id: str
    title: str
    anchors: tuple[str, ...] = Field(min_length=1)
    deadlines: tuple[_DeadlineFile, ...] = Field(min_length=1)
    when: Any = None
    form: str = ""
    content: tuple[str, ...] = ()
    cite: tuple[str, ...] = Field(min_length=1)
    optional: bool = False


class _ReroutingFile(Strict):
    text: str
    effect: Literal["displaced", "recipients"]
    when: Any
    recipients: tuple[_RecipientFile, ...] = ()
    cite: tuple[str, ...] = Field(min_length=1)


class _SwitchFile(Strict):
    id: str
    text: str
    default: str
    options: dict[str, str]
    anchors: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class _PackFile(Strict):
    id: str
    title: str
    instrument: str
    jurisdiction: str
    who: str
    applies: Any
    periods: tuple[_PeriodFile, ...] = Field(min_length=1)
    register_: str = Field("", alias="register")
    recipients: tuple[_RecipientFile, ...] = ()
    stages: tuple[_StageFile, ...] = Field(min_length=1)
    reroutings: tuple[_ReroutingFile, ...] = ()
    switches: tuple[_SwitchFile, ...] = ()
    notes: tuple[str, ...] = ()
    penalties: str = ""
    retention: str = ""
    cite: tuple[str, ...] = Field(min_length=1)
    citations: dict[str, _CitationFile] = Field(min_length=1)


Definitions = Mapping[str, Condition]
Facts = Mapping[str, FactKind]


@lru_cache
def load() -> Library:
    """The shipped library. Raises BadInput with every mistake of every pack."""
    root = files("tocsin.content").joinpath("law")
    written = checked(root.joinpath("facts.yaml").read_bytes(), "law/facts.yaml", _FactsFile)
    facts = {name: _fact(name, fact) for name, fact in written.facts.items()}
    definitions: dict[str, Condition] = {}
    for name, body in written.definitions.items():
        definitions[name] = _condition(body, definitions, facts, "law/facts.yaml", f"definitions.{name}")
    regimes: list[Regime] = []
    problems: list[Problem] = []
    for folder in sorted(root.iterdir(), key=lambda item: item.name):
        if folder.joinpath("pack.yaml").is_file():
            try:
                regimes.append(read_pack(folder, definitions, facts))
            except BadInput as error:
                problems += error.problems()
    if problems:
        raise BadInput(problems)
    places = _places(root)
    digest = sha256("".join(regime.digest for regime in regimes).encode()).hexdigest()
    return Library(tuple(regimes), facts, places, digest, READ_ON)


def read_pack(folder: Traversable, definitions: Definitions, facts: Facts) -> Regime:
    """The regime in the folder. Raises BadInput with every mistake in its pack."""
    data = folder.joinpath("pack.yaml").read_bytes()
    name = f"law/{folder.name}/pack.yaml"
    pack = checked(data, name, _PackFile)
    problems = _lint(pack, folder.name, name)
    if problems:
        raise BadInput(problems)

    def read(written: Any, field: str) -> Condition:
        return _condition(written, definitions, facts, name, field)

    return Regime(
        id=pack.id,
        title=pack.title,
        instrument=pack.instrument,
        jurisdiction=pack.jurisdiction,
        who=pack.who,
        periods=tuple(
            Period(p.status, p.valid_from, p.valid_to, read(p.when, f"periods.{n}.when"), p.note)
            for n, p in enumerate(pack.periods)
        ),
        applies=read(pack.applies, "applies"),
        stages=tuple(_stage(stage, read) for stage in pack.stages),
        register=pack.register_,
        recipients=_recipients(pack.recipients),
        citations={key: _citation(cited) for key, cited in pack.citations.items()},
        cite=pack.cite,
        reroutings=tuple(
            Rerouting(read(r.when, "reroutings"), r.effect, r.text, _recipients(r.recipients), r.cite)
            for r in pack.reroutings
        ),
        switches=tuple(Switch(s.id, s.text, s.default, s.options, s.anchors) for s in pack.switches),
        notes=pack.notes,
        penalties=pack.penalties,
        retention=pack.retention,
        digest=sha256(data).hexdigest(),
    )


def _lint(pack: _PackFile, folder: str, name: str) -> list[Problem]:
    """What a pack may not lack: its own name, citations that exist, anchors that exist, a default that is an option."""
    wrong = [] if pack.id == folder else [("id", f"the id {pack.id!r} differs from the folder's name")]
    cited = [("cite", pack.cite), *((f"stages.{s.id}.cite", s.cite) for s in pack.stages)]
    cited += [(f"stages.{s.id}.deadlines.cite", d.cite) for s in pack.stages for d in s.deadlines]
    cited += [("reroutings.cite", r.cite) for r in pack.reroutings]
    wrong += [(field, f"no citation {key!r}") for field, keys in cited for key in keys if key not in pack.citations]
    stages = {stage.id for stage in pack.stages}
    for stage in pack.stages:
        for anchor in stage.anchors:
            base, _, rest = anchor.partition(".")
            if base not in ANCHORS or (base == "submitted" and rest not in stages):
                wrong.append((f"stages.{stage.id}.anchors", f"no anchor {anchor!r}"))
    wrong += [
        (f"switches.{s.id}", f"the default {s.default!r} is no option")
        for s in pack.switches
        if s.default not in s.options
    ]
    return [Problem(Spot(name, field=field), what, "correct the pack") for field, what in wrong]


def _stage(stage: _StageFile, read: Any) -> Stage:
    deadlines = tuple(
        Dated(_deadline(d), d.label, d.valid_from, d.valid_to, read(d.when, f"stages.{stage.id}.deadlines"), d.cite)
        for d in stage.deadlines
    )
    when = read(stage.when, f"stages.{stage.id}.when")
    extras = (stage.form, stage.content, stage.cite, stage.optional)
    return Stage(stage.id, stage.title, stage.anchors, deadlines, when, *extras)


def _deadline(d: _DeadlineFile) -> Deadline:
    return Deadline(**{name: getattr(d, name) for name in _DEFAULTS})


def _condition(written: Any, definitions: Definitions, facts: Facts, name: str, field: str) -> Condition:
    try:
        return condition(written, definitions, facts)
    except Malformed as error:
        raise BadInput.at(Spot(name, field=field), str(error), "see docs/law.md for the form of a condition") from None


def _fact(name: str, fact: _FactFile) -> FactKind:
    return FactKind(name, fact.type, fact.text, fact.help, fact.choices, _citation(fact.cite))


def _citation(cited: _CitationFile) -> Citation:
    return Citation(cited.instrument, cited.pinpoint, cited.url, cited.read_on, cited.confidence)


def _recipients(written: tuple[_RecipientFile, ...], country: str = "") -> tuple[Recipient, ...]:
    return tuple(Recipient(r.name, r.country or country, r.channel, r.confidence) for r in written)


def _places(root: Traversable) -> dict[str, Place]:
    written = checked(root.joinpath("authorities.yaml").read_bytes(), "law/authorities.yaml", _PlacesFile)
    places = {}
    for code, place in written.places.items():
        registers = {name: _recipients(recipients, code) for name, recipients in place.registers.items()}
        places[code] = Place(code, place.zone, calendar(code), registers)
    return places
