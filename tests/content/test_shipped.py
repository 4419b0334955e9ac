"""Shipped documents and their compiled values: the same library, whichever of the two was read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from tests.house.sources import ROOT
from tocsin.content.loaders import law, packs, shipped, vectors
from tocsin.content.loaders.packs import PackFile
from tocsin.model.errors import BadInput

SNAPSHOTS = ROOT / "tests" / "content" / "snapshots" / "law"
PACK = "eu.gdpr.art33/pack.yaml"
REGIMES = law.load().regimes


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The shipped library in a folder of its own, without what was compiled from it."""
    root = tmp_path / "law"
    shutil.copytree(str(shipped.SHIPPED), root, ignore=shutil.ignore_patterns("forms", "vectors.yaml", "*.md"))
    (root / shipped.COMPILED).unlink()
    return root


@pytest.fixture
def from_yaml(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if nothing were compiled."""
    shipped._compiled.cache_clear()
    monkeypatch.setattr(shipped, "COMPILED", "nothing.jsonl")
    yield
    shipped._compiled.cache_clear()


def test_what_is_compiled_is_what_the_documents_say() -> None:
    said = shipped.SHIPPED.joinpath(shipped.COMPILED).read_text(encoding="utf-8")
    assert said == shipped.compiled(), "run python tools/catalogue.py"


def test_each_document_has_a_line_of_its_own_with_its_digest() -> None:
    lines = [json.loads(line) for line in shipped.compiled().splitlines()]
    assert [line["name"] for line in lines] == list(shipped.names())
    for line in lines:
        data = shipped.SHIPPED.joinpath(line["name"]).read_bytes()
        assert line["digest"] == sha256(data).hexdigest()


def test_the_library_is_the_same_from_the_documents_themselves(copied: Path, from_yaml: None) -> None:
    written = law.load(copied)
    assert written.digest == law.load().digest
    assert written.facts == law.load().facts
    assert {code: place.registers for code, place in written.places.items()} == {
        code: place.registers for code, place in law.load().places.items()
    }
    for one, other in zip(written.regimes, law.load().regimes, strict=True):
        assert one == other, one.id


def test_a_compiled_document_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "checked", lambda *_: pytest.fail("the document was read as YAML"))
    pack, digest = shipped.document(shipped.SHIPPED, PACK, PackFile)
    assert (pack.id, len(digest)) == ("eu.gdpr.art33", 64)


def test_a_changed_document_is_read_from_its_yaml(copied: Path) -> None:
    file = copied / PACK
    file.write_text(file.read_text(encoding="utf-8").replace("amount: 72", "amount: 71"), encoding="utf-8")
    pack, _ = shipped.document(copied, PACK, PackFile)
    assert pack.stages[0].deadlines[0].amount == 71


def test_a_mistake_in_a_changed_document_has_its_line(copied: Path) -> None:
    file = copied / PACK
    text = file.read_text(encoding="utf-8")
    line = text[: text.index("register: data_protection")].count("\n") + 1
    file.write_text(text.replace("register: data_protection", "registre: data_protection"), encoding="utf-8")
    with pytest.raises(
        BadInput, match=rf"pack\.yaml:{line}:1 \(registre\): unknown key 'registre' — did you mean 'reg"
    ):
        shipped.document(copied, PACK, PackFile)


def test_a_compiled_value_that_no_longer_fits_its_model_is_read_again() -> None:
    class Other(packs.Strict):
        id: int

    with pytest.raises(BadInput, match=r"pack\.yaml:1:5"):
        shipped.document(shipped.SHIPPED, PACK, Other)


def test_a_document_with_a_key_twice_is_not_compiled(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = copied / PACK
    file.write_text(file.read_text(encoding="utf-8") + "\nwho: somebody else\n", encoding="utf-8")
    monkeypatch.setattr(shipped, "SHIPPED", copied)
    monkeypatch.setattr(shipped.names, "__defaults__", (copied,))
    with pytest.raises(BadInput, match="second time"):
        shipped.compiled()


def test_lines_of_two_branches_put_together_still_give_the_right_value(
    monkeypatch: pytest.MonkeyPatch, copied: Path
) -> None:
    """What `merge=union` makes of two changes of the same pack: both lines stand there, and the digest chooses."""
    lines = shipped.compiled().splitlines()
    number = next(n for n, line in enumerate(lines) if f'"{PACK}"' in line)
    stale = json.dumps({"name": PACK, "digest": "0" * 64, "value": {"id": "stale"}})
    (copied / shipped.COMPILED).write_text("\n".join([*lines[:number], stale, *lines[number:]]), encoding="utf-8")
    monkeypatch.setattr(shipped, "SHIPPED", copied)
    shipped._compiled.cache_clear()
    try:
        assert shipped.document(copied, PACK, PackFile)[0].id == "eu.gdpr.art33"
    finally:
        shipped._compiled.cache_clear()


def test_every_regime_has_a_snapshot_and_no_other_is_left() -> None:
    assert {path.stem for path in SNAPSHOTS.glob("*.txt")} == {regime.id for regime in REGIMES}


@pytest.mark.parametrize("regime", [regime.id for regime in REGIMES])
def test_a_snapshot_tells_each_case_with_each_of_its_stages(regime: str) -> None:
    text = (SNAPSHOTS / f"{regime}.txt").read_text(encoding="utf-8")
    told = text.split("\n\n")[1:]
    cases = vectors.load(regime)
    assert [part.split(" (")[0].split("\n")[0] for part in told] == [case.name.split(" (")[0] for case in cases]
    for part, case in zip(told, cases, strict=True):
        assert all(f"  {stage}: " in part for stage in case.expect)
        assert part.count(" read ") == part.count("\n  ")
