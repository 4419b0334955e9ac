"""`tocsin scan`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

from cyclopts import Parameter

from tocsin.cli.options import DEFAULT, Shared
from tocsin.cli.output import clean, counted, json_text, say
from tocsin.model.errors import EXIT_OK, EXIT_REFUSED

if TYPE_CHECKING:
    from tocsin.adapters.suppressions import Suppression
    from tocsin.adapters.texts import Text
    from tocsin.detect.text.patterns import Patterns
    from tocsin.detect.text.telling import Found
    from tocsin.service.texts import Scan

_FIELDS = ("entity", "category", "start", "end", "score", "rule", "mask")


def scan(
    *files: Path,
    column: str = "text",
    role: Literal["system", "user", "assistant", "tool", "retrieved"] = "user",
    input_: Annotated[Literal["auto", "jsonl", "csv", "parquet", "text"], Parameter(name="--input")] = "auto",
    format_: Annotated[Literal["jsonl", "sarif", "text"], Parameter(name="--format")] = "jsonl",
    redact: Annotated[bool, Parameter(negative="")] = False,
    rules: Path | None = None,
    suppress: Path | None = None,
    salt: Path | None = None,
    fail_on: float = 0.5,
    shared: Shared = DEFAULT,
) -> int:
    """Scan texts for personal data, secrets and attack wording.

    Needs no workspace and records nothing. Reads JSON lines, CSV, Parquet and plain text. Exit code 1 when anything scores --fail-on or
    more, 0 when nothing does.

    Parameters
    ----------
    files
        Files, or - for standard input.
    column
        The field or column that holds the text.
    role
        Whose messages these are; a field or column `role` says it for each.
    input_
        What the files are; auto goes by the ending.
    format_
        A line of JSON for each text, a SARIF 2.1.0 log, or lines to read.
    redact
        Write the texts, too, with personal data and secrets replaced by masks; as text, nothing else.
    rules
        More rules: a gitleaks.toml.
    suppress
        A file of findings that are not to be told: rule or key, texts, reason and until when.
    salt
        A file of 16 secret random bytes or more: findings then have a key, the same for the same value in every scan with this salt.
    fail_on
        From this score on, 0 to 1, a finding makes the exit code 1; above 1 none does.
    """
    from tocsin.adapters.texts import Columns
    from tocsin.model.errors import UsageFault
    from tocsin.service import texts as service

    if not files:
        raise UsageFault("no file is named", "name files, or - for standard input")
    loaded = service.rules_of(rules) if rules else None
    for name, reason in loaded.left_out if loaded and not shared.json else ():
        print(clean(f"rule {name} is left out: {reason}"), file=sys.stderr)
    scanner = service.scanner(loaded.patterns if loaded else None, service.salt_of(salt) if salt else b"")
    known = _suppressions(suppress, quiet=shared.json) if suppress else []
    if salt is None and any(one.key for one in known):
        raise UsageFault(f"{suppress} names keys, which mean nothing without their salt", "give it with --salt")
    for path in files:
        with _stream(path):  # what is not there is told before anything is scanned
            pass
    writer = _writer(format_, scanner.patterns, redact=redact, as_json=shared.json, keyed=salt is not None)
    worst = 0.0
    for path in files:
        with _stream(path) as stream:
            named = None if str(path) == "-" else path
            for text, found in service.scanned(named, stream, input_, Columns(column), role, scanner):
                result = service.suppressed(text, found, known)
                writer.add(str(path), text, result)
                worst = max(worst, result.worst)
    writer.end()
    return EXIT_REFUSED if worst >= fail_on else EXIT_OK


def _suppressions(path: Path, *, quiet: bool) -> list[Suppression]:
    """Those that count today; what has ended is told."""
    from tocsin.adapters.suppressions import load
    from tocsin.service.clock import wall_clock

    today, every = wall_clock().date(), load(path)
    for one in every if not quiet else ():
        if one.until < today:
            ended = f"the suppression of {one.named} in {one.texts} ended on {one.until}: {one.reason}"
            print(clean(ended), file=sys.stderr)
    return [one for one in every if one.until >= today]


@contextmanager
def _stream(path: Path) -> Iterator[BinaryIO]:
    from tocsin.adapters.texts import opened

    if str(path) == "-":
        yield sys.stdin.buffer
    else:
        with opened(path) as stream:
            yield stream


class _Lines:
    """One line of JSON for each text, as it comes."""

    def __init__(self, *, redact: bool = False, keyed: bool = False) -> None:
        self._redact, self._keyed = redact, keyed

    def add(self, file: str, text: Text, result: Scan) -> None:  # noqa: ARG002 - the id says it
        sys.stdout.write(json.dumps(_record(text, result, redact=self._redact, keyed=self._keyed)) + "\n")

    def end(self) -> None:
        pass


class _Document(_Lines):
    """All texts as one JSON document."""

    def __init__(self, *, redact: bool, keyed: bool) -> None:
        super().__init__(redact=redact, keyed=keyed)
        self._records: list[dict[str, Any]] = []

    def add(self, file: str, text: Text, result: Scan) -> None:  # noqa: ARG002 - the id says it
        self._records.append(_record(text, result, redact=self._redact, keyed=self._keyed))

    def end(self) -> None:
        sys.stdout.write(json_text(self._records) + "\n")


class _Sarif(_Lines):
    """A SARIF log, written at the end."""

    def __init__(self, patterns: Patterns, *, keyed: bool) -> None:
        super().__init__(keyed=keyed)
        from tocsin.adapters.documents.sarif import Located, Rule, Unread
        from tocsin.service.rules import properties

        known = (Rule(p.id, p.title, properties(p.id)) for p in patterns.items)
        self._rules = [*known, Rule("model", "Trained model of attack wording")]
        self._located, self._unread_as = Located, Unread
        self._found: list[Located] = []
        self._unread: list[Unread] = []

    def add(self, file: str, text: Text, result: Scan) -> None:
        told = result.told
        for one, (line, column) in zip(told, text.places(one.start for one in told), strict=True):
            message = f"{one.entity}: {_shown(one)}"
            key = one.key if self._keyed else ""
            place = self._located(file, line, column, one.rule, one.category, message, one.score, key, one.via)
            self._found.append(place)
        if text.problem:
            self._unread.append(self._unread_as(file, text.line, text.problem))

    def end(self) -> None:
        from tocsin import __version__
        from tocsin.adapters.documents.sarif import document

        sys.stdout.write(json_text(document(self._found, self._rules, self._unread, __version__)) + "\n")


class _Shown(_Lines):
    """Lines to read: place, score, mask, rule; and how many at the end."""

    def __init__(self) -> None:
        super().__init__(redact=False)
        self._texts = self._findings = self._problems = 0

    def add(self, file: str, text: Text, result: Scan) -> None:
        told = result.told
        for one, (line, column) in zip(told, text.places(one.start for one in told), strict=True):
            place = f"{file}:{line}:{column}" if column else f"{file}:{line}"
            say(f"{place}  {one.score:.2f}  {_shown(one)}  {one.rule}")
        if text.problem:
            say(f"{file}:{text.line}  {text.problem}")
        self._texts += 1
        self._findings += len(told)
        self._problems += bool(text.problem)

    def end(self) -> None:
        say(", ".join(map(counted, (self._texts, self._findings, self._problems), ("text", "finding", "problem"))))


class _Masked(_Lines):
    """The texts with masks and nothing else: a filter."""

    def add(self, file: str, text: Text, result: Scan) -> None:  # noqa: ARG002 - the text is all
        masked = _redacted(text, result) or ""
        shown = clean(masked) if sys.stdout.isatty() else masked
        sys.stdout.write(shown if text.first >= 0 else shown + "\n")


def _writer(format_: str, patterns: Patterns, *, redact: bool, as_json: bool, keyed: bool) -> _Lines:
    if format_ == "sarif":
        return _Sarif(patterns, keyed=keyed)
    if as_json:
        return _Document(redact=redact, keyed=keyed)
    if format_ == "text":
        return _Masked(redact=True) if redact else _Shown()
    return _Lines(redact=redact, keyed=keyed)


def _record(text: Text, result: Scan, *, redact: bool, keyed: bool) -> dict[str, Any]:
    """A text as it is told; offsets count characters, in a plain file from its beginning."""
    before = max(text.first, 0)
    findings = [
        dict(zip(_FIELDS, (*one[:2], before + one.start, before + one.end, *one[4:7]), strict=True))
        | ({"key": one.key} if keyed else {})
        | ({"via": one.via} if one.via else {})
        for one in result.findings
    ]
    record: dict[str, Any] = {"id": text.id, "findings": findings, "scores": result.scores}
    if text.problem:
        record["problem"] = text.problem
    if result.truncated:
        record["truncated"] = True
    if result.suppressed:
        record["suppressed"] = len(result.suppressed)
    if redact:
        record["text"] = _redacted(text, result)
    return record


def _shown(one: Found) -> str:
    return f"{one.shown} in {one.via}" if one.via else one.shown


def _redacted(text: Text, result: Scan) -> str | None:
    from tocsin.service.texts import redacted

    return None if text.data is None else redacted(text.data.decode(), result)
