"""A pack: one regime as it is written in `content/law/<id>/pack.yaml`. Reads and lints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import date
from typing import Any, Literal, get_type_hints

from pydantic import Field, create_model

from tocsin.content.loaders.conditions import Malformed, condition
from tocsin.document.checking import Country, Strict, Zone
from tocsin.law.conditions import Condition
from tocsin.law.counting import Deadline
from tocsin.law.regime import Dated, FactKind, Guideline, Period, Pick, Regime, Rerouting, Stage, Switch
from tocsin.model.errors import BadInput, Place, Problem
from tocsin.model.law import ANCHORS, Citation, Confidence, Duty, Recipient, Status

READ_ON = date(2026, 11, 23)
Definitions = Mapping[str, Condition]
Facts = Mapping[str, FactKind]


class CitationFile(Strict):
    """A source as packs write it."""

    instrument: str
    pinpoint: str
    url: str
    confidence: Confidence
    read_on: date = READ_ON


class FactFile(Strict):
    """A question as packs and the shared facts write it."""

    type: Literal["truth", "number", "text", "choice", "set", "date"]
    text: str
    help: str
    choices: tuple[str, ...] = ()
    cite: CitationFile

    def kind(self, name: str) -> FactKind:
        """The fact of that name."""
        return FactKind(name, self.type, self.text, self.help, self.choices, citation(self.cite))


class RecipientFile(Strict):
    """Somebody who must be told."""

    name: str
    country: str = ""
    channel: str = ""
    confidence: Confidence


class _PeriodFile(Strict):
    status: Status
    valid_from: date
    valid_to: date | None = None
    when: Any = None
    note: str = ""
    countries: tuple[Country, ...] = ()


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
    anchors: tuple[str, ...] = ()
    void_if_after: str = ""


class _GuidelineFile(_Counting):  # type: ignore[misc]
    label: str
    cite: tuple[str, ...] = ()
    when: Any = None


class _StageFile(Strict):
    id: str
    title: str
    anchors: tuple[str, ...] = Field(min_length=1)
    deadlines: tuple[_DeadlineFile, ...] = ()
    when: Any = None
    form: str = ""
    content: tuple[str, ...] = ()
    cite: tuple[str, ...] = Field(min_length=1)
    optional: bool = False
    kind: Duty = "report"
    starts: Pick = "earliest"
    owed: Pick = "earliest"
    repeats_until: str = ""
    benchmarks: tuple[_GuidelineFile, ...] = ()
    who: str = ""
    register_: str = Field("", alias="register")
    recipients: tuple[RecipientFile, ...] = ()


class _ReroutingFile(Strict):
    text: str
    effect: Literal["displaced", "recipients"]
    when: Any
    recipients: tuple[RecipientFile, ...] = ()
    cite: tuple[str, ...] = Field(min_length=1)


class _SwitchFile(Strict):
    id: str
    text: str
    default: str
    options: dict[str, str]
    anchors: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class PackFile(Strict):
    """`pack.yaml`."""

    id: str
    title: str
    instrument: str
    jurisdiction: str
    who: str
    applies: Any
    periods: tuple[_PeriodFile, ...] = Field(min_length=1)
    register_: str = Field("", alias="register")
    recipients: tuple[RecipientFile, ...] = ()
    stages: tuple[_StageFile, ...] = Field(min_length=1)
    reroutings: tuple[_ReroutingFile, ...] = ()
    switches: tuple[_SwitchFile, ...] = ()
    notes: tuple[str, ...] = ()
    penalties: str = ""
    retention: str = ""
    zone: Zone | Literal[""] = ""
    facts: dict[str, FactFile] = Field(default_factory=dict)
    """Facts that this regime alone asks for."""
    kinds: dict[str, str] = Field(default_factory=dict)
    """Kinds of organization that it speaks of, for the shared fact `organization_kinds`, with a word of explanation each."""
    cite: tuple[str, ...] = Field(min_length=1)
    citations: dict[str, CitationFile] = Field(min_length=1)


def regime(pack: PackFile, folder: str, digest: str, definitions: Definitions, facts: Facts) -> Regime:
    """The regime that the pack in this folder describes.

    Raises:
        BadInput: every mistake in it.
    """
    name = f"law/{folder}/pack.yaml"
    problems = [Problem(Place(name, field=field), what, "correct the pack") for field, what in _mistakes(pack, folder)]
    if problems:
        raise BadInput(problems)

    def read(written: Any, field: str) -> Condition:
        return read_condition(written, definitions, facts, Place(name, field=field))

    periods = [(p, read(p.when, f"periods.{n}.when")) for n, p in enumerate(pack.periods)]
    rerouted = [(r, read(r.when, f"reroutings.{n}.when")) for n, r in enumerate(pack.reroutings)]
    return Regime(
        id=pack.id,
        title=pack.title,
        instrument=pack.instrument,
        jurisdiction=pack.jurisdiction,
        who=pack.who,
        periods=tuple(Period(p.status, p.valid_from, p.valid_to, when, p.note, p.countries) for p, when in periods),
        applies=read(pack.applies, "applies"),
        stages=tuple(_stage(stage, read) for stage in pack.stages),
        register=pack.register_,
        recipients=recipients(pack.recipients),
        citations={key: citation(cited) for key, cited in pack.citations.items()},
        cite=pack.cite,
        reroutings=tuple(Rerouting(when, r.effect, r.text, recipients(r.recipients), r.cite) for r, when in rerouted),
        switches=tuple(Switch(s.id, s.text, s.default, s.options, s.anchors) for s in pack.switches),
        notes=pack.notes,
        penalties=pack.penalties,
        retention=pack.retention,
        zone=pack.zone,
        digest=digest,
    )


def read_condition(written: Any, definitions: Definitions, facts: Facts, place: Place) -> Condition:
    """The condition in this part of a file. Raises BadInput with the place."""
    try:
        return condition(written, definitions, facts)
    except Malformed as error:
        raise BadInput.at(place, str(error), "see docs/law.md for the form of a condition") from None


def citation(cited: CitationFile) -> Citation:
    """The source."""
    return Citation(cited.instrument, cited.pinpoint, cited.url, cited.read_on, cited.confidence)


def recipients(written: tuple[RecipientFile, ...], country: str = "") -> tuple[Recipient, ...]:
    """Those who must be told; of this country unless they say another."""
    return tuple(Recipient(r.name, r.country or country, r.channel, r.confidence) for r in written)


def _mistakes(pack: PackFile, folder: str) -> Iterator[tuple[str, str]]:
    """What a pack may not lack: its own name, citations that exist, anchors that exist, a default that is an option."""
    if pack.id != folder:
        yield "id", f"the id {pack.id!r} differs from the folder's name"
    cited = [("cite", pack.cite), *((f"stages.{s.id}.cite", s.cite) for s in pack.stages)]
    cited += [(f"stages.{s.id}.deadlines.cite", d.cite) for s in pack.stages for d in s.deadlines]
    cited += [(f"stages.{s.id}.benchmarks.cite", b.cite) for s in pack.stages for b in s.benchmarks]
    cited += [("reroutings.cite", r.cite) for r in pack.reroutings]
    yield from ((field, f"no citation {key!r}") for field, keys in cited for key in keys if key not in pack.citations)
    stages = frozenset(stage.id for stage in pack.stages)
    for stage in pack.stages:
        if not stage.deadlines and stage.kind != "evidence":
            yield f"stages.{stage.id}.deadlines", "only a stage of kind evidence has no deadline"
        named = [*stage.anchors, *(a for d in stage.deadlines for a in (*d.anchors, d.void_if_after) if a)]
        for anchor in (*named, *filter(None, (stage.repeats_until,))):
            if not _known(anchor, stages):
                yield f"stages.{stage.id}.anchors", f"no anchor {anchor!r}"
    for switch in pack.switches:
        if switch.default not in switch.options:
            yield f"switches.{switch.id}", f"the default {switch.default!r} is no option"


def _known(anchor: str, stages: frozenset[str]) -> bool:
    base, _, rest = anchor.partition(".")
    return base in ANCHORS and (base != "submitted" or rest in stages)


def _stage(stage: _StageFile, read: Any) -> Stage:
    where = f"stages.{stage.id}"
    held = [(d, read(d.when, f"{where}.deadlines.{n}.when")) for n, d in enumerate(stage.deadlines)]
    expected = [(b, read(b.when, f"{where}.benchmarks.{n}.when")) for n, b in enumerate(stage.benchmarks)]
    return Stage(
        stage.id,
        stage.title,
        stage.anchors,
        tuple(
            Dated(_deadline(d), d.label, d.valid_from, d.valid_to, when, d.cite, d.anchors, d.void_if_after)
            for d, when in held
        ),
        when=read(stage.when, f"{where}.when"),
        form=stage.form,
        content=stage.content,
        cite=stage.cite,
        optional=stage.optional,
        kind=stage.kind,
        starts=stage.starts,
        owed=stage.owed,
        repeats_until=stage.repeats_until,
        benchmarks=tuple(Guideline(_deadline(b), b.label, b.cite, when) for b, when in expected),
        who=stage.who,
        register=stage.register_,
        recipients=recipients(stage.recipients),
    )


def _deadline(d: Any) -> Deadline:
    return Deadline(**{name: getattr(d, name) for name in _DEFAULTS})
