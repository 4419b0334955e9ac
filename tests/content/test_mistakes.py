"""Content with mistakes: each loader tells all of them, with file and field, and never shows a traceback."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tocsin.content.loaders import forms, law, patterns, playbooks, taxonomies
from tocsin.content.loaders.conditions import Malformed, condition
from tocsin.law.conditions import ALWAYS, All, Compare, Not
from tocsin.law.conditions import Any as AnyOf
from tocsin.model.errors import BadInput, UsageFault

CONTENT = Path(str(files("tocsin.content")))
LIBRARY = law.load()
FACTS = LIBRARY.facts
NAMED = {"serious": Compare("death", "is", True)}


class TestConditions:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            (None, ALWAYS),
            ({"fact": "death"}, Compare("death", "is", True)),
            ({"fact": "breach_risk", "is": "high"}, Compare("breach_risk", "is", "high")),
            ({"fact": "breach_risk", "in": ["high", "risk"]}, Compare("breach_risk", "in", ("high", "risk"))),
            ({"fact": "death", "text": "a death"}, Compare("death", "is", True, "a death")),
            ({"use": "serious"}, NAMED["serious"]),
            ({"not": {"fact": "death"}}, Not(Compare("death", "is", True))),
            ({"all": [{"fact": "death"}], "text": "t"}, All((Compare("death", "is", True),), "t")),
            ({"any": []}, AnyOf(())),
        ],
    )
    def test_each_form(self, written: Any, read: Any) -> None:
        assert condition(written, NAMED, FACTS) == read

    @pytest.mark.parametrize(
        ("written", "says"),
        [
            ("death", "must be a mapping"),
            ({}, "has one of"),
            ({"text": "only words"}, "has one of"),
            ({"fact": "deth"}, "no fact 'deth'"),
            ({"use": "seriuos"}, "no definition 'seriuos'"),
            ({"fact": "death", "iss": True}, "no comparison 'iss'"),
            ({"fact": "death", "is": True, "in": [1]}, "no comparison"),
            ({"al": []}, "cannot have 'al'"),
            ({"all": {"fact": "death"}}, "cannot have 'all'"),
            ({"all": [], "any": []}, "has one of"),
            ({"not": {"fact": "nothing"}}, "no fact"),
        ],
    )
    def test_each_mistake_in_words(self, written: Any, says: str) -> None:
        with pytest.raises(Malformed, match=says):
            condition(written, NAMED, FACTS)

    def test_a_near_miss_names_what_was_meant(self) -> None:
        with pytest.raises(Malformed, match="death"):
            condition({"fact": "deth"}, NAMED, FACTS)


class TestPacks:
    def read(self, tmp_path: Path, change: Any, name: str = "eu.gdpr.art34") -> list[str]:
        """The problems of a shipped pack after a change."""
        root = tmp_path / "law"
        root.mkdir()
        for shared in ("facts", name):
            shutil.copytree(CONTENT / "law" / shared, root / shared)
        for shared in ("places.yaml", "authorities.yaml"):
            shutil.copy(CONTENT / "law" / shared, root)
        folder = root / name
        yaml = YAML()
        pack = yaml.load(folder / "pack.yaml")
        change(pack)
        yaml.dump(pack, folder / "pack.yaml")
        with pytest.raises(BadInput) as raised:
            law.load(root)
        return [str(problem) for problem in raised.value.problems()]

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda p: p.update(id="eu.gdpr.art35"), "differs from the folder's name"),
            (lambda p: p["cite"].append("art99"), "no citation 'art99'"),
            (lambda p: p["stages"][0]["cite"].append("art98"), "no citation 'art98'"),
            (lambda p: p["stages"][0].update(anchors=["noticed"]), "no anchor 'noticed'"),
            (lambda p: p["stages"][0].update(anchors=["submitted.nothing"]), "no anchor 'submitted.nothing'"),
            (lambda p: p.pop("who"), "who"),
            (lambda p: p.update(hwo="x"), "hwo"),
            (lambda p: p.update(stages=[]), "stages"),
            (lambda p: p["stages"][0]["deadlines"][0].update(unit="fortnights"), "unit"),
            (lambda p: p["stages"][0]["deadlines"][0].update(valid_from="spring"), "valid_from"),
            (lambda p: p.update(periods=[{"status": "pending", "valid_from": "2020-01-01"}]), "status"),
            (lambda p: p["stages"][0].update(deadlines=[]), "only a stage of kind evidence"),
            (lambda p: p["stages"][0].update(repeats_until="dawn"), "no anchor 'dawn'"),
            (lambda p: p["stages"][0]["deadlines"][0].update(void_if_after="dusk"), "no anchor 'dusk'"),
            (
                lambda p: p["stages"][0].update(benchmarks=[{"label": "b", "unit": "none", "cite": ["b9"]}]),
                "no citation 'b9'",
            ),
            (lambda p: p.update(jurisdiction="ZZ"), "no place 'ZZ'"),
            (lambda p: p.update(zone="Europe/Nowhere"), "zone"),
            (lambda p: p["citations"]["art34_1"].update(confidence="Z"), "confidence"),
            (lambda p: p.update(applies={"fact": "deth"}), "no fact 'deth'"),
            (lambda p: p["stages"][0].update(when={"al": []}), "cannot have 'al'"),
            (
                lambda p: p.update(switches=[{"id": "s", "text": "t", "default": "x", "options": {"a": "b"}}]),
                "is no option",
            ),
        ],
    )
    def test_each_mistake_is_told_with_its_file(self, tmp_path: Path, change: Any, says: str) -> None:
        problems = self.read(tmp_path, change)
        assert any(says in problem for problem in problems)
        assert all("law/" in problem for problem in problems)

    def test_several_mistakes_at_once(self, tmp_path: Path) -> None:
        def both(pack: Any) -> None:
            pack["cite"].append("art99")
            pack["stages"][0]["anchors"] = ["noticed"]

        assert len(self.read(tmp_path, both)) == 2


class TestPatterns:
    GOOD = (
        "id: badge\ntitle: Badge\nkind: personal_data\nexpression: 'AC-\\d{4}'\nconfidence: 0.9\nmask: badge\n"
        "positive: [AC-1234, AC-0000]\nnegative: [AC-1, ACX]\n"
    )

    def read(self, tmp_path: Path, text: str, name: str = "badge.yaml") -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(BadInput) as raised:
            patterns._read(tmp_path / name, f"patterns/{name}")
        return str(raised.value)

    def test_a_good_one_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "badge.yaml").write_text(self.GOOD, encoding="utf-8")
        assert patterns._read(tmp_path / "badge.yaml", "patterns/badge.yaml")[0].id == "badge"

    LIST = (
        "common: {kind: secret, confidence: 0.9, mask: token, tags: [a]}\n"
        "patterns:\n"
        "  - {id: one, title: One, expression: 'x\\d{4}', positive: [x1234, x0000], negative: [a, b]}\n"
        "  - {id: two, title: Two, digits: [8], kind: personal_data, positive: ['12345678', '1'], negative: [a, b]}\n"
    )

    def test_a_list_shares_what_is_common(self, tmp_path: Path) -> None:
        (tmp_path / "many.yaml").write_text(self.LIST, encoding="utf-8")
        one, two = patterns._read(tmp_path / "many.yaml", "patterns/many.yaml")
        assert (one.kind, one.confidence, one.tags) == ("secret", 0.9, ("a",))
        assert (two.kind, two.digits, two.mask) == ("personal_data", (8,), "token")

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("digits: [8]", "digits: [3]", "two: a number has 6 to 34 digits"),
            ("digits: [8]", "digits: [8], expression: x", "either an expression or digits"),
            ("digits: [8]", "digits: [8], separators: '+'", "separators are some of"),
            ("digits: [8]", "digits: [8], validator: stdnum.xx.nothing", "no validator 'stdnum.xx.nothing'"),
            ("digits: [8]", "digits: [8], validator: os.path", "no validator 'os.path'"),
            ("digits: [8]", "digits: [8], bare: 0.2", "there is none"),
            ("x\\d{4}'", "x(\\d{4}', group: 1", "this is no expression"),
            ("x\\d{4}'", "x\\d{4}', group: 1", "no group 1"),
            ("x\\d{4}'", "x{0,4}'", "matches nothing at all"),
            ("x\\d{4}'", "x\\d+'", "give every repeat a limit"),
            ("x\\d{4}'", "x', anchor: '('", "this is no expression"),
            ("one, title", "One, title", "must look like"),
        ],
    )
    def test_mistakes_in_a_list(self, tmp_path: Path, old: str, new: str, says: str) -> None:
        assert old in self.LIST
        assert says in self.read(tmp_path, self.LIST.replace(old, new), "many.yaml")

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("id: badge", "id: badges", "differs from the file's name"),
            ("kind: personal_data", "kind: rumour", "kind"),
            ("confidence: 0.9", "confidence: 9", "confidence"),
            ("mask: badge", "mask: 'badge {whole}'", "whole"),
            ("title: Badge\n", "", "title"),
            ("positive: [AC-1234, AC-0000]", "positive: [AC-1234]", "positive"),
            ("mask: badge", "mask: badge\nvalidator: luck", "no validator 'luck'"),
            ("mask: badge", "mask: badge\nmsk: x", "msk"),
            ("id: badge", "id: [", "badge.yaml"),
        ],
    )
    def test_each_mistake(self, tmp_path: Path, old: str, new: str, says: str) -> None:
        assert says in self.read(tmp_path, self.GOOD.replace(old, new))


class TestOthers:
    @pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"type": "playbook"}'])
    def test_what_is_no_playbook(self, data: bytes) -> None:
        with pytest.raises(BadInput, match=r"playbooks/mine\.json"):
            playbooks.read(data, "mine")

    def test_a_playbook_that_is_not_there_is_told_with_those_that_are(self) -> None:
        with pytest.raises(UsageFault) as raised:
            playbooks.named("panic")
        assert "data_leakage" in raised.value.remedy

    def test_a_form_that_is_not_there_is_told_with_those_that_are(self) -> None:
        with pytest.raises(UsageFault) as raised:
            forms.load("eu.aiact.art73/final")
        assert "eu.aiact.art73/draft-template-1.0.0" in raised.value.remedy

    def test_a_category_may_only_name_ids_that_exist(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = taxonomies._read

        def read(name: str, model: Any) -> Any:
            found = real(name, model)
            if name == "categories.yaml":
                first = found.categories[0].model_copy(update={"tags": ("owasp.llm.LLM99",)})
                found = found.model_copy(update={"categories": (first, *found.categories[1:])})
            return found

        monkeypatch.setattr(taxonomies, "_read", read)
        taxonomies.load.cache_clear()
        with pytest.raises(BadInput, match=r"no taxonomy has owasp\.llm\.LLM99"):
            taxonomies.load()
        monkeypatch.undo()
        taxonomies.load.cache_clear()
        assert taxonomies.load().names

    def test_shipped_playbooks_are_the_same_whatever_their_white_space(self) -> None:
        path = CONTENT / "playbooks" / "bias.json"
        body = json.loads(path.read_text(encoding="utf-8"))
        compact = playbooks.read(json.dumps(body).encode(), "bias")
        assert compact.steps == playbooks.load()["bias"].steps
        assert compact.digest != playbooks.load()["bias"].digest
